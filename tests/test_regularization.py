"""Regularization: the laws of each method, and the library as the judge."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from torch import Generator, nn
from torch.nn import functional

from dlbook.backprop import finite_differences, train_epoch
from dlbook.mlp import draw_layers
from dlbook.regularization import (
    batch_norm,
    batch_norm_at_test,
    batch_norm_backward,
    decayed_step,
    draw_mask,
    dropout,
    dropout_risk,
    layer_norm,
    share_after_steps,
    share_of_ridge,
    stop_early,
    update_running,
    warp,
)

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def rows(*shape, seed=1):
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


def test_plain_steps_with_decay_are_those_of_the_penalty_and_of_the_library():
    w, target = rows(5), rows(5, seed=2)
    library = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([library], lr=0.1, weight_decay=0.3)
    penalized = w.clone()
    for _ in range(20):
        optimizer.zero_grad()
        (0.5 * (library - target).square().sum()).backward()
        optimizer.step()
        w = decayed_step(w, w - target, eta=0.1, decay=0.3)
        penalized = penalized - 0.1 * (penalized - target + 0.3 * penalized)
    torch.testing.assert_close(w, library.detach(), rtol=0, atol=1e-14)
    torch.testing.assert_close(w, penalized, rtol=0, atol=1e-14)


def test_the_library_decays_beside_the_steps_of_adamw_only():
    """AdamW is Adam on the bare gradient, after the weights have shrunk."""
    w, target = rows(4).requires_grad_(), rows(4, seed=2)
    decayed = w.detach().clone().requires_grad_()
    ours = torch.optim.Adam([decayed], lr=0.1)
    theirs = torch.optim.AdamW([w], lr=0.1, weight_decay=0.3)
    for _ in range(5):
        for optimizer, weights in ((ours, decayed), (theirs, w)):
            optimizer.zero_grad()
            (0.5 * (weights - target).square().sum()).backward()
            if optimizer is ours:
                with torch.no_grad():
                    weights.mul_(1 - 0.1 * 0.3)
            optimizer.step()
    torch.testing.assert_close(w, decayed, rtol=0, atol=1e-12)


@LAW
@given(st.lists(st.floats(0, 10), min_size=1, max_size=6), st.integers(0, 60))
def test_descent_has_come_as_far_as_the_filter_says(curvatures, steps):
    h, eta = torch.tensor(curvatures, dtype=DOUBLE), 0.1
    minimizer, w = torch.ones_like(h), torch.zeros_like(h)
    for _ in range(steps):
        w = w - eta * h * (w - minimizer)
    shares = share_after_steps(h, eta, steps)
    torch.testing.assert_close(w, shares, rtol=0, atol=1e-12)


def test_a_ridge_leaves_of_each_direction_what_its_filter_says():
    X, y = rows(30, 4), rows(30, seed=2)
    h, directions = torch.linalg.eigh(X.T @ X)
    minimizer = torch.linalg.lstsq(X, y).solution
    ridge = Ridge(alpha=2.5, fit_intercept=False).fit(X.numpy(), y.numpy())
    found = directions.T @ torch.from_numpy(ridge.coef_)
    expected = share_of_ridge(h, 2.5) * (directions.T @ minimizer)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


@LAW
@given(st.floats(1e-4, 0.05), st.integers(20, 400))
def test_both_filters_agree_where_little_is_learned(eta, steps):
    """For h far below 1 / (eta t) both are eta t h."""
    h = torch.tensor([1e-4 / (eta * steps)], dtype=DOUBLE)
    early, ridge = share_after_steps(h, eta, steps), share_of_ridge(h, 1 / (eta * steps))
    torch.testing.assert_close(early, ridge, rtol=1e-3, atol=0)


def losses_of(values):
    remaining = iter(values)
    return lambda layers: next(remaining)


def test_stopping_returns_the_best_epoch_and_not_the_last():
    layers, seen = draw_layers([2, 2], 0), []

    def train(layers):
        layers[0][0].add_(1)
        seen.append(layers[0][0].clone())

    values = [3.0, 2.0, 2.5, 2.0, 2.6, 9.0, 0.1]
    kept, losses = stop_early(layers, train, losses_of(values), patience=3, epochs=7)
    assert losses == values[:5]  # the second 2.0 is no new least loss
    assert kept[0][0].equal(seen[1])
    assert layers[0][0].equal(seen[4])


def test_stopping_ends_with_the_last_epoch_while_the_loss_still_falls():
    layers = draw_layers([2, 2], 0)
    _, losses = stop_early(
        layers, lambda layers: None, losses_of([3.0, 2.0, 1.0]), patience=1, epochs=3
    )
    assert losses == [3.0, 2.0, 1.0]


def test_the_weights_that_stopping_keeps_do_not_change_with_further_training():
    layers, x = draw_layers([3, 4, 2], 0), rows(20, 3).float()
    labels, generator = torch.arange(20) % 2, seeded()
    kept, _ = stop_early(
        layers,
        lambda layers: train_epoch(layers, x, labels, 0.1, 5, generator),
        lambda layers: 1.0,
        patience=3,
        epochs=10,
    )
    before = kept[0][0].clone()
    train_epoch(layers, x, labels, 0.1, 5, generator)
    assert kept[0][0].equal(before)
    assert not layers[0][0].equal(before)


@LAW
@given(st.floats(0.02, 0.9), st.integers(0, 1000))
def test_dropout_keeps_the_mean_and_adds_the_variance(p, seed):
    x = torch.full((40_000,), 2.0, dtype=DOUBLE)
    out = dropout(x, draw_mask(x, p, seeded(seed)), p)
    error = 5 * math.sqrt(p / (1 - p) * 4 / len(x))
    assert out.mean().item() == pytest.approx(2, abs=error + 1e-12)
    assert out.var(correction=0).item() == pytest.approx(
        4 * p / (1 - p), rel=0.3, abs=1e-9
    )
    assert set(out.unique().tolist()) <= {0.0, 2.0 / (1 - p)}


def test_dropout_of_nothing_is_the_identity():
    x = rows(4, 5)
    assert dropout(x, draw_mask(x, 0.0, seeded()), 0.0).equal(x)


def test_dropout_is_that_of_the_library_in_law():
    x = torch.ones(1_000_000, dtype=DOUBLE)
    ours = dropout(x, draw_mask(x, 0.3, seeded()), 0.3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = functional.dropout(x, 0.3)
    assert ours.unique().tolist() == pytest.approx(theirs.unique().tolist())
    assert ours.mean().item() == pytest.approx(theirs.mean().item(), abs=0.005)
    assert ours.var().item() == pytest.approx(theirs.var().item(), abs=0.01)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 0.9])
def test_the_risk_under_dropout_is_the_mean_over_all_masks(p):
    X, y, w = rows(3, 2), rows(3, seed=2), rows(2, seed=3)
    total = 0.0
    for bits in itertools.product([True, False], repeat=X.numel()):
        kept = torch.tensor(bits).view(X.shape)
        probability = math.prod(1 - p if bit else p for bit in bits)
        total += probability * (y - dropout(X, kept, p) @ w).square().sum()
    torch.testing.assert_close(dropout_risk(X, y, w, p), total, rtol=1e-12, atol=0)


def test_on_standardized_inputs_dropout_is_a_ridge():
    X, y, p = rows(50, 3), rows(50, seed=2), 0.4
    X = (X - X.mean(dim=0)) / X.std(dim=0, correction=0)
    ridge = Ridge(alpha=p / (1 - p) * len(X), fit_intercept=False)
    w = torch.from_numpy(ridge.fit(X.numpy(), y.numpy()).coef_)
    slopes = finite_differences(lambda: dropout_risk(X, y, w, p), w, 1e-5)
    torch.testing.assert_close(slopes, torch.zeros_like(w), rtol=0, atol=1e-7)


def still(n):
    zeros = torch.zeros(n, dtype=DOUBLE)
    return zeros, zeros + 1, torch.zeros(n, 2, dtype=DOUBLE)


def test_warping_by_nothing_returns_the_images():
    images = rows(3, 2, 8, 8).abs()
    assert warp(images, *still(3)).equal(images)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_of_a_turn_is_counterclockwise(quarters):
    images = rows(2, 1, 7, 7).abs()
    turns, scales, shifts = still(2)
    turned = warp(images, turns + quarters * math.pi / 2, scales, shifts)
    torch.testing.assert_close(turned, images.rot90(quarters, (2, 3)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, 2), (-2, 1)])
def test_whole_pixels_move_right_and_down_and_leave_paper_behind(right, down):
    images = torch.zeros(1, 1, 9, 9, dtype=DOUBLE)
    images[0, 0, 4, 4] = 1
    turns, scales, _ = still(1)
    shifts = torch.tensor([[right, down]], dtype=DOUBLE)
    moved = warp(images, turns, scales, shifts)
    expected = images.roll((down, right), (2, 3))
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-12)
    gone = warp(images, turns, scales, shifts * 0 + 20)
    assert not gone.any()


def test_shifts_are_counted_in_pixels_after_the_turn():
    images = torch.zeros(1, 1, 9, 9, dtype=DOUBLE)
    images[0, 0, 4, 4] = 1
    turns, scales, shifts = still(1)
    moved = warp(images, turns + math.pi / 2, scales * 2, shifts + 1)
    assert moved[0, 0, 5, 5] == pytest.approx(1)


def test_twice_as_large_means_four_times_the_ink():
    y, x = torch.meshgrid(torch.arange(33.0), torch.arange(33.0), indexing="ij")
    blob = torch.exp(-((x - 16) ** 2 + (y - 16) ** 2) / 8).double()[None, None]
    turns, scales, shifts = still(1)
    larger = warp(blob, turns, scales * 2, shifts)
    assert (larger.sum() / blob.sum()).item() == pytest.approx(4, rel=0.01)


def library_of(scale, shift):
    norm = nn.BatchNorm1d(len(scale), dtype=DOUBLE)
    norm.load_state_dict({"weight": scale, "bias": shift}, strict=False)
    return norm


def test_batch_norm_is_that_of_the_library_in_both_modes():
    scale, shift = rows(4, seed=2), rows(4, seed=3)
    norm = library_of(scale, shift)
    mean, variance = torch.zeros(4, dtype=DOUBLE), torch.ones(4, dtype=DOUBLE)
    for seed in range(5):
        s = 3 * rows(7, 4, seed=seed) + 2
        torch.testing.assert_close(
            batch_norm(s, scale, shift), norm(s), rtol=1e-12, atol=0
        )
        mean, variance = update_running(mean, variance, s)
    torch.testing.assert_close(mean, norm.running_mean, rtol=1e-13, atol=0)
    torch.testing.assert_close(variance, norm.running_var, rtol=1e-13, atol=0)
    norm.eval()
    ours = batch_norm_at_test(s, mean, variance, scale, shift)
    torch.testing.assert_close(ours, norm(s), rtol=1e-12, atol=0)


def test_the_gradient_of_batch_norm_is_that_of_autograd_and_of_small_moves():
    s, scale, shift = rows(6, 3), rows(3, seed=2), rows(3, seed=3)
    along = rows(6, 3, seed=4)
    ours = batch_norm_backward(along, s, scale)
    leaves = [part.clone().requires_grad_() for part in (s, scale, shift)]
    theirs = torch.autograd.grad((batch_norm(*leaves) * along).sum(), leaves)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)
    moved = finite_differences(
        lambda: (batch_norm(s, scale, shift) * along).sum(), s, 1e-5
    )
    torch.testing.assert_close(ours[0], moved, rtol=1e-6, atol=1e-8)


@LAW
@given(st.floats(0.1, 100))
def test_the_length_of_the_weights_before_a_batch_norm_does_not_matter(factor):
    x, w = rows(20, 5), rows(3, 5, seed=2)
    ones, zeros = torch.ones(3, dtype=DOUBLE), torch.zeros(3, dtype=DOUBLE)
    tiny = 1e-12  # where epsilon counts, the law holds only nearly
    first = batch_norm(x @ w.T, ones, zeros, tiny)
    second = batch_norm(factor * x @ w.T, ones, zeros, tiny)
    torch.testing.assert_close(first, second, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("factor", [1.0, 0.5, 10.0])
def test_the_gradient_before_a_batch_norm_stands_across_and_shrinks_with_length(factor):
    x, along = rows(20, 5), rows(20, 3, seed=4)
    ones = torch.ones(3, dtype=DOUBLE)
    w = rows(3, 5, seed=2)
    one = batch_norm_backward(along, x @ w.T, ones, 1e-12)[0].T @ x
    other = batch_norm_backward(along, factor * x @ w.T, ones, 1e-12)[0].T @ x
    torch.testing.assert_close(other, one / factor, rtol=1e-7, atol=1e-9)
    across = (one * w).sum(dim=1)
    torch.testing.assert_close(across, torch.zeros_like(across), rtol=0, atol=1e-9)


def test_a_bias_before_a_batch_norm_is_dead_weight():
    s, scale, shift = rows(8, 3), rows(3, seed=2), rows(3, seed=3)
    moved = batch_norm(s + 5, scale, shift)
    torch.testing.assert_close(moved, batch_norm(s, scale, shift))
    along = batch_norm_backward(rows(8, 3, seed=5), s, scale)[0].sum(dim=0)
    torch.testing.assert_close(along, torch.zeros_like(along), rtol=0, atol=1e-12)


def test_a_batch_of_one_is_refused_as_the_library_refuses_it():
    ones = torch.ones(3, dtype=DOUBLE)
    with pytest.raises(
        ValueError, match=r"samples in the batch must be at least 2, got 1"
    ):
        batch_norm(rows(1, 3), ones, ones)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        library_of(ones, ones)(rows(1, 3))


@pytest.mark.parametrize("shape", [(6, 5), (2, 3, 5), (5,)])
def test_layer_norm_is_that_of_the_library(shape):
    x, scale, shift = rows(*shape), rows(5, seed=2), rows(5, seed=3)
    theirs = functional.layer_norm(x, (5,), scale, shift)
    torch.testing.assert_close(
        layer_norm(x, scale, shift), theirs, rtol=1e-12, atol=1e-14
    )


def test_a_layer_norm_lets_no_sample_feel_another():
    x, ones = rows(6, 5), torch.ones(5, dtype=DOUBLE)
    whole = layer_norm(x, ones, 0 * ones)
    assert layer_norm(x[2:3], ones, 0 * ones).equal(whole[2:3])
