"""Gradient descent: by hand, at the wall 2 / L, against autograd and three libraries."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from dlbook.gradient_descent import (
    Adam,
    Descent,
    Momentum,
    gradient_descent,
    largest_step,
    local_parabola,
    logistic_gradient,
    logistic_loss,
    mini_batches,
    minimize,
)
from dlbook.perceptron import with_constant
from dlbook.runs.gradient_descent import bumpy_slope, least_loss, problem

CPU = torch.device("cpu")
SEEDS = st.integers(0, 10_000)


def normal(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def bowl(seed: int, d: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw second derivatives with curvatures from 0.5 to 4, and the steepest axis."""
    rotation, _ = torch.linalg.qr(normal(seed, d, d))
    curvatures = torch.linspace(0.5, 4, d, dtype=torch.float64)
    return rotation @ curvatures.diag() @ rotation.T, rotation[:, -1]


def test_steps_on_a_parabola_match_a_case_worked_by_hand():
    path = gradient_descent(lambda w: 2 * w, torch.tensor([8.0]), 0.25, 3)
    assert path.flatten().tolist() == [8, 4, 2, 1]


def test_no_steps_leave_the_start_alone():
    path = gradient_descent(lambda w: 2 * w, torch.tensor([8.0]), 0.25, 0)
    assert path.tolist() == [[8.0]]


@given(w0=st.floats(-5, 5), step_size=st.floats(0.01, 2))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_the_next_point_is_where_the_local_parabola_is_least(w0, step_size):
    start = torch.tensor([w0], dtype=torch.float64)
    slope = bumpy_slope(start)
    stop = gradient_descent(bumpy_slope, start, step_size, 1)[1]
    around = stop + torch.linspace(-1, 1, 21, dtype=torch.float64)
    model = local_parabola(around, start, torch.zeros(()), slope, step_size)
    assert model.argmin() == 10


@given(seed=SEEDS, d=st.integers(1, 6), share=st.floats(0.01, 0.999))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_below_the_wall_every_step_comes_closer_on_any_bowl(seed, d, share):
    hessian, _ = bowl(seed, d)
    step_size = share * largest_step(hessian)
    distances = gradient_descent(
        lambda w: hessian @ w, normal(seed + 1, d), step_size, 20
    )
    distances = distances.norm(dim=1)
    assert (distances.diff() <= 0).all()
    assert distances[-1] < distances[0]


@given(seed=SEEDS, d=st.integers(1, 6), share=st.floats(1.01, 3))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_above_the_wall_a_step_along_the_steepest_direction_leads_away(seed, d, share):
    hessian, steepest = bowl(seed, d)
    step_size = share * largest_step(hessian)
    path = gradient_descent(lambda w: hessian @ w, steepest, step_size, 20)
    assert (path.norm(dim=1).diff() > 0).all()


def test_at_the_wall_the_steepest_direction_flips_for_ever():
    path = gradient_descent(lambda w: 4 * w, torch.tensor([1.0]), 0.5, 4)
    assert path.flatten().tolist() == [1, -1, 1, -1, 1]


@given(seed=SEEDS)
@settings(derandomize=True, max_examples=25, deadline=None)
def test_the_hand_gradient_agrees_with_autograd(seed):
    inputs, signs, w = with_constant(normal(seed, 9, 3)), normal(seed, 9).sign(), None
    w = (3 * normal(seed + 1, 4)).requires_grad_()
    (expected,) = torch.autograd.grad(logistic_loss(inputs, signs, w), w)
    torch.testing.assert_close(logistic_gradient(inputs, signs, w.detach()), expected)


def test_the_logistic_loss_starts_at_log_2_and_survives_huge_scores():
    inputs, signs, _ = problem(CPU)
    assert logistic_loss(inputs, signs, torch.zeros(3).double()) == pytest.approx(
        0.693147181
    )
    huge = torch.tensor([1e4, 0.0, 0.0], dtype=torch.float64)
    assert logistic_loss(inputs, signs, huge).isfinite()


def test_ten_thousand_steps_reach_the_solution_of_scikit_learn():
    inputs, signs, start = problem(CPU)
    w = gradient_descent(
        lambda w: logistic_gradient(inputs, signs, w), start, 4.0, 10_000
    )[-1]
    oracle = LogisticRegression(C=float("inf"), tol=1e-10, max_iter=1000)
    oracle.fit(inputs[:, :2], signs)
    expected = torch.tensor([*oracle.coef_[0], oracle.intercept_[0]])
    torch.testing.assert_close(w, expected, rtol=1e-4, atol=1e-4)
    assert logistic_loss(inputs, signs, w) == pytest.approx(least_loss(inputs, signs))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Descent(0.1), lambda w: torch.optim.SGD([w], 0.1)),
        (Momentum(0.1, 0.8), lambda w: torch.optim.SGD([w], 0.1, momentum=0.8)),
        (Adam(0.1), lambda w: torch.optim.Adam([w], 0.1)),
        (Adam(0.1, (0.7, 0.9)), lambda w: torch.optim.Adam([w], 0.1, betas=(0.7, 0.9))),
    ],
    ids=["descent", "momentum", "adam", "adam with other betas"],
)
def test_two_hundred_steps_equal_those_of_torch_optim_to_rounding(ours, theirs):
    inputs, signs, w = problem(CPU)
    parameter = torch.nn.Parameter(w.clone())
    optimizer, generator = theirs(parameter), torch.Generator().manual_seed(0)
    for _ in range(20):
        for batch in mini_batches(100, 10, generator):
            gradient = logistic_gradient(inputs[batch], signs[batch], w)
            w = ours.step(w, gradient)
            parameter.grad = logistic_gradient(
                inputs[batch], signs[batch], parameter.data
            )
            optimizer.step()
    torch.testing.assert_close(w, parameter.data, rtol=1e-11, atol=1e-11)


def test_a_rule_serves_weights_of_any_shape_and_leaves_them_as_they_were():
    w, gradient = normal(0, 3, 4), normal(1, 3, 4)
    before = w.clone()
    for rule in (Descent(0.1), Momentum(0.1), Adam(0.1)):
        assert rule.step(w, gradient).shape == (3, 4)
    assert torch.equal(w, before)


def test_the_first_step_of_adam_has_the_step_size_in_every_direction():
    gradient = torch.tensor([1000.0, -0.001])
    step = Adam(0.1).step(torch.zeros(2), gradient)
    torch.testing.assert_close(step, torch.tensor([-0.1, 0.1]), rtol=1e-4, atol=0)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_mini_batches_hold_every_sample_once(size):
    batches = list(mini_batches(100, size, torch.Generator().manual_seed(0)))
    assert torch.cat(batches).sort().values.tolist() == list(range(100))
    assert {len(batch) for batch in batches[:-1]} <= {size}


def test_two_passes_are_shuffled_differently():
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.cat(list(mini_batches(50, 10, generator))) for _ in range(2))
    assert not torch.equal(first, second)


def test_minimize_finds_the_bottom_of_a_bowl_in_two_tensors():
    goal = [normal(0, 2, 3), normal(1, 4)]
    start = [torch.zeros_like(values) for values in goal]

    def loss(parameters):
        pairs = zip(parameters, goal, strict=True)
        return sum((ours - theirs).square().sum() for ours, theirs in pairs)

    found = minimize(loss, start, step_size=0.05, steps=500)
    assert loss(found) < 1e-6
    assert all((values == 0).all() for values in start)
    assert not any(values.requires_grad for values in found)


@pytest.mark.parametrize("step_size", [0, -0.1, float("nan")])
def test_step_sizes_that_do_not_descend_are_refused(step_size):
    with pytest.raises(ValueError, match="step_size must be above 0"):
        gradient_descent(lambda w: w, torch.ones(1), step_size, 1)


def test_the_wall_needs_a_symmetric_matrix_that_curves_upward():
    with pytest.raises(ValueError, match="symmetric"):
        largest_step(torch.tensor([[1.0, 2.0], [0.0, 1.0]]))
    with pytest.raises(ValueError, match=r"curvatures must be above 0, got \[-1\.0"):
        largest_step(-torch.eye(2))


def test_classes_that_are_not_signs_are_refused():
    with pytest.raises(ValueError, match=r"signs must be -1 or \+1, got 0\.0"):
        logistic_loss(torch.ones(2, 1), torch.tensor([0.0, 1.0]), torch.ones(1))
    with pytest.raises(ValueError, match=r"must not be empty, got shape \(0, 1\)"):
        logistic_loss(torch.ones(0, 1), torch.ones(0), torch.ones(1))


@pytest.mark.parametrize("size", [0, 11])
def test_a_batch_that_is_empty_or_larger_than_the_set_is_refused(size):
    with pytest.raises(ValueError, match=f"between 1 and 10, got {size}"):
        mini_batches(10, size, torch.Generator())


def test_a_saddle_has_no_step_size():
    with pytest.raises(ValueError, match=r"must be above 0, got \[-1\.0, 4\.0\]"):
        largest_step(torch.diag(torch.tensor([4.0, -1.0])))


def test_a_flat_direction_has_the_wall_of_the_others():
    assert largest_step(torch.diag(torch.tensor([4.0, 0.0]))) == 0.5


def test_one_rule_does_not_serve_two_tensors():
    for rule in (Momentum(0.1), Adam(0.1)):
        rule.step(torch.zeros(1), torch.ones(1))
        with pytest.raises(ValueError, match="memory of this rule"):
            rule.step(torch.zeros(3), torch.ones(3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_adam_refuses_numbers_too_short_for_its_squares(dtype):
    w = torch.ones(2, dtype=dtype)
    with pytest.raises(TypeError, match="float32 or float64"):
        Adam(0.1).step(w, w)


def test_a_path_that_left_the_numbers_is_refused():
    with pytest.raises(ValueError, match="end of the path with step_size 3"):
        gradient_descent(lambda w: 4 * w, torch.ones(1), 3.0, 100)


def test_a_loss_that_is_no_number_stops_minimize():
    with pytest.raises(ValueError, match="one finite number, got inf"):
        minimize(lambda p: p[0].sum() / 0, [torch.ones(1)], 0.1, 5)


@pytest.mark.parametrize("condition", [4, 49, 100, 900])
def test_the_best_momentum_shrinks_by_t_times_a_power(condition):
    """At the best memory the root is double: the distance is at most (1 + t k) rho^t."""
    root = condition**0.5
    rho = (root - 1) / (root + 1)
    curvatures = torch.tensor([1.0, condition], dtype=torch.float64)
    rule = Momentum(4 / (root + 1) ** 2, rho**2)
    w = torch.ones(2, dtype=torch.float64)
    for t in range(1, 200):
        w = rule.step(w, curvatures * w)
        # Both directions follow w_t = (1 + t (1 - w_1 / rho)) rho^t up to sign.
        assert w.abs().max() <= (1 + t * (1 + root)) * rho**t * 1.01


@pytest.mark.parametrize("rule", [Descent(0.1), Momentum(0.1), Adam(0.1)])
def test_a_slope_that_is_no_number_is_refused_before_it_is_remembered(rule):
    with pytest.raises(ValueError, match="gradient must be finite"):
        rule.step(torch.zeros(2), torch.tensor([1.0, torch.nan]))
    assert rule.step(torch.zeros(2), torch.ones(2)).isfinite().all()


def test_adam_refuses_a_slope_whose_square_overflows():
    with pytest.raises(ValueError, match="squares of the gradient must be finite"):
        Adam(0.1).step(torch.ones(2), torch.full((2,), 1e20))


def test_a_slope_that_is_no_number_stops_minimize():
    with pytest.raises(ValueError, match="gradient must be finite"):
        minimize(lambda p: p[0].square().sum().sqrt(), [torch.zeros(2)], 0.1, 1)


def test_scores_that_overflow_have_no_loss():
    inputs = torch.full((2, 2), 1e30)
    with pytest.raises(ValueError, match="scores must be finite"):
        logistic_loss(inputs, torch.tensor([1.0, -1.0]), torch.tensor([1e30, -1e30]))


def test_numbers_of_16_bits_are_refused_where_small_steps_would_vanish():
    start = torch.ones(1, dtype=torch.float16)
    with pytest.raises(TypeError, match="start must be float32 or float64"):
        gradient_descent(lambda w: w, start, 1e-4, 1000)
    with pytest.raises(TypeError, match="hessian must be float32 or float64"):
        largest_step(torch.tensor([[1, 0.015], [0, 1]], dtype=torch.float16))


def test_the_errors_of_the_batches_of_one_pass_cancel():
    inputs, signs, w = problem(CPU)
    full = logistic_gradient(inputs, signs, w)
    batches = mini_batches(100, 10, torch.Generator().manual_seed(0))
    rough = torch.stack([logistic_gradient(inputs[b], signs[b], w) for b in batches])
    assert (rough - full).norm(dim=1).min() > 0.05
    torch.testing.assert_close(rough.mean(dim=0), full)


@pytest.mark.parametrize("size", [1, 10, 50, 100])
def test_the_mean_of_a_batch_scatters_as_draws_without_replacement_do(size):
    values, generator = normal(0, 100), torch.Generator().manual_seed(1)
    means = [values[mini_batches(100, size, generator)[0]].mean() for _ in range(4000)]
    scatter = torch.stack(means).std(correction=0) / values.std(correction=0)
    expected = ((100 - size) / (99 * size)) ** 0.5
    assert scatter == pytest.approx(expected, rel=0.05, abs=1e-9)


def test_gradients_of_one_sign_and_of_fading_size_make_adam_slow():
    rule, w, moves = Adam(0.1), torch.zeros(1, dtype=torch.float64), []
    for t in range(100):
        after = rule.step(w, torch.full_like(w, 0.9**t))
        moves, w = [*moves, (w - after).item() / 0.1], after
    assert moves[0] == pytest.approx(1)
    assert moves[30] < 0.4
    assert moves[99] < 0.01


def test_no_rounding_leads_away_from_a_saddle_whose_bad_line_is_an_axis():
    def slope(w):
        return torch.stack([2 * w[0], -2 * w[1]])

    end = gradient_descent(slope, torch.tensor([1.0, 0.0]), 0.1, 2000)[-1]
    assert end.norm() < 1e-6


def test_adam_with_a_constant_step_is_thrown_out_again_long_after_it_arrived():
    curvatures = torch.tensor([1.0, 100.0], dtype=torch.float64)
    rule, w = Adam(0.1), torch.ones(2, dtype=torch.float64)
    distances = []
    for _ in range(10_000):
        w = rule.step(w, curvatures * w)
        distances.append(w.norm())
    assert max(distances[300:5000]) < 2e-6
    assert max(distances[5000:]) > 1e-4
