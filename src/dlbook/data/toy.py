"""Small data sets drawn from a formula, so that no chapter needs a download to start."""

import math

import torch
from torch import Tensor


def two_moons(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Draw n points on two interleaved half-circles of radius 1.

    Args:
        n: how many points, split evenly between the moons (the first takes the odd one).
        noise: standard deviation of the Gaussian added to both coordinates, in radii.
        seed: equal seeds give equal points.

    Returns:
        points, (n, 2) floats, and labels, (n,) int64: 0 above, 1 below.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    angle = math.pi * torch.rand(n, generator=generator)
    upper = torch.stack([angle.cos(), angle.sin()], dim=1)
    lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
    points = torch.where(labels[:, None] == 0, upper, lower)
    return points + noise * torch.randn(n, 2, generator=generator), labels


def noisy_sine(sets: int, n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Draw training sets from one sine: the same places, fresh noise in every set.

    Args:
        sets: how many training sets.
        n: how many points in each, evenly spread from -pi to pi.
        noise: standard deviation of the Gaussian added to the sine.
        seed: equal seeds give equal sets.

    Returns:
        x, (sets, n) float64 from -pi to pi, and y, (sets, n) float64.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.linspace(-math.pi, math.pi, n, dtype=torch.float64).expand(sets, n)
    return x, x.sin() + noise * torch.randn(sets, n, generator=generator, dtype=x.dtype)


def slanted_gaussians(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw two Gaussian clouds in the plane that share one slanted covariance.

    Args:
        n: how many points, split evenly between the clouds (the first takes the odd one).
        seed: equal seeds give equal points.

    Returns:
        points, (n, 2) float64, and signs, (n,) float64: -1 for the cloud around
        (-0.6, 0.5), 1 for the one around (0.6, -0.5).
    """
    generator = torch.Generator().manual_seed(seed)
    signs = 2.0 * (torch.arange(n, dtype=torch.float64) % 2) - 1
    noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    slant = torch.tensor([[1.0, 0.6], [0.0, 0.5]], dtype=torch.float64)
    center = torch.tensor([0.6, -0.5], dtype=torch.float64)
    return noise @ slant + signs[:, None] * center, signs


def noisy_wave(n: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Draw n points in the unit square, labeled by the side of a wave, then disturbed.

    Each label is turned around with the same probability wherever the point lies. No rule
    can foresee that, so the Bayes error is exactly `noise`.

    Args:
        n: how many points, uniform in the square.
        noise: probability that a label is turned around, from 0 to 0.5.
        seed: equal seeds give equal points.

    Returns:
        points, (n, 2) float64 from 0 to 1, and labels, (n,) int64: 1 for points above the
        wave, 0 for points below it.

    Raises:
        ValueError: noise lies outside 0..0.5.
    """
    if not 0 <= noise <= 0.5:
        raise ValueError(f"noise must lie between 0 and 0.5, got {noise}")
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(n, 2, generator=generator, dtype=torch.float64)
    wave = 0.5 + 0.25 * (2 * math.pi * points[:, 0]).sin()
    flipped = torch.rand(n, generator=generator, dtype=torch.float64) < noise
    return points, ((points[:, 1] > wave) ^ flipped).long()


def noisy_rings(n: int, rings: int, noise: float, seed: int) -> tuple[Tensor, Tensor]:
    """Draw n points in a square, labeled by rings around its center, then disturbed.

    Args:
        n: how many points, uniform in the square.
        rings: how many rings fit between center and side; the labels alternate.
        noise: probability that a label is turned around: the Bayes error, from 0 to 0.5.
        seed: equal seeds give equal points.

    Returns:
        points, (n, 2) float64 from -1 to 1, and labels, (n,) int64: 0 in the innermost
        ring, 1 in the next, and so on in turn, before the noise.

    Raises:
        ValueError: rings is less than 1, or noise lies outside 0..0.5.
    """
    if rings < 1 or not 0 <= noise <= 0.5:
        raise ValueError(
            f"rings must be 1 or more and noise lie in 0..0.5, got {rings}, {noise}"
        )
    generator = torch.Generator().manual_seed(seed)
    points = 2 * torch.rand(n, 2, generator=generator, dtype=torch.float64) - 1
    ring = (rings * points.norm(dim=1)).long()
    flipped = torch.rand(n, generator=generator, dtype=torch.float64) < noise
    return points, (ring + flipped) % 2
