"""Rewrite what a page prints: the outputs of its blocks, and the numbers of its claims.

`make outputs` changes the source of the pages, so that a change is reviewed as a diff.
"""

import io
import os
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from dlbook.checkout import ROOT
from dlbook.press.page import claims
from dlbook.press.page.fences import (
    CONTINUED,
    OUTPUT,
    Fence,
    PageError,
    fences_of,
    prose_of,
)


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
    prose = prose_of(markdown).splitlines()
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


def printed(code: str) -> str:
    """Run a program in a process of its own and give what it prints.

    Args:
        code: a complete program.

    Returns:
        its standard output.

    Raises:
        RuntimeError: the program failed; the message is the traceback.
    """
    import torch  # loaded once here, so that each forked program starts at once

    torch.set_num_threads(1)
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(code, sender))
    process.start()
    sender.close()
    try:
        failed, text = receiver.recv()
    except EOFError:
        failed, text = True, "the program ended its own process"
    process.join()
    if failed:
        raise RuntimeError(text)
    return text


def _run(code: str, sender) -> None:
    shown = io.StringIO()
    try:
        with redirect_stdout(shown):
            exec(compile(code, "<block>", "exec"), {"__name__": "__main__"})
        sender.send((False, shown.getvalue()))
    except BaseException:
        sender.send((True, traceback.format_exc()))
    os._exit(0)


def refreshed(markdown: str) -> str:
    """Bring the outputs and claims of a page up to date.

    Args:
        markdown: the text of the page.

    Returns:
        the new text; equal to the old one if nothing was stale.

    Raises:
        PageError: a block fails, or prints nothing any more, or a claim is not recorded.
    """
    lines: list[str] = markdown.splitlines()
    for program in reversed(programs_of(markdown)):
        try:
            text = printed(program.code).rstrip("\n")
        except RuntimeError as error:
            raise PageError(program.first, str(error)) from error
        margin = program.margin
        shown = [f"{margin}{line}".rstrip() for line in text.split("\n")] if text else []
        if program.output and shown:
            lines[program.output.first : program.output.last - 1] = shown
        elif program.output:
            raise PageError(program.first, "the block prints nothing any more")
        elif shown:
            fence = [f"{margin}```text", *shown, f"{margin}```"]
            lines[program.last : program.last] = ["", f"{margin}{OUTPUT}", "", *fence]
    return refreshed_claims("\n".join(lines) + "\n")


def refreshed_claims(markdown: str) -> str:
    """Bring the claims of a page up to date, leaving its fences alone."""

    def replace(match):
        value, unit = claims.recorded(match["name"])
        return f"[{claims.rewritten(match['text'], value, unit)}](claim:{match['name']})"

    lines = markdown.splitlines()
    for number, text in enumerate(prose_of(markdown).splitlines()):
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
    old = path.read_text()
    try:
        new = refreshed(old)
    except PageError as error:
        where = f"{path.resolve().relative_to(ROOT)}:{error.line}"
        raise RuntimeError(f"{where}: {error.reason}") from error
    if new != old:
        path.write_text(new)
    return new != old
