"""Every page can be written as plain Markdown, in which no dialect is left."""

import re
from base64 import b64encode

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dlbook.checkout import DOCS
from dlbook.press.downloads.plain import plain, plain_lab
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of

PAGES = sorted(DOCS.rglob("*.md"))


def page(*lines):
    """Make a chapter of some lines."""
    return Page("chapters/x.md", "\n".join(lines))


def test_a_remark_becomes_a_quotation_with_what_stands_inside():
    text = plain(
        page(
            *('!!! question "1. Two"', "    Add $1$ and $1$.", ""),
            *('    ??? success "Solution"', "        By hand:", ""),
            *("        ```python", "        1 + 1", "        ```", "", "After."),
        )
    )
    assert text.splitlines() == [
        *("> **1. Two**", "> Add $1$ and $1$.", ">"),
        *("> > **Solution**", "> > By hand:", "> >"),
        *("> > ```python", "> > 1 + 1", "> > ```", "> >", "After."),
    ]


def test_claims_citations_and_links_to_labs_are_resolved():
    text = plain(page("[3 %](claim:knn.x) of [@cover1967], see [lab](../labs/knn.py)."))
    assert text == "3 % of (Cover and Hart, 1967), see [lab](../labs/knn.md).\n"


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_no_dialect_is_left_and_every_picture_has_its_place(path):
    own = Page.at(path)
    text = plain(own)
    for mark in ("(claim:", "[@", "pytest-codeblocks", "```listing", "```figure", "!!! "):
        assert mark not in text, f"{path}: {mark} is left"
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    asked = [own.way_to(frame.address("light")) for frame in frames_of(own)]
    assert [picture for picture in pictures if "assets/figures" in picture] == asked
    code = sum(fence.info in ("python", "listing") for fence in own.fences)
    assert len(re.findall(r"(?m)^[> ]*```python$", text)) == code


def test_a_lab_shows_what_it_prints_and_draws():
    svg = b64encode(b"<svg/>").decode()
    drawing = f'<img alt="A line." src="data:image/svg+xml;base64,{svg}">'
    outputs = [
        new_output("stream", name="stdout", text="42\n"),
        new_output("display_data", {"text/html": drawing, "text/plain": "<drawing>"}),
    ]
    cells = [new_markdown_cell("# Lab"), new_code_cell("print(42)", outputs=outputs)]
    text, drawings = plain_lab(nbformat.writes(new_notebook(cells=cells)), "x")
    assert text == (
        "# Lab\n\n```python\nprint(42)\n```\n\n```text\n42\n```\n\n"
        "![A line.](../assets/labs/x-0.svg)\n"
    )
    assert drawings == {"assets/labs/x-0.svg": "<svg/>"}
