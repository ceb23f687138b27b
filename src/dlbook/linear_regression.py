"""Linear regression: the line that leaves the least squared error, found in three ways.

Sources: D. Hoaglin and R. Welsch, "The hat matrix in regression and ANOVA", The American
Statistician 32(1), 1978, doi:10.1080/00031305.1978.10479237 (leverage); N. Higham,
"Accuracy and Stability of Numerical Algorithms", SIAM, 2002, chapter 20 (solvers).
"""

import torch
from scipy.special import stdtrit
from torch import Tensor

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_finite,
    require_same_dtype,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)


def design_matrix(x: Tensor) -> Tensor:
    """Put a column of ones beside the inputs, so that the line may leave the origin.

    Args:
        x: (N,) finite floats, with at least two different values.

    Returns:
        (N, 2) floats: x, then ones.

    Raises:
        TypeError: x holds no floats.
        ValueError: x is not a vector, is not finite, or is constant (no slope fits).

    >>> design_matrix(torch.tensor([39.0, 47.0]))
    tensor([[39.,  1.],
            [47.,  1.]])
    """
    require_vector(x, "x")
    if x.min() == x.max():
        raise ValueError(f"x must take at least 2 values, got only {x[0].item()}")
    return torch.stack([x, torch.ones_like(x)], dim=1)


def mean_squared_error(X: Tensor, y: Tensor, w: Tensor) -> Tensor:
    """Average the squared gaps between targets and predictions.

    Args:
        X: (N, D) floats, the design matrix.
        y: (N,) floats, the targets.
        w: (..., D) floats, one vector of weights or a whole grid of them.

    Returns:
        (...) floats, in the unit of y squared.

    Raises:
        TypeError: an argument holds no floats, floats of fewer than 32 bits, or another
            dtype than the others.
        ValueError: the shapes do not fit, or a value is not finite.
    """
    _require_pairs(X, y)
    require_finite(w, "w")
    require_same_dtype(X, w, "X and w")
    if w.ndim == 0 or w.shape[-1] != X.shape[1]:
        raise ValueError(f"w must be (..., {X.shape[1]}), got {tuple(w.shape)}")
    return (w @ X.T - y).square().mean(dim=-1)


def solve_normal_equations(X: Tensor, y: Tensor) -> Tensor:
    """Find the weights of least squared error where the gradient is zero.

    Short, but it squares the condition number of X: see `solve_by_qr`.

    Args:
        X: (N, D) floats, the design matrix, with independent columns.
        y: (N,) floats, the targets.

    Returns:
        (D,) floats, the weights.

    Raises:
        TypeError: an argument holds no floats, or floats of fewer than 32 bits.
        ValueError: the shapes do not fit, a value is not finite, the columns of X are so
            nearly dependent that X.T @ X keeps no digit of them, or their squares are too
            large or too small for the dtype.
    """
    _require_pairs(X, y)
    require_independent(X, powers=2)
    _require_squares(X)
    return torch.linalg.solve(X.T @ X, X.T @ y)


def solve_by_qr(X: Tensor, y: Tensor) -> Tensor:
    """Find the weights of least squared error without multiplying X by itself.

    With X = QR, where Q keeps lengths and R is triangular, what is left is R w = Q.T y.

    Args:
        X: (N, D) floats, the design matrix, with independent columns.
        y: (N,) floats, the targets.

    Returns:
        (D,) floats, the weights.

    Raises:
        TypeError: an argument holds no floats, or floats of fewer than 32 bits.
        ValueError: the shapes do not fit, a value is not finite, or the columns of X are
            dependent, but for rounding.
    """
    _require_pairs(X, y)
    require_independent(X)
    Q, R = torch.linalg.qr(X)
    target = (Q.T @ y).unsqueeze(1)
    return torch.linalg.solve_triangular(R, target, upper=True).squeeze(1)


def require_independent(X: Tensor, powers: int = 1) -> None:
    """Refuse a table one of whose columns is a sum of the others, but for rounding.

    Args:
        X: (N, D) floats, at least as many rows as columns.
        powers: how often X enters the product that is to be solved, 1 or 2.

    Raises:
        TypeError: X holds no floats, or floats of fewer than 32 bits.
        ValueError: X is no such table, or the columns, scaled to length one, have a
            condition number that costs all digits of the dtype.
    """
    require_table(X, "X")
    require_wide(X, "X")
    if len(X) < X.shape[1]:
        raise ValueError(f"X must be (N, D) with N at least D, got {tuple(X.shape)}")
    # A unit costs no digits, so compare the columns at length one. Zeros stay zero.
    tiny = torch.finfo(X.dtype).tiny
    units = X / X.abs().amax(dim=0).clamp(min=tiny)  # so that no square overflows
    units = units / units.norm(dim=0).clamp(min=tiny)
    stretches = torch.linalg.svdvals(units)  # from large to small
    eps = torch.finfo(X.dtype).eps
    least = max(10 * len(X) ** 0.5 * eps, eps ** (1 / powers))
    if stretches[-1] <= least * stretches[0]:
        condition = (stretches[0] / stretches[-1]).item()
        raise ValueError(
            "the columns of X must be independent, "
            f"got the condition number {condition:.1g} in {X.dtype}"
        )


def descend(X: Tensor, y: Tensor, step_size: float, steps: int) -> Tensor:
    """Walk down the loss surface from zero, against the gradient.

    Args:
        X: (N, D) floats, the design matrix.
        y: (N,) floats, the targets.
        step_size: how far to go for a gradient of length one, above 0.
        steps: how many steps, 0 or more.

    Returns:
        (steps + 1, D) floats: the weights at the start and after each step. Where
        step_size is above 2 / (largest curvature), they grow without a bound, and after
        many steps are infinite and then NaN.

    Raises:
        TypeError: X or y holds no floats, or floats of fewer than 32 bits.
        ValueError: the shapes do not fit, a value is not finite, or step_size or steps
            are too small.
    """
    _require_pairs(X, y)
    require_above_zero(step_size, "step_size")
    require_at_least(steps, 0, "steps")
    path = [torch.zeros_like(X[0])]
    for _ in range(steps):
        gradient = 2 / len(y) * (X.T @ (X @ path[-1] - y))
        path.append(path[-1] - step_size * gradient)
    return torch.stack(path)


def fastest_step_size(X: Tensor) -> float:
    """Choose the constant step that makes the slowest direction shrink fastest.

    Args:
        X: (N, D) floats, the design matrix.

    Returns:
        2 / (smallest + largest curvature) of the mean squared error; twice the inverse of
        the largest curvature is already too far.

    Raises:
        TypeError: X holds no floats, or floats of fewer than 32 bits.
        ValueError: X is no table of finite values with independent columns, or their
            squares are too large or too small for the dtype.
    """
    require_independent(X)
    _require_squares(X)
    curvatures = torch.linalg.eigvalsh(2 / len(X) * X.T @ X)
    return (2 / (curvatures[0] + curvatures[-1])).item()


def explained_share(y: Tensor, prediction: Tensor) -> Tensor:
    """Say which share of the scatter of y the prediction explains: R squared.

    Args:
        y: (N,) floats, the targets, not all equal.
        prediction: (N,) floats, what the line says.

    Returns:
        0d float: 1 for a perfect prediction, 0 for the mean, below 0 for worse than that.

    Raises:
        TypeError: an argument holds no floats, floats of fewer than 32 bits, or another
            dtype than the other.
        ValueError: the shapes differ, a value is not finite, or y has no scatter.
    """
    require_vector(y, "y")
    require_wide(y, "y")
    require_same_shape(y, prediction, "y and prediction")
    require_finite(prediction, "prediction")
    require_same_dtype(y, prediction, "y and prediction")
    if y.min() == y.max():
        raise ValueError(f"y must take at least 2 values, got only {y[0].item()}")
    gaps = y - y[0]  # far from zero the mean of y itself would be rounded
    unit = gaps.abs().max()  # so that no square overflows or vanishes
    unexplained = ((y - prediction) / unit).square().mean()
    return 1 - unexplained / ((gaps - gaps.mean()) / unit).square().mean()


def leverages(X: Tensor) -> Tensor:
    """Measure how far each prediction follows its own target.

    Args:
        X: (N, D) floats, the design matrix, with independent columns.

    Returns:
        (N,) floats from 0 to 1; they sum to D.

    Raises:
        TypeError: X holds no floats, or floats of fewer than 32 bits.
        ValueError: X is no table of finite values with independent columns.
    """
    require_independent(X)
    # The hat matrix is X (X.T X)^-1 X.T = Q Q.T; its diagonal needs no (N, N) product.
    return torch.linalg.qr(X).Q.square().sum(dim=1)


def studentized_residuals(X: Tensor, y: Tensor) -> Tensor:
    """Compare each residual with the scatter of the other points.

    The point itself is left out of the yardstick, or a large error would excuse itself.

    Args:
        X: (N, D) floats, the design matrix, with independent columns and N above D + 1.
        y: (N,) floats, the targets; without any one of them the others are not all on a line.

    Returns:
        (N,) floats without a unit. If the noise is independent and Gaussian with one
        variance, each follows Student's distribution with N - D - 1 degrees of freedom.

    Raises:
        TypeError: an argument holds no floats, or floats of fewer than 32 bits.
        ValueError: the shapes do not fit, a value is not finite, or there is no scatter to
            judge by: too few points, one that rules its own prediction, no error at all, or
            none but that of one point.
    """
    residuals, influence = y - X @ solve_by_qr(X, y), leverages(X)
    freedom = len(y) - X.shape[1] - 1
    if freedom < 1:
        raise ValueError(f"X must have at least {X.shape[1] + 2} rows, got {len(X)}")
    eps = torch.finfo(X.dtype).eps
    if (influence > 1 - eps**0.5).any():
        most = influence.max().item()
        raise ValueError(f"each leverage must lie below 1, got {most:.6f}")
    if residuals.norm() <= 10 * len(y) ** 0.5 * eps * y.norm():
        raise ValueError("y must leave residuals to compare, but all is explained")
    squares = residuals.square()
    rest = squares.sum() - squares / (1 - influence)  # what is left without each point
    if rest.min() <= 10 * len(y) ** 0.5 * eps * squares.sum():
        alone = int(rest.argmin())
        raise ValueError(f"y must scatter without point {alone} too, but all others fit")
    return residuals / (rest / freedom * (1 - influence)).sqrt()


def prediction_interval(
    X: Tensor, y: Tensor, X_new: Tensor, confidence: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Bound where the next measurement falls, if the model is right.

    It is, if the truth is a sum of the columns, and the noise around it is independent and
    Gaussian, with one variance for all.

    Args:
        X: (N, D) floats, the design matrix, with independent columns and N above D.
        y: (N,) floats, the targets.
        X_new: (M, D) floats, rows of a design matrix, such as `[47.0, 1.0]`.
        confidence: how often the interval should hold, between 0 and 1.

    Returns:
        lower and upper bounds, (M,) floats each, in the unit of y.

    Raises:
        TypeError: an argument holds no floats, floats of fewer than 32 bits, or another
            dtype than the others.
        ValueError: the shapes do not fit, a value is not finite, confidence is not
            between 0 and 1, or N equals D, which leaves no scatter to judge by.
    """
    w, freedom = solve_by_qr(X, y), len(y) - X.shape[1]
    require_table(X_new, "X_new", columns=X.shape[1])
    require_same_dtype(X, X_new, "X and X_new")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    if freedom == 0:
        raise ValueError(f"an interval needs more than {len(w)} points, got {len(y)}")
    variance = (y - X @ w).square().sum() / freedom
    R = torch.linalg.qr(X).R
    from_fit = torch.linalg.solve_triangular(R.T, X_new.T, upper=False).square().sum(0)
    quantile = float(stdtrit(freedom, (1 + confidence) / 2))
    margin = quantile * (variance * (1 + from_fit)).sqrt()
    return X_new @ w - margin, X_new @ w + margin


def _require_pairs(X: Tensor, y: Tensor) -> None:
    require_table(X, "X")
    require_vector(y, "y", length=len(X))
    require_wide(X, "X")
    require_same_dtype(X, y, "X and y")


def _require_squares(X: Tensor) -> None:
    """Refuse a table whose squares leave the range of the dtype, or its last digits."""
    least = torch.finfo(X.dtype).tiny / torch.finfo(X.dtype).eps
    squares = X.square().sum(dim=0)
    if not (squares.min() > least and squares.max().isfinite()):
        raise ValueError(f"the squares of X must fit into {X.dtype}: choose another unit")
