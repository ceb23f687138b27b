"""The linear SVM: by hand, against liblinear and libsvm, at the edges, and as laws."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import SVC

from dlbook import svm
from dlbook.data import digits, mnist, separable
from dlbook.perceptron import update_bound, with_constant
from dlbook.runs import svm as runs
from dlbook.runs.record import claims_of

LAW = settings(derandomize=True, deadline=None, max_examples=25)


def descend(points, labels, penalty, tolerance):
    return svm.dual_coordinate_descent(points, labels, penalty, tolerance, seed=0)


BOTH = pytest.mark.parametrize("train", [svm.train, descend])


def clouds(n: int, dimension: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw two overlapping clouds, with a constant input."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2 * 2.0 - 1
    points = torch.randn(n, dimension, generator=generator, dtype=torch.float64)
    return with_constant(points + 0.7 * labels[:, None]), labels.double()


def test_the_hinge_matches_values_worked_by_hand():
    scores, labels = torch.tensor([2.0, 1.0, 0.25, -3.0]), torch.tensor([1, 1, -1, -1])
    assert svm.hinge_loss(scores, labels).tolist() == [0, 0, 1.25, 0]


def test_both_objectives_match_a_case_worked_by_hand():
    points, labels = torch.tensor([[1.0], [-2.0]]), torch.tensor([1.0, -1.0])
    # w = 0.5: losses 0.5 and 0; 0.1 * 0.25 + 0.25
    assert svm.primal_objective(
        torch.tensor([0.5]), points, labels, 0.1
    ) == pytest.approx(0.275)
    # alpha = (1, 0.5): w = (1 + 1) / (2 * 0.1 * 2) = 5; 0.75 - 0.1 * 25
    alpha = torch.tensor([1.0, 0.5])
    assert svm.combine(alpha, points, labels, 0.1).item() == pytest.approx(5)
    assert svm.dual_objective(alpha, points, labels, 0.1) == pytest.approx(-1.75)


def test_a_gap_counts_as_closed_exactly_up_to_the_tolerance():
    points, labels = torch.tensor([[1.0], [-2.0]]).double(), torch.tensor([1.0, -1.0])
    # w = 0.5: primal 0.275; alpha = (0.5, 0): w = 1.25, dual 0.25 - 0.15625 = 0.09375
    case = torch.tensor([0.5]).double(), torch.tensor([0.5, 0.0]).double(), points, labels
    relative = (0.275 - 0.09375) / 0.09375
    assert svm.gap_closed(*case, 0.1, relative + 1e-6)
    assert not svm.gap_closed(*case, 0.1, relative - 1e-6)


@BOTH
def test_the_optimum_of_two_points_is_the_one_worked_by_hand(train):
    # One coordinate, points at 1 and -1: minimize 0.1 w² + max(0, 1 - w); w = 1.
    points, labels = torch.tensor([[1.0], [-1.0]]).double(), torch.tensor([1.0, -1.0])
    w, alpha = train(points, labels, 0.1, 1e-6)
    assert w.item() == pytest.approx(1, abs=1e-5)
    assert svm.combine(alpha, points, labels, 0.1).item() == pytest.approx(1, abs=1e-3)


@BOTH
@pytest.mark.parametrize("penalty", [1.0, 0.1, 0.02])
def test_the_optimum_is_that_of_liblinear(train, penalty):
    points, labels = clouds(120, 4, seed=1)
    w, _ = train(points, labels, penalty, 1e-5)
    oracle = runs.liblinear(points, labels, penalty, rounds=10**6, tolerance=1e-8)
    ours, theirs = (svm.primal_objective(v, points, labels, penalty) for v in (w, oracle))
    assert ours == pytest.approx(theirs, rel=2e-5)


def test_a_large_constant_input_gives_the_free_bias_of_libsvm():
    points, labels = clouds(80, 2, seed=2)
    points, penalty = points[:, :2], 0.01
    w, _ = svm.train(with_constant(points, 100.0), labels, penalty, 1e-7)
    oracle = SVC(kernel="linear", C=1 / (2 * penalty * 80), tol=1e-7)
    oracle.fit(points.numpy(), labels.numpy())
    assert w[:2].tolist() == pytest.approx(oracle.coef_[0].tolist(), abs=2e-3)
    assert 100 * w[2].item() == pytest.approx(oracle.intercept_[0], abs=2e-3)


@BOTH
@pytest.mark.parametrize("tolerance", [0.5, 1e-2, 1e-4])
def test_the_gap_at_the_end_is_within_the_tolerance(train, tolerance):
    points, labels = clouds(200, 5, seed=3)
    w, alpha = train(points, labels, 0.01, tolerance)
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    floor = svm.dual_objective(alpha, points, labels, 0.01)
    assert svm.primal_objective(w, points, labels, 0.01) <= (1 + tolerance + 1e-9) * floor


@LAW
@given(st.integers(0, 10**6), st.floats(1e-4, 10), st.integers(1, 40))
def test_no_weights_reach_below_any_floor(seed, penalty, n):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(n, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(2, (n,), generator=generator).double() * 2 - 1
    w = torch.randn(3, generator=generator, dtype=torch.float64)
    alpha = torch.rand(n, generator=generator, dtype=torch.float64)
    floor = svm.dual_objective(alpha, points, labels, penalty)
    assert svm.primal_objective(w, points, labels, penalty) >= floor - 1e-9


@settings(LAW, max_examples=12)
@given(st.integers(0, 10**6), st.sampled_from([10.0, 1.0, 0.05]), st.integers(1, 40))
def test_any_sample_is_solved_to_the_same_optimum_twice(seed, penalty, n):
    points, labels = clouds(n, 3, seed)
    fast, _ = svm.train(points, labels, penalty, 1e-4)
    slow, _ = descend(points, labels, penalty, 1e-4)
    both = [svm.primal_objective(w, points, labels, penalty) for w in (fast, slow)]
    assert both[0] == pytest.approx(both[1], rel=3e-4)


def test_a_large_sample_is_begun_on_a_part_and_still_certified():
    points, labels = clouds(17_000, 3, seed=5)
    points, labels = points.float(), labels.float()
    w, alpha = svm.train(points, labels, 1e-3, 1e-3)
    assert svm.gap_closed(w, alpha, points, labels, 1e-3, 1.1e-3)


def test_a_sample_sorted_by_class_does_no_harm():
    points, labels = clouds(400, 3, seed=6)
    order = labels.argsort()
    w, _ = svm.train(points[order], labels[order], 1e-3, 1e-6)
    same, _ = svm.train(points, labels, 1e-3, 1e-6)
    assert torch.allclose(w, same, atol=1e-3)


def test_separable_points_get_the_widest_margin():
    # Two points at distance 4: the widest slab between them is 4 wide.
    points, labels = torch.tensor([[2.0, 1], [-2.0, 1]]).double(), torch.tensor([1.0, -1])
    w, alpha = svm.train(points, labels, 1e-4, 1e-7)
    assert (2 / w.norm()).item() == pytest.approx(4, rel=1e-3)
    assert (alpha > 0).all()


def test_examples_far_outside_the_margin_have_no_multiplier():
    points, labels, _ = separable.draw(300, 2, gap=0.5, seed=1)
    w, alpha = svm.train(points, labels, 1e-4, 1e-6)
    slack = 1 - labels * (points @ w)
    assert (alpha[slack < -1e-3] == 0).all()
    assert (slack < -1e-3).sum() > 200


def test_subgradient_descent_comes_close():
    points, labels = clouds(100, 3, seed=7)
    w = svm.subgradient_descent(points, labels, 0.1, steps=2000)
    best, _ = svm.train(points, labels, 0.1, 1e-6)
    reached, optimum = (svm.primal_objective(v, points, labels, 0.1) for v in (w, best))
    assert optimum <= reached <= 1.01 * optimum


def test_subgradient_steps_weigh_all_pulls_alike():
    points, labels = clouds(30, 2, seed=4)
    pulls = []
    for steps in range(1, 20):
        before = (
            svm.subgradient_descent(points, labels, 0.1, steps - 1)
            if steps > 1
            else torch.zeros(3, dtype=torch.float64)
        )
        inside = (labels * (points @ before) < 1).double()
        pulls.append(points.T @ (inside * labels) / len(points))
        after = svm.subgradient_descent(points, labels, 0.1, steps)
        torch.testing.assert_close(after, torch.stack(pulls).mean(0) / (2 * 0.1))


def test_the_newton_direction_solves_its_equations_to_a_tenth():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(30, 8, generator=generator, dtype=torch.float64)
    target = torch.randn(8, generator=generator, dtype=torch.float64)
    d = svm._newton_direction(rows, 0.3, target)
    residual = d + 0.3 * rows.T @ (rows @ d) - target
    assert residual.norm() <= 0.1 * target.norm()


def test_without_curving_examples_the_newton_direction_is_the_target():
    target = torch.tensor([1.0, -2.0])
    assert svm._newton_direction(torch.zeros(0, 2), 1.0, target).equal(target)


@BOTH
def test_the_examples_stay_as_they_were(train):
    points, labels = clouds(50, 3, seed=8)
    before = points.clone()
    train(points, labels, 0.01, 1e-3)
    assert points.equal(before)


@BOTH
def test_one_example_of_zeros_is_solved(train):
    w, _ = train(torch.zeros(1, 2), torch.ones(1), 0.1, 1e-3)
    assert w.tolist() == [0, 0]


@BOTH
@pytest.mark.parametrize(
    ("points", "labels", "penalty", "tolerance", "rule"),
    [
        (torch.zeros(0, 2), torch.zeros(0), 0.1, 0.1, "not be empty"),
        (torch.ones(2, 2), torch.tensor([0, 1]), 0.1, 0.1, "-1 or [+]1, got 0"),
        (torch.full((1, 2), float("nan")), torch.ones(1), 0.1, 0.1, "finite"),
        (torch.ones(1, 2), torch.ones(1), 0.0, 0.1, "penalty must be above 0, got 0.0"),
        (
            torch.ones(1, 2),
            torch.ones(1),
            0.1,
            -1.0,
            "tolerance in torch.float32 must be at least 9.5.*e-07, got -1",
        ),
    ],
)
def test_bad_input_is_refused(train, points, labels, penalty, tolerance, rule):
    with pytest.raises(ValueError, match=rule):
        train(points, labels, penalty, tolerance)


def test_descent_refuses_no_steps():
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        svm.subgradient_descent(torch.ones(1, 2), torch.ones(1), 0.1, steps=0)


@BOTH
def test_a_tolerance_beyond_the_digits_is_refused(train):
    points, labels = clouds(40, 3, seed=9)
    with pytest.raises(ValueError, match=r"float32 must be at least .*, got 1e-09"):
        train(points.float(), labels.float(), 0.01, 1e-9)


@BOTH
def test_a_gap_that_stays_open_is_told(train, monkeypatch):
    monkeypatch.setattr(svm, "ROUNDS", 2)
    points, labels = clouds(40, 3, seed=9)
    with pytest.raises(ValueError, match="met in 2 rounds, got 1e-12"):
        train(points, labels, 0.01, 1e-12)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_certificates_in_single_precision_hold_in_double(tolerance):
    for seed in range(4):
        points, labels = clouds(300, 5, seed)
        w, alpha = svm.train(points.float(), labels.float(), 1e-3, tolerance)
        floor = svm.dual_objective(alpha.double(), points, labels, 1e-3)
        reached = svm.primal_objective(w.double(), points, labels, 1e-3)
        assert reached - floor <= 1.05 * tolerance * floor + 2e-7


@BOTH
def test_half_precision_is_refused(train):
    with pytest.raises(TypeError, match=r"float32 or float64, got torch\.float16"):
        train(torch.ones(2, 1).half(), torch.tensor([1, -1]), 0.1, 0.1)


@BOTH
def test_inputs_too_large_for_their_penalty_are_named(train):
    with pytest.raises(ValueError, match=r"R² / 2λ must be a number of torch\.float32"):
        train(torch.full((2, 1), 1e18), torch.tensor([1, -1]), 1e-4, 0.1)


def test_multipliers_beyond_one_are_refused_since_they_give_no_floor():
    points, labels = torch.ones(2, 1), torch.tensor([1, -1])
    with pytest.raises(
        ValueError, match=r"multipliers must lie between 0 and 1, got 1\.5"
    ):
        svm.dual_objective(torch.tensor([1.5, 0.0]), points, labels, 0.1)


def test_the_widest_gap_is_the_one_worked_by_hand_and_the_smallest_bound():
    points = torch.tensor([[1.0, 2.0], [3.0, -1.0], [1.0, -1.0]]).double()
    labels = torch.tensor([1, -1, -1])
    w, alpha = svm.train(points, labels, penalty=1e-6, tolerance=1e-9)
    assert w.tolist() == pytest.approx([-1 / 3, 2 / 3], abs=1e-6)
    assert alpha[1] == 0
    gap = 2 / w.norm().item()
    assert gap == pytest.approx(6 / 5**0.5, abs=1e-5)
    # No direction of the plane leaves a wider gap, or a smaller bound on the updates.
    angle = torch.linspace(0, 2 * torch.pi, 10_001).double()[:-1]
    directions = torch.stack([angle.cos(), angle.sin()])
    margins = (labels[:, None] * (points @ directions)).amin(dim=0)
    assert gap - 1e-3 < 2 * margins.max().item() <= gap + 1e-6
    assert update_bound(points, labels, w) == 5
    assert update_bound(points, labels, torch.tensor([-2.0, 3.0])) == 8


def test_a_round_lifts_the_floor_with_every_turn():
    points, labels = clouds(30, 3, seed=10)
    w, alpha = torch.zeros(4).double(), torch.zeros(30).double()
    floors = []
    for n in [*range(30), *range(30)]:
        turn = torch.tensor([n])
        w, alpha = svm.coordinate_round(w, alpha, points, labels, 0.01, turn)
        floors.append(svm.dual_objective(alpha, points, labels, 0.01))
        nudged = alpha.clone()
        for other in (0.0, 1.0, float(alpha[n]) / 2 + 0.25):
            nudged[n] = other
            assert svm.dual_objective(nudged, points, labels, 0.01) <= floors[-1] + 1e-12
    assert all(b >= a - 1e-12 for a, b in pairwise(floors))
    assert torch.allclose(w, svm.combine(alpha, points, labels, 0.01))


def test_the_kernel_of_inner_products_gives_the_linear_machine():
    points, labels = clouds(80, 3, seed=11)
    alpha = svm.train_on_kernel(points @ points.T, labels, 0.01, 1e-8, seed=0)
    w, _ = svm.train(points, labels, 0.01, 1e-8)
    scores = svm.kernel_scores(points @ points.T, alpha, labels, 0.01)
    assert torch.allclose(scores, points @ w, atol=1e-3)


def test_a_kernel_machine_is_liblinear_on_features_that_have_this_kernel():
    points, labels = clouds(60, 2, seed=12)
    gram = svm.gaussian_kernel(points[:, :2], points[:, :2], width=1.0) + 1
    alpha = svm.train_on_kernel(gram, labels, 0.01, 1e-6, seed=0)
    values, directions = torch.linalg.eigh(gram)  # gram = features @ features.T
    features = directions * values.clamp(min=0).sqrt()
    w = runs.liblinear(features, labels, 0.01, rounds=10**6, tolerance=1e-9)
    scores = svm.kernel_scores(gram, alpha, labels, 0.01)
    assert torch.allclose(scores, features @ w, atol=5e-3)


def test_the_gaussian_kernel_is_one_at_home_and_a_table_of_inner_products():
    points, _ = clouds(40, 2, seed=13)
    gram = svm.gaussian_kernel(points, points, width=0.7)
    assert gram.diagonal().tolist() == pytest.approx([1.0] * 40)
    assert torch.linalg.eigvalsh(gram).min() > -1e-12
    distance = (points[3] - points[8]).norm()
    expected = (-(distance**2) / (2 * 0.7**2)).exp().item()
    assert gram[3, 8].item() == pytest.approx(expected)


@pytest.mark.parametrize(
    "gram",
    [
        torch.ones(3, 2),
        -torch.eye(2),
        torch.ones(2, 2).triu(),
        torch.tensor([[1.0, -5.0], [-5.0, 1.0]]),
        # each pair is possible, the three together are not
        torch.full((3, 3), -0.9).fill_diagonal_(1.0),
    ],
)
def test_what_is_no_table_of_inner_products_is_refused(gram):
    labels = torch.ones(len(gram))
    with pytest.raises(ValueError, match="gram must"):
        svm.train_on_kernel(gram, labels, 0.1, 0.1, seed=0)


def test_the_gaussian_kernel_knows_every_width():
    points = torch.tensor([[0.0], [1.0]])
    assert svm.gaussian_kernel(points, points, 1e-200).equal(torch.eye(2))
    assert svm.gaussian_kernel(points, points, 1e200).equal(torch.ones(2, 2))


def test_a_round_refuses_weights_that_the_multipliers_do_not_combine():
    points, labels = clouds(10, 2, seed=1)
    with pytest.raises(ValueError, match="w must be what the multipliers combine"):
        svm.coordinate_round(
            torch.ones(3).double(),
            torch.zeros(10).double(),
            points,
            labels,
            0.1,
            torch.arange(10),
        )


def test_the_widest_gap_of_all_lines_is_wider_than_that_through_the_origin():
    points = torch.tensor([[1.0, 2.0], [3.0, -1.0], [1.0, -1.0]]).double()
    labels = torch.tensor([1, -1, -1])
    for constant, width in ((1.0, 2.91), (100.0, 3.0)):
        w, _ = svm.train(with_constant(points, constant), labels, 1e-6, 1e-6)
        assert 2 / w[:2].norm().item() == pytest.approx(width, abs=1e-3)


def test_a_small_penalty_gives_the_hard_margin_exactly():
    points = torch.tensor([[1.0, 2.0], [3.0, -1.0], [1.0, -1.0]]).double()
    w, _ = svm.train(points, torch.tensor([1, -1, -1]), penalty=0.3, tolerance=1e-12)
    assert w.tolist() == pytest.approx([-1 / 3, 2 / 3], abs=1e-9)


def test_the_quick_numbers_are_those_of_liblinear():
    recorded = claims_of("svm")
    pair = (
        recorded["digits_objective"].value,
        recorded["digits_objective_liblinear"].value,
    )
    assert pair[0] == pytest.approx(pair[1], rel=1e-6)
    assert recorded["digits_examples"].value == digits.TRAINING


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_mnist_eights_are_told_apart_as_recorded():
    images, labels, *_ = mnist.load()
    points, y = runs.eights(images[:30_000], labels[:30_000])
    w, _ = svm.train(points[:20_000], y[:20_000], 1e-3, 0.01)
    error = 100 * (y[20_000:] * (points[20_000:] @ w) <= 0).double().mean().item()
    claim = claims_of("svm")["mnist_validation_errors"]
    assert error == pytest.approx(claim.value[1], abs=claim.tolerance)
