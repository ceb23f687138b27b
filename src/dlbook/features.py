"""Features: change the space in which a linear unit draws its plane.

Sources: T. Cover, "Geometrical and statistical properties of systems of linear
inequalities", IEEE Transactions on Electronic Computers 14(3), 1965; N. Dalal and
B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005,
doi:10.1109/CVPR.2005.177; Y. Freund and R. Schapire, "Large margin classification using
the perceptron algorithm", Machine Learning 37, 1999, doi:10.1023/A:1007662407062.
"""

import math
from collections.abc import Callable
from itertools import combinations_with_replacement

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, pad, unfold

MOMENTUM = 0.9  # the part of a step that goes on into the next one


def lift(points: Tensor) -> Tensor:
    """Lift points of the plane into space by the product of their coordinates.

    Args:
        points: (n, 2) floats.

    Returns:
        (n, 3) floats: u, v and u · v.

    Raises:
        ValueError: the points do not lie in a plane.

    >>> lift(torch.tensor([[2.0, 3.0]]))
    tensor([[2., 3., 6.]])
    """
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points must be (n, 2), got {tuple(points.shape)}")
    return torch.cat([points, points.prod(dim=1, keepdim=True)], dim=1)


def monomials(points: Tensor, degree: int) -> Tensor:
    """Multiply coordinates in all ways, up to a number of factors.

    Args:
        points: (n, d) floats.
        degree: the largest number of factors, 0 or more.

    Returns:
        (n, (d + degree)! / (d! degree!)) floats: the constant 1, the coordinates, the
        products of two, and so on.

    Raises:
        ValueError: points is not a table, or degree is negative.

    >>> monomials(torch.tensor([[2.0, 3.0]]), degree=2)
    tensor([[1., 2., 3., 4., 6., 9.]])
    """
    if points.ndim != 2 or degree < 0:
        raise ValueError(
            f"points must be (n, d) and degree 0 or more, got {tuple(points.shape)}, {degree}"
        )
    choices = (
        factors
        for count in range(degree + 1)
        for factors in combinations_with_replacement(range(points.shape[1]), count)
    )
    return torch.stack(
        [points[:, list(factors)].prod(dim=1) for factors in choices], dim=1
    )


def draw_pairs(dimensions: int, count: int, generator: Generator) -> Tensor:
    """Draw pairs of coordinates, each pair with equal probability.

    Args:
        dimensions: how many coordinates there are, at least 1.
        count: how many pairs, 0 or more; a pair may come twice.
        generator: the source of the pairs.

    Returns:
        (2, count) int64 from 0 to dimensions - 1, one pair to a column.
    """
    return torch.randint(dimensions, (2, count), generator=generator)


def pair_products(x: Tensor, pairs: Tensor) -> Tensor:
    """Multiply the two coordinates of every pair.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.

    Returns:
        (n, k) floats, the features.
    """
    return x[:, pairs[0]] * x[:, pairs[1]]


def pair_scores(x: Tensor, pairs: Tensor, w: Tensor) -> Tensor:
    """Compute `pair_products(x, pairs) @ w` without the products.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.
        w: (k,) floats, a weight for each product.

    Returns:
        (n,) floats.
    """
    d, h = x.shape[1], x.shape[1] // 2
    i, j = pairs.aminmax(dim=0)  # a product knows no order: A is 0 below its diagonal
    A = x.new_zeros(d * d).index_add_(0, i * d + j, w).view(d, d)
    upper = (x[:, :h] @ A[:h] * x).sum(dim=1)
    return upper + (x[:, h:] @ A[h:, h:] * x[:, h:]).sum(dim=1)


def pair_sums(x: Tensor, pairs: Tensor, r: Tensor) -> Tensor:
    """Compute `r @ pair_products(x, pairs)` without the products.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.
        r: (n,) floats, a number for each point.

    Returns:
        (k,) floats.
    """
    d, h = x.shape[1], x.shape[1] // 2
    i, j = pairs.aminmax(dim=0)
    moments, weighted = x.new_empty(d, d), (x * r[:, None]).T
    moments[:h] = weighted[:h] @ x
    moments[h:, h:] = weighted[h:] @ x[:, h:]
    return moments.flatten()[i * d + j]


def train_on_table(
    features: Tensor, signs: Tensor, step: float, epochs: int, batch: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Train a logistic unit on a table of features, by steps over small batches.

    Args:
        features: (n, k) floats, n > 0.
        signs: (n,) floats, each -1 or 1.
        step: length of the steps, positive.
        epochs: how often to go through the points, at least 1.
        batch: how many points to a step, at least 1.
        seed: decides the order of the points.

    Returns:
        weights, (k,) floats, and bias, a float.

    Raises:
        ValueError: there are no points, signs are not -1 and 1, or a number is out of
            range.
    """

    def scores(rows: Tensor, w: Tensor) -> Tensor:
        return features[rows] @ w

    def sums(rows: Tensor, r: Tensor) -> Tensor:
        return r @ features[rows]

    return descend(scores, sums, features.shape[1], signs, step, epochs, batch, seed)


def train_on_pairs(
    x: Tensor,
    pairs: Tensor,
    signs: Tensor,
    step: float,
    epochs: int,
    batch: int,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """Train a logistic unit on products of pairs, of which none is ever stored.

    Args:
        x: (n, d) floats, n > 0.
        pairs: (2, k) int64 from 0 to d - 1.
        signs: as in `train_on_table`; so are `step`, `epochs`, `batch` and `seed`.
        step: length of the steps.
        epochs: how often to go through the points.
        batch: how many points to a step.
        seed: decides the order of the points.

    Returns:
        weights, (k,) floats, and bias, a float: those of `train_on_table` on the products.

    Raises:
        ValueError: as in `train_on_table`.
    """

    def scores(rows: Tensor, w: Tensor) -> Tensor:
        return pair_scores(x[rows], pairs, w)

    def sums(rows: Tensor, r: Tensor) -> Tensor:
        return pair_sums(x[rows], pairs, r)

    return descend(scores, sums, pairs.shape[1], signs, step, epochs, batch, seed)


def descend(
    scores: Callable[[Tensor, Tensor], Tensor],
    sums: Callable[[Tensor, Tensor], Tensor],
    width: int,
    signs: Tensor,
    step: float,
    epochs: int,
    batch: int,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """Train a logistic unit on features that are seen only through two functions.

    Args:
        scores: gives, for the points in `rows` and weights `w`, features @ w.
        sums: gives, for the points in `rows` and numbers `r`, r @ features.
        width: how many features k there are.
        signs: as in `train_on_table`; so are `step`, `epochs`, `batch` and `seed`.
        step: length of the steps.
        epochs: how often to go through the points.
        batch: how many points to a step.
        seed: decides the order of the points.

    Returns:
        weights, (k,) floats, and bias, a float.

    Raises:
        ValueError: as in `train_on_table`.
    """
    _require_signs(signs)
    if not (step > 0 and epochs >= 1 and batch >= 1):
        raise ValueError(
            f"step must be positive, epochs and batch 1 or more, got {step}, {epochs}, {batch}"
        )
    generator = torch.Generator().manual_seed(seed)
    w, b = signs.new_zeros(width), signs.new_zeros(())
    w_velocity, b_velocity = torch.zeros_like(w), torch.zeros_like(b)
    for _ in range(epochs):
        order = torch.randperm(len(signs), generator=generator).to(signs.device)
        for rows in order.split(batch):
            t = signs[rows]
            # minus the slope of the mean of log(1 + exp(-t s)) in each score s
            r = t * torch.sigmoid(-t * (scores(rows, w) + b)) / len(rows)
            w_velocity.mul_(MOMENTUM).add_(sums(rows, r))
            b_velocity.mul_(MOMENTUM).add_(r.sum())
            w += step * w_velocity
            b += step * b_velocity
    return w, b


def pair_step(x: Tensor, pairs: Tensor) -> float:
    """Choose a length for the steps: 4 divided by the mean squared length of the features.

    Args:
        x: (n, d) floats, n > 0.
        pairs: (2, k) int64 from 0 to d - 1.

    Returns:
        a positive float.
    """
    mean = x.new_full((len(x),), 1 / len(x))
    return 4 / (1 + pair_sums(x.square(), pairs, mean).sum().item())


def fit_logistic(points: Tensor, signs: Tensor, penalty: float = 1e-6) -> Tensor:
    """Fit a logistic unit to the optimum, by Newton's method.

    Args:
        points: (n, d) floats, without a column of ones; few columns.
        signs: (n,) floats, each -1 or 1.
        penalty: what is added, times the squared weights, to the mean loss. Without it
            the weights of separable classes would grow forever.

    Returns:
        (d + 1,) floats, the weights and the bias.

    Raises:
        ValueError: there are no points, or signs are not -1 and 1.
    """
    _require_signs(signs)
    x = torch.cat([points, points.new_ones(len(points), 1)], dim=1)
    w, ridge = torch.zeros_like(x[0]), 2 * penalty * torch.eye(x.shape[1]).to(x)
    for _ in range(100):
        doubt = torch.sigmoid(-signs * (x @ w))  # the probability of the other class
        slope = ridge @ w - (signs * doubt) @ x / len(x)
        curvature = (x * (doubt * (1 - doubt))[:, None]).T @ x / len(x) + ridge
        change = torch.linalg.solve(curvature, slope)
        w = w - change / max(1, change.norm().item() / 5)  # a long step may overshoot
        if change.norm() < 1e-8 * (1 + w.norm()):
            break
    return w


def orientation_histograms(images: Tensor, cell: int, bins: int = 9) -> Tensor:
    """Count the directions of edges in the cells of a grid.

    Each pixel votes with the length of its gradient, shared between the two bins whose
    centers are nearest to its direction. Directions that differ by half a turn are one.

    Args:
        images: (n, height, width) floats.
        cell: side of the square cells, in pixels; rows and columns left over are ignored.
        bins: how many directions to tell apart, at least 2.

    Returns:
        (n, bins, height // cell, width // cell) floats, 0 or more.

    Raises:
        ValueError: the images are not (n, height, width), or a number is out of range.
    """
    if images.ndim != 3 or bins < 2 or not 1 <= cell <= min(images.shape[1:]):
        raise ValueError(
            "images must be (n, height, width), cell at most their side and bins 2 or more, "
            f"got {tuple(images.shape)}, {cell}, {bins}"
        )
    framed = pad(images[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    down = (framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]) / 2
    right = (framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]) / 2
    length, angle = torch.hypot(down, right), torch.atan2(down, right) % math.pi
    place = angle / math.pi * bins - 0.5  # bin b has its center at b + 1/2
    low, share = place.floor().long() % bins, place - place.floor()
    votes = images.new_zeros(len(images), bins, *images.shape[1:])
    votes.scatter_add_(1, low[:, None], (length * (1 - share))[:, None])
    votes.scatter_add_(1, ((low + 1) % bins)[:, None], (length * share)[:, None])
    return avg_pool2d(votes, cell) * cell**2


def hog(images: Tensor, cell: int, bins: int = 9) -> Tensor:
    """Describe images by histograms of oriented gradients, normalized in blocks of 2 x 2.

    Args:
        images: (n, height, width) floats, n > 0.
        cell: side of the cells, in pixels; there must be at least 2 x 2 cells.
        bins: how many directions to tell apart, at least 2.

    Returns:
        (n, blocks * 4 * bins) floats; the part of each block has a length below 1.

    Raises:
        ValueError: as in `orientation_histograms`, or there are fewer than 2 x 2 cells.
    """
    cells = orientation_histograms(images, cell, bins)
    if min(cells.shape[2:]) < 2:
        raise ValueError(
            f"there must be at least 2 x 2 cells, got {tuple(cells.shape[2:])}"
        )
    blocks = unfold(cells, 2)  # (n, 4 bins, blocks)
    return (blocks / (blocks.square().sum(dim=1, keepdim=True) + 1e-4).sqrt()).flatten(1)


def polynomial_kernel(x: Tensor, z: Tensor, degree: int) -> Tensor:
    """Compute (1 + x · z) to a power: the scalar product of weighted monomials.

    Args:
        x: (m, d) floats.
        z: (n, d) floats.
        degree: the power, at least 1.

    Returns:
        (m, n) floats.
    """
    return (1 + x @ z.T) ** degree


def kernel_perceptron(gram: Tensor, signs: Tensor, epochs: int) -> Tensor:
    """Train a perceptron that sees nothing but scalar products of the points.

    Args:
        gram: (n, n) floats, the kernel of every training point with every other one.
        signs: (n,) floats, each -1 or 1.
        epochs: how often to go through the points at the most, at least 1; it ends after
            an epoch without mistakes.

    Returns:
        (n,) floats, αₙ: how often each point was a mistake. The score of a point x is the
        sum of αₙ yₙ κ(xₙ, x).

    Raises:
        ValueError: gram is not square or does not fit the signs, signs are not -1 and 1,
            or epochs is less than 1.
    """
    _require_signs(signs)
    if gram.shape != (len(signs), len(signs)) or epochs < 1:
        raise ValueError(
            f"gram must be ({len(signs)}, {len(signs)}) and epochs 1 or more, got "
            f"{tuple(gram.shape)}, {epochs}"
        )
    alpha, scores = torch.zeros_like(signs), torch.zeros_like(signs)
    for _ in range(epochs):
        before = alpha.sum()
        for n in range(len(signs)):
            if signs[n] * scores[n] <= 0:
                alpha[n] += 1
                scores += signs[n] * gram[n]
        if alpha.sum() == before:
            break
    return alpha


def _require_signs(signs: Tensor) -> None:
    if signs.ndim != 1 or len(signs) == 0 or not (signs.abs() == 1).all():
        raise ValueError(
            f"signs must be (n,) of -1 and 1, n > 0, got {tuple(signs.shape)}"
        )
