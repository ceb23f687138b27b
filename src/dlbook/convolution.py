"""Convolution: the same small pattern looked for everywhere.

Source: K. Fukushima, "Neocognitron: a self-organizing neural network model for a mechanism
of pattern recognition unaffected by shift in position", Biological Cybernetics 36, 1980,
doi:10.1007/BF00344251.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, unfold

from dlbook.contract import (
    require_at_least,
    require_between,
    require_finite,
    require_vector,
)


def convolve_by_loops(image: Tensor, kernels: Tensor, biases: Tensor) -> Tensor:
    """Lay every kernel on every place of an image, and sum the products.

    Args:
        image: (channels, height, width) floats.
        kernels: (maps, channels, k, l) floats, k up to height and l up to width.
        biases: (maps,) floats, one per map.

    Returns:
        (maps, height - k + 1, width - l + 1) floats.

    Raises:
        TypeError: an argument does not hold floats, or their dtypes differ.
        ValueError: a shape or a number of channels is another, the kernels do not fit into
            the image, or an argument is empty or not finite.
    """
    _refuse_misfits(image[None], kernels, biases)
    maps, _, height, width = kernels.shape
    rows = output_side(image.shape[1], height)
    columns = output_side(image.shape[2], width)
    outputs = image.new_empty(maps, rows, columns)
    for m in range(maps):
        for row in range(rows):
            for column in range(columns):
                window = image[:, row : row + height, column : column + width]
                outputs[m, row, column] = (kernels[m] * window).sum() + biases[m]
    return outputs


def convolve(
    images: Tensor, kernels: Tensor, biases: Tensor, stride: int = 1, padding: int = 0
) -> Tensor:
    """Convolve a batch by one matrix product: kernels as rows, windows as columns.

    Args:
        images: (n, channels, height, width) floats.
        kernels: (maps, channels, k, l) floats.
        biases: (maps,) floats.
        stride: how far the window moves, at least 1.
        padding: how many rows and columns of zeros to put around, at least 0.

    Returns:
        (n, maps, rows, columns) floats, sized as `output_side` says.

    Raises:
        TypeError: an argument does not hold floats, or their dtypes differ.
        ValueError: a shape or a number of channels is another, the kernels do not fit, an
            argument is empty or not finite, or stride or padding is out of range.
    """
    require_at_least(padding, 0, "padding")
    images = pad(images, (padding,) * 4)
    _refuse_misfits(images, kernels, biases)
    rows, columns = (
        output_side(side, kernel, stride)
        for side, kernel in zip(images.shape[2:], kernels.shape[2:], strict=True)
    )
    windows = unfold(images, kernels.shape[2:], stride=stride)  # (n, c·k·l, places)
    outputs = kernels.flatten(1) @ windows + biases[:, None]
    return outputs.view(len(images), len(kernels), rows, columns)


def _refuse_misfits(images: Tensor, kernels: Tensor, biases: Tensor) -> None:
    for values, name in ((images, "images"), (kernels, "kernels")):
        if values.ndim != 4:
            raise ValueError(f"{name} must have 4 axes, got {tuple(values.shape)}")
        require_finite(values, name)
    require_vector(biases, "biases", len(kernels))  # a column would broadcast
    if not images.dtype == kernels.dtype == biases.dtype:
        found = f"{images.dtype}, {kernels.dtype} and {biases.dtype}"
        raise TypeError(f"images, kernels and biases must have one dtype, got {found}")
    if images.shape[1] != kernels.shape[1]:
        raise ValueError(
            f"kernels need the {images.shape[1]} channels of the image, "
            f"got {kernels.shape[1]}"
        )
    for side, kernel in zip(images.shape[2:], kernels.shape[2:], strict=True):
        output_side(side, kernel)


def gradients(
    images: Tensor, kernels: Tensor, along: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Carry a gradient back through a convolution of stride 1, without padding.

    Args:
        images: (n, channels, height, width) floats, as they went in.
        kernels: (maps, channels, k, l) floats.
        along: (n, maps, height - k + 1, width - l + 1) floats, how the loss changes with
            each response.

    Returns:
        how the loss changes with the images, the kernels and the biases, each of the shape
        of what it belongs to.

    Raises:
        TypeError: an argument does not hold floats, or their dtypes differ.
        ValueError: shapes do not fit, or an argument is empty or not finite.
    """
    _refuse_misfits(images, kernels, kernels.new_zeros(len(kernels)))
    require_finite(along, "along")
    rows, columns = kernels.shape[2:]
    places = (images.shape[2] - rows + 1, images.shape[3] - columns + 1)
    if along.shape != (len(images), len(kernels), *places):
        raise ValueError(f"along must be one for each response, got {tuple(along.shape)}")
    windows = unfold(images, (rows, columns))
    along_kernels = (along.flatten(2) @ windows.mT).sum(dim=0).view_as(kernels)
    # A pixel was seen by every window that holds it: the way back turns the kernels.
    turned = kernels.flip(2, 3).transpose(0, 1)
    around = pad(along, (columns - 1, columns - 1, rows - 1, rows - 1))
    along_images = convolve(around, turned, turned.new_zeros(len(turned)))
    return along_images, along_kernels, along.sum(dim=(0, 2, 3))


def output_side(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """Count the places at which a kernel fits along one side.

    Args:
        side: pixels of the image, at least 1.
        kernel: pixels of the kernel or of the pooling window, from 1 to the padded side.
        stride: how far it moves from place to place, at least 1.
        padding: pixels added at either end, at least 0.

    Returns:
        the side of the output, at least 1.

    Raises:
        ValueError: the kernel does not fit, or an argument is out of range.
    """
    if stride < 1 or padding < 0:
        raise ValueError(f"need stride >= 1 and padding >= 0, got {stride} and {padding}")
    require_at_least(side, 1, "side")
    padded = side + 2 * padding
    if not 1 <= kernel <= padded:
        raise ValueError(f"the kernel must lie between 1 and {padded}, got {kernel}")
    return (padded - kernel) // stride + 1


def max_pool(images: Tensor, side: int) -> Tensor:
    """Keep the largest number of every square window; windows do not overlap.

    Args:
        images: (n, channels, height, width) floats.
        side: of the windows, from 1 to the smaller of height and width.

    Returns:
        (n, channels, height // side, width // side) floats; rows and columns that fill no
        window are left out. In a tie the gradient goes to one of the largest.

    Raises:
        ValueError: the images have other axes, or no window fits.
    """
    if images.ndim != 4:
        raise ValueError(f"images must have 4 axes, got {tuple(images.shape)}")
    for length in images.shape[2:]:
        output_side(length, side, stride=side)
    windows = images.unfold(2, side, side).unfold(3, side, side)
    return windows.flatten(4).max(dim=4).values  # amax would share it out in a tie


def receptive_field(layers: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Follow one output number back to the pixels that it can see.

    Args:
        layers: kernel side and stride of each layer, both at least 1, from the image up.

    Returns:
        the side of the square that holds all it sees, and how far that square moves from
        one output to the next, both in pixels. Where a stride is larger than the square
        of the layer below, pixels between are seen by nobody, and the square has gaps.

    Raises:
        ValueError: a kernel or a stride is below 1.

    >>> receptive_field([(5, 1), (3, 3), (5, 1), (2, 2)])
    (22, 6)
    """
    field, jump = 1, 1
    for kernel, stride in layers:
        if kernel < 1 or stride < 1:
            raise ValueError(f"need kernel and stride >= 1, got {kernel} and {stride}")
        field += (kernel - 1) * jump
        jump *= stride
    return field, jump


def pixels_seen(layers: nn.Module, image: Tensor, row: int, column: int) -> Tensor:
    """Ask the gradient which pixels one place of the output depends on.

    Args:
        layers: images to maps; batch normalization in its mode for evaluation, or one
            image would see all of itself through the mean.
        image: (channels, height, width) floats, at which to ask.
        row: of the output, counted from 0.
        column: of the output, counted from 0.

    Returns:
        (height, width) bools: true where the gradient of one of the place's outputs is not
        0 at this image; a ReLU at rest or a lost maximum hides what it could see.

    Raises:
        TypeError: the image does not hold floats.
        ValueError: it is empty or not finite, or there is no such place.
    """
    require_finite(image, "image")
    image = image.detach().clone().requires_grad_()
    maps = layers(image[None])[0]
    require_between(row, 0, maps.shape[1] - 1, "row")
    require_between(column, 0, maps.shape[2] - 1, "column")
    changes = [
        torch.autograd.grad(output, image, retain_graph=True)[0]
        for output in maps[:, row, column]
    ]
    return (torch.stack(changes) != 0).any(dim=0).any(dim=0)


def shift(images: Tensor, down: int, right: int) -> Tensor:
    """Move images over a ground of zeros; what leaves the frame is lost.

    Args:
        images: (..., height, width) floats.
        down: rows, negative for up.
        right: columns, negative for left.

    Returns:
        floats of the same shape.
    """
    height, width = images.shape[-2:]
    down = max(-height, min(down, height))
    right = max(-width, min(right, width))
    return pad(images, (right, -right, down, -down))
