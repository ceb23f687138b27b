"""Autoencoders: squeeze an image through a few numbers, and ask for the image back.

Sources: K. Pearson, 1901, doi:10.1080/14786440109462720; C. Eckart and G. Young, 1936,
doi:10.1007/BF02288367; P. Baldi and K. Hornik, "Neural networks and principal component
analysis", Neural Networks 2, 1989, doi:10.1016/0893-6080(89)90014-2; noise at the input:
P. Vincent et al., ICML 2008, doi:10.1145/1390156.1390294; B. Efron, "Tweedie's formula and
selection bias", 2011, doi:10.1198/jasa.2011.tm11181.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_count,
    require_finite,
    require_same_dtype,
    require_same_shape,
    require_table,
    require_wide,
)
from dlbook.knn import squared_distances
from dlbook.mlp import Layer, draw_layers, forward


class Components(NamedTuple):
    """What a cloud of points is in its own axes.

    Attributes:
        mean: (d,) floats, the center.
        directions: (r, d) floats, rows of length 1 at right angles; r = min(n, d).
        variances: (r,) floats along them, the largest first; they divide by n.
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor


def principal_components(x: Tensor) -> Components:
    """Find the directions along which points scatter most, each at right angles to the last.

    Args:
        x: (n, d) float32 or float64, one point per row, n at least 2.

    Returns:
        mean, directions and variances. The entry of a direction that is farthest from 0 is
        positive; directions of equal variance are any that span the same space.

    Raises:
        TypeError: x holds other numbers.
        ValueError: x is no table of finite numbers, or has one row.
    """
    require_table(x, "x")
    require_wide(x, "x")
    require_count(len(x), 2, "number of points")
    mean = x.mean(dim=0)
    _, lengths, directions = torch.linalg.svd(x - mean, full_matrices=False)
    farthest = directions.abs().argmax(dim=1, keepdim=True)
    signs = directions.gather(1, farthest).sign()
    return Components(mean, signs * directions, lengths**2 / len(x))


class Linear(NamedTuple):
    """Two matrices without activation: to the code, and back.

    Attributes:
        encoder: (k, d) floats.
        decoder: (d, k) floats.
    """

    encoder: Tensor
    decoder: Tensor


def along(components: Components, chosen: Sequence[int]) -> Linear:
    """Build the linear autoencoder whose code is the place along some directions.

    Args:
        components: of the training points.
        chosen: which directions, counted from 0, at least one, none twice.

    Returns:
        encoder and decoder, one the transpose of the other; for points without their mean.

    Raises:
        ValueError: nothing is chosen, one direction does not exist, or is chosen twice.
    """
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"chosen must be different directions, got {list(chosen)}")
    for index in chosen:
        require_count(index, 0, "direction")
        require_between(index, 0, len(components.directions) - 1, "direction")
    rows = components.directions[list(chosen)]
    return Linear(rows, rows.T)


def reconstruct(x: Tensor, network: Linear) -> Tensor:
    """Squeeze points into their codes, and unfold these again.

    Args:
        x: (n, d) float32 or float64, one point per row, without the mean of all.
        network: encoder (k, d) and decoder (d, k), floats like x.

    Returns:
        (n, d) floats.

    Raises:
        TypeError: x or a matrix holds other numbers, or the dtypes differ.
        ValueError: the shapes do not fit, or a number is not finite.
    """
    _require_fit(x, network)
    return x @ network.encoder.T @ network.decoder.T


def reconstruction_error(x: Tensor, answer: Tensor) -> Tensor:
    """Measure what was lost: squared differences, summed over pixels, averaged over images.

    Args:
        x: (n, d) floats, one image per row.
        answer: (n, d) floats of the same dtype, what came back.

    Returns:
        () float, the unit of x squared; 0 where every image came back.

    Raises:
        TypeError: they hold no floats, or the dtypes differ.
        ValueError: they are no tables of finite numbers, or their shapes differ, where
            broadcasting would compare each image with each.
    """
    require_table(x, "x")
    require_table(answer, "answer")
    require_same_shape(x, answer, "x and answer")
    require_same_dtype(x, answer, "x and answer")
    return (answer - x).square().sum(dim=1).mean()


def linear_gradient(x: Tensor, network: Linear) -> Linear:
    """Compute the slopes of the reconstruction error along both matrices, by hand.

    Args:
        x: (n, d) float32 or float64, one point per row, without the mean of all.
        network: encoder (k, d) and decoder (d, k), floats like x.

    Returns:
        slopes along the encoder (k, d) and along the decoder (d, k).

    Raises:
        TypeError, ValueError: as in `reconstruct`.
    """
    missed = (reconstruct(x, network) - x) * (2 / len(x))
    along_encoder = network.decoder.T @ missed.T @ x
    along_decoder = missed.T @ x @ network.encoder.T
    return Linear(along_encoder, along_decoder)


def alternate(x: Tensor, k: int, rounds: int, generator: Generator) -> Linear:
    """Fit a linear autoencoder in turns: the best codes, then the best decoder for them.

    Args:
        x: (n, d) float32 or float64, one point per row, without the mean of all.
        k: numbers in a code, from 1 to the smaller of n and d.
        rounds: how often both turns are taken, at least 1.
        generator: draws the first decoder, on the CPU.

    Returns:
        encoder (k, d) and decoder (d, k), on the device of x.

    Raises:
        TypeError: x holds other numbers, or a count is not whole.
        ValueError: x is no table of finite numbers, or a count is out of range.
    """
    require_table(x, "x")
    require_wide(x, "x")
    require_count(k, 1, "k")
    require_between(k, 1, min(x.shape), "k")
    require_count(rounds, 1, "rounds")
    decoder = torch.randn(x.shape[1], k, generator=generator, dtype=x.dtype).to(x.device)
    for _ in range(rounds):
        codes = x @ torch.linalg.pinv(decoder).T
        decoder = (torch.linalg.pinv(codes) @ x).T
    return Linear(torch.linalg.pinv(decoder), decoder)


def angle_between(first: Tensor, second: Tensor) -> Tensor:
    """Measure the largest principal angle between the spaces that two matrices span.

    Args:
        first: (d, k) float32 or float64, k at most d, columns that span a space.
        second: (d, k) floats of the same dtype.

    Returns:
        () float in degrees, from 0, one space, to 90: some direction of one is at right
        angles to all of the other.

    Raises:
        TypeError: they hold other numbers, or the dtypes differ.
        ValueError: the shapes differ, a number is not finite, or the columns of one depend
            on each other and span less than they seem to.
    """
    for matrix, name in ((first, "first"), (second, "second")):
        require_table(matrix, name)
        require_wide(matrix, name)
        rank = torch.linalg.matrix_rank(matrix).item()
        if rank < matrix.shape[1]:
            count = matrix.shape[1]
            raise ValueError(f"{name} must have {count} independent columns, got {rank}")
    require_same_shape(first, second, "first and second")
    require_same_dtype(first, second, "first and second")
    a, b = (torch.linalg.qr(matrix).Q for matrix in (first, second))
    sine = torch.linalg.matrix_norm(b - a @ (a.T @ b), ord=2)
    cosine = torch.linalg.svdvals(a.T @ b)[-1]
    return torch.rad2deg(torch.atan2(sine, cosine))  # exact where one of them is not


class Autoencoder(NamedTuple):
    """Two networks, one behind the other.

    Attributes:
        encoder: weights and biases from the pixels to the code.
        decoder: weights and biases from the code to the pixels.
    """

    encoder: list[Layer]
    decoder: list[Layer]


def draw_autoencoder(
    widths: Sequence[int], seed: int, dtype: torch.dtype = torch.float32
) -> Autoencoder:
    """Draw an encoder, and a decoder that is its mirror image.

    Args:
        widths: pixels, units of each hidden layer of the encoder, numbers in a code.
        seed: equal seeds give equal networks of one dtype.
        dtype: float32 or float64.

    Returns:
        layers as `mlp.draw_layers` draws them.

    Raises:
        TypeError: dtype is another type.
        ValueError: fewer than two widths, or one below 1.
    """
    require_wide(torch.empty(0, dtype=dtype), "weights")
    if len(widths) < 2:
        raise ValueError(f"widths must hold at least 2 numbers, got {list(widths)}")
    layers = draw_layers([*widths, *widths[-2::-1]], seed, dtype)
    return Autoencoder(layers[: len(widths) - 1], layers[len(widths) - 1 :])


def encode(x: Tensor, network: Autoencoder) -> Tensor:
    """Squeeze images into codes; the code itself has no activation.

    Args:
        x: (n, d) floats, one image per row.
        network: with d inputs, floats like x.

    Returns:
        (n, k) floats.

    Raises:
        TypeError: the dtypes differ.
        ValueError: there is no layer, or two shapes do not fit.
    """
    return forward(x, network.encoder, torch.tanh)


def decode(z: Tensor, network: Autoencoder) -> Tensor:
    """Draw images from codes.

    Args:
        z: (n, k) floats, one code per row; those of real images or any others.
        network: with codes of k numbers, floats like z.

    Returns:
        (n, d) floats. Pixels may come out below 0 or above 1.

    Raises:
        TypeError: the dtypes differ.
        ValueError: there is no layer, or two shapes do not fit.
    """
    return forward(z, network.decoder, torch.tanh)


def add_noise(x: Tensor, sigma: float, generator: Generator) -> Tensor:
    """Add normal noise, drawn anew for each number.

    Args:
        x: floats of any shape.
        sigma: its standard deviation, in the unit of x, at least 0.
        generator: draws it, on the CPU.

    Returns:
        floats of the same shape.

    Raises:
        TypeError: x holds no floats.
        ValueError: x is empty or not finite, or sigma is below 0 or no number.
    """
    require_finite(x, "x")
    require_at_least(sigma, 0, "sigma")
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    return x + sigma * noise.to(x.device)


def denoise_linear(noisy: Tensor, components: Components, sigma: float) -> Tensor:
    """Remove noise by the best affine map: keep of each direction the share that is signal.

    Args:
        noisy: (n, d) float32 or float64, images with normal noise.
        components: of clean images, floats like noisy.
        sigma: standard deviation of the noise, above 0.

    Returns:
        (n, d) floats.

    Raises:
        TypeError: noisy holds other numbers, or the dtypes differ.
        ValueError: noisy is not (n, d) for images of d pixels, or not finite, or sigma is
            not above 0.
    """
    mean, directions, variances = components
    require_table(noisy, "noisy", len(mean))
    require_wide(noisy, "noisy")
    require_same_dtype(noisy, directions, "noisy and components")
    require_above_zero(sigma, "sigma")
    shares = variances / (variances + sigma**2)
    return mean + (noisy - mean) @ directions.T * shares @ directions


def denoise_exactly(noisy: Tensor, images: Tensor, sigma: float) -> Tensor:
    """Average the images that may lie beneath the noise, each by its probability.

    Args:
        noisy: (m, d) float32 or float64, what is seen.
        images: (n, d) floats of the same dtype, each taken for equally likely before.
        sigma: standard deviation of the noise, above 0.

    Returns:
        (m, d) floats: the mean of what is possible, which no function of the noisy image
        beats in mean square, if one of the images is the truth.

    Raises:
        TypeError: noisy holds other numbers, or the dtypes differ.
        ValueError: the tables do not fit together, a number is not finite, or sigma is not
            above 0.
    """
    require_table(noisy, "noisy")
    require_wide(noisy, "noisy")
    require_above_zero(sigma, "sigma")
    distances = squared_distances(noisy, images)
    weights = (-distances / (2 * sigma**2)).softmax(dim=1)
    return weights.to(images.dtype) @ images


def _require_fit(x: Tensor, network: Linear) -> None:
    """Refuse points and matrices that do not fit, or are of several kinds."""
    require_table(x, "x")
    require_wide(x, "x")
    require_table(network.encoder, "encoder", x.shape[1])
    require_table(network.decoder, "decoder", len(network.encoder))
    for matrix in network:
        require_same_dtype(x, matrix, "x and network")
    if len(network.decoder) != x.shape[1]:
        raise ValueError(
            f"decoder must give {x.shape[1]} numbers, got {len(network.decoder)}"
        )
