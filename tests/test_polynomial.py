"""Polynomials: by hand, against NumPy and scikit-learn, laws, edges, and bad input."""

import math
from itertools import pairwise

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from dlbook.data.toy import noisy_sine
from dlbook.polynomial import (
    Polynomial,
    bias_and_variance,
    evaluate,
    fit_polynomial,
    fit_ridge,
    half_planes,
    intervals,
    legendre,
    middle_and_radius,
    powers,
    shatters,
    shortest_fit,
    thresholds,
    vc_bound,
    vc_dimension,
)


def training_error(alpha, x, y):
    return (evaluate(alpha, x) - y).square().mean().item()


def test_powers_begin_with_one_even_at_zero():
    assert powers(torch.tensor([0.0, 2.0]), 3).tolist() == [[1, 0, 0, 0], [1, 2, 4, 8]]


def test_a_value_matches_a_case_worked_by_hand():
    alpha = torch.tensor([1.0, 0.0, 2.0])  # 1 + 2 u², u = (x - 4) / 2
    fit = Polynomial(alpha, torch.tensor([4.0]), torch.tensor([2.0]))
    assert evaluate(fit, torch.tensor([4.0, 10.0])).tolist() == [1, 19]


def test_data_come_to_the_interval_from_minus_one_to_one():
    center, radius = middle_and_radius(torch.tensor([[2.0, 6.0, 3.0], [7.0, 7.0, 7.0]]))
    assert (center.tolist(), radius.tolist()) == ([[4], [7]], [[2], [1]])


def test_a_line_through_three_points_matches_a_case_worked_by_hand():
    x, y = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([0.0, 0.0, 3.0])
    fit = fit_polynomial(x, y, 1)  # -0.5 + 1.5 x = 1 + 1.5 u, for u = x - 1
    torch.testing.assert_close(fit.alpha, torch.tensor([1.0, 1.5]))
    assert (fit.center.item(), fit.radius.item()) == (1, 1)


@pytest.mark.parametrize("degree", [0, 1, 4, 9])
def test_fits_agree_with_numpy(degree):
    x, y = (part[0] for part in noisy_sine(1, 30, 0.3, seed=1))
    x = 40 * x + 2010  # in years
    oracle = numpy.polynomial.Polynomial.fit(x.numpy(), y.numpy(), degree)
    fit = fit_polynomial(x, y, degree)
    torch.testing.assert_close(fit.alpha, torch.from_numpy(oracle.coef))
    places = torch.linspace(1900, 2100, 7, dtype=x.dtype)
    expected = torch.from_numpy(oracle(places.numpy()))
    torch.testing.assert_close(evaluate(fit, places), expected)


def test_many_training_sets_are_fitted_as_each_one_alone():
    x, y = noisy_sine(7, 12, 0.3, seed=2)
    x = x * torch.arange(1, 8)[:, None] + 5
    together = fit_polynomial(x, y, 3)
    alone = [fit_polynomial(*pair, 3) for pair in zip(x, y, strict=True)]
    for part, each in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(part, torch.stack(each))
    answers = [evaluate(fit, each) for fit, each in zip(alone, x, strict=True)]
    torch.testing.assert_close(evaluate(together, x), torch.stack(answers))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(3, 100),
    center=st.sampled_from([0.0, 1.0, 175.0, 2010.0, -3e4]),
    radius=st.sampled_from([1e-2, 1.0, math.pi, 25.0, 1e6]),
    outlier=st.sampled_from([1.0, 10.0, 1e3, 1e6]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_the_training_error_never_rises_until_the_degree_is_refused(
    seed, n, center, radius, outlier, dtype
):
    generator = torch.Generator().manual_seed(seed)
    u = 2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1
    u[0] *= outlier
    x = (center + radius * u).to(dtype)
    y = torch.randn(n, generator=generator, dtype=torch.float64).to(dtype)  # no pattern
    lowest = math.inf
    for degree in range(n):
        try:
            error = training_error(fit_polynomial(x, y, degree), x, y)
        except ValueError:
            break
        assert error <= lowest + 1e-3 * y.square().mean().item()
        lowest = min(lowest, error)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 16), (torch.float64, 38)])
def test_a_degree_beyond_the_digits_is_refused(dtype, most):
    x = torch.linspace(2000, 2020, 100, dtype=torch.float64).to(dtype)
    for degree in range(most - 1, most + 1):
        fit_polynomial(x, x, degree)
    for degree in range(most + 1, most + 3):
        with pytest.raises(ValueError, match=f"degree {degree} .* asks for more digits"):
            fit_polynomial(x, x, degree)


@pytest.mark.parametrize("x", [[0, 1e-7, 1], [*range(9), 1e4]])
def test_points_that_nearly_coincide_are_refused(x):
    x = torch.tensor(x, dtype=torch.float32)
    with pytest.raises(ValueError, match="asks for more digits"):
        fit_polynomial(x, x, 2 if len(x) == 3 else 4)


CURES = {
    "driver gels": (torch.float32, math.pi, "gels"),
    "float64": (torch.float64, math.pi, None),
    "scaled": (torch.float32, 1.0, None),
}


def errors_of_all_degrees(dtype, end, driver):
    x = torch.linspace(-end, end, 100, dtype=dtype)
    y = (x * (math.pi / end)).sin()
    for degree in range(16):
        X = powers(x, degree)
        alpha = torch.linalg.lstsq(X, y[:, None], driver=driver).solution
        yield ((X @ alpha)[:, 0] - y).square().mean().item()


@pytest.mark.parametrize("cure", CURES)
def test_with_each_cure_the_training_error_never_rises_above_rounding(cure):
    rounding = 1e-10 if cure != "float64" else 1e-18
    errors = list(errors_of_all_degrees(*CURES[cure]))
    for lower, higher in pairwise(errors):
        assert higher <= lower * 1.001 + rounding


def test_the_function_of_the_chapter_obeys_the_law_even_in_float32():
    x = torch.linspace(-math.pi, math.pi, 100)
    y = x.sin()
    errors = [training_error(fit_polynomial(x, y, d), x, y) for d in range(16)]
    for lower, higher in pairwise(errors):
        assert higher <= lower * 1.001 + 1e-10


def test_with_float32_and_the_default_driver_the_training_error_does_rise():
    errors = list(errors_of_all_degrees(torch.float32, math.pi, None))
    assert errors[9] < 1e-9 < 1e-3 < errors[10] < errors[15]


def test_bias_and_variance_match_a_case_worked_by_hand():
    predictions, truth = torch.tensor([[1.0], [3.0]]), torch.tensor([5.0])
    bias, variance = bias_and_variance(predictions, truth)
    assert (bias.tolist(), variance.tolist()) == ([9], [1])  # (2 - 5)², and ±1


@settings(derandomize=True, max_examples=60, deadline=None)
@given(models=st.integers(1, 30), places=st.integers(1, 20), seed=st.integers(0, 10_000))
def test_squared_bias_and_variance_add_up_to_the_error(models, places, seed):
    generator = torch.Generator().manual_seed(seed)
    predictions = torch.randn(models, places, generator=generator, dtype=torch.float64)
    truth = torch.randn(places, generator=generator, dtype=torch.float64)
    bias, variance = bias_and_variance(predictions, truth)
    error = (predictions - truth).square().mean(dim=0)
    torch.testing.assert_close(bias + variance, error, rtol=1e-12, atol=1e-14)


def test_each_coefficient_costs_an_equal_share_of_the_noise():
    x, y = noisy_sine(4000, 12, 0.3, seed=3)
    for degree in (0, 3, 9):
        at_points = evaluate(fit_polynomial(x / math.pi, y, degree), x / math.pi)
        found = at_points.var(dim=0).mean().item()
        assert found == pytest.approx(0.3**2 * (degree + 1) / 12, rel=0.05)


def test_ridge_agrees_with_scikit_learn():
    x, y = (part[0] for part in noisy_sine(1, 20, 0.3, seed=4))
    X = powers(x / math.pi, 9)
    oracle = Ridge(alpha=0.1).fit(X[:, 1:].numpy(), y.numpy())
    found = fit_ridge(x, y, 9, 0.1).alpha
    torch.testing.assert_close(found[1:], torch.from_numpy(oracle.coef_))
    assert found[0].item() == pytest.approx(oracle.intercept_)


def test_ridge_moves_with_the_targets_and_ignores_the_unit():
    x, y = (part[0] for part in noisy_sine(1, 20, 0.3, seed=4))
    near, far = fit_ridge(x, y, 9, 0.1), fit_ridge(1000 * x + 7, y + 100, 9, 0.1)
    torch.testing.assert_close(far.alpha[1:], near.alpha[1:])
    torch.testing.assert_close(far.alpha[0], near.alpha[0] + 100)


def test_a_huge_penalty_leaves_the_mean():
    x, y = (part[0] for part in noisy_sine(1, 20, 0.3, seed=4))
    answers = evaluate(fit_ridge(x, y, 9, 1e12), x)
    torch.testing.assert_close(answers, y.mean().expand(20))


def test_ridge_with_a_vanishing_penalty_is_least_squares():
    x, y = noisy_sine(3, 20, 0.3, seed=5)
    found = fit_ridge(x / math.pi, y, 5, 1e-14)
    torch.testing.assert_close(found.alpha, fit_polynomial(x / math.pi, y, 5).alpha)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), penalty=st.floats(1e-6, 1e3))
def test_a_larger_penalty_shrinks_coefficients_and_raises_the_training_error(
    seed, penalty
):
    x, y = (part[0] for part in noisy_sine(1, 12, 0.3, seed))
    u = x / math.pi
    small, large = fit_ridge(u, y, 9, penalty), fit_ridge(u, y, 9, 2 * penalty)
    assert large.alpha[1:].norm() <= small.alpha[1:].norm() * (1 + 1e-9)
    assert training_error(large, u, y) >= training_error(small, u, y) * (1 - 1e-9)


def test_ridge_fits_more_coefficients_than_points():
    x, y = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])
    assert fit_ridge(x, y, 9, 0.1).alpha.isfinite().all()


def test_legendre_agrees_with_numpy():
    u = torch.linspace(-1, 1, 9, dtype=torch.float64)
    for degree in (0, 1, 7):
        expected = numpy.polynomial.legendre.legvander(u.numpy(), degree)
        torch.testing.assert_close(legendre(u, degree), torch.from_numpy(expected))


def test_a_place_beyond_the_interval_is_refused():
    with pytest.raises(ValueError, match=r"between -1 and 1, got 1\.5"):
        legendre(torch.tensor([-1.5]), 2)


def test_the_shortest_fit_interpolates_and_is_shortest():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(4, 9, generator=generator, dtype=torch.float64)
    y = torch.randn(4, generator=generator, dtype=torch.float64)
    alpha = shortest_fit(X, y)
    torch.testing.assert_close(X @ alpha, y)
    other = torch.linalg.solve(X[:, :4], y)  # the first four alone fit, too
    assert alpha.norm() < other.norm()
    tall = shortest_fit(X.T, torch.arange(9.0, dtype=X.dtype))
    expected = torch.linalg.lstsq(X.T, torch.arange(9.0, dtype=X.dtype)[:, None])
    torch.testing.assert_close(tall, expected.solution[:, 0])


@pytest.mark.parametrize(
    ("x", "degree"),
    [
        (torch.linspace(-math.pi, math.pi, 100), 10),
        (torch.linspace(2000, 2020, 100, dtype=torch.float64), 5),
    ],
)
def test_a_shortest_fit_that_would_drop_columns_is_refused(x, degree):
    assert shortest_fit(powers(x, 1), x).isfinite().all()
    with pytest.raises(ValueError, match=f"the rank of X must be {degree + 1}, got"):
        shortest_fit(powers(x, degree), x)


@pytest.mark.parametrize("n", range(1, 7))
def test_labelings_on_a_line_are_as_many_as_counted_by_hand(n):
    points = torch.randperm(n, generator=torch.Generator().manual_seed(n)).double()
    assert len(thresholds(points).unique(dim=0)) == n + 1
    assert len(intervals(points).unique(dim=0)) == n * (n + 1) // 2 + 1


@pytest.mark.parametrize("n", range(1, 9))
def test_lines_cut_points_in_the_plane_as_often_as_cover_counted(n):
    generator = torch.Generator().manual_seed(n)
    points = torch.randn(n, 2, generator=generator)  # no three on a line
    expected = 2 * sum(math.comb(n - 1, k) for k in range(3))
    assert len(half_planes(points).unique(dim=0)) == expected


def test_three_points_on_a_line_are_not_shattered_by_lines():
    points = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    assert not shatters(half_planes(points))
    assert len(half_planes(points).unique(dim=0)) == 6  # all but the middle one alone


def test_lines_never_label_the_corners_of_a_square_crosswise():
    square = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    cut = {tuple(row) for row in half_planes(square).tolist()}
    assert len(cut) == 14
    assert (True, True, False, False) not in cut
    assert (False, False, True, True) not in cut


def test_the_dimensions_are_one_two_and_three():
    lines = [torch.arange(n).double() for n in range(1, 6)]
    triangle = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    inside = torch.cat([triangle, torch.tensor([[0.2, 0.2]])])
    square = torch.cat([triangle, torch.tensor([[1.0, 1.0]])])
    assert vc_dimension(thresholds, lines) == 1
    assert vc_dimension(intervals, lines) == 2
    assert vc_dimension(half_planes, [triangle, inside, square]) == 3
    assert vc_dimension(thresholds, []) == 0


def test_the_bound_matches_a_case_worked_by_hand():
    # h = n = 1: growth is ln 2 + 1, and -ln(0.05 / 4) is 4.382
    assert vc_bound(1, 1) == pytest.approx(math.sqrt(math.log(2) + 1 + 4.3820266))


def test_the_bound_falls_with_data_and_rises_with_the_dimension():
    assert vc_bound(3, 60_000) < vc_bound(3, 600) < vc_bound(30, 600)


@pytest.mark.parametrize("dimension", [0, 11])
def test_a_bound_outside_its_range_is_refused(dimension):
    with pytest.raises(ValueError, match=f"between 1 and 10, got {dimension}"):
        vc_bound(dimension, 10)


def test_a_doubt_that_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        vc_bound(3, 10, doubt=1.5)


def test_a_negative_degree_is_refused():
    with pytest.raises(ValueError, match="at least 0, got -1"):
        powers(torch.zeros(3), -1)


@pytest.mark.parametrize(("x", "degree"), [(1e20, 2), (-1e13, 3)])
def test_powers_that_overflow_are_refused(x, degree):
    with pytest.raises(ValueError, match="powers of x must be finite"):
        powers(torch.tensor([1.0, x]), degree)


def test_a_column_is_not_taken_for_many_training_sets():
    x, y = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [3.0], [9.0]])
    for fit in (fit_polynomial, lambda x, y, degree: fit_ridge(x, y, degree, 1.0)):
        with pytest.raises(ValueError, match="a column would be many training sets"):
            fit(x, y, 0)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.float64])
def test_places_of_another_dtype_than_the_polynomial_are_refused(dtype):
    x = torch.arange(3.0)
    with pytest.raises(TypeError, match=r"x must be torch\.float32"):
        evaluate(fit_polynomial(x, x, 1), x.to(dtype))


def test_narrow_floats_have_no_bias_and_variance():
    predictions = torch.tensor([[10001.0], [10000.0]], dtype=torch.float16)
    with pytest.raises(TypeError, match="float32 or float64"):
        bias_and_variance(predictions, predictions[0])


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (1, 0)])
def test_no_labelings_or_no_points_shatter_nothing(shape):
    with pytest.raises(ValueError, match="L and n above 0"):
        shatters(torch.ones(shape, dtype=torch.bool))


def test_too_few_different_points_are_refused():
    x = torch.tensor([1.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="at least 3 different points x, got 2"):
        fit_polynomial(x, x, 2)


def test_an_empty_training_set_is_refused():
    for fit in (fit_polynomial, lambda x, y, degree: fit_ridge(x, y, degree, 1.0)):
        with pytest.raises(ValueError, match="x must not be empty"):
            fit(torch.zeros(0), torch.zeros(0), 0)


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one shape, got \(3,\) and \(2,\)"):
        fit_polynomial(torch.zeros(3), torch.zeros(2), 0)


def test_a_value_that_is_no_number_is_refused_wherever_it_stands():
    good, bad = torch.tensor([0.0, 1.0]), torch.tensor([0.0, math.nan])
    for x, y in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match="must be finite"):
            fit_polynomial(x, y, 0)


@pytest.mark.parametrize("penalty", [0.0, -1.0, math.nan, math.inf])
def test_a_penalty_that_is_not_positive_is_refused(penalty):
    x = torch.arange(3.0)
    with pytest.raises(ValueError, match=f"above 0, got {penalty}"):
        fit_ridge(x, x, 1, penalty)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (2, 4), (3,)])
def test_bias_and_variance_without_models_or_places_are_refused(shape):
    with pytest.raises(ValueError, match=r"must not be empty|must be"):
        bias_and_variance(torch.zeros(shape), torch.zeros(shape[-1] % 4))


def test_half_planes_far_away_cut_as_near_by():
    points = torch.tensor([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.0, 3.0]])
    for moved in (points + 4096, (points + 4096).to(torch.float32), points.half()):
        assert torch.equal(half_planes(moved), half_planes(points))


def test_one_point_twice_is_refused():
    with pytest.raises(ValueError, match="all be different"):
        half_planes(torch.ones(2, 2))


def test_training_sets_with_equal_seeds_are_equal():
    first, second = noisy_sine(2, 5, 0.1, seed=6), noisy_sine(2, 5, 0.1, seed=6)
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
