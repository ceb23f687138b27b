"""Views: one block of memory, read in many orders through strides and an offset.

Sources: C. Harris et al., "Array programming with NumPy", Nature 585, 2020,
doi:10.1038/s41586-020-2649-2; A. Paszke et al., "PyTorch: an imperative style,
high-performance deep learning library", NeurIPS 2019.
"""

import torch
from torch import Tensor

from dlbook.contract import require_at_least


def addresses(tensor: Tensor) -> Tensor:
    """Compute where each coefficient of a tensor lies in its storage.

    Args:
        tensor: dense, of any shape, strides and offset.

    Returns:
        int64 of the same shape, on the same device: the places, counted in coefficients
        from 0.

    >>> addresses(torch.zeros(2, 3).t())
    tensor([[0, 3],
            [1, 4],
            [2, 5]])
    """
    place = torch.tensor(tensor.storage_offset(), device=tensor.device)
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        jumps = stride * torch.arange(size, device=tensor.device)
        place = place.unsqueeze(-1) + jumps
    return place


def contiguous_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Give the strides of a tensor that lies in memory in reading order.

    Args:
        shape: sizes, each 0 or more.

    Returns:
        one stride for each dimension: the number of coefficients in all later ones.

    Raises:
        ValueError: a size is negative.

    >>> contiguous_strides((2, 3, 4))
    (12, 4, 1)
    """
    if min(shape, default=0) < 0:
        raise ValueError(f"sizes must be 0 or more, got {tuple(shape)}")
    strides = [1]
    for size in reversed(shape[1:]):
        # torch counts an empty dimension as one, so that no stride is 0.
        strides.append(strides[-1] * max(size, 1))
    return tuple(reversed(strides)) if shape else ()


def reads_in_order(tensor: Tensor) -> bool:
    """Tell whether the coefficients follow each other in memory, without gaps.

    Args:
        tensor: of any shape and strides.

    Returns:
        what `tensor.is_contiguous()` says.
    """
    if tensor.numel() == 0:
        return True
    expected = contiguous_strides(tuple(tensor.shape))
    triples = zip(tensor.shape, tensor.stride(), expected, strict=True)
    # A dimension of size 1 is never walked along, so its stride does not matter.
    return all(size == 1 or stride == wanted for size, stride, wanted in triples)


def shares_storage(first: Tensor, second: Tensor) -> bool:
    """Tell whether two tensors lie in one block of memory.

    Args:
        first: any tensor.
        second: any other tensor.

    Returns:
        True if their storages overlap. Then a write to one changes the other wherever both
        read one place; two rows of a table read none in common. False for empty storages,
        on the meta device, and for a file that was mapped into memory twice.
    """
    (begin, end), (other_begin, other_end) = map(_bytes_of, (first, second))
    overlap = 0 < max(begin, other_begin) < min(end, other_end)
    return first.device == second.device and overlap


def layout(tensor: Tensor) -> str:
    """Say how a tensor reads its storage, on one line.

    Args:
        tensor: of any shape and strides.

    Returns:
        shape, stride and offset.

    >>> layout(torch.zeros(2, 3)[:, 1:])
    'shape (2, 2), stride (3, 1), offset 1'
    """
    shape, stride = tuple(tensor.shape), tensor.stride()
    return f"shape {shape}, stride {stride}, offset {tensor.storage_offset()}"


def cut(image: Tensor, size: int) -> Tensor:
    """Cut an image into square tiles, in reading order.

    Args:
        image: (C, H, W) of any dtype; H and W are multiples of `size`.
        size: side of a tile in pixels, 1 or more.

    Returns:
        (H * W / size², C, size, size), always a copy.

    Raises:
        ValueError: the image is not 3d or is empty, or the tiles do not fit.
    """
    require_at_least(size, 1, "size")
    if image.ndim != 3 or image.shape[1] % size or image.shape[2] % size:
        raise ValueError(
            f"image must be (C, H, W) with H and W multiples of {size}, "
            f"got {tuple(image.shape)}"
        )
    _require_pixels(image)
    channels, height, width = image.shape
    blocks = image.reshape(channels, height // size, size, width // size, size)
    tiles = blocks.permute(1, 3, 0, 2, 4).reshape(-1, channels, size, size)
    return tiles.clone()  # of a single column, say, the tiles would be a view


def grid(images: Tensor, rows: int) -> Tensor:
    """Lay a batch of images out as one image, in reading order.

    Args:
        images: (N, C, H, W) of any dtype, N a multiple of `rows`.
        rows: how many images stand below each other, 1 or more.

    Returns:
        (C, rows * H, N / rows * W), always a copy.

    Raises:
        ValueError: the batch is not 4d, is empty, or does not fill the rows.
    """
    require_at_least(rows, 1, "rows")
    if images.ndim != 4 or len(images) % rows:
        raise ValueError(
            f"images must be (N, C, H, W) with N a multiple of {rows}, "
            f"got {tuple(images.shape)}"
        )
    _require_pixels(images)
    _, channels, height, width = images.shape
    blocks = images.reshape(rows, -1, channels, height, width)
    image = blocks.permute(2, 0, 3, 1, 4).reshape(channels, rows * height, -1)
    return image.clone()  # of a single image, say, it would be a view


def silence(images: Tensor, channels: list[int]) -> Tensor:
    """Set channels of images to zero, in a copy.

    Args:
        images: (..., C, H, W) of any dtype. In the other convention, (H, W, C), rows would
            be taken for channels, and no error can tell.
        channels: which to silence, whole numbers from 0 to C - 1.

    Returns:
        a tensor of the same shape; the input is left as it was.

    Raises:
        ValueError: the images have fewer than three dimensions, or there is no such channel.
    """
    if images.ndim < 3:
        raise ValueError(f"images must be (..., C, H, W), got {tuple(images.shape)}")
    count = images.shape[-3]
    # True and False would be a mask, and not the channels 1 and 0.
    if not all(type(channel) is int and 0 <= channel < count for channel in channels):
        raise ValueError(f"channels must be 0 to {count - 1}, got {channels}")
    silenced = images.clone()
    silenced[..., channels, :, :] = 0
    return silenced


def _bytes_of(tensor: Tensor) -> tuple[int, int]:
    """Give the addresses of the first byte of the storage and of the first behind it."""
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.data_ptr() + storage.nbytes()


def _require_pixels(images: Tensor) -> None:
    if images.numel() == 0:
        raise ValueError(f"images must not be empty, got {tuple(images.shape)}")
