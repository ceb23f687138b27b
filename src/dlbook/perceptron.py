"""The perceptron: one unit with a threshold, trained by its own mistakes.

Sources: F. Rosenblatt, "The perceptron: a probabilistic model for information storage and
organization in the brain", Psychological Review 65(6), 1958, doi:10.1037/h0042519;
A. Novikoff, "On convergence proofs for perceptrons", Proceedings of the Symposium on the
Mathematical Theory of Automata 12, 1962.
"""

from itertools import product
from math import isfinite

import torch
from torch import Tensor

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
BLOCK = (
    256  # examples scored at once: enough to pay for the call, few enough to be cached
)


def threshold_unit(inputs: Tensor, weights: Tensor, bias: float) -> Tensor:
    """Answer 1 where the weighted sum of the inputs, plus the bias, is not negative.

    Args:
        inputs: (n, d) floats, one case per row; 0 and 1 for gates.
        weights: (d,) floats, one for each input.
        bias: what is added to the sum.

    Returns:
        (n,) floats, 0 or 1.

    >>> threshold_unit(CORNERS, torch.tensor([1.0, 1.0]), bias=-1.5)  # and
    tensor([0., 0., 0., 1.])
    """
    return (inputs @ weights + bias >= 0).float()


def exclusive_or(inputs: Tensor) -> Tensor:
    """Compute xor with two layers: (x₁ or x₂) and not (x₁ and x₂).

    Args:
        inputs: (n, 2) floats, 0 or 1.

    Returns:
        (n,) floats: 1 where exactly one input is 1, otherwise 0.

    >>> exclusive_or(CORNERS)
    tensor([0., 1., 1., 0.])
    """
    one_each = torch.ones(2)
    either = threshold_unit(inputs, one_each, bias=-0.5)
    not_both = threshold_unit(inputs, -one_each, bias=1.5)
    hidden = torch.stack([either, not_both], dim=1)
    return threshold_unit(hidden, one_each, bias=-1.5)


def one_unit_tables() -> dict[tuple[float, ...], tuple[float, float, float]]:
    """Find which functions of two bits one unit computes, by trying 36 settings.

    Returns:
        the first setting found, (weight, weight, bias), by truth table: the four answers
        at (0, 0), (0, 1), (1, 0), (1, 1).

    >>> len(one_unit_tables())
    14
    """
    found = {}
    for first, second in product((-1.0, 0.0, 1.0), repeat=2):
        for bias in (-1.5, -0.5, 0.5, 1.5):
            answers = threshold_unit(CORNERS, torch.tensor([first, second]), bias)
            found.setdefault(tuple(answers.tolist()), (first, second, bias))
    return found


def with_constant(points: Tensor, constant: float = 1.0) -> Tensor:
    """Append a constant input, so that its weight plays the part of the bias.

    Args:
        points: (n, d) floats.
        constant: the value of the new input, in the unit of the others.

    Returns:
        (n, d + 1) floats; the constant comes last.
    """
    return torch.cat([points, points.new_full((len(points), 1), constant)], dim=1)


def check_sample(points: Tensor, labels: Tensor) -> float:
    """Refuse a sample that a classifier with answers -1 and +1 cannot learn from.

    Args:
        points: (n, d) floats, at least one row and one column, all finite.
        labels: (n,) numbers, each -1 or +1.

    Returns:
        the largest absolute value among the points.

    Raises:
        ValueError: empty, of the wrong shape or type, not finite, or with other labels.
    """
    if points.ndim != 2 or 0 in points.shape:
        raise ValueError(
            f"points must be (n, d) and not empty, got {tuple(points.shape)}"
        )
    if not points.is_floating_point():
        raise ValueError(f"points must be floats, got {points.dtype}")
    if labels.shape != points.shape[:1]:
        raise ValueError(f"labels must be ({len(points)},), got {tuple(labels.shape)}")
    if not (labels.abs() == 1).all():
        wrong = labels[labels.abs() != 1][0].item()
        raise ValueError(f"labels must be -1 or +1, got {wrong}")
    least, largest = (extreme.item() for extreme in points.aminmax())
    if not (isfinite(least) and isfinite(largest)):
        raise ValueError("points must be finite, got NaN or infinity")
    return max(abs(least), abs(largest))


def check_epochs(epochs: int) -> None:
    """Refuse to train for less than one epoch.

    Args:
        epochs: how often to go through the examples.

    Raises:
        ValueError: epochs is less than 1.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, got {epochs}")


def train(points: Tensor, labels: Tensor, epochs: int) -> tuple[Tensor, Tensor]:
    """Train a perceptron: go through the examples in order and add what it gets wrong.

    Args:
        points: (n, d) floats xₙ; append a constant input for a bias.
        labels: (n,) numbers yₙ, each -1 or +1.
        epochs: how often to go through the examples at the most, at least 1. It ends
            after an epoch without mistakes, which never comes if no plane separates them.

    Returns:
        the weights, (d,) like the points; and the steps of the updates, (updates,) int64:
        step t presents example `t % n` in epoch `t // n`.

    Raises:
        ValueError: the sample is empty or malformed, or epochs is less than 1.
    """
    check_sample(points, labels)
    check_epochs(epochs)
    w, y = torch.zeros_like(points[0]), labels.to(points.dtype)
    steps: list[int] = []
    for epoch in range(epochs):
        known = len(steps)
        for n in range(len(points)):
            if y[n] * (w @ points[n]) <= 0:
                w = w + y[n] * points[n]
                steps.append(epoch * len(points) + n)
        if len(steps) == known:
            break
    return w, torch.tensor(steps, dtype=torch.int64)


def first_mistake(
    w: Tensor, points: Tensor, y: Tensor, begin: int, largest: float
) -> int:
    """Find the first example that the weights get wrong, scoring whole blocks at a time.

    Args:
        w: (d,) floats, the weights.
        points: (n, d) floats.
        y: (n,) floats like the points, each -1 or +1.
        begin: where to begin to look, from 0 to n.
        largest: the largest absolute value among the points.

    Returns:
        the first n from begin with yₙ (w · xₙ) <= 0, as one dot product alone decides it;
        the number of points if there is none.
    """
    number = torch.finfo(w.dtype)
    rounding = number.eps * float(w.abs().sum()) * largest + number.tiny
    # Beyond this doubt, every order of summation finds the same sign.
    doubt = 2 * len(w) * rounding
    for start in range(begin, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        scores = y[block] * (points[block] @ w)
        if scores.min().item() > doubt:
            continue
        suspects = (scores > doubt).logical_not().nonzero()[:, 0]  # NaN is suspect, too
        for n in (start + suspects).tolist():
            if y[n] * (w @ points[n]) <= 0:
                return n
    return len(points)


def train_by_blocks(points: Tensor, labels: Tensor, epochs: int) -> tuple[Tensor, Tensor]:
    """Train a perceptron as `train` does, update for update, many times faster.

    Args:
        points: (n, d) float32 or float64, as in `train`.
        labels: (n,) numbers, each -1 or +1.
        epochs: how often to go through the examples at the most, at least 1.

    Returns:
        the weights and the steps of the updates, equal to those of `train`.

    Raises:
        ValueError: the sample is empty or malformed, or epochs is less than 1.
    """
    largest = check_sample(points, labels)
    check_epochs(epochs)
    w, y = torch.zeros_like(points[0]), labels.to(points.dtype)
    steps: list[int] = []
    for epoch in range(epochs):
        known = len(steps)
        n = first_mistake(w, points, y, 0, largest)
        while n < len(points):
            w = w + y[n] * points[n]
            steps.append(epoch * len(points) + n)
            n = first_mistake(w, points, y, n + 1, largest)
        if len(steps) == known:
            break
    return w, torch.tensor(steps, dtype=torch.int64)


def update_bound(points: Tensor, labels: Tensor, separator: Tensor) -> int:
    """Bound the number of updates of any training run on these examples, ⌊4R²/γ²⌋.

    Args:
        points: (n, d) floats, the longest of length R.
        labels: (n,) numbers, each -1 or +1.
        separator: (d,) floats, weights of any length that get every example right; the
            smallest yₙ (w* · xₙ) / ‖w*‖ is γ/2.

    Returns:
        the largest number of updates that is possible, at least 1.

    Raises:
        ValueError: the sample is empty or malformed, or the separator makes a mistake.
    """
    check_sample(points, labels)
    half_gap = (labels * (points @ separator)).min().item() / separator.norm().item()
    if not half_gap > 0:
        raise ValueError(f"separator must get all examples right, got margin {half_gap}")
    radius = points.norm(dim=1).max().item()
    return int((radius / half_gap) ** 2)
