"""What looks like the dialect of a page and is not: refused, for it would be shown as text.

Markdown takes everything; a claim with a title or a citation with a page number would stand in
the book as they were typed, and nobody would compare them with anything.
"""

import re
from collections.abc import Iterator

from dlbook.press.page.citations import CITATION
from dlbook.press.page.claims import CLAIM
from dlbook.press.page.fences import (
    CONTINUED,
    OUTPUT,
    Fence,
    PageError,
    fences_of,
    lines_of,
    prose_of,
)

INFOS = ("console", "figure", "listing", "live", "python", "text")
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)|\$[^$\n]+\$")  # in one line; and formulas
# Such as `](claim:knn.a "title")`, `](<claim:knn.a>)`, `[c]: claim:knn.a`, `](Claim: knn.a)`.
LIKE_CLAIM = re.compile(r"\bclaim:(?=[\w/<.-])|(?<=[(<:=\"'])\s*claim\s*:", re.IGNORECASE)
# Such as `@cover1967`, `[see @cover1967]`, `[-@cover1967]`, `[@cover1967, p. 3]`.
LIKE_CITATION = re.compile(r"(?<![\w@/.])@(?=\w)|\[[-\s]*@")
LIKE_COMMENT = re.compile(
    r"<!--[-\s]*(?:pytest|codeblocks)|pytest-codeblocks", re.IGNORECASE
)
# What Markdown leaves as text where it did not understand it.
LEFT = re.compile(
    r"```|\$\$|\{:? ?[.#]\w|claim:\w|\[-?@|^(?:!!!|\?\?\?\+?|===) ", re.MULTILINE
)


def require_dialect(markdown: str) -> None:
    """Refuse a page that holds something that almost belongs to the dialect.

    Args:
        markdown: the text of the page.

    Raises:
        PageError: the first of these mistakes.
    """
    for mistake in mistakes(markdown):
        raise mistake


def mistakes(markdown: str) -> Iterator[PageError]:
    """Find what almost belongs to the dialect.

    Args:
        markdown: the text of the page.

    Yields:
        one error for each line, in order within each kind.
    """
    lines = lines_of(markdown)
    if not re.match(r"# \S", lines[0]):
        yield PageError(1, f"a page begins with `# Title`, got {lines[0][:40]!r}")
    fences = list(fences_of(markdown))
    for fence in fences:
        yield from _mistakes_of_fence(fence)
    for number, line in enumerate(prose_of(markdown).split("\n"), start=1):
        yield from _mistakes_of_line(line, number)
    yield from _mistakes_of_order(lines, fences)


def _mistakes_of_fence(fence: Fence) -> Iterator[PageError]:
    if fence.info not in INFOS:
        known = ", ".join(INFOS)
        reason = f"a fence must be one of {known}, written close to the ticks"
        yield PageError(fence.first, f"{reason}; got {fence.info!r}, which is not run")
    if fence.info in ("figure", "live"):
        for number, line in enumerate(fence.lines[1:], start=fence.first + 2):
            yield from _mistakes_of_line(line, number)


def _mistakes_of_line(line: str, number: int) -> Iterator[PageError]:
    if line.strip() not in (OUTPUT, CONTINUED) and LIKE_COMMENT.search(line):
        yield PageError(number, f"a comment for the tests is {OUTPUT} or {CONTINUED}")
    for pattern, like, form in (
        (CLAIM, LIKE_CLAIM, "a claim is written [3.09 %](claim:knn.error), on one line"),
        (CITATION, LIKE_CITATION, "a citation is written [@cover1967] or [@a; @b]"),
    ):
        rest = CODE.sub("", line)
        exact = re.compile(rf"(?<![!\\\]])(?:{pattern.pattern})")
        if like.search(exact.sub("", rest)):
            yield PageError(number, f"{form}, got {line.strip()[:80]!r}")


def _mistakes_of_order(lines: list[str], fences: list[Fence]) -> Iterator[PageError]:
    """Find comments for the tests that do not stand where they mean something."""
    opened = {fence.first: fence.info for fence in fences}
    closed = {fence.last: fence.info for fence in fences}
    filled = [number for number, line in enumerate(lines, start=1) if line.strip()]
    inside = {n for fence in fences for n in range(fence.first + 1, fence.last)}
    for before, here, after in zip([0, *filled], filled, [*filled[1:], 0], strict=False):
        comment = lines[here - 1].strip()
        if here in inside:
            continue
        if comment == OUTPUT and (closed.get(before), opened.get(after)) != (
            "python",
            "text",
        ):
            yield PageError(here, "this comment stands between a block and its output")
        if comment == CONTINUED and opened.get(after) != "python":
            yield PageError(here, "this comment stands above the block that goes on")


def require_understood(html: str, markdown: str) -> None:
    """Refuse a page of which Markdown has left something as text.

    Args:
        html: what Markdown has made of the page.
        markdown: the text of the page in the dialect.

    Raises:
        PageError: a mark of the dialect stands in the text, or a fence was not taken for one.
    """
    bare = re.sub(r"<(pre|code|svg|style|script)\b.*?</\1>", "", html, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", bare)
    if left := LEFT.search(text):
        line = text[left.start() :].split("\n")[0].strip()[:60]
        raise PageError(_line_with(line, markdown), f"{line!r} would be shown as text")
    shown = sum(f.info not in ("figure", "live") for f in fences_of(markdown))
    blocks = len(re.findall(r"<pre\b", html))
    if blocks != shown:
        raise PageError(1, f"the page has {shown} fences, but {blocks} blocks of code")


def _line_with(text: str, markdown: str) -> int:
    """Find the line in which a text begins; 1 if it was written otherwise."""
    for length in (len(text), 12, 6, 3):
        for number, line in enumerate(markdown.split("\n"), start=1):
            if text[:length] in line:
                return number
    return 1
