"""Universal approximation: networks that are built, not trained, and their error bound.

Sources: G. Cybenko, "Approximation by superpositions of a sigmoidal function",
Mathematics of Control, Signals and Systems 2, 1989, doi:10.1007/BF02551274; K. Hornik,
"Approximation capabilities of multilayer feedforward networks", Neural Networks 4, 1991,
doi:10.1016/0893-6080(91)90009-T.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from dlbook.mlp import Layer, forward, relu

Function = Callable[[Tensor], Tensor]


def relu_interpolation(function: Function, knots: Tensor) -> list[Layer]:
    """Build the network of rectifiers that joins points of a curve by straight lines.

    Args:
        function: maps a tensor to one of the same shape, number by number.
        knots: (K + 1,) floats, increasing, where the network shall be exact; K is not 0.

    Returns:
        two layers for `mlp.forward`, with K hidden rectifiers, one per straight piece; to
        the left of the knots the network is constant, to the right it goes straight on.

    Raises:
        ValueError: there are fewer than two knots, they do not increase, or the curve is
            not finite at one.
    """
    if len(knots) < 2 or not (knots.diff() > 0).all():
        raise ValueError(f"knots must be at least 2 and increase, got {knots.tolist()}")
    heights = function(knots)
    if not heights.isfinite().all():
        raise ValueError(f"the curve must be finite at the knots, got {heights.tolist()}")
    slopes = heights.diff() / knots.diff()
    bends = torch.cat([slopes[:1], slopes.diff()])  # by how much the slope changes
    hidden = torch.ones_like(bends)[:, None], -knots[:-1]
    return [hidden, (bends[None], heights[:1])]


def interpolation_bound(curvature: float, width: float) -> float:
    """Bound the error of straight lines between points of a smooth curve.

    Args:
        curvature: the largest absolute second derivative of the curve.
        width: the largest distance between neighboring knots.

    Returns:
        curvature * width**2 / 8, in the unit of the curve.
    """
    return curvature * width**2 / 8


def log_log_slope(sizes: Tensor, errors: Tensor) -> float:
    """Fit a straight line to the logarithms of errors against sizes.

    Args:
        sizes: (n,) floats above 0, at least two different ones.
        errors: (n,) floats above 0.

    Returns:
        the exponent p of the law error = c * size**p that fits best.

    Raises:
        ValueError: there are fewer than two sizes, or a number is not above 0.
    """
    if len(sizes) < 2 or not ((sizes > 0).all() and (errors > 0).all()):
        raise ValueError(f"a law needs 2 sizes and errors above 0, got {sizes}, {errors}")
    x, y = sizes.double().log(), errors.double().log()
    return ((x - x.mean()) @ (y - y.mean()) / (x - x.mean()).square().sum()).item()


class Waves(NamedTuple):
    """A sum of waves, x -> sum over m of amplitude_m * sin(frequency_m · x + phase_m)."""

    frequencies: Tensor  # (M, D), v of the text
    phases: Tensor  # (M,), c of the text
    amplitudes: Tensor  # (M,), gamma of the text


def wave_sum(x: Tensor, waves: Waves) -> Tensor:
    """Evaluate a sum of waves.

    Args:
        x: (n, D) floats.
        waves: M waves in D dimensions.

    Returns:
        (n,) floats.
    """
    return torch.sin(x @ waves.frequencies.T + waves.phases) @ waves.amplitudes


def cosine_coefficients(function: Function, dimensions: int, degree: int) -> Tensor:
    """Expand a function on the unit cube into products of cosines.

    Args:
        function: maps (n, D) floats to (n,) floats.
        dimensions: D, at least 1.
        degree: the largest number of half-waves along an axis, at least 0.

    Returns:
        (degree + 1, ..., degree + 1) float64 with D axes; entry k belongs to the product
        over d of cos(pi k_d x_d). Integrals are means over midpoints, so it is rounded.
    """
    samples = max(32, 4 * degree)
    middle = (torch.arange(samples, dtype=torch.float64) + 0.5) / samples
    order = torch.arange(degree + 1, dtype=torch.float64)[:, None]
    basis = torch.cos(math.pi * order * middle) * (2 - (order == 0).double()) / samples
    points = torch.cartesian_prod(*[middle] * dimensions).view(-1, dimensions)
    table = function(points).view([samples] * dimensions)
    for _ in range(dimensions):  # integrate the last axis, bring its orders to the front
        table = torch.tensordot(basis, table, dims=([1], [dimensions - 1]))
    return table


def as_waves(coefficients: Tensor) -> Waves:
    """Turn products of cosines into waves: cos a cos b = [cos(a + b) + cos(a - b)] / 2.

    Args:
        coefficients: float64 with D axes, from `cosine_coefficients`.

    Returns:
        waves of different frequencies; a cosine is a sine a quarter turn ahead.
    """
    dimensions = coefficients.dim()
    orders = torch.cartesian_prod(*map(torch.arange, coefficients.shape))
    signs = torch.cartesian_prod(*[torch.tensor([1, -1])] * dimensions)
    half = 2 ** (dimensions - 1)  # cos is even, so the first sign may stay +
    signs = signs.view(-1, dimensions)[:half]
    every = (orders.view(-1, 1, dimensions) * signs).flatten(0, 1)
    shares = coefficients.flatten().repeat_interleave(len(signs)) / len(signs)
    frequencies, index = every.unique(dim=0, return_inverse=True)
    amplitudes = shares.new_zeros(len(frequencies)).index_add(0, index, shares)
    phases = torch.full_like(amplitudes, math.pi / 2)
    return Waves(math.pi * frequencies.double(), phases, amplitudes)


def network_of(waves: Waves, tolerance: float) -> list[Layer]:
    """Build the network of rectifiers that follows a sum of waves on the unit cube.

    Args:
        waves: M waves in D dimensions, float64, not all of amplitude 0.
        tolerance: xi / 2, how far the network may stray from the sum, above 0.

    Returns:
        two layers for `mlp.forward`, one hidden layer and one output.

    Raises:
        ValueError: the tolerance is not above 0.
    """
    if not tolerance > 0:
        raise ValueError(f"tolerance must be above 0, got {tolerance}")
    v, c, gamma = waves
    lowest, highest = v.clamp(max=0).sum(dim=1) + c, v.clamp(min=0).sum(dim=1) + c
    A = torch.maximum(lowest.abs(), highest.abs()).max().item()
    epsilon = tolerance / gamma.abs().sum().item()
    pieces = math.ceil(2 * A / math.sqrt(8 * epsilon))  # |sin''| <= 1
    knots = torch.linspace(-A, A, pieces + 1, dtype=v.dtype)
    (_, starts), (bends, height) = relu_interpolation(torch.sin, knots)
    weight = v.repeat_interleave(pieces, dim=0)
    bias = (c[:, None] + starts).flatten()
    return [(weight, bias), ((gamma[:, None] * bends).view(1, -1), height * gamma.sum())]


def evaluate(x: Tensor, layers: list[Layer]) -> Tensor:
    """Send points through a wide network in portions, so that memory stays bounded.

    Args:
        x: (n, D) floats.
        layers: a network with one output.

    Returns:
        (n,) floats.
    """
    portion = max(1, 4_000_000 // len(layers[0][1]))  # 32 MB of float64 at a time
    return torch.cat([forward(part, layers, relu) for part in x.split(portion)]).flatten()


def grid(dimensions: int, points: int) -> Tensor:
    """Lay a regular grid over the unit cube, corners included.

    Args:
        dimensions: D, at least 1.
        points: how many along each axis, at least 2.

    Returns:
        (points**D, D) float64.
    """
    axis = torch.linspace(0, 1, points, dtype=torch.float64)
    return torch.cartesian_prod(*[axis] * dimensions).view(-1, dimensions)


def waves_within(function: Function, dimensions: int, delta: float) -> Waves:
    """Find the first sum of waves that follows a function on a grid of the unit cube.

    Args:
        function: maps (n, D) float64 to (n,) float64, continuous.
        dimensions: D, from 1 to 3.
        delta: the largest error allowed on the grid, above 0.

    Returns:
        the waves of the smallest degree that is good enough.

    Raises:
        ValueError: degree 40 is not good enough, the function is not finite, or D is not
            from 1 to 3, where the grid would fill the memory.
    """
    if dimensions not in (1, 2, 3):
        raise ValueError(f"dimensions must lie between 1 and 3, got {dimensions}")
    x = grid(dimensions, {1: 1001, 2: 61, 3: 23}[dimensions])
    target, error = function(x), math.inf
    for degree in range(1, 41):
        waves = as_waves(cosine_coefficients(function, dimensions, degree))
        error = (wave_sum(x, waves) - target).abs().max().item()
        if error <= delta:
            return waves
    raise ValueError(
        f"delta must be reached by degree 40, got {error} instead of {delta}"
    )
