"""Attention: look things up by content, softly, and the Transformer that is built of it.

Sources: D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to
align and translate", 2015, arXiv:1409.0473; A. Vaswani et al., "Attention is all you need",
2017, arXiv:1706.03762; the norm before each part: R. Xiong et al., 2020, arXiv:2002.04745;
positions by rotation: J. Su et al., 2021, arXiv:2104.09864; softmax block by block: T. Dao
et al., 2022, arXiv:2205.14135.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import linear

from dlbook.backprop import cross_entropy
from dlbook.contract import (
    require_above_zero,
    require_count,
    require_finite,
    require_same_dtype,
    require_table,
    require_vector,
    require_wide,
)
from dlbook.initialization import draw
from dlbook.knn import squared_distances
from dlbook.mlp import Layer, relu
from dlbook.regularization import layer_norm


class Projections(NamedTuple):
    """The four layers of attention with several heads, each a weight and a bias.

    Attributes:
        query: weight (d, d) and bias (d,); rows h e to (h + 1) e - 1 belong to head h, where
            e is the width of a head.
        key: alike.
        value: alike.
        output: weight (d, d) and bias (d,), mixes what the heads found.
    """

    query: Layer
    key: Layer
    value: Layer
    output: Layer


class Block(NamedTuple):
    """One block of a Transformer: attention, then a small network at each place.

    Attributes:
        norm_1: scale (d,) and shift (d,) of the layer norm before the attention.
        attention: its four layers.
        norm_2: scale and shift before the small network.
        wide: weight (hidden, d) and bias (hidden,).
        narrow: weight (d, hidden) and bias (d,).
    """

    norm_1: Layer
    attention: Projections
    norm_2: Layer
    wide: Layer
    narrow: Layer


class DecoderBlock(NamedTuple):
    """A block that also looks into another sequence.

    Attributes:
        norm_1: scale (d,) and shift (d,) before the attention to what was written so far.
        attention: its four layers.
        norm_2: scale and shift before the attention to the other sequence.
        crossing: its four layers.
        norm_3: scale and shift before the small network.
        wide: weight (hidden, d) and bias (hidden,).
        narrow: weight (d, hidden) and bias (d,).
    """

    norm_1: Layer
    attention: Projections
    norm_2: Layer
    crossing: Projections
    norm_3: Layer
    wide: Layer
    narrow: Layer


class Transformer(NamedTuple):
    """A network that answers a symbol for every place of a sequence of symbols.

    Attributes:
        symbols: (C, d) floats, one row for each symbol.
        places: (T, d) floats, one row for each place; zeros where places are not told.
        blocks: the blocks, first one first.
        norm: scale (d,) and shift (d,) of the last layer norm.
        scores: weight (C, d) and bias (C,).
    """

    symbols: Tensor
    places: Tensor
    blocks: list[Block]
    norm: Layer
    scores: Layer


def smooth(queries: Tensor, points: Tensor, values: Tensor, tau: float) -> Tensor:
    """Predict the mean of all values, weighted by how near their points are.

    Args:
        queries: (m, d) floats.
        points: (n, d) floats of the same dtype.
        values: (n, c) floats of the same dtype, one row for each point.
        tau: what counts as near, a squared distance, above 0; toward 0 the nearest point
            decides alone.

    Returns:
        (m, c) floats, each row a mixture of the rows of values.

    Raises:
        TypeError: they are no floats, of 16 bits, or of several dtypes.
        ValueError: they are no such tables, empty or not finite, or tau is not above 0.
    """
    require_table(values, "values")
    require_wide(values, "values")
    require_same_dtype(points, values, "points and values")
    require_above_zero(tau, "tau")
    if len(points) != len(values):
        raise ValueError(f"values must be {len(points)} rows, got {len(values)}")
    nearness = -squared_distances(queries, points) / tau
    return nearness.softmax(dim=-1).to(values.dtype) @ values


def shares(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """Compare each query with each key, and turn the scores into shares.

    Args:
        q: (..., T, d) float32 or float64, one query in each row.
        k: (..., U, d) floats alike, one key in each row.
        mask: bool, True where the query of the row may look at the key of the column:
            (T, U), or as many axes as the shares, each of their size or 1. Every row has a
            True.

    Returns:
        (..., T, U) floats, none below 0; rows add up to 1.

    Raises:
        TypeError: q or k holds other numbers, the dtypes differ, or the mask is not bool.
        ValueError: one is empty or not finite, the shapes do not fit, or a query may look
            at nothing.
    """
    _require_partners(q, k, "q and k")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"keys must be {q.shape[-1]} wide, got {k.shape[-1]}")
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if mask is not None:
        _require_mask(mask, scores)
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Answer each query by a mixture of the values, the more of those with similar keys.

    Args:
        q: (..., T, d) float32 or float64, one query in each row.
        k: (..., U, d) floats alike, one key in each row.
        v: (..., U, e) floats alike, the value of each key.
        mask: bool, True where a query may look at a key, as in `shares`.

    Returns:
        (..., T, e) floats.

    Raises:
        TypeError, ValueError: as in `shares`, or there is not one value for each key.
    """
    _require_triple(q, k, v)
    return shares(q, k, mask) @ v


def causal_mask(x: Tensor) -> Tensor:
    """Allow each place to look at itself and at what stands before it.

    Args:
        x: (..., T, d), a sequence or a batch of them.

    Returns:
        (T, T) bool on the device of x, True on the diagonal and below it.

    Raises:
        ValueError: x has fewer than two axes, or no place.
    """
    if x.ndim < 2 or x.shape[-2] == 0:
        raise ValueError(f"x must be (..., T, d), got {tuple(x.shape)}")
    length = x.shape[-2]
    return torch.ones(length, length, dtype=torch.bool, device=x.device).tril()


def heads_apart(x: Tensor, heads: int) -> Tensor:
    """Cut the features into parts, one for each head, with an axis of their own.

    Args:
        x: (..., T, heads * e) floats.
        heads: how many, at least 1.

    Returns:
        (..., heads, T, e), a view.

    Raises:
        TypeError: heads is no whole number, or x holds no floats.
        ValueError: x has fewer than two axes, is empty or not finite, or its width is not
            a multiple of heads.
    """
    require_count(heads, 1, "heads")
    require_finite(x, "x")
    if x.ndim < 2 or x.shape[-1] % heads:
        raise ValueError(f"x must be (..., T, {heads} e), got {tuple(x.shape)}")
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def heads_together(x: Tensor) -> Tensor:
    """Lay what the heads found side by side again; undoes `heads_apart`.

    Args:
        x: (..., heads, T, e) floats.

    Returns:
        (..., T, heads * e).

    Raises:
        TypeError: x holds no floats.
        ValueError: x has fewer than three axes, is empty or not finite.
    """
    require_finite(x, "x")
    if x.ndim < 3:
        raise ValueError(f"x must be (..., heads, T, e), got {tuple(x.shape)}")
    return x.transpose(-2, -3).flatten(-2)


def multi_head(
    x: Tensor, y: Tensor, layers: Projections, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Ask from the places of x, answer from those of y, with several heads side by side.

    Args:
        x: (..., T, d) float32 or float64; the queries are made from it.
        y: (..., U, d) floats alike; x itself in self-attention.
        layers: those of queries, keys, values and output.
        heads: how many, at least 1; d is a multiple of it.
        mask: bool, True where a place of x may look at one of y: (T, U), or with axes for
            the batch and the heads, each of their size or 1.

    Returns:
        (..., T, d) floats.

    Raises:
        TypeError, ValueError: as in `attention` and `heads_apart`, or a layer does not fit.
    """
    _require_partners(x, y, "x and y")
    _require_projections(layers, x, y)
    q = heads_apart(linear(x, *layers.query), heads)
    k = heads_apart(linear(y, *layers.key), heads)
    v = heads_apart(linear(y, *layers.value), heads)
    return linear(heads_together(attention(q, k, v, mask)), *layers.output)


def head_shares(
    x: Tensor, y: Tensor, layers: Projections, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Give the maps of `multi_head`: which place of x looks at which place of y.

    Args:
        x: (..., T, d) float32 or float64.
        y: (..., U, d) floats alike.
        layers: those of queries and keys are used.
        heads: how many, at least 1; d is a multiple of it.
        mask: as in `multi_head`.

    Returns:
        (..., heads, T, U) floats; rows add up to 1.

    Raises:
        TypeError, ValueError: as in `multi_head`.
    """
    _require_partners(x, y, "x and y")
    _require_projections(layers, x, y)
    q = heads_apart(linear(x, *layers.query), heads)
    k = heads_apart(linear(y, *layers.key), heads)
    return shares(q, k, mask)


def encoder_block(
    x: Tensor, block: Block, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Let the places exchange what they know, then let each think about it alone.

    Args:
        x: (..., T, d) float32 or float64, d at least 2.
        block: its layers.
        heads: how many, at least 1; d is a multiple of it.
        mask: as in `multi_head`.

    Returns:
        (..., T, d) floats.

    Raises:
        TypeError, ValueError: as in `multi_head` and `layer_norm`, or a layer does not fit.
    """
    seen = layer_norm(x, *block.norm_1)
    x = x + multi_head(seen, seen, block.attention, heads, mask)
    seen = layer_norm(x, *block.norm_2)
    _require_small_network(block, x)
    return x + linear(relu(linear(seen, *block.wide)), *block.narrow)


def decoder_block(x: Tensor, memory: Tensor, block: DecoderBlock, heads: int) -> Tensor:
    """Look at what was written so far, then at another sequence, then think alone.

    Args:
        x: (..., T, d) float32 or float64, d at least 2, what was written.
        memory: (..., U, d) floats alike, what an encoder made of the other sequence.
        block: its layers.
        heads: how many, at least 1; d is a multiple of it.

    Returns:
        (..., T, d) floats; place t depends on the places up to t of x, and on all of memory.

    Raises:
        TypeError, ValueError: as in `multi_head` and `layer_norm`, or a layer does not fit.
    """
    seen = layer_norm(x, *block.norm_1)
    x = x + multi_head(seen, seen, block.attention, heads, causal_mask(seen))
    seen = layer_norm(x, *block.norm_2)
    x = x + multi_head(seen, memory, block.crossing, heads)
    seen = layer_norm(x, *block.norm_3)
    _require_small_network(block, x)
    return x + linear(relu(linear(seen, *block.wide)), *block.narrow)


def angles(places: Tensor, width: int) -> Tensor:
    """Turn a place into angles, like the hands of width / 2 clocks, fast ones first.

    Args:
        places: (T,) float32 or float64, such as 0, 1, 2.
        width: even, at least 2.

    Returns:
        (T, width / 2) float64, in radians: place / 10000**(2 i / width) for clock i.

    Raises:
        TypeError: the places are no such floats, or width is no whole number.
        ValueError: the places are no finite vector, or width is odd or below 2.
    """
    require_vector(places, "places")
    require_wide(places, "places")
    require_count(width, 2, "width")
    if width % 2:
        raise ValueError(f"width must be even, got {width}")
    steps = torch.arange(0, width, 2, dtype=torch.float64, device=places.device)
    return places.double()[:, None] * 10000 ** (-steps / width)


def sinusoids(places: Tensor, width: int) -> Tensor:
    """Write each place as sines and cosines of its angles, to be added to the symbols.

    Args:
        places: (T,) float32 or float64, such as 0, 1, 2.
        width: even, at least 2.

    Returns:
        (T, width) floats like the places: column 2 i holds the sine, 2 i + 1 the cosine.

    Raises:
        TypeError, ValueError: as in `angles`.
    """
    turns = angles(places, width)
    pairs = torch.stack((turns.sin(), turns.cos()), dim=-1)
    return pairs.flatten(-2).to(places.dtype)


def rotate(x: Tensor, places: Tensor) -> Tensor:
    """Turn queries or keys by their places, so that scores see only the step between.

    Args:
        x: (..., T, d) float32 or float64, d even; columns 2 i and 2 i + 1 are one plane.
        places: (T,) floats of the same dtype.

    Returns:
        (..., T, d) floats; every row keeps its length.

    Raises:
        TypeError: x holds other numbers, or the dtypes differ.
        ValueError: x is empty or not finite, d is odd, or there is not one place for
            each row.
    """
    _require_partners(x, x, "x")
    require_vector(places, "places", x.shape[-2])
    require_same_dtype(x, places, "x and places")
    turns = angles(places, x.shape[-1])
    sine, cosine = turns.sin().to(x.dtype), turns.cos().to(x.dtype)
    right, up = x[..., 0::2], x[..., 1::2]
    turned = (right * cosine - up * sine, right * sine + up * cosine)
    return torch.stack(turned, dim=-1).flatten(-2)


def attention_in_blocks(q: Tensor, k: Tensor, v: Tensor, size: int) -> Tensor:
    """Compute `attention` without holding the whole map on the way forward.

    Where a gradient is asked for, autograd keeps what every block made, and nothing is saved.
    The library has a way back of its own, which computes the shares again.

    Args:
        q: (..., T, d) float32 or float64, one query in each row.
        k: (..., U, d) floats alike, one key in each row.
        v: (..., U, e) floats alike, the value of each key.
        size: how many keys to read at a time, at least 1.

    Returns:
        (..., T, e) floats.

    Raises:
        TypeError, ValueError: as in `attention`, or size is no whole number from 1 up.
    """
    require_count(size, 1, "size")
    _require_triple(q, k, v)
    largest = q.new_full((*q.shape[:-1], 1), -math.inf)
    total, mixture = torch.zeros_like(largest), v.new_zeros((*q.shape[:-1], v.shape[-1]))
    for keys, values in zip(k.split(size, dim=-2), v.split(size, dim=-2), strict=True):
        scores = q @ keys.mT / math.sqrt(q.shape[-1])
        peak = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))
        kept, weights = (largest - peak).exp(), (scores - peak).exp()
        total = kept * total + weights.sum(dim=-1, keepdim=True)
        mixture = kept * mixture + weights @ values
        largest = peak
    return mixture / total


def count_products(length: int, width: int, hidden: int) -> tuple[int, int, int]:
    """Count the multiplications of matrix products in one block, for one sequence.

    Args:
        length: T, how many places there are, at least 1.
        width: d, at least 1; the heads share it, and their number does not matter.
        hidden: units of the small network, at least 1.

    Returns:
        those of the four projections, 4 T d**2; those of scores and mixtures, 2 T**2 d; and
        those of the small network, 2 T d hidden.

    Raises:
        TypeError: one is no whole number.
        ValueError: one is below 1.
    """
    for value, name in ((length, "length"), (width, "width"), (hidden, "hidden")):
        require_count(value, 1, name)
    within = 4 * length * width**2
    return within, 2 * length**2 * width, 2 * length * width * hidden


def draw_projections(width: int, generator: Generator, dtype: torch.dtype) -> Projections:
    """Draw the four layers of attention: gain 1, biases 0.

    Args:
        width: d, at least 1.
        generator: draws the weights, on the CPU.
        dtype: float32 or float64.

    Returns:
        four layers of weight (d, d) and bias (d,).

    Raises:
        TypeError: dtype is another type, or width no whole number.
        ValueError: width is below 1.
    """
    drawn = [draw([width, width], 1.0, generator, dtype)[0] for _ in range(4)]
    return Projections(*drawn)


def draw_block(
    width: int, hidden: int, generator: Generator, dtype: torch.dtype
) -> Block:
    """Draw one block; its norms begin as scale 1 and shift 0.

    Args:
        width: d, at least 2.
        hidden: units of the small network, at least 1.
        generator: draws the weights, on the CPU.
        dtype: float32 or float64.

    Returns:
        the layers of a block.

    Raises:
        TypeError: dtype is another type, or a width no whole number.
        ValueError: width is below 2 or hidden below 1.
    """
    require_count(width, 2, "width")
    norms = [
        (torch.ones(width, dtype=dtype), torch.zeros(width, dtype=dtype)) for _ in "12"
    ]
    projections = draw_projections(width, generator, dtype)
    (wide,) = draw([width, hidden], math.sqrt(2), generator, dtype)
    (narrow,) = draw([hidden, width], 1.0, generator, dtype)
    return Block(norms[0], projections, norms[1], wide, narrow)


def draw_transformer(
    symbols: int,
    length: int,
    widths: tuple[int, int],
    depth: int,
    generator: Generator,
    dtype: torch.dtype,
) -> Transformer:
    """Draw a network that answers a symbol for every place; all its parameters can learn.

    Args:
        symbols: C, how many there are, at least 2.
        length: T, how many places its table knows, at least 1.
        widths: d, at least 2, and the units of the small networks, at least 1.
        depth: how many blocks, at least 1.
        generator: draws the weights, on the CPU.
        dtype: float32 or float64.

    Returns:
        tables, blocks and scores, all with requires_grad.

    Raises:
        TypeError: dtype is another type, or a count no whole number.
        ValueError: a count is below its least.
    """
    require_count(symbols, 2, "symbols")
    require_count(length, 1, "length")
    require_count(depth, 1, "depth")
    width, hidden = widths
    blocks = [draw_block(width, hidden, generator, dtype) for _ in range(depth)]
    tables = [
        torch.randn(n, width, generator=generator, dtype=dtype) for n in (symbols, length)
    ]
    norm = torch.ones(width, dtype=dtype), torch.zeros(width, dtype=dtype)
    (scores,) = draw([width, symbols], 1.0, generator, dtype)
    network = Transformer(*tables, blocks, norm, scores)
    for parameter in tensors_of(network):
        parameter.requires_grad_()
    return network


def tensors_of(part: Tensor | tuple | list) -> list[Tensor]:
    """List all parameters of a network, or of a part of it.

    Args:
        part: a tensor, or tuples and lists of tensors within each other.

    Returns:
        the tensors themselves, in order.
    """
    if isinstance(part, Tensor):
        return [part]
    return [tensor for inner in part for tensor in tensors_of(inner)]


def embed(symbols: Tensor, network: Transformer) -> Tensor:
    """Look up a vector for each symbol, and add one for its place.

    Args:
        symbols: (n, T) int64 from 0 to C - 1, one sequence in each row.
        network: its tables know at least T places.

    Returns:
        (n, T, d) floats.

    Raises:
        TypeError: the symbols are not int64.
        ValueError: they are no table, there are none, one lies outside 0..C - 1, the
            sequences are longer than the table of places, or the two tables differ in width.
    """
    known, most = len(network.symbols), len(network.places)
    _require_tables(network)
    _require_symbols(symbols, known)
    if symbols.shape[1] > most:
        raise ValueError(f"length must lie between 1 and {most}, got {symbols.shape[1]}")
    return network.symbols[symbols] + network.places[: symbols.shape[1]]


def transformer(
    symbols: Tensor, network: Transformer, heads: int, mask: Tensor | None = None
) -> Tensor:
    """Score every symbol as the answer at every place.

    Args:
        symbols: (n, T) int64 from 0 to C - 1, one sequence in each row.
        network: its parameters.
        heads: how many, at least 1; d is a multiple of it.
        mask: as in `multi_head`; the same for all blocks.

    Returns:
        (n, T, C) floats.

    Raises:
        TypeError, ValueError: as in `embed` and `encoder_block`.
    """
    x = embed(symbols, network)
    for block in network.blocks:
        x = encoder_block(x, block, heads, mask)
    _require_layers((network.scores,), x.shape[-1], x)
    return linear(layer_norm(x, *network.norm), *network.scores)


def train(
    network: Transformer,
    heads: int,
    answer: Callable[[Tensor], Tensor],
    steps: int,
    generator: Generator,
) -> Iterator[float]:
    """Learn a task from fresh random sequences: Adam, step size 0.003, batches of 64.

    Called again, it starts the averages of Adam anew.

    Args:
        network: its parameters with requires_grad change; others stay as they are.
        heads: how many, at least 1; d is a multiple of it.
        answer: gives the right symbols (n, T) int64 for sequences (n, T) int64.
        steps: how many, at least 1.
        generator: draws the sequences, on the CPU.

    Yields:
        the loss that each step met, in nats; between two of them the network may be looked
        at.

    Raises:
        TypeError, ValueError: as in `transformer` and `cross_entropy`, or steps are no whole
            number from 1 up.
    """
    require_count(steps, 1, "steps")
    optimizer = torch.optim.Adam(tensors_of(network), lr=0.003)
    for _ in range(steps):
        symbols = draw_sequences(64, network, generator)
        scores = transformer(symbols, network, heads)
        loss = cross_entropy(scores.flatten(0, 1), answer(symbols).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def draw_sequences(n: int, network: Transformer, generator: Generator) -> Tensor:
    """Draw sequences of a network's symbols, as long as its table of places.

    Args:
        n: how many, at least 1.
        network: its tables tell the symbols, the length and the device.
        generator: draws them, on the CPU.

    Returns:
        (n, T) int64 from 0 to C - 1.

    Raises:
        TypeError: n is no whole number.
        ValueError: n is below 1.
    """
    require_count(n, 1, "n")
    shape = n, len(network.places)
    drawn = torch.randint(len(network.symbols), shape, generator=generator)
    return drawn.to(network.symbols.device)


def least_error_without_places(length: int, symbols: int) -> float:
    """Give the least share of mistakes in reversing, for a net that sees no order.

    At each place it knows its own symbol, which is not the answer, and how often each symbol
    stands at the others; it can do no better than to name the commonest of these.

    Args:
        length: T, even, at least 2, so that no place is its own mirror.
        symbols: C, how many there are, equally likely, at least 1.

    Returns:
        1 - E(greatest count among T - 1 draws) / (T - 1), from 0 to 1.

    Raises:
        TypeError: one is no whole number.
        ValueError: length is odd or below 2, or symbols below 1.
    """
    require_count(length, 2, "length")
    require_count(symbols, 1, "symbols")
    if length % 2:
        raise ValueError(f"length must be even, got {length}")
    others = length - 1
    below = [_all_below(most, others, symbols) for most in range(1, length)]
    # The mean of a count is the sum over m of the chance that it reaches m.
    return float(1 - sum(1 - chance for chance in below) / others)


def _all_below(most: int, draws: int, symbols: int) -> Fraction:
    """Find the chance that every symbol is drawn fewer than `most` times."""
    ways = [Fraction(1)] + [Fraction(0)] * draws  # of the draws so far, each over n!
    for _ in range(symbols):
        ways = [
            sum(ways[n - m] / math.factorial(m) for m in range(min(most - 1, n) + 1))
            for n in range(draws + 1)
        ]
    return ways[draws] * math.factorial(draws) / symbols**draws


def _require_partners(first: Tensor, second: Tensor, names: str) -> None:
    for tensor in (first, second):
        require_finite(tensor, names)
        require_wide(tensor, names)
    require_same_dtype(first, second, names)
    shapes = f"{tuple(first.shape)} and {tuple(second.shape)}"
    if first.ndim < 2 or first.shape[:-2] != second.shape[:-2]:
        raise ValueError(f"{names} must agree in all but two axes, got {shapes}")


def _require_triple(q: Tensor, k: Tensor, v: Tensor) -> None:
    _require_partners(q, k, "q and k")
    _require_partners(k, v, "k and v")
    if q.shape[-1] != k.shape[-1]:
        raise ValueError(f"keys must be {q.shape[-1]} wide, got {k.shape[-1]}")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError(f"values must be {k.shape[-2]} rows, got {v.shape[-2]}")


def _require_mask(mask: Tensor, scores: Tensor) -> None:
    if mask.dtype != torch.bool:
        raise TypeError(f"mask must be bool, got {mask.dtype}")
    wanted, got = tuple(scores.shape), tuple(mask.shape)
    whole = mask.ndim == scores.ndim and all(
        m in (1, n) for m, n in zip(got, wanted, strict=True)
    )
    if not (whole and got[-1] == wanted[-1]) and got != wanted[-2:]:
        raise ValueError(f"mask must fit shares {wanted}, got {got}")
    if not mask.is_meta and not mask.any(dim=-1).all():
        raise ValueError("each query must see at least 1 key, got a row without any")


def _require_projections(layers: Projections, x: Tensor, y: Tensor) -> None:
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"y must be {x.shape[-1]} wide, got {y.shape[-1]}")
    _require_layers(layers, x.shape[-1], x)
    if any(weight.shape[0] != x.shape[-1] for weight, _ in layers):
        shapes = [tuple(weight.shape) for weight, _ in layers]
        raise ValueError(f"weights must be as high as wide, got {shapes}")


def _require_small_network(block: Block | DecoderBlock, x: Tensor) -> None:
    _require_layers((block.wide,), x.shape[-1], x)
    _require_layers((block.narrow,), len(block.wide[1]), x)
    if len(block.narrow[1]) != x.shape[-1]:
        raise ValueError(f"narrow must give {x.shape[-1]}, got {len(block.narrow[1])}")


def _require_layers(layers: tuple[Layer, ...], inputs: int, like: Tensor) -> None:
    for weight, bias in layers:
        shapes = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
        if (
            weight.ndim != 2
            or weight.shape[1] != inputs
            or bias.shape != weight.shape[:1]
        ):
            raise ValueError(f"a layer must be (k, {inputs}) and (k,), got {shapes}")
        require_same_dtype(like, weight, "x and weight")
        require_same_dtype(like, bias, "x and bias")


def _require_tables(network: Transformer) -> None:
    require_same_dtype(network.symbols, network.places, "symbols and places")
    shapes = tuple(network.symbols.shape), tuple(network.places.shape)
    if {len(shape) for shape in shapes} != {2} or shapes[0][1] != shapes[1][1]:
        raise ValueError(f"tables must be (C, d) and (T, d), got {shapes}")


def _require_symbols(symbols: Tensor, known: int) -> None:
    if symbols.dtype != torch.int64:
        raise TypeError(f"symbols must be int64, got {symbols.dtype}")
    if symbols.ndim != 2 or symbols.numel() == 0:
        raise ValueError(f"symbols must be (n, T), got {tuple(symbols.shape)}")
    if not symbols.is_meta:
        least, largest = (value.item() for value in symbols.aminmax())
        if least < 0 or largest >= known:
            wrong = least if least < 0 else largest
            raise ValueError(f"symbols must lie between 0 and {known - 1}, got {wrong}")
