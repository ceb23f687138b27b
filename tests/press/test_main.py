"""The press from the command line tells every mistake as `file:line: what`."""

import sys

import pytest

from dlbook.checkout import DOCS
from dlbook.press import __main__ as command
from dlbook.press.page.page import Page

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


def test_a_page_is_found_by_its_word_or_its_path(tmp_path):
    assert command.page_named("knn") == DOCS / "chapters" / "knn.md"
    assert command.page_named(str(tmp_path / "knn.md")) == tmp_path / "knn.md"


def test_each_mistake_of_a_page_is_told_once_in_the_order_of_its_lines():
    found = list(command.check(Page("reference/notation.md", WRONG)))
    assert [mistake.partition(": ")[0] for mistake in found] == [
        f"docs/reference/notation.md:{line}" for line in (3, 5, 15)
    ]
    assert found[1].endswith("this block prints 'new', the page shows 'old'")
    assert found[2].endswith(
        "a block that prints is followed by its output, and no other is"
    )


def test_an_open_fence_is_one_mistake():
    (mistake,) = command.check(Page("reference/notation.md", "# T\n\n```python\n1\n"))
    assert mistake == (
        "docs/reference/notation.md:3: the fence opened here is never closed"
    )


@pytest.mark.parametrize(("text", "status"), [("# T\n", 0), ("[@nobody1900]\n", 1)])
def test_the_exit_status_tells_whether_all_is_well(
    text, status, tmp_path, monkeypatch, capsys
):
    page = tmp_path / "page.md"
    page.write_text(text)
    monkeypatch.setattr(sys, "argv", ["dlbook.press", "page", str(page)])
    assert command.main() == status
    assert ("no mistake found" in capsys.readouterr().out) == (not status)


def test_a_block_that_fails_stops_the_writing_and_is_named(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("# T\n\n```python\n1 / 0\n```\n")
    monkeypatch.setattr(sys, "argv", ["dlbook.press", "outputs", str(page)])
    assert command.main() == 1
    assert f"{page}:3: " in capsys.readouterr().err
    assert page.read_text() == "# T\n\n```python\n1 / 0\n```\n"
