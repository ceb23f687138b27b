"""A drawing or a lab depends on what it reaches, and on nothing else."""

import pytest

from dlbook.press.source import dependencies


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package: a figure reaches one function of a concept and not the other."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "concept.py").write_text(
        "LEVEL = 1\n\ndef near():\n    return LEVEL\n\ndef far(): ...\n", encoding="utf-8"
    )
    (tmp_path / "figures" / "word.py").write_text(
        "from dlbook.concept import near\n\n"
        "def draw(theme):\n    return near()\n\ndef other(theme): ...\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(
        dependencies,
        "module_path",
        lambda m: tmp_path.joinpath(*m.split(".")).with_suffix(".py"),
    )
    dependencies.contents.cache_clear()
    yield tmp_path
    dependencies.contents.cache_clear()


def test_a_figure_depends_on_what_it_reaches_and_on_nothing_else(package):
    reached = dependencies.reached_by("figures.word", "draw")
    assert set(reached) == {"figures.word.draw", "concept.near", "concept.LEVEL"}


def test_a_changed_line_changes_what_reaches_it(package):
    before = dependencies.reached_by("figures.word", "draw")
    other = dependencies.reached_by("figures.word", "other")
    source = package / "concept.py"
    source.write_text(
        source.read_text(encoding="utf-8").replace("LEVEL = 1", "LEVEL = 22"),
        encoding="utf-8",
    )
    dependencies.contents.cache_clear()
    assert dependencies.reached_by("figures.word", "draw") != before
    assert dependencies.reached_by("figures.word", "other") == other


def test_a_figure_that_reaches_nothing_is_refused(package):
    with pytest.raises(LookupError, match="no definition 'gone'"):
        dependencies.reached_by("figures.word", "gone")


def test_the_key_of_a_lab_follows_its_text_its_imports_and_the_records_it_names(
    tmp_path, monkeypatch
):
    records = tmp_path / "results"
    records.mkdir()
    (records / "svm.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(dependencies, "RESULTS", records)
    keys = []
    for text in ("x = 1", "x = 2", "from dlbook.knn import vote", 'claims_of("svm")'):
        script = tmp_path / f"{len(keys)}.py"
        script.write_text(text, encoding="utf-8")
        keys.append(dependencies.digest_of_script(script))
    (records / "svm.json").write_text('{"changed": 1}', encoding="utf-8")
    keys.append(dependencies.digest_of_script(script))
    assert len(set(keys)) == len(keys)
