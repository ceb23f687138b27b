"""Loss and risk: by hand, against scikit-learn and SciPy, by simulation, on bad input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm
from sklearn.metrics import log_loss as oracle_log_loss
from sklearn.metrics import mean_squared_error
from sklearn.metrics import zero_one_loss as oracle_zero_one
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from dlbook.data import heights
from dlbook.risk import (
    Gaussian,
    best_thresholds,
    confidence_interval,
    empirical_risk,
    exact_interval,
    expected_best,
    fit_gaussian,
    gaussian_threshold,
    log_density,
    log_loss,
    margin,
    mistakes,
    mistakes_at_least,
    quadratic_loss,
    zero_one_loss,
)
from dlbook.runs.record import claims_of
from dlbook.runs.risk import other_crossing

FLOATS = st.lists(st.integers(150, 210), min_size=1, max_size=12)


def test_the_losses_match_a_case_worked_by_hand():
    labels = torch.tensor([0, 1, 2])
    assert zero_one_loss(torch.tensor([0, 2, 2]), labels).tolist() == [0, 1, 0]
    assert quadratic_loss(torch.tensor([1.0]), torch.tensor([3.0])).tolist() == [4]
    assert log_loss(torch.tensor([1.0, math.exp(-2)])).tolist() == pytest.approx([0, 2])
    assert log_loss(torch.tensor([0.0])).item() == math.inf


def test_averaged_losses_agree_with_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (50,), generator=generator)
    guesses = torch.randint(3, (50,), generator=generator)
    chances = torch.rand(50, 3, generator=generator, dtype=torch.float64).softmax(dim=1)
    promised = chances.gather(1, labels[:, None]).squeeze(1)
    for ours, oracle in (
        (zero_one_loss(guesses, labels), oracle_zero_one(labels, guesses)),
        (
            quadratic_loss(guesses.double(), labels.double()),
            mean_squared_error(labels, guesses),
        ),
        (log_loss(promised), oracle_log_loss(labels, chances)),
    ):
        assert empirical_risk(ours).item() == pytest.approx(oracle)


@pytest.mark.parametrize("loss", [zero_one_loss, quadratic_loss])
def test_losses_refuse_to_broadcast(loss):
    with pytest.raises(ValueError, match=r"got \(3, 1\) and \(3,\)"):
        loss(torch.zeros(3, 1), torch.zeros(3))


@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_a_negative_density_is_refused(value):
    with pytest.raises(ValueError, match=r"0 or more|finite"):
        log_loss(torch.tensor([0.5, value]))


@pytest.mark.parametrize(
    "losses",
    [
        torch.zeros(0),
        torch.zeros(2, 2),
        torch.tensor([math.nan]),
        torch.tensor([-math.inf]),
    ],
)
def test_an_empirical_risk_needs_numbers(losses):
    with pytest.raises(ValueError, match="N ≥ 1"):
        empirical_risk(losses)


def test_the_interval_matches_the_textbook():
    losses = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64).repeat(5)
    half = norm.ppf(0.975) * math.sqrt(5 / 19 / 20)
    low, high = confidence_interval(losses)
    assert (low.item(), high.item()) == pytest.approx((0.5 - half, 0.5 + half))


@pytest.mark.parametrize("losses", [24 * [0.0], [1.0] + 23 * [0.0]])
def test_a_normal_interval_of_hardly_a_mistake_is_refused(losses):
    with pytest.raises(ValueError, match="exact_interval counts mistakes"):
        confidence_interval(torch.tensor(losses))


def test_of_24_samples_the_normal_interval_refuses_four_mistakes_at_either_end():
    losses = torch.ones(24, 24).tril(-1)  # row k holds k mistakes
    refused = []
    for wrong, row in enumerate([*losses, torch.ones(24)]):
        try:
            low, high = confidence_interval(row)
            assert 0 <= low < high <= 1
        except ValueError:
            refused.append(wrong)
    assert refused == [0, 1, 2, 3, 21, 22, 23, 24]


def test_an_interval_of_losses_without_a_bound_may_lie_anywhere():
    losses = torch.tensor([0.5, -3.0, 7.0, 1.5])
    low, high = confidence_interval(losses)
    assert low < 0 < 1 < high


@pytest.mark.parametrize(("wrong", "n"), [(2.0, 10), (2, 10.5), (math.nan, 10)])
def test_a_count_that_is_no_whole_number_is_refused(wrong, n):
    with pytest.raises(TypeError, match="whole number"):
        exact_interval(wrong, n)
    with pytest.raises(TypeError, match="whole number"):
        expected_best(10.5, 3, 0.5)
    with pytest.raises(TypeError, match="whole number"):
        margin(10, math.nan)


def test_heights_in_two_dtypes_are_refused():
    """In 32 bits 187.1 lies above 187.1 in 64: an equal height would be a mistake."""
    tall = torch.tensor([187.1], dtype=torch.float64)
    with pytest.raises(
        TypeError, match=r"one dtype, got torch\.float32 and torch\.float64"
    ):
        mistakes(torch.tensor([187.1]), tall - 7, tall)
    with pytest.raises(TypeError, match="low and high must have one dtype"):
        best_thresholds(tall.float(), tall)
    assert mistakes(tall, tall - 7, tall).tolist() == [0]


def test_the_best_of_a_thousand_coins_often_looks_as_good_as_a_discovery():
    at_least_35 = mistakes_at_least(100, 0.5)[35].item()
    assert 1 - at_least_35**1000 == pytest.approx(0.59, abs=0.005)


@pytest.mark.parametrize(("wrong", "n"), [(0, 24), (1, 24), (8, 24), (24, 24), (3, 1000)])
def test_the_exact_interval_is_that_of_scipy(wrong, n):
    oracle = binomtest(wrong, n).proportion_ci(0.95, method="exact")
    assert exact_interval(wrong, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@pytest.mark.parametrize(("n", "risk"), [(24, 0.02), (100, 0.01), (60, 0.3)])
def test_the_exact_interval_holds_the_risk_as_often_as_it_says(n, risk):
    at_least = [*mistakes_at_least(n, risk).tolist(), 0.0]
    held = sum(
        at_least[wrong] - at_least[wrong + 1]
        for wrong in range(n + 1)
        if exact_interval(wrong, n)[0] <= risk <= exact_interval(wrong, n)[1]
    )
    assert held >= 0.95


def test_a_density_above_1_earns_a_negative_loss():
    peak = log_density(torch.zeros(1), Gaussian(torch.tensor(0.0), torch.tensor(0.1)))
    assert log_loss(peak.exp()).item() == pytest.approx(-1.3836, abs=1e-4)


def test_a_bias_of_choice_never_exceeds_the_risk():
    biases = [0.5 - expected_best(100, 10**power, 0.5) for power in range(0, 300, 30)]
    assert biases == sorted(biases)
    assert biases[-1] == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("n", "level"), [(1, 0.95), (5, 0.0), (5, 1.0)])
def test_an_interval_needs_two_losses_and_a_level(n, level):
    with pytest.raises(ValueError, match="2 losses and a level"):
        confidence_interval(torch.zeros(n), level)


def test_hoeffdings_margin_holds_for_all_candidates_at_once():
    generator = torch.Generator().manual_seed(3)
    chance = torch.full((500, 20), 0.3)
    risks = torch.binomial(torch.full_like(chance, 50), chance, generator=generator) / 50
    held = ((risks - 0.3).abs() <= margin(50, 20, 0.9)).all(dim=1).double().mean()
    assert held >= 0.9


@pytest.mark.parametrize("arguments", [(0, 1, 0.9), (1, 0, 0.9), (1, 1, 1.0)])
def test_a_margin_refuses_what_is_out_of_range(arguments):
    with pytest.raises(ValueError, match=r"at least 1|must lie in"):
        margin(*arguments)


@pytest.mark.parametrize("risk", [0.0, 0.1, 0.5, 1.0])
def test_tail_probabilities_agree_with_scipy(risk):
    expected = torch.from_numpy(binom.sf(range(-1, 30), 30, risk))
    torch.testing.assert_close(mistakes_at_least(30, risk), expected)


@pytest.mark.parametrize(("n", "risk"), [(0, 0.5), (3, -0.1), (3, 1.1), (3, math.nan)])
def test_tail_probabilities_refuse_what_is_out_of_range(n, risk):
    with pytest.raises(ValueError, match=r"n must be at least 1|risk must lie"):
        mistakes_at_least(n, risk)


def test_one_candidate_is_unbiased():
    assert expected_best(100, 1, 0.3) == pytest.approx(0.3)


def test_the_expected_best_matches_cases_worked_by_hand():
    assert expected_best(1, 3, 0.5) == pytest.approx(1 / 8)  # all three must be wrong
    assert expected_best(2, 2, 0.5) == pytest.approx((9 / 16 + 1 / 16) / 2)


@pytest.mark.parametrize("risk", [0.0, 1.0])
def test_where_all_are_equal_for_sure_the_best_is_no_better(risk):
    assert expected_best(50, 10, risk) == pytest.approx(risk)


def test_the_best_of_nobody_is_refused():
    with pytest.raises(ValueError, match="candidates must be at least 1, got 0"):
        expected_best(5, 0, 0.5)


def test_the_best_of_two_coins_on_one_question_is_right_three_times_in_four():
    assert expected_best(1, 2, 0.5) == pytest.approx(0.25)


def test_the_best_of_many_agrees_with_a_simulation_and_obeys_the_bound():
    generator = torch.Generator().manual_seed(0)
    chance = torch.full((4000, 50), 0.4)
    wrong = torch.binomial(torch.full_like(chance, 60), chance, generator=generator)
    best = (wrong.min(dim=1).values / 60).double()
    error = best.std().item() / math.sqrt(4000)
    assert expected_best(60, 50, 0.4) == pytest.approx(best.mean().item(), abs=4 * error)
    assert expected_best(60, 50, 0.4) >= 0.4 - math.sqrt(math.log(50) / 120)


def test_a_gaussian_agrees_with_scipy():
    sample = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    fitted = fit_gaussian(sample)
    assert (fitted.mean.item(), fitted.deviation.item()) == pytest.approx(
        norm.fit(sample)
    )
    expected = torch.from_numpy(norm.logpdf(sample, *norm.fit(sample)))
    torch.testing.assert_close(log_density(sample, fitted), expected)


@pytest.mark.parametrize("sample", [[], [1.0], [2.0, 2.0], [1.0, math.nan]])
def test_a_gaussian_needs_a_spread(sample):
    with pytest.raises(ValueError, match=r"two different values|empty|finite"):
        fit_gaussian(torch.tensor(sample))


def test_equal_spreads_meet_in_the_middle():
    low, high = Gaussian(*torch.tensor([0.0, 2.0])), Gaussian(*torch.tensor([6.0, 2.0]))
    assert gaussian_threshold(low, high).item() == pytest.approx(3)


def test_the_generative_threshold_is_where_naive_bayes_changes_its_mind():
    females, males = heights.load()
    points = torch.cat([females, males])[:, None].numpy()
    oracle = GaussianNB(var_smoothing=0).fit(points, [0] * 12 + [1] * 12)
    threshold = gaussian_threshold(fit_gaussian(females), fit_gaussian(males)).item()
    assert threshold == pytest.approx(188.88, abs=0.005)
    assert oracle.predict([[threshold - 1e-6], [threshold + 1e-6]]).tolist() == [0, 1]


def test_classes_that_do_not_change_between_their_means_are_refused():
    wide, narrow = (
        Gaussian(*torch.tensor([0.0, 9.0])),
        Gaussian(*torch.tensor([1.0, 1.0])),
    )
    for pair in ((wide, narrow), (narrow, wide)):
        with pytest.raises(ValueError, match="between their means"):
            gaussian_threshold(*pair)


def test_the_heights_give_five_mistakes_and_not_where_it_was_printed():
    females, males = heights.load()
    assert best_thresholds(females, males) == (5, [(188.0, 190.0)])
    tried = torch.tensor([187.5, 188, 188.01, 189.23, 190, 190.01]).double()
    assert mistakes(tried, females, males).tolist() == [6, 6, 5, 5, 5, 7]


def test_the_best_threshold_agrees_with_a_decision_stump():
    females, males = heights.load()
    points = torch.cat([females, males])[:, None].numpy()
    labels = [0] * 12 + [1] * 12
    stump = DecisionTreeClassifier(max_depth=1).fit(points, labels)
    wrong = round(24 * (1 - stump.score(points, labels)))
    least, ((start, end),) = best_thresholds(females, males)
    assert start < stump.tree_.threshold[0] <= end
    assert wrong == least


@settings(max_examples=100, derandomize=True, deadline=None)
@given(FLOATS, FLOATS)
def test_no_threshold_beats_the_best(low, high):
    low, high = torch.tensor(low).double(), torch.tensor(high).double()
    least, intervals = best_thresholds(low, high)
    grid = torch.arange(149, 212, 0.5, dtype=torch.float64)
    counts = mistakes(grid, low, high)
    assert counts.min() == least
    inside = [any(a < t <= b for a, b in intervals) for t in grid.tolist()]
    assert torch.equal(counts == least, torch.tensor(inside))


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_a_threshold_needs_numbers(values):
    with pytest.raises(ValueError, match="low must"):
        best_thresholds(torch.tensor(values), torch.tensor(values))


def test_the_empirical_risk_of_a_fixed_predictor_is_unbiased():
    generator = torch.Generator().manual_seed(4)
    losses = (torch.rand(4000, 10, generator=generator) < 0.2).double()
    average = losses.mean(dim=1).mean().item()
    assert average == pytest.approx(0.2, abs=4 * math.sqrt(0.16 / 40_000))
    spread = losses.mean(dim=1).std().item()
    assert spread == pytest.approx(math.sqrt(0.16 / 10), rel=0.05)


def test_the_two_crossings_of_the_heights_are_where_the_densities_agree():
    low, high = (fit_gaussian(sample) for sample in heights.load())
    second = other_crossing(low, high, gaussian_threshold(low, high))
    torch.testing.assert_close(log_density(second, low), log_density(second, high))


def test_the_printed_threshold_errs_equally_often_in_both_classes():
    low, high = (fit_gaussian(sample) for sample in heights.load())
    point = torch.tensor(claims_of("risk")["equal_errors"].value, dtype=torch.float64)
    above = norm.sf(point, low.mean, low.deviation)
    assert above == pytest.approx(norm.cdf(point, high.mean, high.deviation))
    assert f"{point:.2f}" == "189.23"
