"""The programs of a page, and what they print."""

import pytest

from dlbook.press.page.fences import PageError
from dlbook.press.page.outputs import programs_of, refreshed, stale
from dlbook.press.page.page import Page


def page(*lines):
    """Make a chapter of some lines."""
    return Page("chapters/x.md", "\n".join(lines))


def test_programs_join_the_blocks_that_go_on():
    text = page(
        *("```python", "x = 1", "```", "", "<!--pytest-codeblocks:cont-->", ""),
        *(
            "```python",
            "print(x)",
            "```",
            "",
            "<!--pytest-codeblocks:expected-output-->",
            "",
        ),
        *("```text", "2", "```"),
    )
    (program,) = programs_of(text)
    assert program.code == "x = 1\nprint(x)"
    assert program.output.lines == ("2",)
    assert refreshed(text).splitlines()[-2:] == ["1", "```"]


def test_a_block_that_prints_gets_its_output_written_below():
    text = page("    ```python", "    print('one')", "    ```", "", "After.")
    new = refreshed(text)
    assert (
        "    <!--pytest-codeblocks:expected-output-->\n\n    ```text\n    one\n    ```"
        in new
    )
    assert refreshed(page(new)) == new


def test_a_block_that_fails_is_named_by_its_line():
    with pytest.raises(PageError, match="line 2: Traceback"):
        refreshed(page("", "```python", "1 / 0", "```"))


def test_a_stale_output_and_a_block_that_fails_are_told_with_their_lines():
    text = page(
        *("```python", "print('new')", "```", ""),
        *("<!--pytest-codeblocks:expected-output-->", "", "```text", "old", "```", ""),
        *("```python", "1 / 0", "```", "", "```python", "x = 1", "```"),
    )
    first, second = stale(text)
    assert (first.line, first.reason) == (
        1,
        "this block prints 'new', the page shows 'old'",
    )
    assert second.line == 11
    assert "ZeroDivisionError" in second.reason
