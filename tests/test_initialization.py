"""Initialization: the laws of sizes, hand against library, and what a start cannot be."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, nn

from dlbook.backprop import train_epoch
from dlbook.contract import require_finite
from dlbook.initialization import (
    draw,
    effective_rank,
    gradient_mean_squares,
    mean_square_map,
    mean_squares,
    mirror,
    orthogonal,
    rescale,
    signals,
    variances_over_inputs,
)
from dlbook.mlp import (
    draw_layers,
    forward,
    relu,
    relu_derivative,
    tanh,
    tanh_derivative,
)

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def rows(n, d, seed=1):
    return torch.randn(n, d, generator=seeded(seed), dtype=DOUBLE)


def test_the_weights_are_those_of_the_library():
    """One generator gives the same weights, up to the order of two products."""
    ((weight, bias),) = draw([40, 30], math.sqrt(2), seeded(), DOUBLE)
    theirs = nn.init.kaiming_normal_(
        torch.empty(30, 40, dtype=DOUBLE), nonlinearity="relu", generator=seeded()
    )
    torch.testing.assert_close(weight, theirs, rtol=1e-14, atol=0)
    assert not bias.any()


def test_a_layer_takes_its_gain_from_the_number_of_its_inputs():
    layers = draw([400, 100, 900], 1.5, seeded(), DOUBLE)
    for (weight, _), inputs in zip(layers, (400, 100), strict=True):
        assert weight.var().item() == pytest.approx(1.5**2 / inputs, rel=0.02)


@pytest.mark.parametrize("square", [0.5, 2.0, 3.0])
@pytest.mark.parametrize("law", ["gaussian", "uniform"])
def test_the_mean_of_a_layer_follows_the_law_for_every_width(square, law):
    """E q' = g**2 / 2 q, within four standard errors, for the two usual laws."""
    x, found = rows(1, 7), []
    for seed in range(400):
        if law == "gaussian":
            ((weight, bias),) = draw([7, 5], math.sqrt(square), seeded(seed), DOUBLE)
        else:
            weight, bias = draw_layers([7, 5], seed, DOUBLE)[0]
            weight, bias = weight * math.sqrt(3 * square), bias * 0
        found.append(mean_squares(x, [(weight, bias)], relu)[1])
    found = torch.stack(found)
    error = found.std() / math.sqrt(len(found))
    assert abs(found.mean() - square / 2 * x.square().mean()) < 4 * error


def test_the_mean_square_of_the_mean_square_follows_its_law():
    """E q**2 = (1 + 5/n)**L for Gaussian weights and g**2 = 2, while L/n is small."""
    n, depth, found = 60, 6, []
    x = torch.ones(1, n, dtype=DOUBLE)
    for seed in range(600):
        layers = draw([n] * (depth + 1), math.sqrt(2), seeded(seed), DOUBLE)
        found.append(mean_squares(x, layers, relu)[-1])
    squares = torch.stack(found).square()
    error = squares.std() / math.sqrt(len(squares))
    assert abs(squares.mean() - (1 + 5 / n) ** depth) < 4 * error


def test_gradients_follow_the_same_law_backward():
    """E |along x|**2 shrinks or grows by g**2 / 2 a layer, for layers of equal width."""
    n, depth = 50, 8
    for square in (1.0, 2.0, 3.0):
        found = []
        for seed in range(60):
            layers = draw([n] * (depth + 1), math.sqrt(square), seeded(seed), DOUBLE)
            along = rows(1, n, seed)
            sizes = gradient_mean_squares(
                rows(1, n, 100 + seed), layers, along, relu, relu_derivative
            )
            found.append(sizes[0] / sizes[-1])
        found = torch.stack(found)
        error = found.std() / math.sqrt(len(found))
        expected = square * (square / 2) ** (depth - 1)  # the last layer has no rectifier
        assert abs(found.mean() - expected) < 4 * error


@pytest.mark.parametrize(
    ("activation", "derivative"), [(relu, relu_derivative), (tanh, tanh_derivative)]
)
def test_gradient_sizes_are_those_of_autograd(activation, derivative):
    layers = draw([6, 9, 4, 3], 1.3, seeded(), DOUBLE)
    along, signal = rows(5, 3, seed=2), rows(5, 6).requires_grad_()
    entered = [signal]
    for weight, bias in layers[:-1]:
        signal = activation(signal @ weight.T + bias)
        entered.append(signal)
    scores = signal @ layers[-1][0].T + layers[-1][1]
    slopes = torch.autograd.grad((scores * along).sum(), [*entered, scores])
    sizes = gradient_mean_squares(
        entered[0].detach(), layers, along, activation, derivative
    )
    expected = torch.stack([slope.square().mean() for slope in slopes])
    torch.testing.assert_close(sizes, expected, rtol=1e-12, atol=0)


def test_signals_are_those_of_the_network():
    layers = draw([6, 9, 3], 1.3, seeded(), DOUBLE)
    first, _, last = signals(rows(5, 6), layers, relu)
    assert first.equal(rows(5, 6))
    torch.testing.assert_close(last, relu(forward(rows(5, 6), layers, relu)))


@LAW
@given(st.floats(0.1, 4), st.integers(1, 6))
def test_a_stack_of_rectifiers_scales_with_its_weights(factor, depth):
    layers = draw([5] * (depth + 1), 1.0, seeded(), DOUBLE)
    scaled = [(factor * weight, bias) for weight, bias in layers]
    sizes, larger = (mean_squares(rows(3, 5), part, relu) for part in (layers, scaled))
    expected = sizes * factor ** (2 * torch.arange(depth + 1, dtype=DOUBLE))
    torch.testing.assert_close(larger, expected, rtol=1e-10, atol=1e-300)


def test_a_mean_square_splits_into_what_inputs_share_and_what_they_do_not():
    layers, x = draw_layers([6, 20, 20], 0, DOUBLE), rows(50, 6)
    handed_on = signals(x, layers, relu)
    shared = torch.stack([part.mean(dim=0).square().mean() for part in handed_on])
    torch.testing.assert_close(
        variances_over_inputs(x, layers, relu) + shared, mean_squares(x, layers, relu)
    )


def test_the_default_has_a_gain_of_one_third():
    layers = draw_layers([300, 300, 300], 0, DOUBLE)
    found = [(weight.var() * 300).item() for weight, _ in layers]
    assert found == pytest.approx([1 / 3, 1 / 3], rel=0.01)
    linear = nn.Linear(300, 300, dtype=DOUBLE)
    assert (linear.weight.var() * 300).item() == pytest.approx(1 / 3, rel=0.02)


def test_the_map_is_exact_for_a_rectifier_and_for_no_activation():
    q = torch.tensor([0.0, 0.3, 1.0, 5.0], dtype=DOUBLE)
    torch.testing.assert_close(mean_square_map(q, 1.7, relu), 1.7**2 * q / 2)
    torch.testing.assert_close(mean_square_map(q, 1.7, lambda s: s), 1.7**2 * q)


def test_the_map_of_tanh_ends_where_the_literature_says():
    q = torch.ones((), dtype=DOUBLE)
    for _ in range(200):
        q = mean_square_map(q, 5 / 3, tanh)
    assert q.item() == pytest.approx(0.4243, abs=1e-4)
    for layers in (100, 1000):
        q = torch.ones((), dtype=DOUBLE)
        for _ in range(layers):
            q = mean_square_map(q, 1.0, tanh)
        assert q.item() == pytest.approx(1 / (2 * layers), rel=0.05)


def test_rescaled_layers_hand_on_ones_and_keep_their_directions():
    layers, x = draw([6, 25, 25, 25], 1.0, seeded(), DOUBLE), rows(40, 6)
    rescaled = rescale(x, layers, relu)
    sizes = mean_squares(x, rescaled, relu)[1:]
    torch.testing.assert_close(sizes, torch.ones_like(sizes))
    for (old, _), (new, _) in zip(layers, rescaled, strict=True):
        torch.testing.assert_close(new / new.norm(), old / old.norm())


def test_a_layer_that_is_dead_cannot_be_rescaled():
    with pytest.raises(ValueError, match=r"size of a layer must be above 0, got 0\.0"):
        rescale(
            rows(4, 3).abs(),
            [(-torch.ones(2, 3, dtype=DOUBLE), torch.zeros(2).double())],
            relu,
        )


@pytest.mark.parametrize("size", [1, 2, 50])
def test_an_orthogonal_matrix_is_that_of_the_library(size):
    ours = orthogonal(size, seeded(), DOUBLE)
    theirs = nn.init.orthogonal_(
        torch.empty(size, size, dtype=DOUBLE), generator=seeded()
    )
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(ours @ ours.T, torch.eye(size, dtype=DOUBLE))


def test_orthogonal_matrices_are_as_often_reflections_as_rotations():
    signs = [
        torch.linalg.det(orthogonal(3, seeded(s), DOUBLE)).sign() for s in range(200)
    ]
    assert abs(sum(signs)) < 4 * math.sqrt(200)
    first = torch.stack([orthogonal(3, seeded(s), DOUBLE)[0, 0] for s in range(400)])
    assert abs(first.mean()) < 4 * first.std() / 20  # no sign is preferred


def test_a_product_of_orthogonal_matrices_keeps_every_direction():
    product, generator = torch.eye(50, dtype=DOUBLE), seeded()
    for _ in range(100):
        product = orthogonal(50, generator, DOUBLE) @ product
    ones = torch.ones(50, dtype=DOUBLE)
    torch.testing.assert_close(torch.linalg.svdvals(product), ones, rtol=0, atol=1e-13)
    assert effective_rank(product) == pytest.approx(50)


@LAW
@given(st.integers(1, 6), st.floats(0.01, 100))
def test_the_effective_rank_counts_equal_directions(rank, factor):
    s = torch.zeros(6, dtype=DOUBLE)
    s[:rank] = factor
    turned = (
        orthogonal(6, seeded(1), DOUBLE) @ s.diag() @ orthogonal(6, seeded(2), DOUBLE)
    )
    assert effective_rank(turned) == pytest.approx(rank)


@LAW
@given(st.integers(1, 5), st.integers(0, 100))
def test_a_mirrored_network_of_rectifiers_begins_as_the_linear_one(depth, seed):
    layers = draw([6] + [4] * depth + [3], 1.2, seeded(seed), DOUBLE)
    layers = [(weight, rows(len(bias), 1, seed)[:, 0]) for weight, bias in layers]
    x = rows(7, 6, seed=1000 + seed)
    linear, mirrored = forward(x, layers, lambda s: s), forward(x, mirror(layers), relu)
    torch.testing.assert_close(mirrored, linear, rtol=1e-10, atol=1e-10)
    assert [len(bias) for _, bias in mirror(layers)] == [8] * depth + [3]


def test_equal_weights_stay_equal():
    """Units that start alike get the same gradient, and are one unit for ever."""
    layers = [
        (torch.full((4, 6), 0.1, dtype=DOUBLE), torch.zeros(4, dtype=DOUBLE)),
        (torch.full((3, 4), 0.1, dtype=DOUBLE), torch.zeros(3, dtype=DOUBLE)),
    ]
    train_epoch(layers, rows(60, 6).abs(), torch.arange(60) % 3, 0.5, 10, seeded())
    weight, _ = layers[0]
    assert weight.equal(weight[:1].expand_as(weight))
    assert not weight.equal(torch.full_like(weight, 0.1))
    require_finite(weight, "weight")


def test_zero_weights_never_move_but_for_the_last_bias():
    layers = [
        (torch.zeros(4, 6, dtype=DOUBLE), torch.zeros(4, dtype=DOUBLE)),
        (torch.zeros(3, 4, dtype=DOUBLE), torch.zeros(3, dtype=DOUBLE)),
    ]
    labels = torch.arange(60) % 2
    train_epoch(layers, rows(60, 6), labels, 0.5, 10, seeded())
    assert not layers[0][0].any()
    assert not layers[0][1].any()
    assert not layers[1][0].any()
    assert layers[1][1].any()


def test_sizes_follow_the_dtype():
    layers = draw([3, 4], 1.0, seeded(), torch.float32)
    assert mean_squares(rows(2, 3).float(), layers, relu).dtype == torch.float32
