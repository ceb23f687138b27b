"""The commands of the press look at every name before they do anything."""

import re

import pytest

from dlbook.press import __main__ as press


@pytest.fixture
def nothing_done(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("something was done")

    for name in ("preview_figure", "refresh", "check", "check_doors"):
        monkeypatch.setattr(press, name, refuse)


@pytest.mark.parametrize(
    "line",
    [
        "page nosuch",
        "page /etc/hostname",
        "page docs/labs/knn.py",
        "page docs/chapters/nosuch.md",
        "page docs/chapters/.#knn.md",
        "page ../knn",
        "page docs/chapters",
        "outputs nosuch",
        "outputs knn nosuch.md",
        "outputs CHANGELOG.md",
        "figure knn",
        "figure nosuch.x",
        "figure knn.map_on_the_curve k=five",
    ],
)
def test_what_does_not_exist_is_refused_in_one_sentence(line, nothing_done, capsys):
    with pytest.raises(SystemExit, match="2"):
        press.main(line.split())
    *_, sentence = capsys.readouterr().err.splitlines()
    assert re.search(r"got '[^']+'$", sentence)
    assert "knn" in sentence, "it says what exists"


def test_pages_are_known_by_word_and_by_path(monkeypatch):
    monkeypatch.chdir(press.ROOT)
    assert press.page_named("knn") == press.DOCS / "chapters" / "knn.md"
    for name in ("README.md", "docs/index.md", "docs/chapters/knn.md"):
        assert press.page_named(name).resolve() == press.ROOT / name


def test_a_page_that_is_not_text_is_told_with_its_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "a.md"
    path.write_bytes(b"# A\n\n\xff\n")
    assert press.tell(path, is_all=False) == 1
    assert press.write_outputs([path]) == 1
    shown = capsys.readouterr()
    assert f"{path}:3: this is not written in UTF-8" in shown.out
    assert f"{path}:3: this is not written in UTF-8" in shown.err
