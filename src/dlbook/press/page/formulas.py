"""Formulas, rendered when the site is built: a page needs no script to show them.

KaTeX runs in an embedded engine. Pages are rendered late, so that the search index holds the
plain text of the formulas.
"""

import atexit
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from py_mini_racer import MiniRacer

from dlbook.press.page.fences import CODE, PageError
from dlbook.press.page.page import Page

KATEX = Path(__file__).with_name("katex.min.js")
# <span class="arithmatex">\(x_1\)</span>, <div class="arithmatex">\[x_1\]</div>
FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">'
    r"(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<block>.*?)\\\])</(?P=tag)>",
    re.DOTALL,
)
# `$x_1$` and `$$ x_1 $$` in the source of a page, as pymdownx.arithmatex reads them
SOURCE = re.compile(
    r"(?<!\\)\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?!\s)(?P<inline>[^$]+?)(?<![\s\\])\$(?!\$)",
    re.DOTALL,
)
# KaTeX puts the sign of application behind a name as in `c_{\max}`, where MathML takes one element.
APPLIED = re.compile("(<mi>\\w+</mi>)<mo>\u2061</mo>(?=</m(?:sub|sup|under|over)>)")
MACROS = {"\\R": "\\mathbb{R}", "\\argmin": "\\operatorname*{arg\\,min}"}


@cache
def engine() -> MiniRacer:
    """Start the engine and load KaTeX, once for a process."""
    racer = MiniRacer()
    atexit.register(racer.close)  # left open, its thread keeps the process from ending
    racer.eval(KATEX.read_text(encoding="utf-8"))
    return racer


@lru_cache(maxsize=20_000)
def formula(latex: str, display: bool) -> str:
    """Render one formula.

    Args:
        latex: the formula without its dollar signs.
        display: whether it stands on a line of its own.

    Returns:
        HTML for the eye, with MathML for the ear.

    Raises:
        ValueError: KaTeX refuses it; the message quotes the formula.
    """
    options = {"displayMode": display, "strict": "error", "macros": MACROS}
    call = f"katex.renderToString({json.dumps(latex)}, {json.dumps(options)})"
    guarded = (
        f"(() => {{ try {{ return {call} }} catch (e) {{ return '!' + e.message }} }})()"
    )
    answer = str(engine().eval(guarded))
    if answer.startswith("!"):
        raise ValueError(f"formula ${latex.strip()}$: {answer[1:]}")
    return APPLIED.sub(r"\1", answer)


def refused(page: Page) -> Iterator[PageError]:
    """Find the formulas of a page that KaTeX refuses.

    Args:
        page: of the book.

    Yields:
        one mistake for each.
    """
    text = without_code(page)
    for match in SOURCE.finditer(text):
        block = match["block"] is not None
        try:
            formula(match["block"] if block else match["inline"], block)
        except ValueError as error:
            yield PageError(text.count("\n", 0, match.start()) + 1, str(error))


def without_code(page: Page) -> str:
    """Give the prose of a page and of its captions, with its lines, without what is code."""
    lines = list(page.prose)
    for fence in page.fences:
        if fence.info in ("figure", "live"):  # the name is followed by prose
            lines[fence.first + 1 : fence.last - 1] = fence.lines[1:]
    return CODE.sub(blank, "\n".join(lines))


def blank(match: re.Match) -> str:
    """Take a text away and keep its line breaks, so that lines keep their numbers."""
    return "\n" * match[0].count("\n")


def line_of(reason: str, lines: Sequence[str]) -> int:
    """Find the line of a formula that was refused.

    Args:
        reason: the message of the error, which quotes it.
        lines: of the page.

    Returns:
        the number of the line, counted from 1; 1 if the formula is not found.
    """
    latex = reason.removeprefix("formula $").partition("$: ")[0].splitlines()
    found = (n for n, line in enumerate(lines, 1) if latex and latex[0] in line)
    return next(found, 1)


def rendered(page: str) -> str:
    """Render every formula of a page for the site.

    Args:
        page: HTML, in which pymdownx.arithmatex has marked the formulas.

    Returns:
        the page with the formulas in place.

    Raises:
        ValueError: KaTeX refuses a formula.
    """

    def draw(latex: str, display: bool) -> str:
        tag = "div" if display else "span"
        scroll = ' tabindex="0" role="group" aria-label="Formula"' if display else ""
        return f'<{tag} class="formula"{scroll}>{formula(latex, display)}</{tag}>'

    return replaced(page, draw)


def replaced(page: str, draw: Callable[[str, bool], str]) -> str:
    """Put something else in the place of every marked formula.

    Args:
        page: HTML, in which pymdownx.arithmatex has marked the formulas.
        draw: gives HTML for a formula, and for whether it stands on a line of its own.

    Returns:
        the page with the formulas in place.
    """

    def replace(match: re.Match) -> str:
        latex = html.unescape(match["inline"] or match["block"] or "")
        return draw(latex, match["block"] is not None)

    return FORMULA.sub(replace, page)
