"""Residual networks: identities, paths, counts, and the library as the judge."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, nn
from torchvision.models import googlenet, resnet18, resnet34, resnet50
from torchvision.models.resnet import BasicBlock, Bottleneck

from dlbook.residual import (
    ConvolutionalBlock,
    Inception,
    bottleneck,
    change,
    count_parameters,
    forward,
    forward_in_front,
    padding_where_needed,
    projection,
    projection_where_needed,
    residual_network,
    shares_by_length,
    start_at_nothing,
    subsample_and_pad,
    sum_over_paths,
)

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def rows(*shape, seed=1):
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


def blocks(depth, width=4, inner=5):
    return [
        (rows(inner, width, seed=2 * i), rows(width, inner, seed=2 * i + 1))
        for i in range(depth)
    ]


@LAW
@given(st.integers(0, 60), st.integers(0, 100))
def test_blocks_that_add_nothing_hand_on_the_input_to_the_bit(depth, seed):
    x = rows(3, 4, seed=seed)
    still = start_at_nothing(4, 5, depth, seeded(seed), DOUBLE)
    assert forward_in_front(x, still).equal(x)
    assert forward(x.abs(), still).equal(x.abs())


def test_with_activations_behind_the_sum_negative_inputs_are_lost():
    x = rows(3, 4)
    assert forward(x, start_at_nothing(4, 5, 2, seeded(), DOUBLE)).equal(x.relu())


def test_without_shortcut_the_network_is_plain():
    x, stack = rows(3, 4), blocks(3)
    plain = nn.Sequential()
    for w1, w2 in stack:
        for w in (w1, w2):
            linear = nn.Linear(w.shape[1], len(w), bias=False, dtype=DOUBLE)
            linear.weight = nn.Parameter(w)
            plain.extend([linear, nn.ReLU()])
    torch.testing.assert_close(
        forward(x, stack, shortcut=0), plain(x), rtol=1e-12, atol=0
    )


def test_the_jacobian_of_a_block_is_that_of_its_change_and_the_identity():
    x, (block,) = rows(4), blocks(1)
    both = torch.func.jacrev(lambda x: forward_in_front(x[None], [block])[0])(x)
    alone = torch.func.jacrev(lambda x: change(x.relu()[None], block)[0])(x)
    torch.testing.assert_close(both - torch.eye(4, dtype=DOUBLE), alone)


def test_the_start_keeps_the_gain_of_rectifiers_and_adds_nothing():
    stack = start_at_nothing(200, 300, 2, seeded(), DOUBLE)
    for w1, w2 in stack:
        assert w1.var().item() == pytest.approx(2 / 200, rel=0.05)
        assert not w2.any()


def test_a_block_with_the_right_gain_doubles_the_mean_square_at_a_symmetric_start():
    """X + w2 relu(w1 relu(x)): what is added has the size of what was there."""
    sizes = []
    for seed in range(200):
        x = rows(1, 60, seed=1000 + seed)
        w1 = rows(60, 60, seed=seed) * math.sqrt(2 / 60)
        w2 = rows(60, 60, seed=500 + seed) * math.sqrt(2 / 60)
        sizes.append(forward_in_front(x, [(w1, w2)]).square().mean() / x.square().mean())
    sizes = torch.stack(sizes)
    assert abs(sizes.mean() - 2) < 4 * sizes.std() / math.sqrt(len(sizes))


@LAW
@given(st.integers(1, 6), st.integers(1, 4))
def test_a_product_of_blocks_is_the_sum_over_its_paths(depth, width):
    matrices = [rows(width, width, seed=seed) for seed in range(depth)]
    product, one = torch.eye(width, dtype=DOUBLE), torch.eye(width, dtype=DOUBLE)
    for w in matrices:
        product = (one + w) @ product
    torch.testing.assert_close(sum_over_paths(matrices), product, rtol=1e-10, atol=1e-10)


@LAW
@given(st.integers(1, 10))
def test_there_are_as_many_paths_of_each_length_as_subsets(depth):
    """With W = t I the sum is the polynomial whose coefficients count the paths."""
    t = 0.5
    total = sum_over_paths([torch.full((1, 1), t, dtype=DOUBLE)] * depth).item()
    counted = sum(math.comb(depth, k) * t**k for k in range(depth + 1))
    assert total == pytest.approx(counted)


@LAW
@given(st.integers(1, 30), st.floats(0.01, 10))
def test_the_shares_of_all_lengths_add_up_and_peak_at_their_mean(depth, factor):
    shares = shares_by_length(depth, factor)
    lengths = torch.arange(depth + 1, dtype=DOUBLE)
    assert shares.sum().item() == pytest.approx(1)
    mean = (shares * lengths).sum().item()
    assert mean == pytest.approx(depth * factor / (1 + factor))


def test_padding_keeps_every_second_pixel_and_adds_channels_of_zeros():
    images = rows(2, 3, 6, 5)
    padded = subsample_and_pad(images, 7)
    assert padded.shape == (2, 7, 3, 3)
    assert padded[:, :3].equal(images[:, :, ::2, ::2])
    assert not padded[:, 3:].any()


def test_padding_costs_nothing_and_projections_do():
    assert not list(nn.Identity().parameters())
    assert padding_where_needed(16, 32).keywords == {"channels": 32}
    assert isinstance(padding_where_needed(16, 16), nn.Identity)
    assert isinstance(projection_where_needed(16, 16), nn.Identity)
    assert count_parameters(projection_where_needed(16, 32)) == 16 * 32 + 2 * 32
    assert count_parameters(projection(16, 16)) == 16 * 16 + 2 * 16


def filled(network):
    """Give every number of a network another value, running statistics too."""
    for index, value in enumerate(network.state_dict().values()):
        if value.is_floating_point():
            drawn = torch.rand(value.shape, generator=seeded(index), dtype=DOUBLE)
            value.copy_(drawn + 0.1)
    return network.double()


def with_the_numbers_of(ours, theirs):
    """Copy the numbers of one network into another, whose parts come in the same order."""
    values = list(theirs.state_dict().values())
    ours.load_state_dict(dict(zip(ours.state_dict(), values, strict=True)))
    return ours.double()


@pytest.mark.parametrize("training", [True, False])
def test_a_block_is_that_of_the_library(training):
    theirs = filled(BasicBlock(8, 8)).train(training)
    ours = with_the_numbers_of(ConvolutionalBlock(8, 8, nn.Identity()), theirs)
    images = rows(3, 8, 6, 6)
    torch.testing.assert_close(ours.train(training)(images), theirs(images))


def test_a_block_that_halves_is_that_of_the_library():
    down = projection(8, 16)
    theirs = filled(BasicBlock(8, 16, stride=2, downsample=down)).eval()
    ours = ConvolutionalBlock(8, 16, projection(8, 16))
    ours = with_the_numbers_of(ours, theirs).eval()
    images = rows(3, 8, 6, 6)
    torch.testing.assert_close(ours(images), theirs(images))


def test_a_bottleneck_is_that_of_the_library():
    theirs = filled(Bottleneck(32, 8)).eval()
    ours = with_the_numbers_of(bottleneck(32, 8), theirs).eval()
    images = rows(2, 32, 5, 5)
    torch.testing.assert_close((images + ours(images)).relu(), theirs(images))


@pytest.mark.parametrize(
    ("n", "published"), [(3, 0.27), (5, 0.46), (7, 0.66), (9, 0.85), (18, 1.7)]
)
def test_the_networks_have_as_many_parameters_as_published(n, published):
    count = count_parameters(residual_network(n, padding_where_needed))
    assert round(count / 1e6, 2 if n < 18 else 1) == published
    layers = [
        part
        for part in residual_network(n, padding_where_needed).modules()
        if isinstance(part, nn.Conv2d | nn.Linear)
    ]
    assert len(layers) == 6 * n + 2


def test_the_network_of_1202_layers_has_as_many_parameters_as_published():
    """Each further block of a size costs the same: count two networks, and go on."""
    two, three = (
        count_parameters(residual_network(n, padding_where_needed)) for n in (2, 3)
    )
    assert three + 197 * (three - two) == 19_421_274


@pytest.mark.parametrize(
    ("shortcut", "count"),
    [
        (padding_where_needed, 269_722),
        (projection_where_needed, 272_474),
        (projection, 283_962),
    ],
)
def test_the_shortcuts_cost_what_the_page_says(shortcut, count):
    network = residual_network(3, shortcut)
    assert count_parameters(network) == count
    assert network.eval()(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_the_libraries_networks_have_the_published_sizes():
    found = [count_parameters(make()) for make in (resnet18, resnet34, resnet50)]
    assert found == [11_689_512, 21_797_672, 25_557_032]


def weights_of(network):
    return sum(p.numel() for p in network.parameters() if p.ndim > 1)


def test_a_bottleneck_is_as_cheap_as_a_narrow_block():
    assert weights_of(bottleneck(256, 64)) == 69_632
    narrow, wide = (ConvolutionalBlock(c, c, nn.Identity()) for c in (64, 256))
    assert (weights_of(narrow), weights_of(wide)) == (73_728, 1_179_648)


def test_inception_has_the_published_size_and_shape():
    first = Inception(192, 64, (96, 128), (16, 32), 32)
    assert count_parameters(first) == 163_328
    assert count_parameters(Inception(256, 128, (128, 192), (32, 96), 64)) == 388_096
    assert first(torch.rand(1, 192, 28, 28)).shape == (1, 256, 28, 28)


def test_inception_joins_four_ways_and_the_library_narrows_the_third():
    module = Inception(4, 2, (3, 5), (2, 3), 1)
    out = module(torch.rand(1, 4, 6, 6, generator=seeded()))
    assert out.shape[1] == 2 + 5 + 3 + 1
    assert (out >= 0).all()
    theirs = googlenet(init_weights=False).inception3a.branch3[1].conv
    assert theirs.kernel_size == (3, 3)
    assert module.ways[2][2].kernel_size == (5, 5)
