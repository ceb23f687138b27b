"""Quick runs are computed again and compared with what is recorded; records are complete."""

import importlib
import json
import math
import pkgutil
import re
import subprocess
import sys

import pytest
import torch

import dlbook.runs
from dlbook import checkout
from dlbook.checkout import RESULTS, files
from dlbook.runs import __main__ as command
from dlbook.runs import record as recording
from dlbook.runs.__main__ import runs_of, words
from dlbook.runs.record import (
    Claim,
    Findings,
    claims_of,
    differences,
    over_seeds,
    record,
    sections_of,
)

WORDS = [
    info.name
    for info in pkgutil.iter_modules(dlbook.runs.__path__)
    if info.name not in ("record", "race", "__main__")
]


@pytest.mark.parametrize("word", WORDS)
def test_a_quick_run_confirms_its_record(word):
    run = importlib.import_module(f"dlbook.runs.{word}").quick
    problems = differences(claims_of(word), run(torch.device("cpu")).claims)
    assert not problems, f"docs/results/{word}.json: {'; '.join(problems)}"


@pytest.mark.parametrize("word", WORDS)
def test_a_quick_run_confirms_its_record_on_another_machine(word, interpreter):
    shown = interpreter.printed(
        "import torch\n"
        f"from dlbook.runs.{word} import quick\n"
        "from dlbook.runs.record import claims_of, differences\n"
        "computed = quick(torch.device('cpu')).claims\n"
        f"print(*differences(claims_of({word!r}), computed), sep='; ', end='')"
    )
    assert not shown, f"docs/results/{word}.json: {shown}"


@pytest.mark.parametrize("path", files(RESULTS, "*.json"), ids=lambda path: path.stem)
def test_a_record_says_where_when_and_on_what(path):
    sections = json.loads(path.read_text(encoding="utf-8"))
    seen = []
    for name, section in sections.items():
        assert section.keys() == {
            *(
                "command",
                "commit",
                "date",
                "device",
                "seconds",
                "versions",
                "data",
                "claims",
            )
        }, f"{path}: {name}"
        assert all(
            section[key] for key in ("command", "commit", "date", "device", "versions")
        )
        seen += section["claims"]
        for claim, entry in section["claims"].items():
            values = (
                entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
            )
            assert all(math.isfinite(value) for value in values), f"{path}: {claim}"
            assert entry["tolerance"] >= 0, f"{path}: {claim}"
    assert len(seen) == len(set(seen)), f"{path}: a claim stands in two runs"


# Made elsewhere: tests/test_audit.py, test_benchmarks.py. The last is of another machine.
NO_RUNS = ("audit", "benchmarks", "benchmarks_intel")


@pytest.mark.parametrize(
    "path",
    sorted(p for p in files(RESULTS, "*.json") if p.stem not in NO_RUNS),
    ids=lambda path: path.stem,
)
def test_every_recorded_run_still_exists(path):
    known = runs_of(path.stem)
    for name in json.loads(path.read_text(encoding="utf-8")):
        assert name.removesuffix("_cuda") in known, f"{path}: no run {name}"


def test_a_recomputation_outside_the_tolerance_is_reported():
    old = {"error": Claim(3.09), "curve": Claim([1.0, 2.0])}
    assert not differences(old, {"error": Claim(3.09), "curve": Claim([1.0, 2.0])})
    assert (
        "recorded as 3.09" in differences(old, {"error": Claim(3.1, tolerance=1e-3)})[0]
    )
    assert differences(old, {"curve": Claim([1.0])})
    assert differences(old, {"curve": Claim(1.0)})
    assert differences(old, {"error": Claim(math.nan, tolerance=1.0)})
    assert differences(old, {"new": Claim(1.0)}) == ["new is not recorded"]


def test_a_spread_needs_two_values():
    claim = over_seeds([1.0, 4.0, 2.0], "%")
    assert (claim.value, claim.spread["least"], claim.spread["largest"]) == (
        2.0,
        1.0,
        4.0,
    )
    with pytest.raises(ValueError, match="at least 2 values, got 1"):
        over_seeds([1.0])


def test_recording_one_run_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)

    def quick(device):
        return Findings({"two": Claim(2.0, "%")}, {"digits": "abc"})

    def longer(device):
        return Findings({"three": Claim(3.0)})

    record("word", quick, torch.device("cpu"))
    path = record("word", longer, torch.device("cpu"))
    sections = json.loads(path.read_text(encoding="utf-8"))
    assert sections.keys() == {"quick", "longer"}
    assert sections["quick"]["claims"]["two"]["value"] == 2.0
    assert sections["quick"]["command"] == "python -m dlbook.runs word quick --device cpu"
    assert not list(tmp_path.glob(".*")), "a partial file was left behind"


@pytest.fixture
def nothing_computed(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("something was computed")

    monkeypatch.setattr(command, "record", refuse)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nosuch", "there are runs for .*applications, .*, got 'nosuch'"),
        ("record", "there are runs for .*, got 'record'"),
        ("provenance quick", "there are runs for .*, got 'provenance'"),
        ("../knn", r"there are runs for .*, got '\.\./knn'"),
        ("KNN", "there are runs for .*, got 'KNN'"),
        ("knn nosuch", "knn has the runs quick, mnist, mnist_origin, got 'nosuch'"),
        ("knn quick nosuch", "knn has the runs quick, mnist, mnist_origin, got 'nosuch'"),
        ("knn --device gpu", "the device must be one of cpu.*, got 'gpu'"),
        ("knn --device mps", "the device must be one of cpu.*, got 'mps'"),
        ("knn --device cuda:99", "the device must be one of cpu.*, got 'cuda:99'"),
        ("knn --device cpu:7", "the device must be one of cpu.*, got 'cpu:7'"),
    ],
)
def test_what_does_not_exist_is_refused_before_anything_runs(
    line, sentence, nothing_computed, capsys
):
    with pytest.raises(SystemExit, match="2"):
        command.main(line.split())
    assert re.search(sentence, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<<<<<<< HEAD\n{}\n=======\n", "word.json:1: no JSON"),
        (b'{"quick": {"claims": {"a": {"value": NaN}}}}', "finite numbers, got nan"),
        (b'{"quick": {"claims": {"a": {"value": 1e999}}}}', "finite numbers, got inf"),
        (b'{"quick": {"claims": {"a": {"value": true}}}}', "finite numbers, got True"),
        (b'{"quick": {"claims": {"a": {"value": [1, "2"]}}}}', "numbers, got '2'"),
        (b'{"quick": {"claims": {"a": {"number": 1}}}}', "word.json is no record"),
        (b'{"quick": {}}', "word.json is no record"),
        (b"[]", "word.json is no record"),
        (b'{"a": "\xe9"}', "word.json is not written in UTF-8"),
    ],
)
def test_a_record_that_is_none_is_named(content, reason, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    (tmp_path / "word.json").write_bytes(content)
    for read in (recording.sections_of, recording.claims_of):
        with pytest.raises(ValueError, match=reason):
            read("word")


def test_a_record_that_is_none_is_told_before_anything_runs(
    nothing_computed, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)
    (tmp_path / "knn.json").write_text("<<<<<<< HEAD\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        command.main(["knn"])
    assert "knn.json:1: no JSON" in capsys.readouterr().err


def test_what_no_page_can_quote_is_not_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "RESULTS", tmp_path)

    def quick(device):
        return Findings({"lost": Claim([1.0, float("nan")])})

    with pytest.raises(ValueError, match="claim 'lost' must be finite numbers, got nan"):
        record("word", quick, torch.device("cpu"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["missing", "read-only"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(
    damage, nothing_computed, tmp_path, monkeypatch, capsys
):
    def read_only(**options):
        raise OSError(30, "Read-only file system")

    if damage == "missing":
        monkeypatch.setattr(checkout, "SETTINGS", tmp_path / "mkdocs.yml")
    else:
        monkeypatch.setattr(recording, "TemporaryFile", read_only)
    with pytest.raises(SystemExit, match="2"):
        command.main(["knn"])
    sentence = "this needs a checkout" if damage == "missing" else "Read-only file system"
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_every_module_of_runs_is_found():
    assert words() == sorted(WORDS)


def test_reading_and_writing_records_loads_no_torch():
    """The press reads records at each start, and torch takes seconds to load."""
    program = (
        "import sys, dlbook.runs.record as r; r.claims_of('knn'); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True
    )
    assert b"torch" not in done.stdout.split()


# Long runs and timings whose commit is not in the history: some were made before their code
# was committed, others at commits that were joined into one. They wait for a quiet machine;
# whoever records one anew takes its name away. Nothing may be added.
BEFORE_THE_COMMIT = {
    "acceleration": {"mnist_bfloat16", "steps"},
    "benchmarks": {
        *("backprop", "cnn", "evaluation", "features", "knn", "mnist", "perceptron"),
        *("start", "svm"),
    },
    "benchmarks_intel": {
        *("backprop", "cnn", "evaluation", "features", "knn", "perceptron", "start"),
        "svm",
    },
    "cnn": {"mnist"},
    "live": {"mnist"},
    "neuron": {"patience"},
}


@pytest.mark.parametrize(
    "path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem
)
def test_a_record_names_a_commit_of_the_history_and_no_changed_code(path):
    """Whoever doubts a number can go back to the code that made it."""
    history = checkout.history()
    if not history:
        pytest.skip("Git does not know the whole history here")
    commits = {name: part["commit"] for name, part in sections_of(path.stem).items()}
    lost = {name for name, commit in commits.items() if commit not in history}
    known = BEFORE_THE_COMMIT.get(path.stem, set())
    assert lost <= known, (
        f"{path}: {lost - known} made by code that was changed, or that the history does "
        "not hold: commit, and record again"
    )
    assert lost == known, f"{path}: {known - lost} recorded anew: take the names away"
