"""Rewrite what a page prints: the outputs of its blocks, and the numbers of its claims.

`make outputs` changes the source of the pages, so that a change is reviewed as a diff.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import zip_longest
from pathlib import Path

from dlbook.checkout import write_atomically
from dlbook.press.page import claims
from dlbook.press.page.fences import (
    CONTINUED,
    OUTPUT,
    UNSHOWN,
    Fence,
    PageError,
    named,
    outside_code,
)
from dlbook.press.page.page import Page
from dlbook.press.source.fresh import Interpreter

LONGEST, WIDEST = 100, 200  # lines of an output, and characters of a line
# ``` at the beginning of a line that a block prints
TICKS = re.compile(r"\s*(`*)")


@dataclass(frozen=True)
class Program:
    """A block with the blocks that go on with it.

    Attributes:
        code: of all of them.
        first: the line of the first opening ticks, counted from 1.
        last: the line of the last closing ticks.
        output: the fence with the expected output, if there is one.
        margin: the white space in front of the last fence.
    """

    code: str
    first: int
    last: int
    output: Fence | None
    margin: str


def programs_of(page: Page) -> list[Program]:
    """Find the programs of a page.

    Args:
        page: of the book.

    Returns:
        one for each block that does not go on with another.

    Raises:
        PageError: a block goes on with nothing.
    """
    found: list[Program] = []
    for fence in page.fences:
        if fence.info != "python":
            continue
        above = (t.strip() for t in reversed(page.prose[: fence.first - 1]) if t.strip())
        code, first = "\n".join(fence.lines), fence.first
        if next(above, "") == CONTINUED:
            if not found:
                raise PageError(fence.first, "this block goes on with nothing")
            before = found.pop()
            code, first = f"{before.code}\n{code}", before.first
        output = page.outputs.get(fence)
        found.append(Program(code, first, fence.last, output, fence.margin))
    return found


@cache
def interpreter() -> Interpreter:
    """Start the process in which programs run, once; it ends with this one."""
    return Interpreter({"OMP_NUM_THREADS": "1"})


def shown_by(program: Program) -> list[str]:
    """Run a program and set what it prints as a fence that says exactly this.

    Args:
        program: of a page.

    Returns:
        the lines of the fence with the margin of the block; none if it prints nothing.

    Raises:
        PageError: it fails, or prints what no page can hold.
    """
    try:
        text = interpreter().printed(program.code)
    except RuntimeError as error:
        raise PageError(program.first, str(error)) from error
    if not text:
        return []
    if unshown := UNSHOWN.search(text):
        reason = f"this block prints {named(unshown[0])}, which no page can show"
        raise PageError(program.first, reason)
    if not text.endswith("\n"):
        raise PageError(program.first, "this block must end the last line that it prints")
    lines = text[:-1].split("\n")
    if reason := _misshown(lines):
        raise PageError(program.first, f"this block prints {reason}")
    longest = max(len(TICKS.match(line)[1]) for line in lines)
    ticks = "`" * max(3, longest + 1)  # more than any line within
    return [program.margin + line for line in (f"{ticks}text", *lines, ticks)]


def _misshown(lines: list[str]) -> str:
    """Say what a page would not show as it was printed; nothing if it would."""
    if not lines[0].strip() or not lines[-1].strip():
        return "an empty line at the beginning or the end, which no page shows"
    if any("\t" in line for line in lines):
        return "a tab, whose width each page chooses: print spaces"
    if len(lines) > LONGEST or max(map(len, lines)) > WIDEST:
        return (
            f"{len(lines)} lines of up to {max(map(len, lines))} characters, "
            f"at most {LONGEST} of {WIDEST} can be read"
        )
    return ""


def stale(page: Page) -> Iterator[PageError]:
    """Find the blocks that fail, or print something else than the page shows.

    Args:
        page: of the book.

    Yields:
        one mistake for each.
    """
    for program in programs_of(page):
        output = program.output
        expected = list(page.lines[output.first - 1 : output.last]) if output else []
        try:
            shown = shown_by(program)
        except PageError as error:
            yield error
            continue
        if shown != expected:
            pairs = zip_longest(shown, expected, fillvalue="nothing")
            new, old = next(pair for pair in pairs if pair[0] != pair[1])
            yield PageError(
                program.first, f"this block prints {new!r}, the page shows {old!r}"
            )


def refreshed(page: Page) -> str:
    """Bring the outputs and claims of a page up to date.

    Args:
        page: of the book.

    Returns:
        the new text; equal to the old one if nothing was stale.

    Raises:
        PageError: a block fails, prints nothing any more or what no page can show, or a claim
            is not recorded.
    """
    lines = list(page.lines)
    for program in reversed(programs_of(page)):
        shown = shown_by(program)
        if program.output and shown:
            lines[program.output.first - 1 : program.output.last] = shown
        elif program.output:
            raise PageError(program.first, "the block prints nothing any more")
        elif shown:
            head = ["", f"{program.margin}{OUTPUT}", ""]
            lines[program.last : program.last] = [*head, *shown]
    return refreshed_claims(Page(page.address, "\n".join(lines) + "\n"))


def refreshed_claims(page: Page) -> str:
    """Bring the claims of a page up to date, in its prose and its captions, not in code.

    Args:
        page: of the book.

    Returns:
        the new text.

    Raises:
        PageError: a claim is not recorded, or its text is no number.
    """

    def replace(match: re.Match) -> str:
        value, unit = claims.recorded(match["name"])
        return f"[{claims.rewritten(match['text'], value, unit)}](claim:{match['name']})"

    lines = list(page.lines)
    captions = {
        number
        for fence in page.fences
        if fence.info in ("figure", "live")
        for number in range(fence.first + 1, fence.last - 1)
    }
    for number, text in enumerate(page.lines):
        try:
            if page.prose[number] or number in captions:
                lines[number] = outside_code(text, partial(claims.CLAIM.sub, replace))
        except (LookupError, ValueError) as error:
            raise PageError(number + 1, str(error.args[0])) from error
    return "\n".join(lines) + "\n"


def refresh(path: Path) -> bool:
    """Bring a page up to date in place.

    Args:
        path: of a Markdown file.

    Returns:
        whether it changed.

    Raises:
        PageError: a block fails, a claim is not recorded, or somebody saved the page
            meanwhile; then it is left as it was saved.
    """
    page = Page.at(path)
    new = refreshed(page)
    if new != page.text:
        if Page.at(path).text != page.text:  # the blocks may have run for minutes
            raise PageError(1, "the page was changed while its blocks ran: call again")
        write_atomically(path.resolve(), new)  # a link stays a link
    return new != page.text
