"""Nearest neighbors: by hand, against scikit-learn, at the edges, simple against fast."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from dlbook import knn
from dlbook.data import mnist
from dlbook.data.toy import noisy_wave, two_moons
from dlbook.knn import (
    chance_of_a_perfect_score,
    cover_hart_bound,
    errors_of_every_k,
    k_nearest_neighbors,
    middle,
    nearest_in_blocks,
    nearest_points,
    simulate_perfect_scores,
    smallest,
    squared_distances,
    vote,
)
from dlbook.runs.knn import quick
from dlbook.runs.record import claims_of, differences

FINDERS = pytest.mark.parametrize("find", [nearest_points, nearest_in_blocks])


def whole_numbers(*shape: int, low: int, high: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, shape, generator=generator).float()


def test_distances_match_a_case_worked_by_hand():
    queries = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    points = torch.tensor([[3.0, 4.0], [0.0, 1.0], [3.0, 0.0]])
    assert squared_distances(queries, points).tolist() == [[25, 1, 9], [0, 18, 16]]


def test_distances_agree_with_the_library():
    queries, _ = noisy_wave(30, noise=0, seed=0)
    points, _ = noisy_wave(40, noise=0, seed=1)
    expected = torch.cdist(queries, points).square()
    torch.testing.assert_close(squared_distances(queries, points), expected)


def test_the_distance_of_a_point_to_itself_is_zero_anywhere():
    points = 1e4 + torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    assert squared_distances(points, points).diagonal().tolist() == [0] * 50


@FINDERS
def test_the_nearest_points_match_a_case_worked_by_hand(find):
    points = torch.tensor([[0.0], [5.0], [2.0], [9.0]])
    queries = torch.tensor([[2.4], [8.0]])
    assert find(queries, points, 3).tolist() == [[2, 0, 1], [3, 1, 2]]


@FINDERS
def test_of_equally_near_points_the_first_ones_count(find):
    points = torch.ones(500, 1)
    assert find(torch.zeros(1, 1), points, 4).tolist() == [[0, 1, 2, 3]]


@FINDERS
def test_no_queries_are_refused(find):
    with pytest.raises(ValueError, match="queries must not be empty"):
        find(torch.zeros(0, 2), torch.zeros(3, 2), 2)


@FINDERS
@pytest.mark.parametrize("k", [0, -1, 4])
def test_k_outside_the_training_set_is_refused(find, k):
    points = torch.zeros(3, 2)
    with pytest.raises(ValueError, match=f"between 1 and 3, got {k}"):
        find(points, points, k)


@FINDERS
def test_an_empty_training_set_is_refused(find):
    with pytest.raises(ValueError, match="points must not be empty"):
        find(torch.zeros(1, 2), torch.zeros(0, 2), 1)


@FINDERS
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(find, bad):
    good, wrong = torch.zeros(2, 2), torch.tensor([[0.0, bad]])
    with pytest.raises(ValueError, match="points must be finite"):
        find(good, wrong, 1)
    with pytest.raises(ValueError, match="queries must be finite"):
        find(wrong, good, 1)


def test_squares_that_overflow_are_refused():
    good = torch.eye(2, dtype=torch.float64)
    for find, far in ((nearest_points, 1e200 * good), (nearest_in_blocks, 1e200 * good)):
        with pytest.raises(ValueError, match="squared distances must be finite"):
            find(good, far, 1)
        with pytest.raises(ValueError, match="squared distances must be finite"):
            find(far, far, 1)
    for ends in ([[3e38, 0], [-3e38, 0]], [[3e38, 0], [3.2e38, 0]]):
        with pytest.raises(ValueError, match="squared distances must be finite"):
            nearest_in_blocks(torch.eye(2), torch.tensor(ends), 1)


@FINDERS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_floats_find_what_wide_ones_find(find, dtype):
    points = (80 * torch.randn(400, 20, generator=torch.Generator().manual_seed(0))).to(
        dtype
    )
    found = find(points, points, 5)
    assert torch.equal(found[:, 0], torch.arange(400))  # each is nearest to itself
    assert torch.equal(found, nearest_points(points.double(), points.double(), 5))


@FINDERS
@pytest.mark.parametrize("origin", [100.0, 2000.0, 30_000.0])
def test_far_from_the_origin_the_same_points_are_found(find, origin):
    points, _ = noisy_wave(1000, noise=0.1, seed=0)
    points = (points * 256).round().float() / 256  # exact, also when moved
    moved = points + origin
    expected = nearest_points(points.double(), points.double(), 3)
    assert torch.equal(find(moved, moved, 3), expected)


def test_an_origin_in_the_middle_keeps_whole_numbers_whole():
    points = torch.tensor([[3.0, 1000.0], [10.0, 1001.0], [4.0, 1003.0]])
    assert middle(points).tolist() == [4, 1001]
    assert middle(points[:2]).tolist() == [3, 1000]  # of two, the lower
    assert middle(torch.arange(3000.0)[:, None]).tolist() == [1496]  # of 0, 4, 8, ...


@FINDERS
def test_an_outlier_does_not_blur_the_others(find):
    points, _ = noisy_wave(1000, noise=0.1, seed=0)
    points = torch.cat([1000 + points, torch.tensor([[1e6, 1e6]]).double()]).float()
    queries = points[:200] + 1 / 256
    expected = nearest_points(queries.double(), points.double(), 3)
    assert torch.equal(find(queries, points, 3), expected)


def test_whole_numbers_are_exact_up_to_the_limit_that_is_stated():
    points = whole_numbers(300, 784, low=-143, high=144, seed=0)
    points[::2] = 143 * points[::2].sign()  # nearly as long as float32 can count
    queries = -points[::3] + whole_numbers(100, 784, low=-1, high=2, seed=1)
    points = torch.cat(
        [points, queries + whole_numbers(100, 784, low=-1, high=2, seed=2)]
    )
    for rows in (points, queries):
        assert (rows - middle(points)).square().double().sum(dim=1).max() < 2**24
    fast = nearest_in_blocks(queries, points, 2)
    exact = nearest_points(queries, points, 2)
    near = squared_distances(queries, points).gather(1, exact) < 2**24
    assert near[:, 0].all()
    assert torch.equal(fast[near], exact[near])


def test_far_apart_whole_numbers_keep_their_order():
    points = torch.full((40, 100), 250.0)
    points[0, 0], points[39, 1] = 251, 762
    query = torch.full((1, 100), -350.0)
    query[0, 0] = 250
    found = nearest_in_blocks(query, points, 1)
    assert torch.equal(found, nearest_points(query, points, 1))


@FINDERS
def test_bytes_are_refused_since_they_wrap_around(find):
    pixels = torch.zeros(2, 4, dtype=torch.uint8)
    with pytest.raises(TypeError, match=r"floats, got torch\.uint8"):
        find(pixels, pixels, 1)


@FINDERS
@pytest.mark.parametrize("shape", [(3,), (3, 5), (3, 2, 2)])
def test_tables_that_do_not_fit_are_refused(find, shape):
    with pytest.raises(ValueError, match=r"(points|queries) must be \(n, (d|5)\), got"):
        find(torch.zeros(2, 4), torch.zeros(shape), 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    m=st.integers(1, 9),
    n=st.integers(1, 40),
    d=st.integers(1, 3),
    share=st.floats(0, 1),
    span=st.integers(1, 4),  # few values, so that ties abound
    seed=st.integers(0, 1000),
)
def test_simple_and_fast_find_the_same_points_in_the_same_order(
    m, n, d, share, span, seed
):
    queries = whole_numbers(m, d, low=-span, high=span, seed=seed)
    points = whole_numbers(n, d, low=-span, high=span, seed=seed + 1)
    k = 1 + int(share * (n - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(knn, "POINT_BLOCK", 7)  # several blocks, and a rest
        patch.setattr(knn, "QUERY_BLOCK", 4)
        fast = nearest_in_blocks(queries, points, k)
    assert torch.equal(fast, nearest_points(queries, points, k))


def test_pixels_have_exact_distances_in_float32():
    queries = whole_numbers(20, 784, low=0, high=256, seed=0)
    queries[0], queries[1] = 0, 255  # the longest vectors there are
    points = torch.cat([whole_numbers(5000, 784, low=0, high=256, seed=1), queries])
    assert (points - middle(points)).square().sum(dim=1).max() < 2**24
    exact = nearest_points(queries, points, 30)  # in float64
    assert torch.equal(nearest_in_blocks(queries, points, 30), exact)


def test_pixels_have_exact_products_in_bfloat16_too():
    x = whole_numbers(200, 784, low=0, high=256, seed=2)
    exact = nearest_points(x.double(), x.double(), 9)
    matmul = torch.backends.mkldnn.matmul
    before, matmul.fp32_precision = matmul.fp32_precision, "bf16"
    try:
        found = nearest_in_blocks(x, x, 9)
    finally:
        matmul.fp32_precision = before
    assert torch.equal(found, exact)


def test_raw_pixels_may_have_inexact_distances_in_float32():
    white = torch.full((1, 784), 255.0)
    assert white.square().sum().item() > 2**24


def test_more_points_than_a_block_give_the_distances_of_the_simple_version():
    queries, _ = noisy_wave(50, noise=0, seed=2)
    points, _ = noisy_wave(10_000, noise=0, seed=3)
    distances = squared_distances(queries, points)
    for k in (1, 5, 200):
        fast = distances.gather(1, nearest_in_blocks(queries, points, k))
        simple = distances.gather(1, nearest_points(queries, points, k))
        torch.testing.assert_close(fast, simple)


def test_the_smallest_values_are_the_first_of_equal_ones():
    values = torch.tensor([[3.0, 1, 2, 1, 1], [0, 0, 0, 0, 0], [5, 4, 3, 2, 1]])
    found, columns = smallest(values, 2)
    assert columns.tolist() == [[1, 3], [0, 1], [3, 4]]
    assert found.tolist() == [[1, 1], [0, 0], [2, 1]]
    assert smallest(values, 9)[1].shape == (3, 5)


MEMORY = """
import resource, torch
from dlbook.knn import nearest_in_blocks
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # MB
points = torch.randn(20_000, 64, generator=torch.Generator().manual_seed(0))
nearest_in_blocks(points[:1], points, 1)  # loads what is loaded once
before = peak()
nearest_in_blocks(points[:6_000], points, 5)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss differs")
def test_extra_memory_stays_below_100_megabytes():  # all distances would take 480
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert float(done.stdout) < 100


@pytest.mark.parametrize("k", [1, 3, 15])  # odd k and two classes: no vote can tie
def test_labels_agree_with_scikit_learn(k):
    points, labels = two_moons(n=200, noise=0.3, seed=1)
    queries, _ = two_moons(n=80, noise=0.3, seed=2)
    oracle = KNeighborsClassifier(k, algorithm="brute").fit(points, labels)
    expected = torch.from_numpy(oracle.predict(queries))
    assert torch.equal(k_nearest_neighbors(queries, points, labels, k), expected)


def test_one_neighbor_recalls_the_training_labels():
    points, labels = two_moons(n=60, noise=0.5, seed=3)
    assert torch.equal(k_nearest_neighbors(points, points, labels, k=1), labels)


def test_all_neighbors_elect_the_majority_everywhere():
    points, labels = torch.tensor([[0.0], [1.0], [9.0]]), torch.tensor([1, 1, 0])
    queries = torch.tensor([[-5.0], [9.0]])
    assert k_nearest_neighbors(queries, points, labels, k=3).tolist() == [1, 1]


def test_a_tied_vote_goes_to_the_smaller_label():
    points, labels = torch.tensor([[-1.0], [1.0]]), torch.tensor([2, 1])
    assert k_nearest_neighbors(torch.zeros(1, 1), points, labels, k=2).item() == 1


@pytest.mark.parametrize("shape", [(3,), (2, 0), (0, 3)])
def test_rows_without_ballots_are_refused(shape):
    with pytest.raises(ValueError, match=r"must be|must not be empty"):
        vote(torch.zeros(shape, dtype=torch.int64))


def test_negative_labels_are_refused():
    with pytest.raises(ValueError, match="0 or more, got -1"):
        vote(torch.tensor([[0, -1]]))


@pytest.mark.parametrize("labels", [torch.zeros(2).long(), torch.zeros(3)])
def test_labels_that_do_not_fit_the_points_are_refused(labels):
    points = torch.zeros(3, 2)
    with pytest.raises((ValueError, TypeError), match=r"must be (\(3,\)|int64), got"):
        k_nearest_neighbors(points, points, labels, 1)


def test_errors_of_every_k_are_those_of_each_k():
    points, _ = noisy_wave(41, noise=0.2, seed=5)
    labels = whole_numbers(41, low=0, high=3, seed=5).long()  # three classes: votes tie
    queries, _ = noisy_wave(30, noise=0.2, seed=6)
    truth = whole_numbers(30, low=0, high=3, seed=6).long()
    errors = errors_of_every_k(queries, truth, points, labels)
    for k in range(1, 42):
        wrong = k_nearest_neighbors(queries, points, labels, k) != truth
        assert errors[k - 1].item() == pytest.approx(wrong.double().mean().item())


def test_errors_over_no_queries_are_refused():
    points, labels = noisy_wave(3, noise=0.2, seed=5)
    with pytest.raises(ValueError, match="must not be empty"):
        errors_of_every_k(points[:0], labels[:0], points, labels)


def test_the_bound_of_cover_and_hart_at_points_worked_by_hand():
    assert cover_hart_bound(0, 2) == 0
    assert cover_hart_bound(0.5, 2) == 0.5  # labels by a coin
    assert cover_hart_bound(0.25, 4) == pytest.approx(0.25 * (2 - 1 / 3))
    assert cover_hart_bound(0.9, 10) == pytest.approx(0.9)  # ten labels, blindly


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=6),
)
def test_two_draws_from_one_distribution_differ_no_more_often_than_the_bound(weights):
    p = torch.tensor(weights, dtype=torch.float64)
    p /= p.sum()
    limit = 1 - p.square().sum().item()  # the neighbor's label is a second draw
    bayes_error = min(1 - p.max().item(), 1 - 1 / len(p))
    assert limit <= cover_hart_bound(bayes_error, len(p)) + 1e-12
    assert limit >= bayes_error - 1e-12


@pytest.mark.parametrize(("bayes_error", "classes"), [(0.6, 2), (-0.1, 2), (0.1, 1)])
def test_errors_worse_than_guessing_have_no_bound(bayes_error, classes):
    with pytest.raises(ValueError, match="got"):
        cover_hart_bound(bayes_error, classes)


def test_the_wave_has_the_bayes_error_asked_for():
    points, labels = noisy_wave(100_000, noise=0.1, seed=0)
    wave = 0.5 + 0.25 * (2 * torch.pi * points[:, 0]).sin()
    error = ((points[:, 1] > wave).long() != labels).double().mean().item()
    assert error == pytest.approx(0.1, abs=0.004)  # four standard deviations


@pytest.mark.parametrize("noise", [-0.1, 0.6])
def test_the_wave_refuses_noise_beyond_a_coin(noise):
    with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
        noisy_wave(3, noise=noise, seed=0)


def test_one_question_and_two_guessers_are_worked_by_hand():
    assert chance_of_a_perfect_score(questions=1, candidates=2) == 0.75


def test_a_chance_too_small_for_one_minus_it_is_not_zero():
    assert chance_of_a_perfect_score(60, 1000) == pytest.approx(1000 / 2**60)


def test_guessing_is_simulated_as_computed():
    generator = torch.Generator().manual_seed(0)
    share = simulate_perfect_scores(5, 20, rounds=20_000, generator=generator)
    assert share == pytest.approx(chance_of_a_perfect_score(5, 20), abs=0.015)


@pytest.mark.parametrize(("questions", "candidates"), [(0, 5), (5, 0)])
def test_a_quiz_without_questions_or_candidates_is_refused(questions, candidates):
    with pytest.raises(ValueError, match=r"(at least|between) 1"):
        chance_of_a_perfect_score(questions, candidates)
    with pytest.raises(ValueError, match=r"(at least|between) 1"):
        simulate_perfect_scores(questions, candidates, 3, torch.Generator())


def test_the_recorded_numbers_are_computed_again():
    assert differences(claims_of("knn"), quick(torch.device("cpu")).claims) == []


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_the_recorded_neighbors_of_mnist_are_found_again():
    images, _, test_images, _ = mnist.load()
    points = images.flatten(1).float()
    queries = test_images[:40].flatten(1).float()
    nearest = nearest_in_blocks(queries, points, 5)[:, 0]
    exact = (points[nearest] - queries).square().sum(dim=1).double()
    recorded = torch.tensor(claims_of("knn")["mnist_first_distances"].value)
    assert torch.equal(exact.long(), recorded.long())
