"""Broadcasting: by hand, against torch on random shapes, at the edges, on bad input."""

from dataclasses import asdict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from dlbook.broadcasting import (
    center,
    einsum,
    expand,
    explain,
    mean_squared_error,
    sum_to,
    tell,
)

SHAPES = st.lists(st.integers(0, 4), max_size=5).map(tuple)


def torch_result(first, second):
    try:
        return tuple(torch.broadcast_shapes(first, second))
    except RuntimeError:
        return None


def test_the_picture_of_the_chapter():
    found = explain((4, 1), (1, 5))
    assert found.axes == ("second expands", "first expands")
    assert found.result == (4, 5)


def test_ones_are_put_in_front_never_behind():
    found = explain((3, 4), (4,))
    assert found.second == (1, 4)
    assert explain((3, 4), (3,)).axes == ("second expands", "fails")


def test_a_column_minus_a_vector_is_a_table():
    assert explain((7, 1), (7,)).result == (7, 7)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(SHAPES, SHAPES)
def test_the_result_is_what_torch_says(first, second):
    assert explain(first, second).result == torch_result(first, second)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(SHAPES, SHAPES)
def test_exchanging_the_shapes_exchanges_the_verdicts(first, second):
    there, back = explain(first, second), explain(second, first)
    assert there.result == back.result
    words = {"first expands": "second expands", "second expands": "first expands"}
    assert there.axes == tuple(words.get(word, word) for word in back.axes)


def test_the_explanation_is_plain_data():
    assert asdict(explain((2, 1), (3,))) == {
        "first": (2, 1),
        "second": (1, 3),
        "axes": ("second expands", "first expands"),
        "result": (2, 3),
    }


def test_two_single_numbers_have_no_axis():
    assert explain((), ()).axes == ()


def test_an_empty_axis_expands_only_a_one():
    assert explain((1,), (0,)).result == (0,)
    assert explain((2,), (0,)).axes == ("fails",)


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match=r"0 or more, got \(-1,\)"):
        explain((-1,), (3,))


def test_the_words_name_the_axis_that_fails_and_why():
    words = tell(explain((4, 2), (3,)))
    assert "result  none" in words
    assert "axis 1: 2 and 3, fails: the sizes differ and neither is 1" in words
    assert "fails" not in tell(explain((4, 1), (3,)))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(SHAPES, SHAPES)
def test_expand_shows_what_torch_shows(first, second):
    result = torch_result(first, second)
    if result is None:
        return
    tensor = torch.arange(float(torch.Size(first).numel())).reshape(first)
    assert torch.equal(expand(tensor, result), tensor.expand(result))


def test_expand_copies_nothing_and_steps_by_zero():
    column = torch.tensor([[1.0], [2.0]])
    wide = expand(column, (2, 1000))
    assert wide.data_ptr() == column.data_ptr()
    assert wide.stride() == (1, 0)


def test_expand_starts_where_a_slice_starts():
    tail = torch.arange(6)[3:]
    assert torch.equal(expand(tail, (2, 3)), torch.tensor([[3, 4, 5], [3, 4, 5]]))


@pytest.mark.parametrize("shape", [(3,), (1,), ()])
def test_expand_refuses_what_does_not_fit(shape):
    with pytest.raises(ValueError, match="does not broadcast"):
        expand(torch.zeros(2, 1) if shape == () else torch.zeros(2), shape)


FULL = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(FULL, FULL)
def test_the_gradient_of_an_expanded_tensor_is_what_autograd_says(first, second):
    result = torch_result(first, second)
    if result is None:
        return
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(first, generator=generator, dtype=torch.float64, requires_grad=True)
    b = torch.randn(second, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(result, generator=generator, dtype=torch.float64)
    (weights * (a * b)).sum().backward()
    torch.testing.assert_close(sum_to(weights * b.detach(), first), a.grad)
    torch.testing.assert_close(sum_to(weights * a.detach(), second), b.grad)


def test_a_gradient_is_refused_where_nothing_was_expanded_to_its_shape():
    with pytest.raises(ValueError, match=r"\(3,\) does not broadcast to \(4, 2\)"):
        sum_to(torch.ones(4, 2), (3,))
    with pytest.raises(ValueError, match=r"\(4, 2\) does not broadcast to \(4, 1\)"):
        sum_to(torch.ones(4, 1), (4, 2))


def test_centering_agrees_with_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    sample = 3 + torch.randn(100, 4, generator=generator, dtype=torch.float64)
    oracle = StandardScaler(with_std=False).fit_transform(sample)
    torch.testing.assert_close(center(sample), torch.from_numpy(oracle))


def test_centering_twice_changes_nothing():
    sample = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    assert torch.equal(center(sample), torch.tensor([[-1.0, -10.0], [1.0, 10.0]]))
    assert torch.equal(center(center(sample)), center(sample))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 2, 2)])
def test_centering_refuses_what_is_not_a_sample(shape):
    with pytest.raises(ValueError, match="sample must"):
        center(torch.zeros(shape))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(3, 4), (4, 5)]),
        ("ij,j->i", [(3, 4), (4,)]),
        ("i,j->ij", [(3,), (4,)]),
        ("i,i->", [(5,), (5,)]),
        ("ij->ji", [(2, 3)]),
        ("ijk->j", [(2, 3, 4)]),
        ("nij,njk->nik", [(2, 3, 4), (2, 4, 5)]),
        ("ni,ij,nj->n", [(6, 3), (3, 3), (6, 3)]),
        ("ba,cb->ca", [(2, 3), (4, 2)]),
    ],
)
def test_einsum_agrees_with_torch(equation, shapes):
    generator = torch.Generator().manual_seed(1)
    tensors = [torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes]
    expected = torch.einsum(equation, *tensors)
    torch.testing.assert_close(einsum(equation, *tensors), expected)


@pytest.mark.parametrize(
    ("equation", "shapes", "message"),
    [
        ("ij,jk", [(2, 3), (3, 4)], "then `->`"),
        ("ij->i", [(2, 3, 4)], "every axis"),
        ("ij,jk->ik", [(2, 3)], "every axis"),
        ("ii->i", [(3, 3)], "once per tensor"),
        ("ij->k", [(2, 3)], "from the left"),
        ("1j->1", [(2, 3)], "named by a letter"),
        (".j->j", [(2, 3)], "named by a letter"),
        ("ij,jk->ik", [(2, 3), (4, 5)], "j must have one size, got 3, 4"),
        ("ij,jk->ik", [(2, 1), (4, 5)], "j must have one size, got 1, 4"),
    ],
)
def test_einsum_refuses_what_does_not_fit(equation, shapes, message):
    with pytest.raises(ValueError, match=message):
        einsum(equation, *(torch.zeros(shape) for shape in shapes))


def test_the_error_is_the_average_square():
    predictions, targets = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0])
    assert mean_squared_error(predictions, targets).item() == 2
    oracle = torch.nn.functional.mse_loss(predictions, targets)
    assert mean_squared_error(predictions, targets) == oracle


def test_the_error_refuses_a_column_against_a_vector():
    with pytest.raises(ValueError, match=r"got \(3, 1\) and \(3,\)"):
        mean_squared_error(torch.zeros(3, 1), torch.zeros(3))
    with pytest.raises(ValueError, match="not be empty"):
        mean_squared_error(torch.zeros(0), torch.zeros(0))
    with pytest.raises(TypeError, match="must be floats"):  # 3 - 5 would be 254
        mean_squared_error(torch.tensor([3]).byte(), torch.tensor([5]).byte())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_that_would_overflow_in_16_bits_are_refused(dtype):
    many = torch.ones(70_000).to(dtype)
    for attempt in (
        lambda: mean_squared_error(many * 300, many * 0),
        lambda: sum_to(many, (1,)),
        lambda: einsum("i->", many),
    ):
        with pytest.raises(TypeError, match="must be float32 or float64"):
            attempt()


def test_two_dtypes_are_refused():
    one, other = torch.ones(3), torch.ones(3, dtype=torch.float64)
    for attempt in (
        lambda: mean_squared_error(one, other),
        lambda: einsum("i,i->", one, other),
    ):
        with pytest.raises(TypeError, match="must have one dtype"):
            attempt()


def test_rounding_of_the_sum_is_what_centering_leaves_far_from_zero():
    generator = torch.Generator().manual_seed(0)
    stored = torch.randn(100, 4, generator=generator) + 1000
    assert center(stored).mean(dim=0).abs().max() > 1e-6
    assert center(stored.double()).mean(dim=0).abs().max() < 1e-12


def test_einsum_refuses_bytes_that_would_wrap_around():
    with pytest.raises(TypeError, match="must be floats"):
        einsum("i,i->", torch.tensor([200]).byte(), torch.tensor([2]).byte())


def test_the_bug_measures_two_variances_and_the_gap_of_the_means():
    generator = torch.Generator().manual_seed(2)
    p, y = torch.randn(2, 50, generator=generator, dtype=torch.float64)
    buggy = (p[:, None] - y).square().mean()
    law = p.var(correction=0) + y.var(correction=0) + (p.mean() - y.mean()).square()
    torch.testing.assert_close(buggy, law)
