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

# W1 (k, d), b1 (k,), W_out (k,), b_out ()
Network = tuple[Tensor, Tensor, Tensor, Tensor]


def neuron(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Weigh the inputs and add them up.

    Args:
        x: (n, d) floats, one sample per row.
        w: (d,) floats, the weights.
        b: () float, the bias.

    Returns:
        (n,) floats, y = w·x + b of each sample.
    """
    return x @ w + b


def squared_loss(y: Tensor, t: Tensor) -> Tensor:
    """Measure by how much the output misses the target.

    Args:
        y: (n,) floats, outputs of the neuron.
        t: (n,) floats, targets.

    Returns:
        (n,) floats, the squared difference of each sample.
    """
    return (y - t) ** 2


def squared_slope(y: Tensor, t: Tensor) -> Tensor:
    """Give the slope of the squared loss along the output.

    Args:
        y: (n,) floats, outputs of the neuron.
        t: (n,) floats, targets.

    Returns:
        (n,) floats.
    """
    return 2 * (y - t)


def cross_entropy(y: Tensor, t: Tensor) -> Tensor:
    """Measure how surprised p = sigmoid(y) is by the target: -[t ln p + (1 - t) ln(1 - p)].

    Args:
        y: (n,) floats, outputs of the neuron before the sigmoid.
        t: (n,) floats, 0 or 1.

    Returns:
        (n,) floats in nats, never negative.
    """
    # ln(1 + e^y) - t y is the same number, and finite for every y.
    return torch.nn.functional.softplus(y) - t * y


def cross_entropy_slope(y: Tensor, t: Tensor) -> Tensor:
    """Give the slope of the cross-entropy along the output before the sigmoid.

    Args:
        y: (n,) floats, outputs of the neuron before the sigmoid.
        t: (n,) floats, 0 or 1.

    Returns:
        (n,) floats, p - t.
    """
    return torch.sigmoid(y) - t


def hinge_loss(y: Tensor, t: Tensor) -> Tensor:
    """Ask the output to be beyond 1 on the side of the target: max(0, 1 ∓ y).

    Args:
        y: (n,) floats, outputs of the neuron.
        t: (n,) floats, 0 for the negative side, 1 for the positive one.

    Returns:
        (n,) floats, never negative; 0 beyond the margin.
    """
    return (1 - (2 * t - 1) * y).clamp(min=0)


def hinge_slope(y: Tensor, t: Tensor) -> Tensor:
    """Give the slope of the hinge loss along the output; beyond the margin it is flat.

    Args:
        y: (n,) floats, outputs of the neuron.
        t: (n,) floats, 0 or 1.

    Returns:
        (n,) floats: 1 for a 0 and -1 for a 1 inside the margin, 0 beyond it.
    """
    side = 2 * t - 1
    return torch.where(side * y < 1, -side, torch.zeros_like(side))


def fit(
    x: Tensor,
    t: Tensor,
    loss_slope: Callable[[Tensor, Tensor], Tensor],
    penalty_slope: Callable[[Tensor], Tensor],
    eta: float,
    steps: int,
) -> tuple[Tensor, Tensor]:
    """Move weights and bias against the slope of mean loss and penalty, in ever smaller steps.

    Args:
        x: (n, d) floats, one sample per row, on a common scale.
        t: (n,) floats, targets.
        loss_slope: the slope of the loss along the output, from outputs and targets.
        penalty_slope: the slope of the penalty along the weights; the bias goes free.
        eta: the first step size, above 0; it falls evenly to 0.
        steps: how many, at least 1.

    Returns:
        the weights, (d,), and the bias, ().

    Raises:
        ValueError: there is no sample, a target is missing, or steps is below 1.
    """
    if len(x) == 0 or t.shape != x.shape[:1] or steps < 1:
        raise ValueError(
            "fit needs x (n, d), t (n,), n and steps at least 1, got "
            f"{tuple(x.shape)}, {tuple(t.shape)} and {steps} steps"
        )
    w, b = x.new_zeros(x.shape[1]), x.new_zeros(())
    for done in range(steps):
        blame = loss_slope(neuron(x, w, b), t)
        step = eta * (1 - done / steps)
        w = w - step * (x.T @ blame / len(x) + penalty_slope(w))
        b = b - step * blame.mean()
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
    """
    return lambda w: 2 * rho * w


def absolute_penalty(rho: float) -> Callable[[Tensor], Tensor]:
    """Pull every weight toward 0 with the same force, down to 0 itself.

    Args:
        rho: how hard, at least 0.

    Returns:
        the slope of rho times the sum of the absolute weights.
    """
    return lambda w: rho * w.sign()


def hidden_layer(x: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    """Compute k neurons side by side, and one neuron on top of them.

    Args:
        x: (n, d) floats, one sample per row.
        network: W1 (k, d), b1 (k,), W_out (k,), b_out ().

    Returns:
        the features h = sigmoid(W1 x + b1), (n, k) from 0 to 1, and the output before its
        sigmoid, h W_out + b_out, (n,).
    """
    w1, b1, w_out, b_out = network
    h = torch.sigmoid(x @ w1.T + b1)
    return h, neuron(h, w_out, b_out)


def train_hidden_layer(
    x: Tensor, t: Tensor, k: int, eta: float, steps: int, seed: int
) -> Network:
    """Learn the features together with the neuron that uses them, from random weights.

    Args:
        x: (n, d) floats, one sample per row, on a common scale.
        t: (n,) floats, 0 or 1.
        k: how many hidden neurons, at least 1.
        eta: the step size, above 0.
        steps: how many, at least 0.
        seed: equal seeds give equal networks.

    Returns:
        W1 (k, d), b1 (k,), W_out (k,), b_out ().

    Raises:
        ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    generator = torch.Generator().manual_seed(seed)
    shapes = ((k, x.shape[1]), (k,), (k,), ())
    network = tuple(torch.randn(s, generator=generator, dtype=x.dtype) for s in shapes)
    for parameter in network:
        parameter.requires_grad_()
    for _ in range(steps):
        _, y = hidden_layer(x, network)
        slopes = torch.autograd.grad(cross_entropy(y, t).mean(), network)
        with torch.no_grad():
            for parameter, slope in zip(network, slopes, strict=True):
                parameter -= eta * slope
    return tuple(parameter.detach() for parameter in network)
