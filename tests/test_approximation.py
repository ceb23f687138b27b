"""Universal approximation: by hand, against numpy, the error laws, the chain of bounds."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.approximation import (
    Waves,
    as_waves,
    cosine_coefficients,
    evaluate,
    grid,
    interpolation_bound,
    log_log_slope,
    network_of,
    relu_interpolation,
    wave_sum,
    waves_within,
)
from dlbook.mlp import forward, relu
from dlbook.runs.approximation import PIECES, bump, chirp, interpolation_error, kink

CPU = torch.device("cpu")
SEEDS = st.integers(0, 10_000)


def uniform(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def test_two_pieces_match_a_case_worked_by_hand():
    knots = torch.tensor([0.0, 1.0, 3.0])
    (weight, bias), (bends, height) = relu_interpolation(lambda x: x**2, knots)
    assert weight.tolist() == [[1.0], [1.0]]
    assert bias.tolist() == [0.0, -1.0]
    assert bends.tolist() == [[1.0, 3.0]]  # slopes 1, then 4
    assert height.item() == 0


@given(seed=SEEDS, pieces=st.integers(1, 30))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_between_any_knots_the_network_is_the_interpolation_of_numpy(seed, pieces):
    knots = uniform(seed, pieces + 1).cumsum(0)
    x = knots[0] + (knots[-1] - knots[0]) * uniform(seed + 1, 200)
    expected = torch.from_numpy(np.interp(x, knots, chirp(knots)))
    output = evaluate(x[:, None], relu_interpolation(chirp, knots))
    torch.testing.assert_close(output, expected, rtol=1e-9, atol=1e-9)


def test_outside_the_knots_the_network_is_flat_on_the_left_and_straight_on_the_right():
    network = relu_interpolation(lambda x: x**2, torch.tensor([1.0, 2.0, 3.0]))
    outside = torch.tensor([[-9.0], [0.0], [4.0], [5.0]])
    assert evaluate(outside, network).tolist() == [1, 1, 14, 19]


@given(frequency=st.floats(0.1, 20), pieces=st.integers(1, 100))
@settings(derandomize=True, max_examples=50, deadline=None)
def test_the_error_never_exceeds_the_bound(frequency, pieces):
    knots = torch.linspace(0, 1, pieces + 1, dtype=torch.float64)
    x = grid(1, 2001)
    network = relu_interpolation(lambda x: torch.sin(frequency * x), knots)
    error = (evaluate(x, network) - torch.sin(frequency * x[:, 0])).abs().max()
    assert error <= interpolation_bound(frequency**2, 1 / pieces) + 1e-12


@pytest.mark.parametrize(
    ("function", "slope", "tolerance"),
    [(chirp, -2, 0.01), (kink, -1, 0.01), (torch.sqrt, -0.5, 0.01)],
    ids=["smooth", "kinked", "vertical"],
)
def test_the_error_falls_with_the_slope_of_its_law(function, slope, tolerance):
    sizes = PIECES[5:]
    errors = [interpolation_error(function, pieces, CPU) for pieces in sizes]
    measured = log_log_slope(torch.tensor(sizes), torch.tensor(errors))
    assert measured == pytest.approx(slope, abs=tolerance)


def test_a_law_is_recovered_from_its_own_numbers():
    sizes = torch.tensor([1.0, 2.0, 5.0, 40.0], dtype=torch.float64)
    assert log_log_slope(sizes, 7 * sizes**-1.5) == pytest.approx(-1.5)


@pytest.mark.parametrize("sizes", [[2.0**60, 2.0**60 + 512], [1e10, 1e10 + 2e-6]])
def test_sizes_whose_logarithms_are_equal_have_no_law(sizes):
    sizes = torch.tensor(sizes, dtype=torch.float64)
    assert sizes[0] != sizes[1]
    with pytest.raises(ValueError, match="a law needs 2 sizes"):
        log_log_slope(sizes, torch.tensor([1.0, 2.0]))


def test_a_piece_that_is_too_steep_for_its_dtype_is_refused():
    tall = torch.tensor([-1.7e308, 1.7e308], dtype=torch.float64)
    with pytest.raises(ValueError, match="changes of slope must be finite"):
        relu_interpolation(lambda x: tall, torch.tensor([-1.0, 1.0], dtype=torch.float64))
    with pytest.raises(ValueError, match="changes of slope must be finite"):
        relu_interpolation(
            lambda x: torch.arange(2, dtype=x.dtype),
            torch.tensor([0, 1e-320], dtype=torch.float64),
        )


def test_a_wave_too_short_for_the_samples_is_taken_for_a_longer_one():
    def short(x):
        return torch.cos(62 * math.pi * x[:, 0])  # on 32 midpoints, as 2 half-waves are

    table = cosine_coefficients(short, 1, 2)
    torch.testing.assert_close(table, torch.tensor([0.0, 0.0, -1.0]).double())


@pytest.mark.parametrize("degree", [2.5, math.nan])
def test_a_degree_counts_half_waves(degree):
    with pytest.raises(TypeError, match="degree must be a whole number"):
        cosine_coefficients(lambda x: x[:, 0], 1, degree)


def test_waves_that_are_0_everywhere_are_refused():
    nothing = torch.zeros(1, 1, dtype=torch.float64)
    flat = Waves(nothing, nothing[0], torch.ones(1, dtype=torch.float64))
    with pytest.raises(ValueError, match="waves must not all be 0"):
        network_of(flat, 0.1)


def test_a_portion_is_sized_by_the_widest_layer(monkeypatch):
    portions = []

    def watched(x, layers, activation):
        portions.append(len(x))
        return forward(x, layers, activation)

    monkeypatch.setattr("dlbook.approximation.forward", watched)
    widths = [1, 2, 1_000_000, 1]
    layers = [(torch.zeros(b, a), torch.zeros(b)) for a, b in pairwise(widths)]
    evaluate(torch.zeros(9, 1), layers)
    assert portions == [4, 4, 1]


@pytest.mark.parametrize("orders", [(3,), (1, 2), (2, 0, 1)])
def test_a_product_of_cosines_has_one_coefficient(orders):
    def product(x):
        return torch.cos(math.pi * x * torch.tensor(orders)).prod(dim=1)

    table = cosine_coefficients(product, len(orders), 4)
    expected = torch.zeros_like(table)
    expected[orders] = 1
    torch.testing.assert_close(table, expected, rtol=0, atol=1e-12)


@given(seed=SEEDS, dimensions=st.integers(1, 3), degree=st.integers(0, 3))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_waves_add_up_to_the_products_of_cosines(seed, dimensions, degree):
    table = uniform(seed, *[degree + 1] * dimensions) - 0.5
    x = uniform(seed + 1, 50, dimensions)
    expected = torch.zeros(50, dtype=torch.float64)
    for orders in np.ndindex(*table.shape):
        product = torch.cos(math.pi * x * torch.tensor(orders)).prod(dim=1)
        expected += table[orders] * product
    waves = as_waves(table)
    torch.testing.assert_close(wave_sum(x, waves), expected)
    assert len(waves.frequencies.unique(dim=0)) == len(waves.frequencies)


@given(seed=SEEDS, dimensions=st.integers(1, 3), tolerance=st.floats(0.01, 0.5))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_the_network_stays_within_its_tolerance_of_any_sum_of_waves(
    seed, dimensions, tolerance
):
    v = 20 * uniform(seed, 4, dimensions) - 10
    waves = Waves(v, 6 * uniform(seed + 1, 4), uniform(seed + 2, 4) - 0.5)
    x = torch.cat([uniform(seed + 3, 500, dimensions), grid(dimensions, 2)])
    gap = evaluate(x, network_of(waves, tolerance)) - wave_sum(x, waves)
    assert gap.abs().max() <= tolerance


@pytest.mark.parametrize(("dimensions", "xi"), [(1, 0.4), (1, 0.05), (2, 0.4), (2, 0.2)])
def test_the_whole_chain_keeps_the_error_below_xi(dimensions, xi):
    waves = waves_within(bump, dimensions, xi / 2)
    network = network_of(waves, xi / 2)
    x = uniform(0, 5000, dimensions)
    assert (evaluate(x, network) - bump(x)).abs().max() < xi


def test_the_network_has_one_hidden_layer_of_waves_times_pieces():
    v = torch.tensor([[2.0, 0.0], [0.0, -3.0]], dtype=torch.float64)
    waves = Waves(v, torch.zeros(2).double(), torch.ones(2).double())
    (weight, bias), (omega, _) = network_of(waves, tolerance=0.5)
    pieces = math.ceil(2 * 3 / math.sqrt(8 * 0.25))  # A = 3, epsilon = 0.5 / 2
    assert weight.shape == (2 * pieces, 2)
    assert bias.shape == (2 * pieces,)
    assert omega.shape == (1, 2 * pieces)


def test_portions_do_not_change_the_output():
    x, network = grid(1, 4001), relu_interpolation(torch.sin, grid(1, 3001).flatten())
    torch.testing.assert_close(evaluate(x, network), forward(x, network, relu).flatten())


def test_a_jump_is_refused_because_no_sum_of_waves_comes_near_it():
    for dimensions, degree in ((1, 40), (3, 12)):
        with pytest.raises(
            ValueError, match=f"reached by degree {degree}.*instead of 0.1"
        ):
            waves_within(lambda x: (x[:, 0] > 0.5).double(), dimensions, 0.1)


def test_a_constant_is_one_wave_of_degree_zero():
    waves = waves_within(lambda x: 0 * x[:, 0] + 3, 2, 0.1)
    assert waves.frequencies.tolist() == [[0, 0]]
    assert waves.amplitudes.tolist() == pytest.approx([3])


def test_waves_that_do_not_fit_together_are_refused():
    v, x = uniform(0, 3, 2), uniform(1, 3, 2)
    for phases, match in ((uniform(2, 3, 1), r"\(3, 1\)"), (uniform(2, 1), r"\(1,\)")):
        with pytest.raises(ValueError, match="phases must be .*got " + match):
            wave_sum(x, Waves(v, phases, uniform(3, 3)))


def test_a_curve_of_another_dtype_than_its_knots_is_refused():
    with pytest.raises(TypeError, match=r"must be torch.float64, got torch.float32"):
        relu_interpolation(lambda x: x.float(), uniform(0, 4).cumsum(0))


def test_errors_without_end_have_no_law():
    with pytest.raises(ValueError, match="errors must be finite"):
        log_log_slope(torch.tensor([1.0, 2.0]), torch.tensor([1.0, math.inf]))


@pytest.mark.parametrize(("dimensions", "xi"), [(1, 0.4), (1, 0.1), (2, 0.4), (2, 0.2)])
def test_where_the_waves_err_most_they_are_too_high_and_straight_pieces_damp_them(
    dimensions, xi
):
    waves, x = waves_within(bump, dimensions, xi / 2), grid(dimensions, 81)
    off = wave_sum(x, waves) - bump(x)
    worst = off.abs().argmax()
    built = evaluate(x, network_of(waves, xi / 2)) - bump(x)
    assert off[worst] > 0
    assert built[worst] < off[worst]


@pytest.mark.parametrize("pieces", [4, 32])
def test_graded_knots_give_a_root_almost_equal_errors(pieces):
    """Exercise 3: on piece k the gap is (2k + 1)² / (4 K² (2k² + 2k + 1))."""
    knots = torch.linspace(0, 1, pieces + 1, dtype=torch.float64) ** 4
    network = relu_interpolation(torch.sqrt, knots)
    for k in range(pieces):
        x = torch.linspace(knots[k], knots[k + 1], 2001, dtype=torch.float64)
        gap = (x.sqrt() - evaluate(x[:, None], network)).max()
        exact = (2 * k + 1) ** 2 / (4 * pieces**2 * (2 * k**2 + 2 * k + 1))
        assert gap.item() == pytest.approx(exact, rel=1e-3)


def test_a_function_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="must be finite, got NaN"):
        waves_within(lambda x: x[:, 0] * math.nan, 1, 0.1)
    with pytest.raises(ValueError, match=r"function\(knots\) must be finite"):
        relu_interpolation(lambda x: 1 / x, torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("knots", [[1.0], [1.0, 1.0], [2.0, 1.0]])
def test_knots_that_do_not_increase_are_refused(knots):
    with pytest.raises(ValueError, match="at least 2 and increase"):
        relu_interpolation(torch.sin, torch.tensor(knots))


def test_impossible_orders_are_refused():
    one = torch.ones(1, dtype=torch.float64)
    waves = Waves(one[:, None], 0 * one, one)
    with pytest.raises(ValueError, match="tolerance must be above 0, got 0"):
        network_of(waves, 0)
    with pytest.raises(ValueError, match="between 1 and 3, got 4"):
        waves_within(bump, 4, 0.1)
    with pytest.raises(ValueError, match="2 sizes and errors above 0"):
        log_log_slope(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]))
