"""A page that shows quickly: one style sheet, sections and scripts that wait.

These steps work on the finished pages of the theme and know nothing of MkDocs.
"""

import posixpath
import re
from collections.abc import Mapping
from functools import partial

# <link rel="stylesheet" href="../assets/stylesheets/main.57a0d79d.min.css">
SHEET = re.compile(r'[ \t]*<link rel="stylesheet" href="([^"]+)"\s*/?>\n?')
# url("../fonts/a.woff2"), url(fonts/KaTeX_Main-Bold.woff2); not url(data:...), url(#a)
ADDRESS = re.compile(r"""url\((["']?)(?!data:|#)([^"')]+)\1\)""")
# [data-md-color-switching] *,[data-md-color-switching] :after{transition-duration:0s!important}
SWITCHING = re.compile(r"\[data-md-color-switching\] \*[^{}]*\{[^{}]*\}")
# <article class="md-content__inner md-typeset">...</article>
ARTICLE = re.compile(r"<article\b[^>]*>(?P<inside>.*)</article>", re.DOTALL)
# before <h2 id="exercises">
HEADING = re.compile(r"(?=<h2 id=)")
# <pre><span></span><code>, <pre id="__code_1"><span></span><code>
CODE = re.compile(r"(<pre\b[^>]*>(?:<span></span>)?<code)>")
# <script src="../assets/javascripts/bundle.a5f9d56c.min.js">
SCRIPT = re.compile(
    r'<script src="([^"]*(?:assets/javascripts/bundle|js/iframe-worker)[^"]*)">'
)


def sheets_of(page: str, address: str) -> list[str]:
    """List the style sheets of a page, in order, by their place in the site.

    Args:
        page: HTML.
        address: of the page, such as `chapters/knn.html`.

    Returns:
        places such as `assets/css/book.css`.
    """
    folder = posixpath.dirname(address)
    return [
        posixpath.normpath(posixpath.join(folder, name)) for name in SHEET.findall(page)
    ]


def bound_to(page: str, address: str, sheet: str) -> str:
    """Let a page load one style sheet in the place of all.

    Args:
        page: HTML.
        address: of the page, such as `chapters/knn.html`.
        sheet: the place of the style sheet.

    Returns:
        the page.
    """
    name = posixpath.relpath(sheet, posixpath.dirname(address) or ".")
    link = f'<link rel="stylesheet" href="{name}">\n'
    first, *rest = SHEET.split(page)[::2]
    return first + link + "".join(rest) if rest else page


def one_sheet(sheets: Mapping[str, str], target: str) -> str:
    """Write several style sheets as one.

    A rule of the theme that holds for all elements while the colors switch is left out. It
    stops a fading of colors, and at each start it makes the browser style the page twice more.

    Args:
        sheets: their texts by their place in the site, in the order in which they hold.
        target: the place of the new one, as seen from which its addresses are written.

    Returns:
        the text of the new style sheet.
    """
    folder = posixpath.dirname(target)

    def moved(sheet: str, match: re.Match) -> str:
        place = posixpath.join(posixpath.dirname(sheet), match[2])
        return f'url("{posixpath.relpath(place, folder)}")'

    return "\n".join(
        ADDRESS.sub(partial(moved, sheet), SWITCHING.sub("", text))
        for sheet, text in sheets.items()
    )


def parted(page: str) -> str:
    """Put each section of an article into an element of its own.

    A browser can then pass over the sections that nobody sees yet: most of the work of showing
    a long page is to style and to set what lies far below the window. `sections.js` lets it
    do that later.

    Args:
        page: HTML, with the headings of the sections right inside the article.

    Returns:
        the page, each section from one `h2` to the next in a `section` of the class `part`.
    """
    found = ARTICLE.search(page)
    if not found:
        return page
    first, *sections = HEADING.split(found["inside"])
    parts = "".join(f'<section class="part">{inside}</section>\n' for inside in sections)
    return page[: found.start("inside")] + first + parts + page[found.end("inside") :]


def named(page: str) -> str:
    """Name the search, which the theme leaves without a name."""
    return page.replace('role="dialog">', 'role="dialog" aria-label="Search">', 1)


def reachable(page: str) -> str:
    """Let the keyboard reach each block of code, to move it where it is wider than the window.

    The theme takes this back where nothing is to be moved, but only when the block is seen.
    """
    return CODE.sub(r'\1 tabindex="0">', page)


def patient(page: str) -> str:
    """Let the scripts of the theme wait until the page is read, as those of the book do."""
    return SCRIPT.sub(r'<script src="\1" defer>', page)
