"""A scalar autograd engine: numbers that remember how they were computed.

Source: the reverse mode of automatic differentiation, S. Linnainmaa, "Taylor expansion of
the accumulated rounding error", BIT Numerical Mathematics 16(2), 1976,
doi:10.1007/BF01931367.
"""

import math


class Number:
    """A number of a computation, with the numbers that it was computed from.

    Attributes:
        value: the number itself.
        operation: the name of the operation, or the name given to an input.
        sources: pairs of a number that entered, and the slope of this one along it.
        depth: how many operations lie between this number and the farthest input.
        gradient: the slope along this number of the last result of `backward` that was
            computed from it; results without it leave it as it is.

    `a / b` is a times b to the power of -1, which must be in range as well; `a ** b` with two
    Numbers is exp(b log a), which needs a above 0.

    Raises:
        ValueError: the value, or a slope, is not finite.
    """

    def __init__(
        self,
        value: float,
        operation: str = "",
        sources: tuple[tuple["Number", float], ...] = (),
    ):
        for number in (value, *(slope for _, slope in sources)):
            if not math.isfinite(number):
                raise ValueError(f"a Number must be finite, got {operation} = {number}")
        self.value, self.operation, self.sources = float(value), operation, sources
        self.depth = 1 + max((source.depth for source, _ in sources), default=-1)
        self.gradient = 0.0

    def __add__(self, other: "Number | float") -> "Number":
        return add(self, _as_number(other))

    def __mul__(self, other: "Number | float") -> "Number":
        return multiply(self, _as_number(other))

    def __sub__(self, other: "Number | float") -> "Number":
        return subtract(self, _as_number(other))

    def __rsub__(self, other: float) -> "Number":
        return subtract(_as_number(other), self)

    def __neg__(self) -> "Number":
        return multiply(self, Number(-1.0, "-1"))

    def __truediv__(self, other: "Number | float") -> "Number":
        return multiply(self, power(_as_number(other), -1))

    def __rtruediv__(self, other: float) -> "Number":
        return _as_number(other) / self

    def __pow__(self, exponent: "Number | float") -> "Number":
        if isinstance(exponent, Number):
            return exp(exponent * log(self))
        return power(self, exponent)

    def __rpow__(self, base: float) -> "Number":
        return _as_number(base) ** self

    __radd__, __rmul__ = __add__, __mul__  # 2 + a is a + 2, 2 * a is a * 2

    def __repr__(self) -> str:
        return f"Number({self.value:.4f}, gradient={self.gradient:.4f})"


def add(a: Number, b: Number) -> Number:
    """Add: the sum moves as much as either term.

    Args:
        a: any number.
        b: any number.

    Returns:
        a + b, with its slopes 1 and 1.
    """
    return Number(a.value + b.value, "+", ((a, 1.0), (b, 1.0)))


def subtract(a: Number, b: Number) -> Number:
    """Subtract: the difference moves with the first term, against the second.

    Args:
        a: any number.
        b: any number.

    Returns:
        a - b, with its slopes 1 and -1.
    """
    return Number(a.value - b.value, "-", ((a, 1.0), (b, -1.0)))


def multiply(a: Number, b: Number) -> Number:
    """Multiply: the product moves with each factor as much as the other one is large.

    Args:
        a: any number.
        b: any number.

    Returns:
        a b, with its slopes b and a.
    """
    return Number(a.value * b.value, "*", ((a, b.value), (b, a.value)))


def power(a: Number, exponent: float) -> Number:
    """Raise to a constant power.

    Args:
        a: any number; positive where the exponent is not an integer, not 0 where the
            exponent is below 1 and not 0.
        exponent: a finite constant.

    Returns:
        a to the power of the exponent, with its slope.

    Raises:
        ValueError: the exponent is not finite, or the power, or its slope, is not a real
            number.
        OverflowError: the power, or its slope, is beyond 1.8e308.
    """
    if not math.isfinite(exponent):
        raise ValueError(f"exponent must be finite, got {exponent}")
    whole, flat = float(exponent).is_integer(), exponent == 0
    if (a.value < 0 and not whole) or (a.value == 0 and not (exponent >= 1 or flat)):
        raise ValueError(f"the power {exponent} has no real slope at {a.value}")
    slope = 0.0 if flat else exponent * a.value ** (exponent - 1)
    return Number(a.value**exponent, f"^{exponent:g}", ((a, slope),))


def exp(a: Number) -> Number:
    """Take the exponential, which is its own slope.

    Args:
        a: at most about 709, where a float64 overflows.

    Returns:
        e to the power of a.

    Raises:
        OverflowError: a is too large.
    """
    value = math.exp(a.value)
    return Number(value, "exp", ((a, value),))


def log(a: Number) -> Number:
    """Take the natural logarithm.

    Args:
        a: above 0.

    Returns:
        ln a, with its slope 1/a.

    Raises:
        ValueError: a is not above 0, or so small that 1/a is infinite.
    """
    if not a.value > 0:
        raise ValueError(f"the logarithm needs a number above 0, got {a.value}")
    return Number(math.log(a.value), "log", ((a, 1 / a.value),))


def tanh(a: Number) -> Number:
    """Squash into the range from -1 to 1.

    Args:
        a: any number.

    Returns:
        tanh a, with its slope 1 - tanh² a, right to a rounding of 1: from about 19 on it
        is 0.
    """
    value = math.tanh(a.value)
    return Number(value, "tanh", ((a, 1 - value**2),))


def relu(a: Number) -> Number:
    """Keep what is above 0.

    Args:
        a: any number.

    Returns:
        the larger of a and 0; its slope is 1 above 0, and 0 elsewhere, as in torch.
    """
    return Number(max(a.value, 0.0), "relu", ((a, float(a.value > 0)),))


def ancestors(result: Number) -> list[Number]:
    """List all numbers that a result was computed from, the result first.

    An operation lies deeper than what it was computed from. Sorted by depth, every number
    stands before its sources.

    Args:
        result: the end of a computation.

    Returns:
        each number once, the deepest first.
    """
    found, waiting = {result: None}, [result]
    while waiting:
        for source, _ in waiting.pop().sources:
            if source not in found:
                found[source] = None
                waiting.append(source)
    return sorted(found, key=lambda number: -number.depth)


def backward(result: Number) -> None:
    """Set the gradient of every number that a result was computed from.

    Unlike in torch, a second call begins anew: gradients do not add up over calls.

    Args:
        result: the end of a computation; the slope along itself is 1.
    """
    numbers = ancestors(result)
    for number in numbers:
        number.gradient = 0.0
    result.gradient = 1.0
    for number in numbers:
        for source, slope in number.sources:
            source.gradient += slope * number.gradient


def _as_number(value: Number | float) -> Number:
    return value if isinstance(value, Number) else Number(value, f"{value:g}")
