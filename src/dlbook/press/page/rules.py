"""The rules of a page, each a function that yields the mistakes it finds, with their lines.

The tests, the build and `make check PAGE=knn` ask the same ones. What can only be seen after a
block was run, stands in `outputs`.
"""

import re
from collections.abc import Iterator

from dlbook.checkout import ROOT, parts
from dlbook.press.page import dialect, formulas
from dlbook.press.page.fences import PageError
from dlbook.press.page.outputs import programs_of
from dlbook.press.page.page import Page
from dlbook.press.page.translate import mistakes_in

WORDS = 2900  # of prose: what can be read in one sitting
LETTERS = 160  # to a line of the source
EXERCISES = 3
# 3.09, 1e-5, 3 %, 10-20 %, **12** percent, 12ms: what a run may have measured; not 1.2.3, v1.0
# or 2018-01-02
MEASURED = re.compile(
    r"(?<![\w.,:/-])[-−]?\d+(?:\.\d+|[.,\d]*e[-−+]?\d+\b|(?:[,–-]\d+)?\**"
    r"(?:[\s-]?(?:%|(?:percent|[mµn]s|min|seconds?|minutes?|hours?|days?|[kMGT]i?B)\b)"
    r"|[\s-]s\b|\s?×(?!\s?\d)|x(?=\s(?:as|faster|slower)\b)))"
)
# what may hold any number: a claim, a formula, code, the address of a link, attributes
EXACT = re.compile(
    r"\[[^\]\n]+\]\(claim:[\w.]+\)|\$\$.*?\$\$|\$[^$]+\$|`[^`]+`|\]\([^)]*\)|\{[^}]*\}",
    re.DOTALL,
)
# # Views, an empty line, *You need:* [tensors](tensors.md). *You get:* ...
OPENING = re.compile(r"# \w[^\n]*\n\n\*You need:?\*:?.*?\*You get:?\*", re.DOTALL)
# !!! warning "Pitfall: a view is not a copy"
PITFALL = re.compile(r'^!!! \w+ "Pitfall', re.MULTILINE)


def mistakes(page: Page) -> list[PageError]:
    """Ask every rule that holds for a page.

    Args:
        page: of the book, or README.

    Returns:
        what is wrong, in the order of the lines.
    """
    rules = {"lab": EVERY_LAB, "chapter": EVERY_PAGE + EVERY_CHAPTER}
    try:
        found = [
            mistake for rule in rules.get(page.kind, EVERY_PAGE) for mistake in rule(page)
        ]
    except PageError as error:  # an open fence: nothing behind it can be told
        found = [error]
    return sorted(found, key=lambda mistake: mistake.line)


def every_name_is_known(page: Page) -> Iterator[PageError]:
    """Find listings, figures, widgets, claims and citations that do not exist or disagree."""
    yield from mistakes_in(page)


def every_page_has_its_place(page: Page) -> Iterator[PageError]:
    """Find a page that the navigation does not name."""
    known = {source for _, sources in parts() for source in sources}
    if not page.address.startswith("..") and page.address not in known:
        yield PageError(1, f"{page.address} is not in the nav of mkdocs.yml")


def every_word_belongs_to_the_dialect(page: Page) -> Iterator[PageError]:
    """Find what almost belongs to the dialect, and would be shown as text or not be run."""
    yield from dialect.mistakes(page)


def every_block_is_run(page: Page) -> Iterator[PageError]:
    """Find code that would be shown as if somebody had typed it elsewhere."""
    for fence in page.fences:
        starts = (">>> ", "import ", "from ")
        if fence.info == "console" and any(t.startswith(starts) for t in fence.lines):
            yield PageError(fence.first, "Python in a console would not be run")


def every_block_that_prints_shows_its_output(page: Page) -> Iterator[PageError]:
    """Find blocks that print and show nothing, or show something and do not print."""
    for program in programs_of(page):
        prints = bool(re.search(r"\bprint\(", program.code))
        if prints != bool(program.output):
            reason = "a block that prints is followed by its output, and no other is"
            yield PageError(program.first, reason)


def every_measured_number_is_a_claim_or_cited(page: Page) -> Iterator[PageError]:
    """Find numbers that look measured in paragraphs that neither claim nor cite."""
    for first, text in paragraphs(page):
        if re.search(r"\[@[\w:-]+", text) or text.lstrip().startswith("<!--"):
            continue
        if found := MEASURED.search(EXACT.sub(formulas.blank, text)):
            line = first + EXACT.sub(formulas.blank, text)[: found.start()].count("\n")
            yield PageError(
                line, f"{found[0]!r} is neither a claim nor cited nor a formula"
            )


def paragraphs(page: Page) -> Iterator[tuple[int, str]]:
    """Give the paragraphs of the prose of a page.

    Args:
        page: of the book.

    Yields:
        the number of the first line, and the text.
    """
    inside: list[str] = []
    for number, line in enumerate([*page.prose, ""], start=1):
        if line.strip():
            inside.append(line)
        elif inside:
            yield number - len(inside), "\n".join(inside)
            inside = []


def every_chapter_has_all_its_doors(page: Page) -> Iterator[PageError]:
    """Find a chapter without its module, figures, run, tests or record."""
    word = page.word
    for door in (
        f"src/dlbook/{word}.py",
        f"src/dlbook/figures/{word}.py",
        f"src/dlbook/runs/{word}.py",
        f"tests/test_{word}.py",
        f"docs/results/{word}.json",
    ):
        if not (ROOT / door).is_file():
            yield PageError(1, f"the door {door} is missing")


def every_chapter_has_its_parts(page: Page) -> Iterator[PageError]:
    """Find a chapter without its opening, a figure, a listing, a claim or a pitfall."""
    kinds = {fence.info for fence in page.fences}
    for kind in ("figure", "listing"):
        if kind not in kinds:
            yield PageError(1, f"a chapter has a {kind}")
    if not OPENING.match(page.text):
        yield PageError(3, "a chapter opens with *You need:* and *You get:*")
    if "(claim:" not in page.text:
        yield PageError(1, "a chapter has a claim")
    if not PITFALL.search(page.text):
        yield PageError(
            1, 'a chapter names the commonest mistake, `!!! warning "Pitfall: …"`'
        )


def every_chapter_closes_with_exercises_and_sources(page: Page) -> Iterator[PageError]:
    """Find a chapter that ends otherwise, or whose exercises are not solved."""
    headings = [(n, t[3:]) for n, t in enumerate(page.prose, 1) if t.startswith("## ")]
    names = [name for _, name in headings]
    if names[-2:] != ["Exercises", "Sources"]:
        reason = f"a chapter ends with Exercises and Sources, got {names[-2:]}"
        yield PageError(headings[-1][0] if headings else 1, reason)
        return
    begin, end = headings[-2][0], headings[-1][0]
    lines = page.lines[begin:end]
    starts = [n for n, text in enumerate(lines) if text.startswith("!!! question")]
    if len(starts) < EXERCISES:
        reason = f"{len(starts)} exercises, at least {EXERCISES} are needed"
        yield PageError(begin, reason)
    questions = [
        "\n".join(lines[start:stop])
        for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    for number, (start, question) in enumerate(zip(starts, questions, strict=True), 1):
        if '??? success "Solution' not in question:
            yield PageError(begin + start + 1, f"exercise {number} is not solved")
    if not any("```python" in question for question in questions):
        yield PageError(begin, "no solution runs")


def every_chapter_can_be_read_in_one_sitting(page: Page) -> Iterator[PageError]:
    """Find a chapter that is too long, and lines that no editor shows whole."""
    prose = "\n".join(page.prose)
    words = len(re.sub(r"\$\$?.*?\$\$?", "", prose, flags=re.DOTALL).split())
    if words > WORDS:
        yield PageError(1, f"{words} words, at most {WORDS}: split the chapter")
    for number, line in enumerate(page.prose, start=1):
        if len(line) > LETTERS and "|" not in line:
            yield PageError(number, f"a line of more than {LETTERS} characters")


def every_formula_can_be_set(page: Page) -> Iterator[PageError]:
    """Find formulas that KaTeX refuses."""
    yield from formulas.refused(page)


EVERY_PAGE = (
    every_name_is_known,
    every_word_belongs_to_the_dialect,
    every_formula_can_be_set,
    every_page_has_its_place,
    every_block_is_run,
    every_block_that_prints_shows_its_output,
)
EVERY_LAB = (dialect.mistakes_in_lab,)
EVERY_CHAPTER = (
    every_measured_number_is_a_claim_or_cited,
    every_chapter_has_all_its_doors,
    every_chapter_has_its_parts,
    every_chapter_closes_with_exercises_and_sources,
    every_chapter_can_be_read_in_one_sitting,
)
