"""Recurrent networks: one set of weights for every step of a sequence.

Sources: J. Elman, "Finding structure in time", Cognitive Science 14, 1990; the way back: P.
Werbos, Proceedings of the IEEE 78, 1990; LSTM: S. Hochreiter and J. Schmidhuber, Neural
Computation 9, 1997, with the forget gate of F. Gers, J. Schmidhuber and F. Cummins, 2000; GRU:
K. Cho et al., 2014, arXiv:1406.1078; clipping: R. Pascanu, T. Mikolov and Y. Bengio, 2013,
arXiv:1211.5063.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import torch
from torch import Generator, Tensor

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_count,
    require_finite,
    require_number,
    require_same_dtype,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)

State = TypeVar("State")  # what a step hands on: a tensor, or the two of an LSTM


class Weights(NamedTuple):
    """What a cell learns: the same at every step. With g gates, D inputs and H units:

    Attributes:
        along_x: (g H, D) floats, for the symbol that comes in.
        along_h: (g H, H) floats, for the state before.
        bias_x: (g H,) floats.
        bias_h: (g H,) floats; it adds to bias_x, and the library has both.
    """

    along_x: Tensor
    along_h: Tensor
    bias_x: Tensor
    bias_h: Tensor


def draw_weights(
    inputs: int, units: int, gates: int, generator: Generator, dtype: torch.dtype
) -> Weights:
    """Draw the start of the library: uniform within 1 / sqrt(units), biases too.

    Args:
        inputs: D, at least 1.
        units: H, at least 1.
        gates: 1 for a plain cell, 4 for an LSTM, 3 for a GRU.
        generator: draws, on the CPU.
        dtype: float32 or float64.

    Returns:
        the weights of a cell.

    Raises:
        TypeError: dtype is another type, or a number is not whole.
        ValueError: a number is too small, or gates is not 1, 3 or 4.
    """
    require_count(inputs, 1, "inputs")
    require_count(units, 1, "units")
    require_wide(torch.empty(0, dtype=dtype), "weights")
    if gates not in (1, 3, 4):
        raise ValueError(f"gates must be 1, 3 or 4, got {gates}")
    rows = gates * units
    shapes = ((rows, inputs), (rows, units), (rows,), (rows,))
    drawn = (torch.rand(s, generator=generator, dtype=dtype) for s in shapes)
    return Weights(*((2 * part - 1) / math.sqrt(units) for part in drawn))


def rnn_step(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """Let one symbol change the state.

    Args:
        x: (n, D) float32 or float64, the symbol of each of n sequences.
        h: (n, H) floats like x, the state before.
        weights: of a plain cell.

    Returns:
        (n, H) floats, from -1 to 1: the state after.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: two shapes do not fit, or a number is not finite.
    """
    _require_step(x, h, weights, gates=1)
    from_x = x @ weights.along_x.T + weights.bias_x
    return torch.tanh(from_x + h @ weights.along_h.T + weights.bias_h)


def lstm_step(
    x: Tensor, state: tuple[Tensor, Tensor], weights: Weights
) -> tuple[Tensor, Tensor]:
    """Forget a part of the cell, add a part of what is new, and show a part of the result.

    Args:
        x: (n, D) float32 or float64, the symbol of each of n sequences.
        state: h and c, both (n, H) floats like x: what is shown, and the cell.
        weights: of an LSTM; its gates stand in the order i, f, new, o, as in the library.

    Returns:
        h and c after the symbol.

    Raises:
        TypeError, ValueError: as in `rnn_step`.
    """
    h, c = state
    _require_step(x, h, weights, gates=4)
    require_same_shape(h, c, "h and c")
    require_finite(c, "c")
    require_same_dtype(h, c, "h and c")
    from_x = x @ weights.along_x.T + weights.bias_x
    s = from_x + h @ weights.along_h.T + weights.bias_h
    i, f, new, o = s.chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * new.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(x: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """Move the state a part of the way to a new one.

    Args:
        x: (n, D) float32 or float64, the symbol of each of n sequences.
        h: (n, H) floats like x, the state before.
        weights: of a GRU; its gates stand in the order r, z, new, as in the library.

    Returns:
        (n, H) floats: the state after.

    Raises:
        TypeError, ValueError: as in `rnn_step`.
    """
    _require_step(x, h, weights, gates=3)
    from_x = (x @ weights.along_x.T + weights.bias_x).chunk(3, dim=1)
    from_h = (h @ weights.along_h.T + weights.bias_h).chunk(3, dim=1)
    r, z = (a + b for a, b in zip(from_x[:2], from_h[:2], strict=True))
    new = torch.tanh(from_x[2] + r.sigmoid() * from_h[2])
    return h + (1 - z.sigmoid()) * (new - h)


def unroll(
    x: Tensor, state: State, step: Callable[[Tensor, State], State]
) -> list[State]:
    """Read sequences symbol by symbol.

    Args:
        x: (n, T, D) floats: n sequences, T steps, T at least 1.
        state: what the first step starts from; it is not changed.
        step: makes the next state of a symbol (n, D) and a state.

    Returns:
        the T states, the last one behind the last symbol.

    Raises:
        TypeError: x holds no floats.
        ValueError: x has other axes, is empty, or not finite.
    """
    _require_sequences(x)
    states = []
    for symbol in x.unbind(dim=1):
        state = step(symbol, state)
        states.append(state)
    return states


def rnn_backward(
    x: Tensor, h: Tensor, along_h: Tensor, weights: Weights
) -> tuple[Weights, Tensor]:
    """Carry gradients back through time, and add up what they ask of the shared weights.

    Args:
        x: (n, T, D) float32 or float64, the sequences.
        h: (n, T + 1, H) floats like x: the state before the first step, and all T after it.
        along_h: (n, T, H) floats like x: the slope of the loss along each state, as far as
            the loss sees that state itself.
        weights: of a plain cell.

    Returns:
        the gradient along the weights, and (n, H) along the state before the first step.

    Raises:
        TypeError: an argument holds other numbers, or the dtypes differ.
        ValueError: two shapes do not fit, or a number is not finite.
    """
    _require_way_back(x, h, along_h, weights)
    sums = [torch.zeros_like(part) for part in weights[:3]]
    along_state = torch.zeros_like(h[:, 0])
    for t in reversed(range(x.shape[1])):
        along_state = along_state + along_h[:, t]
        along_s = (1 - h[:, t + 1].square()) * along_state
        sums[0] += along_s.T @ x[:, t]
        sums[1] += along_s.T @ h[:, t]
        sums[2] += along_s.sum(dim=0)
        along_state = along_s @ weights.along_h
    return Weights(*sums, sums[2].clone()), along_state


def state_jacobian(h: Tensor, weights: Weights) -> Tensor:
    """Multiply up how the last state depends on the first, for one sequence of a plain cell.

    Args:
        h: (T + 1, H) float32 or float64: the state before the first step, and all T after it.
        weights: of a plain cell.

    Returns:
        (H, H) floats: entry (i, j) is the slope of number i of the last state along number j
        of the first.

    Raises:
        TypeError: h holds other numbers, or the dtypes differ.
        ValueError: h does not fit the weights, or a number is not finite.
    """
    require_table(h, "h", weights.along_h.shape[1])
    require_wide(h, "h")
    require_same_dtype(h, weights.along_h, "h and weights")
    _require_weights(weights.along_x.shape[1], h.shape[1], weights, gates=1)
    product = torch.eye(h.shape[1], dtype=h.dtype, device=h.device)
    for after in h[1:]:
        product = (1 - after.square())[:, None] * weights.along_h @ product
    return product


def set_forget_bias(weights: Weights, bias: float) -> Weights:
    """Give an LSTM its forget bias: all of it in one vector, nothing in the other.

    Args:
        weights: of an LSTM; not changed.
        bias: b_f of the text; large ones remember for long.

    Returns:
        a copy whose f gates have this bias.

    Raises:
        TypeError: a weight holds no floats.
        ValueError: they are not those of an LSTM, or the bias is not finite.
    """
    require_number(bias, "bias")
    require_table(weights.along_h, "along_h")
    rows, units = weights.along_h.shape
    if rows != 4 * units:
        raise ValueError(f"along_h must be {(4 * units, units)}, got {(rows, units)}")
    require_vector(weights.bias_x, "bias_x", rows)
    require_vector(weights.bias_h, "bias_h", rows)
    bias_x, bias_h = weights.bias_x.clone(), weights.bias_h.clone()
    bias_x[units : 2 * units] = bias
    bias_h[units : 2 * units] = 0
    return weights._replace(bias_x=bias_x, bias_h=bias_h)


def kept_by_gate(bias: float, steps: int) -> Tensor:
    """Tell what is left of a cell while its forget gate hears nothing but its bias.

    Args:
        bias: b_f of the text.
        steps: T, at least 0.

    Returns:
        (T + 1,) float64: sigm(b_f)**t for t from 0 to T.

    Raises:
        TypeError: steps is no whole number.
        ValueError: the bias is not finite, or steps is below 0.
    """
    require_number(bias, "bias")
    require_count(steps, 0, "steps")
    share = torch.tensor(float(bias), dtype=torch.float64).sigmoid()
    return share ** torch.arange(steps + 1)


def clip(gradients: Sequence[Tensor], most: float) -> list[Tensor]:
    """Shorten gradients that are too long, all together and in their direction.

    Args:
        gradients: floats of any shapes, at least one tensor.
        most: the length they may have together, above 0.

    Returns:
        the gradients times one number: 1, or most / length where they are longer.

    Raises:
        TypeError: one holds no floats.
        ValueError: there is none, one is empty or not finite, or most is not above 0.
    """
    require_above_zero(most, "most")
    require_at_least(len(gradients), 1, "number of gradients")
    for gradient in gradients:
        require_finite(gradient, "gradient")
    length = torch.stack([g.double().norm() for g in gradients]).norm()
    factor = (most / length).clamp(max=1) if length > 0 else torch.ones_like(length)
    return [gradient * factor.to(gradient.dtype) for gradient in gradients]


def pad(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Put sequences of different lengths into one tensor, with zeros behind them.

    Args:
        sequences: (T, D) floats each, of one width and dtype, at least one.

    Returns:
        (n, longest, D) floats, and (n,) int64: the length of each.

    Raises:
        TypeError: one holds no floats, or the dtypes differ.
        ValueError: there is none, one is empty or not finite, or the widths differ.
    """
    require_at_least(len(sequences), 1, "number of sequences")
    for sequence in sequences:
        require_table(sequence, "sequence", sequences[0].shape[-1])
        require_same_dtype(sequence, sequences[0], "sequences")
    lengths = torch.tensor([len(sequence) for sequence in sequences])
    shape = len(sequences), max(map(len, sequences)), sequences[0].shape[1]
    padded = sequences[0].new_zeros(shape)
    for row, sequence in enumerate(sequences):
        padded[row, : len(sequence)] = sequence
    return padded, lengths.to(padded.device)


def last_states(states: Tensor, lengths: Tensor) -> Tensor:
    """Pick from each padded sequence the state behind its last own symbol.

    Args:
        states: (n, T, H) floats.
        lengths: (n,) int64, from 1 to T.

    Returns:
        (n, H) floats.

    Raises:
        TypeError: states holds no floats, or lengths no int64.
        ValueError: a shape does not fit, a number is not finite, or a length lies outside
            1..T.
    """
    _require_sequences(states)
    if lengths.dtype != torch.int64:
        raise TypeError(f"lengths must be int64, got {lengths.dtype}")
    if lengths.shape != (len(states),):
        raise ValueError(f"lengths must be ({len(states)},), got {tuple(lengths.shape)}")
    if not lengths.is_meta:
        least, largest = lengths.min().item(), lengths.max().item()
        if least < 1 or largest > states.shape[1]:
            wrong = least if least < 1 else largest
            raise ValueError(
                f"lengths must lie between 1 and {states.shape[1]}, got {wrong}"
            )
    rows = torch.arange(len(states), device=states.device)
    return states[rows, lengths - 1]


def _require_sequences(x: Tensor) -> None:
    if x.ndim != 3:
        raise ValueError(f"sequences must be (n, T, D), got {tuple(x.shape)}")
    require_finite(x, "sequences")


def _require_step(x: Tensor, h: Tensor, weights: Weights, gates: int) -> None:
    require_table(x, "x")
    require_wide(x, "x")
    require_table(h, "h")
    _require_weights(x.shape[1], h.shape[1], weights, gates)
    if len(x) != len(h):
        raise ValueError(f"h must have {len(x)} rows, got {len(h)}")
    for part in (h, *weights):
        require_same_dtype(x, part, "x, h and weights")


def _require_weights(inputs: int, units: int, weights: Weights, gates: int) -> None:
    require_table(weights.along_x, "along_x", inputs)
    require_table(weights.along_h, "along_h", units)
    for part in weights:
        if len(part) != gates * units:
            raise ValueError(f"weights must have {gates * units} rows, got {len(part)}")
    require_vector(weights.bias_x, "bias_x")
    require_vector(weights.bias_h, "bias_h")


def _require_way_back(x: Tensor, h: Tensor, along_h: Tensor, weights: Weights) -> None:
    for part in (x, h, along_h):
        _require_sequences(part)
        require_same_dtype(x, part, "x, h and along_h")
    require_wide(x, "x")
    _require_weights(x.shape[2], h.shape[2], weights, gates=1)
    require_same_dtype(x, weights.along_h, "x and weights")
    if h.shape[:2] != (len(x), x.shape[1] + 1):
        wanted = (len(x), x.shape[1] + 1, h.shape[2])
        raise ValueError(f"h must be {wanted}, got {tuple(h.shape)}")
    require_same_shape(along_h, h[:, 1:], "along_h and the states after each step")
