"""Autoencoders: the exact answers, the laws around them, and libraries as the judges."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from torch import Generator, nn

from dlbook.autoencoder import (
    Linear,
    add_noise,
    along,
    alternate,
    angle_between,
    decode,
    denoise_exactly,
    denoise_linear,
    draw_autoencoder,
    encode,
    linear_gradient,
    principal_components,
    reconstruct,
    reconstruction_error,
)
from dlbook.data import digits

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def rows(*shape, seed=1):
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


def centered(n, d, seed=1):
    """Points that scatter differently along each axis of a turned system."""
    x = rows(n, d, seed=seed) @ torch.diag(torch.arange(1.0, d + 1, dtype=DOUBLE))
    x = x @ rows(d, d, seed=seed + 1000)
    return x - x.mean(dim=0)


def training_digits():
    x = digits.load()[0].flatten(1).double()
    return x - x.mean(dim=0)


def error_of(x, network):
    return reconstruction_error(x, reconstruct(x, network)).item()


def test_the_components_are_those_of_the_library():
    x = centered(60, 5) + 3
    ours, theirs = principal_components(x), PCA().fit(x.numpy())
    np.testing.assert_allclose(ours.mean, theirs.mean_)
    np.testing.assert_allclose(ours.variances, theirs.explained_variance_ * 59 / 60)
    inner = (ours.directions * torch.from_numpy(theirs.components_)).sum(dim=1)
    np.testing.assert_allclose(inner.abs(), 1)
    assert (ours.directions.amax(dim=1) == ours.directions.abs().amax(dim=1)).all()


@pytest.mark.parametrize("k", [1, 8, 30])
def test_the_reconstruction_is_that_of_the_library(k):
    x = digits.load()[0].flatten(1).double()
    parts = principal_components(x)
    ours = reconstruct(x - parts.mean, along(parts, range(k))) + parts.mean
    library = PCA(k).fit(x.numpy())
    theirs = library.inverse_transform(library.transform(x.numpy()))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_there_are_as_many_directions_as_points_or_axes_whichever_are_fewer(shape):
    parts = principal_components(rows(*shape))
    one = parts.directions @ parts.directions.T
    torch.testing.assert_close(one, torch.eye(min(shape), dtype=DOUBLE))
    assert parts.variances.diff().le(0).all()


@LAW
@given(st.integers(2, 6), st.integers(0, 200))
def test_what_the_best_loses_is_the_sum_of_the_variances_left_out(d, seed):
    x = centered(30, d, seed)
    parts = principal_components(x)
    for k in range(1, d + 1):
        lost = parts.variances[k:].sum().item()
        assert error_of(x, along(parts, range(k))) == pytest.approx(lost, abs=1e-9)


@LAW
@given(st.integers(2, 6), st.integers(0, 200), st.floats(0.01, 2))
def test_no_linear_autoencoder_is_better_than_the_components(d, seed, size):
    x = centered(30, d, seed)
    parts, k = principal_components(x), d // 2
    best = parts.variances[k:].sum().item()
    encoder, decoder = along(parts, range(k))
    nearby = Linear(
        encoder + size * rows(k, d, seed=seed + 1),
        decoder + size * rows(d, k, seed=seed + 2),
    )
    assert error_of(x, nearby) >= best * (1 - 1e-9)
    blind = Linear(rows(k, d, seed=seed + 3), rows(d, k, seed=seed + 4))
    assert error_of(x, blind) >= best * (1 - 1e-9)


@LAW
@given(st.integers(1, 4), st.integers(0, 200))
def test_codes_may_be_mixed_by_any_matrix_that_can_be_undone(k, seed):
    x, mix = centered(20, 5, seed), rows(k, k, seed=seed) + 5 * torch.eye(k, dtype=DOUBLE)
    network = Linear(rows(k, 5, seed=seed + 1), rows(5, k, seed=seed + 2))
    mixed = Linear(torch.linalg.inv(mix) @ network.encoder, network.decoder @ mix)
    torch.testing.assert_close(reconstruct(x, mixed), reconstruct(x, network))


@LAW
@given(st.integers(1, 4), st.integers(0, 200))
def test_the_gradient_by_hand_is_that_of_autograd(k, seed):
    x = centered(20, 5, seed)
    network = Linear(rows(k, 5, seed=seed + 1), rows(5, k, seed=seed + 2))
    moved = Linear(*(part.clone().requires_grad_() for part in network))
    reconstruction_error(x, reconstruct(x, moved)).backward()
    for ours, theirs in zip(linear_gradient(x, network), moved, strict=True):
        torch.testing.assert_close(ours, theirs.grad)


def test_every_choice_of_components_is_flat_and_all_but_the_first_are_saddles():
    x = training_digits()
    parts = principal_components(x)
    chosen = along(parts, [0, 1, 2, 3, 4, 5, 6, 8])
    slopes = linear_gradient(x, chosen)
    assert max(slope.abs().max().item() for slope in slopes) < 1e-12
    at_rest = error_of(x, chosen)
    lost = parts.variances[8:].sum() - parts.variances[8] + parts.variances[7]
    assert at_rest == pytest.approx(lost.item())
    turned = chosen.encoder.clone()
    turned[7] += 1e-3 * parts.directions[7]
    assert error_of(x, Linear(turned, turned.T)) < at_rest - 1e-9
    worse = chosen.encoder.clone()
    worse[7] += 1e-3 * parts.directions[9]
    assert error_of(x, Linear(worse, worse.T)) > at_rest


def test_turns_find_the_space_but_not_the_components():
    x = training_digits()
    parts = principal_components(x)
    network = alternate(x, 8, 150, seeded())
    best = parts.variances[8:].sum().item()
    assert error_of(x, network) / best - 1 < 1e-9
    assert angle_between(network.decoder, parts.directions[:8].T) < 0.01
    inner = network.decoder.T @ network.decoder
    assert (inner - torch.eye(8, dtype=DOUBLE)).abs().max() > 0.5
    found = principal_components(reconstruct(x, network)).directions[:8]
    turned = (found * parts.directions[:8]).sum(dim=1).abs()
    assert turned.min() > 0.9999  # what comes out has the components in order


def test_each_turn_lowers_the_error():
    x = centered(40, 6)
    errors = [error_of(x, alternate(x, 2, n, seeded(3))) for n in range(1, 8)]
    assert errors == sorted(errors, reverse=True)


@LAW
@given(st.integers(3, 6), st.integers(0, 100), st.floats(0.05, 0.9))
def test_a_penalty_makes_the_components_the_answer(d, seed, share):
    """At the least penalized loss both matrices are one, and stretched along components."""
    x = centered(30, d, seed)
    parts, k = principal_components(x), 2
    penalty = share * parts.variances[k - 1].item()
    stretch = (1 - penalty / parts.variances[:k]).sqrt()[:, None]
    encoder = stretch * parts.directions[:k]
    network = Linear(encoder, encoder.T)
    for slope, part in zip(linear_gradient(x, network), network, strict=True):
        scale = parts.variances[0].item()
        assert (slope + 2 * penalty * part).abs().max() < 1e-9 * scale


def test_the_mean_has_its_price():
    x = digits.load()[0].flatten(1).double()
    parts = principal_components(x)
    raw = torch.linalg.svdvals(x)[8:].square().sum().item() / len(x)
    assert round(parts.variances[8:].sum().item(), 3) == 1.525
    assert round(raw, 3) == 1.584


@LAW
@given(st.integers(2, 7), st.integers(1, 4), st.integers(0, 200))
def test_the_angle_is_that_of_scipy(d, k, seed):
    first, second = rows(d, min(k, d), seed=seed), rows(d, min(k, d), seed=seed + 1)
    theirs = np.rad2deg(subspace_angles(first.numpy(), second.numpy())[0])
    assert angle_between(first, second).item() == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("angle", [1e-9, 1e-4, 45.0, 89.9999, 90.0])
def test_small_and_large_angles_are_exact(angle):
    first = torch.tensor([[1.0], [0], [0]], dtype=DOUBLE)
    turn = math.radians(angle)
    second = torch.tensor([[math.cos(turn)], [math.sin(turn)], [0]], dtype=DOUBLE)
    assert angle_between(first, second).item() == pytest.approx(angle, rel=1e-9)


def test_the_autoencoder_is_that_of_the_library():
    network = draw_autoencoder([6, 5, 3, 2], 0, DOUBLE)
    shapes = [tuple(w.shape) for part in network for w, _ in part]
    assert shapes == [(5, 6), (3, 5), (2, 3), (3, 2), (5, 3), (6, 5)]
    theirs = nn.Sequential()
    for index, (weight, bias) in enumerate([*network.encoder, *network.decoder]):
        linear = nn.Linear(*weight.T.shape, dtype=DOUBLE)
        linear.weight, linear.bias = nn.Parameter(weight), nn.Parameter(bias)
        theirs.append(linear)
        if index not in (2, 5):
            theirs.append(nn.Tanh())
    x = rows(7, 6)
    torch.testing.assert_close(encode(x, network), theirs[:5](x))
    torch.testing.assert_close(decode(encode(x, network), network), theirs(x))


def test_equal_seeds_give_equal_networks():
    first, again, other = (draw_autoencoder([4, 2], seed) for seed in (1, 1, 2))
    assert first.encoder[0][0].equal(again.encoder[0][0])
    assert not first.encoder[0][0].equal(other.encoder[0][0])


def test_a_rectified_code_of_twice_the_width_can_return_everything():
    x, one = rows(9, 4), torch.eye(4, dtype=DOUBLE)
    code = (x @ torch.cat([one, -one]).T).relu()
    assert (code @ torch.cat([one, -one])).equal(x)


@LAW
@given(st.floats(0, 3), st.integers(0, 100))
def test_noise_has_its_mean_and_its_size(sigma, seed):
    noise = add_noise(torch.ones(4000, dtype=DOUBLE), sigma, seeded(seed)) - 1
    assert noise.mean().abs().item() <= 5 * sigma / math.sqrt(4000)
    assert noise.std().item() == pytest.approx(sigma, rel=0.08)


@LAW
@given(st.floats(0.1, 2), st.integers(0, 100))
def test_no_affine_map_removes_more_noise_than_the_linear_one(sigma, seed):
    """In expectation over the noise, which is known in closed form for affine maps."""
    x = centered(40, 4, seed) / 5
    parts = principal_components(x + 2)
    covariance = parts.directions.T @ torch.diag(parts.variances) @ parts.directions
    one = torch.eye(4, dtype=DOUBLE)

    def risk(matrix):
        left = matrix - one
        return (left @ covariance @ left.T).trace() + sigma**2 * matrix.square().sum()

    moved = denoise_linear(parts.mean + one, parts, sigma) - parts.mean
    best = risk(moved.T)
    assert risk(moved.T + 0.1 * rows(4, 4, seed=seed)) > best
    expected = (parts.variances * sigma**2 / (parts.variances + sigma**2)).sum()
    torch.testing.assert_close(best, expected)
    torch.testing.assert_close(
        moved.T, covariance @ torch.linalg.inv(covariance + sigma**2 * one)
    )


def test_two_points_are_told_apart_by_a_hyperbolic_tangent():
    points = torch.tensor([[-1.0], [1.0]], dtype=DOUBLE)
    seen = torch.linspace(-4, 4, 33, dtype=DOUBLE)[:, None]
    for sigma in (0.5, 1.0, 2.0):
        torch.testing.assert_close(
            denoise_exactly(seen, points, sigma), torch.tanh(seen / sigma**2)
        )


@LAW
@given(st.floats(0.2, 2), st.integers(0, 100))
def test_the_mean_of_what_is_possible_climbs_the_density(sigma, seed):
    """Tweedie: the step from the noisy point is sigma squared times the slope of log p."""
    images = rows(6, 3, seed=seed)
    noisy = rows(4, 3, seed=seed + 1).requires_grad_()
    squares = (noisy[:, None] - images).square().sum(dim=2)
    (-squares / (2 * sigma**2)).logsumexp(dim=1).sum().backward()
    step = denoise_exactly(noisy.detach(), images, sigma) - noisy.detach()
    torch.testing.assert_close(step, sigma**2 * noisy.grad)


def test_with_little_noise_the_nearest_image_is_the_answer_and_with_much_their_mean():
    images = rows(6, 3)
    torch.testing.assert_close(denoise_exactly(images + 1e-4, images, 0.01), images)
    far = denoise_exactly(images, images, 1e5)
    torch.testing.assert_close(far, images.mean(dim=0).expand(6, 3))


def test_on_its_own_images_the_exact_mean_beats_the_linear_map():
    images = digits.load()[0].flatten(1).double()
    noisy = add_noise(images, 0.3, seeded())
    parts = principal_components(images)
    exact = reconstruction_error(images, denoise_exactly(noisy, images, 0.3))
    linear = reconstruction_error(images, denoise_linear(noisy, parts, 0.3))
    assert exact < linear / 2


def test_gaussian_images_need_no_more_than_the_linear_map():
    """For a normal cloud the mean of what is possible is affine: drawn, both agree."""
    cloud = rows(20000, 2) @ torch.tensor([[1.0, 0.5], [0, 0.7]], dtype=DOUBLE)
    seen = rows(5, 2, seed=3)
    exact = denoise_exactly(seen, cloud, 0.8)
    linear = denoise_linear(seen, principal_components(cloud), 0.8)
    assert (exact - linear).abs().max() < 0.1


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda: alternate(rows(6, 3), 4, 1, seeded()),
            ValueError,
            "k must lie between 1 and 3, got 4",
        ),
        (
            lambda: along(principal_components(rows(6, 3)), [0, 0]),
            ValueError,
            "chosen must be different directions, got [0, 0]",
        ),
        (
            lambda: angle_between(torch.ones(4, 2), torch.eye(4)[:, :2]),
            ValueError,
            "first must have 2 independent columns, got 1",
        ),
        (
            lambda: reconstruct(rows(5, 3), Linear(rows(2, 3), rows(1, 2))),
            ValueError,
            "decoder must give 3 numbers, got 1",
        ),
        (
            lambda: reconstruction_error(rows(5, 3), rows(1, 3)),
            ValueError,
            "x and answer must have one shape, got (5, 3) and (1, 3)",
        ),
        (
            lambda: denoise_exactly(rows(2, 3), rows(2, 3), 0.0),
            ValueError,
            "sigma must be above 0, got 0.0",
        ),
        (
            lambda: draw_autoencoder([4], 0),
            ValueError,
            "widths must hold at least 2 numbers, got [4]",
        ),
    ],
)
def test_errors_name_the_rule_and_the_value(call, error, said):
    with pytest.raises(error, match=re.escape(said)):
        call()
