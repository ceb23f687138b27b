"""Broadcasting: combine tensors of different shapes, element by element, without copies.

Source: the rule is NumPy's, C. R. Harris et al., "Array programming with NumPy",
Nature 585, 2020, doi:10.1038/s41586-020-2649-2.
"""

from dataclasses import dataclass

from torch import Tensor

from dlbook.contract import (
    require_finite,
    require_same_dtype,
    require_same_shape,
    require_table,
    require_wide,
)


@dataclass(frozen=True)
class Broadcast:
    """What happens when two shapes meet.

    Attributes:
        first: the first shape, with ones in front up to the common number of axes.
        second: the second shape, alike.
        axes: for each axis "equal", "first expands", "second expands" or "fails".
        result: the shape of the result; None where an axis fails.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    axes: tuple[str, ...]
    result: tuple[int, ...] | None


def explain(first: tuple[int, ...], second: tuple[int, ...]) -> Broadcast:
    """Apply the two steps of broadcasting to two shapes.

    Args:
        first: sizes of the axes, each 0 or more; () is the shape of a single number.
        second: alike.

    Returns:
        the aligned shapes, the verdict on each axis, and the shape of the result.

    Raises:
        ValueError: a size is negative.

    >>> explain((4, 1), (5,)).result
    (4, 5)
    >>> explain((4, 2), (3,)).axes
    ('second expands', 'fails')
    """
    if min((*first, *second), default=0) < 0:
        raise ValueError(f"sizes must be 0 or more, got {first} and {second}")
    rank = max(len(first), len(second))
    first = (1,) * (rank - len(first)) + tuple(first)
    second = (1,) * (rank - len(second)) + tuple(second)
    axes = tuple(compare(a, b) for a, b in zip(first, second, strict=True))
    result = tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))
    return Broadcast(first, second, axes, None if "fails" in axes else result)


def compare(a: int, b: int) -> str:
    """Judge one axis.

    Args:
        a: its size in the first shape, 0 or more.
        b: its size in the second shape, 0 or more.

    Returns:
        "equal", "first expands", "second expands" or "fails".
    """
    if a == b:
        return "equal"
    if a == 1:
        return "first expands"
    return "second expands" if b == 1 else "fails"


def tell(broadcast: Broadcast) -> str:
    """Put an explanation into words, one line per shape and one per axis.

    Args:
        broadcast: what `explain` found.

    Returns:
        lines of text, to be printed.
    """
    shapes = [f"first   {broadcast.first}", f"second  {broadcast.second}"]
    if broadcast.result is None:
        shapes += ["result  none: an axis fails"]
    else:
        shapes += [f"result  {broadcast.result}"]
    pairs = zip(broadcast.first, broadcast.second, broadcast.axes, strict=True)
    for axis, (a, b, verdict) in enumerate(pairs):
        reason = ": the sizes differ and neither is 1" if verdict == "fails" else ""
        shapes.append(f"axis {axis}: {a} and {b}, {verdict}{reason}")
    return "\n".join(shapes)


def expand(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Show a tensor as if it had a larger shape; nothing is copied.

    Args:
        tensor: any dtype, of a shape that broadcasts to `shape`.
        shape: the shape to show.

    Returns:
        a view of that shape on the memory of the tensor; read it, do not write to it.

    Raises:
        ValueError: the tensor does not broadcast to `shape`.
    """
    broadcast = explain(tuple(tensor.shape), shape)
    if broadcast.result != tuple(shape):
        raise ValueError(f"{tuple(tensor.shape)} does not broadcast to {tuple(shape)}")
    strides = (0,) * (len(shape) - tensor.dim()) + tensor.stride()
    steps = [
        0 if verdict == "first expands" else stride
        for verdict, stride in zip(broadcast.axes, strides, strict=True)
    ]
    return tensor.as_strided(shape, steps, tensor.storage_offset())


def sum_to(gradient: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum a gradient over the axes along which a tensor was expanded.

    Args:
        gradient: floats, the derivatives by each entry of the expanded tensor.
        shape: the shape before, one that broadcasts to that of the gradient.

    Returns:
        floats of that shape: the derivatives by each entry of the tensor itself. Where
        nothing was expanded, a view of the gradient.

    Raises:
        TypeError: the gradient holds no floats, or floats of fewer than 32 bits.
        ValueError: `shape` does not broadcast to that of the gradient, which is empty or
            not finite.

    >>> import torch
    >>> sum_to(torch.ones(4, 5), (4, 1)).flatten()
    tensor([5., 5., 5., 5.])
    """
    require_finite(gradient, "the gradient")
    require_wide(gradient, "the gradient")
    broadcast = explain(shape, tuple(gradient.shape))
    if broadcast.result != tuple(gradient.shape):
        wanted = tuple(gradient.shape)
        raise ValueError(f"{tuple(shape)} does not broadcast to {wanted}")
    for axis, verdict in enumerate(broadcast.axes):
        if verdict == "first expands":
            gradient = gradient.sum(dim=axis, keepdim=True)
    return gradient.reshape(shape)  # drops the ones that were put in front


def center(sample: Tensor) -> Tensor:
    """Shift a sample so that each of its columns has mean zero.

    Args:
        sample: (N, D) floats, one row per observation.

    Returns:
        (N, D) floats, in the same unit. Rounding leaves means near zero, and of a constant
        column perhaps a speck instead of zeros: do not divide by its deviation. Values
        whose sum leaves the range of the dtype become infinite.

    Raises:
        TypeError: the sample holds no floats.
        ValueError: it is no table, is empty, or is not finite.
    """
    require_table(sample, "sample")
    return sample - sample.mean(dim=0)  # (N, D) - (D,)


def einsum(equation: str, *tensors: Tensor) -> Tensor:
    """Multiply tensors along named axes, then sum over the axes that are not kept.

    Args:
        equation: a letter for each axis of each tensor, then the axes to keep, such as
            "ij,jk->ik". No letter occurs twice in one tensor.
        tensors: floats, as many as there are groups of letters; equal letters, equal sizes.

    Returns:
        a tensor with the axes to the right of the arrow, in that order.

    Raises:
        TypeError: a tensor holds no floats, floats of fewer than 32 bits, or another dtype
            than the first.
        ValueError: letters and tensors do not fit, a sign is no letter, a letter is repeated
            or unknown, a tensor is empty or not finite.

    >>> import torch
    >>> rows = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> einsum("ij->i", rows)
    tensor([3., 7.])
    """
    # "ij,jk->ik" becomes: groups ij and jk, letters ikj (kept ones first), kept ik.
    groups, letters, kept = _parse(equation, tensors)
    product = 1
    for group, tensor in zip(groups, tensors, strict=True):
        order = [group.index(letter) for letter in letters if letter in group]
        where = [slice(None) if letter in group else None for letter in letters]
        spread = tensor.permute(order)[tuple(where)]  # None: an axis of size 1
        product = product * spread
    summed = [axis for axis, letter in enumerate(letters) if letter not in kept]
    return product.sum(dim=summed) if summed else product


def _parse(equation: str, tensors: tuple[Tensor, ...]) -> tuple[list[str], str, str]:
    """Split an equation into groups, all letters (kept ones first), and the kept."""
    for tensor in tensors:
        require_finite(tensor, "each tensor")
        require_wide(tensor, "each tensor")
        require_same_dtype(tensors[0], tensor, "all tensors")
    left, arrow, kept = equation.replace(" ", "").partition("->")
    groups = left.split(",")
    if not arrow or [len(group) for group in groups] != [t.dim() for t in tensors]:
        raise ValueError(
            f"{equation!r} must name every axis of {len(tensors)} tensors of shapes "
            f"{[tuple(t.shape) for t in tensors]}, then `->` and the axes to keep"
        )
    if not all(letter.isalpha() for letter in left.replace(",", "")):
        raise ValueError(f"an axis must be named by a letter, got {equation!r}")
    if any(len(set(group)) < len(group) for group in [*groups, kept]):
        raise ValueError(f"a letter may occur once per tensor, got {equation!r}")
    if not set(kept) <= set(left):
        raise ValueError(f"only letters from the left may be kept, got {equation!r}")
    sizes: dict[str, int] = {}
    for group, tensor in zip(groups, tensors, strict=True):
        for letter, size in zip(group, tensor.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(
                    f"{letter} must have one size, got {sizes[letter]}, {size}"
                )
    return groups, kept + "".join(sorted(set(sizes) - set(kept))), kept


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Average the squared differences, and refuse to broadcast.

    Args:
        predictions: floats of any shape, not empty.
        targets: floats of exactly the same shape and unit.

    Returns:
        a 0d tensor, in that unit squared.

    Raises:
        TypeError: an argument holds no floats, floats of fewer than 32 bits, or another
            dtype than the other.
        ValueError: the shapes differ, there is nothing to average, or a value is not finite.
    """
    require_same_shape(predictions, targets, "predictions and targets")
    require_finite(predictions, "predictions")
    require_finite(targets, "targets")
    require_wide(predictions, "predictions")
    require_same_dtype(predictions, targets, "predictions and targets")
    return (predictions - targets).square().mean()
