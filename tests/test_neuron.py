"""One neuron: by hand, five models against scikit-learn, the lost sign, a hidden layer."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.svm import SVC

from dlbook import neuron as chapter
from dlbook.data import iris
from dlbook.data.toy import two_moons
from dlbook.neuron import (
    absolute_penalty,
    cross_entropy,
    cross_entropy_slope,
    fit,
    hidden_layer,
    hinge_loss,
    hinge_slope,
    neuron,
    no_penalty,
    squared_loss,
    squared_slope,
    squares_penalty,
    train_hidden_layer,
)

LOSSES = {
    "squared": (squared_loss, squared_slope),
    "cross-entropy": (cross_entropy, cross_entropy_slope),
    "hinge": (hinge_loss, hinge_slope),
}


def flowers() -> tuple[torch.Tensor, torch.Tensor]:
    x, t = iris.load()
    return (x - x.mean(dim=0)) / x.std(dim=0, correction=0), t


def test_a_neuron_matches_a_case_worked_by_hand():
    x = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    y = neuron(x, torch.tensor([3.0, -1.0]), torch.tensor(0.5))
    assert y.tolist() == [1.5, 1.5]


def test_losses_match_cases_worked_by_hand():
    y, t = torch.tensor([0.0, 2.0, 0.5]), torch.tensor([1.0, 1.0, 0.0])
    assert squared_loss(y, t).tolist() == [1, 1, 0.25]
    assert hinge_loss(y, t).tolist() == [1, 0, 1.5]
    torch.testing.assert_close(cross_entropy(y, t)[0], torch.tensor(math.log(2)))


@given(
    name=st.sampled_from(sorted(LOSSES)),
    y=st.floats(-20, 20).filter(lambda y: abs(abs(y) - 1) > 1e-3),
    t=st.sampled_from([0.0, 1.0]),
)
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_slope_is_that_of_its_loss(name, y, t):
    loss, slope = LOSSES[name]
    y = torch.tensor([y], dtype=torch.float64, requires_grad=True)
    t = torch.tensor([t], dtype=torch.float64)
    (automatic,) = torch.autograd.grad(loss(y, t).sum(), y)
    torch.testing.assert_close(slope(y.detach(), t), automatic)


@given(y=st.floats(-30, 30), t=st.sampled_from([0.0, 1.0]))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_cross_entropy_is_the_formula_with_its_minus_sign(y, t):
    p = 1 / (1 + math.exp(-y))
    surprise = -math.log(p if t else 1 - p) if 0 < p < 1 else abs(y)
    computed = cross_entropy(
        torch.tensor([y], dtype=torch.float64), torch.tensor([t], dtype=torch.float64)
    )
    assert computed.item() == pytest.approx(surprise, rel=1e-3, abs=1e-9)
    assert computed.item() >= 0


def test_cross_entropy_stays_finite_where_the_sigmoid_saturates():
    y = torch.tensor([-1000.0, 1000.0])
    assert cross_entropy(y, torch.tensor([1.0, 0.0])).tolist() == [1000, 1000]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_sure_bet_won_costs_little_and_not_nothing(dtype):
    s = torch.tensor([10.0, 12, 15, 21, 30], dtype=dtype)
    expected = [math.log1p(math.exp(-value)) for value in s.tolist()]
    won = cross_entropy(s, torch.ones(5)).tolist()
    assert won == pytest.approx(expected, rel=1e-5)
    assert cross_entropy(-s, torch.zeros(5)).tolist() == won


@pytest.mark.parametrize(
    ("loss_slope", "penalty_slope", "eta", "oracle"),
    [
        (squared_slope, no_penalty, 0.3, LinearRegression()),
        (squared_slope, squares_penalty(0.1), 0.3, Ridge(alpha=100 * 0.1)),
        (squared_slope, absolute_penalty(0.2), 0.3, Lasso(alpha=0.1, tol=1e-10)),
        (cross_entropy_slope, no_penalty, 4.0, LogisticRegression(C=math.inf, tol=1e-8)),
        (
            hinge_slope,
            squares_penalty(0.01),
            1.0,
            SVC(kernel="linear", C=1 / (2 * 0.01 * 100), tol=1e-6),
        ),
    ],
    ids=["linear", "ridge", "lasso", "logistic", "svm"],
)
def test_five_models_equal_those_of_scikit_learn(loss_slope, penalty_slope, eta, oracle):
    x, t = flowers()
    w, b = fit(x, t, loss_slope, penalty_slope, eta, steps=4000)
    oracle.fit(x, t)
    expected = [*oracle.coef_.ravel().tolist(), np.ravel(oracle.intercept_)[0]]
    assert [*w.tolist(), b.item()] == pytest.approx(expected, abs=1e-3)


def test_the_lasso_turns_a_weight_off_where_ridge_only_shrinks_it():
    x, t = flowers()
    lasso, _ = fit(x, t, squared_slope, absolute_penalty(0.2), 0.3, 2000)
    ridge, _ = fit(x, t, squared_slope, squares_penalty(0.1), 0.3, 2000)
    assert lasso[1].abs() < 1e-4
    assert ridge[1].abs() > 1e-3


def test_the_slope_with_the_sign_lost_learns_to_be_wrong():
    x, t = flowers()
    w, b = fit(x, t, lambda y, t: -cross_entropy_slope(y, t), no_penalty, 0.5, 200)
    y = neuron(x, w, b)
    assert ((y > 0) != t.bool()).double().mean() > 0.8
    assert cross_entropy(y, t).mean() > 10 * math.log(2)


@pytest.mark.parametrize(
    ("loss_slope", "penalty_slope", "eta"),
    [(cross_entropy_slope, no_penalty, 4.0), (hinge_slope, squares_penalty(0.01), 1.0)],
    ids=["logistic", "svm"],
)
def test_bounded_slopes_do_not_stop_where_the_steps_are_too_long(
    loss_slope, penalty_slope, eta
):
    """Only the length of the last step tells that plain centimeters were not enough."""

    def last_slope(x, y):
        w, b = fit(x, y, loss_slope, penalty_slope, eta, 2000)
        blame = loss_slope(neuron(x, w, b), y)
        return (x.T @ blame / len(x) + penalty_slope(w)).norm().item()

    in_centimeters, y = iris.load()
    assert last_slope(in_centimeters, y) > 1e-3
    if loss_slope is cross_entropy_slope:  # a hinge has a kink, and no slope there
        assert last_slope(*flowers()) < 1e-6


def test_logistic_regression_of_separable_points_has_no_optimum():
    x = torch.arange(10).double()[:, None] - 4.5
    y = (x[:, 0] > 0).double()
    first, second, third = (
        fit(x, y, cross_entropy_slope, no_penalty, 4.0, steps)[0].item()
        for steps in (100, 1000, 10_000)
    )
    assert 1.2 * first < second < third / 1.2


def test_a_slope_of_another_shape_is_refused():
    x, y = flowers()
    with pytest.raises(ValueError, match=r"penalty and w must have one shape, got \(\)"):
        fit(x, y, squared_slope, lambda w: 0.1 * w.square().sum(), 0.3, 5)
    with pytest.raises(
        ValueError, match=r"loss and y must have one shape, got \(100, 1\)"
    ):
        fit(x, y, lambda s, y: (s - y)[:, None], no_penalty, 0.3, 5)


def test_weights_beyond_all_numbers_are_refused_whatever_the_slope():
    x, y = iris.load()
    with pytest.raises(ValueError, match="w must be finite"):
        fit(x, y, lambda s, y: 2 * (s - y), no_penalty, 0.3, 2000)


def test_scaling_a_column_scales_its_weight_of_the_linear_model():
    x, t = flowers()
    w, _ = fit(x, t, squared_slope, no_penalty, 0.2, 3000)
    doubled, _ = fit(
        x * torch.tensor([1.0, 0.5]), t, squared_slope, no_penalty, 0.2, 3000
    )
    torch.testing.assert_close(doubled, w * torch.tensor([1.0, 2.0]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("loss", [cross_entropy, cross_entropy_slope])
def test_labels_of_any_number_type_mean_the_same(loss):
    s, y = torch.tensor([-1.0, 0.5]), torch.tensor([1.0, 0.0])
    for dtype in (torch.float64, torch.int64, torch.bool, torch.uint8):
        answer = loss(s, y.to(dtype))
        assert answer.dtype == torch.float32
        assert torch.equal(answer, loss(s, y))


def test_the_sum_over_the_length_of_the_weights_is_the_distance_from_the_border():
    w, b = torch.tensor([3.0, 4.0]).double(), torch.tensor(-5.0).double()
    border = torch.tensor([3.0, -1.0]).double()  # 9 - 4 - 5 = 0
    for distance in (-2.0, 0.0, 7.0):
        point = border + distance * w / w.norm()
        assert neuron(point[None], w, b).item() / 5 == pytest.approx(distance)


def test_a_plateau_looks_like_the_end_and_is_not():
    x, y = (part.double() for part in two_moons(200, 0.15, seed=0))
    at_2000, at_3000 = (
        cross_entropy(
            hidden_layer(x, train_hidden_layer(x, y, 4, 3.0, steps, seed=3))[1], y
        ).mean()
        for steps in (2000, 3000)
    )
    assert at_2000 > 0.2
    assert at_3000 < 0.06


def test_a_hidden_layer_is_neurons_feeding_a_neuron():
    network = (
        torch.tensor([[1.0, 0.0], [0.0, 2.0]]),
        torch.tensor([0.0, 1.0]),
        torch.tensor([2.0, -1.0]),
        torch.tensor(0.5),
    )
    h, y = hidden_layer(torch.tensor([[3.0, -0.5]]), network)
    first = 1 / (1 + math.exp(-3))
    torch.testing.assert_close(h, torch.tensor([[first, 0.5]]))
    torch.testing.assert_close(y, torch.tensor([2 * first]))


def test_a_hidden_layer_separates_what_one_neuron_cannot():
    x, t = (part.double() for part in two_moons(100, 0.1, seed=0))
    w, b = fit(x, t, cross_entropy_slope, no_penalty, 2.0, 500)
    network = train_hidden_layer(x, t, k=6, eta=3.0, steps=1000, seed=0)
    _, y = hidden_layer(x, network)
    assert ((neuron(x, w, b) > 0) != t.bool()).sum() > 5
    assert ((y > 0) != t.bool()).sum() <= 1


def test_equal_seeds_give_equal_networks():
    x, t = (part.double() for part in two_moons(20, 0.1, seed=0))
    one, other = (train_hidden_layer(x, t, 3, 1.0, 5, seed=4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_flowers_are_fifty_of_each_kind():
    x, t = iris.load()
    assert (tuple(x.shape), t.sum().item()) == ((100, 2), 50)
    assert x[0].tolist() == [4.7, 3.2]
    assert len(iris.checksum()) == 64


def test_bad_input_is_refused():
    x, t = flowers()
    with pytest.raises(ValueError, match=r"y must be \(100,\), got \(99,\)"):
        fit(x, t[1:], squared_slope, no_penalty, 0.1, 5)
    with pytest.raises(ValueError, match="x must not be empty"):
        fit(x[:0], t[:0], squared_slope, no_penalty, 0.1, 5)
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        fit(x, t, squared_slope, no_penalty, 0.1, 0)
    with pytest.raises(ValueError, match="must be finite"):  # raw centimeters
        fit(iris.load()[0], t, squared_slope, no_penalty, 0.3, 2000)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        chapter.train_hidden_layer(x, t, 0, 0.1, 5, 0)
