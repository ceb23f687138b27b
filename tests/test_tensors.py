"""Tensors: by hand, against torch.linalg, and the idioms of 2018 one by one."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import Variable
from torchvision.datasets import CIFAR10

from dlbook.tensors import IDIOMS, inverse, kind, outcome, power_iteration, solve


def drawn(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    m = torch.randn(n, n, generator=generator, dtype=torch.float64)
    return m, torch.randn(n, generator=generator, dtype=torch.float64)


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """The data of the idioms, with two made-up images in the file format of CIFAR-10."""
    root = tmp_path_factory.mktemp("cifar")
    batch = {"data": np.zeros((2, 3072), np.uint8), "labels": [3, 7]}
    contents = {"batch": pickle.dumps(batch), "meta": pickle.dumps({"label_names": []})}
    (root / CIFAR10.base_folder).mkdir()
    for name, content in contents.items():
        (root / CIFAR10.base_folder / name).write_bytes(content)
    sums = {name: hashlib.md5(content).hexdigest() for name, content in contents.items()}

    class Tiny(CIFAR10):
        train_list = (["batch", sums["batch"]],)
        test_list = ()
        meta = {"filename": "meta", "key": "label_names", "md5": sums["meta"]}  # noqa: RUF012

    m, x = (
        torch.tensor([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 1.0]]),
        torch.ones(3, 1),
    )
    data = {"m": m, "x": x, "y": x.clone()}
    return data | {"cifar": Tiny(root), "torch": torch, "nn": nn, "Variable": Variable}


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.then)
def test_what_ran_in_2018_ends_as_the_table_says(idiom, names):
    assert outcome(idiom.then, names) == idiom.ends


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.now)
def test_what_to_write_today_runs(idiom, names):
    assert outcome(idiom.now, names) == "runs"


def test_the_modern_names_of_cifar_hold_the_same_data(names):
    assert names["cifar"].data.shape == (2, 32, 32, 3)
    assert names["cifar"].targets == [3, 7]


def test_an_outcome_does_not_leak_names(names):
    before = set(names)
    outcome("x + 1", names)
    assert set(names) == before


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


@pytest.mark.parametrize(
    ("m", "y", "message"),
    [
        (torch.ones(2, 3), torch.ones(2), r"got \(2, 3\) and \(2,\)"),
        (torch.eye(2), torch.ones(2, 1), r"got \(2, 2\) and \(2, 1\)"),
        (torch.zeros(0, 0), torch.zeros(0), "n at least 1"),
        (torch.tensor([[float("nan")]]), torch.ones(1), "finite"),
        (torch.ones(2, 2), torch.ones(2), "independent columns, number 1 is not"),
    ],
)
def test_equations_without_one_answer_are_refused(m, y, message):
    with pytest.raises(ValueError, match=message):
        solve(m, y)


def test_power_iteration_refuses_what_it_cannot_turn():
    with pytest.raises(ValueError, match="symmetric"):
        power_iteration(torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.ones(2), 1)
    with pytest.raises(ValueError, match="start must not be zero"):
        power_iteration(torch.eye(2), torch.zeros(2), 1)
    with pytest.raises(ValueError, match="steps at least 0"):
        power_iteration(torch.eye(2), torch.ones(2), -1)
