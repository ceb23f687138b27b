"""Convolution: three ways that agree, a law, and what breaks the law."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d
from torch import Generator, nn
from torch.nn.functional import conv2d, max_pool2d

from dlbook.cnn import convolutional_network
from dlbook.convolution import (
    convolve,
    convolve_by_loops,
    gradients,
    max_pool,
    output_side,
    pixels_seen,
    receptive_field,
    shift,
)
from dlbook.runs.record import claims_of

sides = st.integers(1, 5)
counts = st.integers(1, 3)
seeds = st.integers(0, 2**31)


def draw(seed, *shape):
    generator = Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_a_kernel_on_a_small_image_matches_a_case_worked_by_hand():
    image = torch.tensor([[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]])
    kernels = torch.tensor([[[[1.0, -1.0]]]])
    expected = [[[1 - 2 + 10, 2 - 0 + 10], [0 - 1 + 10, 1 - 3 + 10]]]
    assert convolve_by_loops(image, kernels, torch.tensor([10.0])).tolist() == expected


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seeds, counts, counts, sides, sides, sides, sides)
def test_loops_the_matrix_product_and_the_library_agree(
    seed, channels, maps, k, width, more_rows, more_columns
):
    images = draw(seed, 2, channels, k + more_rows - 1, width + more_columns - 1)
    kernels, biases = draw(seed + 1, maps, channels, k, width), draw(seed + 2, maps)
    expected = conv2d(images, kernels, biases)
    loops = torch.stack([convolve_by_loops(image, kernels, biases) for image in images])
    assert torch.allclose(loops, expected)
    assert torch.allclose(convolve(images, kernels, biases), expected)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seeds, sides, st.integers(0, 4), st.integers(1, 4), st.integers(0, 3))
def test_strides_and_padding_are_those_of_the_library(seed, k, more, stride, padding):
    images, kernels = draw(seed, 2, 3, k + more, k + more), draw(seed + 1, 4, 3, k, k)
    biases = torch.zeros(4).double()
    expected = conv2d(images, kernels, biases, stride, padding)
    assert torch.allclose(convolve(images, kernels, biases, stride, padding), expected)
    assert expected.shape[3] == output_side(k + more, k, stride, padding)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seeds, st.integers(1, 4), st.integers(0, 9))
def test_pooling_is_that_of_the_library(seed, side, more):
    images = draw(seed, 2, 3, side + more, side + 1)
    assert torch.equal(max_pool(images, side), max_pool2d(images, side))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seeds, sides, st.integers(-4, 4), st.integers(-4, 4))
def test_moving_the_image_moves_the_maps(seed, k, down, right):
    """The law of equivariance, on ground wide enough: nothing is lost, and no bias."""
    images = nn.functional.pad(draw(seed, 1, 2, 6, 6), (8,) * 4)
    kernels, biases = draw(seed + 1, 3, 2, k, k), torch.zeros(3).double()
    moved_before = convolve(shift(images, down, right), kernels, biases)
    moved_after = shift(convolve(images, kernels, biases), down, right)
    assert torch.allclose(moved_before, moved_after, rtol=1e-12, atol=1e-12)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(seeds, st.integers(1, 4), st.integers(-2, 2))
def test_pooling_follows_a_shift_by_whole_windows(seed, side, windows):
    images = nn.functional.pad(draw(seed, 1, 2, 6, 6), (3 * side,) * 4)
    moved_before = max_pool(shift(images, 0, windows * side), side)
    assert torch.equal(moved_before, shift(max_pool(images, side), 0, windows))


def test_pooling_does_not_follow_a_shift_by_half_a_window():
    images = torch.tensor([0.0, 0, 1, 2, 0, 0, 0, 0]).view(1, 1, 1, 8).repeat(1, 1, 2, 1)
    assert max_pool(images, 2).tolist() == [[[[0, 2, 0, 0]]]]
    assert max_pool(shift(images, 0, 1), 2).tolist() == [[[[0, 1, 2, 0]]]]


def test_what_a_shift_pushes_out_of_the_frame_is_lost():
    image = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert shift(image, 0, 1).tolist() == [[0, 1], [0, 3]]
    assert shift(image, -1, 0).tolist() == [[3, 4], [0, 0]]


def test_a_matrix_product_in_general_does_not_follow_a_shift():
    images, weights = draw(0, 1, 1, 8, 8), draw(1, 64, 64)
    after = shift((images.flatten(1) @ weights).view(1, 1, 8, 8), 1, 0)
    before = (shift(images, 1, 0).flatten(1) @ weights).view(1, 1, 8, 8)
    assert (before - after).norm() > after.norm()


def test_a_convolution_is_a_dense_layer_with_shared_and_missing_weights():
    kernels, biases = draw(0, 3, 2, 3, 3), torch.zeros(3).double()
    units = torch.eye(2 * 5 * 5).double().view(-1, 2, 5, 5)
    matrix = convolve(units, kernels, biases).flatten(1)  # (inputs, outputs)
    images = draw(1, 4, 2, 5, 5)
    assert torch.allclose(
        images.flatten(1) @ matrix, convolve(images, kernels, biases).flatten(1)
    )
    assert len(matrix.unique()) == kernels.numel() + 1  # the kernels' numbers, and zero


def test_mathematics_flips_the_kernel_and_the_library_does_not():
    image, kernel = draw(0, 6, 6), draw(1, 3, 3)
    ours = convolve(image[None, None], kernel[None, None], torch.zeros(1).double())[0, 0]
    same, flipped = (
        torch.from_numpy(operation(image.numpy(), kernel.numpy(), mode="valid"))
        for operation in (correlate2d, convolve2d)
    )
    assert torch.allclose(ours, same)
    assert not torch.allclose(ours, flipped)
    turned = kernel.flip(0, 1)[None, None]
    assert torch.allclose(
        convolve(image[None, None], turned, torch.zeros(1).double())[0, 0], flipped
    )


def test_the_receptive_field_matches_the_pixels_that_the_gradient_finds():
    image = torch.randn(1, 28, 28, generator=Generator().manual_seed(0))
    steps = [(5, 1), (3, 3), (5, 1), (2, 2)]
    layers = [nn.Conv2d(1, 2, 5), nn.AvgPool2d(3), nn.Conv2d(2, 2, 5), nn.AvgPool2d(2)]
    with torch.no_grad():
        for layer in (layers[0], layers[2]):
            layer.weight.fill_(1)  # averages and ones: nothing is left out by chance
    for depth in range(1, 5):
        side, jump = receptive_field(steps[:depth])
        seen = pixels_seen(nn.Sequential(*layers[:depth]), image, row=1, column=0)
        rows, columns = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
        assert [rows.min().item(), rows.max().item()] == [jump, jump + side - 1]
        assert [columns.min().item(), columns.max().item()] == [0, side - 1]
        assert seen.sum() == side**2


def test_pixels_outside_the_receptive_field_do_not_move_the_output():
    model = convolutional_network(Generator().manual_seed(0))[:6]
    image = torch.randn(1, 28, 28, generator=Generator().manual_seed(1))
    changed = image.clone()
    changed[:, 22:] = 9
    with torch.no_grad():
        before, after = model(image[None])[0], model(changed[None])[0]
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.equal(before[:, 1], after[:, 1])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((5, 6), "between 1 and 5, got 6"),
        ((5, 0), "between 1 and 5, got 0"),
        ((5, 8, 1, 1), "between 1 and 7, got 8"),
        ((5, 3, 0), "got 0 and 0"),
        ((5, 3, 1, -1), "got 1 and -1"),
    ],
)
def test_kernels_that_do_not_fit_are_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        output_side(*arguments)


def test_an_image_without_pixels_has_no_places():
    with pytest.raises(ValueError, match="side must be at least 1, got 0"):
        output_side(0, 1, padding=1)


def test_kernels_of_another_dtype_are_refused_by_both_programs():
    kernels, biases = torch.zeros(2, 1, 3, 3).double(), torch.zeros(2)
    for call, shape in ((convolve_by_loops, (1, 8, 8)), (convolve, (2, 1, 8, 8))):
        with pytest.raises(TypeError, match=r"must have one dtype, got torch\.float32"):
            call(torch.zeros(shape), kernels, biases)
        with pytest.raises(TypeError, match="must have one dtype"):
            call(torch.zeros(shape), kernels.float(), biases.double())


def test_behind_its_fill_a_shift_leaves_the_law_alone_and_in_the_fill_breaks_it():
    images, kernels = draw(0, 1, 2, 6, 6), draw(1, 3, 2, 3, 3)
    biases = torch.ones(3).double()
    moved_before = convolve(shift(images, 1, 0), kernels, biases)
    moved_after = shift(convolve(images, kernels, biases), 1, 0)
    assert torch.allclose(moved_before[:, :, 1:], moved_after[:, :, 1:])
    assert (moved_before[:, :, 0] - moved_after[:, :, 0]).abs().min() > 0.01


def test_in_a_tie_the_gradient_goes_to_the_pixel_that_the_library_chooses():
    images = torch.randint(3, (4, 2, 6, 5), generator=Generator().manual_seed(0)).double()
    along = draw(1, 4, 2, 3, 2)
    (own,), (oracle,) = (
        torch.autograd.grad(pool(part, 2), part, along)
        for pool in (max_pool, max_pool2d)
        for part in (images.clone().requires_grad_(),)
    )
    assert torch.equal(own, oracle)
    assert (own != 0).sum() == along.numel()


def test_a_stride_larger_than_the_field_below_leaves_gaps_in_the_field():
    layers = nn.Sequential(nn.AvgPool2d(1, stride=2), nn.AvgPool2d(2, stride=1))
    seen = pixels_seen(layers, torch.zeros(1, 7, 7), row=0, column=0)
    side, jump = receptive_field([(1, 2), (2, 1)])
    assert seen.any(dim=0)[: side + 1].tolist() == [True, False, True, False]
    assert (side, jump) == (3, 2)


def test_kernels_with_other_channels_than_the_image_are_refused():
    kernels, biases = torch.zeros(2, 3, 3, 3), torch.zeros(2)
    with pytest.raises(ValueError, match="the 1 channels of the image, got 3"):
        convolve_by_loops(torch.zeros(1, 8, 8), kernels, biases)
    with pytest.raises(ValueError, match="the 1 channels of the image, got 3"):
        convolve(torch.zeros(2, 1, 8, 8), kernels, biases)


def test_a_pooling_window_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="between 1 and 4, got 5"):
        max_pool(torch.zeros(1, 1, 4, 9), 5)


@pytest.mark.parametrize("layer", [(0, 1), (3, 0)])
def test_a_layer_without_kernel_or_stride_has_no_receptive_field(layer):
    with pytest.raises(ValueError, match=f"got {layer[0]} and {layer[1]}"):
        receptive_field([layer])


@pytest.mark.skipif(not claims_of("convolution"), reason="not recorded yet")
def test_the_record_shows_the_same_error_wherever_the_digit_stands():
    record = claims_of("convolution")
    moved = [record[f"shared_error_{by}"].value for by in (0, 1, 2)]
    assert moved[0] == moved[1] == moved[2] < record["dense_error_1"].value


@settings(derandomize=True, max_examples=25, deadline=None)
@given(seeds, counts, counts, sides, sides, sides, sides)
def test_gradients_are_those_of_autograd(seed, channels, maps, k, width, more, wider):
    images = draw(seed, 2, channels, k + more - 1, width + wider - 1).requires_grad_()
    kernels = draw(seed + 1, maps, channels, k, width).requires_grad_()
    biases = draw(seed + 2, maps).requires_grad_()
    responses = conv2d(images, kernels, biases)
    along = draw(seed + 3, *responses.shape)
    expected = torch.autograd.grad(responses, (images, kernels, biases), along)
    for own, oracle in zip(
        gradients(images.detach(), kernels.detach(), along), expected, strict=True
    ):
        assert torch.allclose(own, oracle)


def test_the_gradients_of_a_row_match_those_worked_by_hand():
    """Of the row (1, 2, 3), the kernel (4, 5) and a loss that counts 1 and 10."""
    row, kernel = torch.tensor([[[[1.0, 2.0, 3.0]]]]), torch.tensor([[[[4.0, 5.0]]]])
    along_row, along_kernel, along_bias = gradients(
        row, kernel, torch.tensor([[[[1.0, 10.0]]]])
    )
    assert along_row.flatten().tolist() == [4, 45, 50]
    assert along_kernel.flatten().tolist() == [21, 32]
    assert along_bias.tolist() == [11]


def test_what_is_moved_out_of_the_frame_is_gone():
    image = torch.ones(1, 2, 3)
    for down, right in ((5, 0), (0, -7), (2, 3)):
        assert torch.equal(shift(image, down, right), torch.zeros(1, 2, 3))


def test_an_early_layer_can_be_asked_only_for_places_that_it_has():
    layers = nn.Sequential(nn.Conv2d(1, 1, 3))
    with pytest.raises(ValueError, match="row must lie between 0 and 2, got -1"):
        pixels_seen(layers, torch.zeros(1, 5, 5), -1, 0)
