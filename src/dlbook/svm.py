"""The support vector machine: hinge loss, weight penalty, and a certified optimum.

Sources: B. Boser, I. Guyon and V. Vapnik, "A training algorithm for optimal margin
classifiers", COLT 1992, doi:10.1145/130385.130401; C. Cortes and V. Vapnik,
"Support-vector networks", Machine Learning 20, 1995, doi:10.1007/BF00994018; C.-J. Hsieh
and others, "A dual coordinate descent method for large-scale linear SVM", ICML 2008,
doi:10.1145/1390156.1390208; S. Shalev-Shwartz and others, "Pegasos", Mathematical
Programming 127, 2011, doi:10.1007/s10107-010-0420-4; O. Chapelle, "Training a support
vector machine in the primal", Neural Computation 19(5), 2007,
doi:10.1162/neco.2007.19.5.1155.
"""

import torch
from torch import Generator, Tensor

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_classes,
    require_signs,
    require_table,
    require_vector,
)
from dlbook.perceptron import require_sample

FEW = 1000  # examples; a sample this small is solved at once
ROUNDS = 1000  # at the most; usually ten to a hundred close the gap


def hinge_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Charge each score for what it lacks to lie on the right side with a margin of 1.

    Args:
        scores: (n,) floats, w · xₙ.
        labels: (n,) numbers, each -1 or +1.

    Returns:
        (n,) floats, max(0, 1 - yₙ w · xₙ).

    Raises:
        TypeError: the scores are no floats.
        ValueError: the shapes differ, or a label is neither -1 nor +1.

    >>> hinge_loss(torch.tensor([2.0, 0.5, -1.0]), torch.ones(3))
    tensor([0.0000, 0.5000, 2.0000])
    """
    require_vector(scores, "scores")
    require_signs(labels, len(scores))
    return (1 - labels * scores).clamp(min=0).to(scores.dtype)


def primal_objective(w: Tensor, points: Tensor, labels: Tensor, penalty: float) -> float:
    """Compute what training minimizes: the weight penalty plus the mean hinge loss.

    Args:
        w: (d,) floats, the weights; with a constant input, the last one is the bias.
        points: (n, d) float32 or float64.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.

    Returns:
        λ‖w‖² + mean of max(0, 1 - yₙ w · xₙ).

    Raises:
        TypeError: weights or points are no floats.
        ValueError: the sample is malformed, the weights do not fit, or λ is not positive.
    """
    _require_problem(points, labels, penalty)
    require_vector(w, "w", points.shape[1])
    return (penalty * (w @ w) + hinge_loss(points @ w, labels).mean()).item()


def combine(
    multipliers: Tensor, points: Tensor, labels: Tensor, penalty: float
) -> Tensor:
    """Build weights from the examples, each with its multiplier.

    Args:
        multipliers: (n,) floats αₙ from 0 to 1.
        points: (n, d) float32 or float64.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.

    Returns:
        (d,) floats, the sum of αₙ yₙ xₙ, divided by 2λn.

    Raises:
        TypeError: multipliers or points are no floats.
        ValueError: the sample is malformed, a multiplier lies outside 0..1, or λ is not
            positive.
    """
    _require_problem(points, labels, penalty)
    _require_multipliers(multipliers, len(points))
    signed = (multipliers * labels).to(points.dtype)
    return points.T @ signed / (2 * penalty * len(points))


def dual_objective(
    multipliers: Tensor, points: Tensor, labels: Tensor, penalty: float
) -> float:
    """Compute a floor under the primal objective: no weights reach below it.

    Args:
        multipliers: (n,) floats αₙ from 0 to 1; others would give no floor.
        points: (n, d) float32 or float64.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.

    Returns:
        mean of αₙ, minus λ‖w‖² of the weights that the multipliers combine.

    Raises:
        TypeError: multipliers or points are no floats.
        ValueError: as in `combine`.
    """
    w = combine(multipliers, points, labels, penalty)
    return (multipliers.mean() - penalty * (w @ w)).item()


def subgradient_descent(
    points: Tensor, labels: Tensor, penalty: float, steps: int
) -> Tensor:
    """Walk down the primal objective, with steps that shrink as 1 / (2λt).

    Args:
        points: (n, d) float32 or float64; append a constant input for a bias.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        steps: how many, at least 1; nothing tells how far the optimum still is.

    Returns:
        (d,) floats, the last weights.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is empty or malformed, or a number is out of range.
    """
    _require_problem(points, labels, penalty)
    require_at_least(steps, 1, "steps")
    w, y = torch.zeros_like(points[0]), labels.to(points.dtype)
    for t in range(1, steps + 1):
        inside = (y * (points @ w) < 1).to(points.dtype)
        gradient = 2 * penalty * w - points.T @ (inside * y) / len(points)
        w = w - gradient / (2 * penalty * t)
    return w


def coordinate_round(
    w: Tensor,
    multipliers: Tensor,
    points: Tensor,
    labels: Tensor,
    penalty: float,
    order: Tensor,
) -> tuple[Tensor, Tensor]:
    """Give one multiplier after the other the value that lifts the floor highest.

    Args:
        w: (d,) floats, the weights that the multipliers combine.
        multipliers: (n,) floats αₙ from 0 to 1.
        points: (n, d) float32 or float64.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        order: (m,) int64 from 0 to n - 1, whose turn it is.

    Returns:
        the new weights, (d,), and the new multipliers, (n,).

    Raises:
        TypeError: weights, multipliers or points are no floats, or the order no int64.
        ValueError: the shapes do not fit, a number is out of range, or the weights are not
            what the multipliers combine.
    """
    _require_problem(points, labels, penalty)
    require_vector(w, "w", points.shape[1])
    _require_multipliers(multipliers, len(points))
    _require_combined(w, multipliers, points, labels, penalty)
    require_classes(order, len(order), len(points), "order")
    z = points * labels.to(points.dtype)[:, None]
    scale, w, alpha = 1 / (2 * penalty * len(z)), w.clone(), multipliers.clone()
    for n in order.tolist():
        best = alpha[n] + (1 - w @ z[n]) / (scale * (z[n] @ z[n]))
        change = best.clamp(0, 1) - alpha[n]
        w += scale * change * z[n]
        alpha[n] = best.clamp(0, 1)
    return w, alpha


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
        points: (n, d) float32 or float64.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: the largest gap between the objectives, relative to the dual.

    Returns:
        whether primal - dual <= tolerance * dual.

    Raises:
        TypeError: weights, multipliers or points are no floats.
        ValueError: the shapes do not fit, or a number is out of range.
    """
    require_above_zero(tolerance, "tolerance")
    dual = dual_objective(multipliers, points, labels, penalty)
    return primal_objective(w, points, labels, penalty) - dual <= tolerance * dual


def dual_coordinate_descent(
    points: Tensor, labels: Tensor, penalty: float, tolerance: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Train a linear SVM by improving one multiplier at a time until the gap closes.

    Args:
        points: (n, d) float32 or float64; append a constant input for a bias.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: how far above the optimum the objective may lie, relative to it; at
            least 1e-6 with float32 and 2e-15 with float64, which cannot prove less.
            Scores lose digits far from the origin: center the points, or what float32 has
            proven to 1e-6 may hold to 1e-4 only.
        seed: decides the order of the examples in each round.

    Returns:
        weights, (d,), and multipliers, (n,) from 0 to 1, like the points.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is empty or malformed, a number is out of range, or the gap
            is not closed after 1000 rounds.
    """
    _require_problem(points, labels, penalty)
    _require_provable(tolerance, points.dtype)
    generator = Generator().manual_seed(seed)
    w, alpha = torch.zeros_like(points[0]), torch.zeros_like(points[:, 0])
    for _ in range(ROUNDS):
        order = torch.randperm(len(points), generator=generator)
        w, alpha = coordinate_round(w, alpha, points, labels, penalty, order)
        if gap_closed(w, alpha, points, labels, penalty, tolerance):
            return w, alpha
    raise ValueError(f"tolerance must be met in {ROUNDS} rounds, got {tolerance}")


def gaussian_kernel(x: Tensor, z: Tensor, width: float) -> Tensor:
    """Compare points by how near they lie: 1 for equal ones, almost 0 for far ones.

    Args:
        x: (m, d) floats.
        z: (n, d) floats.
        width: the distance h at which points begin to be strangers, positive.

    Returns:
        (m, n) floats, exp(-‖x - z‖² / 2h²), from 0 to 1.

    Raises:
        TypeError: the points are no floats.
        ValueError: the tables do not fit together, or the width is not positive.
    """
    require_table(x, "x")
    require_table(z, "z", x.shape[1])
    require_above_zero(width, "width")
    # cdist's default, a matrix product, loses the digits far from the origin.
    exact = "donot_use_mm_for_euclid_dist"
    distances = torch.cdist(x.double(), z.double(), compute_mode=exact)
    return (-(distances / width).square() / 2).exp().to(x.dtype)


def train_on_kernel(
    gram: Tensor, labels: Tensor, penalty: float, tolerance: float, seed: int
) -> Tensor:
    """Train an SVM that sees nothing of the examples but their kernel.

    Args:
        gram: (n, n) float32 or float64, κ(xₙ, xₘ) for all pairs of examples; add 1 for a
            bias. It must be a table of inner products, for some features.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: as in `dual_coordinate_descent`.
        seed: decides the order of the examples in each round.

    Returns:
        (n,) multipliers from 0 to 1, like the kernel.

    Raises:
        TypeError: the kernel holds no floats.
        ValueError: it is shown to hold no inner products or does not fit the labels, a
            number is out of range, or the gap is not closed after 1000 rounds.
    """
    require_gram(gram, labels)
    _require_problem(gram, labels, penalty)
    _require_provable(tolerance, gram.dtype)
    generator, scale = Generator().manual_seed(seed), 1 / (2 * penalty * len(gram))
    y, alpha = labels.to(gram.dtype), torch.zeros_like(gram[0])
    for _ in range(ROUNDS):
        scores = scale * gram @ (alpha * y)
        squared_length = scale * (alpha * y) @ scores  # of w, which is never built
        dual = alpha.mean() - penalty * squared_length
        gap = 2 * penalty * squared_length + hinge_loss(scores, y).mean() - alpha.mean()
        if gap <= tolerance * dual:
            _require_lengths(squared_length, gap)
            return alpha
        for n in torch.randperm(len(gram), generator=generator).tolist():
            best = alpha[n] + (1 - y[n] * scores[n]) / (scale * gram[n, n])
            change = best.clamp(0, 1) - alpha[n]
            scores += scale * change * y[n] * gram[n]
            alpha[n] = best.clamp(0, 1)
    raise ValueError(f"tolerance must be met in {ROUNDS} rounds, got {tolerance}")


def kernel_scores(
    gram: Tensor, multipliers: Tensor, labels: Tensor, penalty: float
) -> Tensor:
    """Score new points by their kernel with the examples.

    Args:
        gram: (m, n) floats, κ(x, xₙ) of each new point with each of the n examples.
        multipliers: (n,) floats αₙ from 0 to 1, of the examples.
        labels: (n,) numbers, each -1 or +1, of the examples.
        penalty: λ, positive, the one of the training.

    Returns:
        (m,) floats, the sum of αₙ yₙ κ(xₙ, x), divided by 2λn. Who keeps only the support
            vectors must multiply λ by n over the number kept.

    Raises:
        TypeError: kernel or multipliers are no floats.
        ValueError: the shapes do not fit, or a number is out of range.
    """
    require_table(gram, "gram")
    require_signs(labels, gram.shape[1])
    _require_multipliers(multipliers, gram.shape[1])
    require_above_zero(penalty, "penalty")
    signed = (multipliers * labels).to(gram.dtype)
    return gram @ signed / (2 * penalty * gram.shape[1])


def require_gram(gram: Tensor, labels: Tensor) -> None:
    """Refuse what cannot be a table of inner products, or does not fit the labels.

    Args:
        gram: (n, n) floats, symmetric, without a negative number on the diagonal, and
            with none beyond ‖x‖‖z‖, the largest product that its two lengths allow.
        labels: (n,) numbers, each -1 or +1.

    Raises:
        TypeError: the table holds no floats.
        ValueError: it is not square, not symmetric or not finite, a square of a length is
            negative, a product too large for its lengths, or the labels do not fit.
            Passing is no proof: that would take all eigenvalues.
    """
    require_table(gram, "gram", columns=len(gram))
    require_signs(labels, len(gram))
    if not torch.allclose(gram, gram.T, rtol=1e-3, atol=1e-6 * gram.abs().max().item()):
        raise ValueError("gram must be symmetric, got another table")
    least = gram.diagonal().min().item()
    if least < 0:
        raise ValueError(f"gram must have squares on its diagonal, got {least}")
    lengths = gram.diagonal().sqrt()
    excess = (gram.abs() - 1.001 * torch.outer(lengths, lengths)).max().item()
    if excess > 1e-6 * gram.abs().max().item():
        raise ValueError(f"gram must hold inner products, got {excess} beyond ‖x‖‖z‖")


def train(
    points: Tensor, labels: Tensor, penalty: float, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Train a linear SVM by Newton steps on a hinge whose corner is rounded ever less.

    A part of the examples, spread evenly, is solved first and gives the start for all.

    Args:
        points: (n, d) float32 or float64; append a constant input for a bias.
        labels: (n,) numbers, each -1 or +1.
        penalty: λ, positive.
        tolerance: how far above the optimum the objective may lie, relative to it; at
            least 1e-6 with float32 and 2e-15 with float64, which cannot prove less.
            Scores lose digits far from the origin: center the points, or what float32 has
            proven to 1e-6 may hold to 1e-4 only.

    Returns:
        weights, (d,), and multipliers, (n,) from 0 to 1, like the points.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is empty or malformed, a number is out of range, or the gap
            is not closed after 1000 rounds.
    """
    _require_problem(points, labels, penalty)
    _require_provable(tolerance, points.dtype)
    y, w, width = labels.to(points.dtype), torch.zeros_like(points[0]), 1.0
    for stride, coarse in ((16, 0.2), (4, 0.1)):
        if len(points) >= FEW * stride:
            part, enough = slice(None, None, stride), max(tolerance, coarse)
            w, _ = _sharpen(points[part], y[part], penalty, enough, w, width)
            width /= 3
    return _sharpen(points, y, penalty, tolerance, w, width)


def _sharpen(
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
    scale, slack = 1 / (2 * penalty * len(y)), 1 - y * (points @ w)
    for _ in range(ROUNDS):
        alpha = (slack / width).clamp(0, 1)
        distance = w - scale * (points.T @ (alpha * y))
        unfinished = penalty * distance @ distance
        rounding = (slack.clamp(min=0) - alpha * slack).mean()
        primal = penalty * w @ w + slack.clamp(min=0).mean()
        gap = unfinished + rounding
        if gap <= tolerance * (primal - gap):  # primal - gap is the floor
            return w, alpha
        if unfinished < rounding / 2:
            width /= 3
            continue
        corner = points[(alpha > 0) & (alpha < 1)]
        d = _newton_direction(corner, scale / width, -distance)
        change = y * (points @ d)
        step = _line_search(w, d, slack, change, penalty, width)
        w, slack = w + step * d, slack - step * change
    raise ValueError(f"tolerance must be met in {ROUNDS} rounds, got {tolerance}")


def _newton_direction(rows: Tensor, scale: float, target: Tensor) -> Tensor:
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


def _line_search(
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


def _require_lengths(squared_length: Tensor, gap: Tensor) -> None:
    least = min(squared_length.item(), gap.item())
    if least < -(torch.finfo(gap.dtype).eps ** 0.5):
        raise ValueError(f"gram must hold inner products, got a square of {least}")


def _require_problem(points: Tensor, labels: Tensor, penalty: float) -> None:
    longest = require_sample(points, labels)
    require_above_zero(penalty, "penalty")
    if points.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"points must be float32 or float64, got {points.dtype}")
    if not longest**2 / (2 * penalty) <= torch.finfo(points.dtype).max:
        raise ValueError(
            f"R² / 2λ must be a number of {points.dtype}, got R {longest}, λ {penalty}"
        )


def _require_multipliers(multipliers: Tensor, n: int) -> None:
    require_vector(multipliers, "multipliers", n)
    for extreme in multipliers.aminmax():
        require_between(extreme.item(), 0, 1, "multipliers")


def _require_combined(
    w: Tensor, multipliers: Tensor, points: Tensor, labels: Tensor, penalty: float
) -> None:
    apart = (w - combine(multipliers, points, labels, penalty)).norm().item()
    longest = points.norm(dim=1).max().item() / (2 * penalty)
    if not apart <= 1e-3 * longest:
        raise ValueError(f"w must be what the multipliers combine, got {apart} apart")


def _require_provable(tolerance: float, dtype: torch.dtype) -> None:
    require_at_least(tolerance, 8 * torch.finfo(dtype).eps, f"tolerance in {dtype}")
