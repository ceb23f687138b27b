"""One neuron, many models: the same weighted sum with another loss and another penalty.

Sources: D. Cox, "The regression analysis of binary sequences", 1958, doi:10.1111/
j.2517-6161.1958.tb00292.x; A. Hoerl and R. Kennard, "Ridge regression", 1970,
doi:10.1080/00401706.1970.10488634; C. Cortes and V. Vapnik, "Support-vector networks",
1995, doi:10.1007/BF00994018; R. Tibshirani, "Regression shrinkage and selection via the
lasso", 1996, doi:10.1111/j.2517-6161.1996.tb02080.x.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_bits,
    require_number,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)

# W1 (k, d), b1 (k,), W_out (k,), b_out ()
Network = tuple[Tensor, Tensor, Tensor, Tensor]


def neuron(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Weigh the inputs and add them up.

    Args:
        x: (n, d) floats, one sample per row.
        w: (d,) floats, the weights.
        b: the bias, one number or a () tensor of floats.

    Returns:
        (n,) floats, s = w·x + b of each sample.

    Raises:
        TypeError: x, w or b are no floats.
        ValueError: a shape does not fit, or a number is not finite.
    """
    require_table(x, "x")
    require_vector(w, "w", x.shape[1])
    require_number(b, "b")
    return x @ w + b


def squared_loss(s: Tensor, y: Tensor) -> Tensor:
    """Measure by how much the sum misses the target.

    Args:
        s: (n,) float32 or float64, sums of the neuron.
        y: (n,) floats, targets.

    Returns:
        (n,) floats, the squared difference of each sample.

    Raises:
        TypeError: sums or targets are no floats, or sums of 16 bits, whose squares overflow.
        ValueError: the shapes differ, or a number is not finite.
    """
    require_vector(s, "s")
    require_wide(s, "s")
    require_vector(y, "y", len(s))
    return (s - y) ** 2


def squared_slope(s: Tensor, y: Tensor) -> Tensor:
    """Give the slope of the squared loss along the sum.

    Args:
        s: (n,) floats, sums of the neuron.
        y: (n,) floats, targets.

    Returns:
        (n,) floats.

    Raises:
        TypeError: sums or targets are no floats.
        ValueError: the shapes differ, or a number is not finite.
    """
    require_vector(s, "s")
    require_vector(y, "y", len(s))
    return 2 * (s - y)


def cross_entropy(s: Tensor, y: Tensor) -> Tensor:
    """Measure how surprised p = sigmoid(s) is by the target: -[y ln p + (1 - y) ln(1 - p)].

    Args:
        s: (n,) floats, sums of the neuron, before the sigmoid.
        y: (n,) numbers, each 0 or 1.

    Returns:
        (n,) floats in nats, never negative.

    Raises:
        TypeError: the sums are no floats.
        ValueError: the shapes differ, a label is not 0 or 1, or a sum is not finite.
    """
    require_vector(s, "s")
    require_bits(y, len(s), "y")
    # ln(1 + e^-s) for a 1, ln(1 + e^s) for a 0: the same, finite, and nothing cancels.
    return torch.nn.functional.softplus((1 - 2 * y.to(s)) * s)


def cross_entropy_slope(s: Tensor, y: Tensor) -> Tensor:
    """Give the slope of the cross-entropy along the sum before the sigmoid.

    Args:
        s: (n,) floats, sums of the neuron, before the sigmoid.
        y: (n,) numbers, each 0 or 1.

    Returns:
        (n,) floats, p - y.

    Raises:
        TypeError: the sums are no floats.
        ValueError: the shapes differ, a label is not 0 or 1, or a sum is not finite.
    """
    require_vector(s, "s")
    require_bits(y, len(s), "y")
    return torch.sigmoid(s) - y.to(s)


def hinge_loss(s: Tensor, y: Tensor) -> Tensor:
    """Ask the sum to be beyond 1 on the side of the target: max(0, 1 ∓ s).

    Args:
        s: (n,) floats, sums of the neuron.
        y: (n,) numbers, 0 for the negative side, 1 for the positive one.

    Returns:
        (n,) floats, never negative; 0 beyond the margin.

    Raises:
        TypeError: the sums are no floats.
        ValueError: the shapes differ, a label is not 0 or 1, or a sum is not finite.
    """
    require_vector(s, "s")
    require_bits(y, len(s), "y")
    return (1 - (2 * y.to(s) - 1) * s).clamp(min=0)


def hinge_slope(s: Tensor, y: Tensor) -> Tensor:
    """Give the slope of the hinge loss along the sum; beyond the margin it is flat.

    Args:
        s: (n,) floats, sums of the neuron.
        y: (n,) numbers, each 0 or 1.

    Returns:
        (n,) floats: 1 for a 0 and -1 for a 1 inside the margin, 0 beyond it.

    Raises:
        TypeError: the sums are no floats.
        ValueError: the shapes differ, a label is not 0 or 1, or a sum is not finite.
    """
    require_vector(s, "s")
    require_bits(y, len(s), "y")
    side = 2 * y.to(s) - 1
    return torch.where(side * s < 1, -side, torch.zeros_like(side))


def fit(
    x: Tensor,
    y: Tensor,
    loss_slope: Callable[[Tensor, Tensor], Tensor],
    penalty_slope: Callable[[Tensor], Tensor],
    eta: float,
    steps: int,
) -> tuple[Tensor, Tensor]:
    """Move weights and bias against the slope of mean loss and penalty, in ever smaller steps.

    Steps that are too long for squared losses end in an error. Where the slope is bounded,
    as for the cross-entropy and the hinge, they end far from the optimum without a word.

    Args:
        x: (n, d) float32 or float64, one sample per row, on a common scale.
        y: (n,) floats, labels or targets, as the loss wants them.
        loss_slope: the slope of the loss along the sum, from sums and labels.
        penalty_slope: the slope of the penalty along the weights; the bias goes free.
        eta: the first step size, above 0; it falls evenly to 0.
        steps: how many, at least 1.

    Returns:
        the weights, (d,), and the bias, ().

    Raises:
        TypeError: x or y are no floats, or x floats of 16 bits.
        ValueError: a shape does not fit, also that of a slope; eta or steps is too small;
            or the weights grew beyond all numbers.
    """
    require_table(x, "x")
    require_wide(x, "x")
    require_vector(y, "y", len(x))
    require_above_zero(eta, "eta")
    require_at_least(steps, 1, "steps")
    w, b = x.new_zeros(x.shape[1]), x.new_zeros(())
    for done in range(steps):
        blame, pull = loss_slope(x @ w + b, y), penalty_slope(w)
        require_same_shape(blame, y, "slopes of the loss and y")
        require_same_shape(pull, w, "slopes of the penalty and w")
        step = eta * (1 - done / steps)
        w = w - step * (x.T @ blame / len(x) + pull)
        b = b - step * blame.mean()
    require_vector(w, "w")
    require_number(b, "b")
    return w, b


def no_penalty(w: Tensor) -> Tensor:
    """Let the weights go free.

    Args:
        w: floats of any shape.

    Returns:
        zeros of the same shape, the slope of no penalty.
    """
    return torch.zeros_like(w)


def squares_penalty(rho: float) -> Callable[[Tensor], Tensor]:
    """Pull every weight toward 0, in proportion to its size.

    Args:
        rho: how hard, at least 0.

    Returns:
        the slope of rho times the sum of the squared weights.

    Raises:
        ValueError: rho is negative or not finite.
    """
    require_at_least(rho, 0, "rho")
    return lambda w: 2 * rho * w


def absolute_penalty(rho: float) -> Callable[[Tensor], Tensor]:
    """Pull every weight toward 0 with the same force, however small it is.

    The optimum may have weights of exactly 0; steps of `fit` jump over 0 and end near it.

    Args:
        rho: how hard, at least 0.

    Returns:
        the slope of rho times the sum of the absolute weights.

    Raises:
        ValueError: rho is negative or not finite.
    """
    require_at_least(rho, 0, "rho")
    return lambda w: rho * w.sign()


def hidden_layer(x: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    """Compute k neurons side by side, and one neuron on top of them.

    Args:
        x: (n, d) floats, one sample per row.
        network: W1 (k, d), b1 (k,), W_out (k,), b_out ().

    Returns:
        the features h = sigmoid(W1 x + b1), (n, k) from 0 to 1, and the sum of the neuron
        on top, s = h W_out + b_out, (n,), before its sigmoid.

    Raises:
        TypeError: x or weights are no floats.
        ValueError: a shape does not fit, or a number is not finite.
    """
    w1, b1, w_out, b_out = network
    require_table(w1, "W1")
    require_table(x, "x", w1.shape[1])
    for vector, name in ((b1, "b1"), (w_out, "W_out")):
        require_vector(vector, name, len(w1))
    require_number(b_out, "b_out")
    h = torch.sigmoid(x @ w1.T + b1)
    return h, h @ w_out + b_out


def train_hidden_layer(
    x: Tensor, y: Tensor, k: int, eta: float, steps: int, seed: int
) -> Network:
    """Learn the features together with the neuron that uses them, from random weights.

    The step size stays the same. One that is too long gives large weights that decide badly,
    not an error: look at the loss.

    Args:
        x: (n, d) floats, one sample per row, on a common scale.
        y: (n,) numbers, each 0 or 1.
        k: how many hidden neurons, at least 1.
        eta: the step size, above 0.
        steps: how many, at least 0.
        seed: equal seeds give equal networks.

    Returns:
        W1 (k, d), b1 (k,), W_out (k,), b_out (), of the dtype and on the device of x.

    Raises:
        TypeError: x are no floats.
        ValueError: a shape does not fit, a label is not 0 or 1, or a number is too small.
    """
    require_table(x, "x")
    require_bits(y, len(x), "y")
    require_above_zero(eta, "eta")
    require_at_least(steps, 0, "steps")
    network = draw_network(x, k, seed)
    for _ in range(steps):
        weights = [each.requires_grad_() for each in network]
        _, s = hidden_layer(x, weights)
        slopes = torch.autograd.grad(cross_entropy(s, y).mean(), weights)
        network = tuple(
            each.detach() - eta * slope
            for each, slope in zip(weights, slopes, strict=True)
        )
    return network


def draw_network(x: Tensor, k: int, seed: int) -> Network:
    """Draw the random weights that training starts from.

    Args:
        x: (n, d) floats; the network gets their dtype and device.
        k: how many hidden neurons, at least 1.
        seed: equal seeds give equal networks.

    Returns:
        W1 (k, d), b1 (k,), W_out (k,), b_out (), normal numbers.

    Raises:
        TypeError: x are no floats.
        ValueError: x is no table, or k is below 1.
    """
    require_table(x, "x")
    require_at_least(k, 1, "k")
    generator = torch.Generator().manual_seed(seed)
    shapes = ((k, x.shape[1]), (k,), (k,), ())
    return tuple(
        torch.randn(shape, generator=generator, dtype=x.dtype).to(x.device)
        for shape in shapes
    )
