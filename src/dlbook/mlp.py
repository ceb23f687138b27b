"""Multi-layer perceptrons: units side by side make a layer, layers in a row a network.

Sources: D. Rumelhart, G. Hinton and R. Williams, "Learning representations by
back-propagating errors", Nature 323, 1986, doi:10.1038/323533a0; the sawtooth:
M. Telgarsky, "Benefits of depth in neural networks", COLT 2016, arXiv:1602.04485.
"""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Activation = Callable[[Tensor], Tensor]
Layer = tuple[Tensor, Tensor]  # weight (outputs, inputs) and bias (outputs,)


def tanh(s: Tensor) -> Tensor:
    """Squash numbers into the range from -1 to 1.

    Args:
        s: floats of any shape.

    Returns:
        floats of the same shape: 0 at 0, odd, ever flatter away from it.
    """
    return 2 / (1 + torch.exp(-2 * s)) - 1


def relu(s: Tensor) -> Tensor:
    """Replace negative numbers by zero.

    Args:
        s: floats of any shape.

    Returns:
        floats of the same shape, never negative.
    """
    return s.clamp(min=0)


def tanh_derivative(s: Tensor) -> Tensor:
    """Give the slope of tanh.

    Args:
        s: floats of any shape, the input of tanh.

    Returns:
        floats of the same shape: 1 at 0, toward 0 far away from it.
    """
    return 1 - tanh(s) ** 2


def relu_derivative(s: Tensor) -> Tensor:
    """Give the slope of the rectifier; at 0, where it has none, the slope on the left.

    Args:
        s: floats of any shape, the input of the rectifier.

    Returns:
        floats of the same shape: 1 where s is positive, else 0.
    """
    return (s > 0).to(s.dtype)


def unit(x: Tensor, w: Tensor, b: Tensor, activation: Activation) -> Tensor:
    """Compute one unit on one input.

    Args:
        x: (d,) floats, the input.
        w: (d,) floats, the weights.
        b: () float, the bias.
        activation: a function of a tensor, number by number.

    Returns:
        () float, the response.
    """
    return activation(w @ x + b)


def layer(x: Tensor, weight: Tensor, bias: Tensor, activation: Activation) -> Tensor:
    """Compute k units at once on n inputs.

    Args:
        x: (n, d) floats, one input per row.
        weight: (k, d) floats, one unit per row.
        bias: (k,) floats.
        activation: a function of a tensor, number by number.

    Returns:
        (n, k) floats: the response of each unit to each input.

    Raises:
        ValueError: the rows of input and weight differ in length, or the bias has not
            one number per unit, where broadcasting would invent an answer.
    """
    if x.shape[-1] != weight.shape[1] or bias.shape != weight.shape[:1]:
        raise ValueError(
            "a layer needs x (n, d), weight (k, d) and bias (k,), got "
            f"{tuple(x.shape)}, {tuple(weight.shape)} and {tuple(bias.shape)}"
        )
    return activation(x @ weight.T + bias)


def forward(x: Tensor, layers: list[Layer], activation: Activation) -> Tensor:
    """Send n inputs through a network; its last layer stays affine.

    Args:
        x: (n, d) floats, one input per row.
        layers: weights and biases, first layer first, at least one.
        activation: what the hidden layers apply, number by number.

    Returns:
        (n, c) floats, the c outputs of the last layer for each input.

    Raises:
        ValueError: there is no layer, or two shapes do not fit.
    """
    if not layers:
        raise ValueError("a network needs at least 1 layer, got 0")
    *hidden, (weight, bias) = layers
    for hidden_weight, hidden_bias in hidden:
        x = layer(x, hidden_weight, hidden_bias, activation)
    return layer(x, weight, bias, lambda s: s)


def draw_layers(
    widths: list[int], seed: int, dtype: torch.dtype = torch.float32
) -> list[Layer]:
    """Draw the weights and biases of a network, as `torch.nn.Linear` does.

    Args:
        widths: inputs, units of each hidden layer, outputs: at least two, none below 1.
        seed: equal seeds give equal layers.
        dtype: the type of the numbers.

    Returns:
        one weight (widths[l], widths[l - 1]) and one bias (widths[l],) per layer, uniform
        between -1/sqrt(d) and 1/sqrt(d), where d counts the inputs of the layer.

    Raises:
        ValueError: fewer than two widths, or one below 1.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"widths must hold at least 2 numbers from 1 up, got {widths}")
    generator = torch.Generator().manual_seed(seed)
    layers = []
    for inputs, outputs in pairwise(widths):
        reach = 1 / math.sqrt(inputs)
        weight = torch.empty(outputs, inputs, dtype=dtype)
        bias = torch.empty(outputs, dtype=dtype)
        for values in (weight, bias):
            values.uniform_(-reach, reach, generator=generator)
        layers.append((weight, bias))
    return layers


def parameter_count(layers: list[Layer]) -> int:
    """Count the numbers that training may change.

    Args:
        layers: weights and biases.

    Returns:
        how many numbers they hold together.
    """
    return sum(weight.numel() + bias.numel() for weight, bias in layers)


def collapse(layers: list[Layer]) -> Layer:
    """Multiply out a stack of affine layers into the one layer that it is.

    Args:
        layers: weights and biases, first layer first, at least one.

    Returns:
        weight (c, d) and bias (c,) of the map from the d inputs to the c outputs.

    Raises:
        ValueError: there is no layer.
    """
    if not layers:
        raise ValueError("a stack needs at least 1 layer, got 0")
    weight, bias = layers[0]
    for next_weight, next_bias in layers[1:]:
        weight, bias = next_weight @ weight, next_weight @ bias + next_bias
    return weight, bias


def active_units(x: Tensor, layers: list[Layer]) -> Tensor:
    """Tell which hidden rectifiers are on; where none switches, the network is affine.

    Args:
        x: (n, d) floats, one input per row.
        layers: weights and biases; the last layer has no rectifiers.

    Returns:
        (n, units) bool, the hidden units of all layers, first layer first.
    """
    switches = []
    for weight, bias in layers[:-1]:
        x = layer(x, weight, bias, relu)
        switches.append(x > 0)
    return torch.cat(switches, dim=1) if switches else torch.ones(len(x), 0).bool()


def count_pieces(x: Tensor, layers: list[Layer]) -> int:
    """Count the straight pieces that a rectifier network has along a path.

    Args:
        x: (n, d) floats, points along a line, close enough to meet every piece.
        layers: weights and biases.

    Returns:
        how many runs of points share their switches, from 1 to n.

    Raises:
        ValueError: there are no points.
    """
    if len(x) == 0:
        raise ValueError("counting pieces needs at least 1 point, got 0")
    on = active_units(x, layers)
    return 1 + int((on[1:] != on[:-1]).any(dim=1).sum())


def sawtooth(depth: int) -> list[Layer]:
    """Build a network of two rectifiers per layer that folds [0, 1] in half, depth times.

    Args:
        depth: how many hidden layers, at least 1.

    Returns:
        float64 layers; their output zigzags between 0 and 1 with 2**depth pieces.

    Raises:
        ValueError: depth is below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    fold = torch.tensor([[2.0, -4.0]], dtype=torch.float64)  # 2 relu(x) - 4 relu(x - 1/2)
    split = torch.ones(2, 1, dtype=torch.float64)
    bias = torch.tensor([0.0, -0.5], dtype=torch.float64)
    again = (split @ fold, bias)
    return [(split, bias), *[again] * (depth - 1), (fold, bias[:1])]
