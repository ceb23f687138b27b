"""Linear regression: by hand, against SciPy and torch.linalg, and at the edges."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import linregress

from dlbook.data import blood_pressure
from dlbook.linear_regression import (
    descend,
    design_matrix,
    explained_share,
    fastest_step_size,
    leverages,
    mean_squared_error,
    prediction_interval,
    solve_by_qr,
    solve_normal_equations,
    studentized_residuals,
)

SOLVERS = [solve_normal_equations, solve_by_qr]


def table() -> tuple[torch.Tensor, torch.Tensor]:
    ages, pressures = blood_pressure.load()
    return design_matrix(ages), pressures


def drawn(seed: int, n: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, generator=generator, dtype=torch.float64)
    y = torch.randn(n, generator=generator, dtype=torch.float64)
    return design_matrix(x), y


@pytest.mark.parametrize("solve", SOLVERS)
def test_three_points_worked_by_hand(solve):
    # x = 0, 1, 2 and y = 1, 2, 6: slope (2.5 + 2.5) / 2, through the means (1, 3).
    X = design_matrix(torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64))
    y = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    torch.testing.assert_close(solve(X, y), torch.tensor([2.5, 0.5]).double())
    assert mean_squared_error(X, y, solve(X, y)).item() == pytest.approx(0.5)


@pytest.mark.parametrize("solve", SOLVERS)
def test_the_published_fit_is_found(solve):
    a, b = solve(*table())
    assert (round(a.item(), 4), round(b.item(), 4)) == (0.9709, 98.7147)


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("seed", range(5))
def test_solvers_agree_with_lstsq_on_any_matrix(solve, seed):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(20, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(20, generator=generator, dtype=torch.float64)
    expected = torch.linalg.lstsq(X, y.unsqueeze(1)).solution.squeeze(1)
    torch.testing.assert_close(solve(X, y), expected)


def test_descent_reaches_the_same_line_from_standardized_ages():
    ages, pressures = blood_pressure.load()
    X = design_matrix((ages - ages.mean()) / ages.std())
    path = descend(X, pressures, fastest_step_size(X), steps=20)
    torch.testing.assert_close(path[-1], solve_by_qr(X, pressures))


def test_descent_takes_the_first_step_that_autograd_takes():
    X, y = drawn(seed=0)
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    mean_squared_error(X, y, w).backward()
    torch.testing.assert_close(descend(X, y, 0.1, steps=1)[1], -0.1 * w.grad)


def test_descent_of_no_steps_stays_at_zero():
    assert descend(*drawn(seed=0), 0.1, steps=0).tolist() == [[0, 0]]


def test_a_step_beyond_twice_the_inverse_curvature_diverges():
    X, y = drawn(seed=1)
    limit = 2 / torch.linalg.eigvalsh(2 / len(X) * X.T @ X)[-1].item()
    losses = [
        mean_squared_error(X, y, descend(X, y, share * limit, steps=400)[-1])
        for share in (0.99, 1.01)
    ]
    assert losses[0] < y.square().mean() < losses[1]


def test_a_grid_of_weights_gives_a_grid_of_losses():
    X, y = drawn(seed=2)
    grid = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0)).double()
    losses = mean_squared_error(X, y, grid)
    assert losses.shape == (3, 5)
    torch.testing.assert_close(losses[2, 4], (X @ grid[2, 4] - y).square().mean())


def test_explained_share_agrees_with_scipy_and_is_zero_for_the_mean():
    X, y = table()
    expected = linregress(X[:, 0].numpy(), y.numpy()).rvalue ** 2
    assert explained_share(y, X @ solve_by_qr(X, y)).item() == pytest.approx(expected)
    assert explained_share(y, y.mean().expand(30)).item() == pytest.approx(0)
    assert explained_share(y, y).item() == 1


@settings(derandomize=True, max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 40))
def test_residuals_are_perpendicular_to_every_column(seed, n):
    X, y = drawn(seed, n)
    residuals = y - X @ solve_by_qr(X, y)
    assert (X.T @ residuals).abs().max() < 1e-9 * n


@settings(derandomize=True, max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(3, 40))
def test_leverages_are_the_diagonal_of_the_hat_matrix(seed, n):
    X, _ = drawn(seed, n)
    hat = X @ torch.linalg.inv(X.T @ X) @ X.T
    torch.testing.assert_close(leverages(X), hat.diagonal())
    assert leverages(X).sum().item() == pytest.approx(2)


@pytest.mark.parametrize("left_out", [0, 5, 11])
def test_leverage_foretells_the_residual_of_a_point_left_out(left_out):
    X, y = drawn(seed=3)
    keep = torch.arange(12) != left_out
    honest = y[left_out] - X[left_out] @ solve_by_qr(X[keep], y[keep])
    residuals = y - X @ solve_by_qr(X, y)
    torch.testing.assert_close((residuals / (1 - leverages(X)))[left_out], honest)


def test_studentized_residuals_follow_student_even_where_leverage_is_high():
    X = design_matrix(torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0, 30.0], dtype=torch.float64))
    noise = torch.randn(2000, 6, generator=torch.Generator().manual_seed(0)).double()
    ratios = torch.stack([studentized_residuals(X, y).abs() for y in noise])
    share = (ratios > stdtrit(6 - 2 - 1, 0.95)).double().mean(dim=0)
    assert (share - 0.1).abs().max() < 3 * (0.1 * 0.9 / 2000) ** 0.5


def test_studentized_residuals_take_their_yardstick_from_the_others():
    X, y = drawn(seed=5)
    found = studentized_residuals(X, y)
    for n in range(12):
        keep = torch.arange(12) != n
        others = y[keep] - X[keep] @ solve_by_qr(X[keep], y[keep])
        variance = others.square().sum() / (11 - 2)
        own = y[n] - X[n] @ solve_by_qr(X, y)
        expected = own / (variance * (1 - leverages(X)[n])).sqrt()
        torch.testing.assert_close(found[n], expected)


@pytest.mark.parametrize("n", [5, 8, 11])
def test_one_wild_point_among_few_is_seen(n):
    X = design_matrix(torch.arange(n, dtype=torch.float64))
    y = 2 * X[:, 0] + torch.tensor([0.1, -0.1]).double().repeat(n)[:n]
    y[n // 2] = 1e6
    found = studentized_residuals(X, y).abs()
    assert found.argmax() == n // 2
    assert found.max() > 1000


def test_studentized_residuals_need_a_scatter_to_compare_with():
    X, y = drawn(seed=0, n=3)
    with pytest.raises(ValueError, match="at least 4 rows, got 3"):
        studentized_residuals(X, y)
    X, y = drawn(seed=0)
    alone = torch.cat([X, torch.eye(12).double()[:, :1]], dim=1)  # a column of its own
    with pytest.raises(ValueError, match="each leverage must lie below 1"):
        studentized_residuals(alone, y)
    with pytest.raises(ValueError, match="all is explained"):
        studentized_residuals(X, X @ torch.tensor([3.0, 1.0]).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [6, 30])
def test_a_perfect_line_with_one_outlier_has_no_yardstick_for_it(n, dtype):
    X = design_matrix(torch.arange(1, n + 1, dtype=dtype))
    y = 2 * X[:, 0]
    y[-1] += 18
    with pytest.raises(ValueError, match=f"without point {n - 1} too"):
        studentized_residuals(X, y)


def test_the_outlier_hides_that_others_lie_far_from_the_line():
    X, y = table()
    keep = torch.arange(30) != 1
    with_it, without = (
        studentized_residuals(X, y),
        studentized_residuals(X[keep], y[keep]),
    )
    assert with_it[keep].abs().max().item() == pytest.approx(1.3, abs=0.05)
    assert without.abs().max().item() == pytest.approx(2.45, abs=0.005)


def test_the_fastest_step_shrinks_steep_and_flat_directions_alike():
    X, _ = drawn(seed=4)
    curvatures = torch.linalg.eigvalsh(2 / len(X) * X.T @ X)
    factors = (1 - fastest_step_size(X) * curvatures).abs()
    torch.testing.assert_close(factors[0], factors[1])


def test_the_person_with_220_stands_out_and_nobody_else_does():
    assert (studentized_residuals(*table()).abs() > 3).nonzero().tolist() == [[1]]


def test_a_prediction_interval_holds_as_often_as_it_says():
    generator = torch.Generator().manual_seed(0)
    x = torch.linspace(0, 1, 8, dtype=torch.float64)
    X, X_new = design_matrix(x), torch.tensor([[1.5, 1.0]], dtype=torch.float64)
    held, trials = 0, 2000
    for noise in torch.randn(trials, 9, generator=generator, dtype=torch.float64):
        low, high = prediction_interval(X, 3 * x + noise[:8], X_new, confidence=0.8)
        held += (low <= 4.5 + noise[8] <= high).item()
    assert abs(held / trials - 0.8) < 3 * (0.8 * 0.2 / trials) ** 0.5


def test_a_prediction_interval_is_narrowest_at_the_mean():
    X, y = table()
    ages = torch.tensor([17.0, X[:, 0].mean().item(), 69.0], dtype=torch.float64)
    low, high = prediction_interval(X, y, design_matrix(ages))
    assert (high - low).argmin() == 1


def test_float32_inputs_give_float32_answers():
    X, y = (values.float() for values in table())
    assert (
        solve_by_qr(X, y).dtype == prediction_interval(X, y, X)[0].dtype == torch.float32
    )


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(2, 2), r"x must be \(n,\), got \(2, 2\)"),
        (torch.tensor([1.0, float("nan")]), "must be finite"),
        (torch.full((5,), 0.1), "at least 2 values, got only 0.1"),
        (torch.ones(0), "must not be empty"),
    ],
)
def test_inputs_without_a_line_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        design_matrix(x)


@pytest.mark.parametrize("solve", SOLVERS)
def test_targets_as_a_column_are_refused(solve):
    X, y = drawn(seed=0)
    with pytest.raises(ValueError, match=r"y must be \(12,\), got \(12, 1\)"):
        solve(X, y.unsqueeze(1))


def trap(dtype=torch.float64):
    """The dummy-variable trap: one column says young, one old, and one is constant."""
    old = (blood_pressure.load()[0] > 45).to(dtype)
    return torch.stack([torch.ones_like(old), old, 1 - old], dim=1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "make",
    [
        trap,
        lambda dtype: table()[0].to(dtype)[:, [0, 0]],
        lambda dtype: torch.stack([*table()[0].T, 2 * table()[0][:, 0] + 3], 1).to(dtype),
        lambda dtype: torch.zeros(30, 2, dtype=dtype),
    ],
    ids=["dummies", "copy", "sum", "zeros"],
)
def test_dependent_columns_are_refused_everywhere(make, dtype):
    X, y = make(dtype), table()[1].to(dtype)
    for attempt in (
        lambda: solve_by_qr(X, y),
        lambda: solve_normal_equations(X, y),
        lambda: leverages(X),
        lambda: fastest_step_size(X),
        lambda: studentized_residuals(X, y),
        lambda: prediction_interval(X, y, X[:2]),
    ):
        with pytest.raises(ValueError, match="columns of X must be independent"):
            attempt()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_of_a_column_does_not_make_it_dependent(scale):
    X, y = table()
    X = X * torch.tensor([scale, 1.0])
    assert solve_by_qr(X, y)[1].item() == pytest.approx(98.7147, abs=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 1e-25, 1e18, 1e25])
def test_no_unit_makes_columns_dependent_even_at_the_ends_of_float32(scale):
    X, y = (values.float() for values in table())
    X, before = X * torch.tensor([scale, 1.0]), leverages(X)
    torch.testing.assert_close(leverages(X), before, rtol=1e-4, atol=1e-5)
    assert solve_by_qr(X, y)[1].item() == pytest.approx(98.7147, abs=1e-2)


@pytest.mark.parametrize("scale", [1e-25, 1e-20, 1e20, 1e25])
def test_squares_that_leave_the_range_are_refused_where_they_are_formed(scale):
    X, y = (values.float() for values in table())
    for attempt in (
        lambda: solve_normal_equations(X * scale, y),
        lambda: fastest_step_size(X * scale),
    ):
        with pytest.raises(
            ValueError, match=r"squares of X must fit into torch\.float32"
        ):
            attempt()


@pytest.mark.parametrize(
    ("y", "prediction"),
    [
        ([0.0, 128, 256, 1024], 384.0),  # each a float32, also far from zero
        ([0.0, 128, 256, 1024], 0.0),
    ],
)
@pytest.mark.parametrize(("unit", "origin"), [(1, 1.7e9), (1e25, 0), (1e-35, 0)])
def test_the_explained_share_needs_no_origin_and_no_unit(y, prediction, unit, origin):
    y = torch.tensor(y, dtype=torch.float64)
    prediction = torch.full_like(y, prediction)
    expected = explained_share(y, prediction).float()
    moved = [(values * unit + origin).float() for values in (y, prediction)]
    torch.testing.assert_close(explained_share(*moved), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_two_dtypes_are_refused(dtype):
    X, y = table()
    for attempt in (
        lambda: mean_squared_error(X, y, X[0].to(dtype)),
        lambda: solve_by_qr(X, y.to(dtype)),
        lambda: explained_share(y, y.to(dtype)),
        lambda: prediction_interval(X, y, X.to(dtype)),
    ):
        with pytest.raises(TypeError, match="must have one dtype, got"):
            attempt()


def test_the_normal_equations_give_up_where_qr_still_has_digits():
    ages, pressures = blood_pressure.load()
    X, y = design_matrix(ages + 30_000).float(), pressures.float()
    assert solve_by_qr(X, y)[0].item() == pytest.approx(0.9709, abs=0.01)
    with pytest.raises(ValueError, match=r"condition number 4e\+03 in torch.float32"):
        solve_normal_equations(X, y)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_floats_of_16_bits_are_refused(dtype):
    X, y = (values.to(dtype) for values in table())
    for attempt in (
        lambda: mean_squared_error(X, y, X[0]),
        lambda: explained_share(y, y),
        lambda: solve_by_qr(X, y),
        lambda: descend(X, y, 0.1, 1),
        lambda: leverages(X),
    ):
        with pytest.raises(TypeError, match="must be float32 or float64, got torch"):
            attempt()


@pytest.mark.parametrize("solve", SOLVERS)
def test_not_a_number_is_refused(solve):
    X, y = drawn(seed=0)
    y[3] = float("nan")
    with pytest.raises(ValueError, match="must be finite"):
        solve(X, y)


@pytest.mark.parametrize(("step_size", "steps"), [(0.0, 5), (-1.0, 5), (0.1, -1)])
def test_a_descent_that_cannot_be_is_refused(step_size, steps):
    with pytest.raises(ValueError, match=f"got {steps if steps < 0 else step_size}"):
        descend(*drawn(seed=0), step_size, steps)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_outside_zero_to_one_is_refused(confidence):
    X, y = drawn(seed=0)
    with pytest.raises(ValueError, match=f"between 0 and 1, got {confidence}"):
        prediction_interval(X, y, X, confidence)


def test_constant_targets_have_no_scatter_to_explain():
    with pytest.raises(ValueError, match="got only 7"):
        explained_share(torch.full((4,), 7.0), torch.zeros(4))
    with pytest.raises(ValueError, match="must have one shape"):
        explained_share(torch.arange(4.0), torch.zeros(4, 1))


def test_a_line_through_two_points_has_no_prediction_interval():
    X, y = drawn(seed=0, n=2)
    with pytest.raises(ValueError, match="more than 2 points, got 2"):
        prediction_interval(X, y, X)
