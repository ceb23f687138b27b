"""Initialization: how large the weights must be before the first step.

Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
neural networks", AISTATS 2010; K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into
rectifiers", ICCV 2015, arXiv:1502.01852; the scatter of products: B. Hanin and M. Nica,
2020, arXiv:1812.05994; orthogonal weights: A. Saxe, J. McClelland and S. Ganguli, 2014,
arXiv:1312.6120; rescaling: D. Mishkin and J. Matas, 2016, arXiv:1511.06422; units in pairs:
D. Balduzzi et al., 2017, arXiv:1702.08591.
"""

import math
from itertools import pairwise

import torch
from torch import Generator, Tensor

from dlbook.backprop import trace
from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_count,
    require_finite,
    require_same_shape,
    require_table,
    require_wide,
)
from dlbook.mlp import Activation, Layer, layer, require_fit


def draw(
    widths: list[int], gain: float, generator: Generator, dtype: torch.dtype
) -> list[Layer]:
    """Draw Gaussian weights of variance gain**2 / inputs, and biases of 0.

    Args:
        widths: inputs, units of each hidden layer, outputs: at least two, none below 1.
        gain: g of the text, above 0; the root of 2 suits rectifiers.
        generator: draws the weights, on the CPU.
        dtype: float32 or float64, the type of the numbers.

    Returns:
        one weight (widths[l], widths[l - 1]) and one bias (widths[l],) per layer.

    Raises:
        TypeError: dtype is another type, or a width no whole number.
        ValueError: fewer than two widths, one below 1, or the gain is not above 0, or too
            small or large for the dtype.
    """
    require_at_least(len(widths), 2, "number of widths")
    require_above_zero(gain, "gain")
    require_wide(torch.empty(0, dtype=dtype), "weights")
    for width in widths:
        require_count(width, 1, "width")
    layers = []
    for inputs, outputs in pairwise(widths):
        deviation = torch.tensor(gain / math.sqrt(inputs), dtype=dtype)
        require_above_zero(deviation.item(), f"gain of a layer, in {dtype},")
        weight = torch.randn(outputs, inputs, generator=generator, dtype=dtype)
        layers.append((deviation * weight, torch.zeros_like(weight[:, 0])))
    return layers


def signals(x: Tensor, layers: list[Layer], activation: Activation) -> list[Tensor]:
    """Give what enters the network, and what each layer hands on.

    Args:
        x: (n, d) float32 or float64, one input per row.
        layers: weights and biases, first layer first, at least one.
        activation: what every layer applies, the last one too, number by number, into a
            new tensor.

    Returns:
        x and one tensor (n, units) for each layer.

    Raises:
        TypeError: x holds other numbers, or the dtypes differ.
        ValueError: x is empty or not finite, there is no layer, or two shapes do not fit.
    """
    require_table(x, "x")
    require_wide(x, "x")
    entered, sums = trace(x, layers, activation)
    return [*entered, activation(sums[-1])]


def mean_squares(x: Tensor, layers: list[Layer], activation: Activation) -> Tensor:
    """Measure the size of the signal: the mean square over inputs and units, layer by layer.

    Args:
        x: (n, d) float32 or float64, one input per row.
        layers: weights and biases, first layer first, at least one.
        activation: what every layer applies, number by number.

    Returns:
        (layers + 1,) floats, that of the inputs first; infinite and then NaN where the
        dtype ends, and 0 where the squares are too small for it.

    Raises:
        TypeError, ValueError: as in `signals`.
    """
    sizes = [part.square().mean() for part in signals(x, layers, activation)]
    return torch.stack(sizes)


def variances_over_inputs(
    x: Tensor, layers: list[Layer], activation: Activation
) -> Tensor:
    """Measure what depends on the input: the variance over the rows, mean over the units.

    Args:
        x: (n, d) float32 or float64, two inputs at least, one per row.
        layers: weights and biases, first layer first, at least one.
        activation: what every layer applies, number by number.

    Returns:
        (layers + 1,) floats, that of the inputs first. A mean square splits into this and
        the mean square of what all inputs share.

    Raises:
        TypeError, ValueError: as in `signals`; or there is one input only.
    """
    handed_on = signals(x, layers, activation)
    require_at_least(len(x), 2, "number of inputs")
    return torch.stack([part.var(dim=0, correction=0).mean() for part in handed_on])


def gradient_mean_squares(
    x: Tensor,
    layers: list[Layer],
    along_scores: Tensor,
    activation: Activation,
    derivative: Activation,
) -> Tensor:
    """Measure the gradient along what enters each layer, and along the scores.

    Args:
        x: (n, d) float32 or float64, one input per row.
        layers: weights and biases, first layer first, at least one.
        along_scores: (n, c) floats, the gradient of the loss along the scores.
        activation: what the hidden layers apply, number by number, into a new tensor; the
            last stays affine.
        derivative: its slope, as a function of the sum s.

    Returns:
        (layers + 1,) floats, means over inputs and units: along the inputs first, along
        the scores last.

    Raises:
        TypeError: x holds other numbers, along_scores no floats, or the dtypes differ.
        ValueError: x or along_scores is empty or not finite, two shapes do not fit, or
            along_scores is not shaped like the scores.
    """
    require_table(x, "x")
    require_wide(x, "x")
    _, sums = trace(x, layers, activation)
    require_same_shape(along_scores, sums[-1], "along_scores and scores")
    require_finite(along_scores, "along_scores")
    along_s, sizes = along_scores, [along_scores.square().mean()]
    for index in reversed(range(len(layers))):
        along_x = along_s @ layers[index][0]
        sizes.append(along_x.square().mean())
        if index > 0:
            slope = derivative(sums[index - 1])
            require_same_shape(slope, along_x, "derivative and sums")
            along_s = along_x * slope
    return torch.stack(sizes[::-1])


def mean_square_map(q: Tensor, gain: float, activation: Activation) -> Tensor:
    """Predict the mean square behind a very wide layer from the one before it.

    Args:
        q: float64 of any shape, mean squares, none below 0.
        gain: g of the text, above 0.
        activation: a function of a tensor, number by number, that grows no faster than a
            polynomial and is smooth from point to point.

    Returns:
        float64 like q: the mean of activation(g sqrt(q) z)**2 over standard Gaussian z, as
        a sum over 4001 points from -10 to 10.

    Raises:
        TypeError: q is not float64.
        ValueError: q is empty, not finite or below 0, or the gain is not above 0.
    """
    require_finite(q, "q")
    require_above_zero(gain, "gain")
    if q.dtype != torch.float64:
        raise TypeError(f"q must be float64, got {q.dtype}")
    if not q.is_meta:
        require_at_least(q.min().item(), 0, "q")
    z = torch.linspace(-10, 10, 4001, dtype=q.dtype, device=q.device)
    density = torch.exp(-z.square() / 2)
    squares = activation(gain * q.sqrt()[..., None] * z).square()
    return squares @ density / density.sum()


def rescale(x: Tensor, layers: list[Layer], activation: Activation) -> list[Layer]:
    """Divide each weight so that on these inputs every layer hands on a mean square of 1.

    Args:
        x: (n, d) float32 or float64, a few hundred inputs, one per row.
        layers: weights, and biases of 0, first layer first, at least one.
        activation: what every layer applies; positive factors must pass through it, as
            through a rectifier.

    Returns:
        layers of the same shapes; the ones that were given stay as they are.

    Raises:
        TypeError: x holds other numbers, or the dtypes differ.
        ValueError: x is empty or not finite, there is no layer, two shapes do not fit, a
            bias is not 0, a layer hands on nothing but zeros, or more than the dtype holds,
            or the activation lets factors through only bent, as tanh does.
    """
    require_table(x, "x")
    require_wide(x, "x")
    require_at_least(len(layers), 1, "number of layers")
    rescaled = []
    for weight, bias in layers:
        if bias.any():
            raise ValueError(f"biases must be 0, got {bias.abs().max().item()}")
        size = layer(x, weight, bias, activation).square().mean().sqrt()
        require_above_zero(size.item(), "size of a layer")
        rescaled.append((weight / size, bias))
        x = layer(x, *rescaled[-1], activation)
        if not 0.999 < (reached := x.square().mean().item()) < 1.001:
            raise ValueError(
                f"activation must let factors through, got {reached:.3f} for 1"
            )
    return rescaled


def mirror(layers: list[Layer]) -> list[Layer]:
    """Double the hidden units, each beside its negative: a linear beginning.

    Args:
        layers: weights (k, d) and biases (k,) of a linear stack, first layer first, at least
            one.

    Returns:
        layers with twice the hidden units; with rectifiers between them they give what the
        stack gives without, since relu(s) - relu(-s) = s.

    Raises:
        TypeError: the dtypes differ.
        ValueError: there is no layer, or two shapes do not fit.
    """
    require_at_least(len(layers), 1, "number of layers")
    doubled, x = [], layers[0][0][:1]
    for index, (weight, bias) in enumerate(layers):
        require_fit(x, weight, bias)
        x = weight.T
        if index > 0:
            weight = torch.cat([weight, -weight], dim=1)
        if index < len(layers) - 1:
            weight, bias = torch.cat([weight, -weight]), torch.cat([bias, -bias])
        doubled.append((weight, bias))
    return doubled


def orthogonal(size: int, generator: Generator, dtype: torch.dtype) -> Tensor:
    """Draw a rotation or reflection, each as likely as any other.

    Args:
        size: rows and columns, at least 1.
        generator: draws the numbers, on the CPU.
        dtype: float32 or float64.

    Returns:
        (size, size) floats with rows of length 1 at right angles.

    Raises:
        TypeError: dtype is another type, or size is no whole number.
        ValueError: size is below 1.
    """
    require_count(size, 1, "size")
    require_wide(torch.empty(0, dtype=dtype), "weights")
    q, r = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=dtype))
    return q * r.diagonal().sign()  # else the signs would hang on how QR is computed


def effective_rank(matrix: Tensor) -> float:
    """Count the directions that a matrix lets through, the weak ones less.

    Args:
        matrix: (rows, columns) float32 or float64, not all 0.

    Returns:
        (sum of s**2)**2 / sum of s**4 over the singular values s: the rank where all are
        equal, near 1 where one outgrows the others.

    Raises:
        TypeError: the matrix holds other numbers.
        ValueError: it is no matrix, is empty, not finite, or 0.
    """
    require_table(matrix, "matrix")
    require_wide(matrix, "matrix")
    s = torch.linalg.svdvals(matrix)
    require_above_zero(s.max().item(), "largest singular value")
    squares = (s / s.max()).square()
    return (squares.sum().square() / squares.square().sum()).item()
