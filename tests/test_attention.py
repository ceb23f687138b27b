"""Attention: hand against library, laws of shares and places, and what masks can do wrong."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from dlbook.attention import (
    Block,
    DecoderBlock,
    Projections,
    angles,
    attention,
    attention_in_blocks,
    causal_mask,
    count_products,
    decoder_block,
    draw_block,
    draw_projections,
    draw_sequences,
    draw_transformer,
    embed,
    encoder_block,
    head_shares,
    heads_apart,
    heads_together,
    least_error_without_places,
    multi_head,
    rotate,
    shares,
    sinusoids,
    smooth,
    tensors_of,
    train,
    transformer,
)
from dlbook.initialization import draw
from dlbook.knn import nearest_points

DOUBLE = torch.float64
close = torch.testing.assert_close


def seeded(seed=0):
    return Generator().manual_seed(seed)


def random(*shape, seed=1):
    return torch.randn(shape, generator=seeded(seed), dtype=DOUBLE)


def to_the_last_digit(ours, theirs):
    close(ours, theirs, rtol=1e-13, atol=1e-14)


def projections_of(module):
    """Take the layers out of `nn.MultiheadAttention`, which stacks three of them."""
    weights, biases = module.in_proj_weight.chunk(3), module.in_proj_bias.chunk(3)
    output = (module.out_proj.weight, module.out_proj.bias)
    return Projections(*zip(weights, biases, strict=True), output)


def layer_of(module):
    return module.weight, module.bias


def shaken(module):
    """Draw every parameter anew: norms of 1 and biases of 0 would hide mistakes."""
    generator = seeded(7)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
    return module.eval()


lengths = st.integers(1, 7)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(lengths, lengths, st.integers(1, 5), st.integers(1, 5))
def test_attention_is_that_of_the_library(t, u, d, e):
    q, k, v = random(2, 3, t, d), random(2, 3, u, d, seed=2), random(2, 3, u, e, seed=3)
    theirs = functional.scaled_dot_product_attention(q, k, v)
    to_the_last_digit(attention(q, k, v), theirs)
    to_the_last_digit(attention(q[0, 0], k[0, 0], v[0, 0]), theirs[0, 0])


@settings(max_examples=50, deadline=None, derandomize=True)
@given(lengths)
def test_causal_attention_is_that_of_the_library(t):
    q, k, v = (random(2, t, 4, seed=s) for s in range(3))
    theirs = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    to_the_last_digit(attention(q, k, v, causal_mask(q)), theirs)


@pytest.mark.parametrize("shape", [(5, 6), (2, 1, 1, 6), (2, 3, 5, 6), (1, 3, 1, 6)])
def test_a_mask_means_what_it_means_to_the_function_of_the_library(shape):
    q, k, v = random(2, 3, 5, 4), random(2, 3, 6, 4, seed=2), random(2, 3, 6, 4, seed=3)
    mask = random(*shape, seed=4) > -0.5
    mask[..., 0] = True
    theirs = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    to_the_last_digit(attention(q, k, v, mask), theirs)


@pytest.mark.parametrize("heads", [1, 2, 6])
def test_several_heads_are_those_of_the_library(heads):
    module = shaken(nn.MultiheadAttention(6, heads, batch_first=True, dtype=DOUBLE))
    x, y = random(2, 5, 6), random(2, 4, 6, seed=2)
    layers = projections_of(module)
    theirs, maps = module(x, y, y, average_attn_weights=False)
    to_the_last_digit(multi_head(x, y, layers, heads), theirs)
    to_the_last_digit(head_shares(x, y, layers, heads), maps)


def test_the_module_of_the_library_reads_a_mask_the_other_way_round():
    module = shaken(nn.MultiheadAttention(6, 2, batch_first=True, dtype=DOUBLE))
    x = random(2, 5, 6)
    theirs, _ = module(x, x, x, attn_mask=~causal_mask(x))
    to_the_last_digit(multi_head(x, x, projections_of(module), 2, causal_mask(x)), theirs)


@pytest.mark.parametrize("causal", [False, True])
def test_a_block_is_that_of_the_library(causal):
    module = shaken(
        nn.TransformerEncoderLayer(
            6, 2, 9, dropout=0, batch_first=True, norm_first=True, dtype=DOUBLE
        )
    )
    block = Block(
        layer_of(module.norm1),
        projections_of(module.self_attn),
        layer_of(module.norm2),
        layer_of(module.linear1),
        layer_of(module.linear2),
    )
    x = random(2, 5, 6)
    mask = causal_mask(x) if causal else None
    theirs = module(x, src_mask=None if mask is None else ~mask)
    to_the_last_digit(encoder_block(x, block, 2, mask), theirs)


def decoder_of(module):
    return DecoderBlock(
        layer_of(module.norm1),
        projections_of(module.self_attn),
        layer_of(module.norm2),
        projections_of(module.multihead_attn),
        layer_of(module.norm3),
        layer_of(module.linear1),
        layer_of(module.linear2),
    )


def library_decoder():
    return shaken(
        nn.TransformerDecoderLayer(
            6, 2, 9, dropout=0, batch_first=True, norm_first=True, dtype=DOUBLE
        )
    )


def test_a_block_of_the_decoder_is_that_of_the_library():
    module, x, memory = library_decoder(), random(2, 5, 6), random(2, 4, 6, seed=2)
    theirs = module(x, memory, tgt_mask=~causal_mask(x))
    to_the_last_digit(decoder_block(x, memory, decoder_of(module), 2), theirs)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(lengths, lengths, st.floats(0.01, 100))
def test_shares_add_up_and_answers_lie_among_the_values(t, u, size):
    q, k, v = size * random(t, 3), random(u, 3, seed=2), random(u, 3, seed=3)
    rows = shares(q, k)
    assert rows.min() >= 0
    close(rows.sum(dim=-1), torch.ones(t, dtype=DOUBLE))
    answers = attention(q, k, v)
    assert (answers <= v.amax(dim=0) + 1e-12).all()
    assert (answers >= v.amin(dim=0) - 1e-12).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.permutations(range(6)))
def test_attention_knows_no_order(order):
    """Permuted queries give permuted answers; keys permuted with their values, the same."""
    q, k, v = random(6, 3), random(6, 3, seed=2), random(6, 3, seed=3)
    close(attention(q[order], k, v), attention(q, k, v)[order])
    close(attention(q, k[order], v[order]), attention(q, k, v))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.permutations(range(5)))
def test_a_block_is_equivariant_and_a_mask_or_places_end_that(order):
    block, x = draw_block(6, 9, seeded(), DOUBLE), random(5, 6)
    close(encoder_block(x[order], block, 2), encoder_block(x, block, 2)[order])
    if order != list(range(5)):
        masked = encoder_block(x[order], block, 2, causal_mask(x))
        assert not masked.allclose(encoder_block(x, block, 2, causal_mask(x))[order])
        told = x + sinusoids(torch.arange(5.0, dtype=DOUBLE), 6)
        moved = x[order] + sinusoids(torch.arange(5.0, dtype=DOUBLE), 6)
        ours = encoder_block(moved, block, 2)
        assert not ours.allclose(encoder_block(told, block, 2)[order])


def test_the_past_depends_on_no_future_exactly():
    """The slope of answer t along input u is 0, not nearly 0, where u is later than t."""
    block, x = draw_block(4, 8, seeded(), DOUBLE), random(5, 4)

    def slopes(mask):
        found = torch.autograd.functional.jacobian(
            lambda x: encoder_block(x, block, 2, mask), x
        )
        return found.abs().amax(dim=(1, 3))  # by place of the answer and of the input

    assert not slopes(causal_mask(x)).triu(1).any()
    assert (slopes(causal_mask(x)) > 0).equal(causal_mask(x))
    assert (slopes(None) > 0).all()


def test_a_decoder_sees_all_of_the_other_sequence_and_no_future_of_its_own():
    block = decoder_of(library_decoder())
    x, memory = random(5, 6), random(4, 6, seed=2)
    own, other = torch.autograd.functional.jacobian(
        lambda x, memory: decoder_block(x, memory, block, 2), (x, memory)
    )
    assert not own.abs().amax(dim=(1, 3)).triu(1).any()
    assert (other.abs().amax(dim=(1, 3)) > 0).all()


def test_one_key_answers_with_its_value():
    q, v = random(4, 3), random(1, 2, seed=2)
    close(attention(q, random(1, 3, seed=3), v), v.expand(4, 2))


def test_equal_keys_answer_with_the_mean():
    k, v = random(1, 3).expand(5, 3), random(5, 2, seed=2)
    close(attention(random(4, 3, seed=3), k, v), v.mean(dim=0).expand(4, 2))


def test_large_queries_take_the_value_of_the_best_key():
    q, k, v = random(4, 3), random(5, 3, seed=2), random(5, 2, seed=3)
    close(attention(1e6 * q, k, v), v[(q @ k.T).argmax(dim=1)])


def test_one_head_of_the_whole_width_is_attention():
    layers, x = draw_projections(6, seeded(), DOUBLE), random(5, 6)
    q, k, v, (weight, bias) = (
        *(functional.linear(x, *layer) for layer in layers[:3]),
        layers.output,
    )
    expected = functional.linear(attention(q, k, v), weight, bias)
    close(multi_head(x, x, layers, 1), expected)


def test_heads_come_apart_and_together_again():
    x = random(2, 5, 6)
    apart = heads_apart(x, 3)
    assert apart.shape == (2, 3, 5, 2)
    assert apart[:, 1].equal(x[..., 2:4])
    assert apart.data_ptr() == x.data_ptr()
    assert heads_together(apart).equal(x)


def test_a_view_without_the_exchange_of_axes_mixes_places():
    """The shapes agree, and a head gets the features of other places."""
    x = (
        torch.arange(5.0).repeat_interleave(6).view(1, 5, 6)
    )  # each place holds its number
    wrong = x.view(1, 3, 5, 2)
    assert wrong.shape == heads_apart(x, 3).shape
    assert heads_apart(x, 3)[0, 0, :, 0].tolist() == [0, 1, 2, 3, 4]
    assert wrong[0, 0, :, 0].tolist() != [0, 1, 2, 3, 4]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 9), lengths, st.floats(0.01, 1000))
def test_softmax_can_be_computed_block_by_block(size, t, scale):
    q, k, v = scale * random(2, t, 3), random(2, 8, 3, seed=2), random(2, 8, 5, seed=3)
    close(attention_in_blocks(q, k, v, size), attention(q, k, v), rtol=1e-12, atol=1e-12)


def test_blocks_leave_no_map_behind():
    """No tensor as large as the map is made on the way."""
    largest = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, arguments=(), named=None):
            answer = function(*arguments, **(named or {}))
            largest.append(answer.numel() if isinstance(answer, torch.Tensor) else 0)
            return answer

    q = random(64, 4)
    with Watch():
        attention_in_blocks(q, q, q, 8)
    assert max(largest) == 64 * 8


def test_scores_of_standard_queries_and_keys_have_the_variance_d():
    for d in (4, 64):
        q, k = random(4000, d), random(4000, d, seed=2)
        scores = (q * k).sum(dim=1)
        error = scores.square().std() / math.sqrt(len(scores))
        assert abs(scores.square().mean() - d) < 4 * error


def test_smoothing_is_attention_where_all_keys_have_one_length():
    """-|q - k|**2 / tau is 2 q k / tau, and what is the same for all keys."""
    q, v = random(4, 3), random(6, 2, seed=2)
    k = functional.normalize(random(6, 3, seed=3), dim=1) * 1.7
    close(smooth(q, k, v, tau=2 * math.sqrt(3)), attention(q, k, v))


def test_smoothing_lies_between_the_nearest_neighbor_and_the_mean():
    q, k, v = random(9, 3), random(6, 3, seed=2), random(6, 2, seed=3)
    close(smooth(q, k, v, tau=1e-6), v[nearest_points(q, k, 1)[:, 0]])
    close(smooth(q, k, v, tau=1e12), v.mean(dim=0).expand(9, 2))


def test_smoothing_by_hand():
    """Squared distances 0 and 1, tau 1: shares e : 1."""
    q, k, v = (
        torch.tensor(t, dtype=DOUBLE) for t in ([[0.0]], [[0.0], [1.0]], [[5.0], [6.0]])
    )
    expected = (5 * math.e + 6) / (math.e + 1)
    assert smooth(q, k, v, tau=1.0).item() == pytest.approx(expected)


def test_the_dictionary_of_the_page_by_hand():
    keys, values = torch.tensor([[0.0], [1.0], [3.0]]), torch.tensor([[10.0], [20], [60]])
    answer = smooth(torch.tensor([[0.9]]), keys, values, tau=1.0)
    assert answer.item() == pytest.approx(17.26, abs=5e-3)
    parts = smooth(torch.tensor([[0.9]]), keys, torch.eye(3), tau=1.0)[0].tolist()
    assert parts == pytest.approx([0.307, 0.684, 0.008], abs=6e-4)


def test_the_exercise_by_hand():
    q, k = torch.tensor([[1.0, 0]], dtype=DOUBLE), torch.eye(2, dtype=DOUBLE)
    v = torch.tensor([[10.0], [20.0]], dtype=DOUBLE)
    assert shares(q, k)[0].tolist() == pytest.approx([0.670, 0.330], abs=5e-4)
    assert attention(q, k, v).item() == pytest.approx(13.3, abs=0.05)


def test_sinusoids_are_what_the_paper_says():
    table = sinusoids(torch.arange(50.0, dtype=DOUBLE), 8)
    for t, i in itertools.product((0, 1, 49), range(4)):
        angle = t / 10000 ** (2 * i / 8)
        assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-14)
        assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-14)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(-50, 50), st.integers(0, 500))
def test_a_step_turns_all_places_alike(step, place):
    """PE(t + k) = R PE(t), with a rotation that does not depend on t."""
    turns = angles(torch.tensor([float(step)], dtype=DOUBLE), 8)[0]
    sine, cosine = turns.sin(), turns.cos()
    pairs = zip(cosine, sine, strict=True)
    R = torch.block_diag(*[torch.tensor([[c, s], [-s, c]]) for c, s in pairs])
    here, there = (
        sinusoids(torch.tensor([float(t)], dtype=DOUBLE), 8)[0]
        for t in (place, place + step)
    )
    close(R @ here, there, rtol=0, atol=1e-12)
    close(R @ R.T, torch.eye(8, dtype=DOUBLE), rtol=0, atol=1e-14)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(-100, 100))
def test_scores_of_rotated_vectors_see_the_distance_only(t, u, shift):
    q, k = random(1, 8), random(1, 8, seed=2)

    def score(t, u):
        t, u = (torch.tensor([place], dtype=DOUBLE) for place in (t, u))
        return (rotate(q, t) @ rotate(k, u).T).item()

    assert score(t, u) == pytest.approx(score(t + shift, u + shift), abs=1e-11)


def test_a_rotation_is_a_product_of_complex_numbers():
    x, places = random(2, 3, 5, 8), torch.arange(5.0, dtype=DOUBLE)
    turn = torch.polar(torch.ones(5, 4, dtype=DOUBLE), angles(places, 8))
    planes = torch.view_as_complex(x.unflatten(-1, (4, 2)))
    expected = torch.view_as_real(planes * turn).flatten(-2)
    close(rotate(x, places), expected)
    close(rotate(x, places).norm(dim=-1), x.norm(dim=-1))
    assert rotate(x, 0 * places).equal(x)


def test_far_places_keep_their_angles_in_single_precision():
    far = torch.tensor([100_003.0])
    close(sinusoids(far, 8), sinusoids(far.double(), 8).float(), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("length", "width", "hidden"), [(5, 6, 9), (48, 8, 32)])
def test_products_are_those_that_torch_counts(length, width, hidden):
    block, x = draw_block(width, hidden, seeded(), DOUBLE), random(length, width)
    with FlopCounterMode(display=False) as counter:
        encoder_block(x, block, 2)
    counted = count_products(length, width, hidden)
    assert 2 * sum(counted) == counter.get_total_flops()
    assert (counted[1] == counted[0] + counted[2]) == (length == 6 * width)


def test_a_small_transformer_has_as_many_parameters_as_its_parts():
    network = draw_transformer(10, 8, (32, 64), 1, seeded(), DOUBLE)
    tables, norms, scores = (10 + 8) * 32, 3 * 2 * 32, 33 * 10
    block = 4 * 32 * 33 + 64 * 33 + 32 * 65
    found = sum(part.numel() for part in tensors_of(network))
    assert found == tables + block + norms + scores == 9514
    assert all(part.requires_grad for part in tensors_of(network))


def test_a_network_is_its_blocks_between_tables_and_scores():
    network = draw_transformer(10, 8, (6, 9), 2, seeded(), DOUBLE)
    symbols = draw_sequences(3, network, seeded())
    x = network.symbols[symbols] + network.places
    assert embed(symbols, network).equal(x)
    for block in network.blocks:
        x = encoder_block(x, block, 2)
    x = functional.layer_norm(x, (6,), *network.norm)
    weight, bias = network.scores
    close(transformer(symbols, network, 2), x @ weight.T + bias)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.permutations(range(8)))
def test_a_network_without_places_answers_a_bag_of_symbols(order):
    network = draw_transformer(10, 8, (6, 9), 2, seeded(), DOUBLE)
    network = network._replace(places=torch.zeros(8, 6, dtype=DOUBLE))
    symbols = draw_sequences(2, network, seeded())
    close(
        transformer(symbols[:, order], network, 2),
        transformer(symbols, network, 2)[:, order],
    )


def reverse(symbols):
    return symbols.flip(1)


def test_training_learns_to_reverse_three_symbols():
    network = draw_transformer(4, 3, (8, 16), 1, seeded(), DOUBLE)
    losses = list(train(network, 1, reverse, 150, seeded()))
    symbols = draw_sequences(200, network, seeded(9))
    assert losses[-1] < 0.1 < losses[0]
    assert transformer(symbols, network, 1).argmax(dim=2).equal(reverse(symbols))


def test_training_leaves_what_requires_no_gradient():
    drawn = draw_transformer(4, 3, (8, 16), 1, seeded(), DOUBLE)
    network = drawn._replace(places=torch.zeros(3, 8, dtype=DOUBLE))
    before = [part.clone() for part in tensors_of(network)]
    list(train(network, 1, reverse, 2, seeded()))
    changed = [
        not part.equal(old) for part, old in zip(tensors_of(network), before, strict=True)
    ]
    assert changed[1] is False
    assert changed[0] is True
    assert not network.places.any()


def test_training_takes_a_step_only_when_asked():
    network = draw_transformer(4, 3, (8, 16), 1, seeded(), DOUBLE)
    before = network.symbols.detach().clone()
    steps = train(network, 1, reverse, 5, seeded())
    assert network.symbols.equal(before)
    assert next(steps) > 0
    assert not network.symbols.equal(before)


@pytest.mark.parametrize(("length", "symbols"), [(2, 3), (4, 3), (6, 2)])
def test_the_least_error_is_that_of_all_cases(length, symbols):
    """Try every sequence of the other places, and name its commonest symbol."""
    cases = list(itertools.product(range(symbols), repeat=length - 1))
    right = sum(max(case.count(s) for s in range(symbols)) for case in cases)
    expected = 1 - right / len(cases) / (length - 1)
    assert least_error_without_places(length, symbols) == pytest.approx(expected)


def test_the_least_error_of_one_symbol_is_none():
    assert least_error_without_places(8, 1) == 0
    assert least_error_without_places(8, 10) == pytest.approx(0.68283)


def test_a_query_that_may_look_at_nothing_is_refused():
    x, mask = random(3, 2), torch.ones(3, 3, dtype=torch.bool)
    mask[1] = False
    with pytest.raises(ValueError, match="each query must see at least 1 key, got a row"):
        attention(x, x, x, mask)


def test_a_mask_behind_the_softmax_breaks_the_sum():
    x = random(4, 3)
    late = shares(x, x) * causal_mask(x)
    assert (late.sum(dim=1)[:-1] < 1).all()
    close(shares(x, x, causal_mask(x)), late / late.sum(dim=1, keepdim=True))


def test_a_longer_sequence_than_the_table_is_refused():
    network = draw_transformer(10, 8, (6, 9), 1, seeded(), DOUBLE)
    with pytest.raises(ValueError, match="length must lie between 1 and 8, got 9"):
        transformer(torch.zeros(1, 9, dtype=torch.int64), network, 2)


def test_a_shorter_sequence_takes_the_first_places():
    network = draw_transformer(10, 8, (6, 9), 1, seeded(), DOUBLE)
    symbols = draw_sequences(3, network, seeded())
    assert embed(symbols[:, :5], network).equal(embed(symbols, network)[:, :5])


def test_a_layer_of_another_width_is_refused():
    layers, x = draw_projections(6, seeded(), DOUBLE), random(5, 6)
    (narrow,) = draw([6, 4], 1.0, seeded(), DOUBLE)
    with pytest.raises(ValueError, match="weights must be as high as wide"):
        multi_head(x, x, layers._replace(query=narrow), 2)


def test_dtype_follows_the_input():
    x = random(5, 6).float()
    block = draw_block(6, 9, seeded(), torch.float32)
    assert encoder_block(x, block, 2).dtype == torch.float32
    assert sinusoids(torch.arange(3.0), 4).dtype == torch.float32


def test_a_small_network_that_gives_one_number_is_refused():
    """It would be added to every feature of the place."""
    block, x = draw_block(6, 9, seeded(), DOUBLE), random(5, 6)
    (single,) = draw([9, 1], 1.0, seeded(), DOUBLE)
    with pytest.raises(ValueError, match="narrow must give 6, got 1"):
        encoder_block(x, block._replace(narrow=single), 2)
