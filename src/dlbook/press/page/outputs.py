"""Rewrite what a page prints: the outputs of its blocks, and the numbers of its claims.

`make outputs` changes the source of the pages, so that a change is reviewed as a diff.
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from dlbook.checkout import ROOT, write_atomically
from dlbook.press.page import claims
from dlbook.press.page.fences import (
    CONTINUED,
    OUTPUT,
    UNSHOWN,
    Fence,
    PageError,
    fences_of,
    lines_of,
    named,
    prose_of,
)
from dlbook.press.source.fresh import Interpreter

TICKS = re.compile(r"\s*(`*)")  # at the beginning of a line


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


def programs_of(markdown: str) -> list[Program]:
    """Find the programs of a page.

    Args:
        markdown: the text of the page.

    Returns:
        one for each block that does not go on with another.

    Raises:
        PageError: a block goes on with nothing.
    """
    prose = prose_of(markdown).split("\n")
    found: list[Program] = []
    fences = list(fences_of(markdown))
    for fence, following in pairwise([*fences, None]):
        if fence.info != "python":
            continue
        above = next(
            (t.strip() for t in reversed(prose[: fence.first - 1]) if t.strip()), ""
        )
        between = prose[fence.last : following.first - 1] if following else []
        is_output = [text.strip() for text in between if text.strip()] == [OUTPUT]
        output = following if is_output else None
        code, first = "\n".join(fence.lines), fence.first
        if above == CONTINUED:
            if not found:
                raise PageError(fence.first, "this block goes on with nothing")
            before = found.pop()
            code, first = f"{before.code}\n{code}", before.first
        found.append(Program(code, first, fence.last, output, fence.margin))
    return found


def lines_printed(program: Program, text: str) -> list[str]:
    """Set what a program prints as a fence that says exactly this, for people and for tests.

    Args:
        program: of a page.
        text: what it prints.

    Returns:
        the fence with the margin of the block; no line if it prints nothing.

    Raises:
        PageError: a page cannot hold this text.
    """
    if not text:
        return []
    if unshown := UNSHOWN.search(text):
        reason = f"this block prints {named(unshown[0])}, which no page can show"
        raise PageError(program.first, reason)
    if not text.endswith("\n"):
        raise PageError(program.first, "this block must end the last line that it prints")
    lines = text[:-1].split("\n")
    longest = max(len(TICKS.match(line)[1]) for line in lines)
    ticks = "`" * max(3, longest + 1)  # more than any line within
    return [program.margin + line for line in (f"{ticks}text", *lines, ticks)]


def refreshed(markdown: str) -> str:
    """Bring the outputs and claims of a page up to date.

    Args:
        markdown: the text of the page.

    Returns:
        the new text; equal to the old one if nothing was stale.

    Raises:
        PageError: a block fails, prints nothing any more or what no page can show, or a claim
            is not recorded.
    """
    lines = lines_of(markdown)
    for program in reversed(programs_of(markdown)):
        try:
            fence = lines_printed(program, printed(program.code))
        except RuntimeError as error:
            raise PageError(program.first, str(error)) from error
        if program.output and fence:
            lines[program.output.first - 1 : program.output.last] = fence
        elif program.output:
            raise PageError(program.first, "the block prints nothing any more")
        elif fence:
            head = ["", f"{program.margin}{OUTPUT}", ""]
            lines[program.last : program.last] = [*head, *fence]
    return refreshed_claims("\n".join(lines) + "\n")


def printed(code: str) -> str:
    """Run a program alone and give what it prints: see `dlbook.press.source.fresh`."""
    return interpreter().printed(code)


@cache
def interpreter() -> Interpreter:
    """Start the process whose copies run the programs, once for all pages."""
    return Interpreter({"OMP_NUM_THREADS": "1"})


def refreshed_claims(markdown: str) -> str:
    """Bring the claims of a page up to date, leaving its fences alone."""

    def replace(match):
        value, unit = claims.recorded(match["name"])
        return f"[{claims.rewritten(match['text'], value, unit)}](claim:{match['name']})"

    lines = lines_of(markdown)
    for number, text in enumerate(prose_of(markdown).split("\n")):
        try:
            if text:
                lines[number] = claims.CLAIM.sub(replace, text)
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
        RuntimeError: a block fails or a claim is not recorded; the message names file and line.
    """
    try:
        old = path.read_text(encoding="utf-8")
        new = refreshed(old)
    except PageError as error:
        where = f"{path.resolve().relative_to(ROOT)}:{error.line}"
        raise RuntimeError(f"{where}: {error.reason}") from error
    if new != old:
        write_atomically(path, new)
    return new != old
