"""Recurrent networks: cells against the library, the way back, and what a sequence may be."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, nn
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from dlbook.initialization import orthogonal
from dlbook.recurrent import (
    clip,
    draw_weights,
    gru_step,
    kept_by_gate,
    last_states,
    lstm_step,
    pad,
    rnn_backward,
    rnn_step,
    set_forget_bias,
    state_jacobian,
    unroll,
)

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)
D, H = 3, 4
CELLS = {"RNN": (1, rnn_step), "LSTM": (4, lstm_step), "GRU": (3, gru_step)}


def seeded(seed=0):
    return Generator().manual_seed(seed)


def rows(*shape, seed=1):
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


def drawn(kind, seed=0):
    return draw_weights(D, H, CELLS[kind][0], seeded(seed), DOUBLE)


def library(kind, weights):
    layer = getattr(nn, kind)(D, H, batch_first=True, dtype=DOUBLE)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    layer.load_state_dict(dict(zip(names, weights, strict=True)))
    return layer


def states_of(kind, x, weights):
    """All states that are shown, stacked: (n, T, H)."""
    zeros = torch.zeros(len(x), H, dtype=DOUBLE)
    start = (zeros, zeros) if kind == "LSTM" else zeros
    states = unroll(x, start, partial(CELLS[kind][1], weights=weights))
    shown = [state[0] if kind == "LSTM" else state for state in states]
    return torch.stack(shown, dim=1)


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_that_of_the_library(kind):
    x, weights = rows(5, 7, D), drawn(kind)
    theirs, _ = library(kind, weights)(x)
    torch.testing.assert_close(states_of(kind, x, weights), theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", CELLS)
def test_the_start_is_that_of_the_library_in_law(kind):
    weights = draw_weights(50, 100, CELLS[kind][0], seeded(), DOUBLE)
    torch.manual_seed(0)
    theirs = list(getattr(nn, kind)(50, 100).parameters())
    for mine, other in zip(weights, theirs, strict=True):
        assert mine.shape == other.shape
        assert mine.abs().max().item() <= 0.1
        assert mine.std().item() == pytest.approx(other.std().item(), rel=0.1)


@pytest.mark.parametrize("kind", CELLS)
def test_carrying_the_state_over_is_reading_the_whole(kind):
    x, weights = rows(2, 9, D), drawn(kind)
    step = partial(CELLS[kind][1], weights=weights)
    zeros = torch.zeros(2, H, dtype=DOUBLE)
    start = (zeros, zeros) if kind == "LSTM" else zeros
    whole = unroll(x, start, step)
    parts = unroll(x[:, 4:], unroll(x[:, :4], start, step)[-1], step)
    for one, other in zip(whole[4:], parts, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@LAW
@given(st.integers(1, 4), st.integers(1, 9))
def test_the_way_back_is_that_of_autograd(n, steps):
    x, weights, start = rows(n, steps, D), drawn("RNN"), rows(n, H, seed=5).tanh()
    leaves = [part.clone().requires_grad_() for part in (*weights, start)]
    states = unroll(x, leaves[4], partial(rnn_step, weights=type(weights)(*leaves[:4])))
    h = torch.stack([leaves[4], *states], dim=1)
    along = rows(n, steps, H, seed=7)
    expected = torch.autograd.grad((h[:, 1:] * along).sum(), leaves)
    ours, along_start = rnn_backward(x, h.detach(), along, weights)
    for mine, theirs in zip((*ours, along_start), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


def test_a_loss_that_reaches_back_k_steps_needs_no_more_of_them():
    """Cut the state off k steps before the end: exact for the last steps, and only there."""
    x, weights = rows(2, 8, D), drawn("RNN")
    zeros = torch.zeros(2, 1, H, dtype=DOUBLE)
    h = torch.cat([zeros, states_of("RNN", x, weights)], dim=1)
    along = torch.zeros(2, 8, H, dtype=DOUBLE)
    along[:, -1] = 1
    _, whole = rnn_backward(x[:, 5:], h[:, 5:], along[:, 5:], weights)
    leaf = h[:, 5].clone().requires_grad_()
    last = unroll(x[:, 5:], leaf, partial(rnn_step, weights=weights))[-1]
    (expected,) = torch.autograd.grad(last.sum(), leaf)
    torch.testing.assert_close(whole, expected)
    cut, _ = rnn_backward(x[:, 5:], h[:, 5:], along[:, 5:], weights)
    full, _ = rnn_backward(x, h, along, weights)
    assert not torch.allclose(cut.along_h, full.along_h)


def test_the_product_of_jacobians_is_that_of_autograd_and_bounded_by_the_norm():
    x, weights, start = rows(1, 6, D), drawn("RNN"), rows(1, H, seed=5).tanh()
    step = partial(rnn_step, weights=weights)
    h = torch.cat([start, *unroll(x, start, step)])
    jacobian = state_jacobian(h, weights)
    theirs = torch.func.jacrev(lambda h: unroll(x, h[None], step)[-1][0])(start[0])
    torch.testing.assert_close(jacobian, theirs, rtol=1e-10, atol=1e-12)
    bound = torch.linalg.matrix_norm(weights.along_h, 2) ** 6
    assert torch.linalg.matrix_norm(jacobian, 2) <= bound


def test_with_its_gates_held_a_cell_forgets_by_the_product_of_its_forget_gates():
    """Without a way from h to the gates they do not depend on the state before."""
    weights = drawn("LSTM")
    weights = weights._replace(along_h=torch.zeros_like(weights.along_h))
    x, c = rows(1, 6, D), rows(1, H, seed=5)
    step = partial(lstm_step, weights=weights)

    def last(c):
        return unroll(x, (torch.zeros(1, H, dtype=DOUBLE), c[None]), step)[-1][1][0]

    jacobian = torch.func.jacrev(last)(c[0])
    s = x[0] @ weights.along_x.T + weights.bias_x + weights.bias_h
    forget = s[:, H : 2 * H].sigmoid().prod(dim=0)
    torch.testing.assert_close(jacobian, forget.diag())


@LAW
@given(st.floats(-5, 5), st.integers(0, 40))
def test_a_gate_that_hears_only_its_bias_forgets_geometrically(bias, steps):
    """A cell without weights, whose forget gate alone has a bias, and nothing comes in."""
    empty = type(drawn("LSTM"))(*(0 * part for part in drawn("LSTM")))
    weights, c = set_forget_bias(empty, bias), torch.ones(1, H, dtype=DOUBLE)
    kept = kept_by_gate(bias, steps)
    assert kept[0] == 1
    for share in kept:
        torch.testing.assert_close(c, share.expand(1, H), rtol=1e-12, atol=0)
        x = torch.zeros(1, D, dtype=DOUBLE)
        _, c = lstm_step(x, (torch.zeros(1, H, dtype=DOUBLE), c), weights)


def test_a_gru_is_a_residual_block_with_a_valve():
    x, h, weights = rows(2, D), rows(2, H), drawn("GRU")
    shut = weights.bias_x.clone()
    shut[H : 2 * H] = 1e3  # z is 1: nothing of the new state comes in
    assert gru_step(x, h, weights._replace(bias_x=shut)).equal(h)


@LAW
@given(st.floats(-5, 5))
def test_the_forget_bias_stands_in_one_vector_only(bias):
    weights = set_forget_bias(drawn("LSTM"), bias)
    both = weights.bias_x + weights.bias_h
    torch.testing.assert_close(both[H : 2 * H], torch.full((H,), bias, dtype=DOUBLE))
    others = [*range(H), *range(2 * H, 4 * H)]
    assert weights.bias_x[others].equal(drawn("LSTM").bias_x[others])
    assert weights.bias_h[others].equal(drawn("LSTM").bias_h[others])


@LAW
@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_clipping_is_that_of_the_library_and_keeps_the_direction(size, most):
    gradients = [size * rows(3, 2), size * rows(4, seed=2)]
    ours = clip(gradients, most)
    leaves = [torch.zeros_like(g).requires_grad_() for g in gradients]
    for leaf, gradient in zip(leaves, gradients, strict=True):
        leaf.grad = gradient.clone()
    clip_grad_norm_(leaves, most)
    for mine, leaf, gradient in zip(ours, leaves, gradients, strict=True):
        torch.testing.assert_close(mine, leaf.grad, rtol=1e-3, atol=0)
        cosine = torch.cosine_similarity(mine.flatten(), gradient.flatten(), dim=0)
        assert cosine.item() == pytest.approx(1)
    length = math.sqrt(sum(g.square().sum().item() for g in ours))
    before = math.sqrt(sum(g.square().sum().item() for g in gradients))
    assert length == pytest.approx(min(most, before))


def test_gradients_of_zero_stay_so():
    assert not clip([torch.zeros(3)], 1.0)[0].any()


def test_padding_is_that_of_the_library():
    sequences = [rows(t, D, seed=t) for t in (3, 1, 5)]
    padded, lengths = pad(sequences)
    assert padded.equal(pad_sequence(sequences, batch_first=True))
    assert lengths.tolist() == [3, 1, 5]


@pytest.mark.parametrize("kind", CELLS)
def test_a_padded_batch_answers_as_each_sequence_alone(kind):
    sequences, weights = [rows(t, D, seed=t) for t in (3, 1, 5)], drawn(kind)
    padded, lengths = pad(sequences)
    together = last_states(states_of(kind, padded, weights), lengths)
    for sequence, answer in zip(sequences, together, strict=True):
        alone = states_of(kind, sequence[None], weights)[0, -1]
        torch.testing.assert_close(answer, alone, rtol=0, atol=1e-14)
    longer = torch.cat([padded, rows(3, 2, D)], dim=1)
    assert last_states(states_of(kind, longer, weights), lengths).equal(together)
    packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
    _, last = library(kind, weights)(packed)
    last = last[0] if kind == "LSTM" else last
    torch.testing.assert_close(together, last[0], rtol=0, atol=1e-14)


def test_an_orthogonal_state_keeps_its_length_where_tanh_is_straight():
    turn = orthogonal(H, seeded(), DOUBLE)
    zeros = torch.zeros(H, dtype=DOUBLE)
    weights = drawn("RNN")._replace(along_h=turn, bias_x=zeros, bias_h=zeros)
    jacobian = state_jacobian(torch.zeros(51, H, dtype=DOUBLE), weights)
    torch.testing.assert_close(
        torch.linalg.svdvals(jacobian), torch.ones(H, dtype=DOUBLE)
    )


def test_sequences_that_learn_can_be_padded():
    rows = torch.ones(3, 2, dtype=torch.float64, requires_grad=True)
    padded, lengths = pad([rows, rows[:2]])
    padded.sum().backward()
    assert lengths.tolist() == [3, 2]
    assert rows.grad.tolist() == [[2, 2], [2, 2], [1, 1]]


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        (torch.full((1, 2), float("nan")), ValueError),
        (torch.zeros(1, 2, dtype=torch.float64), TypeError),
    ],
    ids=["nan", "float64"],
)
def test_the_cell_of_an_lstm_is_looked_at_like_its_state(cell, error):
    weights = draw_weights(3, 2, 4, torch.Generator().manual_seed(0), torch.float32)
    with pytest.raises(error, match="c"):
        lstm_step(torch.ones(1, 3), (torch.zeros(1, 2), cell), weights)
