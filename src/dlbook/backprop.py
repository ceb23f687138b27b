"""Back-propagation by hand, for a whole batch at once.

Source: D. Rumelhart, G. Hinton and R. Williams, "Learning representations by
back-propagating errors", Nature 323, 1986, doi:10.1038/323533a0.
"""

from collections.abc import Callable
from itertools import pairwise, product

import torch
from torch import Tensor

from dlbook.contract import (
    require_above_zero,
    require_between,
    require_classes,
    require_finite,
    require_same_shape,
    require_table,
)
from dlbook.mlp import Activation, Layer, forward, layer, relu, require_fit


def trace(
    x: Tensor, layers: list[Layer], activation: Activation
) -> tuple[list[Tensor], list[Tensor]]:
    """Go forward, and keep what the way back needs.

    Args:
        x: (n, d) floats, one sample per row.
        layers: weights (k, d) and biases (k,), first layer first, at least one.
        activation: what the hidden layers apply, number by number, into a new tensor.

    Returns:
        what entered each layer, and the sums s that each layer computed: two lists with
        one tensor per layer. The last sums are the scores.

    Raises:
        TypeError: the dtypes differ.
        ValueError: there is no layer, or two shapes do not fit.
    """
    _require_network(x, layers)
    entered, sums = [], []
    for w, b in layers:
        entered.append(activation(sums[-1]) if sums else x)
        sums.append(layer(entered[-1], w, b, lambda s: s))
    return entered, sums


def cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Measure how badly scores predict labels.

    Args:
        scores: (n, classes) floats.
        labels: (n,) int64, the true classes, from 0 to classes - 1.

    Returns:
        the mean of the negative logarithm of the softmax at the true class, in nats.

    Raises:
        TypeError: the scores are no floats, or the labels no int64.
        ValueError: there are no scores, one is not finite, there is not one label for
            each row of scores, or a label lies outside 0..classes - 1.
    """
    _require_scores(scores, labels)
    return -scores.log_softmax(dim=1).gather(1, labels[:, None]).mean()


def cross_entropy_gradient(scores: Tensor, labels: Tensor) -> Tensor:
    """Give the slope of the mean cross-entropy along the scores.

    Args:
        scores: (n, classes) floats.
        labels: (n,) int64, the true classes, from 0 to classes - 1.

    Returns:
        (n, classes) floats: softmax, less 1 at the true class, over n; rows add up to 0.

    Raises:
        TypeError, ValueError: as in `cross_entropy`.
    """
    _require_scores(scores, labels)
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

    Raises:
        TypeError: along_scores holds no floats.
        ValueError: along_scores is not shaped like the scores, or not finite, or entered
            and sums are not those of the layers.
    """
    _require_trace(layers, entered, sums)
    require_table(along_scores, "along_scores")
    require_same_shape(along_scores, sums[-1], "along_scores and scores")
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

    Raises:
        TypeError: a gradient holds no floats.
        ValueError: eta is not above 0, or a gradient is shaped unlike its parameter, or
            not finite; then nothing is changed.
    """
    require_above_zero(eta, "eta")
    for parameters, slopes in zip(layers, gradients, strict=True):
        for parameter, slope in zip(parameters, slopes, strict=True):
            require_same_shape(parameter, slope, "parameter and gradient")
            require_finite(slope, "gradient")
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

    Raises:
        TypeError, ValueError: as in `trace` and `cross_entropy`, x is empty or not finite,
            or eta is not above 0; then nothing is changed.
    """
    _require_network(x, layers)
    require_table(x, "x")
    require_above_zero(eta, "eta")
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
        TypeError: the images are no floats, or the labels no int64.
        ValueError: batch lies outside 1..n, an image or label does not fit or is not
            finite; then nothing is changed. Or a score is not finite, because eta is too
            large; then the steps up to there are made.
    """
    _require_network(images, layers)
    require_table(images, "images")
    require_between(batch, 1, len(images), "batch")
    require_classes(labels, len(images), len(layers[-1][1]))
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

    Raises:
        TypeError: the images are no floats, or the labels no int64.
        ValueError: there is no image, not one label to each, or a score is not finite.
    """
    scores = forward(images, layers, relu)
    _require_scores(scores, labels)
    return (scores.argmax(dim=1) != labels).double().mean().item()


@torch.no_grad()
def finite_differences(
    function: Callable[[], Tensor], parameter: Tensor, h: float
) -> Tensor:
    """Measure a gradient by moving each coefficient a little up, then a little down.

    Args:
        function: computes a scalar from the parameter.
        parameter: float64, or float32 for a rough answer, of any shape; every coefficient
            is moved and put back.
        h: how far, above 0.

    Returns:
        the slope of the function along each coefficient, shaped like the parameter.

    Raises:
        TypeError: the parameter is neither float64 nor float32.
        ValueError: h is not above 0, or is lost when it is added to a coefficient; the
            function is not finite; or coefficients share memory, as after `expand`.
    """
    require_above_zero(h, "h")
    require_finite(parameter, "parameter")
    if torch.finfo(parameter.dtype).bits < 32:
        raise TypeError(f"parameter must be float64 or float32, got {parameter.dtype}")
    if 0 in parameter.stride():
        raise ValueError(f"coefficients must not share memory, got {parameter.stride()}")
    slopes = torch.empty_like(parameter)
    for place in product(*map(range, parameter.shape)):
        center = parameter[place].clone()
        up, down = center + h, center - h
        if up == down:
            raise ValueError(f"h must be larger, got {h} that is lost in {center.item()}")
        try:
            parameter[place] = up
            above = function()
            parameter[place] = down
            slopes[place] = (above - function()) / (up - down)
        finally:
            parameter[place] = center
    require_finite(slopes, "slopes of the function")
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


def _require_network(x: Tensor, layers: list[Layer]) -> None:
    if not layers:
        raise ValueError("a network needs at least 1 layer, got 0")
    for w, b in layers:
        require_fit(x, w, b)
        x = w.T  # as wide as what this layer gives


def _require_trace(
    layers: list[Layer], entered: list[Tensor], sums: list[Tensor]
) -> None:
    if not 0 < len(layers) == len(entered) == len(sums):
        counts = f"{len(layers)}, {len(entered)} and {len(sums)}"
        raise ValueError(f"layers, entered and sums must be as many, got {counts}")
    for (w, b), x, s in zip(layers, entered, sums, strict=True):
        require_fit(x, w, b)
        if s.shape != (len(x), len(b)):
            raise ValueError(f"sums must be {(len(x), len(b))}, got {tuple(s.shape)}")


def _require_scores(scores: Tensor, labels: Tensor) -> None:
    require_table(scores, "scores")
    require_classes(labels, *scores.shape)
