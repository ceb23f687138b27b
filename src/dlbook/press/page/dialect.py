"""What looks like the dialect of a page and is not: refused, for it would be shown as text.

Markdown takes everything; a claim with a title or a citation with a page number would stand in
the book as they were typed, and nobody would compare them with anything.
"""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import unquote

from dlbook.checkout import settings
from dlbook.press.page import formulas
from dlbook.press.page.citations import CITATION, entries
from dlbook.press.page.claims import CLAIM
from dlbook.press.page.fences import (
    CONTINUED,
    OUTPUT,
    Fence,
    PageError,
)
from dlbook.press.page.glossary import TERM
from dlbook.press.page.numbering import REFERENCE
from dlbook.press.page.page import Page
from dlbook.press.page.translate import translated

CELLS = ("# %%", "# %% [markdown]")
INFOS = ("book", "console", "figure", "listing", "live", "python", "text")
WITHOUT_CODE = ("book", "figure", "live")
# `code`, ``code with a ` in it``, $a @ b$
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)|\$[^$\n]+\$")
# Such as `](claim:knn.a "title")`, `](<claim:knn.a>)`, `[c]: claim:knn.a`, `](Claim: knn.a)`.
LIKE_CLAIM = re.compile(r"\bclaim:(?=[\w/<.-])|(?<=[(<:=\"'])\s*claim\s*:", re.IGNORECASE)
# Such as `@cover1967`, `[see @cover1967]`, `[-@cover1967]`, `[@cover1967, p. 3]`.
LIKE_CITATION = re.compile(r"(?<![\w@/.])@(?=\w)|\[[-\s]*@")
# Such as `[the curve](figure:knn.convergence)`, `[Figure](figure: knn.convergence)`.
LIKE_REFERENCE = re.compile(r"\(\s*<?figure\s*:", re.IGNORECASE)
# Such as <dfn id='risk'>risk</dfn>, <dfn>risk</dfn>, <dfn id="risk"><em>risk</em></dfn>.
LIKE_TERM = re.compile(r"</?\s*dfn\b", re.IGNORECASE)
# Such as <!-- pytest-codeblocks:skip -->, <!--pytest.mark.skip-->.
LIKE_COMMENT = re.compile(
    r"<!--[-\s]*(?:pytest|codeblocks)|pytest-codeblocks", re.IGNORECASE
)
# What other dialects know and this one shows as it was typed, and what to write instead.
FOREIGN = (
    (r"\[\^[^\]\s]+\]", "a footnote is a sentence, a citation or a remark"),
    (r"^\s*>\s*\[!\w+\]", 'a remark is written `!!! note "Title"`'),
    (r"^\s*:{3,}", 'a remark is written `!!! note "Title"`'),
    (r"(?<![=!<>])==(?=[^\s=])[^=\n]*(?<=[^\s=])==(?!=)", "stress is written *so*"),
    (r"(?<!\w):[a-z]+(?:[-_]\w+)*:(?!\w)", "there are no signs like this"),
    (
        r"\\[A-Za-z]+\{",
        "LaTeX stands in a formula, and a citation is written [@cover1967]",
    ),
    (r"\\[(\[]", "a formula is written $x$, or $$x$$ on lines of its own"),
    (r"^\*\[[^\]]+\]:", "an abbreviation is written out"),
    (r"--8<--", "a page holds its own text"),
    (r"\{[{%#].*[}%#]\}", "a page is no template"),
    (r"\{(?:\+\+|--|~~|==|>>)|\+\+\w+(?:\+\w+)*\+\+", "there are no signs like this"),
    (r"^\s*[-*+] \[[ xX]\] ", "an item has no box to tick"),
    (r"\w~\w+~|\w\^\w+\^", "what stands high or low is a formula"),
    (
        r"<\s*(?:script|style|iframe|object|embed|form|link|meta|base|img|video|audio)\b",
        "a page brings no elements of its own",
    ),
    (r"!\[\s*\]\(", "a picture says what is to be seen"),
    (r"\]\(\s*<?(?:javascript|data|file|vbscript):", "a link leads to a page or a site"),
    (
        r"(?<![(<\"'\[=])\bhttps?://",
        "an address is written <https://example.org> or as a link",
    ),
    (r"(?<!\\)\$", "a formula is written $x$, with nothing between it and its dollars"),
    (
        r"\[[-−]?\d[^\]]*\]\((?:[^)]*/)?results(?:\.md|\.html|/)[^)]*\)",
        "a number with a record is a claim, [3.09 %](claim:knn.error)",
    ),
)
# as in [cover1967]
KEY = re.compile(r"\[([a-z]+\d{4}\w*)\](?![(\[:])")
# What Markdown leaves as text where it did not understand it, such as !!! note “Title”.
LEFT = re.compile(
    r"```|\$\$|\*\*|~~|\{:? ?[.#]\w|claim:\w|\[-?@|\]\(\S|\]\[\w"
    r"|^(?:!!!|\?\?\?\+?|===) ",
    re.MULTILINE,
)
# <pre><code>...</code></pre>, <span class="arithmatex">\\(x\\)</span>: no prose
SET = re.compile(
    r"<(pre|code|svg|style|script)\b.*?</\1>|<(span|div) class=\"arithmatex\">.*?</\2>",
    re.DOTALL,
)


def mistakes(page: Page) -> Iterator[PageError]:
    """Find what almost belongs to the dialect.

    Args:
        page: of the book.

    Yields:
        one error for each line, in order within each kind.
    """
    if not re.match(r"# \S", page.lines[0]):
        reason = f"a page begins with `# Title`, got {page.lines[0][:40]!r}"
        yield PageError(1, reason)
    for fence in page.fences:
        yield from _mistakes_of_fence(fence)
    for number, line in enumerate(page.prose, start=1):
        yield from _mistakes_of_line(line, number)
    yield from _mistakes_of_order(page)
    yield from _foreign(page)


def mistakes_in_lab(page: Page) -> Iterator[PageError]:
    """Find claims, citations and comments in the prose of a lab, which knows none of them.

    Args:
        page: a percent script.

    Yields:
        one error for each line.
    """
    is_prose = False
    for number, line in enumerate(page.lines, start=1):
        if re.match(r"#\s*%%", line):
            is_prose = "[markdown]" in line
            if line.strip() not in CELLS:
                known = " or ".join(CELLS)
                yield PageError(number, f"a cell begins with {known}, got {line[:80]!r}")
        rest = CODE.sub("", line) if is_prose else ""
        if any(like.search(rest) for like in (LIKE_CLAIM, LIKE_CITATION, LIKE_COMMENT)):
            yield PageError(
                number, f"a lab has no claims and citations, got {rest[:80]!r}"
            )


def _mistakes_of_fence(fence: Fence) -> Iterator[PageError]:
    if fence.info not in INFOS:
        known = ", ".join(INFOS)
        reason = f"a fence is one of {known}, written close to the ticks"
        yield PageError(fence.first, f"{reason}; {fence.info!r} would not be run")
    if fence.info in WITHOUT_CODE:
        for number, line in enumerate(fence.lines[1:], start=fence.first + 2):
            yield from _mistakes_of_line(line, number)


def _mistakes_of_line(line: str, number: int) -> Iterator[PageError]:
    if line.strip() not in (OUTPUT, CONTINUED) and LIKE_COMMENT.search(line):
        reason = f"a comment for the tests is {OUTPUT} or {CONTINUED}"
        yield PageError(number, f"{reason}; no block may be skipped")
    for pattern, like, form in (
        (CLAIM, LIKE_CLAIM, "a claim is written [3.09 %](claim:knn.error), on one line"),
        (CITATION, LIKE_CITATION, "a citation is written [@cover1967] or [@a; @b]"),
        (
            REFERENCE,
            LIKE_REFERENCE,
            "a figure is referred to as [Figure](figure:knn.convergence)",
        ),
        (TERM, LIKE_TERM, 'a term is written <dfn id="hinge-loss">hinge loss</dfn>'),
    ):
        rest = CODE.sub("", line)
        exact = re.compile(rf"(?<![!\\\]])(?:{pattern.pattern})(?![({{])")
        if like.search(exact.sub("", rest)):
            yield PageError(number, f"{form}, got {line.strip()[:80]!r}")


def _foreign(page: Page) -> Iterator[PageError]:
    """Find what other dialects know, outside code and formulas."""
    text = formulas.SOURCE.sub(formulas.blank, formulas.without_code(page))
    for number, line in enumerate(text.split("\n"), start=1):
        for pattern, instead in FOREIGN:
            if found := re.search(pattern, line):
                left = line[found.start() :].strip()[:40]
                yield PageError(number, f"{left!r} is not of this dialect: {instead}")
        for key in KEY.findall(line):
            if key in entries():
                reason = f"a citation is written [@{key}], got [{key}]"
                yield PageError(number, reason)
        written = page.prose[number - 1]
        if written.lstrip().startswith(": "):
            reason = 'a term is written <dfn id="risk">risk</dfn>, and what it is follows'
            yield PageError(number, f"{written.strip()[:40]!r}: {reason}")
        if written.startswith("#") and formulas.SOURCE.search(written):
            reason = "a heading holds no formula: it stands in menus, too, as plain text"
            yield PageError(number, reason)


def _mistakes_of_order(page: Page) -> Iterator[PageError]:
    """Find comments for the tests that do not stand where they mean something."""
    opened = {fence.first: fence.info for fence in page.fences}
    closed = {fence.last: fence.info for fence in page.fences}
    filled = [number for number, line in enumerate(page.lines, start=1) if line.strip()]
    inside = {n for f in page.fences for n in range(f.first + 1, f.last)}
    for before, here, after in zip([0, *filled], filled, [*filled[1:], 0], strict=False):
        comment = page.lines[here - 1].strip()
        if here in inside:
            continue
        if comment == OUTPUT and (closed.get(before), opened.get(after)) != (
            "python",
            "text",
        ):
            yield PageError(here, "this comment stands between a block and its output")
        if comment == CONTINUED and opened.get(after) != "python":
            yield PageError(here, "this comment stands above the block that goes on")


def understood(page: Page) -> Iterator[PageError]:
    """Let Markdown read a page, and find what it leaves as text.

    Args:
        page: of the book, without mistakes of another kind.

    Yields:
        the first mistake.
    """
    import markdown  # MkDocs brings it, and lets it read the pages of a build itself

    extensions = {}
    for entry in settings()["markdown_extensions"]:
        extensions |= entry if isinstance(entry, dict) else {entry: {}}
    options = {"extensions": list(extensions), "extension_configs": extensions}
    try:
        require_understood(markdown.markdown(translated(page), **options), page)
    except PageError as error:
        yield error


def require_understood(html: str, page: Page) -> None:
    """Refuse a page of which Markdown has left something as text.

    Args:
        html: what Markdown has made of the page.
        page: in the dialect.

    Raises:
        PageError: a mark of the dialect stands in the text, or a fence was not taken for one.
    """
    for href in re.findall(
        r'href="([^"]*)"', html
    ):  # href="claim&#58;knn.mnist_error_k1"
        target = unquote(unescape(href)).replace("\\", "").strip()
        if target.lower().startswith("claim"):
            line = _line_with(href.split(":")[-1].split("&")[-1], page)
            raise PageError(line, f"{href!r} looks like a claim and is not checked")
    names = re.findall(r'\bid="([^"]*)"', html)
    if twice := [name for name in names if names.count(name) > 1]:
        raise PageError(
            _line_with(f"#{twice[0]}", page), f"two places are named {twice[0]!r}"
        )
    text = re.sub(r"<[^>]*>", "", SET.sub("", html))
    if left := LEFT.search(text):
        line = text[left.start() :].split("\n")[0].strip()[:60]
        raise PageError(_line_with(line, page), f"{line!r} would be shown as text")
    shown = sum(f.info not in WITHOUT_CODE for f in page.fences)
    blocks = len(re.findall(r"<pre\b", html))
    if blocks != shown:
        raise PageError(1, f"the page has {shown} fences, but {blocks} blocks of code")


def _line_with(text: str, page: Page) -> int:
    """Find the line in which a text begins; 1 if it was written otherwise."""
    for length in (len(text), 12, 6, 3):
        for number, line in enumerate(page.lines, start=1):
            if text[:length] in line:
                return number
    return 1
