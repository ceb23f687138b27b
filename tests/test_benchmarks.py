"""The arithmetic of the benchmarks, and each of them once at a tiny size."""

import hashlib
import importlib
import math
from dataclasses import fields

import pytest
import torch
from benchmarks import cnn, figures, harness, knn, perceptron, record
from benchmarks.harness import Line, peak_growth, times_as_fast

from dlbook.data import mnist
from dlbook.runs import record as recording
from dlbook.runs.race import quotients, race
from dlbook.runs.record import Claim, sections_of

SMALL = [word for word in record.WORDS if word not in ("mnist", "cnn")]


def nothing_to_check(answers):
    pass


def test_every_round_takes_each_way_once_and_nobody_is_always_last():
    calls = []
    ways = {name: (lambda name=name: calls.append(name)) for name in "ab"}
    seconds = race(ways, rounds=3, check=nothing_to_check)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"  # first without the clock
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 3, "b": 3}


def test_seconds_are_those_of_the_clock():
    ticks = iter([0.0, 1.0, 10.0, 14.0, 20.0, 22.0, 30.0, 33.0])
    ways = {"a": lambda: None, "b": lambda: None}
    seconds = race(ways, 2, nothing_to_check, clock=lambda: next(ticks))
    assert seconds == {"a": [1.0, 3.0], "b": [4.0, 2.0]}


def test_no_time_is_taken_of_ways_that_disagree():
    def check(answers):
        if answers["a"] != answers["b"]:
            raise ValueError("they differ")

    def never():
        raise AssertionError("the clock ran")

    with pytest.raises(ValueError, match="they differ"):
        race({"a": lambda: 1, "b": lambda: 2}, 1, check, clock=never)
    with pytest.raises(ValueError, match="rounds must be 1 or more, got 0"):
        race({"a": lambda: 1}, 0, nothing_to_check)


def test_quotients_are_taken_round_by_round_before_the_median():
    seconds = {"ours": [1.0, 2.0, 1.0], "loop": [3.0, 10.0, 4.0]}
    assert quotients(seconds["loop"], seconds["ours"]) == [3.0, 5.0, 4.0]
    line = times_as_fast("fast", seconds, "loop", 4.0)
    assert (line.measured, line.met) == (4.0, True)
    slower = harness.times_as_long("fast", seconds, "loop", 0.2)
    assert (slower.measured, slower.met) == (0.25, False)
    assert line.claims()["fast_peer"].value == 4000.0  # the median, in milliseconds
    assert line.claims()["fast"].spread == {"rounds": 3, "least": 3.0, "largest": 5.0}


@pytest.mark.parametrize(
    ("value", "sense", "met"),
    [(4.0, "at least", True), (3.9, "at least", False), (4.1, "at most", False)],
)
def test_a_goal_is_met_or_missed(value, sense, met):
    line = Line("x", "peer", [value], 4.0, sense)
    assert line.met is met
    assert str(line).endswith("met" if met else "MISSED")


def test_what_has_no_goal_is_recorded_without_one():
    line = Line("size", "-", [1.0, 3.0], unit="kB")
    assert line.met
    assert line.claims() == {
        "size": Claim(2.0, "kB", {"rounds": 2, "least": 1.0, "largest": 3.0}, 1e9)
    }


def nothing():
    return ()


def forty_megabytes():
    return bytearray(b"x") * 40_000_000


def test_the_peak_counts_what_a_function_takes_and_not_what_the_parent_held():
    ballast = bytearray(b"x") * 900_000_000
    del ballast
    assert 39 <= peak_growth(nothing, forty_megabytes) <= 60


@pytest.mark.parametrize("word", SMALL)
def test_a_benchmark_runs_and_both_ways_agree(word):
    lines = importlib.import_module(f"benchmarks.{word}").tiny()
    assert lines
    for line in lines:
        assert all(math.isfinite(value) and value >= 0 for value in line.values)


def test_the_convolutional_network_steps_alike_in_three_processes():
    assert [line.name for line in cnn.tiny()] == ["cnn_float32", "cnn_bfloat16"]


def test_mnist_is_the_same_either_way(tmp_path, monkeypatch):
    raw, files = tmp_path / "MNIST" / "raw", {}
    raw.mkdir(parents=True)
    for name in mnist.FILES:
        images, n = "images" in name, 5
        shape = (n, 28, 28) if images else (n,)
        values = torch.arange(math.prod(shape)) % (256 if images else 10)
        content = bytes([0, 0, 8, len(shape)])
        content += b"".join(size.to_bytes(4, "big") for size in shape)
        content += bytes(values.tolist())
        (raw / name).write_bytes(content)
        files[name] = hashlib.sha256(content).hexdigest()
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(mnist, "FILES", files)
    (line,) = importlib.import_module("benchmarks.mnist").tiny()
    assert line.peer == "torchvision.datasets.MNIST"


def test_other_neighbors_are_refused_and_equally_near_ones_are_not():
    points, queries = torch.tensor([[1.0], [-1.0], [5.0]]), torch.zeros(1, 1)
    tied = {"ours": [[0]], "theirs": [[1]]}
    knn.require_equally_near(tied, queries, points)
    with pytest.raises(ValueError, match="theirs found other neighbors for 1 queries"):
        knn.require_equally_near(tied | {"theirs": [[2]]}, queries, points)


def test_other_updates_are_refused():
    w, steps = torch.ones(2), torch.tensor([0, 3])
    answers = {"ours": (w, steps), "the plain loop": (w, steps)}
    answers["scikit-learn Perceptron"] = w.numpy()
    perceptron.require_same_updates(answers)
    with pytest.raises(ValueError, match="updates of the loop"):
        perceptron.require_same_updates(answers | {"ours": (w, steps + 1)})
    with pytest.raises(ValueError, match="same weights"):
        perceptron.require_same_updates(
            answers | {"scikit-learn Perceptron": 2 * w.numpy()}
        )


def test_the_book_has_figures_to_time():
    assert len(figures.frames_in_book()) > 50


def test_the_record_holds_a_section_for_every_benchmark():
    sections = sections_of("benchmarks")
    assert sections.keys() == set(record.WORDS)
    for word, section in sections.items():
        assert section["command"].endswith(f"python -m benchmarks {word}")
        goals = [name for name in section["claims"] if name.endswith("_goal")]
        assert goals, f"{word} has no goal"
        assert {name.removesuffix("_goal") for name in goals} <= section["claims"].keys()


def test_a_section_has_the_form_of_a_record(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    for word in ("knn", "svm"):
        record.write_down(word, [Line("knn_x", "peer", [2.0], 1.0)], 0.1, 2)
    sections = sections_of("benchmarks")
    assert sections.keys() == {"knn", "svm"}
    assert sections["knn"]["command"] == "OMP_NUM_THREADS=2 python -m benchmarks knn"
    claim = sections["knn"]["claims"]["knn_x"]
    assert claim.keys() == {field.name for field in fields(Claim)}
    assert sections["knn"]["claims"]["knn_threads"]["value"] == 2
