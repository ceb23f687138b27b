"""Regularization and normalization: which of all the fitting functions to prefer.

Sources: decay and Adam: I. Loshchilov and F. Hutter, 2019, arXiv:1711.05101; dropout: N.
Srivastava et al., JMLR 15, 2014, and for linear models S. Wager, S. Wang and P. Liang, 2013,
arXiv:1307.1493; batch normalization: S. Ioffe and C. Szegedy, 2015, arXiv:1502.03167; layer
normalization: J. Ba, J. Kiros and G. Hinton, 2016, arXiv:1607.06450.
"""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_count,
    require_finite,
    require_number,
    require_same_dtype,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)
from dlbook.mlp import Layer


def decayed_step(w: Tensor, gradient: Tensor, eta: float, decay: float) -> Tensor:
    """Shrink the weights a little, and go a step against the gradient.

    Args:
        w: floats of any shape.
        gradient: floats like w, the slope of the loss without any penalty.
        eta: the step size, above 0.
        decay: lambda of the text, 0 or more; eta times decay at most 1.

    Returns:
        floats like w: (1 - eta decay) w - eta gradient.

    Raises:
        TypeError: w or gradient holds no floats.
        ValueError: the shapes differ, a number is not finite, or eta or decay lies outside
            its range.
    """
    require_finite(w, "w")
    require_finite(gradient, "gradient")
    require_same_shape(w, gradient, "w and gradient")
    require_above_zero(eta, "eta")
    require_between(eta * decay, 0, 1, "eta times decay")
    return (1 - eta * decay) * w - eta * gradient


def share_after_steps(curvatures: Tensor, eta: float, steps: int) -> Tensor:
    """Tell how far descent has come on a quadratic loss, direction by direction.

    Args:
        curvatures: (d,) float32 or float64, the eigenvalues h of the Hessian, 0 or more.
        eta: the step size, above 0; eta times each curvature at most 2.
        steps: how many steps from w = 0, at least 0.

    Returns:
        (d,) floats: 1 - (1 - eta h)**steps, the part of the minimizer that is reached.

    Raises:
        TypeError: the curvatures are other numbers, or steps is no whole number.
        ValueError: a number lies outside its range.
    """
    _require_curvatures(curvatures)
    require_above_zero(eta, "eta")
    require_count(steps, 0, "steps")
    if not curvatures.is_meta:
        require_between(eta * curvatures.max().item(), 0, 2, "eta times a curvature")
    return 1 - (1 - eta * curvatures) ** steps


def share_of_ridge(curvatures: Tensor, penalty: float) -> Tensor:
    """Tell what a ridge leaves of the minimizer of a quadratic loss.

    Args:
        curvatures: (d,) float32 or float64, the eigenvalues h of the Hessian, 0 or more.
        penalty: lambda of the text, above 0.

    Returns:
        (d,) floats: h / (h + lambda), direction by direction.

    Raises:
        TypeError: the curvatures are other numbers.
        ValueError: a number lies outside its range.
    """
    _require_curvatures(curvatures)
    require_above_zero(penalty, "penalty")
    return curvatures / (curvatures + penalty)


def stop_early(
    layers: list[Layer],
    train: Callable[[list[Layer]], None],
    validate: Callable[[list[Layer]], float],
    patience: int,
    epochs: int,
) -> tuple[list[Layer], list[float]]:
    """Train until the validation loss has not fallen for a while, and return the best.

    Args:
        layers: weights and biases; `train` changes them in place.
        train: trains the layers for one epoch.
        validate: gives the loss of the layers on images kept aside.
        patience: how many epochs may pass without a new least loss, at least 1.
        epochs: how many there are at most, at least 1.

    Returns:
        a copy of the layers as they were after the best epoch, and the loss after each.

    Raises:
        TypeError: patience or epochs is no whole number.
        ValueError: one is below 1, or a loss is not finite.
    """
    require_count(patience, 1, "patience")
    require_count(epochs, 1, "epochs")
    losses, best = [], 0
    for epoch in range(epochs):
        train(layers)
        losses.append(validate(layers))
        require_number(losses[-1], "validation loss")
        if losses[-1] < losses[best] or epoch == 0:
            best, kept = epoch, [(w.clone(), b.clone()) for w, b in layers]
        if epoch - best == patience:
            break
    return kept, losses


def draw_mask(x: Tensor, p: float, generator: Generator) -> Tensor:
    """Choose at random which numbers stay.

    Args:
        x: floats of any shape.
        p: the probability that a number is dropped, from 0 to below 1.
        generator: draws, on the CPU.

    Returns:
        bool like x, True where the number stays.

    Raises:
        TypeError: x holds no floats.
        ValueError: x is empty or not finite, or p lies outside its range.
    """
    require_finite(x, "x")
    _require_share(p)
    return (torch.rand(x.shape, generator=generator) >= p).to(x.device)


def dropout(x: Tensor, kept: Tensor, p: float) -> Tensor:
    """Drop numbers, and stretch the others so that the mean stays.

    Args:
        x: floats of any shape.
        kept: bool like x, from `draw_mask`.
        p: the probability that a number was dropped, from 0 to below 1.

    Returns:
        floats like x: 0, or x / (1 - p).

    Raises:
        TypeError: x holds no floats, or kept is not bool.
        ValueError: the shapes differ, x is empty or not finite, or p lies outside its range.
    """
    require_finite(x, "x")
    _require_share(p)
    require_same_shape(x, kept, "x and kept")
    if kept.dtype != torch.bool:
        raise TypeError(f"kept must be bool, got {kept.dtype}")
    return x * kept / (1 - p)


def dropout_risk(X: Tensor, y: Tensor, w: Tensor, p: float) -> Tensor:
    """Give the mean squared loss of a linear model over all masks of its inputs.

    Args:
        X: (n, d) floats, one sample per row.
        y: (n,) floats like X.
        w: (d,) floats like X.
        p: the probability that an input is dropped, from 0 to below 1.

    Returns:
        a float: the sum of squares without masks, and a penalty on w that knows how large
        each input is.

    Raises:
        TypeError: X, y or w holds no floats, or the dtypes differ.
        ValueError: two shapes do not fit, a number is not finite, or p lies outside its range.
    """
    require_table(X, "X")
    require_vector(y, "y", len(X))
    require_vector(w, "w", X.shape[1])
    _require_share(p)
    require_same_dtype(X, y, "X and y")
    require_same_dtype(X, w, "X and w")
    penalty = p / (1 - p) * (X.square().sum(dim=0) @ w.square())
    return (y - X @ w).square().sum() + penalty


def warp(images: Tensor, turns: Tensor, scales: Tensor, shifts: Tensor) -> Tensor:
    """Turn, stretch and shift each image about its middle; what was outside is paper.

    Args:
        images: (n, c, side, side) float32 or float64, 0 for paper.
        turns: (n,) floats, counterclockwise, in radians.
        scales: (n,) floats above 0; 2 makes what is drawn twice as large.
        shifts: (n, 2) floats, right and down, in pixels.

    Returns:
        floats like images, each pixel mixed from the four nearest to where it comes from.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: an image is not square, a shape does not fit, a number is not finite, or
            a scale is not above 0.
    """
    _require_warps(images, turns, scales, shifts)
    cos, sin = turns.cos() / scales, turns.sin() / scales
    back = torch.stack([cos, -sin, sin, cos], dim=1).unflatten(1, (2, 2))
    moved = -back @ (2 / images.shape[-1] * shifts[:, :, None])  # an image is 2 wide here
    came_from = torch.cat([back, moved], dim=2)
    grid = affine_grid(came_from, list(images.shape), align_corners=False)
    return grid_sample(images, grid, align_corners=False)


def batch_norm(s: Tensor, scale: Tensor, shift: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Give each feature the same mean and spread over the batch.

    Args:
        s: (n, d) float32 or float64, one sample per row, two at least.
        scale: (d,) floats like s, the spread each feature gets.
        shift: (d,) floats like s, the mean it gets.
        epsilon: keeps the root of the variance from 0, above 0.

    Returns:
        (n, d) floats.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: there is one sample, two shapes do not fit, a number is not finite, or
            epsilon is not above 0.
    """
    _require_features(s, scale, shift, epsilon)
    require_at_least(len(s), 2, "samples in the batch")
    centered = s - s.mean(dim=0)
    variance = centered.square().mean(dim=0)
    return scale * centered / (variance + epsilon).sqrt() + shift


def batch_norm_backward(
    along_out: Tensor, s: Tensor, scale: Tensor, epsilon: float = 1e-5
) -> tuple[Tensor, Tensor, Tensor]:
    """Carry a gradient back through `batch_norm`, whose mean and variance feel s as well.

    Args:
        along_out: (n, d) floats like s, the gradient of the loss along the result.
        s: (n, d) float32 or float64, what `batch_norm` was given.
        scale: (d,) floats like s.
        epsilon: as in `batch_norm`.

    Returns:
        the gradient along s (n, d), along scale (d,) and along shift (d,).

    Raises:
        TypeError, ValueError: as in `batch_norm`, or along_out is not shaped like s.
    """
    _require_features(s, scale, scale, epsilon)
    require_at_least(len(s), 2, "samples in the batch")
    require_table(along_out, "along_out")
    require_same_shape(along_out, s, "along_out and s")
    require_same_dtype(along_out, s, "along_out and s")
    centered = s - s.mean(dim=0)
    root = (centered.square().mean(dim=0) + epsilon).sqrt()
    normalized, delta = centered / root, scale * along_out
    common = delta.mean(dim=0) + normalized * (delta * normalized).mean(dim=0)
    along_scale = (along_out * normalized).sum(dim=0)
    return (delta - common) / root, along_scale, along_out.sum(dim=0)


def update_running(
    mean: Tensor, variance: Tensor, s: Tensor, share: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Move the running mean and variance a little toward those of a batch.

    Args:
        mean: (d,) floats like s, what was known before.
        variance: (d,) floats like s, 0 or more.
        s: (n, d) float32 or float64, one sample per row, two at least.
        share: how much the batch counts, from 0 to 1.

    Returns:
        the new mean and the new variance, both (d,). The variance of the batch is divided
        by n - 1, as the library stores it, though it normalizes with the one divided by n.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: there is one sample, two shapes do not fit, a number is not finite or
            share lies outside its range.
    """
    _require_features(s, mean, variance, 1)
    require_at_least(len(s), 2, "samples in the batch")
    require_between(share, 0, 1, "share")
    _require_variance(variance)
    return (
        (1 - share) * mean + share * s.mean(dim=0),
        (1 - share) * variance + share * s.var(dim=0),
    )


def batch_norm_at_test(
    s: Tensor,
    mean: Tensor,
    variance: Tensor,
    scale: Tensor,
    shift: Tensor,
    epsilon: float = 1e-5,
) -> Tensor:
    """Normalize with what is known from training: no sample feels another.

    Args:
        s: (n, d) float32 or float64, one sample per row.
        mean: (d,) floats like s, the running mean.
        variance: (d,) floats like s, the running variance, 0 or more.
        scale: (d,) floats like s.
        shift: (d,) floats like s.
        epsilon: as in `batch_norm`.

    Returns:
        (n, d) floats.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: two shapes do not fit, a number is not finite, a variance is below 0, or
            epsilon is not above 0.
    """
    _require_features(s, scale, shift, epsilon)
    _require_features(s, mean, variance, epsilon)
    _require_variance(variance)
    return scale * (s - mean) / (variance + epsilon).sqrt() + shift


def layer_norm(x: Tensor, scale: Tensor, shift: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Give the features of each sample the same mean and spread, whatever the batch.

    Args:
        x: (..., d) float32 or float64, one sample along the last axis, d at least 2.
        scale: (d,) floats like x.
        shift: (d,) floats like x.
        epsilon: keeps the root of the variance from 0, above 0.

    Returns:
        floats like x.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: a sample has one feature, two shapes do not fit, a number is not finite,
            or epsilon is not above 0.
    """
    require_finite(x, "x")
    _require_features(x.reshape(-1, x.shape[-1]), scale, shift, epsilon)
    require_at_least(x.shape[-1], 2, "features of a sample")
    centered = x - x.mean(dim=-1, keepdim=True)
    variance = centered.square().mean(dim=-1, keepdim=True)
    return scale * centered / (variance + epsilon).sqrt() + shift


def _require_curvatures(curvatures: Tensor) -> None:
    require_vector(curvatures, "curvatures")
    require_wide(curvatures, "curvatures")
    if not curvatures.is_meta:
        require_at_least(curvatures.min().item(), 0, "curvature")


def _require_variance(variance: Tensor) -> None:
    if not variance.is_meta:
        require_at_least(variance.min().item(), 0, "variance")


def _require_share(p: float) -> None:
    if not 0 <= p < 1:
        raise ValueError(f"p must be at least 0 and below 1, got {p}")


def _require_features(s: Tensor, first: Tensor, second: Tensor, epsilon: float) -> None:
    require_table(s, "s")
    require_wide(s, "s")
    for vector in (first, second):
        require_vector(vector, "a number for each feature", s.shape[1])
        require_same_dtype(s, vector, "s and the numbers of its features")
    require_above_zero(epsilon, "epsilon")


def _require_warps(images: Tensor, turns: Tensor, scales: Tensor, shifts: Tensor) -> None:
    if images.ndim != 4 or images.shape[-1] != images.shape[-2]:
        raise ValueError(f"images must be (n, c, side, side), got {tuple(images.shape)}")
    require_finite(images, "images")
    require_wide(images, "images")
    require_vector(turns, "turns", len(images))
    require_vector(scales, "scales", len(images))
    require_table(shifts, "shifts", 2)
    if len(shifts) != len(images):
        raise ValueError(f"shifts must be ({len(images)}, 2), got {tuple(shifts.shape)}")
    for part in (turns, scales, shifts):
        require_same_dtype(images, part, "images and warps")
    if not scales.is_meta:
        require_above_zero(scales.min().item(), "scale")
