"""The perceptron: one unit with a threshold, trained by its own mistakes.

Sources: W. McCulloch and W. Pitts, "A logical calculus of the ideas immanent in nervous
activity", Bulletin of Mathematical Biophysics 5, 1943, doi:10.1007/BF02478259;
F. Rosenblatt, "The perceptron: a probabilistic model for information storage and
organization in the brain", Psychological Review 65(6), 1958, doi:10.1037/h0042519;
F. Rosenblatt, "Principles of Neurodynamics", Spartan Books, 1962, corrects mistakes only;
A. Novikoff, "On convergence proofs on perceptrons", Proceedings of the Symposium on the
Mathematical Theory of Automata 12, 1962; Y. Freund and R. Schapire, "Large margin
classification using the perceptron algorithm", Machine Learning 37, 1999,
doi:10.1023/A:1007662407062.
"""

from itertools import product

import torch
from torch import Tensor

from dlbook.contract import (
    require_at_least,
    require_bits,
    require_classes,
    require_finite,
    require_signs,
    require_table,
    require_vector,
)

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
# examples scored at once: enough to pay for the call, few enough to be cached
BLOCK = 256


def threshold_unit(inputs: Tensor, weight: float, bias: float) -> Tensor:
    """Answer 1 where the inputs, added and weighed all alike, reach the threshold.

    Args:
        inputs: (n, d) floats, each 0 or 1, one case per row.
        weight: what each input that is 1 adds to the sum.
        bias: what is added to the sum. Put it halfway between two sums: 3 · 0.3 - 0.9 is
            a little below 0 in a computer.

    Returns:
        (n,) floats like the inputs, 0 or 1.

    Raises:
        TypeError: the inputs are no floats.
        ValueError: the inputs are no table of 0 and 1, or a number is not finite.

    >>> threshold_unit(CORNERS, weight=1.0, bias=-1.5)  # and
    tensor([0., 0., 0., 1.])
    """
    require_table(inputs, "inputs")
    require_bits(inputs.flatten(), inputs.numel(), "inputs")
    require_finite(torch.tensor([weight, bias], dtype=torch.float64), "weight and bias")
    count = inputs.sum(dim=1, dtype=torch.float64)
    return (weight * count + bias >= 0).to(inputs.dtype)


def perceptron(x: Tensor, w: Tensor, b: float) -> Tensor:
    """Answer +1 where the weighted sum of the inputs, plus the bias, is not negative.

    Args:
        x: (n, d) floats, one case per row.
        w: (d,) floats, a weight for each input.
        b: the bias.

    Returns:
        (n,) floats like the inputs: +1 where w · x + b >= 0, otherwise -1.

    Raises:
        TypeError: inputs or weights are no floats.
        ValueError: the shapes do not fit, or a number or a score is not finite.

    >>> perceptron(CORNERS, torch.tensor([1.0, -1.0]), b=-0.5)  # x₁ and not x₂
    tensor([-1., -1.,  1., -1.])
    """
    require_table(x, "x")
    require_vector(w, "w", x.shape[1])
    require_finite(torch.tensor([b], dtype=torch.float64), "b")
    score = x @ w + b
    require_finite(score, "scores")  # NaN is not below 0
    return torch.where(score >= 0, 1.0, -1.0).to(x.dtype)


def exclusive_or(inputs: Tensor) -> Tensor:
    """Compute xor with two layers: (x₁ or x₂) and not (x₁ and x₂).

    Args:
        inputs: (n, 2) floats, each 0 or 1.

    Returns:
        (n,) floats: 1 where exactly one input is 1, otherwise 0.

    Raises:
        TypeError: the inputs are no floats.
        ValueError: they are no table of two columns of 0 and 1.

    >>> exclusive_or(CORNERS)
    tensor([0., 1., 1., 0.])
    """
    require_table(inputs, "inputs", columns=2)
    either = threshold_unit(inputs, weight=1.0, bias=-0.5)
    not_both = threshold_unit(inputs, weight=-1.0, bias=1.5)
    hidden = torch.stack([either, not_both], dim=1)
    return threshold_unit(hidden, weight=1.0, bias=-1.5)


def one_unit_tables() -> dict[tuple[bool, ...], tuple[float, float, float]]:
    """Find which functions of two bits a perceptron computes, by trying 36 settings.

    Returns:
        the first setting found, (weight, weight, bias), by truth table: whether it
        answers +1 at (0, 0), (0, 1), (1, 0), (1, 1).

    >>> len(one_unit_tables())
    14
    """
    found = {}
    for first, second in product((-1.0, 0.0, 1.0), repeat=2):
        for bias in (-1.5, -0.5, 0.5, 1.5):
            answers = perceptron(CORNERS, torch.tensor([first, second]), bias)
            found.setdefault(tuple((answers > 0).tolist()), (first, second, bias))
    return found


def with_constant(points: Tensor, constant: float = 1.0) -> Tensor:
    """Append a constant input, so that its weight plays the part of the bias.

    Args:
        points: (n, d) floats.
        constant: the value of the new input, in the unit of the others, not 0, nor so
            small that the points' dtype rounds it.

    Returns:
        (n, d + 1) floats; the constant comes last.

    Raises:
        TypeError: the points are no floats.
        ValueError: they are no table of finite numbers, or the constant is 0 or no number.
    """
    require_table(points, "points")
    number = torch.finfo(points.dtype)
    if not number.tiny <= abs(constant) <= number.max:
        raise ValueError(
            f"constant must be a number of {points.dtype} other than 0, got {constant}"
        )
    column = points.new_full((len(points), 1), constant)
    return torch.cat([points, column], dim=1)


def require_sample(points: Tensor, labels: Tensor) -> float:
    """Refuse a sample that a classifier with answers -1 and +1 cannot learn from.

    Args:
        points: (n, d) floats, at least one row and one column, all finite.
        labels: (n,) numbers, each -1 or +1.

    Returns:
        R, the length of the longest point.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is empty, of the wrong shape, not finite, or has other
            labels; or the square of its largest number, or R², is too large for the
            points' dtype, or so small that products would vanish.
    """
    require_table(points, "points")
    require_signs(labels, len(points))
    least, most = (value.item() for value in points.detach().aminmax())  # no copy
    longest, largest = points.norm(dim=1).max().item(), max(-least, most)
    number = torch.finfo(points.dtype)
    if not longest**2 <= number.max or (largest > 0 and largest**2 < number.tiny):
        raise ValueError(
            f"points must have squares that {points.dtype} can hold, got {largest}"
        )
    return longest


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
        TypeError: the points are no floats.
        ValueError: the sample is empty or malformed, or epochs is less than 1.
    """
    require_sample(points, labels)
    require_at_least(epochs, 1, "epochs")
    w, y = torch.zeros_like(points[0]), labels.to(points.dtype)
    steps: list[int] = []
    for epoch in range(epochs):
        known = len(steps)
        for n in range(len(points)):
            if not y[n] * (w @ points[n]) > 0:
                w = w + y[n] * points[n]
                steps.append(epoch * len(points) + n)
        if len(steps) == known:
            break
    return w, torch.tensor(steps, dtype=torch.int64, device=points.device)


def train_by_blocks(points: Tensor, labels: Tensor, epochs: int) -> tuple[Tensor, Tensor]:
    """Train a perceptron as `train` does, update for update, many times faster.

    Args:
        points: (n, d) floats, as in `train`.
        labels: (n,) numbers, each -1 or +1.
        epochs: how often to go through the examples at the most, at least 1.

    Returns:
        the weights and the steps of the updates, equal to those of `train`.

    Raises:
        TypeError: the points are no floats.
        ValueError: the sample is empty or malformed, or epochs is less than 1.
    """
    longest = require_sample(points, labels)
    require_at_least(epochs, 1, "epochs")
    w, y = torch.zeros_like(points[0]), labels.to(points.dtype)
    steps: list[int] = []
    for epoch in range(epochs):
        known = len(steps)
        n = _first_mistake(w, points, y, 0, longest)
        while n < len(points):
            w = w + y[n] * points[n]
            steps.append(epoch * len(points) + n)
            n = _first_mistake(w, points, y, n + 1, longest)
        if len(steps) == known:
            break
    return w, torch.tensor(steps, dtype=torch.int64, device=points.device)


def _first_mistake(
    w: Tensor, points: Tensor, y: Tensor, begin: int, longest: float
) -> int:
    """Find the first example that the weights get wrong, scoring blocks at a time.

    Args:
        w: (d,) floats, the weights.
        points: (n, d) floats.
        y: (n,) floats like the points, each -1 or +1.
        begin: where to begin to look, from 0 to n.
        longest: the length of the longest point.

    Returns:
        the first n from begin whose yₙ (w · xₙ) is not positive, as one dot product
        alone decides it; the number of points if there is none.
    """
    number = torch.finfo(w.dtype)
    # Beyond this doubt, every order of summation finds the same sign.
    doubt = 2 * len(w) * (number.eps * w.norm().item() * longest + number.tiny)
    for start in range(begin, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        scores = y[block] * (points[block] @ w)
        if scores.min().item() > doubt:
            continue
        suspects = (scores > doubt).logical_not().nonzero()[:, 0]  # NaN is suspect, too
        for n in (start + suspects).tolist():
            if not y[n] * (w @ points[n]) > 0:
                return n
    return len(points)


def average_weights(points: Tensor, labels: Tensor, steps: Tensor, epochs: int) -> Tensor:
    """Average the weights of a training run over all its steps.

    The weights begin at 0 and are counted after each example. An example that is added at
    step t is part of them in all later steps, a share 1 - t / T of all T.

    Args:
        points: (n, d) floats, as trained on.
        labels: (n,) numbers, each -1 or +1.
        steps: (updates,) int64, the steps at which `train` made its updates.
        epochs: how many epochs to average over; T = epochs · n lies beyond the last step.

    Returns:
        (d,) floats like the points.

    Raises:
        TypeError: the points are no floats, or the steps no int64.
        ValueError: the sample is malformed, there are no steps, they are no vector, or one
            lies outside the epochs.
    """
    require_sample(points, labels)
    require_at_least(epochs, 1, "epochs")
    total = epochs * len(points)
    require_classes(steps, steps.numel(), total, "steps")
    added = steps % len(points)
    share = 1 - steps.double() / total
    return (share * labels[added]).to(points.dtype) @ points[added]


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
        TypeError: points or separator are no floats.
        ValueError: the sample is empty or malformed, or the separator makes a mistake.
    """
    require_sample(points, labels)
    require_vector(separator, "separator", points.shape[1])
    x, w = points.double(), separator.double()
    half_gap = (labels * (x @ w)).min().item() / w.norm().item() if w.any() else 0.0
    if not half_gap > 0:
        raise ValueError(f"separator must get all examples right, got margin {half_gap}")
    longest = x.norm(dim=1).max().item()
    # Rounding may not push a whole number below itself.
    return int((longest / half_gap) ** 2 * (1 + 1e-12))
