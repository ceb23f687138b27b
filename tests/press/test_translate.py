"""What becomes of a page, and how it is refused if it is wrong."""

import pytest

from dlbook.press.page.fences import PageError
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of, mistakes_in, translated, unwrapped


def page(*lines):
    """Make a chapter of some lines."""
    return Page("chapters/x.md", "\n".join(lines))


def test_a_listing_shows_the_definition_itself():
    text = translated(page("```listing", "press.page.fences.drawing_of", "```"))
    assert "def drawing_of(fence: Fence) -> Drawing:" in text
    assert 'title="src/dlbook/press/page/fences.py"' in text
    assert "../source/src/dlbook/press/page/fences.py.html#L" in text


@pytest.mark.parametrize(
    ("fence", "reason"),
    [
        (("```listing", "knn.no_such_thing", "```"), "no definition 'no_such_thing'"),
        (("```listing", "no_such_module.f", "```"), "there is no module"),
        (("```figure", "knn.no_such_figure", "Caption", "```"), "no definition"),
        (("```figure", "", "```"), "must begin with a name"),
        (("```python title='x'", "1", "```"), "would not be run"),
        (("```py", "1", "```"), "would not be run"),
        (("```{.python}", "1", "```"), "would not be run"),
        (("[1.0](claim:knn.no_such_claim)",), "is not recorded"),
        (("[@nobody1900]",), "'nobody1900' is not in"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_name(fence, reason):
    with pytest.raises(PageError) as caught:
        translated(page("# Title", "", *fence))
    assert caught.value.line == 3
    assert reason in caught.value.reason


def test_code_in_prose_is_left_alone():
    text = "Write `[1.0](claim:knn.none)` and `[@nobody1900]`."
    assert translated(Page("index.md", text)) == text


def test_a_figure_that_is_asked_for_is_found():
    with pytest.raises(PageError, match="no definition"):
        list(frames_of(page("```figure", "style.nothing", "```")))


def test_a_figure_in_a_remark_stands_on_its_own():
    inside = (
        '<figure class="drawing" markdown="span">\n<img alt="a markdown b">\n'
        "<figcaption markdown>Text.</figcaption>\n</figure>"
    )
    made = unwrapped(f"<p>before</p><p>{inside}</p><p>after</p>")
    assert made.startswith('<p>before</p><figure class="drawing">')
    assert made.endswith("<figcaption>Text.</figcaption>\n</figure><p>after</p>")
    assert 'alt="a markdown b"' in made


def test_every_mistake_is_found_and_not_only_the_first():
    wrong = page("[@nobody1900]", "", "[@nobody1901]", "```listing", "knn.none", "```")
    assert [mistake.line for mistake in mistakes_in(wrong)] == [1, 3, 4]


def test_only_what_follows_a_block_is_its_output():
    text = page(
        *("```python", "print(1)", "```", ""),
        *("<!--pytest-codeblocks:expected-output-->", "", "```text", "1", "```", ""),
        *("```text", "1", "```"),
    )
    assert translated(text).count("``` { .text .output }") == 1
    assert "pytest-codeblocks" not in translated(text)
