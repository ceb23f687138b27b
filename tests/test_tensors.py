"""Tensors: by hand, against torch.linalg, and the idioms of 2018 one by one."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import Variable

from dlbook.tensors import (
    IDIOMS,
    inverse,
    kind,
    outcome,
    power_iteration,
    solve,
    to_length_one,
)


def drawn(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    m = torch.randn(n, n, generator=generator, dtype=torch.float64)
    return m, torch.randn(n, generator=generator, dtype=torch.float64)


M = torch.tensor([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
NAMES = {
    "m": M,
    "x": torch.ones(3, 1),
    "y": torch.ones(3, 1),
    "torch": torch,
    "nn": nn,
    "Variable": Variable,
}


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.then)
def test_what_was_written_ends_as_the_table_says(idiom):
    assert outcome(idiom.then, NAMES) == idiom.ends


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.now)
def test_what_to_write_today_runs(idiom):
    assert outcome(idiom.now, NAMES) == "runs"


def test_an_outcome_does_not_leak_names():
    before = set(NAMES)
    outcome("x + 1", NAMES)
    assert set(NAMES) == before


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (torch.tensor(3.0), "0d, one number, float32, 4 bytes"),
        (torch.zeros(5, dtype=torch.int64), "1d, 5, int64, 40 bytes"),
        (torch.zeros(2, 0, dtype=torch.bool), "2d, 2 x 0, bool, 0 bytes"),
    ],
)
def test_a_tensor_is_described_on_one_line(tensor, expected):
    assert kind(tensor) == expected


def test_an_equation_worked_by_hand_needs_a_swap_of_rows():
    m = torch.tensor([[0.0, 2.0], [4.0, 1.0]])
    assert solve(m, torch.tensor([6.0, 7.0])).tolist() == [1.0, 3.0]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(n=st.integers(1, 8), seed=st.integers(0, 10_000))
def test_elimination_agrees_with_torch(n, seed):
    m, y = drawn(n, seed)
    m += 4 * torch.eye(n)  # keep away from singular matrices, where digits are lost
    torch.testing.assert_close(
        solve(m, y), torch.linalg.solve(m, y), rtol=1e-6, atol=1e-6
    )


def test_a_tiny_pivot_does_not_spoil_the_answer():
    m = torch.tensor([[1e-9, 1.0], [1.0, 1.0]])
    torch.testing.assert_close(solve(m, torch.tensor([1.0, 2.0])), torch.ones(2))


def test_the_largest_divisor_counts_whatever_its_sign():
    m = torch.tensor([[1e-9, 1.0], [-1.0, 1.0]])
    torch.testing.assert_close(solve(m, torch.tensor([1.0, 0.0])), torch.ones(2))


@pytest.mark.parametrize(
    ("m", "q"),
    [
        ([[1.0, 1e8], [0.0, 1.0]], [1.0, 1.0]),
        ([[1.0, 1.0], [1e-7, -1e-7]], [1.0, 2.0]),
        ([[1e-9, 1e-9], [1.0, 2.0]], [1.0, 3.0]),
        ([[1e9, 1.0], [1.0, 1.0]], [1.0, 2.0]),
    ],
)
def test_the_unit_of_an_equation_does_not_matter(m, q):
    m, q = torch.tensor(m, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)
    y = m @ q
    expected = torch.linalg.solve(m.float().double(), y.float().double())
    torch.testing.assert_close(solve(m.float(), y.float()), expected.float())


def test_an_answer_beyond_the_dtype_is_refused():
    with pytest.raises(ValueError, match="the answer must be finite"):
        solve(torch.tensor([[1e-3]]), torch.tensor([1e38]))
    tiny = torch.diag(torch.tensor([1e-38, 1e-40]))
    with pytest.raises(ValueError, match="the answer must be finite"):
        solve(tiny, torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_two_dtypes_are_refused(dtype):
    m, y = torch.eye(2), torch.ones(2).to(dtype)
    with pytest.raises(TypeError, match="m and y must have one dtype"):
        solve(m, y)
    with pytest.raises(TypeError, match="m and start must have one dtype"):
        power_iteration(m, y, 2)


def test_what_takes_the_place_of_variable_leaves_x_alone_as_it_did():
    for expression in ("Variable(x, requires_grad=True)", "x.detach().requires_grad_()"):
        x = torch.ones(3, 1)
        result = eval(expression, NAMES | {"x": x})
        assert result.requires_grad
        assert not x.requires_grad


def test_eigenvalues_of_equal_size_never_let_the_vector_rest():
    m = torch.diag(torch.tensor([1.0, -1.0]))
    path = power_iteration(m, torch.ones(2), steps=11)
    assert torch.equal(path[0], path[10])
    assert not torch.equal(path[10], path[11])


def test_elimination_leaves_its_input_alone():
    m, y = drawn(4, seed=0)
    before = m.clone(), y.clone()
    solve(m, y)
    assert torch.equal(m, before[0])
    assert torch.equal(y, before[1])


def test_the_inverse_agrees_with_torch():
    m, _ = drawn(5, seed=1)
    torch.testing.assert_close(inverse(m), torch.linalg.inv(m))


def test_power_iteration_finds_the_eigenvector_of_the_largest_eigenvalue():
    m, start = drawn(5, seed=2)
    m = m @ m.T
    m = (m + m.T) / 2
    values, vectors = torch.linalg.eigh(m)
    found = power_iteration(m, start, steps=300)[-1]
    torch.testing.assert_close((found @ vectors[:, -1]).abs().item(), 1.0)
    torch.testing.assert_close(found @ m @ found, values[-1])


def test_every_vector_of_a_power_iteration_has_length_one():
    path = power_iteration(
        torch.diag(torch.tensor([5.0, 0.1])), torch.tensor([3.0, 4.0]), 6
    )
    assert path.shape == (7, 2)
    torch.testing.assert_close(path.norm(dim=1), torch.ones(7))


@settings(derandomize=True, max_examples=20, deadline=None)
@given(n=st.integers(2, 8), seed=st.integers(0, 10_000))
def test_a_column_that_is_a_sum_of_others_is_refused(n, seed):
    m, y = drawn(n, seed)
    m[:, -1] = m[:, :-1].sum(dim=1)
    with pytest.raises(ValueError, match=f"independent columns, number {n - 1} is not"):
        solve(m, y)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_the_unit_does_not_matter(scale, dtype):
    m = torch.tensor([[2.0, 1.0], [1.0, 3.0]], dtype=dtype)
    q = solve(m * scale, torch.tensor([5.0, 10.0], dtype=dtype) * scale)
    torch.testing.assert_close(q, torch.tensor([1.0, 3.0], dtype=dtype))
    start = torch.tensor([0.4, -1.0], dtype=dtype)
    near, far = power_iteration(m, start, 5), power_iteration(m * scale, start * scale, 5)
    torch.testing.assert_close(near, far)


@pytest.mark.parametrize(
    ("m", "y", "message"),
    [
        (torch.ones(2, 3), torch.ones(2), r"m must be \(n, n\), got \(2, 3\)"),
        (torch.eye(2), torch.ones(2, 1), r"y must be \(2,\), got \(2, 1\)"),
        (torch.zeros(0, 0), torch.zeros(0), "m must not be empty"),
        (torch.tensor([[float("nan")]]), torch.ones(1), "finite"),
        (torch.ones(2, 2), torch.ones(2), "independent columns, number 1 is not"),
        (torch.arange(1.0, 10).view(3, 3), torch.ones(3), "number 2 is not"),
    ],
)
def test_equations_without_one_answer_are_refused(m, y, message):
    with pytest.raises(ValueError, match=message):
        solve(m, y)


@pytest.mark.parametrize("m", [torch.ones(2, 3), torch.zeros(0, 0), torch.tensor(1.0)])
def test_only_a_square_matrix_has_an_inverse(m):
    with pytest.raises(ValueError, match="m must"):
        inverse(m)


def test_floats_of_16_bits_are_refused():
    m = torch.eye(2, dtype=torch.float16)
    for attempt in (lambda: solve(m, m[0]), lambda: power_iteration(m, m[0], 1)):
        with pytest.raises(TypeError, match="m must be float32 or float64"):
            attempt()


def test_power_iteration_refuses_what_it_cannot_turn():
    with pytest.raises(ValueError, match="symmetric"):
        power_iteration(torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.ones(2), 1)
    with pytest.raises(ValueError, match="must not be zero"):
        power_iteration(torch.eye(2), torch.zeros(2), 1)
    with pytest.raises(ValueError, match="must not be zero"):  # it is sent to zero
        power_iteration(torch.ones(2, 2), torch.tensor([1.0, -1.0]), 1)
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        power_iteration(torch.eye(2), torch.ones(2), -1)


def test_a_vector_keeps_its_direction_and_gets_length_one():
    tiny = torch.tensor([3e-30, -4e-30])  # its squares are zero in float32
    torch.testing.assert_close(to_length_one(tiny), torch.tensor([0.6, -0.8]))
