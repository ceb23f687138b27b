"""Tensors: tables of numbers of any dimension, and the linear algebra done on them.

Sources: A. Paszke et al., "PyTorch: an imperative style, high-performance deep learning
library", NeurIPS 2019; N. Higham, "Accuracy and Stability of Numerical Algorithms", SIAM,
2002, chapter 9 (elimination and the choice of divisors) and section 14.4 (Gauss-Jordan
elimination, which clears above and below).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from dlbook.contract import (
    require_at_least,
    require_finite,
    require_same_dtype,
    require_table,
    require_vector,
    require_wide,
)


def kind(tensor: Tensor) -> str:
    """Say what a tensor is made of, on one line.

    Args:
        tensor: dense, of any shape and dtype.

    Returns:
        number of dimensions, shape, dtype, and the bytes of so many numbers; a view may
        need less memory of its own, or none.

    >>> kind(torch.zeros(3, 32, 32))
    '3d, 3 x 32 x 32, float32, 12288 bytes'
    """
    sizes = " x ".join(str(size) for size in tensor.shape) or "one number"
    dtype = str(tensor.dtype).removeprefix("torch.")
    return f"{tensor.ndim}d, {sizes}, {dtype}, {tensor.nbytes} bytes"


def solve(m: Tensor, y: Tensor) -> Tensor:
    """Find q with m q = y by elimination: clear one column after the other.

    Args:
        m: (n, n) floats, n at least 1.
        y: (n,) floats.

    Returns:
        (n,) floats. Where m is singular only before rounding, they may be huge and mean
        nothing: the check below looks at one divisor at a time and may miss it.

    Raises:
        TypeError: an argument holds no floats, floats of fewer than 32 bits, or another
            dtype than the other.
        ValueError: the shapes do not fit, a value is not finite, m is found to be
            singular, or the answer does not fit into the dtype.

    >>> solve(torch.tensor([[2.0, 1.0], [1.0, 3.0]]), torch.tensor([5.0, 10.0]))
    tensor([1., 3.])
    """
    _require_square(m)
    require_vector(y, "y", length=len(m))
    require_same_dtype(m, y, "m and y")
    limits = torch.finfo(m.dtype)
    table = torch.cat([m, y.unsqueeze(1)], dim=1)  # (n, n + 1): both sides
    # The unit of an equation must not matter: its largest coefficient becomes 1.
    table /= m.abs().amax(dim=1, keepdim=True).clamp(min=limits.tiny)
    rounding = len(m) * limits.eps * table[:, :-1].abs().amax(dim=0)
    for column in range(len(m)):
        # The largest entry divides best: a small one would magnify rounding errors.
        pivot = column + int(table[column:, column].abs().argmax())
        if table[pivot, column].abs() <= rounding[column]:
            raise ValueError(f"m must have independent columns, number {column} is not")
        table[[column, pivot]] = table[[pivot, column]]
        # Copies, since the division and the subtraction change the table they read.
        table[column] /= table[column, column].clone()
        factors = table[:, column].clone()
        factors[column] = 0
        table -= torch.outer(factors, table[column])
    require_finite(table, "the answer")  # no number on the way was too large
    return table[:, -1]


def inverse(m: Tensor) -> Tensor:
    """Invert a matrix by solving for each column of the identity.

    Args:
        m: (n, n) floats, n at least 1.

    Returns:
        (n, n) floats: `m @ inverse(m)` is the identity but for rounding.

    Raises:
        TypeError: m holds no floats, or floats of fewer than 32 bits.
        ValueError: m is not square, not finite, or found to be singular, or the inverse
            does not fit into the dtype.
    """
    _require_square(m)
    columns = [solve(m, unit) for unit in torch.eye(len(m)).to(m)]
    return torch.stack(columns, dim=1)


def to_length_one(vector: Tensor) -> Tensor:
    """Shrink or stretch a vector to length one.

    Args:
        vector: (n,) floats, not all zero.

    Returns:
        (n,) floats, in the same direction.

    Raises:
        TypeError: it holds no floats.
        ValueError: it is no vector, is zero, or holds NaN or infinity.

    >>> to_length_one(torch.tensor([3.0, -4.0]))
    tensor([ 0.6000, -0.8000])
    """
    require_vector(vector, "the vector")
    largest = vector.abs().max()
    if largest == 0:
        raise ValueError("a vector must not be zero, for zero has no direction")
    scaled = vector / largest  # so that no square overflows or vanishes
    return scaled / scaled.norm()


def power_iteration(m: Tensor, start: Tensor, steps: int) -> Tensor:
    """Turn a vector toward the eigenvector whose eigenvalue is largest in size.

    Args:
        m: (n, n) floats, symmetric, one eigenvalue larger in size than all others; this
            is not checked, and with 1 and -1 the vector jumps to and fro for ever.
        start: (n,) floats, not zero, not at a right angle to that eigenvector.
        steps: how many multiplications, 0 or more.

    Returns:
        (steps + 1, n) floats: vectors of length one, the start first. Where that
        eigenvalue is negative, they come near the line of the eigenvector and change sign
        at each step.

    Raises:
        TypeError: an argument holds no floats, floats of fewer than 32 bits, or another
            dtype than the other.
        ValueError: the shapes do not fit, a value is not finite, m is not symmetric, the
            start is zero or becomes zero, or steps is negative.
    """
    _require_square(m)
    require_vector(start, "start", length=len(m))
    require_same_dtype(m, start, "m and start")
    require_at_least(steps, 0, "steps")
    if not torch.equal(m, m.T):
        raise ValueError("m must be symmetric: m[i, j] equal to m[j, i]")
    path = [to_length_one(start)]
    for _ in range(steps):
        path.append(to_length_one(m @ path[-1]))
    return torch.stack(path)


class Idiom(NamedTuple):
    """One construct of the years 2016 to 2020, and what takes its place.

    Attributes:
        then: an expression as it was written.
        now: the expression to write today.
        ends: how `then` ends today: the name of an error, or `runs`.
        on_slides: whether the course that inspired this book has it; the others stood in
            programs of the same years.
    """

    then: str
    now: str
    ends: str
    on_slides: bool = False


# The names that stand for data: m (3, 3), x and y (3, 1) floats.
IDIOMS = (
    Idiom(
        "torch.gels(y, m)", "torch.linalg.lstsq(m, y).solution", "AttributeError", True
    ),
    Idiom("torch.eig(m)", "torch.linalg.eig(m)", "RuntimeError", True),
    Idiom(
        "torch.cat((x, y), dimension=0)", "torch.cat((x, y), dim=0)", "TypeError", True
    ),
    Idiom("torch.bernoulli_(x, 0.5)", "x.bernoulli_(0.5)", "AttributeError", True),
    Idiom("Flattener()", "nn.Flatten()", "NameError", True),
    Idiom("torch.gesv(y, m)", "torch.linalg.solve(m, y)", "AttributeError"),
    Idiom("torch.symeig(m)", "torch.linalg.eigh(m)", "RuntimeError"),
    Idiom("torch.qr(m)", "torch.linalg.qr(m)", "RuntimeError"),
    Idiom("x.sum().data[0]", "x.sum().item()", "IndexError"),
    Idiom("Variable(x, requires_grad=True)", "x.detach().requires_grad_()", "runs"),
    Idiom("x.type('torch.DoubleTensor')", "x.to('cpu', torch.float64)", "runs"),
)


def outcome(expression: str, names: dict[str, object]) -> str:
    """Evaluate an expression of this chapter and say how that ends.

    Never hand it text from a stranger: it runs whatever it is given.

    Args:
        expression: Python, such as `x.sum().data[0]`.
        names: what the names in it stand for.

    Returns:
        the name of the error that it raises, or `runs`.
    """
    try:
        eval(expression, dict(names))
    except Exception as error:
        return type(error).__name__
    return "runs"


def _require_square(m: Tensor) -> None:
    require_table(m, "m")
    require_wide(m, "m")
    if m.shape[0] != m.shape[1]:
        raise ValueError(f"m must be (n, n), got {tuple(m.shape)}")
