"""Applications: by hand, against libraries and search, the laws, and the tables."""

import math
from collections import deque
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlbook.applications import (
    MAZE,
    MOVES,
    continue_text,
    count_followers,
    find,
    imagine,
    move,
    q_learning,
    similarity_map,
)
from dlbook.data import digit_strips, digits, growth


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_similarity_is_the_correlation_of_numpy():
    image = torch.rand(6, 7, generator=generator(0), dtype=torch.float64)
    template = torch.rand(3, 2, generator=generator(1), dtype=torch.float64)
    similarities = similarity_map(image, template)
    assert similarities.shape == (4, 6)
    for row in range(4):
        for column in range(6):
            window = image[row : row + 3, column : column + 2].flatten()
            expected = np.corrcoef(window, template.flatten())[0, 1]
            assert similarities[row, column].item() == pytest.approx(expected)


@given(row=st.integers(0, 12), column=st.integers(0, 12), scale=st.floats(0.1, 9))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_a_planted_pattern_is_found_whatever_its_contrast(row, column, scale):
    image = 0.1 * torch.rand(16, 19, generator=generator(2))
    template = torch.tensor([[1.0, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1]])
    image[row : row + 4, column : column + 4] = scale * template + 3
    assert find(image, template) == (row, column)
    assert similarity_map(image, template).max() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("bright", [1e4, 1e6, 1e8, -1e8])
def test_one_bright_pixel_spoils_no_window_that_does_not_hold_it(bright):
    image = torch.rand(20, 20, generator=generator(0))
    template = torch.rand(4, 4, generator=generator(1))
    expected = similarity_map(image, template)
    image[0, 0] = bright
    torch.testing.assert_close(similarity_map(image, template)[1:, 1:], expected[1:, 1:])


@given(seed=st.integers(0, 10_000))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_a_similarity_never_exceeds_one(seed):
    template = torch.rand(3, 3, generator=generator(seed))
    assert similarity_map(7 * template + 2, template).item() <= 1


@pytest.mark.parametrize("image", [torch.zeros(5, 5), torch.full((5, 5), 0.1)])
def test_nothing_is_found_where_nothing_varies(image):
    with pytest.raises(ValueError, match="an image must vary"):
        find(image, torch.eye(2))


def test_a_constant_window_resembles_nothing():
    assert (similarity_map(torch.ones(4, 4), torch.eye(2)) == 0).all()


def test_imagined_images_have_the_mean_and_the_covariances_of_the_examples():
    examples = torch.rand(30, 2, 3, generator=generator(3), dtype=torch.float64)
    drawn = imagine(examples, 40_000, generator(4)).flatten(1)
    torch.testing.assert_close(
        drawn.mean(dim=0), examples.flatten(1).mean(dim=0), rtol=0, atol=0.01
    )
    expected = torch.cov(examples.flatten(1).T)
    torch.testing.assert_close(torch.cov(drawn.T), expected, rtol=0, atol=0.005)


def test_pixels_that_never_vary_are_not_imagined_otherwise():
    images, labels, _, _ = digits.load()
    zeros = images[labels == 0]
    drawn = imagine(zeros, 5, generator(0))
    still = zeros.std(dim=0) == 0
    assert still.any()
    torch.testing.assert_close(drawn[:, still], zeros[:5, still], rtol=0, atol=1e-5)


def test_followers_are_counted_as_by_hand():
    followers = count_followers("a rose is a rose is a tulip")
    assert followers == {
        "a": {"rose": 2, "tulip": 1},
        "rose": {"is": 2},
        "is": {"a": 2},
    }


@given(seed=st.integers(0, 10_000), length=st.integers(1, 20))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_every_pair_of_a_continued_text_was_read(seed, length):
    text = "the cat saw the dog and the dog saw the cat run"
    pairs = set(pairwise(text.split()))
    words = continue_text(count_followers(text), "the", length, generator(seed)).split()
    assert len(words) <= length
    assert set(pairwise(words)) <= pairs


def test_followers_are_drawn_as_often_as_they_were_read():
    followers = count_followers("a b a b a b a c")
    drawn = [continue_text(followers, "a", 2, generator(seed)) for seed in range(400)]
    assert drawn.count("a b") / 400 == pytest.approx(0.75, abs=0.06)


def test_walls_and_edges_stop_a_move():
    assert move(["..", "#G"], 0, 0, 0) == (0, 0, 0.0)
    assert move(["..", "#G"], 0, 0, 2) == (0, 0, 0.0)
    assert move(["..", "#G"], 0, 0, 1) == (0, 1, 0.0)
    assert move(["..", "#G"], 0, 1, 2) == (1, 1, 1.0)


def shortest_path(maze: list[str]) -> int:
    """Search breadth first: the oracle of the learner."""
    seen, waiting = {(0, 0)}, deque([(0, 0, 0)])
    while waiting:
        row, column, moves = waiting.popleft()
        for action in range(4):
            *place, reward = move(maze, row, column, action)
            if reward:
                return moves + 1
            if tuple(place) not in seen:
                seen.add(tuple(place))
                waiting.append((*place, moves + 1))
    raise AssertionError("no way to the goal")


@pytest.mark.parametrize("maze", [["..G"], ["...", ".#.", "..G"], MAZE])
def test_the_learned_walk_is_the_shortest_one(maze):
    q, _ = q_learning(maze, 150, seed=0)
    row, column, moves, reward = 0, 0, 0, 0.0
    while not reward and moves < 100:
        row, column, reward = move(maze, row, column, int(q[row, column].argmax()))
        moves += 1
    assert moves == shortest_path(maze)


def test_the_news_of_the_goal_travels_one_cell_a_walk():
    before, last = zip(
        *(
            (q[4, 7, 2].item(), q[5, 7, 2].item())
            for q, _ in (q_learning(MAZE, walks, seed=0) for walks in (1, 2, 3))
        ),
        strict=True,
    )
    assert last == pytest.approx((0.5, 0.75, 0.875))
    assert before[:2] == pytest.approx((0, 0.5 * 0.9 * 0.5))


def test_the_value_before_the_goal_is_one_and_falls_by_gamma():
    q, _ = q_learning(["...G"], 300, seed=0, gamma=0.5)
    assert q[0, :3, 1].tolist() == pytest.approx([0.25, 0.5, 1.0], abs=1e-6)
    assert len(MOVES) == q.shape[2]


def test_equal_seeds_give_equal_walks():
    assert q_learning(MAZE, 3, seed=5)[1] == q_learning(MAZE, 3, seed=5)[1]


def test_a_strip_holds_each_digit_once():
    _, _, images, labels = digits.load()
    strip, order = digit_strips.draw(images, labels, seed=0)
    assert strip.shape == (8, 80)
    assert sorted(order) == list(range(10))


def test_three_of_five_printed_ratios_follow_from_the_table():
    agree = [
        round(1000 * row["tflops"] / row["dollars"], 1)
        == row["printed_gflops_per_dollar"]
        for row in growth.processors()[:5]
    ]
    assert agree == [True, True, False, False, True]


def test_peaks_are_the_product_of_cores_clock_and_operations():
    peaks = {row["name"]: row["peak_gflops"] for row in growth.processors()}
    assert peaks["i7-6700K"] == 512  # not the 200 that the slides print
    assert round(peaks["RX 480"]) == 5161
    assert round(peaks["GTX 1080"]) == 8873
    assert peaks["RTX 4090"] == pytest.approx(82_600, rel=1e-3)  # as its maker states
    assert peaks["GTX 750 Ti"] == 1300
    row = {row["name"]: row for row in growth.processors()}
    boosted = 16 * 5.7 * 32 / row["Ryzen 9 7950X"]["dollars"]  # as the chapter says
    ours = peaks["RTX 4090"] / row["RTX 4090"]["dollars"]
    assert round(ours / boosted, 1) == 12.4


def test_the_newest_chip_has_more_transistors_than_a_mouse_has_synapses():
    synapses = {row["name"]: row["synapses"] for row in growth.nervous_systems()}
    newest = growth.chips()[-1]
    assert (newest["name"], newest["year"]) == ("B200", 2024)
    assert synapses["mouse"] < newest["transistors"] < synapses["rat"]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_similarity_does_not_depend_on_the_unit(scale):
    image = torch.rand(6, 7, generator=generator(0))
    template = torch.rand(3, 2, generator=generator(1))
    torch.testing.assert_close(
        similarity_map(scale * image, template), similarity_map(image, template)
    )


def test_the_tables_are_complete():
    assert [len(t()) for t in (growth.image_sets, growth.chips)] == [11, 8]
    animals = growth.nervous_systems()
    assert [row["neurons"] for row in animals] == sorted(
        row["neurons"] for row in animals
    )
    assert sum(not math.isnan(row["synapses"]) for row in animals) == 6
    assert all(
        math.isnan(r["classes"]) == (r["name"] in ("LFW", "LAION-5B"))
        for r in growth.image_sets()
    )
    assert len(growth.checksum()) == 64


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"fit into \(2, 2\), got \(3, 2\)"):
        similarity_map(torch.zeros(2, 2), torch.rand(3, 2, generator=generator(0)))
    with pytest.raises(ValueError, match=r"with values near 1\.0"):
        find(torch.zeros(4, 4), torch.ones(2, 2))
    with pytest.raises(ValueError, match="M at least 2, got"):
        imagine(torch.zeros(1, 2, 2), 3, generator(0))
    with pytest.raises(KeyError, match="got 'z'"):
        continue_text(count_followers("a b"), "z", 3, generator(0))
