"""The fences of a page: where they stand, and what a figure asks for.

Every fence is found, also those that are left to Markdown, so that nothing inside them is
mistaken for prose.
"""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite

OUTPUT = "<!--pytest-codeblocks:expected-output-->"
CONTINUED = "<!--pytest-codeblocks:cont-->"
# ```python, and ````text inside an admonition, four spaces from the margin
OPENING = re.compile(r"^(?P<margin> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)$")
# Such as `> ```python`, `- ```python`, `~~~python`, and three ticks around code in a line.
STRANGE = re.compile(r"(?:\s|>|[-*+] |\d+[.)] )*(?:```|~~~)")
# Control characters, halves of characters, and what ends a line for Python but not for Markdown.
UNSHOWN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
# `code`, ``code with a ` in it``
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
# knn.convergence, or knn.map_on_the_curve k = 1, 11, 51
REQUEST = re.compile(r"(?P<name>[\w.]+)(?:\s+(?P<parameter>\w+)\s*=\s*(?P<values>.+))?")


@dataclass(eq=False)
class PageError(Exception):
    """What is wrong with a page, and where.

    Attributes:
        line: counted from 1.
        reason: a sentence.
    """

    line: int
    reason: str

    def __str__(self) -> str:
        """Say it as editors and people read it, without the file."""
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True)
class Fence:
    """One fenced block of a page.

    Attributes:
        info: what stands behind the opening ticks, such as `python`.
        lines: what stands inside, without the margin.
        margin: the white space in front, for a fence inside an admonition or a list.
        first: the line of the opening ticks, counted from 1.
        last: the line of the closing ticks.
    """

    info: str
    lines: tuple[str, ...]
    margin: str
    first: int
    last: int


@dataclass(frozen=True)
class Drawing:
    """What a `figure` fence asks for.

    Attributes:
        name: module and function, such as `knn.decision_regions`.
        caption: Markdown, on one line.
        frames: the arguments of each frame; one empty dictionary for a still figure.
    """

    name: str
    caption: str
    frames: tuple[dict, ...] = field(default=({},))


def lines_of(markdown: str) -> list[str]:
    """Split a page into lines, which end as they do for Markdown and for the tests.

    Args:
        markdown: the text of a page.

    Returns:
        the lines, without what ends them.

    Raises:
        PageError: a line holds a character that no page can show.
    """
    lines = markdown.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if unshown := UNSHOWN.search(line):
            raise PageError(number, f"no page can show the character {named(unshown[0])}")
    return lines


def outside_code(text: str, replace: Callable[[str], str]) -> str:
    """Change what is not set as code in a line of prose.

    Args:
        text: the line.
        replace: gives for a piece between code what takes its place.

    Returns:
        the line with the same code.
    """
    done, pieces = 0, []
    for code in CODE.finditer(text):
        pieces += [replace(text[done : code.start()]), code[0]]
        done = code.end()
    return "".join([*pieces, replace(text[done:])])


def named(character: str) -> str:
    """Write a character that cannot be shown, such as `U+000C`."""
    return f"U+{ord(character):04X}"


def fences_of(lines: Sequence[str]) -> Iterator[Fence]:
    """Find the fences of a page, in order.

    Args:
        lines: of the page.

    Yields:
        one fence after the other.

    Raises:
        PageError: a fence is opened and never closed, or opened, filled or closed in a way that
            Markdown and the tests would not understand alike.
    """
    number = 0
    while number < len(lines):
        opening = OPENING.match(lines[number])
        number += 1
        if not opening:
            _require_no_fence(lines[number - 1], number)
            continue
        margin, ticks = opening["margin"], opening["ticks"]
        first, inside = number, []
        while number < len(lines) and not lines[number].lstrip().startswith(ticks):
            inside.append(lines[number].removeprefix(margin))
            _require_margin(lines[number], margin, number + 1)
            number += 1
        if number == len(lines):
            raise PageError(first, "the fence opened here is never closed")
        number += 1
        if lines[number - 1].rstrip() != margin + ticks:
            reason = f"line {number} must close it with {len(ticks)} ticks below its own"
            raise PageError(first, f"{reason}, or it needs more ticks than it holds")
        yield Fence(opening["info"].rstrip(), tuple(inside), margin, first, number)


def _require_no_fence(line: str, number: int) -> None:
    if STRANGE.match(line):
        raise PageError(
            number,
            "fences are made of backticks, three or more on a line of their own, indented "
            "with spaces; behind the sign of a list or a quote none would be run",
        )


def _require_margin(line: str, margin: str, number: int) -> None:
    if line.strip() and not line.startswith(margin):
        raise PageError(number, f"a line of a fence must be indented by {len(margin)}")


def drawing_of(fence: Fence) -> Drawing:
    """Read what a `figure` fence asks for.

    Args:
        fence: a fence whose info is `figure`.

    Returns:
        the drawing with its caption and frames.

    Raises:
        PageError: the first line is not a name, or the values of the frames are not literals.
    """
    request = REQUEST.fullmatch(fence.lines[0].strip()) if fence.lines else None
    if not request:
        raise PageError(fence.first, "a figure fence must begin with a name")
    caption = " ".join(" ".join(fence.lines[1:]).split())
    if not request["parameter"]:
        return Drawing(request["name"], caption)
    try:
        values = ast.literal_eval(f"({request['values']},)")
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        reason = f"frames must be literals, got {request['values'][:80]}"
        raise PageError(fence.first, reason) from error
    fit = [type(v) in (int, str) or (type(v) is float and isfinite(v)) for v in values]
    if not all(fit):
        reason = f"a frame is a number or a word, got {request['values'][:80]}"
        raise PageError(fence.first, reason)
    if len({str(value) for value in values}) < len(values):
        reason = f"each frame is shown once, got {request['values'][:80]}"
        raise PageError(fence.first, reason)
    frames = tuple({request["parameter"]: value} for value in values)
    return Drawing(request["name"], caption, frames)
