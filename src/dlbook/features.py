"""Features: change the space in which a linear unit draws its plane.

Sources: T. Cover, "Geometrical and statistical properties of systems of linear
inequalities", IEEE Transactions on Electronic Computers 14(3), 1965; M. Aizerman,
E. Braverman and L. Rozonoer, "Theoretical foundations of the potential function method in
pattern recognition learning", Automation and Remote Control 25, 1964; N. Dalal and
B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005,
doi:10.1109/CVPR.2005.177; R. Fisher, "The use of multiple measurements in taxonomic
problems", Annals of Eugenics 7(2), 1936, doi:10.1111/j.1469-1809.1936.tb02137.x.
"""

import math
from collections.abc import Callable
from itertools import combinations_with_replacement

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, pad, softplus, unfold

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_classes,
    require_finite,
    require_signs,
    require_table,
    require_vector,
)
from dlbook.perceptron import require_sample, with_constant
from dlbook.svm import require_gram

MOMENTUM = 0.9  # the part of a step that goes on into the next one
NEWTON_STEPS = 100  # at the most; usually about ten


def lift(points: Tensor) -> Tensor:
    """Lift points of the plane into space by the product of their coordinates.

    Args:
        points: (n, 2) floats.

    Returns:
        (n, 3) floats: u, v and u · v.

    Raises:
        TypeError: the points are no floats.
        ValueError: the points do not lie in a plane or are not finite, or a product is too
            large a number.

    >>> lift(torch.tensor([[2.0, 3.0]]))
    tensor([[2., 3., 6.]])
    """
    require_table(points, "points", columns=2)
    product = points.prod(dim=1, keepdim=True)
    require_finite(product, "products")
    return torch.cat([points, product], dim=1)


def monomials(points: Tensor, degree: int) -> Tensor:
    """Multiply coordinates in all ways, up to a number of factors.

    Args:
        points: (n, d) floats.
        degree: the largest number of factors, 0 or more.

    Returns:
        (n, (d + degree)! / (d! degree!)) floats: the constant 1, the coordinates, the
        products of two, and so on.

    Raises:
        TypeError: the points are no floats.
        ValueError: points is no finite table, degree is negative, or a product is too
            large a number.

    >>> monomials(torch.tensor([[2.0, 3.0]]), degree=2)
    tensor([[1., 2., 3., 4., 6., 9.]])
    """
    require_table(points, "points")
    require_at_least(degree, 0, "degree")
    choices = (
        list(factors)
        for count in range(degree + 1)
        for factors in combinations_with_replacement(range(points.shape[1]), count)
    )
    products = torch.stack([points[:, chosen].prod(dim=1) for chosen in choices], dim=1)
    require_finite(products, "products")
    return products


def draw_pairs(dimensions: int, count: int, generator: Generator) -> Tensor:
    """Draw pairs of coordinates, each pair with equal probability.

    Args:
        dimensions: how many coordinates there are, at least 1.
        count: how many pairs, 0 or more; a pair may come twice.
        generator: the source of the pairs.

    Returns:
        (2, count) int64 from 0 to dimensions - 1, one pair to a column.

    Raises:
        ValueError: a number is out of range.
    """
    require_at_least(dimensions, 1, "dimensions")
    require_at_least(count, 0, "count")
    return torch.randint(dimensions, (2, count), generator=generator)


def with_pixels(pairs: Tensor, dimensions: int) -> Tensor:
    """Put each coordinate itself before the pairs, as its product with a constant 1.

    Args:
        pairs: (2, k) int64 from 0 to dimensions - 1.
        dimensions: how many coordinates d there are; the constant input has number d.

    Returns:
        (2, d + k) int64 from 0 to d.

    Raises:
        TypeError: the pairs are no int64.
        ValueError: the pairs are no two rows, or one lies outside its range.

    >>> with_pixels(torch.tensor([[0], [1]]), dimensions=2)
    tensor([[0, 1, 0],
            [2, 2, 1]])
    """
    require_at_least(dimensions, 1, "dimensions")
    pixels = torch.arange(dimensions, device=pairs.device)
    if pairs.shape != (2, 0) or pairs.dtype != torch.int64:  # no pairs at all are fine
        _require_pairs(pairs, dimensions)
    constant = torch.full_like(pixels, dimensions)
    return torch.cat([torch.stack([pixels, constant]), pairs], dim=1)


def pair_products(x: Tensor, pairs: Tensor) -> Tensor:
    """Multiply the two coordinates of every pair.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.

    Returns:
        (n, k) floats, the features.

    Raises:
        TypeError: x holds no floats, or pairs no int64. Bytes would wrap around at 256.
        ValueError: a shape does not fit, x is not finite, a pair is out of range, or a
            product is too large a number.
    """
    require_table(x, "x")
    _require_pairs(pairs, x.shape[1])
    products = x[:, pairs[0]] * x[:, pairs[1]]
    require_finite(products, "products")
    return products


def pair_scores(x: Tensor, pairs: Tensor, w: Tensor) -> Tensor:
    """Compute `pair_products(x, pairs) @ w` without the products.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.
        w: (k,) floats, a weight for each product.

    Returns:
        (n,) floats.

    Raises:
        TypeError: as in `pair_products`, or the weights are no floats.
        ValueError: as in `pair_products`, or there is not one finite weight to each pair,
            or a score is too large a number.
    """
    require_table(x, "x")
    _require_pairs(pairs, x.shape[1])
    require_vector(w, "w", pairs.shape[1])
    d, h = x.shape[1], x.shape[1] // 2
    i, j = pairs.aminmax(dim=0)  # a product knows no order: A is 0 below its diagonal
    A = x.new_zeros(d * d).index_add_(0, i * d + j, w).view(d, d)
    upper = (x[:, :h] @ A[:h] * x).sum(dim=1)
    scores = upper + (x[:, h:] @ A[h:, h:] * x[:, h:]).sum(dim=1)
    require_finite(scores, "scores")
    return scores


def pair_sums(x: Tensor, pairs: Tensor, r: Tensor) -> Tensor:
    """Compute `r @ pair_products(x, pairs)` without the products.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.
        r: (n,) floats, a number for each point.

    Returns:
        (k,) floats.

    Raises:
        TypeError: as in `pair_products`, or r holds no floats.
        ValueError: as in `pair_products`, or there is not one finite r to each point, or a
            sum is too large a number.
    """
    require_table(x, "x")
    _require_pairs(pairs, x.shape[1])
    require_vector(r, "r", len(x))
    d, h = x.shape[1], x.shape[1] // 2
    i, j = pairs.aminmax(dim=0)
    moments, weighted = x.new_empty(d, d), (x * r[:, None]).T
    moments[:h] = weighted[:h] @ x
    moments[h:, h:] = weighted[h:] @ x[:, h:]
    sums = moments.flatten()[i * d + j]
    require_finite(sums, "sums")
    return sums


def train_on_table(
    features: Tensor, signs: Tensor, step: float, epochs: int, batch: int, seed: int
) -> tuple[Tensor, Tensor]:
    """Train a logistic unit on a table of features, by steps over small batches.

    Args:
        features: (n, k) float32 or float64.
        signs: (n,) numbers, each -1 or 1.
        step: length of the steps, positive.
        epochs: how often to go through the points, at least 1.
        batch: how many points to a step, at least 1.
        seed: decides the order of the points.

    Returns:
        weights, (k,) floats like the features, and bias, one such float.

    Raises:
        TypeError: the features are not float32 or float64.
        ValueError: the sample is empty or malformed, a number is out of range, or the step
            is so long that the weights overflow.
    """
    require_sample(features, signs)

    def scores(rows: Tensor, w: Tensor) -> Tensor:
        return features[rows] @ w

    def sums(rows: Tensor, r: Tensor) -> Tensor:
        return r @ features[rows]

    width, signs = features.shape[1], signs.to(features.dtype)
    return train_logistic(scores, sums, width, signs, step, epochs, batch, seed)


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
        x: (n, d) float32 or float64.
        pairs: (2, k) int64 from 0 to d - 1.
        signs: (n,) numbers, each -1 or 1.
        step: length of the steps, positive.
        epochs: how often to go through the points, at least 1.
        batch: how many points to a step, at least 1.
        seed: decides the order of the points.

    Returns:
        weights, (k,) floats, and bias, a float: those of `train_on_table` on the products.

    Raises:
        TypeError: x is not float32 or float64, or the pairs are no int64.
        ValueError: the sample is empty or malformed, a number is out of range, or the step
            is so long that the weights overflow.
    """
    require_sample(x, signs)
    _require_pairs(pairs, x.shape[1])

    def scores(rows: Tensor, w: Tensor) -> Tensor:
        return pair_scores(x[rows], pairs, w)

    def sums(rows: Tensor, r: Tensor) -> Tensor:
        return pair_sums(x[rows], pairs, r)

    width, signs = pairs.shape[1], signs.to(x.dtype)
    return train_logistic(scores, sums, width, signs, step, epochs, batch, seed)


def train_logistic(
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
        width: how many features k there are, at least 1.
        signs: (n,) float32 or float64, each -1 or 1.
        step: length of the steps, positive.
        epochs: how often to go through the points, at least 1.
        batch: how many points to a step, at least 1.
        seed: decides the order of the points.

    Returns:
        weights, (k,) floats like the signs, and bias, one such float.

    Raises:
        TypeError: the signs are not float32 or float64.
        ValueError: the signs are not -1 and 1, a number is out of range, or the step is so
            long that the weights overflow.
    """
    require_signs(signs, len(signs), "signs")
    _require_precise(signs, "signs")
    require_above_zero(step, "step")
    for value, name in ((width, "width"), (epochs, "epochs"), (batch, "batch")):
        require_at_least(value, 1, name)
    generator = Generator().manual_seed(seed)
    w, b = signs.new_zeros(width), signs.new_zeros(())
    w_velocity, b_velocity = torch.zeros_like(w), torch.zeros_like(b)
    for _ in range(epochs):
        order = torch.randperm(len(signs), generator=generator).to(signs.device)
        for rows in order.split(batch):
            y = signs[rows]
            r = y * torch.sigmoid(-y * (scores(rows, w) + b)) / len(rows)
            w_velocity = MOMENTUM * w_velocity + sums(rows, r)
            b_velocity = MOMENTUM * b_velocity + r.sum()
            w = w + step * w_velocity
            b = b + step * b_velocity
    require_finite(w, "weights")  # too long a step
    return w, b


def pair_step(x: Tensor, pairs: Tensor) -> float:
    """Choose a length for the steps: 4 over the mean squared length of the features.

    Args:
        x: (n, d) floats.
        pairs: (2, k) int64 from 0 to d - 1.

    Returns:
        a positive float.

    Raises:
        TypeError: as in `pair_products`.
        ValueError: as in `pair_products`.
    """
    require_table(x, "x")
    mean = x.new_full((len(x),), 1 / len(x))
    return 4 / (1 + pair_sums(x.square(), pairs, mean).sum().item())


def fit_logistic(points: Tensor, signs: Tensor, penalty: float = 1e-6) -> Tensor:
    """Fit a logistic unit to the optimum, by Newton's method in float64.

    Args:
        points: (n, d) floats, without a column of ones; few columns.
        signs: (n,) numbers, each -1 or 1, both at least once.
        penalty: λ, positive: λ‖w‖² is added to the mean loss; the bias is free. Without
            it the weights of separable classes would grow forever.

    Returns:
        (d + 1,) floats like the points, the weights and the bias.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is malformed, a class is missing, the penalty is not
            positive, no optimum was reached, or its weights are too large for the dtype.
    """
    require_sample(points, signs)
    _require_both(signs)
    require_above_zero(penalty, "penalty")
    x, y = with_constant(points.double()), signs.double()
    ridge = 2 * penalty * torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    ridge[-1, -1] = 0  # the bias is free

    def loss(w: Tensor) -> Tensor:
        return softplus(-y * (x @ w)).mean() + w @ ridge @ w / 2

    w = torch.zeros_like(x[0])
    for _ in range(NEWTON_STEPS):
        wrong = torch.sigmoid(-y * (x @ w))  # the probability of the other class
        slope = ridge @ w - (y * wrong) @ x / len(x)
        curve = wrong * torch.sigmoid(y * (x @ w))
        curvature = (x * curve[:, None]).T @ x / len(x) + ridge
        change, length = torch.linalg.solve_ex(curvature, slope)[0], 1.0
        while loss(w - length * change) > loss(w) and length > 1e-9:
            length /= 2  # too far: the parabola is not the loss
        w = w - length * change
        if slope @ change < 1e-16 * loss(w):  # twice what the parabola had to gain
            return _rounded(w, points.dtype)
    raise ValueError(
        f"penalty must allow an optimum in {NEWTON_STEPS} steps, got {penalty}"
    )


def linear_discriminant(points: Tensor, signs: Tensor) -> Tensor:
    """Fit one Gaussian to each class, with a common covariance, and score by Bayes' rule.

    Means and covariance are those of maximum likelihood, computed in float64.

    Args:
        points: (n, d) floats, without a column of ones.
        signs: (n,) numbers, each -1 or 1, both at least once.

    Returns:
        (d + 1,) floats like the points, the weights and the bias of the log-odds of +1.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is malformed, a class is missing, or the points of a class
            do not spread in every direction, as with a constant or a doubled column; or
            the weights are too large for the dtype.
    """
    require_sample(points, signs)
    _require_both(signs)
    x = points.double()
    ours, others = x[signs == 1], x[signs == -1]
    center, other = ours.mean(dim=0), others.mean(dim=0)
    residuals = torch.cat([ours - center, others - other])
    _require_spread(residuals, points)
    covariance = residuals.T @ residuals / len(x)
    w = torch.linalg.solve(covariance, center - other)
    b = math.log(len(ours) / len(others)) - w @ (center + other) / 2
    return _rounded(torch.cat([w, b[None]]), points.dtype)


def image_gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Take half the difference of the two neighbors of each pixel, in both directions.

    Beyond the edge of an image its last row and column are repeated.

    Args:
        images: (n, height, width) floats.

    Returns:
        how fast the values grow to the right and downward, each (n, height, width).

    Raises:
        TypeError: the images are not float32 or float64.
        ValueError: the images are not (n, height, width), are empty or not finite.
    """
    if images.ndim != 3:
        raise ValueError(f"images must be (n, height, width), got {tuple(images.shape)}")
    require_finite(images, "images")
    _require_precise(images, "images")
    framed = pad(images[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    right = (framed[:, 1:-1, 2:] - framed[:, 1:-1, :-2]) / 2
    down = (framed[:, 2:, 1:-1] - framed[:, :-2, 1:-1]) / 2
    return right, down


def orientation_histograms(images: Tensor, cell: int, bins: int = 9) -> Tensor:
    """Count the directions of edges in the cells of a grid.

    Each pixel votes with the length of its gradient, shared between the two bins whose
    centers are nearest to its direction. Directions that differ by half a turn are one.

    Args:
        images: (n, height, width) float32 or float64.
        cell: side of the square cells, in pixels; rows and columns left over are ignored.
        bins: how many directions to tell apart, at least 2.

    Returns:
        (n, bins, height // cell, width // cell) floats, 0 or more.

    Raises:
        TypeError: as in `image_gradients`.
        ValueError: as in `image_gradients`, or a number is out of range.
    """
    right, down = image_gradients(images)
    require_between(cell, 1, min(images.shape[1:]), "cell")
    require_at_least(bins, 2, "bins")
    length, angle = torch.hypot(right, down), torch.atan2(down, right) % math.pi
    place = angle / math.pi * bins - 0.5  # bin b has its center at b + 1/2
    low, share = place.floor().long() % bins, place - place.floor()
    votes = images.new_zeros(len(images), bins, *images.shape[1:])
    votes.scatter_add_(1, low[:, None], (length * (1 - share))[:, None])
    votes.scatter_add_(1, ((low + 1) % bins)[:, None], (length * share)[:, None])
    return avg_pool2d(votes, cell) * cell**2


def hog(images: Tensor, cell: int, bins: int = 9) -> Tensor:
    """Describe images by histograms of oriented gradients, normalized in blocks of 2 x 2.

    Args:
        images: (n, height, width) float32 or float64 from 0 to 1.
        cell: side of the cells, in pixels; there must be at least 2 x 2 cells.
        bins: how many directions to tell apart, at least 2.

    Returns:
        (n, blocks * 4 * bins) floats; the part of each block has a length below 1.

    Raises:
        TypeError: as in `image_gradients`.
        ValueError: as in `orientation_histograms`, or there are fewer than 2 x 2 cells.
    """
    cells = orientation_histograms(images, cell, bins)
    if min(cells.shape[2:]) < 2:
        raise ValueError(
            f"there must be at least 2 x 2 cells, got {tuple(cells.shape[2:])}"
        )
    blocks = unfold(cells, 2)  # (n, 4 bins, blocks)
    length = (blocks.square().sum(dim=1, keepdim=True) + 1e-4).sqrt()
    return (blocks / length).flatten(1)


def polynomial_kernel(x: Tensor, z: Tensor, degree: int) -> Tensor:
    """Compute (1 + x · z) to a power: the scalar product of weighted monomials.

    Args:
        x: (m, d) floats.
        z: (n, d) floats.
        degree: the power, at least 1.

    Returns:
        (m, n) floats.

    Raises:
        TypeError: the points are no floats.
        ValueError: the tables do not fit together, the degree is less than 1, or a power
            is too large a number.
    """
    require_table(x, "x")
    require_table(z, "z", x.shape[1])
    require_at_least(degree, 1, "degree")
    kernel = (1 + x @ z.T) ** degree
    require_finite(kernel, "kernel")
    return kernel


def kernel_perceptron(gram: Tensor, signs: Tensor, epochs: int) -> Tensor:
    """Train a perceptron that sees nothing but scalar products of the points.

    Args:
        gram: (n, n) floats, the kernel of every training point with every other one.
        signs: (n,) numbers, each -1 or 1.
        epochs: how often to go through the points at the most, at least 1; it ends after
            an epoch without mistakes.

    Returns:
        (n,) floats like the kernel, αₙ: how often each point was a mistake. The score of a
        point x is the sum of αₙ yₙ κ(xₙ, x).

    Raises:
        TypeError: the kernel holds no floats.
        ValueError: it is not square and symmetric or does not fit the signs, signs are not
            -1 and 1, or epochs is less than 1.
    """
    require_gram(gram, signs)
    require_at_least(epochs, 1, "epochs")
    y = signs.to(gram.dtype)
    alpha, scores = torch.zeros_like(y), torch.zeros_like(y)
    for _ in range(epochs):
        before = alpha.sum()
        for n in range(len(y)):
            if not y[n] * scores[n] > 0:
                alpha[n] += 1
                scores += y[n] * gram[n]
        if alpha.sum() == before:
            break
    return alpha


def _require_pairs(pairs: Tensor, dimensions: int) -> None:
    if pairs.ndim != 2 or len(pairs) != 2:
        raise ValueError(f"pairs must be (2, k), got {tuple(pairs.shape)}")
    require_classes(pairs.flatten(), pairs.numel(), dimensions, "pairs")


def _rounded(w: Tensor, dtype: torch.dtype) -> Tensor:
    require_finite(w.to(dtype), f"weights in {dtype}")
    return w.to(dtype)


def _require_both(signs: Tensor) -> None:
    if not ((signs == 1).any() and (signs == -1).any()):
        raise ValueError(f"signs must be of both kinds, got {signs[0].item()} only")


def _require_precise(values: Tensor, name: str) -> None:
    if values.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} must be float32 or float64, got {values.dtype}")


def _require_spread(residuals: Tensor, points: Tensor) -> None:
    deviation = residuals.square().mean(dim=0).sqrt()
    varies = deviation > 1e-12 * points.abs().amax(dim=0)
    doubt = 10 * torch.finfo(points.dtype).eps * len(deviation)
    rank = 0
    if varies.all():
        rank = torch.linalg.matrix_rank(residuals / deviation, rtol=doubt).item()
    if rank < len(deviation):
        raise ValueError(
            f"points must spread in {len(deviation)} directions within the classes, "
            f"got {rank}"
        )
