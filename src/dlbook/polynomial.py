"""Polynomials: least squares, a penalty, bias and variance, and what capacity counts.

Sources: S. Geman, E. Bienenstock and R. Doursat, "Neural networks and the bias/variance
dilemma", Neural Computation 4(1), 1992, doi:10.1162/neco.1992.4.1.1; A. Hoerl and
R. Kennard, "Ridge regression", Technometrics 12(1), 1970,
doi:10.1080/00401706.1970.10488634; V. Vapnik,
"The Nature of Statistical Learning Theory", Springer, 1995.
"""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_finite,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)


class Polynomial(NamedTuple):
    """A polynomial of u = (x - center) / radius, or one for each training set.

    Attributes:
        alpha: (..., degree + 1) floats, the coefficients of the powers of u, from 0 upwards.
        center: (..., 1) floats, the middle of the data, in the unit of x.
        radius: (..., 1) floats above 0, half the width of the data, in the unit of x.
    """

    alpha: Tensor
    center: Tensor
    radius: Tensor


def powers(x: Tensor, degree: int) -> Tensor:
    """Tabulate the powers 0 to degree of every number.

    Args:
        x: (..., N) floats.
        degree: at least 0.

    Returns:
        (..., N, degree + 1) floats; column d holds x to the power d.

    Raises:
        ValueError: the degree is negative, x is empty or not finite, or a power overflows.
        TypeError: x holds no floats; whole numbers would wrap around.
    """
    require_at_least(degree, 0, "degree")
    require_finite(x, "x")
    table = x[..., None] ** torch.arange(degree + 1, device=x.device)
    require_finite(table, "the powers of x")
    return table


def evaluate(polynomial: Polynomial, x: Tensor) -> Tensor:
    """Compute f(x), the sum of alpha_d times u to the power d.

    Args:
        polynomial: as `fit_polynomial` returns it.
        x: (N,) floats of its dtype, or (..., N) with the leading sizes of alpha.

    Returns:
        (..., N) floats.

    Raises:
        ValueError: x is empty or not finite, or a power overflows.
        TypeError: x has another dtype than the polynomial.
    """
    alpha, center, radius = polynomial
    if x.dtype != alpha.dtype:
        raise TypeError(f"x must be {alpha.dtype} as the polynomial is, got {x.dtype}")
    u = (x - center) / radius
    return (powers(u, alpha.shape[-1] - 1) @ alpha[..., None])[..., 0]


def fit_polynomial(x: Tensor, y: Tensor, degree: int) -> Polynomial:
    """Find the polynomial with the least sum of squared errors.

    Its training error never rises with the degree, up to rounding: by less than 0.001 of the
    mean square of y in the tests. Where rounding would take over, it refuses.

    Args:
        x: (..., N) floats with at least degree + 1 different values, in any unit and anywhere;
            in any leading dimensions lie independent training sets.
        y: (..., N) floats of the same shape.
        degree: at least 0.

    Returns:
        the polynomial, its data scaled to [-1, 1].

    Raises:
        ValueError: shapes differ, a value is not finite, there are too few points, or the
            columns are too much alike for the digits of the dtype: 100 even points stand
            a degree of 16 in float32 and of 38 in float64, crowded ones and outliers less.
        TypeError: x and y are not both float32 or both float64.
    """
    _refuse_unfit_points(x, y, degree)
    center, radius = middle_and_radius(x)
    X = powers((x - center) / radius, degree)
    _refuse_columns_alike(X)
    # The default driver may take whole columns for rounding errors and drop them.
    alpha = torch.linalg.lstsq(X, y[..., None], driver="gels").solution[..., 0]
    return Polynomial(alpha, center, radius)


def middle_and_radius(x: Tensor) -> tuple[Tensor, Tensor]:
    """Find the shift and the scale that bring data to [-1, 1].

    Args:
        x: (..., N) floats.

    Returns:
        (..., 1) the middle between least and largest, and (..., 1) half their distance, or
        1 where all are equal.

    Raises:
        ValueError: x is empty or not finite.
        TypeError: x holds no floats.
    """
    require_finite(x, "x")
    least, largest = x.aminmax(dim=-1, keepdim=True)
    radius = largest / 2 - least / 2
    return least + radius, torch.where(radius > 0, radius, torch.ones_like(radius))


def fit_ridge(x: Tensor, y: Tensor, degree: int, penalty: float) -> Polynomial:
    """Find the polynomial with the least sum of squared errors plus penalty.

    The constant is free: adding a number to all y adds it to all answers.

    Args:
        x: (..., N) floats, as in `fit_polynomial`, but few or equal points will do.
        y: (..., N) floats of the same shape.
        degree: at least 0.
        penalty: rho, the price of the square of each coefficient but the constant,
            above 0, for data scaled to [-1, 1].

    Returns:
        the polynomial, its data scaled to [-1, 1].

    Raises:
        ValueError: shapes differ, a value is not finite, or the penalty is not positive.
        TypeError: x and y are not both float32 or both float64.
    """
    require_above_zero(penalty, "penalty")
    require_at_least(degree, 0, "degree")
    _refuse_unfit_points(x, y, degree=0)
    center, radius = middle_and_radius(x)
    X = powers((x - center) / radius, degree)
    # A penalty is a training point: one that asks for sqrt(rho) alpha_d = 0.
    demands = math.sqrt(penalty) * torch.eye(degree + 1, dtype=x.dtype, device=x.device)
    demands = demands[1:].expand(*x.shape[:-1], -1, -1)
    targets = torch.cat([y, y.new_zeros(*y.shape[:-1], degree)], dim=-1)[..., None]
    X = torch.cat([X, demands], dim=-2)
    alpha = torch.linalg.lstsq(X, targets, driver="gels").solution[..., 0]
    return Polynomial(alpha, center, radius)


def _refuse_columns_alike(X: Tensor) -> None:
    condition, most = torch.linalg.cond(X).max(), 0.1 / torch.finfo(X.dtype).eps
    if not condition <= most:
        raise ValueError(
            f"degree {X.shape[-1] - 1} on these points asks for more digits than {X.dtype} "
            f"has: the condition number must be at most {most:.0e}, got {condition:.0e}"
        )


def _refuse_unfit_points(x: Tensor, y: Tensor, degree: int) -> None:
    require_at_least(degree, 0, "degree")
    require_same_shape(x, y, "x and y")
    if x.ndim > 1 and x.shape[-1] == 1:
        raise ValueError(
            f"x must be (N,), or (..., N) with N above 1, got {tuple(x.shape)}: a column "
            "would be many training sets of one point"
        )
    require_finite(x, "x")
    require_finite(y, "y")
    if x.dtype != y.dtype or x.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"x and y must both be float32 or float64, got {x.dtype} and {y.dtype}"
        )
    distinct = (x.sort(dim=-1).values.diff(dim=-1) > 0).sum(dim=-1) + 1
    if distinct.min() < degree + 1:
        raise ValueError(
            f"degree {degree} needs at least {degree + 1} different points x, "
            f"got {int(distinct.min())}"
        )


def legendre(u: Tensor, degree: int) -> Tensor:
    """Tabulate Legendre's polynomials 0 to degree, orthogonal to each other on [-1, 1].

    Args:
        u: (..., N) floats from -1 to 1.
        degree: at least 0.

    Returns:
        (..., N, degree + 1) floats; column d holds polynomial d.

    Raises:
        ValueError: the degree is negative, or u is empty, not finite or beyond [-1, 1].
        TypeError: u holds no floats.
    """
    require_at_least(degree, 0, "degree")
    require_finite(u, "u")
    if (u.abs() > 1).any():
        raise ValueError(f"u must lie between -1 and 1, got {u.abs().max()} in size")
    columns = [torch.ones_like(u), u]
    for d in range(1, degree):
        columns.append(((2 * d + 1) * u * columns[d] - d * columns[d - 1]) / (d + 1))
    return torch.stack(columns[: degree + 1], dim=-1)


def shortest_fit(X: Tensor, y: Tensor) -> Tensor:
    """Among all coefficients with the least squared error, take the shortest vector.

    Args:
        X: (N, P) floats, a column for each coefficient; P may exceed N.
        y: (N,) floats.

    Returns:
        (P,) floats.

    Raises:
        ValueError: the shapes do not fit, a value is not finite, or the rank of X is below
            both N and P; what `pinv` takes for rounding, it would drop in silence.
        TypeError: they are not float32 or float64.
    """
    require_wide(X, "X")
    require_table(X, "X")
    require_vector(y, "y", len(X))
    rank = int(torch.linalg.matrix_rank(X))  # counts as `pinv` does
    if rank < min(X.shape):
        raise ValueError(f"the rank of X must be {min(X.shape)}, got {rank} in {X.dtype}")
    return torch.linalg.pinv(X) @ y


def bias_and_variance(predictions: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Split the squared error over many training sets into its two parts.

    Args:
        predictions: (T, m) floats, at m places what each of T trained models answers.
        truth: (m,) floats, what the answers should be.

    Returns:
        (m,) squared bias and (m,) variance, in the unit of the truth squared; their sum
        is the mean over T of the squared error.

    Raises:
        ValueError: there is no model or no place, the shapes do not match, or a value is
            not finite.
        TypeError: they are not float32 or float64.
    """
    require_wide(predictions, "predictions")
    require_wide(truth, "truth")
    require_table(predictions, "predictions")
    require_vector(truth, "truth", predictions.shape[1])
    squared_bias = (predictions.mean(dim=0) - truth).square()
    variance = predictions.var(dim=0, correction=0)
    return squared_bias, variance


def thresholds(points: Tensor) -> Tensor:
    """List every labeling of points on a line by a rule "x > t".

    Args:
        points: (n,) floats.

    Returns:
        (n + 1, n) booleans, a labeling in each row, perhaps some twice.

    Raises:
        ValueError: points is no such vector, is empty or not finite.
        TypeError: it does not hold floats.
    """
    require_vector(points, "points")
    cuts = torch.cat([points.new_tensor([-torch.inf]), points])
    return points > cuts[:, None]


def intervals(points: Tensor) -> Tensor:
    """List every labeling of points on a line by a rule "s < x <= t".

    Args:
        points: (n,) floats.

    Returns:
        ((n + 1)², n) booleans, a labeling in each row, perhaps some twice.

    Raises:
        ValueError: as in `thresholds`.
        TypeError: as in `thresholds`.
    """
    above = thresholds(points)
    return (above[:, None] & ~above).flatten(0, 1)


def half_planes(points: Tensor) -> Tensor:
    """List every labeling of points in the plane by the two sides of a line.

    Args:
        points: (n, 2) floats, all different. Three on a line are found to be so only
            where their differences are exact, as those of small whole numbers are.

    Returns:
        (L, n) booleans, a labeling in each row, perhaps some twice.

    Raises:
        ValueError: points is no such table, holds one point twice, is empty or not finite.
        TypeError: it does not hold floats.
    """
    require_table(points, "points", columns=2)
    if len(points.unique(dim=0)) < len(points):
        raise ValueError("points must all be different, got one twice")
    points = points.double() - points[0].double()
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

    Raises:
        ValueError: labelings is no table, or an empty one.
        TypeError: it does not hold booleans.
    """
    if labelings.dtype != torch.bool:
        raise TypeError(f"labelings must be booleans, got {labelings.dtype}")
    if labelings.ndim != 2 or labelings.numel() == 0:
        raise ValueError(
            f"labelings must be (L, n), L and n above 0, got {tuple(labelings.shape)}"
        )
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

    It holds for independent draws from one distribution, and for the share of mistakes.

    Args:
        dimension: h, the VC dimension of the family, from 1 to n.
        n: how many training points were drawn.
        doubt: the probability that the bound fails, above 0 and below 1.

    Returns:
        the largest difference of 0-1 risk and training error; 1 or more says nothing.

    Raises:
        ValueError: dimension or doubt is out of range.
    """
    require_between(dimension, 1, n, "dimension")
    if not 0 < doubt < 1:
        raise ValueError(f"doubt must lie between 0 and 1, got {doubt}")
    growth = dimension * (math.log(2 * n / dimension) + 1)
    return math.sqrt((growth - math.log(doubt / 4)) / n)
