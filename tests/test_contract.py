"""The checks refuse what they name, and let pass what is right."""

import pytest
import torch

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_bits,
    require_classes,
    require_count,
    require_finite,
    require_number,
    require_same_dtype,
    require_same_shape,
    require_signs,
    require_table,
    require_vector,
    require_wide,
)

TABLE = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def test_what_is_right_passes():
    require_finite(TABLE, "x")
    require_table(TABLE, "x", columns=2)
    require_vector(TABLE[0], "x", length=2)
    require_wide(TABLE.double(), "x")
    require_same_shape(TABLE, TABLE.int(), "x and y")
    require_same_dtype(TABLE, TABLE[0], "x and y")
    require_classes(torch.tensor([0, 2]), 2, classes=3)
    require_signs(torch.tensor([-1.0, 1.0]), 2)
    require_bits(torch.tensor([True, False]), 2)
    require_between(1, 1, 1, "k")
    require_at_least(0, 0, "k")
    require_above_zero(1e-9, "step")


def test_on_the_meta_device_shapes_are_checked_and_values_are_not():
    labels = torch.zeros(2, dtype=torch.int64, device="meta")
    require_table(TABLE.to("meta"), "x")
    require_classes(labels, 2, classes=3)
    require_signs(labels, 2)
    with pytest.raises(ValueError, match=r"labels must be \(3,\), got \(2,\)"):
        require_signs(labels, 3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="x must be finite, got NaN or infinity"):
        require_finite(torch.tensor([1.0, bad, 2.0]), "x")
    with pytest.raises(ValueError, match="step must be above 0, got"):
        require_above_zero(bad, "step")
    with pytest.raises(ValueError, match="k must be at least 0, got"):
        require_at_least(bad, 0, "k")
    with pytest.raises(ValueError, match="k must lie between 1 and 60, got"):
        require_between(bad, 1, 60, "k")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.uint8])
def test_floats_of_16_bits_are_refused_where_squares_are_summed(dtype):
    with pytest.raises(TypeError, match="x must be float32 or float64, got torch"):
        require_wide(TABLE.to(dtype), "x")


def test_two_dtypes_are_refused_where_one_is_wanted():
    with pytest.raises(TypeError, match=r"one dtype, got torch\.float32 and"):
        require_same_dtype(TABLE, TABLE.double(), "x and y")


def test_bytes_and_whole_numbers_are_no_floats():
    with pytest.raises(TypeError, match=r"x must be floats, got torch\.uint8"):
        require_finite(TABLE.byte(), "x")


def test_wrong_shapes_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"x must be \(n, d\), got \(2,\)"):
        require_table(TABLE[0], "x")
    with pytest.raises(ValueError, match=r"x must be \(n, 3\), got \(2, 2\)"):
        require_table(TABLE, "x", columns=3)
    with pytest.raises(ValueError, match=r"x must be \(2,\), got \(2, 1\)"):
        require_vector(TABLE[:, :1], "x", length=2)
    with pytest.raises(
        ValueError, match=r"s and y must have one shape, got \(2, 2\) and"
    ):
        require_same_shape(TABLE, TABLE[:, :1], "s and y")


def test_what_is_empty_is_refused():
    with pytest.raises(ValueError, match=r"x must not be empty, got shape \(0, 2\)"):
        require_table(TABLE[:0], "x")
    with pytest.raises(ValueError, match="labels must not be empty"):
        require_signs(torch.zeros(0), 0)


@pytest.mark.parametrize("value", [10.5, 2.0, float("nan")])
def test_what_does_not_count_is_refused(value):
    with pytest.raises(TypeError, match=f"n must be a whole number, got {value}"):
        require_count(value, 1, "n")
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        require_count(0, 1, "n")
    require_count(10**400, 1, "n")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "bias must be one finite number, got nan"),
        (torch.zeros(3), r"bias must be one number, got \(3,\)"),
        (torch.tensor(float("inf")), "bias must be finite"),
    ],
)
def test_what_is_not_one_number_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        require_number(value, "bias")
    for fine in (0, -0.5, torch.tensor(0.5), torch.tensor(0.5, device="meta")):
        require_number(fine, "bias")


@pytest.mark.parametrize(
    ("check", "labels", "message"),
    [
        (require_signs, [0, 1], r"labels must be -1 or \+1, got 0"),
        (require_signs, [1.0, float("nan")], r"labels must be -1 or \+1, got nan"),
        (require_bits, [-1, 1], "targets must be 0 or 1, got -1"),
        (require_classes, [-1, 1], "labels must be 0 or more, got -1"),
        (require_signs, [[1], [1]], r"labels must be \(2,\), got \(2, 1\)"),
        (require_classes, [[1], [1]], r"labels must be \(2,\), got \(2, 1\)"),
        (require_bits, [1], r"targets must be \(2,\), got \(1,\)"),
    ],
)
def test_labels_of_another_convention_or_shape_are_refused(check, labels, message):
    with pytest.raises(ValueError, match=message):
        check(torch.tensor(labels), 2)


def test_a_dtype_without_minus_one_holds_no_signs():
    """In bytes -1 is 255, and 255 == -1 is true after the same conversion."""
    for dtype in (torch.uint8, torch.bool, torch.complex64):
        with pytest.raises(TypeError, match=r"labels must be -1 or \+1, got torch"):
            require_signs(torch.ones(2).to(dtype), 2)
    with pytest.raises(TypeError, match=r"targets must be 0 or 1, got torch\.complex64"):
        require_bits(torch.ones(2).to(torch.complex64), 2)


def test_a_class_beyond_the_last_is_refused():
    with pytest.raises(ValueError, match="labels must lie between 0 and 2, got 3"):
        require_classes(torch.tensor([0, 3]), 2, classes=3)
    with pytest.raises(TypeError, match=r"labels must be int64, got torch\.float32"):
        require_classes(torch.tensor([0.0, 1.0]), 2)


def test_a_check_costs_no_gradient():
    x = TABLE.clone().requires_grad_()
    require_table(x, "x")
    x.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))
