"""Views: strides by hand against torch, sharing proved by writing, images back and forth."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.utils import make_grid

from dlbook.data import cifar10, horse
from dlbook.figures.views import BLOCK, MATRIX
from dlbook.runs.views import WORKED
from dlbook.views import (
    addresses,
    contiguous_strides,
    cut,
    grid,
    layout,
    reads_in_order,
    shares_storage,
    silence,
)

SHAPES = st.lists(st.integers(1, 4), min_size=0, max_size=4)


def view_of(call: str) -> torch.Tensor:
    return eval(call, {"x": MATRIX, "z": BLOCK})


def storage_of(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())


@st.composite
def views(draw):
    """Turn, cut and stretch a tensor at random, without ever copying it."""
    shape = draw(SHAPES)
    tensor = torch.arange(int(torch.tensor(shape).prod())).view(shape)
    tensor = tensor.permute(draw(st.permutations(range(len(shape)))))
    for dimension, size in enumerate(tensor.shape):
        first = draw(st.integers(0, size - 1))
        length = draw(st.integers(1, size - first))
        tensor = tensor.narrow(dimension, first, length)
        step = draw(st.integers(1, 2))
        tensor = tensor[(slice(None),) * dimension + (slice(None, None, step),)]
    return tensor.expand(2, *tensor.shape) if draw(st.booleans()) else tensor


@settings(derandomize=True, max_examples=150, deadline=None)
@given(views())
def test_addresses_find_every_coefficient_in_the_storage(tensor):
    assert torch.equal(storage_of(tensor)[addresses(tensor)], tensor)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(views())
def test_reading_in_order_agrees_with_torch(tensor):
    assert reads_in_order(tensor) == tensor.is_contiguous()


@settings(derandomize=True, max_examples=60, deadline=None)
@given(SHAPES)
def test_contiguous_strides_agree_with_torch(shape):
    assert contiguous_strides(tuple(shape)) == torch.empty(shape).stride()


def test_empty_and_0d_tensors_have_strides_too():
    for shape in ((), (0,), (2, 0, 3)):
        assert contiguous_strides(shape) == torch.empty(shape).stride()
        assert reads_in_order(torch.empty(shape))
        assert addresses(torch.empty(shape)).shape == shape


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("x.t()", ((3, 2), (1, 3), 0)),
        ("x.view(-1)", ((6,), (1,), 0)),
        ("x.view(3, -1)", ((3, 2), (2, 1), 0)),
        ("x.narrow(1, 1, 2)", ((2, 2), (3, 1), 1)),
        ("x.view(1, 2, 3).expand(3, 2, 3)", ((3, 2, 3), (0, 3, 1), 0)),
        ("z.narrow(0, 0, 1)", ((1, 2, 3), (6, 3, 1), 0)),
        ("z.narrow(2, 0, 2)", ((2, 2, 2), (6, 3, 1), 0)),
        ("z.transpose(0, 1)", ((2, 2, 3), (3, 6, 1), 0)),
        ("z.transpose(0, 2)", ((3, 2, 2), (1, 3, 6), 0)),
        ("z.transpose(1, 2)", ((2, 3, 2), (6, 1, 3), 0)),
    ],
)
def test_each_worked_view_has_the_strides_worked_by_hand(call, expected):
    view = view_of(call)
    assert (tuple(view.shape), view.stride(), view.storage_offset()) == expected
    assert layout(view) == "shape {}, stride {}, offset {}".format(*expected)


@pytest.mark.parametrize("call", WORKED)
def test_every_worked_view_shares_the_storage_of_its_source(call):
    source = MATRIX if call.startswith("x") else BLOCK
    assert shares_storage(view_of(call), source)


def test_sharing_means_that_a_write_is_seen():
    x = torch.zeros(2, 3)
    x.t()[2, 0] = 7
    assert x[0, 2] == 7
    assert not shares_storage(x, x.clone())
    assert not shares_storage(torch.empty(0), torch.empty(0))
    nowhere = torch.zeros(2, device="meta")
    assert not shares_storage(nowhere, nowhere)


def test_strides_that_could_express_a_result_do_not_make_it_a_view():
    x = torch.arange(12.0).view(3, 4)
    assert torch.equal(x[[1]], x.as_strided((1, 4), (4, 1), 4))
    for copy in (x[[1]], x + 0, torch.cat([x]), x.clone()):
        assert not shares_storage(x, copy)


def test_a_part_lent_to_numpy_still_lies_in_the_same_memory():
    x = torch.zeros(2, 3)
    row = torch.from_numpy(x.numpy()[1])
    row += 1
    assert x[1].tolist() == [1, 1, 1]
    assert shares_storage(x, row)
    assert not shares_storage(x, torch.zeros(2, 3))


def test_two_rows_share_a_storage_and_do_not_disturb_each_other():
    x = torch.zeros(2, 3)
    assert shares_storage(x[0], x[1])
    x[0] += 1
    assert x[1].tolist() == [0, 0, 0]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_a_grid_of_the_tiles_is_the_image_again(channels, rows, columns, size):
    count = channels * rows * columns * size**2
    image = torch.arange(count).view(channels, rows * size, columns * size)
    tiles = cut(image, size)
    assert tiles.shape == (rows * columns, channels, size, size)
    assert torch.equal(grid(tiles, rows), image)


def test_the_second_tile_lies_right_of_the_first():
    image = torch.arange(24).view(1, 4, 6)
    assert cut(image, 2)[1].tolist() == [[[2, 3], [8, 9]]]


def test_a_grid_agrees_with_torchvision():
    images = torch.rand(12, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(grid(images, rows=3), make_grid(images, nrow=4, padding=0))


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 64, 32), (1, 32, 64)])
def test_tiles_are_a_copy_even_where_a_view_would_do(shape):
    image = torch.zeros(shape)
    tiles = cut(image, 32)
    tiles += 1
    assert image.sum() == 0
    assert not shares_storage(image, tiles)


@pytest.mark.parametrize(("shape", "rows"), [((8, 1, 4, 4), 8), ((1, 3, 4, 4), 1)])
def test_a_grid_is_a_copy_even_where_a_view_would_do(shape, rows):
    images = torch.zeros(shape)
    image = grid(images, rows)
    image += 1
    assert images.sum() == 0


def test_some_writes_into_an_expanded_tensor_are_refused_and_others_run():
    source = torch.zeros(1, 3)
    rows = source.expand(4, 3)
    with pytest.raises(RuntimeError, match="single memory location"):
        rows += 1
    rows[0] = 1
    assert rows.tolist() == [[1, 1, 1]] * 4
    windows = torch.arange(7).unfold(0, 3, 1)
    windows.add_(1)  # not refused, although most numbers lie in several windows
    assert windows[0].tolist() != [1, 2, 3]


def test_a_mapped_file_is_shared_without_a_common_storage(tmp_path):
    place = str(tmp_path / "numbers")
    first, second = (torch.from_file(place, shared=True, size=4) for _ in range(2))
    first.fill_(7)
    assert second.tolist() == [7, 7, 7, 7]
    assert not shares_storage(first, second)


def test_view_needs_no_contiguous_tensor_only_dimensions_in_line():
    block = torch.zeros(4, 6)[:, :3]
    assert not block.is_contiguous()
    assert block.view(2, 2, 3).shape == (2, 2, 3)
    assert torch.arange(10)[::2].view(-1).stride() == (2,)
    with pytest.raises(RuntimeError, match="view size"):
        block.view(-1)


def test_silence_zeroes_the_named_channels_and_leaves_the_input():
    images = torch.ones(2, 3, 4, 4)
    silenced = silence(images, [1, 2])
    assert silenced.sum(dim=(0, 2, 3)).tolist() == [32, 0, 0]
    assert images.sum() == 96


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: cut(torch.ones(3, 4, 6), 4), r"multiples of 4, got \(3, 4, 6\)"),
        (lambda: cut(torch.ones(4, 4), 2), r"got \(4, 4\)"),
        (lambda: cut(torch.ones(3, 4, 4), 0), "size must be at least 1, got 0"),
        (lambda: cut(torch.ones(0, 4, 4), 2), r"not be empty, got \(0, 4, 4\)"),
        (lambda: cut(torch.ones(3, 0, 4), 2), r"not be empty, got \(3, 0, 4\)"),
        (lambda: grid(torch.ones(5, 3, 2, 2), 2), r"multiple of 2, got \(5"),
        (lambda: grid(torch.ones(0, 3, 2, 2), 1), "not be empty, got"),
        (lambda: grid(torch.ones(2, 3, 2, 2), 0), "rows must be at least 1, got 0"),
        (lambda: grid(torch.ones(3, 2, 2), 1), r"got \(3, 2, 2\)"),
        (lambda: silence(torch.ones(3, 2), [0]), r"\(..., C, H, W\), got \(3, 2\)"),
        (lambda: silence(torch.ones(3, 2, 2), [-1]), r"must be 0 to 2, got \[-1\]"),
        (lambda: silence(torch.ones(3, 2, 2), [3]), r"must be 0 to 2, got \[3\]"),
        (lambda: silence(torch.ones(3, 2, 2), [0.5]), r"0 to 2, got \[0.5\]"),
        (lambda: silence(torch.ones(2, 2, 2), [True, False]), r"got \[True, False\]"),
        (lambda: contiguous_strides((2, -1)), r"got \(2, -1\)"),
    ],
)
def test_what_does_not_fit_is_refused(attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt()


@pytest.mark.skipif(not cifar10.available(), reason="CIFAR-10 is not in DLBOOK_DATA")
def test_the_corner_of_the_horse_is_the_published_one():
    images, labels = cifar10.read("data_batch_1")
    assert cifar10.CLASSES[labels[cifar10.HORSE]] == "horse"
    assert torch.equal(images[cifar10.HORSE, :, :4, :8], horse.load())
