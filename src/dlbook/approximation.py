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

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_count,
    require_finite,
    require_same_shape,
    require_table,
    require_vector,
)
from dlbook.mlp import Layer, forward, relu

Function = Callable[[Tensor], Tensor]


def relu_interpolation(function: Function, knots: Tensor) -> list[Layer]:
    """Build the network of rectifiers that joins points of a curve by straight lines.

    Args:
        function: maps a tensor to one of the same shape and dtype, number by number.
        knots: (K + 1,) float64 or float32, increasing, where the network shall be exact but
            for rounding; K is not 0. In float32 the sums are rounded so much that many
            knots help no more, and in both dtypes steep pieces cost digits.

    Returns:
        two layers for `mlp.forward`, with K hidden rectifiers, one per straight piece; to
        the left of the knots the network is constant, to the right it goes straight on.

    Raises:
        TypeError: the knots are neither float64 nor float32, or the curve has another dtype.
        ValueError: there are fewer than two knots, they do not increase, the curve does not
            give one finite number for each, or a piece is too steep for the dtype.
    """
    require_vector(knots, "knots")
    if torch.finfo(knots.dtype).bits < 32:
        raise TypeError(f"knots must be float64 or float32, got {knots.dtype}")
    if len(knots) < 2 or not (knots.diff() > 0).all():
        raise ValueError(f"knots must be at least 2 and increase, got {knots.tolist()}")
    heights = function(knots)
    require_same_shape(knots, heights, "knots and function(knots)")
    require_finite(heights, "function(knots)")
    if heights.dtype != knots.dtype:
        raise TypeError(f"function(knots) must be {knots.dtype}, got {heights.dtype}")
    slopes = heights.diff() / knots.diff()
    bends = torch.cat([slopes[:1], slopes.diff()])  # by how much the slope changes
    require_finite(bends, "changes of slope")
    hidden = torch.ones_like(bends)[:, None], -knots[:-1]
    return [hidden, (bends[None], heights[:1])]


def interpolation_bound(curvature: float, width: float) -> float:
    """Bound the error of straight lines between points of a smooth curve.

    Args:
        curvature: the largest absolute second derivative of the curve.
        width: the largest distance between neighboring knots.

    Returns:
        curvature * width**2 / 8, in the unit of the curve.

    Raises:
        ValueError: the curvature is below 0, or the width not above 0.
    """
    require_at_least(curvature, 0, "curvature")
    require_above_zero(width, "width")
    return curvature * width**2 / 8


def log_log_slope(sizes: Tensor, errors: Tensor) -> float:
    """Fit a straight line to the logarithms of errors against sizes.

    Args:
        sizes: (n,) numbers above 0, at least two with different logarithms.
        errors: (n,) numbers above 0.

    Returns:
        the exponent p of the law error = c * size**p that fits best.

    Raises:
        ValueError: there are fewer than two sizes that differ, or by too little for float64,
            not one error to each, or a number is not above 0, or not finite.
    """
    require_vector(sizes.double(), "sizes")
    require_same_shape(sizes, errors, "sizes and errors")
    require_finite(errors.double(), "errors")
    x, y = sizes.double().log(), errors.double().log()
    if not ((sizes > 0).all() and (errors > 0).all() and (x != x[0]).any()):
        raise ValueError(f"a law needs 2 sizes and errors above 0, got {sizes}, {errors}")
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
        waves: M waves in D dimensions, of the dtype of x.

    Returns:
        (n,) floats.

    Raises:
        TypeError: x holds no floats, or the dtypes differ.
        ValueError: x has not D columns, is empty, or not finite, or the waves do not fit
            together.
    """
    _require_waves(*waves, dtype=x.dtype)
    require_table(x, "x", waves.frequencies.shape[1])
    return torch.sin(x @ waves.frequencies.T + waves.phases) @ waves.amplitudes


def cosine_coefficients(function: Function, dimensions: int, degree: int) -> Tensor:
    """Expand a function on the unit cube into products of cosines.

    Args:
        function: maps (n, D) floats to (n,) floats.
        dimensions: D, from 1 to 3.
        degree: the largest number of half-waves along an axis, at least 0.

    Returns:
        (degree + 1, ..., degree + 1) float64 with D axes; entry k belongs to the product
        over d of cos(pi k_d x_d). Integrals are means over n = max(32, 4 degree) midpoints an
        axis: a wave of 2n - k half-waves or so is taken for one of k.

    Raises:
        TypeError: the function gives no floats, or a number of axes or waves is no int.
        ValueError: dimensions lie outside 1..3, where the samples would fill the memory,
            degree is below 0, or the function does not give one finite number per row.
    """
    require_count(dimensions, 1, "dimensions")
    require_between(dimensions, 1, 3, "dimensions")
    require_count(degree, 0, "degree")
    samples = max(32, 4 * degree)
    middle = (torch.arange(samples, dtype=torch.float64) + 0.5) / samples
    order = torch.arange(degree + 1, dtype=torch.float64)[:, None]
    basis = torch.cos(math.pi * order * middle) * (2 - (order == 0).double()) / samples
    points = torch.cartesian_prod(*[middle] * dimensions).view(-1, dimensions)
    values = function(points)
    require_vector(values, "function(points)", len(points))
    table = values.double().view([samples] * dimensions)
    for _ in range(dimensions):  # integrate the last axis, bring its orders to the front
        table = torch.tensordot(basis, table, dims=([1], [dimensions - 1]))
    return table


def as_waves(coefficients: Tensor) -> Waves:
    """Turn products of cosines into waves: cos a cos b = [cos(a + b) + cos(a - b)] / 2.

    Args:
        coefficients: floats with D axes, from `cosine_coefficients`.

    Returns:
        waves of different frequencies; a cosine is a sine a quarter turn ahead.

    Raises:
        TypeError: the coefficients are no floats.
        ValueError: they have no axis, there are none, or one is not finite.
    """
    require_finite(coefficients, "coefficients")
    dimensions, device = coefficients.dim(), coefficients.device
    require_at_least(dimensions, 1, "number of axes")
    axes = [torch.arange(count, device=device) for count in coefficients.shape]
    orders = torch.cartesian_prod(*axes)
    signs = torch.cartesian_prod(*[torch.tensor([1, -1], device=device)] * dimensions)
    half = 2 ** (dimensions - 1)  # cos is even, so the first sign may stay +
    signs = signs.view(-1, dimensions)[:half]
    every = (orders.view(-1, 1, dimensions) * signs).flatten(0, 1)
    shares = coefficients.flatten().repeat_interleave(len(signs)) / len(signs)
    frequencies, index = every.unique(dim=0, return_inverse=True)
    amplitudes = shares.new_zeros(len(frequencies)).index_add(0, index, shares)
    phases = torch.full_like(amplitudes, math.pi / 2)
    return Waves(math.pi * frequencies.to(shares), phases, amplitudes)


def network_of(waves: Waves, tolerance: float) -> list[Layer]:
    """Build the network of rectifiers that follows a sum of waves on the unit cube.

    Args:
        waves: M waves in D dimensions, float64, not all 0.
        tolerance: xi / 2, how far the network may stray from the sum, above 0.

    Returns:
        two layers for `mlp.forward`, one hidden layer and one output.

    Raises:
        TypeError: the waves are not float64; rounding would break the tolerance.
        ValueError: the tolerance is not above 0, the waves do not fit together, or they
            are 0 everywhere.
    """
    require_above_zero(tolerance, "tolerance")
    v, c, gamma = waves
    _require_waves(v, c, gamma, torch.float64)
    if not (gamma.is_meta or (gamma.any() and (v.any() or c.any()))):
        raise ValueError("waves must not all be 0")
    lowest, highest = v.clamp(max=0).sum(dim=1) + c, v.clamp(min=0).sum(dim=1) + c
    A = torch.maximum(lowest.abs(), highest.abs()).max().item()
    epsilon = tolerance / gamma.abs().sum().item()
    pieces = math.ceil(2 * A / math.sqrt(8 * epsilon))  # |sin''| <= 1
    knots = torch.linspace(-A, A, pieces + 1, dtype=v.dtype, device=v.device)
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

    Raises:
        TypeError: the dtypes differ.
        ValueError: two shapes do not fit, or the network has several outputs.
    """
    if len(layers[-1][0]) != 1:
        raise ValueError(f"the network must have 1 output, got {len(layers[-1][0])}")
    portion = max(
        1, 4_000_000 // max(len(b) for _, b in layers)
    )  # 32 MB of float64 at a time
    return torch.cat([forward(part, layers, relu) for part in x.split(portion)]).flatten()


def grid(dimensions: int, points: int) -> Tensor:
    """Lay a regular grid over the unit cube, corners included.

    Args:
        dimensions: D, at least 1.
        points: how many along each axis, at least 2.

    Returns:
        (points**D, D) float64.

    Raises:
        ValueError: dimensions are below 1, or points below 2.
    """
    require_at_least(dimensions, 1, "dimensions")
    require_at_least(points, 2, "points")
    axis = torch.linspace(0, 1, points, dtype=torch.float64)
    return torch.cartesian_prod(*[axis] * dimensions).view(-1, dimensions)


def waves_within(function: Function, dimensions: int, delta: float) -> Waves:
    """Find the first sum of waves that follows a function on a grid of the unit cube.

    Args:
        function: maps (n, D) float64 to (n,) float64, continuous.
        dimensions: D, from 1 to 3.
        delta: the largest error allowed on the grid, above 0. Its points are 1/1000 apart on
            a line, 1/60 in the plane and 1/22 in space; what is finer is not seen.

    Returns:
        the waves of the smallest degree that is good enough; a constant has degree 0.

    Raises:
        TypeError: the function gives no floats.
        ValueError: degree 40 (in three dimensions 12, with 8125 waves) is not good enough,
            the function does not give one finite number per row, delta is not above 0, or
            D is not from 1 to 3, where the grid would fill the memory.
    """
    require_between(dimensions, 1, 3, "dimensions")
    require_above_zero(delta, "delta")
    points, highest = {1: (1001, 40), 2: (61, 40), 3: (23, 12)}[dimensions]
    x = grid(dimensions, points)
    target, error = function(x), math.inf
    require_vector(target, "function(x)", len(x))
    for degree in range(highest + 1):
        waves = as_waves(cosine_coefficients(function, dimensions, degree))
        sums = torch.cat([wave_sum(part, waves) for part in x.split(1000)])
        error = (sums - target).abs().max().item()
        if error <= delta:
            return waves
    raise ValueError(
        f"delta must be reached by degree {highest}, got {error} instead of {delta}"
    )


def _require_waves(v: Tensor, c: Tensor, gamma: Tensor, dtype: torch.dtype) -> None:
    require_table(v, "frequencies")
    require_vector(c, "phases", len(v))
    require_vector(gamma, "amplitudes", len(v))
    if {v.dtype, c.dtype, gamma.dtype} != {dtype}:
        raise TypeError(f"waves must be {dtype}, got {v.dtype}, {c.dtype}, {gamma.dtype}")
