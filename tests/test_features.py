"""Features: by hand, against scikit-learn and autograd, at the edges, table against pairs."""

import math
from itertools import combinations_with_replacement

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import PolynomialFeatures

from dlbook import perceptron
from dlbook.data import mnist
from dlbook.data.toy import noisy_rings, slanted_gaussians
from dlbook.features import (
    draw_pairs,
    fit_logistic,
    hog,
    kernel_perceptron,
    lift,
    linear_discriminant,
    monomials,
    orientation_histograms,
    pair_products,
    pair_scores,
    pair_step,
    pair_sums,
    polynomial_kernel,
    train_on_pairs,
    train_on_table,
    with_pixels,
)
from dlbook.runs.features import quick
from dlbook.runs.record import claims_of, differences

CORNERS = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
XOR = torch.tensor([-1.0, 1.0, 1.0, -1.0])


def normal(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_a_perceptron_learns_xor_only_in_the_lifted_space():
    flat, updates = perceptron.train(perceptron.with_constant(CORNERS), XOR, epochs=50)
    scores = perceptron.with_constant(CORNERS) @ flat
    assert (XOR * scores <= 0).any()
    assert len(updates) > 50
    raised = perceptron.with_constant(lift(CORNERS))
    w, _ = perceptron.train(raised, XOR, epochs=50)
    assert (XOR * (raised @ w) > 0).all()


def test_only_points_of_the_plane_are_lifted():
    with pytest.raises(ValueError, match=r"\(n, 2\), got \(4, 3\)"):
        lift(torch.zeros(4, 3))


@pytest.mark.parametrize(("d", "degree"), [(1, 5), (2, 3), (4, 2), (3, 0)])
def test_monomials_agree_with_scikit_learn(d, degree):
    x = normal(6, d, seed=0)
    expected = torch.from_numpy(PolynomialFeatures(degree).fit_transform(x))
    torch.testing.assert_close(monomials(x, degree), expected)
    assert monomials(x, degree).shape[1] == math.comb(d + degree, degree)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda big, pairs: lift(big), "products must be finite"),
        (pair_products, "products must be finite"),
        (lambda big, pairs: pair_scores(big, pairs, torch.ones(1)), "scores must be"),
        (lambda big, pairs: pair_step(big.sqrt(), pairs), "sums must be finite"),
    ],
)
def test_products_beyond_the_numbers_are_refused(make, rule):
    big, pairs = torch.full((3, 2), 1e30), torch.tensor([[0], [1]])
    with pytest.raises(ValueError, match=rule):
        make(big, pairs)


def test_weights_that_overflow_are_refused():
    x, y = torch.tensor([[1e10], [-1e10], [1e10]]), torch.tensor([1, -1, -1])
    with pytest.raises(ValueError, match="weights must be finite"):
        train_on_table(x, y, 1e38, 3, 1, 0)


def test_points_with_a_column_of_ones_have_no_optimum_without_a_penalty():
    x = torch.tensor([[1.0, 1.0], [2.0, 1.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="penalty must allow an optimum"):
        fit_logistic(x, torch.tensor([1, -1, -1]), 1e-25)


@pytest.mark.parametrize("pairs", [torch.empty(2, 0), torch.empty(0).long()])
def test_no_pairs_still_have_their_shape_and_dtype(pairs):
    with pytest.raises((TypeError, ValueError), match="pairs must be"):
        with_pixels(pairs, 2)


def test_a_negative_degree_is_refused():
    with pytest.raises(ValueError, match="degree must be at least 0, got -1"):
        monomials(torch.zeros(2, 2), -1)


def test_pairs_lie_among_the_coordinates_and_repeat_with_the_seed():
    first, second = (draw_pairs(5, 400, torch.Generator().manual_seed(1)) for _ in "12")
    assert torch.equal(first, second)
    assert first.unique().tolist() == [0, 1, 2, 3, 4]


def test_products_match_a_case_worked_by_hand():
    x, pairs = torch.tensor([[2.0, 3.0, 5.0]]), torch.tensor([[0, 2, 1], [1, 2, 0]])
    assert pair_products(x, pairs).tolist() == [[6, 25, 6]]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    n=st.integers(1, 6),
    d=st.integers(1, 5),
    k=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_scores_and_sums_are_those_of_the_table(n, d, k, seed):
    x, w, r = normal(n, d, seed=seed), normal(k, seed=seed + 1), normal(n, seed=seed + 2)
    pairs = draw_pairs(d, k, torch.Generator().manual_seed(seed))  # repeats abound
    table = pair_products(x, pairs)
    torch.testing.assert_close(pair_scores(x, pairs, w), table @ w)
    torch.testing.assert_close(pair_sums(x, pairs, r), r @ table)


def test_training_without_the_table_gives_the_weights_of_training_with_it():
    x, signs = normal(57, 6, seed=3), normal(57, seed=4).sign()
    pairs = draw_pairs(6, 100, torch.Generator().manual_seed(5))
    table = pair_products(x, pairs)
    choice = {"step": pair_step(x, pairs), "epochs": 4, "batch": 10, "seed": 6}
    simple = train_on_table(table, signs, **choice)
    fast = train_on_pairs(x, pairs, signs, **choice)
    torch.testing.assert_close(fast, simple)


def test_training_goes_down_the_gradient_that_autograd_finds():
    x, signs = normal(20, 3, seed=7), normal(20, seed=8).sign()
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.softplus(-signs * (x @ w)).mean().backward()
    moved, _ = train_on_table(x, signs, step=0.1, epochs=1, batch=20, seed=0)
    torch.testing.assert_close(moved, -0.1 * w.grad)


def test_long_training_reaches_the_optimum_that_newton_finds():
    points, signs = slanted_gaussians(60, seed=3)
    signs[:5] *= -1  # not separable: the optimum is finite
    w, b = train_on_table(points, signs, step=2.0, epochs=500, batch=60, seed=0)
    expected = fit_logistic(points, signs, penalty=1e-12)
    torch.testing.assert_close(torch.cat([w, b[None]]), expected, atol=1e-3, rtol=1e-3)


def test_the_step_is_four_over_the_mean_squared_length():
    x, pairs = torch.tensor([[1.0, 2.0], [0.0, 3.0]]), torch.tensor([[0, 1], [1, 1]])
    lengths = pair_products(x, pairs).square().sum(dim=1)
    assert pair_step(x, pairs) == pytest.approx(4 / (1 + lengths.mean().item()))


@pytest.mark.parametrize("bad", [{"step": 0.0}, {"epochs": 0}, {"batch": 0}])
def test_training_without_work_is_refused(bad):
    choice = {"step": 1.0, "epochs": 1, "batch": 1, "seed": 0} | bad
    with pytest.raises(ValueError, match=f"{next(iter(bad))} must be"):
        train_on_table(torch.ones(2, 1), torch.tensor([1.0, -1.0]), **choice)


def test_half_precision_is_refused_where_small_steps_would_vanish():
    with pytest.raises(TypeError, match=r"float32 or float64, got torch\.float16"):
        train_on_table(torch.ones(2, 1).half(), torch.tensor([1.0, -1.0]), 1.0, 1, 1, 0)


@pytest.mark.parametrize("fit", [fit_logistic, linear_discriminant])
@pytest.mark.parametrize(
    ("signs", "rule"),
    [
        (torch.zeros(0), "labels must be"),
        (torch.tensor([0.0, 1.0]), "labels must be -1 or [+]1, got 0"),
        (torch.ones(2, 1), "labels must be"),
        (torch.ones(2), "signs must be of both kinds, got 1.0 only"),
    ],
)
def test_signs_that_tell_nothing_apart_are_refused(fit, signs, rule):
    with pytest.raises(ValueError, match=rule):
        fit(torch.arange(2.0)[:, None], signs)


@pytest.mark.parametrize("penalty", [1e-3, 0.1])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_the_logistic_fit_agrees_with_scikit_learn_in_any_unit(penalty, unit):
    points, signs = slanted_gaussians(80, seed=1)
    penalty = penalty * unit**2  # the weights are in 1 / unit
    strength = 1 / (2 * penalty * 80)
    oracle = LogisticRegression(C=strength, tol=1e-12, max_iter=5000, solver="newton-cg")
    oracle.fit(points * unit, signs)
    expected = torch.tensor([*oracle.coef_[0], *oracle.intercept_])
    found = fit_logistic(points * unit, signs, penalty)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_the_logistic_fit_has_no_slope_left_by_autograd():
    points, signs = slanted_gaussians(60, seed=4)
    w = fit_logistic(points, signs, penalty=0.01).requires_grad_()
    scores = points @ w[:-1] + w[-1]
    loss = torch.nn.functional.softplus(-signs * scores).mean() + 0.01 * w[:-1] @ w[:-1]
    (slope,) = torch.autograd.grad(loss, w)
    assert slope.abs().max() < 1e-9


def test_the_logistic_fit_starts_far_away_and_still_arrives():
    points, signs = slanted_gaussians(60, seed=5)
    found = fit_logistic(points + 1000, signs)
    expected = fit_logistic(points, signs)
    torch.testing.assert_close(found[:2], expected[:2], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_linear_discriminant_agrees_with_scikit_learn(share):
    points, signs = slanted_gaussians(200, seed=2)
    kept = torch.cat([torch.arange(0, 200, 2), torch.arange(1, int(400 * share), 2)])
    points, signs = points[kept], signs[kept]
    oracle = LinearDiscriminantAnalysis(solver="lsqr").fit(points, signs)
    expected = torch.tensor([*oracle.coef_[0], *oracle.intercept_])
    torch.testing.assert_close(linear_discriminant(points, signs), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "describe",
    [
        lambda x: torch.cat([x, x[:, :1]], dim=1),
        lambda x: torch.cat([x, 3 * x[:, :1] - x[:, 1:]], dim=1),
        lambda x: torch.cat([x, torch.full_like(x[:, :1], 7.3)], dim=1),
    ],
)
def test_columns_that_depend_on_each_other_are_refused(describe, dtype):
    points, signs = slanted_gaussians(50, seed=3)
    with pytest.raises(ValueError, match="spread in 3 directions"):
        linear_discriminant(describe(points.to(dtype)), signs)


def test_columns_in_other_units_are_no_reason_to_refuse():
    points, signs = slanted_gaussians(50, seed=3)
    units = torch.tensor([1e-6, 1e6]).double()
    found, expected = (linear_discriminant(x, signs) for x in (points * units, points))
    torch.testing.assert_close(found[:2] * units, expected[:2])


def test_pixels_are_products_with_the_constant():
    x, pairs = normal(5, 4, seed=20), draw_pairs(4, 7, torch.Generator().manual_seed(0))
    table = pair_products(perceptron.with_constant(x), with_pixels(pairs, 4))
    expected = torch.cat([x, pair_products(x, pairs)], dim=1)
    torch.testing.assert_close(table, expected)


def test_the_logistic_fit_of_separable_classes_stays_finite():
    points, signs = (
        torch.tensor([[-1.0], [1.0]]).double(),
        torch.tensor([-1.0, 1.0]).double(),
    )
    w = fit_logistic(points, signs)
    assert w.isfinite().all()
    assert w[0] > 1


@pytest.mark.parametrize("penalty", [1e-4, 1e-8, 1e-12])
def test_the_logistic_fit_of_two_points_is_the_root_of_its_equation(penalty):
    points, signs = torch.tensor([[-1.0], [1.0]]).double(), torch.tensor([-1.0, 1.0])
    w, b = fit_logistic(points, signs, penalty).tolist()
    assert 1 / (1 + math.exp(w)) == pytest.approx(2 * penalty * w, rel=1e-6)
    assert b == pytest.approx(0, abs=1e-9)


def test_a_penalty_that_leaves_the_optimum_too_far_away_is_refused():
    points, signs = torch.tensor([[-1.0], [1.0]]).double(), torch.tensor([-1.0, 1.0])
    with pytest.raises(ValueError, match="penalty must allow an optimum in 100 steps"):
        fit_logistic(points, signs, 1e-300)


def test_a_vertical_edge_has_a_horizontal_gradient():
    image = torch.zeros(1, 4, 4)
    image[:, :, 2:] = 1
    histogram = orientation_histograms(image, cell=4)[0, :, 0, 0]
    # Direction 0 lies halfway between the last bin and the first: each gets half.
    assert histogram.nonzero().flatten().tolist() == [0, 8]
    assert histogram.sum().item() == pytest.approx(4)  # 4 rows, 2 pixels, 1/2 each


def test_a_diagonal_edge_votes_for_the_bin_in_the_middle_of_its_direction():
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    inner = orientation_histograms((rows + columns)[None], cell=1, bins=6)[0, :, 2, 3]
    # 45 degrees lies between the centers at 15, 45, 75: all of it in the second bin.
    assert inner.tolist() == pytest.approx([0, math.sqrt(2), 0, 0, 0, 0], abs=1e-5)


def test_histograms_keep_the_whole_length_of_the_gradients():
    images = normal(3, 8, 8, seed=9)
    sums = orientation_histograms(images, cell=2).sum(dim=(1, 2, 3))
    torch.testing.assert_close(
        orientation_histograms(images, cell=8).sum(dim=(1, 2, 3)), sums
    )


def test_orientations_do_not_see_brightness_or_the_sign_of_an_edge():
    images = normal(2, 8, 8, seed=10)
    expected = orientation_histograms(images, cell=4)
    torch.testing.assert_close(orientation_histograms(3 - images, cell=4), expected)


def test_contrast_hardly_changes_the_normalized_blocks():
    images = normal(2, 8, 8, seed=11)
    torch.testing.assert_close(hog(5 * images, 2), hog(images, 2), atol=1e-3, rtol=1e-2)
    assert hog(images, 2).shape == (2, 9 * 4 * 9)


def test_a_blank_image_has_no_edges():
    assert hog(torch.ones(1, 8, 8), 2).abs().max() == 0


@pytest.mark.parametrize("cell", [0, 9])
def test_cells_that_do_not_fit_are_refused(cell):
    with pytest.raises(ValueError, match="cell must lie between 1 and 8, got"):
        orientation_histograms(torch.zeros(1, 8, 8), cell)


def test_fewer_than_four_cells_are_refused():
    with pytest.raises(ValueError, match="at least 2 x 2 cells"):
        hog(torch.zeros(1, 8, 8), 8)


def test_the_kernel_is_the_product_of_weighted_monomials():
    x, z = normal(5, 2, seed=12), normal(4, 2, seed=13)
    weights = torch.tensor([1, 2, 2, 1, 2, 1]).double()  # (1 + u u' + v v')²
    expected = (monomials(x, 2) * weights) @ monomials(z, 2).T
    torch.testing.assert_close(polynomial_kernel(x, z, 2), expected)


def test_the_kernel_of_degree_three_counts_each_monomial_as_often_as_it_can_be_written():
    x, z = normal(5, 4, seed=14), normal(3, 4, seed=15)
    weights = monomials(torch.ones(1, 4, dtype=torch.float64), 3)[0].clone()
    choices = [
        factors
        for count in range(4)
        for factors in combinations_with_replacement(range(4), count)
    ]
    for column, factors in enumerate(choices):
        powers = [factors.count(d) for d in range(4)]
        ways = math.factorial(3) // math.factorial(3 - len(factors))
        for power in powers:
            ways //= math.factorial(power)
        weights[column] = ways
    expected = (monomials(x, 3) * weights) @ monomials(z, 3).T
    torch.testing.assert_close(polynomial_kernel(x, z, 3), expected)


def test_the_kernel_perceptron_is_the_perceptron_in_disguise():
    points, signs = slanted_gaussians(60, seed=2)
    x = perceptron.with_constant(points)
    w, steps = perceptron.train(x, signs, epochs=7)
    alpha = kernel_perceptron(polynomial_kernel(points, points, 1), signs, epochs=7)
    assert alpha.sum() == len(steps)
    torch.testing.assert_close(x.T @ (alpha * signs), w)


def test_the_kernel_perceptron_learns_xor():
    alpha = kernel_perceptron(polynomial_kernel(CORNERS, CORNERS, 2), XOR, epochs=50)
    scores = polynomial_kernel(CORNERS, CORNERS, 2) @ (alpha * XOR)
    assert (XOR * scores > 0).all()


def test_a_gram_matrix_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"gram must be \(n, 4\), got \(4, 3\)"):
        kernel_perceptron(torch.zeros(4, 3), XOR, epochs=1)


def test_the_rings_alternate_from_the_center():
    points, labels = noisy_rings(500, rings=4, noise=0, seed=0)
    radius = points.norm(dim=1)
    assert (labels[radius < 0.25] == 0).all()
    assert (labels[(radius > 0.25) & (radius < 0.5)] == 1).all()


@pytest.mark.parametrize(("rings", "noise"), [(0, 0.1), (3, 0.7)])
def test_rings_out_of_range_are_refused(rings, noise):
    with pytest.raises(ValueError, match="rings must be 1 or more"):
        noisy_rings(5, rings=rings, noise=noise, seed=0)


def test_the_recorded_numbers_are_computed_again():
    assert differences(claims_of("features"), quick(torch.device("cpu")).claims) == []


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_a_share_of_the_images_suffices_to_beat_the_rule_that_never_says_eight():
    images, labels, test_images, truth = mnist.load()
    x, z = (
        images[:6000].flatten(1).float() / 255,
        test_images[:2000].flatten(1).float() / 255,
    )
    signs, truth = (torch.where(t == 8, 1.0, -1.0) for t in (labels[:6000], truth[:2000]))
    pairs = draw_pairs(784, 3000, torch.Generator().manual_seed(0))
    w, b = train_on_pairs(
        x, pairs, signs, pair_step(x, pairs), epochs=3, batch=250, seed=0
    )
    error = 100 * ((pair_scores(z, pairs, w) + b) * truth <= 0).double().mean().item()
    recorded = claims_of("features")
    assert recorded["mnist_test_error_3000"].value < error
    assert error < 0.7 * recorded["mnist_error_never"].value
