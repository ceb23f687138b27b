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

from dlbook.contract import (
    require_at_least,
    require_finite,
    require_table,
    require_vector,
)

Activation = Callable[[Tensor], Tensor]
Layer = tuple[Tensor, Tensor]  # weight (outputs, inputs) and bias (outputs,)


def tanh(s: Tensor) -> Tensor:
    """Squash numbers into the range from -1 to 1.

    Args:
        s: floats of any shape.

    Returns:
        floats of the same shape: 0 at 0, odd, ever flatter away from it. Right to a rounding
        of 1, not to its own digits: in float32 the smallest, below 6e-8, come out as 0.

    Raises:
        TypeError: s holds no floats; twice a byte may wrap around to 0.
    """
    if not s.is_floating_point():
        raise TypeError(f"s must be floats, got {s.dtype}")
    return 2 * torch.sigmoid(2 * s) - 1  # sigmoid(t) is 1 / (1 + exp(-t))


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
        floats of the same shape: 1 at 0, toward 0 far away from it. Right to a rounding of
        1: in float32 it is 0 from about 9 on.
    """
    return 1 - tanh(s) ** 2


def relu_derivative(s: Tensor) -> Tensor:
    """Give the slope of the rectifier; at 0, where it has none, the slope on the left.

    Args:
        s: floats of any shape, the input of the rectifier.

    Returns:
        floats of the same shape: 1 where s is positive, else 0; NaN where s is.
    """
    return torch.where(s.isnan(), s, (s > 0).to(s.dtype))


def unit(x: Tensor, w: Tensor, b: Tensor, activation: Activation) -> Tensor:
    """Compute one unit on one input.

    Args:
        x: (d,) floats, the input.
        w: (d,) floats, the weights.
        b: () float, the bias.
        activation: a function of a tensor, number by number.

    Returns:
        () float, the response.

    Raises:
        TypeError: they are no floats, or of several dtypes.
        ValueError: x and w are not two vectors of one length, or not finite, or b is not
            one number.
    """
    require_vector(w, "w")
    require_vector(x, "x", len(w))
    require_fit(x[None], w[None], b[None])  # a unit is a layer of one
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
        TypeError: the dtypes differ.
        ValueError: the rows of input and weight differ in length, or the bias has not
            one number per unit, where broadcasting would invent an answer.
    """
    require_fit(x, weight, bias)
    return activation(x @ weight.T + bias)


def require_fit(x: Tensor, weight: Tensor, bias: Tensor) -> None:
    """Refuse an input, a weight and a bias that make no layer.

    Args:
        x: (n, d) floats, one input per row.
        weight: (k, d) floats, one unit per row.
        bias: (k,) floats.

    Raises:
        TypeError: they are no floats, or of several dtypes.
        ValueError: their shapes do not fit.
    """
    shapes = [tuple(part.shape) for part in (x, weight, bias)]
    fits = x.ndim == weight.ndim == 2 and x.shape[1] == weight.shape[1]
    if not fits or bias.shape != weight.shape[:1]:
        raise ValueError(
            "a layer needs x (n, d), weight (k, d) and bias (k,), got "
            "{}, {} and {}".format(*shapes)
        )
    dtypes = [x.dtype, weight.dtype, bias.dtype]
    if not x.is_floating_point() or len(set(dtypes)) > 1:
        raise TypeError(f"a layer needs floats of one dtype, got {dtypes}")


def forward(x: Tensor, layers: list[Layer], activation: Activation) -> Tensor:
    """Send n inputs through a network; its last layer stays affine.

    Args:
        x: (n, d) floats, one input per row.
        layers: weights and biases, first layer first, at least one.
        activation: what the hidden layers apply, number by number.

    Returns:
        (n, c) floats, the c outputs of the last layer for each input.

    Raises:
        TypeError: the dtypes differ.
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
        seed: equal seeds give equal layers of one dtype.
        dtype: the type of the numbers; another type draws other numbers.

    Returns:
        one weight (widths[l], widths[l - 1]) and one bias (widths[l],) per layer, uniform
        between -1/sqrt(d) and 1/sqrt(d), where d counts the inputs of the layer.

    Raises:
        TypeError: dtype is no type of floats.
        ValueError: fewer than two widths, or one below 1.
    """
    if not dtype.is_floating_point:
        raise TypeError(f"dtype must be a type of floats, got {dtype}")
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
        TypeError: the dtypes differ.
        ValueError: there is no layer, or two shapes do not fit.
    """
    if not layers:
        raise ValueError("a stack needs at least 1 layer, got 0")
    weight, bias = layers[0]
    require_fit(weight, weight, bias)
    for next_weight, next_bias in layers[1:]:
        require_fit(weight.T, next_weight, next_bias)
        weight, bias = next_weight @ weight, next_weight @ bias + next_bias
    return weight, bias


def active_units(x: Tensor, layers: list[Layer]) -> Tensor:
    """Tell which hidden rectifiers are on; where none switches, the network is affine.

    Args:
        x: (n, d) floats, one input per row, at least one.
        layers: weights and biases; the last layer has no rectifiers.

    Returns:
        (n, units) bool, the hidden units of all layers, first layer first.

    Raises:
        TypeError: the dtypes differ.
        ValueError: x is empty, two shapes do not fit, or a response is not finite.
    """
    require_table(x, "x")
    switches = [torch.ones_like(x[:, :0], dtype=torch.bool)]
    for weight, bias in layers[:-1]:
        x = layer(x, weight, bias, relu)
        require_finite(x, "responses")
        switches.append(x > 0)
    return torch.cat(switches, dim=1)


def count_pieces(x: Tensor, layers: list[Layer]) -> int:
    """Count the straight pieces that a rectifier network has along a line.

    A piece is where the slope stays the same. The outputs are computed in float64; bends
    that its rounding hides are not counted, nor are pieces of fewer than three points.

    Args:
        x: (n, d) floats, different points in order along a straight line, so close that
            each piece holds at least three of them. In several dimensions float32 is
            too coarse for a line.
        layers: weights and biases.

    Returns:
        how many pieces hold three points or more, at least 1.

    Raises:
        TypeError: x holds no floats.
        ValueError: there are fewer than three points, they are not in order, not along a
            straight line, or too far apart for most pieces; or an output is not finite.
    """
    require_table(x, "x")
    require_at_least(len(x), 3, "number of points")
    x = x.double()
    gaps = _gaps_along_a_line(x)
    output = forward(x, [(w.double(), b.double()) for w, b in layers], relu)
    require_finite(output, "outputs")
    slopes = output.diff(dim=0) / gaps[:, None]
    rounding = 1e-9 * slopes.abs().max() + 1e-13 * output.abs().max() / gaps.min()
    goes_on = (slopes.diff(dim=0).abs() <= rounding).all(dim=1)
    pieces = int(goes_on[0]) + int((goes_on[1:] & ~goes_on[:-1]).sum())
    alone = int((~goes_on[1:] & ~goes_on[:-1]).sum())  # a border gives one such slope
    if alone >= 2 * pieces:
        raise ValueError(
            f"each piece must hold 3 points, got {pieces} that do, {alone} slopes alone"
        )
    return pieces


def sawtooth(depth: int) -> list[Layer]:
    """Build a network of two rectifiers per layer that folds [0, 1] in half, depth times.

    Args:
        depth: how many hidden layers, at least 1.

    Returns:
        float64 layers; their output zigzags between 0 and 1 with 2**depth pieces.

    Raises:
        ValueError: depth is below 1.
    """
    require_at_least(depth, 1, "depth")
    fold = torch.tensor([[2.0, -4.0]], dtype=torch.float64)  # 2 relu(x) - 4 relu(x - 1/2)
    split = torch.ones(2, 1, dtype=torch.float64)
    bias = torch.tensor([0.0, -0.5], dtype=torch.float64)
    again = [(split @ fold, bias.clone()) for _ in range(depth - 1)]  # each its own
    return [(split, bias), *again, (fold, torch.zeros(1, dtype=torch.float64))]


def _gaps_along_a_line(x: Tensor) -> Tensor:
    ahead = x - x[0]
    direction = ahead[-1] / ahead[-1].norm()
    places = ahead @ direction
    gaps, beside = places.diff(), (ahead - places[:, None] * direction).norm(dim=1).max()
    if not ((gaps > 0).all() and beside <= 1e-9 * gaps.min()):
        raise ValueError(
            f"points must lie in order along a straight line, got gaps from "
            f"{gaps.min().item()} and up to {beside.item()} beside it"
        )
    return gaps
