"""Linear regression: the line that leaves the least squared error, found in three ways.

Sources: D. Hoaglin and R. Welsch, "The hat matrix in regression and ANOVA", The American
Statistician 32(1), 1978, doi:10.1080/00031305.1978.10479237 (leverage); N. Higham,
"Accuracy and Stability of Numerical Algorithms", SIAM, 2002, chapter 20 (solvers).
"""

import torch
from scipy.special import stdtrit
from torch import Tensor


def design_matrix(x: Tensor) -> Tensor:
    """Put a column of ones beside the inputs, so that the line may leave the origin.

    Args:
        x: (N,) finite floats, with at least two different values.

    Returns:
        (N, 2) floats: x, then ones.

    Raises:
        ValueError: x is not a vector, is not finite, or is constant (no slope fits).

    >>> design_matrix(torch.tensor([39.0, 47.0]))
    tensor([[39.,  1.],
            [47.,  1.]])
    """
    if x.ndim != 1 or not x.isfinite().all():
        raise ValueError(f"x must be a vector of finite values, got shape {(*x.shape,)}")
    if len(x.unique()) < 2:
        raise ValueError(f"x must take at least 2 values, got {len(x.unique())}")
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
        ValueError: the shapes do not fit, or a value is not finite.
    """
    _require_fitting(X, y)
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
        ValueError: the shapes do not fit, or a value is not finite.
        RuntimeError: the columns of X are so dependent that X.T @ X is singular.
    """
    _require_fitting(X, y)
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
        ValueError: the shapes do not fit, or a value is not finite.
    """
    _require_fitting(X, y)
    Q, R = torch.linalg.qr(X)
    target = (Q.T @ y).unsqueeze(1)
    return torch.linalg.solve_triangular(R, target, upper=True).squeeze(1)


def descend(X: Tensor, y: Tensor, step_size: float, steps: int) -> Tensor:
    """Walk down the loss surface from zero, against the gradient.

    Args:
        X: (N, D) floats, the design matrix.
        y: (N,) floats, the targets.
        step_size: how far to go for a gradient of length one, above 0.
        steps: how many steps, 0 or more.

    Returns:
        (steps + 1, D) floats: the weights at the start and after each step.

    Raises:
        ValueError: the shapes do not fit, a value is not finite, or step_size or steps
            are too small.
    """
    _require_fitting(X, y)
    if step_size <= 0 or steps < 0:
        raise ValueError(
            f"step_size must be positive, steps 0 or more: got {step_size}, {steps}"
        )
    path = [torch.zeros_like(X[0])]
    for _ in range(steps):
        gradient = 2 / len(y) * X.T @ (X @ path[-1] - y)
        path.append(path[-1] - step_size * gradient)
    return torch.stack(path)


def fastest_step_size(X: Tensor) -> float:
    """Choose the constant step that makes the slowest direction shrink fastest.

    Args:
        X: (N, D) floats, the design matrix.

    Returns:
        2 / (smallest + largest curvature) of the mean squared error; twice the inverse of
        the largest curvature is already too far.
    """
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
        ValueError: the shapes differ, or y has no scatter to explain.
    """
    if y.shape != prediction.shape:
        raise ValueError(f"shapes must be equal, got {y.shape} and {prediction.shape}")
    scatter = (y - y.mean()).square().sum()
    if scatter == 0:
        raise ValueError(f"y must take at least 2 values, got only {y[0].item()}")
    return 1 - (y - prediction).square().sum() / scatter


def leverages(X: Tensor) -> Tensor:
    """Measure how far each prediction follows its own target.

    Args:
        X: (N, D) floats, the design matrix, with independent columns.

    Returns:
        (N,) floats from 0 to 1; they sum to D.
    """
    # The hat matrix is X (X.T X)^-1 X.T = Q Q.T; its diagonal needs no (N, N) product.
    return torch.linalg.qr(X).Q.square().sum(dim=1)


def studentized_residuals(X: Tensor, y: Tensor) -> Tensor:
    """Compare each residual with the scatter that it should have if all is well.

    Args:
        X: (N, D) floats, the design matrix, with N above D.
        y: (N,) floats, the targets.

    Returns:
        (N,) floats without a unit; beyond 3 in size asks for a look at the data.

    Raises:
        ValueError: the shapes do not fit, or a value is not finite.
    """
    residuals = y - X @ solve_by_qr(X, y)
    variance = residuals.square().sum() / (len(y) - X.shape[1])
    return residuals / (variance * (1 - leverages(X))).sqrt()


def prediction_interval(
    X: Tensor, y: Tensor, X_new: Tensor, confidence: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Bound where the next measurement falls, if the noise is Gaussian.

    Args:
        X: (N, D) floats, the design matrix, with N above D.
        y: (N,) floats, the targets.
        X_new: (M, D) floats, rows of a design matrix, such as `[47.0, 1.0]`.
        confidence: how often the interval should hold, between 0 and 1.

    Returns:
        lower and upper bounds, (M,) floats each, in the unit of y.

    Raises:
        ValueError: the shapes do not fit, a value is not finite, confidence is not
            between 0 and 1, or N equals D, which leaves no scatter to judge by.
    """
    w, freedom = solve_by_qr(X, y), len(y) - X.shape[1]
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


def _require_fitting(X: Tensor, y: Tensor) -> None:
    if X.ndim != 2 or y.shape != X.shape[:1] or len(y) < X.shape[-1]:
        raise ValueError(
            "X must be (N, D) and y (N,) with N at least D, "
            f"got {(*X.shape,)} and {(*y.shape,)}"
        )
    if not (X.isfinite().all() and y.isfinite().all()):
        raise ValueError("X and y must be finite, got NaN or infinity")
