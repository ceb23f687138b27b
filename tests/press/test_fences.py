"""Fences: where they stand, and what a figure asks for."""

import pytest

from dlbook.press.page.fences import PageError, drawing_of
from dlbook.press.page.page import Page


def page(*lines):
    """Make a chapter of some lines."""
    return Page("chapters/x.md", "\n".join(lines))


def test_fences_are_found_with_their_lines_and_margin():
    text = page("a", "```python", "x = 1", "```", "    ```text", "    y", "    ```")
    first, second = text.fences
    assert (first.info, first.lines, first.first, first.last) == (
        "python",
        ("x = 1",),
        2,
        4,
    )
    assert (second.margin, second.lines, second.first) == ("    ", ("y",), 5)
    assert text.prose == ("a", *[""] * 6)


def test_an_open_fence_is_refused_with_its_line():
    with pytest.raises(PageError, match="line 2: the fence opened here is never closed"):
        page("a", "```python", "x = 1").fences  # noqa: B018


def test_the_frames_of_a_slider_are_read():
    (fence,) = page(
        "```figure", "knn.vote_map k = 1, 5, 51", "A", "caption.", "```"
    ).fences
    drawing = drawing_of(fence)
    assert drawing.frames == ({"k": 1}, {"k": 5}, {"k": 51})
    assert drawing.caption == "A caption."
    with pytest.raises(PageError, match="frames must be literals"):
        drawing_of(*page("```figure", "knn.vote_map k = many", "```").fences)
