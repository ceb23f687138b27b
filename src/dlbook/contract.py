"""What an input must be: the checks that a function makes before it computes.

Torch answers a wrong shape by broadcasting, a wrong label by a wrong sum and NaN by NaN, all
without a word. Each function here refuses one such input, and names the rule and the value.
On the meta device, where tensors have shapes but no values, it checks shapes and dtypes only.
"""

import math
from numbers import Integral

import torch
from torch import Tensor


def require_finite(values: Tensor, name: str) -> None:
    """Refuse what is not a tensor of finite floats, or is empty.

    Args:
        values: floats of any shape, at least one.
        name: what the caller calls them, for the message.

    Raises:
        TypeError: they are no floats. Bytes wrap around at 256, whole numbers are cut.
        ValueError: there are none, or one is NaN or infinite.
    """
    if not values.is_floating_point():
        raise TypeError(f"{name} must be floats, got {values.dtype}")
    if values.numel() == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(values.shape)}")
    if values.is_meta:
        return
    least, largest = (value.item() for value in values.detach().aminmax())  # no copy
    if not (math.isfinite(least) and math.isfinite(largest)):
        raise ValueError(f"{name} must be finite, got NaN or infinity")


def require_number(value: float | Tensor, name: str) -> None:
    """Refuse what is not one finite number; several would broadcast against the samples.

    Args:
        value: a number, or a 0d tensor of floats.
        name: what the caller calls it, for the message.

    Raises:
        TypeError: it is a tensor, but not of floats.
        ValueError: it is a tensor with axes, NaN or infinite.

    >>> require_number(float("nan"), "bias")
    Traceback (most recent call last):
    ValueError: bias must be one finite number, got nan
    """
    if isinstance(value, Tensor):
        if value.ndim:
            raise ValueError(f"{name} must be one number, got {tuple(value.shape)}")
        require_finite(value, name)
    elif not math.isfinite(value):
        raise ValueError(f"{name} must be one finite number, got {value}")


def require_wide(values: Tensor, name: str) -> None:
    """Refuse floats of 16 bits: three digits, and squares that overflow from 256 on.

    Args:
        values: float32 or float64, of any shape.
        name: what the caller calls them, for the message.

    Raises:
        TypeError: they have another dtype.
    """
    if values.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} must be float32 or float64, got {values.dtype}")


def require_table(table: Tensor, name: str, columns: int | None = None) -> None:
    """Refuse what is not one row of finite floats for each sample.

    Args:
        table: (n, d) floats, n and d at least 1.
        name: what the caller calls it, for the message.
        columns: what d must be; any number, where left out.

    Raises:
        TypeError: it does not hold floats.
        ValueError: it is no table, is empty, has another width, or holds NaN or infinity.
    """
    wide = "d" if columns is None else columns
    if table.ndim != 2 or (columns is not None and table.shape[1] != columns):
        raise ValueError(f"{name} must be (n, {wide}), got {tuple(table.shape)}")
    require_finite(table, name)


def require_vector(vector: Tensor, name: str, length: int | None = None) -> None:
    """Refuse what is not a vector of finite floats; a column (n, 1) would broadcast.

    Args:
        vector: (length,) floats, at least one.
        name: what the caller calls it, for the message.
        length: what its length must be; any number, where left out.

    Raises:
        TypeError: it does not hold floats.
        ValueError: it has another shape, is empty, or holds NaN or infinity.
    """
    if vector.ndim != 1 or (length is not None and len(vector) != length):
        wanted = "n" if length is None else length
        raise ValueError(f"{name} must be ({wanted},), got {tuple(vector.shape)}")
    require_finite(vector, name)


def require_same_shape(first: Tensor, second: Tensor, names: str) -> None:
    """Refuse two tensors that would broadcast, where each entry has its partner.

    Args:
        first: of any shape and dtype.
        second: of the same shape.
        names: what the caller calls them, such as "scores and labels".

    Raises:
        ValueError: the shapes differ.
    """
    if first.shape != second.shape:
        shapes = f"{tuple(first.shape)} and {tuple(second.shape)}"
        raise ValueError(f"{names} must have one shape, got {shapes}")


def require_same_dtype(first: Tensor, second: Tensor, names: str) -> None:
    """Refuse two tensors of different dtypes, where neither should decide for the other.

    Args:
        first: of any shape and dtype.
        second: of the same dtype.
        names: what the caller calls them, such as "m and y".

    Raises:
        TypeError: the dtypes differ.
    """
    if first.dtype != second.dtype:
        dtypes = f"{first.dtype} and {second.dtype}"
        raise TypeError(f"{names} must have one dtype, got {dtypes}")


def require_classes(
    labels: Tensor, rows: int, classes: int | None = None, name: str = "labels"
) -> None:
    """Refuse what is not the number of a class, counted from 0, for each row.

    Args:
        labels: (rows,) int64 from 0 to classes - 1.
        rows: how many samples there are, at least 1.
        classes: how many classes there are; any number, where left out.
        name: what the caller calls the labels, for the message.

    Raises:
        TypeError: they are not int64.
        ValueError: there is not one to each row, there are no rows, or one lies outside
            0..classes - 1, such as the -1 of another convention.
    """
    if labels.dtype != torch.int64:
        raise TypeError(f"{name} must be int64, got {labels.dtype}")
    _require_rows(labels, rows, name)
    if labels.is_meta:
        return
    least, largest = (value.item() for value in labels.aminmax())
    if least < 0:
        raise ValueError(f"{name} must be 0 or more, got {least}")
    if classes is not None and largest >= classes:
        raise ValueError(f"{name} must lie between 0 and {classes - 1}, got {largest}")


def require_signs(labels: Tensor, rows: int, name: str = "labels") -> None:
    """Refuse labels that are not -1 or +1; the 0 of another convention would vanish.

    Args:
        labels: (rows,) numbers, each -1 or +1.
        rows: how many samples there are, at least 1.
        name: what the caller calls the labels, for the message.

    Raises:
        TypeError: their dtype knows no -1, such as that of bytes, or is complex.
        ValueError: there is not one to each row, there are no rows, or one is another
            number.
    """
    _require_rows(labels, rows, name)
    _require_one_of(labels, (-1, 1), "-1 or +1", name)


def require_bits(targets: Tensor, rows: int, name: str = "targets") -> None:
    """Refuse targets that are not 0 or 1; a -1 of another convention would turn a sum.

    Args:
        targets: (rows,) numbers, each 0 or 1.
        rows: how many samples there are, at least 1.
        name: what the caller calls the targets, for the message.

    Raises:
        ValueError: there is not one to each row, there are no rows, or one is another
            number.
    """
    _require_rows(targets, rows, name)
    _require_one_of(targets, (0, 1), "0 or 1", name)


def require_between(value: float, least: float, most: float, name: str) -> None:
    """Refuse a number outside a range, both of whose ends are allowed.

    Args:
        value: the number.
        least: the smallest allowed.
        most: the largest allowed.
        name: what the caller calls it, for the message.

    Raises:
        ValueError: it lies outside, or is NaN.

    >>> require_between(0, 1, 60, "k")
    Traceback (most recent call last):
    ValueError: k must lie between 1 and 60, got 0
    """
    if not least <= value <= most:
        raise ValueError(f"{name} must lie between {least} and {most}, got {value}")


def require_at_least(value: float, least: float, name: str) -> None:
    """Refuse a number below a bound, or one without an end.

    Args:
        value: the number.
        least: the smallest allowed.
        name: what the caller calls it, for the message.

    Raises:
        ValueError: it is smaller, infinite or NaN.
    """
    if not least <= value < math.inf:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def require_count(value: int, least: int, name: str) -> None:
    """Refuse what does not count things: a fraction, NaN, or a number below a bound.

    Args:
        value: a whole number.
        least: the smallest allowed.
        name: what the caller calls it, for the message.

    Raises:
        TypeError: it is no int.
        ValueError: it is smaller.
    """
    if not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value}")
    require_at_least(value, least, name)


def require_above_zero(value: float, name: str) -> None:
    """Refuse a number that is not positive and finite, such as a step size of 0.

    Args:
        value: the number.
        name: what the caller calls it, for the message.

    Raises:
        ValueError: it is 0 or less, infinite or NaN.
    """
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be above 0, got {value}")


def _require_rows(labels: Tensor, rows: int, name: str) -> None:
    if labels.shape != (rows,):
        raise ValueError(f"{name} must be ({rows},), got {tuple(labels.shape)}")
    if rows == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(labels.shape)}")


def _require_one_of(
    labels: Tensor, allowed: tuple[int, int], rule: str, name: str
) -> None:
    if labels.is_complex() or (min(allowed) < 0 and not labels.dtype.is_signed):
        raise TypeError(
            f"{name} must be {rule}, got {labels.dtype}"
        )  # -1 would wrap around
    if labels.is_meta:
        return
    others = labels[(labels != allowed[0]) & (labels != allowed[1])]
    if len(others):
        raise ValueError(f"{name} must be {rule}, got {others[0].item()}")
