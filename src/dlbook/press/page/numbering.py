"""Number chapters and figures; nobody writes a number by hand.

The number of a chapter is its place in `mkdocs.yml`, that of a figure its place in the chapter:
whoever moves a chapter or a figure renames nothing.
"""

import re

from dlbook.press.page.fences import Fence
from dlbook.press.page.page import Page

# <h1 id="views">
HEADING = re.compile(r"<h1\b[^>]*>")


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
    figures = [other.first for other in page.fences if other.info == "figure"]
    return f"{page.number}.{figures.index(fence.first) + 1}" if page.number else ""
