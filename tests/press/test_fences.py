"""Fences: where they stand, and what a figure asks for."""

import pytest

from dlbook.press.page.fences import PageError, drawing_of
from dlbook.press.page.page import Page
from dlbook.press.page.translate import mistakes_in


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


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ("{[]: 1}", "frames must be literals"),
        ("[1], [2]", "a frame is a number or a word"),
        ("1e999", "a frame is a number or a word"),
        ("None", "a frame is a number or a word"),
        ("1, 1", "each frame is shown once"),
        ('1, "1"', "each frame is shown once"),
        ("(" * 500 + ")" * 500, "frames must be literals"),
    ],
)
def test_frames_are_numbers_or_words_each_once(values, reason):
    (fence,) = page("```figure", f"knn.vote_map k = {values}", "```").fences
    with pytest.raises(PageError, match=f"line 1: {reason}"):
        drawing_of(fence)


@pytest.mark.parametrize("name", ["/etc/hostname", "knn./etc/x", "../knn.x", "a" * 300])
@pytest.mark.parametrize("kind", ["listing", "figure"])
def test_what_no_definition_can_be_called_is_refused_with_its_line(kind, name):
    (mistake,) = mistakes_in(page("A", f"```{kind}", name, "```"))
    assert mistake.line == 2


def test_a_name_longer_than_a_file_system_takes_is_refused_with_its_line():
    name = "a" * 300
    for fence in (f"listing\nknn.{name}", f"listing\n{name}.x", f"figure\n{name}.x"):
        (mistake,) = mistakes_in(page("A", *f"```{fence}\n```".split("\n")))
        assert mistake.line == 2
