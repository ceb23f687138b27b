"""Polynomials: least squares, a penalty, bias and variance, and what capacity counts.

Sources: S. Geman, E. Bienenstock and R. Doursat, "Neural networks and the bias/variance
dilemma", Neural Computation 4(1), 1992, doi:10.1162/neco.1992.4.1.1; A. Hoerl and
R. Kennard, "Ridge regression", Technometrics 12(1), 1970,
doi:10.1080/00401706.1970.10488634; V. Vapnik,
"The Nature of Statistical Learning Theory", Springer, 1995.
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def powers(x: Tensor, degree: int) -> Tensor:
    """Tabulate the powers 0 to D of every number.

    Args:
        x: (..., N) floats.
        degree: D, at least 0.

    Returns:
        (..., N, D + 1) floats; column d holds x to the power d.

    Raises:
        ValueError: the degree is negative.
    """
    if degree < 0:
        raise ValueError(f"degree must be at least 0, got {degree}")
    return x[..., None] ** torch.arange(degree + 1, device=x.device)


def evaluate(alpha: Tensor, x: Tensor) -> Tensor:
    """Compute f(x; alpha), the sum of alpha_d times x to the power d.

    Args:
        alpha: (..., D + 1) floats, the coefficients from the constant upwards.
        x: (N,) floats, or (..., N) with the leading sizes of alpha.

    Returns:
        (..., N) floats.
    """
    return (powers(x, alpha.shape[-1] - 1) @ alpha[..., None])[..., 0]


def fit_polynomial(x: Tensor, y: Tensor, degree: int) -> Tensor:
    """Find the coefficients with the least sum of squared errors.

    Args:
        x: (..., N) floats with at least D + 1 different values; in any leading dimensions
            lie independent training sets.
        y: (..., N) floats of the same shape.
        degree: D, at least 0.

    Returns:
        alpha, (..., D + 1) floats, from the constant upwards.

    Raises:
        ValueError: shapes differ, a value is not finite, or there are too few points.
    """
    _refuse_unfit_points(x, y, degree)
    X = powers(x, degree)
    # The default driver may take whole columns for rounding errors and drop them.
    return torch.linalg.lstsq(X, y[..., None], driver="gels").solution[..., 0]


def fit_ridge(x: Tensor, y: Tensor, degree: int, penalty: float) -> Tensor:
    """Find the coefficients with the least sum of squared errors plus penalty.

    Args:
        x: (..., N) floats, as in `fit_polynomial`, but few or equal points will do.
        y: (..., N) floats of the same shape.
        degree: D, at least 0.
        penalty: rho, the price of a squared coefficient, above 0.

    Returns:
        alpha, (..., D + 1) floats, from the constant upwards.

    Raises:
        ValueError: shapes differ, a value is not finite, or the penalty is not positive.
    """
    if not 0 < penalty < math.inf:
        raise ValueError(f"penalty must lie above 0, got {penalty}")
    _refuse_unfit_points(x, y, degree=0)
    X = powers(x, degree)
    # A penalty is a training point: one that asks for sqrt(rho) alpha_d = 0.
    demands = math.sqrt(penalty) * torch.eye(degree + 1, dtype=x.dtype, device=x.device)
    X = torch.cat([X, demands.expand(*x.shape[:-1], -1, -1)], dim=-2)
    zeros = y.new_zeros(*y.shape[:-1], degree + 1)
    targets = torch.cat([y, zeros], dim=-1)
    return torch.linalg.lstsq(X, targets[..., None], driver="gels").solution[..., 0]


def _refuse_unfit_points(x: Tensor, y: Tensor, degree: int) -> None:
    if x.shape != y.shape or x.ndim == 0:
        raise ValueError(
            "x and y must have one shape (..., N), "
            f"got {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if not (x.isfinite().all() and y.isfinite().all()):
        raise ValueError("x and y must be finite, got NaN or infinity")
    distinct = (x.sort(dim=-1).values.diff(dim=-1) > 0).sum(dim=-1) + (x.shape[-1] > 0)
    if distinct.numel() == 0 or distinct.min() < degree + 1:
        raise ValueError(
            f"degree {degree} needs at least {degree + 1} different points x, "
            f"got {int(distinct.min()) if distinct.numel() else 0}"
        )


def bias_and_variance(predictions: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Split the squared error over many training sets into its two parts.

    Args:
        predictions: (T, m) floats, at m places what each of T trained models answers.
        truth: (m,) floats, what the answers should be.

    Returns:
        (m,) squared bias and (m,) variance, in the unit of the truth squared; their sum
        is the mean over T of the squared error.

    Raises:
        ValueError: there is no model or no place, or the shapes do not match.
    """
    if predictions.numel() == 0 or predictions.shape != (len(predictions), *truth.shape):
        raise ValueError(
            "predictions (T, m) and truth (m,) must match and hold something, got "
            f"{tuple(predictions.shape)} and {tuple(truth.shape)}"
        )
    squared_bias = (predictions.mean(dim=0) - truth).square()
    variance = predictions.var(dim=0, correction=0)
    return squared_bias, variance


def thresholds(points: Tensor) -> Tensor:
    """List every labeling of points on a line by a rule "x > t".

    Args:
        points: (n,) floats.

    Returns:
        (n + 1, n) booleans, a labeling in each row, perhaps some twice.
    """
    cuts = torch.cat([points.new_tensor([-torch.inf]), points])
    return points > cuts[:, None]


def intervals(points: Tensor) -> Tensor:
    """List every labeling of points on a line by a rule "s < x <= t".

    Args:
        points: (n,) floats.

    Returns:
        ((n + 1)², n) booleans, a labeling in each row, perhaps some twice.
    """
    above = thresholds(points)
    return (above[:, None] & ~above).flatten(0, 1)


def half_planes(points: Tensor) -> Tensor:
    """List every labeling of points in the plane by the two sides of a line.

    Args:
        points: (n, 2) floats, all different.

    Returns:
        (L, n) booleans, a labeling in each row, perhaps some twice.
    """
    # Turn a direction once around: the points change their order along it only where it
    # is at a right angle to a line through two of them. One direction between will do.
    first, second = torch.triu_indices(len(points), len(points), offset=1)
    across = points[second] - points[first]
    turns = torch.atan2(across[:, 0], -across[:, 1]) % math.pi
    turns = torch.cat([turns, turns + math.pi, turns.new_zeros(1)]).unique()
    turns = torch.cat([turns, turns[:1] + 2 * math.pi])
    between = (turns[1:] + turns[:-1]) / 2
    directions = torch.stack([between.cos(), between.sin()], dim=1).to(points)
    return torch.cat([thresholds(points @ direction) for direction in directions])


def shatters(labelings: Tensor) -> bool:
    """Tell whether a list of labelings holds all that are possible.

    Args:
        labelings: (L, n) booleans, a labeling of n points in each row.

    Returns:
        whether 2 to the power n rows are different.
    """
    return len(labelings.unique(dim=0)) == 2 ** labelings.shape[1]


def vc_dimension(family: Callable[[Tensor], Tensor], sets: Iterable[Tensor]) -> int:
    """Find the size of the largest set of points that a family labels in every way.

    Args:
        family: lists the labelings of a set of points, such as `intervals`.
        sets: sets of n points each, (n,) or (n, 2) floats. The answer is the VC dimension
            if every arrangement that matters is among them, and else a lower bound.

    Returns:
        that size, or 0 if no set is shattered.
    """
    return max((len(points) for points in sets if shatters(family(points))), default=0)


def vc_bound(dimension: int, n: int, doubt: float = 0.05) -> float:
    """Bound how far the risk can lie above the training error, for any distribution.

    Args:
        dimension: h, the VC dimension of the family, from 1 to n.
        n: how many training points were drawn.
        doubt: the probability that the bound fails, above 0 and below 1.

    Returns:
        the largest difference of 0-1 risk and training error; 1 or more says nothing.

    Raises:
        ValueError: dimension or doubt is out of range.
    """
    if not 1 <= dimension <= n:
        raise ValueError(f"dimension must lie between 1 and {n}, got {dimension}")
    if not 0 < doubt < 1:
        raise ValueError(f"doubt must lie between 0 and 1, got {doubt}")
    growth = dimension * (math.log(2 * n / dimension) + 1)
    return math.sqrt((growth - math.log(doubt / 4)) / n)
