"""The perceptron: by hand, against scikit-learn and linear programs, and as laws."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.linear_model import Perceptron

from dlbook import perceptron
from dlbook.data import digits, mnist, separable
from dlbook.runs import perceptron as runs
from dlbook.runs.record import claims_of

LAW = settings(derandomize=True, deadline=None, max_examples=40)
XOR = torch.tensor([[0.0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])  # with a constant
XOR_LABELS = torch.tensor([-1.0, 1, 1, -1])


def zeros_and_ones() -> tuple[torch.Tensor, torch.Tensor]:
    images, labels, *_ = digits.load()
    chosen = labels < 2
    points = perceptron.with_constant(images[chosen].flatten(1))
    return points, labels[chosen] * 2.0 - 1


def same(points: torch.Tensor, labels: torch.Tensor, epochs: int) -> int:
    """Train both ways, insist on equality to the last bit, and count the updates."""
    weights, steps = perceptron.train(points, labels, epochs)
    fast_weights, fast_steps = perceptron.train_by_blocks(points, labels, epochs)
    assert steps.equal(fast_steps)
    assert weights.equal(fast_weights)
    return len(steps)


@pytest.mark.parametrize(
    ("weight", "bias", "expected"),
    [(1, -0.5, [0, 1, 1, 1]), (1, -1.5, [0, 0, 0, 1]), (-1, 1.5, [1, 1, 1, 0])],
)
def test_gates_match_their_truth_tables(weight, bias, expected):
    answers = perceptron.threshold_unit(perceptron.CORNERS, weight, bias)
    assert answers.tolist() == expected


def test_one_input_is_negated():
    bits = torch.tensor([[0.0], [1.0]])
    assert perceptron.threshold_unit(bits, -1.0, 0.5).tolist() == [1, 0]


def test_a_sum_of_exactly_zero_fires():
    assert perceptron.threshold_unit(torch.ones(1, 2), 1.0, -2.0).item() == 1
    assert perceptron.perceptron(torch.ones(1, 2), torch.ones(2), -2.0).item() == 1


def test_one_weight_for_all_inputs_computes_six_tables():
    tables = {
        tuple(perceptron.threshold_unit(perceptron.CORNERS, weight, bias).tolist())
        for weight in torch.linspace(-2, 2, 41).tolist()
        for bias in torch.linspace(-5, 5, 101).tolist()
    }
    assert len(tables) == 6


@pytest.mark.parametrize("inputs", [-torch.ones(1, 2), torch.full((1, 2), 0.5)])
def test_gates_refuse_inputs_that_are_no_bits(inputs):
    with pytest.raises(ValueError, match="inputs must be 0 or 1, got"):
        perceptron.exclusive_or(inputs)


def test_many_inputs_are_counted_in_half_precision():
    inputs = torch.ones(1, 4097).half()
    assert perceptron.threshold_unit(inputs, 1.0, -4097.0).item() == 1
    assert perceptron.threshold_unit(inputs, 1.0, -4097.5).item() == 0


def test_a_score_that_overflows_is_no_answer():
    x, w = torch.tensor([[1e30, 1e30]]), torch.tensor([1e30, -1e30])
    with pytest.raises(ValueError, match="scores must be finite"):
        perceptron.perceptron(x, w, 0.0)


@pytest.mark.parametrize("constant", [0.0, 1e-9, 1e6, float("nan")])
def test_a_constant_that_is_no_number_of_the_points_is_refused(constant):
    with pytest.raises(ValueError, match=r"a number of torch\.float16 other than 0"):
        perceptron.with_constant(torch.ones(2, 2).half(), constant)


def test_two_layers_compute_xor():
    assert perceptron.exclusive_or(perceptron.CORNERS).tolist() == [0, 1, 1, 0]


def test_one_unit_computes_exactly_the_tables_that_a_linear_program_finds():
    corners = np.c_[perceptron.CORNERS.numpy(), np.ones(4)]
    possible = set()
    for table in product((0.0, 1.0), repeat=4):
        signs = 2 * np.array(table) - 1  # sign * (w . x + b) >= 1 has a solution, or not
        program = linprog(
            np.zeros(3), -signs[:, None] * corners, -np.ones(4), bounds=(-9, 9)
        )
        if program.success:
            possible.add(table)
    assert set(perceptron.one_unit_tables()) == possible
    assert len(possible) == 14


def test_the_settings_found_give_their_tables():
    for table, (first, second, bias) in perceptron.one_unit_tables().items():
        weights = torch.tensor([first, second])
        answers = perceptron.perceptron(perceptron.CORNERS, weights, bias)
        assert tuple((answers > 0).tolist()) == table


def test_training_matches_a_case_worked_by_hand():
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    labels = torch.tensor([1, -1, 1])
    # (1,0) is wrong at w = 0: w = (1,0). (0,1) scores 0: w = (1,-1). (-1,1): -2: w = (0,0).
    # Then all three in turn again: the epoch repeats itself.
    weights, steps = perceptron.train(points, labels, epochs=2)
    assert weights.tolist() == [0, 0]
    assert steps.tolist() == [0, 1, 2, 3, 4, 5]


def test_training_makes_the_updates_of_scikit_learn():
    points, labels = zeros_and_ones()
    weights, steps = perceptron.train(points.double(), labels, epochs=50)
    epochs = int(steps[-1]) // len(points) + 2
    oracle = Perceptron(alpha=0, shuffle=False, fit_intercept=False, tol=None)
    oracle.set_params(max_iter=epochs).fit(points.double().numpy(), labels.numpy())
    assert torch.allclose(torch.from_numpy(oracle.coef_[0]), weights, atol=1e-9)


def test_training_ends_with_every_example_right():
    points, labels = zeros_and_ones()
    weights, _ = perceptron.train_by_blocks(points, labels, epochs=50)
    assert (labels * (points @ weights) > 0).all()


def test_blocks_make_the_same_updates_on_digits():
    points, labels = zeros_and_ones()
    assert same(points, labels, epochs=50) > 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 255, 256, 257, 600])
def test_blocks_make_the_same_updates_at_the_borders_of_blocks(n, dtype):
    points, labels, _ = separable.draw(n, dimension=3, gap=0.02, seed=n)
    assert same(points.to(dtype), labels, epochs=30) >= 1


@pytest.mark.parametrize("position", [0, 1, 255, 256, 257, 511, 512, 513, 599])
def test_a_single_mistake_is_found_wherever_it_lies(position):
    w, points, y = torch.ones(1), torch.ones(600, 1), torch.ones(600)
    y[position] = -1
    for begin in (0, position // 2, position):
        assert perceptron._first_mistake(w, points, y, begin, 1.0) == position
    assert perceptron._first_mistake(w, points, y, position + 1, 1.0) == 600


def test_blocks_make_the_same_updates_where_no_plane_separates():
    assert same(XOR, XOR_LABELS, epochs=25) > 25


@settings(LAW, max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_blocks_decide_ties_and_rounding_as_single_products_do(seed, dimension):
    """Small multiples of 0.1 sum to zero, or almost, depending on the order of summation."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randint(-3, 4, (300, dimension), generator=generator) * 0.1
    labels = torch.randint(2, (300,), generator=generator) * 2 - 1
    same(points, labels, epochs=4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_blocks_make_the_same_updates_in_half_precision(dtype):
    points, labels = zeros_and_ones()
    assert same(points.to(dtype), labels, epochs=20) > 1


def test_a_score_that_is_no_number_counts_as_a_mistake():
    points = torch.tensor([[1e19, 1e19], [1e19, -1e19]])
    weights = torch.tensor([3e38, 3e38])  # the second score is inf - inf
    assert (weights @ points[1]).isnan()
    assert perceptron._first_mistake(weights, points, torch.ones(2), 0, 2e19) == 1


@pytest.mark.parametrize("scale", [1e-18, 1e15])
def test_blocks_make_the_same_updates_at_the_ends_of_the_number_range(scale):
    points, labels, _ = separable.draw(300, dimension=4, gap=0.1, seed=3)
    same((points * scale).float(), labels, epochs=5)


@pytest.mark.parametrize(
    ("steps", "error", "rule"),
    [
        (torch.tensor([], dtype=torch.int64), ValueError, "steps must not be empty"),
        (torch.tensor([[0]]), ValueError, r"steps must be \(1,\), got \(1, 1\)"),
        (torch.tensor([0.0]), TypeError, "steps must be int64"),
    ],
)
def test_only_a_list_of_steps_is_averaged_over(steps, error, rule):
    with pytest.raises(error, match=rule):
        perceptron.average_weights(torch.ones(2, 1), torch.tensor([1, -1]), steps, 1)


def test_a_far_larger_constant_slows_the_bias_as_a_smaller_one_does():
    points, labels, _ = separable.draw(200, dimension=2, gap=0.3, seed=2)
    counts = {}
    for constant in (1.0, 10.0, 100.0):
        inputs = perceptron.with_constant(points + 5.0, constant)
        _, steps = perceptron.train_by_blocks(inputs, labels, epochs=10_000)
        counts[constant] = len(steps)
    assert counts == {1.0: 697, 10.0: 211, 100.0: 17457}


def test_blocks_make_the_same_updates_on_examples_of_zeros():
    points, labels, _ = separable.draw(300, dimension=4, gap=0.1, seed=4)
    points[7] = 0  # never right: its score is 0 whatever the weights
    assert same(points, labels, epochs=5) >= 5


def test_blocks_leave_the_examples_as_they_were():
    points, labels = zeros_and_ones()
    before = points.clone()
    perceptron.train_by_blocks(points, labels, epochs=3)
    assert points.equal(before)


@LAW
@given(
    st.integers(1, 400), st.integers(2, 12), st.floats(0.01, 1.9), st.integers(0, 10**6)
)
def test_updates_never_exceed_the_bound(n, dimension, gap, seed):
    points, labels, normal = separable.draw(n, dimension, gap, seed)
    _, steps = perceptron.train_by_blocks(points, labels, epochs=10**6)
    assert len(steps) <= perceptron.update_bound(points, labels, normal)


@LAW
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 10**6))
def test_the_average_is_that_of_a_loop_over_all_steps(n, epochs, seed):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(2, (n,), generator=generator) * 2 - 1
    w, total = torch.zeros(3).double(), torch.zeros(3).double()
    for _ in range(epochs):
        for x, y in zip(points, labels, strict=True):
            if y * (w @ x) <= 0:
                w = w + y * x
            total += w
    last, steps = perceptron.train(points, labels, epochs)
    found = perceptron.average_weights(points, labels, steps, epochs)
    assert torch.allclose(last, w)
    assert torch.allclose(found, total / (epochs * n))


def test_the_average_refuses_steps_beyond_its_epochs():
    _, steps = perceptron.train(XOR, XOR_LABELS, epochs=3)
    with pytest.raises(ValueError, match="steps must lie between 0 and 7, got 11"):
        perceptron.average_weights(XOR, XOR_LABELS, steps, epochs=2)


def test_rounding_does_not_lower_the_bound():
    # R / (gap / 2) is exactly 3: the bound is 9, however the division rounds.
    for unit in (0.1, 0.3, 0.7, 1.1, 1.3):
        points = unit * torch.tensor([[1, 0], [1, 8**0.5]], dtype=torch.float64)
        limit = perceptron.update_bound(points, torch.ones(2), torch.tensor([0.7, 0]))
        assert limit == 9


def test_the_bound_is_tight_for_one_example():
    points, labels = torch.tensor([[3.0, 4.0]]), torch.tensor([1])
    assert perceptron.update_bound(points, labels, torch.tensor([3.0, 4.0])) == 1
    assert len(perceptron.train(points, labels, epochs=5)[1]) == 1


@LAW
@given(st.integers(1, 300), st.integers(2, 9), st.floats(0.01, 1.9), st.integers(0, 999))
def test_drawn_points_keep_the_gap_and_the_ball(n, dimension, gap, seed):
    points, labels, normal = separable.draw(n, dimension, gap, seed)
    assert (labels * (points @ normal)).min() >= gap / 2 - 1e-12
    assert points.norm(dim=1).max() <= 1 + 1e-12
    assert normal.norm().item() == pytest.approx(1)


@pytest.mark.parametrize("train", [perceptron.train, perceptron.train_by_blocks])
@pytest.mark.parametrize(
    ("points", "labels", "rule"),
    [
        (torch.zeros(0, 2), torch.zeros(0), r"not be empty, got shape \(0, 2\)"),
        (torch.zeros(2, 0), torch.ones(2), r"not be empty, got shape \(2, 0\)"),
        (torch.zeros(3), torch.ones(3), r"must be \(n, d\), got \(3,\)"),
        (torch.full((1, 2), 300.0).half(), torch.ones(1), "squares that torch.float16"),
        (torch.full((1, 2), 1e30), torch.ones(1), "squares that torch.float32 can hold"),
        (torch.full((1, 2), 1e-25), torch.ones(1), "squares that torch.float32 can hold"),
        (torch.ones(2, 2, dtype=torch.int64), torch.ones(2), "floats, got torch.int64"),
        (torch.ones(2, 2), torch.ones(2, 1), r"labels must be \(2,\), got \(2, 1\)"),
        (torch.ones(2, 2), torch.tensor([0, 1]), "-1 or [+]1, got 0"),
        (torch.ones(2, 2), torch.tensor([1.0, float("nan")]), "-1 or [+]1, got nan"),
        (torch.tensor([[float("nan"), 1.0]]), torch.ones(1), "finite"),
        (torch.tensor([[float("inf"), 1.0]]), torch.ones(1), "finite"),
    ],
)
def test_a_malformed_sample_is_refused(train, points, labels, rule):
    with pytest.raises((ValueError, TypeError), match=rule):
        train(points, labels, epochs=1)


@pytest.mark.parametrize("train", [perceptron.train, perceptron.train_by_blocks])
def test_no_epochs_are_refused(train):
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        train(XOR, XOR_LABELS, epochs=0)


def test_a_separator_that_errs_is_refused():
    with pytest.raises(ValueError, match="must get all examples right"):
        perceptron.update_bound(XOR, XOR_LABELS, torch.ones(3))


@pytest.mark.parametrize(("n", "gap"), [(0, 0.1), (5, 0.0), (5, 2.0)])
def test_drawing_out_of_range_is_refused(n, gap):
    with pytest.raises(ValueError, match="must"):
        separable.draw(n, 2, gap, seed=0)


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_mnist_zeros_against_ones_train_as_recorded():
    points, labels, *_ = runs.zeros_and_ones()
    _, steps = perceptron.train_by_blocks(points, labels, epochs=50)
    recorded = claims_of("perceptron")["mnist_updates"].value
    assert torch.bincount(steps // len(points)).tolist() == recorded[:-1]
