"""The commands of the press know every name before they begin, and tell every mistake."""

import re

import pytest

from dlbook.press import __main__ as press
from dlbook.press.page.page import Page


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
        "page {circle}",
        "outputs nosuch",
        "outputs knn nosuch.md",
        "outputs CHANGELOG.md",
        "figure knn",
        "figure nosuch.x",
        "figure knn.map_on_the_curve k=five",
    ],
)
def test_what_does_not_exist_is_refused_in_one_sentence(
    line, nothing_done, tmp_path, capsys
):
    circle = tmp_path / "circle.md"
    circle.symlink_to(circle)
    with pytest.raises(SystemExit, match="2"):
        press.main(line.replace("{circle}", str(circle)).split())
    *_, sentence = capsys.readouterr().err.splitlines()
    assert re.search(r"got '[^']+'", sentence)
    assert "knn" in sentence or "circle" in line, "it says what exists"


@pytest.mark.parametrize("folder", ["docs", "docs/chapters", "README.md", "", ".."])
def test_pages_are_not_emitted_over_their_own_sources(folder, monkeypatch, capsys):
    monkeypatch.setattr(press, "emit", lambda folder: pytest.fail("it was written"))
    with pytest.raises(SystemExit, match="2"):
        press.main(["emit", str(press.ROOT / folder)])
    assert "a folder outside" in capsys.readouterr().err


def test_pages_are_emitted_only_where_a_folder_can_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(press, "emit", lambda folder: pytest.fail("it was written"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder, reason in (
        (tmp_path / "file" / "below", "below"),
        (tmp_path, "empty folder"),
    ):
        with pytest.raises(SystemExit, match="2"):
            press.main(["emit", str(folder)])
        assert reason in capsys.readouterr().err


def test_nothing_is_emitted_from_a_book_with_a_mistake(tmp_path, monkeypatch, capsys):
    path = press.DOCS / "reference" / "speed.md"
    monkeypatch.setattr(press, "files", lambda folder, pattern: [path])
    wrong = Page("reference/speed.md", "# Speed\n\n[@nobody1900]\n")
    monkeypatch.setattr(press.Page, "at", lambda path: wrong)
    assert press.emit(tmp_path / "out") == 1
    assert "docs/reference/speed.md:3: citation 'nobody1900'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_record_that_is_none_is_told_before_anything_is_done(
    nothing_done, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "knn.json"
    path.write_text("<<<<<<< HEAD\n{}\n", encoding="utf-8")
    monkeypatch.setattr(press, "RESULTS", tmp_path)
    monkeypatch.setattr("dlbook.runs.record.RESULTS", tmp_path)
    with pytest.raises(SystemExit, match="2"):
        press.main(["page", "knn"])
    assert f"{path}:1: no JSON" in capsys.readouterr().err


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


WRONG = """# Wrong

[@nobody1900]

```python
print("new")
```

<!--pytest-codeblocks:expected-output-->

```text
old
```

```python
print("shows nothing")
```
"""


def test_each_mistake_of_a_page_is_told_once_in_the_order_of_its_lines():
    found = list(press.check(Page("reference/notation.md", WRONG)))
    assert [mistake.partition(": ")[0] for mistake in found] == [
        f"docs/reference/notation.md:{line}" for line in (3, 5, 15)
    ]
    assert found[1].endswith("this block prints 'new', the page shows 'old'")
    assert found[2].endswith(
        "a block that prints is followed by its output, and no other is"
    )


def test_an_open_fence_is_one_mistake():
    (mistake,) = press.check(Page("reference/notation.md", "# T\n\n```python\n1\n"))
    assert mistake == (
        "docs/reference/notation.md:3: the fence opened here is never closed"
    )


@pytest.mark.parametrize(("text", "status"), [("# T\n", 0), ("[@nobody1900]\n", 1)])
def test_the_exit_status_tells_whether_all_is_well(text, status, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert press.tell(page, is_all=False) == status
    assert ("no mistake found" in capsys.readouterr().out) == (not status)


def test_a_block_that_fails_stops_the_writing_and_is_named(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("# T\n\n```python\n1 / 0\n```\n", encoding="utf-8")
    assert press.write_outputs([page]) == 1
    assert f"{page}:3: " in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "# T\n\n```python\n1 / 0\n```\n"
