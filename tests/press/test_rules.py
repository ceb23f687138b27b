"""Every rule of a page finds what it is there for, and says the line."""

import re

import pytest

from dlbook.checkout import DOCS
from dlbook.press.page import rules
from dlbook.press.page.page import Page

# A chapter without a mistake, under a word that has all its doors.
GOOD = (DOCS / "chapters" / "knn.md").read_text(encoding="utf-8")


def chapter(text):
    return Page("chapters/knn.md", text)


def told(page):
    return [f"{mistake.line}: {mistake.reason}" for mistake in rules.mistakes(page)]


def test_a_good_chapter_breaks_no_rule():
    assert told(chapter(GOOD)) == []


@pytest.mark.parametrize(
    ("pattern", "new", "reason"),
    [
        (r"\*You get:", "*You see:", "opens with *You need:* and *You get:*"),
        (r"(?m)^## Exercises", "## Tasks", "ends with Exercises and Sources"),
        (r'\?\?\? success "Solution', '??? info "Solution', "exercise 1 is not solved"),
        (r"(?m)^ *```listing[\s\S]*?^ *```$", "", "has a listing"),
        (r"(?m)^ *```figure[\s\S]*?^ *```$", "", "has a figure"),
        (r"\(claim:", "(chapters/", "has a claim"),
        (r'!!! \w+ "Pitfall', '!!! warning "Trap', "the commonest mistake"),
        (r"\Z", "\n" + "word " * 2900, "at most 2900: split the chapter"),
        (r"\Z", "\n\n" + "w" * 161, "a line of more than 160 characters"),
        (r"\Z", "\n\nIt takes 12 ms.", "'12 ms' is neither a claim nor cited"),
        *(
            (r"\Z", f"\n\nIt takes {number} more.", "is neither a claim nor cited")
            for number in (
                *("12ms", "12 µs", "12 ns", "3 GiB", "5 min", "3 days", "10-20 %"),
                *(
                    "10–20 %",
                    "0,5 %",
                    "12 percent",
                    "**12** %",
                    "1e-5",
                    "2.5e6",
                    "12-ms",
                    "23x as fast",
                    "5× more",
                ),
            )
        ),
        (r"\Z", "\n\nA $\\nosuch$.", r"formula $\nosuch$: KaTeX parse error"),
        (r"\Z", "\n\n[@nobody1900].", "'nobody1900' is not in"),
        (r"\Z", "\n\n[1](claim:knn.nothing).", "is not recorded"),
        (r"\Z", "\n\n```py\n1\n```", "would not be run"),
        (r"\Z", "\n\n```text\n>>> 1\n```\n\n```console\n>>> 1\n```", "would not be run"),
        (r"\Z", "\n\n[see @cover1967]", "a citation is written"),
        (r"\Z", "\n\n[1](claim: knn.x)", "a claim is written"),
        (r"\Z", "\n\n> ```python\n> 1 / 0\n> ```", "none would be run"),
        (r"\A", "---\nhide: [toc]\n---\n\n", "a page begins with `# Title`"),
        (r"\Z", "\n\nA\x0cB", "U+000C"),
        (r"\Z", "\n\n~~~python\n1\n~~~", "made of backticks"),
        (r"\Z", "\n\n<!--pytest-codeblocks:skip-->", "no block may be skipped"),
        (r"\Z", "\n\n```python\nprint(1)\n```", "is followed by its output"),
        (r"\Z", "\n\n```python\n1", "is never closed"),
    ],
)
def test_a_mistake_is_found(pattern, new, reason):
    found = told(chapter(re.sub(pattern, lambda match: new, GOOD)))
    assert any(reason in mistake for mistake in found), found


def test_a_mistake_names_its_line():
    lines = GOOD.splitlines()
    page = chapter(f"{GOOD}\n\nFirst line\nand 3.5 in the second.\n")
    assert told(page) == [
        f"{len(lines) + 4}: '3.5' is neither a claim nor cited nor a formula"
    ]


def test_a_chapter_without_its_doors_is_told_of_each():
    found = told(Page("chapters/nowhere.md", "# Nowhere\n"))
    assert "1: chapters/nowhere.md is not in the nav of mkdocs.yml" in found
    for door in ("src/dlbook", "src/dlbook/figures", "src/dlbook/runs"):
        assert f"1: the door {door}/nowhere.py is missing" in found


def test_other_pages_may_name_numbers_and_have_no_exercises():
    assert told(Page("reference/notation.md", "# Notation\n\nIt takes 12 ms.\n")) == []
