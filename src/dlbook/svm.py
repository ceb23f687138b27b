"""The linear support vector machine: hinge loss, weight penalty, and a certified optimum.

Sources: C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20, 1995,
doi:10.1007/BF00994018; C.-J. Hsieh and others, "A dual coordinate descent method for
large-scale linear SVM", ICML 2008, doi:10.1145/1390156.1390208; S. Shalev-Shwartz and
others, "Pegasos", Mathematical Programming 127, 2011, doi:10.1007/s10107-010-0420-4;
O. Chapelle, "Training a support vector machine in the primal", Neural Computation 19(5),
2007, doi:10.1162/neco.2007.19.5.1155.
"""

import torch
from torch import Tensor

from dlbook.perceptron import check_sample

FEW = 1000  # examples; a sample this small is solved at once
ROUNDS = 1000  # at the most; usually ten to a hundred close the gap


def hinge_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Charge each score for what it lacks to lie on the right side with a margin of 1.

    Args:
        scores: (n,) floats, w · xₙ.
        labels: (n,) numbers, each -1 or +1.

    Returns:
        (n,) floats, max(0, 1 - yₙ w · xₙ).

    >>> hinge_loss(torch.tensor([2.0, 0.5, -1.0]), torch.ones(3))
    tensor([0.0000, 0.5000, 2.0000])
    """
    return (1 - labels * scores).clamp(min=0)


def primal_objective(w: Tensor, points: Tensor, labels: Tensor, penalty: float) -> float:
    """Compute what training minimizes: the weight penalty plus the mean hinge loss.

    Args:
        w: (d,) floats, the weights; with a constant input, the last one is the bias.
        points: (n, d) floats.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.

    Returns:
        λ‖w‖² + mean of max(0, 1 - yₙ w · xₙ).
    """
    return (penalty * (w @ w) + hinge_loss(points @ w, labels).mean()).item()


def combine(
    multipliers: Tensor, points: Tensor, labels: Tensor, penalty: float
) -> Tensor:
    """Build weights from the examples, each with its multiplier.

    Args:
        multipliers: (n,) floats αₙ from 0 to 1.
        points: (n, d) floats.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.

    Returns:
        (d,) floats, the sum of αₙ yₙ xₙ, divided by 2λn.
    """
    signed = (multipliers * labels).to(points.dtype)
    return points.T @ signed / (2 * penalty * len(points))


def dual_objective(
    multipliers: Tensor, points: Tensor, labels: Tensor, penalty: float
) -> float:
    """Compute a floor under the primal objective: no weights reach below it.

    Args:
        multipliers: (n,) floats αₙ from 0 to 1.
        points: (n, d) floats.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.

    Returns:
        mean of αₙ, minus λ‖w‖² of the weights that the multipliers combine.
    """
    w = combine(multipliers, points, labels, penalty)
    return (multipliers.mean() - penalty * (w @ w)).item()


def subgradient_descent(
    points: Tensor, labels: Tensor, penalty: float, steps: int
) -> Tensor:
    """Walk down the primal objective, with steps that shrink as 1 / (2λt).

    Args:
        points: (n, d) floats; append a constant input for a bias.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        steps: how many, at least 1; nothing tells how far the optimum still is.

    Returns:
        (d,) floats, the last weights.

    Raises:
        ValueError: the sample is empty or malformed, or a number is out of range.
    """
    check_sample(points, labels)
    check_positive(penalty, "penalty")
    check_positive(steps, "steps")
    w, y = torch.zeros_like(points[0]), labels.to(points.dtype)
    for t in range(1, steps + 1):
        inside = (y * (points @ w) < 1).to(points.dtype)
        gradient = 2 * penalty * w - points.T @ (inside * y) / len(points)
        w = w - gradient / (2 * penalty * t)
    return w


def check_positive(value: float, name: str) -> None:
    """Refuse a number that is not positive.

    Args:
        value: the number.
        name: what to call it in the error.

    Raises:
        ValueError: the number is 0, negative or NaN.
    """
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")


def dual_coordinate_descent(
    points: Tensor, labels: Tensor, penalty: float, tolerance: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Train a linear SVM by improving one multiplier at a time until the gap closes.

    Args:
        points: (n, d) floats; append a constant input for a bias.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: how far above the optimum the objective may lie, relative to it;
            positive, and not below about 1e-5 with float32.
        seed: decides the order of the examples in each round.

    Returns:
        weights, (d,), and multipliers, (n,) from 0 to 1, like the points.

    Raises:
        ValueError: the sample is empty or malformed, a number is out of range, or the gap
            is not closed after 1000 rounds.
    """
    check_sample(points, labels)
    check_positive(penalty, "penalty")
    check_positive(tolerance, "tolerance")
    generator = torch.Generator().manual_seed(seed)
    z = points * labels.to(points.dtype)[:, None]
    scale = 1 / (2 * penalty * len(z))
    curvature = scale * z.square().sum(dim=1) + torch.finfo(z.dtype).tiny
    w, alpha = torch.zeros_like(z[0]), torch.zeros_like(z[:, 0])
    for _ in range(ROUNDS):
        for n in torch.randperm(len(z), generator=generator).tolist():
            best = (alpha[n] + (1 - w @ z[n]) / curvature[n]).clamp(0, 1)
            w += scale * (best - alpha[n]) * z[n]
            alpha[n] = best
        if gap_closed(w, alpha, points, labels, penalty, tolerance):
            return w, alpha
    raise ValueError(f"tolerance must be met in {ROUNDS} rounds, got {tolerance}")


def gap_closed(
    w: Tensor,
    multipliers: Tensor,
    points: Tensor,
    labels: Tensor,
    penalty: float,
    tolerance: float,
) -> bool:
    """Tell whether weights are proven to be within a tolerance of the optimum.

    Args:
        w: (d,) floats, any weights.
        multipliers: (n,) floats from 0 to 1, any.
        points: (n, d) floats.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: the largest gap between the objectives, relative to the dual.

    Returns:
        whether primal - dual <= tolerance * dual.
    """
    dual = dual_objective(multipliers, points, labels, penalty)
    return primal_objective(w, points, labels, penalty) - dual <= tolerance * dual


def train(
    points: Tensor, labels: Tensor, penalty: float, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Train a linear SVM by Newton steps on a hinge whose corner is rounded ever less.

    A part of the examples, spread evenly, is solved first and gives the start for all.

    Args:
        points: (n, d) floats; append a constant input for a bias.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: how far above the optimum the objective may lie, relative to it;
            positive, and not below about 1e-5 with float32.

    Returns:
        weights, (d,), and multipliers, (n,) from 0 to 1, like the points.

    Raises:
        ValueError: the sample is empty or malformed, a number is out of range, or the gap
            is not closed after 1000 rounds.
    """
    check_sample(points, labels)
    check_positive(penalty, "penalty")
    check_positive(tolerance, "tolerance")
    y, w, width = labels.to(points.dtype), torch.zeros_like(points[0]), 1.0
    for stride, coarse in ((16, 0.2), (4, 0.1)):
        if len(points) >= FEW * stride:
            part, enough = slice(None, None, stride), max(tolerance, coarse)
            w, _ = sharpen(points[part], y[part], penalty, enough, w, width)
            width /= 3
    return sharpen(points, y, penalty, tolerance, w, width)


def sharpen(
    points: Tensor, y: Tensor, penalty: float, tolerance: float, w: Tensor, width: float
) -> tuple[Tensor, Tensor]:
    """Follow the optimum while the rounded corner of the hinge becomes narrow.

    Args:
        points: (n, d) floats.
        y: (n,) floats, each -1 or +1.
        penalty: λ, positive.
        tolerance: the largest gap between the objectives, relative to the dual.
        w: (d,) floats, the weights to begin with.
        width: of the corner to begin with, in units of the margin, positive.

    Returns:
        weights, (d,); multipliers, (n,) from 0 to 1.

    Raises:
        ValueError: the gap is not closed after 1000 rounds.
    """
    slack = 1 - y * (points @ w)
    for _ in range(ROUNDS):
        alpha = (slack / width).clamp(0, 1)
        distance = w - combine(alpha, points, y, penalty)
        unfinished = penalty * distance @ distance
        rounding = (slack.clamp(min=0) - alpha * slack).mean()
        primal = penalty * w @ w + slack.clamp(min=0).mean()
        if (1 + tolerance) * (unfinished + rounding) <= tolerance * primal:
            return w, alpha
        if unfinished < rounding / 2:
            width /= 3
            continue
        corner = points[(alpha > 0) & (alpha < 1)]
        d = newton_direction(corner, 1 / (2 * penalty * len(y) * width), -distance)
        change = y * (points @ d)
        step = line_search(w, d, slack, change, penalty, width)
        w, slack = w + step * d, slack - step * change
    raise ValueError(f"tolerance must be met in {ROUNDS} rounds, got {tolerance}")


def newton_direction(rows: Tensor, scale: float, target: Tensor) -> Tensor:
    """Solve (I + scale · rowsᵀ rows) d = target to a tenth, by conjugate gradients.

    Args:
        rows: (m, d) floats, the examples that curve the objective; none is allowed.
        scale: how much each of them curves it, positive.
        target: (d,) floats.

    Returns:
        (d,) floats d.
    """
    d, residual = torch.zeros_like(target), target
    search, size = residual, residual @ residual
    goal = 0.01 * size
    for _ in range(len(target)):
        if size <= goal:
            break
        image = search + scale * (rows.T @ (rows @ search))
        step = size / (search @ image)
        d, residual = d + step * search, residual - step * image
        size, before = residual @ residual, size
        search = residual + size / before * search
    return d


def line_search(
    w: Tensor, d: Tensor, slack: Tensor, change: Tensor, penalty: float, width: float
) -> float:
    """Find where the rounded objective stops falling along a direction, by halving.

    Args:
        w: (d,) floats, the weights.
        d: (d,) floats, the direction, downhill.
        slack: (n,) floats, 1 - yₙ w · xₙ.
        change: (n,) floats, yₙ d · xₙ.
        penalty: λ, positive.
        width: of the rounded corner, positive.

    Returns:
        a step between 0 and 1; 1 if the objective still falls there.
    """
    start, growth = 2 * penalty * (w @ d).item(), 2 * penalty * (d @ d).item()
    low, high, step = 0.0, 1.0, 1.0
    while high - low > 0.05 * high:
        alpha = ((slack - step * change) / width).clamp(0, 1)
        falling = start + step * growth <= (alpha @ change).item() / len(slack)
        low, high = (step, high) if falling else (low, step)
        step = (low + high) / 2
    return high if low == 0 else step
