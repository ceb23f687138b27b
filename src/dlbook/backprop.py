"""Back-propagation by hand, for a whole batch at once.

Source: D. Rumelhart, G. Hinton and R. Williams, "Learning representations by
back-propagating errors", Nature 323, 1986, doi:10.1038/323533a0.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from dlbook.mlp import Activation, Layer, forward, layer, relu


def trace(
    x: Tensor, layers: list[Layer], activation: Activation
) -> tuple[list[Tensor], list[Tensor]]:
    """Go forward, and keep what the way back needs.

    Args:
        x: (n, d) floats, one sample per row.
        layers: weights (k, d) and biases (k,), first layer first.
        activation: what the hidden layers apply, number by number.

    Returns:
        what entered each layer, and the sums s that each layer computed: two lists with
        one tensor per layer. The last sums are the scores.
    """
    entered, sums = [], []
    for w, b in layers:
        entered.append(x)
        sums.append(layer(x, w, b, lambda s: s))
        x = activation(sums[-1])
    return entered, sums


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Measure how badly scores predict labels.

    Args:
        scores: (n, classes) floats.
        labels: (n,) int64, the true classes, from 0 to classes - 1.

    Returns:
        the mean of the negative logarithm of the softmax at the true class, in nats.

    Raises:
        ValueError: the batch is empty, or there is not one label for each row of scores.
    """
    if len(scores) == 0 or labels.shape != scores.shape[:1]:
        raise ValueError(
            "scores must be (n, classes) and labels (n,) with n at least 1, got "
            f"{tuple(scores.shape)} and {tuple(labels.shape)}"
        )
    return -scores.log_softmax(dim=1)[range(len(labels)), labels].mean()


def cross_entropy_gradient(scores: Tensor, labels: Tensor) -> Tensor:
    """Give the slope of the mean cross-entropy along the scores.

    Args:
        scores: (n, classes) floats.
        labels: (n,) int64, the true classes, from 0 to classes - 1.

    Returns:
        (n, classes) floats: softmax, less 1 at the true class, over n; rows add up to 0.
    """
    gradient = scores.softmax(dim=1)
    gradient[torch.arange(len(labels), device=labels.device), labels] -= 1
    return gradient.div_(len(labels))


def backward(
    layers: list[Layer],
    entered: list[Tensor],
    sums: list[Tensor],
    along_scores: Tensor,
    derivative: Activation,
) -> list[Layer]:
    """Carry the gradient of the loss from the scores back to every weight and bias.

    Args:
        layers: weights (k, d) and biases (k,), first layer first.
        entered: what entered each layer, from `trace`.
        sums: what each layer computed, from `trace`.
        along_scores: (n, c) floats, the gradient of the loss along the scores.
        derivative: the slope of the activation, number by number, as a function of s.

    Returns:
        the gradient of the loss along each weight and bias, shaped like `layers`.
    """
    along_s, gradients = along_scores, []
    for index in reversed(range(len(layers))):
        gradients.append((along_s.T @ entered[index], along_s.sum(dim=0)))
        if index > 0:  # nobody asks how the data should change
            along_x = along_s @ layers[index][0]
            along_s = along_x * derivative(sums[index - 1])
    return gradients[::-1]


def step(layers: list[Layer], gradients: list[Layer], eta: float) -> None:
    """Move every weight and bias a little against its gradient, in place.

    Args:
        layers: weights and biases; changed.
        gradients: shaped like `layers`.
        eta: the step size, above 0.
    """
    for parameters, slopes in zip(layers, gradients, strict=True):
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.sub_(eta * slope)


def train_step(layers: list[Layer], x: Tensor, labels: Tensor, eta: float) -> None:
    """Go forward, backward and one step, without ever storing the gradient of a weight.

    The way back needs each weight once. Right after that the weight can move: the product
    that would build its gradient subtracts it in place.

    Args:
        layers: weights and biases, with rectifiers between the layers; changed.
        x: (n, d) floats, one sample per row.
        labels: (n,) int64, the true classes.
        eta: the step size, above 0.
    """
    entered = [x]
    for w, b in layers[:-1]:
        entered.append(torch.addmm(b, entered[-1], w.T).relu_())
    w, b = layers[-1]
    along_s = cross_entropy_gradient(torch.addmm(b, entered[-1], w.T), labels)
    for index in reversed(range(len(layers))):
        w, b = layers[index]
        along_x = along_s @ w if index > 0 else along_s  # before w moves
        w.addmm_(along_s.T, entered[index], alpha=-eta)
        b.sub_(along_s.sum(dim=0), alpha=eta)
        along_s = along_x.mul_(entered[index].sign()) if index > 0 else along_x


def train_epoch(
    layers: list[Layer],
    images: Tensor,
    labels: Tensor,
    eta: float,
    batch: int,
    generator: torch.Generator,
) -> None:
    """Visit every sample once, in random order, one step for each batch.

    Args:
        layers: as in `train_step`; changed.
        images: (n, in) floats.
        labels: (n,) int64.
        eta: the step size, above 0.
        batch: how many samples share a step, from 1 to n; the last batch may be smaller.
        generator: draws the order; on the CPU.

    Raises:
        ValueError: batch lies outside 1..n.
    """
    if not 1 <= batch <= len(images):
        raise ValueError(f"batch must lie between 1 and {len(images)}, got {batch}")
    order = torch.randperm(len(images), generator=generator).to(images.device)
    for chosen in order.split(batch):
        train_step(layers, images[chosen], labels[chosen], eta)


def error_rate(layers: list[Layer], images: Tensor, labels: Tensor) -> float:
    """Tell how many labels the largest score misses.

    Args:
        layers: as in `train_step`.
        images: (n, in) floats.
        labels: (n,) int64.

    Returns:
        the share of mistakes, from 0 to 1.
    """
    scores = forward(images, layers, relu)
    return (scores.argmax(dim=1) != labels).double().mean().item()


def finite_differences(
    function: Callable[[], Tensor], parameter: Tensor, h: float
) -> Tensor:
    """Measure a gradient by moving each coefficient a little up, then a little down.

    Args:
        function: computes a scalar from the parameter.
        parameter: floats of any shape; every coefficient is moved and put back.
        h: how far, above 0.

    Returns:
        the slope of the function along each coefficient, shaped like the parameter.

    Raises:
        ValueError: h is not above 0.
    """
    if not h > 0:
        raise ValueError(f"h must lie above 0, got {h}")
    slopes = torch.empty_like(parameter)
    for index in torch.cartesian_prod(*map(torch.arange, parameter.shape)).unbind():
        place = tuple(torch.atleast_1d(index))
        center = parameter[place].clone()
        parameter[place] = center + h
        above = function()
        parameter[place] = center - h
        slopes[place] = (above - function()) / (2 * h)
        parameter[place] = center
    return slopes


def count_products(widths: list[int]) -> tuple[int, int]:
    """Count the multiplications of matrix products for one sample.

    Args:
        widths: how many units each layer has, the inputs first; at least two, each
            at least 1.

    Returns:
        how many products the way forward takes, and how many the way backward takes.

    Raises:
        ValueError: there is no layer, or a layer has no unit.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(
            f"widths need at least two layers of 1 unit or more, got {widths}"
        )
    weights = [before * after for before, after in pairwise(widths)]
    along_weights, along_inputs = sum(weights), sum(weights[1:])
    return sum(weights), along_weights + along_inputs
