"""Language: probabilities that add up, codes that come back, and a cache that changes nothing."""

import math
import re
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, nn

from dlbook.data import prose
from dlbook.language import (
    add_constant,
    bits_per_symbol,
    codes,
    count,
    decode,
    draw_writer,
    encode,
    learn_merges,
    look_back,
    next_shares,
    number,
    read,
    sharpened,
    witten_bell,
    words_of,
    write,
)

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)
CHECKSUM = "9a07264e51bf1ed9"  # of the text; every number of the chapter hangs on it


def seeded(seed=0):
    return Generator().manual_seed(seed)


def ids(n, symbols=5, seed=0):
    return torch.randint(symbols, (n,), generator=seeded(seed))


def tables(text, order, symbols=5):
    return [count(text, n, symbols) for n in range(1, order + 1)]


def test_the_prose_is_the_frozen_one_and_its_parts_share_no_paragraph():
    training, held_out = prose.load()
    assert prose.checksum().startswith(CHECKSUM)
    lines, kept = training.splitlines(), held_out.splitlines()
    assert len(kept) == math.ceil((len(lines) + len(kept)) / 10)
    long = {line for line in lines if len(line) > 60}
    assert not long & set(kept)


def test_bits_are_counted_as_shannon_counts_them():
    probabilities = torch.tensor([1 / 2, 1 / 4, 1 / 8, 1 / 8], dtype=DOUBLE)
    assert bits_per_symbol(probabilities) == pytest.approx((1 + 2 + 3 + 3) / 4)
    assert bits_per_symbol(torch.full((7,), 1 / 96, dtype=DOUBLE)) == pytest.approx(
        math.log2(96)
    )


@LAW
@given(st.integers(1, 4), st.integers(0, 50))
def test_counts_are_those_of_a_counter(n, seed):
    text = ids(60, seed=seed)
    grams = Counter(tuple(text[i : i + n].tolist()) for i in range(60 - n + 1))
    table = count(text, n, 5)
    expected = sorted(
        (sum(s * 5 ** (n - 1 - i) for i, s in enumerate(gram)), times)
        for gram, times in grams.items()
    )
    assert table.grams.tolist() == [code for code, _ in expected]
    assert table.seen.tolist() == [times for _, times in expected]
    followers = {}
    for gram, times in grams.items():
        followers.setdefault(gram[:-1], []).append(times)
    assert table.kinds.tolist() == [len(t) for _, t in sorted(followers.items())]
    assert table.totals.tolist() == [sum(t) for _, t in sorted(followers.items())]


@LAW
@given(st.integers(1, 5), st.lists(st.integers(0, 4), max_size=8))
def test_probabilities_add_up_after_every_history(order, history):
    shares = next_shares(
        tables(ids(80), order), torch.tensor(history, dtype=torch.int64), 5
    )
    assert shares.min() > 0
    assert shares.sum().item() == pytest.approx(1)


def test_the_shares_of_the_next_symbol_are_those_of_the_text():
    text, other = ids(80), ids(12, seed=1)
    p = witten_bell(tables(text, 4), other, 5)
    for place in range(12):
        shares = next_shares(tables(text, 4), other[:place], 5)
        assert shares[other[place]].item() == pytest.approx(p[place].item())


def test_the_mixture_is_that_of_witten_and_bell():
    """(c(hx) + u(h) p) / (c(h) + u(h)), by hand on a text of eight symbols."""
    text = torch.tensor([0, 1, 0, 1, 0, 2, 0, 1])
    p = witten_bell(tables(text, 2, 3), torch.tensor([0, 1]), 3)
    unigram = [(4 + 3 / 3) / (8 + 3), (3 + 3 / 3) / (8 + 3)]
    assert p[0].item() == pytest.approx(unigram[0])
    assert p[1].item() == pytest.approx((3 + 2 * unigram[1]) / (4 + 2))


def test_the_unigram_of_a_text_costs_its_entropy_without_smoothing():
    text = ids(500)
    shares = torch.bincount(text).double() / len(text)
    entropy = -(shares * shares.log2()).sum().item()
    tiny = add_constant(count(text, 1, 5), text, 1, 5, 1e-12)
    assert bits_per_symbol(tiny) == pytest.approx(entropy)


def test_a_longer_history_fits_the_training_text_better():
    text = ids(300)
    bits = [
        bits_per_symbol(add_constant(count(text, n, 5), text, n, 5, 1e-12))
        for n in (1, 2, 3, 4)
    ]
    assert bits == sorted(bits, reverse=True)


def test_codes_that_would_overflow_are_refused():
    with pytest.raises(ValueError, match=r"symbols\*\*n must be below 2\*\*63"):
        codes(ids(20), 10, 96)


@LAW
@given(st.text(max_size=40))
def test_words_join_to_the_text(text):
    assert "".join(words_of(text)) == text


@LAW
@given(st.text(min_size=1, max_size=60), st.integers(0, 20))
def test_what_is_encoded_comes_back(text, merges):
    learned = list(learn_merges("the cat and the hat and the rat" + text, merges))
    assert decode(encode(text, learned), learned) == text


def test_merges_are_learned_from_the_most_frequent_on():
    text = "aab aab aac"
    learned = list(learn_merges(text, 3))
    assert learned[0] == (97, 97)
    assert learned[1] == (32, 256)  # " aa" twice, "aab" twice: smaller numbers first
    assert len(learned) == 2  # no pair is left that occurs twice
    lengths = [len(encode(text, learned[:k])) for k in range(3)]
    assert lengths == [11, 8, 6]


def test_no_merge_reaches_across_a_space():
    learned = list(learn_merges(prose.load()[1][:5000], 60))
    table = [bytes([byte]) for byte in range(256)]
    for first, second in learned:
        table.append(table[first] + table[second])
    assert not [token for token in table[256:] if re.search(rb"\S\s", token)]


def test_numbering_the_tokens_anew_changes_no_bit():
    text, other = ids(200), ids(50, seed=1)
    shuffled = torch.randperm(5, generator=seeded(2))
    first = witten_bell(tables(text, 3), other, 5)
    second = witten_bell(tables(shuffled[text], 3), shuffled[other], 5)
    torch.testing.assert_close(first, second)


def writer(seed=0):
    return draw_writer(7, 16, 2, seeded(seed), DOUBLE)


@LAW
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_reading_with_a_cache_is_reading_the_whole(parts):
    text = ids(2 * sum(parts), 7).view(2, -1)
    whole, _ = read(text, writer(), 2)
    cache, pieces = None, []
    for piece in text.split(parts, dim=1):
        scores, cache = read(piece, writer(), 2, cache)
        pieces.append(scores)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, rtol=0, atol=1e-12)


def test_a_later_symbol_changes_no_earlier_score():
    text = ids(8, 7)[None]
    changed = text.clone()
    changed[0, 5] = (text[0, 5] + 1) % 7
    first, _ = read(text, writer(), 2)
    second, _ = read(changed, writer(), 2)
    assert first[:, :5].equal(second[:, :5])
    assert not torch.allclose(first[:, 5:], second[:, 5:])


def test_a_block_without_turned_places_is_that_of_the_library():
    """All places 0: nothing is turned, and the block is a TransformerEncoderLayer."""
    block = writer().blocks[0]
    x = torch.randn(2, 5, 16, generator=seeded(3), dtype=DOUBLE)
    mask = torch.ones(5, 5, dtype=torch.bool).tril()
    layer = nn.MultiheadAttention(16, 2, batch_first=True, dtype=DOUBLE)
    weights = [part[0] for part in block.attention[:3]]
    biases = [part[1] for part in block.attention[:3]]
    layer.load_state_dict(
        {
            "in_proj_weight": torch.cat(weights),
            "in_proj_bias": torch.cat(biases),
            "out_proj.weight": block.attention.output[0],
            "out_proj.bias": block.attention.output[1],
        }
    )
    ours, _ = look_back(x, block, 2, torch.zeros(5, dtype=DOUBLE), mask)
    seen = nn.functional.layer_norm(x, (16,))
    theirs, _ = layer(seen, seen, seen, attn_mask=~mask)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_scores_depend_on_distances_and_not_on_places():
    """The same symbols farther on, behind a cache that nobody looks at, score alike."""
    block, x = (
        writer().blocks[0],
        torch.randn(1, 4, 16, generator=seeded(3), dtype=DOUBLE),
    )
    mask = torch.ones(4, 4, dtype=torch.bool).tril()
    places = torch.arange(4, dtype=DOUBLE)
    near, _ = look_back(x, block, 2, places, mask)
    far, _ = look_back(x, block, 2, places + 100, mask)
    torch.testing.assert_close(near, far, rtol=1e-10, atol=1e-12)


@LAW
@given(st.floats(0.1, 5), st.integers(1, 6))
def test_sharpened_shares_keep_the_order_and_the_best_few(temperature, top):
    scores = torch.tensor([0.3, -1.0, 2.0, 0.9, -0.2, 1.4], dtype=DOUBLE)
    shares = sharpened(scores, temperature, top)
    assert shares.sum().item() == pytest.approx(1)
    assert (shares > 0).sum() == top
    assert shares.argmax() == 2
    if top == 6:
        torch.testing.assert_close(shares, (scores / temperature).softmax(dim=0))


def test_a_low_temperature_takes_the_best():
    scores = torch.tensor([0.0, 1.0, 0.9])
    assert sharpened(scores, 1e-3, 3)[1] == pytest.approx(1)


def test_what_is_written_is_drawn_from_the_scores_of_the_whole():
    network, prompt = writer(), torch.tensor([1, 2])
    written = list(write(network, 2, prompt, 10, 1e-6, 7, seeded()))
    text = prompt
    for symbol in written:
        scores, _ = read(text[None], network, 2)
        assert scores[0, -1].argmax().item() == symbol
        text = torch.cat([text, torch.tensor([symbol])])


def test_numbers_are_places_in_the_alphabet():
    assert number("abca", "abc").tolist() == [0, 1, 2, 0]


def test_merges_that_are_still_being_learned_serve_every_word():
    text = "the cat and the hat and the mat " * 3
    learned = list(learn_merges(text, 20))
    assert encode(text, learn_merges(text, 20)).equal(encode(text, learned))
