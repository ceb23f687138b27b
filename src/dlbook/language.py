"""Language models: what comes next, by counting and by a small Transformer.

Sources: C. Shannon, "A mathematical theory of communication", 1948; smoothing: I. Witten and T.
Bell, IEEE Transactions on Information Theory 37, 1991; byte pairs: P. Gage, 1994, and R.
Sennrich, B. Haddow and A. Birch, 2016, arXiv:1508.07909; the Transformer that writes: A. Radford
et al., "Language models are unsupervised multitask learners", 2019.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import linear

from dlbook.attention import (
    Block,
    attention,
    draw_block,
    heads_apart,
    heads_together,
    rotate,
)
from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_classes,
    require_count,
    require_vector,
    require_wide,
)
from dlbook.mlp import Layer, relu
from dlbook.regularization import layer_norm

Pair = tuple[int, int]


def number(text: str, alphabet: str) -> Tensor:
    """Turn characters into numbers.

    Args:
        text: of characters of the alphabet, at least one.
        alphabet: different characters; their places are the numbers.

    Returns:
        (n,) int64.

    Raises:
        ValueError: the text is empty, a character is not in the alphabet, or twice in it.
    """
    require_at_least(len(text), 1, "number of characters")
    places = {character: place for place, character in enumerate(alphabet)}
    require_at_least(len(places), len(alphabet), "number of different characters")
    unknown = sorted(set(text) - set(places))
    if unknown:
        raise ValueError(f"characters must be of the alphabet, got {unknown[0]!r}")
    return torch.tensor([places[character] for character in text])


def bits_per_symbol(probabilities: Tensor) -> float:
    """Measure how surprised a model is, from the probabilities it gave to what came.

    Args:
        probabilities: (n,) float32 or float64, each above 0 and at most 1.

    Returns:
        the mean of -log2 p, in bits.

    Raises:
        TypeError: they are other numbers.
        ValueError: there are none, or one lies outside its range.
    """
    require_vector(probabilities, "probabilities")
    require_wide(probabilities, "probabilities")
    if not probabilities.is_meta:
        require_above_zero(probabilities.min().item(), "probability")
        largest = probabilities.max().item()
        if largest > 1 + 1e-6:
            raise ValueError(f"probability must be at most 1, got {largest}")
    return -probabilities.double().log2().mean().item()


class Counts(NamedTuple):
    """How often each n-gram was seen, and what is known of the histories in front.

    Attributes:
        grams: (m,) int64, codes of the n-grams in order.
        seen: (m,) int64, how often each was seen.
        histories: (k,) int64, codes of the first n - 1 symbols in order.
        totals: (k,) int64, how often each history was seen before some symbol.
        kinds: (k,) int64, how many different symbols followed it.
    """

    grams: Tensor
    seen: Tensor
    histories: Tensor
    totals: Tensor
    kinds: Tensor


def codes(ids: Tensor, n: int, symbols: int) -> Tensor:
    """Write each run of n symbols as one number, in base `symbols`.

    Args:
        ids: (length,) int64, from 0 to symbols - 1; length at least n.
        n: at least 0; for 0, all codes are 0.
        symbols: how many there are; symbols**n must fit into 63 bits.

    Returns:
        (length - n + 1,) int64.

    Raises:
        TypeError: ids is not int64, or a number is not whole.
        ValueError: an id or a number lies outside its range.
    """
    require_count(symbols, 1, "symbols")
    require_count(n, 0, "n")
    require_classes(ids, len(ids), symbols, "ids")
    require_at_least(len(ids), n, "number of ids")
    if symbols**n >= 2**63:
        raise ValueError(f"symbols**n must be below 2**63, got {symbols}**{n}")
    code = torch.zeros(len(ids) - n + 1, dtype=torch.int64, device=ids.device)
    for place in range(n):
        code = code * symbols + ids[place : len(ids) - n + 1 + place]
    return code


def count(ids: Tensor, n: int, symbols: int) -> Counts:
    """Count the n-grams of a text, and the histories in front of their last symbols.

    Args:
        ids: (length,) int64, from 0 to symbols - 1; length at least n.
        n: at least 1.
        symbols: how many there are; symbols**n must fit into 63 bits.

    Returns:
        the counts.

    Raises:
        TypeError, ValueError: as in `codes`; or n is below 1.
    """
    require_count(n, 1, "n")
    grams, seen = codes(ids, n, symbols).unique(return_counts=True)
    histories, kinds = (grams // symbols).unique_consecutive(return_counts=True)
    place = torch.searchsorted(histories, grams // symbols)
    totals = torch.zeros_like(kinds).index_add_(0, place, seen)
    return Counts(grams, seen, histories, totals, kinds)


def witten_bell(tables: Sequence[Counts], ids: Tensor, symbols: int) -> Tensor:
    """Give the probability of each symbol of a text after the ones in front of it.

    Each order of history mixes what it counted with the answer of the next shorter one, and
    trusts itself less, the more different symbols it has seen.

    Args:
        tables: the counts for n = 1, 2, ..., as many as the order of the model.
        ids: (length,) int64, from 0 to symbols - 1: another text.
        symbols: how many there are.

    Returns:
        (length,) float64, all above 0; the first ones have short histories.

    Raises:
        TypeError, ValueError: as in `codes`.
    """
    require_count(symbols, 1, "symbols")
    require_classes(ids, len(ids), symbols, "ids")
    p = torch.full((len(ids),), 1 / symbols, dtype=torch.float64, device=ids.device)
    for n, table in enumerate(tables, start=1):
        if len(ids) < n:
            break
        p[n - 1 :] = mixed(table, codes(ids, n, symbols), p[n - 1 :], symbols)
    return p


def mixed(table: Counts, grams: Tensor, p: Tensor, symbols: int) -> Tensor:
    """Mix what one order counted with the answers of the next shorter one.

    Args:
        table: the counts of the n-grams.
        grams: (m,) int64, codes of n-grams.
        p: (m,) float32 or float64, what the shorter histories say of their last symbols.
        symbols: how many there are.

    Returns:
        (m,) floats: (c(hx) + u(h) p) / (c(h) + u(h)), or p where h was never seen.

    Raises:
        TypeError: grams is not int64, or p holds other numbers.
        ValueError: the shapes differ, a number is not finite or a code below 0.
    """
    require_count(symbols, 1, "symbols")
    require_classes(grams, len(grams), name="grams")
    require_vector(p, "p", len(grams))
    require_wide(p, "p")
    seen = _looked_up(table.grams, table.seen, grams)
    totals = _looked_up(table.histories, table.totals, grams // symbols)
    kinds = _looked_up(table.histories, table.kinds, grams // symbols)
    shares = (seen + kinds * p) / (totals + kinds).clamp(min=1)
    return torch.where(totals > 0, shares, p)


def add_constant(table: Counts, ids: Tensor, n: int, symbols: int, k: float) -> Tensor:
    """Give the probability of each symbol by one order of counts, plus a constant.

    Args:
        table: the counts of the n-grams.
        ids: (length,) int64, from 0 to symbols - 1, length at least n.
        n: the order, at least 1.
        symbols: how many there are.
        k: what every n-gram is given, above 0.

    Returns:
        (length - n + 1,) float64: (c(hx) + k) / (c(h) + k symbols).

    Raises:
        TypeError, ValueError: as in `codes`; or k is not above 0.
    """
    require_count(n, 1, "n")
    require_above_zero(k, "k")
    grams = codes(ids, n, symbols)
    seen = _looked_up(table.grams, table.seen, grams)
    totals = _looked_up(table.histories, table.totals, grams // symbols)
    return (seen + k) / (totals + k * symbols)


def next_shares(tables: Sequence[Counts], history: Tensor, symbols: int) -> Tensor:
    """Give the probabilities of all symbols after a history.

    Args:
        tables: as in `witten_bell`.
        history: (length,) int64, from 0 to symbols - 1; it may be empty.
        symbols: how many there are.

    Returns:
        (symbols,) float64 that add up to 1.

    Raises:
        TypeError: history is not a vector of int64.
        ValueError: a symbol lies outside its range.
    """
    require_count(symbols, 1, "symbols")
    if history.dtype != torch.int64 or history.ndim != 1:
        raise TypeError(f"history must be (length,) int64, got {history.dtype}")
    if len(history):
        require_classes(history, len(history), symbols, "history")
    p = torch.full((symbols,), 1 / symbols, dtype=torch.float64, device=history.device)
    for n, table in enumerate(tables[: len(history) + 1], start=1):
        past = codes(history[len(history) - n + 1 :], n - 1, symbols)[0] if n > 1 else 0
        following = past * symbols + torch.arange(symbols, device=history.device)
        p = mixed(table, following, p, symbols)
    return p


def words_of(text: str) -> list[str]:
    """Cut a text in front of its spaces, so that no pair reaches across them.

    Args:
        text: any text.

    Returns:
        its pieces; joined they are the text.
    """
    return re.findall(r"\s?[^\s]+|\s", text)


def merge(word: tuple[int, ...], pair: Pair, new: int) -> tuple[int, ...]:
    """Replace each pair of neighbors in a word by one number, from left to right.

    Args:
        word: numbers.
        pair: two numbers.
        new: what stands for them.

    Returns:
        the shorter word.
    """
    merged: list[int] = []
    for symbol in word:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] = new
        else:
            merged.append(symbol)
    return tuple(merged)


def learn_merges(text: str, merges: int) -> Iterator[Pair]:
    """Merge the most frequent neighbors, again and again: byte pairs.

    Args:
        text: what to count in; its UTF-8 bytes are the first 256 symbols.
        merges: how many at most, at least 0.

    Yields:
        each pair; the symbols that replace them are 256, 257 and so on. Of pairs that are as
        frequent, the one of smaller numbers comes first. It ends early where no pair occurs
        twice.

    Raises:
        TypeError: merges is no whole number.
        ValueError: merges is below 0.
    """
    require_count(merges, 0, "merges")
    words = Counter(tuple(word.encode()) for word in words_of(text))
    for new in range(256, 256 + merges):
        pairs: Counter[Pair] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                pairs[pair] += times
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if best is None or pairs[best] < 2:
            return
        yield best
        merged: Counter[tuple[int, ...]] = Counter()
        for word, times in words.items():
            merged[merge(word, best, new)] += times
        words = merged


def encode(text: str, merges: Sequence[Pair]) -> Tensor:
    """Write a text in byte pairs, merging in the order that was learned.

    Args:
        text: any text, at least one character.
        merges: from `learn_merges`, which may still be learning them.

    Returns:
        (n,) int64, from 0 to 255 + the number of merges.

    Raises:
        ValueError: the text is empty.
    """
    require_at_least(len(text), 1, "number of characters")
    merges = list(merges)  # each word begins with the first of them
    known: dict[str, tuple[int, ...]] = {}
    written: list[int] = []
    for piece in words_of(text):
        if piece not in known:
            word = tuple(piece.encode())
            for new, pair in enumerate(merges, start=256):
                word = merge(word, pair, new)
            known[piece] = word
        written.extend(known[piece])
    return torch.tensor(written)


def decode(ids: Tensor, merges: Sequence[Pair]) -> str:
    """Read byte pairs; bytes that are no text become the sign for that.

    Args:
        ids: (n,) int64, from 0 to 255 + the number of merges.
        merges: from `learn_merges`.

    Returns:
        the text.

    Raises:
        TypeError: ids is not int64.
        ValueError: an id lies outside its range.
    """
    require_classes(ids, len(ids), 256 + len(merges), "ids")
    table = [bytes([byte]) for byte in range(256)]
    for first, second in merges:
        table.append(table[first] + table[second])
    return b"".join(table[symbol] for symbol in ids.tolist()).decode(errors="replace")


class Writer(NamedTuple):
    """A Transformer that says of each symbol which may come next.

    Attributes:
        symbols: (V, d) floats: a row stands for a symbol where it is read, and is what a
            place must be like where the symbol comes next.
        blocks: the blocks, first one first.
        norm: scale (d,) and shift (d,) of the last layer norm.
    """

    symbols: Tensor
    blocks: list[Block]
    norm: Layer


Cache = list[tuple[Tensor, Tensor]]  # keys and values of each block, (n, heads, T, e)


def draw_writer(
    symbols: int, width: int, depth: int, generator: Generator, dtype: torch.dtype
) -> Writer:
    """Draw a network of blocks with four times as many hidden units as features.

    Args:
        symbols: V, at least 2.
        width: d, even, at least 2.
        depth: how many blocks, at least 1.
        generator: draws, on the CPU.
        dtype: float32 or float64.

    Returns:
        the network.

    Raises:
        TypeError: dtype is another type, or a number is not whole.
        ValueError: a number is too small.
    """
    require_count(symbols, 2, "symbols")
    require_count(width, 2, "width")
    require_count(depth, 1, "depth")
    require_wide(torch.empty(0, dtype=dtype), "weights")
    table = torch.randn(symbols, width, generator=generator, dtype=dtype)
    blocks = [draw_block(width, 4 * width, generator, dtype) for _ in range(depth)]
    norm = torch.ones(width, dtype=dtype), torch.zeros(width, dtype=dtype)
    return Writer(table / math.sqrt(width), blocks, norm)


def read(
    ids: Tensor,
    network: Writer,
    heads: int,
    cache: Cache | None = None,
    thinned: Callable[[Tensor], Tensor] = lambda x: x,
) -> tuple[Tensor, Cache]:
    """Read symbols behind those that were read before, and score what may come after each.

    Args:
        ids: (n, T) int64, from 0 to V - 1.
        network: V symbols, width d.
        heads: how many in each block; d is an even multiple of it.
        cache: what was kept of the symbols before; nothing, where left out.
        thinned: applied to what each part adds, such as dropout in training.

    Returns:
        (n, T, V) scores, and what is kept of all symbols so far.

    Raises:
        TypeError: ids is not int64.
        ValueError: ids is no table, an id lies outside its range, or the cache does not fit.
    """
    if ids.ndim != 2:
        raise ValueError(f"ids must be (n, T), got {tuple(ids.shape)}")
    require_classes(ids.flatten(), ids.numel(), len(network.symbols), "ids")
    before = cache[0][0].shape[2] if cache else 0
    rows = before + torch.arange(ids.shape[1], device=ids.device)
    places = rows.to(network.symbols.dtype)
    mask = rows[:, None] >= torch.arange(len(rows) + before, device=ids.device)
    x, kept = network.symbols[ids], []
    for index, block in enumerate(network.blocks):
        old = cache[index] if cache else None
        added, new = look_back(x, block, heads, places, mask, old)
        x = x + thinned(added)
        seen = layer_norm(x, *block.norm_2)
        x = x + thinned(linear(relu(linear(seen, *block.wide)), *block.narrow))
        kept.append(new)
    return layer_norm(x, *network.norm) @ network.symbols.T, kept


def look_back(
    x: Tensor,
    block: Block,
    heads: int,
    places: Tensor,
    mask: Tensor,
    old: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Let each place ask all that it may see, those of the cache first.

    Args:
        x: (n, T, d) float32 or float64.
        block: its layers.
        heads: how many; d is an even multiple of it.
        places: (T,) floats like x, where the rows of x stand; queries and keys are turned by
            them.
        mask: (T, all) bool, True where a row of x may look.
        old: keys and values (n, heads, before, e) that were kept; none, where left out.

    Returns:
        (n, T, d) floats to be added to x, and keys and values of all places so far.

    Raises:
        TypeError, ValueError: as in `attention` and `rotate`.
    """
    seen, layers = layer_norm(x, *block.norm_1), block.attention
    q = rotate(heads_apart(linear(seen, *layers.query), heads), places)
    k = rotate(heads_apart(linear(seen, *layers.key), heads), places)
    v = heads_apart(linear(seen, *layers.value), heads)
    if old is not None:
        k, v = torch.cat([old[0], k], dim=2), torch.cat([old[1], v], dim=2)
    found = heads_together(attention(q, k, v, mask))
    return linear(found, *layers.output), (k, v)


def sharpened(scores: Tensor, temperature: float, top: int) -> Tensor:
    """Turn scores into probabilities, of the best few only, and more or less even.

    Args:
        scores: (V,) float32 or float64.
        temperature: above 0; toward 0 the best symbol takes all, above 1 all become more
            alike.
        top: how many symbols may come, from 1 to V.

    Returns:
        (V,) floats that add up to 1.

    Raises:
        TypeError: the scores are other numbers, or top is not whole.
        ValueError: a number lies outside its range.
    """
    require_vector(scores, "scores")
    require_wide(scores, "scores")
    require_above_zero(temperature, "temperature")
    require_count(top, 1, "top")
    require_at_least(len(scores), top, "number of symbols")
    best = scores.topk(top)
    others = torch.full_like(scores, -math.inf)
    kept = others.scatter(0, best.indices, best.values - best.values[0])
    return (kept / temperature).softmax(dim=0)


def write(
    network: Writer,
    heads: int,
    prompt: Tensor,
    length: int,
    temperature: float,
    top: int,
    generator: Generator,
) -> Iterator[int]:
    """Write on, symbol by symbol, with a cache of all that was read.

    Args:
        network: V symbols.
        heads: as in `read`.
        prompt: (T,) int64, from 0 to V - 1, at least one.
        length: how many symbols to write, at least 0.
        temperature: as in `sharpened`.
        top: as in `sharpened`.
        generator: draws, on the CPU.

    Yields:
        the symbols.

    Raises:
        TypeError, ValueError: as in `read` and `sharpened`.
    """
    require_count(length, 0, "length")
    cache: Cache | None = None
    new = prompt[None]
    for _ in range(length):
        scores, cache = read(new, network, heads, cache)
        shares = sharpened(scores[0, -1], temperature, top)
        symbol = torch.multinomial(shares.cpu(), 1, generator=generator)
        yield symbol.item()
        new = symbol[None].to(prompt.device)


def _looked_up(keys: Tensor, values: Tensor, wanted: Tensor) -> Tensor:
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == wanted, values[place], 0)
