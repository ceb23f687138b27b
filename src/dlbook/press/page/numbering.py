"""Number chapters and figures; nobody writes a number by hand.

The number of a chapter is its place in `mkdocs.yml`, that of a figure its place in the chapter:
whoever moves a chapter or a figure renames nothing.
"""

import re
from collections.abc import Callable

from dlbook.press.page.fences import Fence, drawing_of, outside_code
from dlbook.press.page.page import Page

# <h1 id="views">
HEADING = re.compile(r"<h1\b[^>]*>")
# [Figure](figure:knn.convergence)
REFERENCE = re.compile(r"\[Figure\]\(figure:(?P<name>[\w.]+)\)")


def numbered(html: str, page: Page) -> str:
    """Set the number of a chapter in front of its title, or `Lab` and it in front of a lab's.

    Args:
        html: with the heading of the page.
        page: of the book.

    Returns:
        the same, with a number if the page has one.
    """
    label = f"Lab {page.number}" if page.kind == "lab" else page.number
    if not page.number:
        return html
    return HEADING.sub(lambda match: f"{match[0]}{marked(label)} ", html, count=1)


def marked(label: str | int) -> str:
    """Mark a number for the style sheets; what follows is set apart by a space of its own."""
    return f'<span class="number">{label}</span>'


def figure_number(fence: Fence, page: Page) -> str:
    """Number a figure within its chapter.

    Args:
        fence: of the page, whose info is `figure`.
        page: on which it stands.

    Returns:
        such as `3.2`; empty on a page that has no number.
    """
    return f"{page.number}.{_place(fence, page)}" if page.number else ""


def anchor(number: str) -> str:
    """Name the place of a figure in its page, such as `figure-2` for `3.2`."""
    return f"figure-{number.partition('.')[2]}"


def referred(text: str, page: Page, write: Callable[[str], str]) -> str:
    """Write the numbers of the figures to which a line refers.

    Args:
        text: a line of prose.
        page: on which it stands; it has the figures, too.
        write: gives for a number such as `3.2` what takes the place of the reference.

    Returns:
        the line.

    Raises:
        LookupError: the page has no such figure, or no number.
    """

    def numbered_figure(match: re.Match) -> str:
        figures = [fence for fence in page.fences if fence.info == "figure"]
        named = [f for f in figures if drawing_of(f).name == match["name"]]
        if not named or not page.number:
            raise LookupError(f"figure {match['name']!r} is none of this chapter")
        return write(figure_number(named[0], page))

    return outside_code(text, lambda part: REFERENCE.sub(numbered_figure, part))


def spelled(text: str, page: Page) -> str:
    """Write references to figures as plain words, such as `Figure 3.2`; see `referred`."""
    return referred(text, page, lambda number: f"Figure {number}")


def _place(fence: Fence, page: Page) -> int:
    figures = [other.first for other in page.fences if other.info == "figure"]
    return figures.index(fence.first) + 1
