"""Model selection: laws of searches, the library as the judge, and a seal that holds."""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from torch import Generator

from dlbook.data import digits
from dlbook.evaluation import choose_inside, cross_validate
from dlbook.knn import k_nearest_neighbors
from dlbook.selection import (
    SealedTest,
    chance_of_a_good_draw,
    consecutive_folds,
    draws_needed,
    expected_of_best,
    fit_kernels,
    grid,
    halving,
    log_uniform,
    nearest_mean,
    on_border,
    rank_correlation,
)
from dlbook.svm import gaussian_kernel

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def rows(*shape, seed=1):
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


@LAW
@given(st.integers(2, 200), st.data())
def test_consecutive_folds_are_those_of_scikit_learn(n, data):
    parts = data.draw(st.integers(2, n))
    found = consecutive_folds(n, parts)
    judge = KFold(parts).split(torch.zeros(n, 1))
    assert [part.tolist() for part in found] == [held.tolist() for _, held in judge]


@LAW
@given(st.integers(0, 1000))
def test_the_nearest_mean_is_that_of_scikit_learn(seed):
    x, z, y = rows(30, 3, seed=seed), rows(20, 3, seed=seed + 1), torch.arange(30) % 4
    y = torch.tensor([0, 2, 5, 6])[y]  # classes may be missing
    judge = NearestCentroid().fit(x.numpy(), y.numpy()).predict(z.numpy())
    assert nearest_mean(z, x, y).tolist() == judge.tolist()


@LAW
@given(st.integers(0, 1000), st.floats(0.3, 5), st.integers(2, 25))
def test_a_fitted_kernel_machine_is_the_one_of_scikit_learn(seed, width, n):
    x, y = rows(n, 3, seed=seed), torch.arange(n) % 3
    gram = gaussian_kernel(x, x, width) + 1
    penalties = torch.tensor([1e-4, 1e-2, 1.0], dtype=DOUBLE)
    targets = 2 * torch.nn.functional.one_hot(y).double() - 1
    for penalty, weights in zip(penalties, fit_kernels(gram, y, penalties), strict=True):
        judge = KernelRidge(alpha=n * penalty.item(), kernel="precomputed")
        judge.fit(gram.numpy(), targets.numpy())
        assert torch.allclose(weights, torch.from_numpy(judge.dual_coef_), rtol=1e-6)


@LAW
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_grid_holds_every_combination_in_order(sizes):
    axes = [rows(size, seed=number) for number, size in enumerate(sizes)]
    expected = list(product(*(axis.tolist() for axis in axes)))
    assert grid(axes).tolist() == [list(point) for point in expected]


def test_a_grid_of_81_points_tries_3_values_of_each_of_4_settings():
    points = grid([rows(3, seed=number) for number in range(4)])
    assert len(points) == 81
    assert [len(column.unique()) for column in points.T] == [3] * 4


def test_logarithms_of_the_draws_are_spread_evenly():
    drawn = log_uniform(1e-4, 1e2, 30_000, seeded())
    assert drawn.dtype == DOUBLE
    assert drawn.min() >= 1e-4
    assert drawn.max() <= 1e2
    counts = drawn.log10().histc(bins=6, min=-4, max=2)
    assert (counts / 5000 - 1).abs().max() < 0.05  # 3 deviations are 0.04
    assert log_uniform(1e-4, 1e2, 5, seeded()).equal(drawn[:5])


def test_even_draws_leave_small_steps_out():
    even = 1e-4 + (1 - 1e-4) * torch.rand(10_000, generator=seeded(), dtype=DOUBLE)
    assert (even < 0.01).double().mean() < 0.02
    evenly = (log_uniform(1e-4, 1, 10_000, seeded()) < 0.01).double().mean()
    assert abs(evenly - 0.5) < 0.02


@pytest.mark.parametrize("dimensions", [1, 5])
def test_the_chance_is_that_of_a_simulation_in_any_dimension(dimensions):
    share, draws, games = 0.05, 20, 20_000
    points = torch.rand(games, draws, dimensions, generator=seeded(), dtype=DOUBLE)
    good = (points < share ** (1 / dimensions)).all(dim=2)  # a corner of that volume
    found = good.any(dim=1).double().mean().item()
    assert found == pytest.approx(chance_of_a_good_draw(share, draws), abs=0.012)


def test_sixty_draws_find_one_of_the_best_twentieth():
    assert chance_of_a_good_draw(0.05, 60) == pytest.approx(0.954, abs=5e-4)
    assert draws_needed(0.05, 0.95) == 59
    assert draws_needed(0.1, 0.9) == 22
    assert draws_needed(0.9, 0.5) == 1
    assert chance_of_a_good_draw(0, 7) == 0
    assert chance_of_a_good_draw(1, 1) == 1


@LAW
@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_the_draws_needed_are_the_fewest(share, chance):
    n = draws_needed(share, chance)
    assert chance_of_a_good_draw(share, n) >= chance
    assert n == 1 or chance_of_a_good_draw(share, n - 1) < chance


@LAW
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(1, 4))
def test_the_expected_best_is_the_mean_over_all_sequences_of_trials(levels, draws):
    criterion = torch.tensor(levels, dtype=DOUBLE)
    values = rows(len(levels), seed=3)
    kept = []
    for trials in product(range(len(levels)), repeat=draws):
        least = min(levels[trial] for trial in trials)
        equals = [i for i, level in enumerate(levels) if level == least]
        kept.append(values[equals].mean().item())
    found = expected_of_best(criterion, values, draws)
    assert found == pytest.approx(sum(kept) / len(kept), rel=1e-9, abs=1e-12)


@LAW
@given(st.integers(1, 40), st.integers(0, 100))
def test_more_trials_never_cost_what_is_minimized(n, seed):
    errors = rows(n, seed=seed).abs()
    means = [expected_of_best(errors, errors, draws) for draws in (1, 2, 5, 30, 10_000)]
    assert means == sorted(means, reverse=True)
    assert means[0] == pytest.approx(errors.mean().item())
    assert means[-1] == pytest.approx(errors.min().item(), rel=1e-6)


def test_the_least_of_equal_candidates_lies_below_their_error():
    noise = rows(20_000, 16).min(dim=1).values.mean().item()
    assert -math.sqrt(2 * math.log(16)) < noise < -1.7


def test_a_border_is_noticed_on_each_axis():
    errors = torch.ones(4, 5, 1)
    for place, axes in (((1, 2, 0), []), ((0, 2, 0), [0]), ((1, 4, 0), [1])):
        found = errors.clone()
        found[place] = 0
        assert on_border(found) == axes
    assert on_border(torch.tensor(1.0)) == []


@LAW
@given(st.integers(1, 4), st.integers(1, 4), st.integers(2, 5), st.integers(0, 50))
def test_what_halving_spends_is_counted(rounds, first, keep, more):
    asked, candidates = [], keep ** (rounds - 1) + more
    winner, spent = halving(
        candidates, rounds, first, keep, lambda c, b: asked.append((c, b)) or abs(c - 7)
    )
    assert spent == sum(budget for _, budget in asked)
    assert winner == min(7, candidates - 1)
    assert max(budget for _, budget in asked) == first * keep ** (rounds - 1)


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
def test_a_round_of_halving_costs_as_much_as_the_first(rounds):
    assert halving(27, rounds, 2, 3, lambda c, b: c)[1] == 2 * 27 * rounds


def test_halving_with_all_but_one_dropped_is_a_glance_and_a_look():
    asked = []
    winner, spent = halving(6, 2, 1, 6, lambda c, b: asked.append(b) or -c)
    assert (winner, spent, asked) == (5, 12, [1] * 6 + [6])


@LAW
@given(st.permutations(range(9)), st.floats(0.1, 3))
def test_the_best_survives_where_curves_do_not_cross(order, rate):
    errors = torch.tensor(order, dtype=DOUBLE)
    winner, _ = halving(9, 3, 1, 3, lambda c, b: errors[c].item() + math.exp(-rate * b))
    assert winner == order.index(0)


def test_the_best_is_lost_where_it_learns_slowly():
    ends = [0.0, 0.1, 0.2]

    def error_of(candidate, budget):
        return ends[candidate] + (1.0 / budget if candidate == 0 else 0)

    assert halving(3, 2, 1, 3, error_of)[0] == 1
    assert halving(3, 2, 100, 3, error_of)[0] == 0


def test_of_equals_the_first_stays():
    assert halving(9, 3, 1, 3, lambda c, b: 0.5) == (0, 27)


@LAW
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20))
def test_ranks_correlate_as_in_scipy(pairs):
    first, second = torch.tensor(pairs, dtype=DOUBLE).T
    if len(first.unique()) < 2 or len(second.unique()) < 2:
        with pytest.raises(ValueError, match="different values must be at least 2"):
            rank_correlation(first, second)
    else:
        judge = spearmanr(first, second).statistic
        assert rank_correlation(first, second) == pytest.approx(judge, abs=1e-12)
        assert rank_correlation(first, first.exp()) == pytest.approx(1, abs=1e-12)
        assert rank_correlation(first, -first) == pytest.approx(-1, abs=1e-12)


def test_nested_folds_judge_as_scikit_learn_does():
    images, labels, _, _ = digits.load()
    x, y, counts = images.flatten(1)[:150].double(), labels[:150], [1, 3, 9]

    def losses_of(k, training, held_out):
        return (
            k_nearest_neighbors(x[held_out], x[training], y[training], k) != y[held_out]
        )

    procedure = choose_inside(
        counts, losses_of, lambda rows: consecutive_folds(len(rows), 4)
    )
    ours = 1 - cross_validate(consecutive_folds(150, 5), procedure).mean().item()
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": counts}, cv=KFold(4))
    judge = cross_val_score(search, x.numpy(), y.numpy(), cv=KFold(5)).mean()
    assert ours == pytest.approx(judge, abs=1e-9)


def test_a_seal_breaks_once():
    x, y = rows(6, 2), torch.arange(6) % 3
    test = SealedTest(x, y)
    assert test.opened_for == ()
    found = test.open({"right": lambda inputs: y, "zero": lambda inputs: 0 * y})
    assert not found["right"].any()
    assert found["zero"].equal(y != 0)
    assert test.opened_for == ("right", "zero")
    with pytest.raises(RuntimeError, match="was opened for right, zero"):
        test.open({"again": lambda inputs: y})


def test_a_predictor_that_fails_breaks_the_seal():
    test = SealedTest(rows(6, 2), torch.arange(6) % 3)
    with pytest.raises(ValueError, match=r"answers of short must be \(6,\)"):
        test.open({"short": lambda inputs: torch.zeros(5, dtype=torch.int64)})
    with pytest.raises(RuntimeError, match="opened for short"):
        test.open({"other": lambda inputs: torch.zeros(6, dtype=torch.int64)})


def test_what_cannot_be_sealed_or_asked():
    x, y = rows(6, 2), torch.arange(6) % 3
    with pytest.raises(ValueError, match=r"labels must be \(6,\)"):
        SealedTest(x, y[:5])
    with pytest.raises(ValueError, match="finite"):
        SealedTest(x / 0, y)
    with pytest.raises(TypeError, match="floats"):
        SealedTest(x.long(), y)
    test = SealedTest(x, y)
    with pytest.raises(ValueError, match="number of predictors must be at least 1"):
        test.open({})
    with pytest.raises(TypeError, match="int64"):
        test.open({"scores": lambda inputs: inputs[:, 0]})


def test_a_crossed_pair_of_bounds_is_refused_by_name():
    with pytest.raises(ValueError, match=r"high must be above low, got 0\.1 and 10"):
        log_uniform(10, 0.1, 3, seeded())
