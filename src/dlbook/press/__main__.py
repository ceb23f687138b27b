"""The press from the command line: `python -m dlbook.press figure|outputs|page ...`."""

import argparse
import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from matplotlib import rc_context

from dlbook.checkout import DOCS, ROOT
from dlbook.figures.style import DARK, INKED, LIGHT, LOOK, in_both_themes
from dlbook.press.cache import CACHE
from dlbook.press.page import rules
from dlbook.press.page.fences import PageError
from dlbook.press.page.outputs import refresh, stale
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of
from dlbook.press.source import labs
from dlbook.press.source.drawings import draw_missing

NO_TESTS = 5  # how pytest ends where nothing was selected
PREVIEW = CACHE / "preview"


def preview_figure(name: str, arguments: list[str]) -> list[Path]:
    """Draw one figure in both themes, as SVG and PNG.

    Args:
        name: module and function, such as `knn.decision_regions`.
        arguments: of one frame, such as `k=5`.

    Returns:
        the files written.
    """
    frame = {
        key: ast.literal_eval(value)
        for key, value in (a.split("=", 1) for a in arguments)
    }
    module, _, function = name.rpartition(".")
    draw = getattr(importlib.import_module(f"dlbook.figures.{module}"), function)
    PREVIEW.mkdir(parents=True, exist_ok=True)
    written = []
    pictures = in_both_themes(draw, **frame)  # as the site shows them
    for theme, svg in zip((LIGHT, DARK), pictures, strict=True):
        stem = PREVIEW / f"{name}-{theme.name}"
        stem.with_name(f"{stem.name}.svg").write_text(svg)
        with rc_context(
            dict.fromkeys(INKED, theme.ink) | LOOK | {"axes.facecolor": theme.paper}
        ):
            picture = stem.with_name(f"{stem.name}.png")
            draw(theme, **frame).savefig(picture, dpi=110, facecolor=theme.paper)
        written += [stem.with_name(f"{stem.name}.svg"), picture]
    return written


def page_named(name: str) -> Path:
    """Find a page by its word, such as `knn`, or by its path."""
    chapter = DOCS / "chapters" / f"{name}.md"
    return chapter if chapter.is_file() else Path(name)


def check(page: Page) -> Iterator[str]:
    """Ask the rules of a page, run its blocks, and look at its claims.

    Args:
        page: of the book.

    Yields:
        every mistake as `file:line: what`.
    """
    found = rules.mistakes(page)
    told = {mistake.line for mistake in found}
    with suppress(PageError):  # of an open fence, which the rules have told
        found += [mistake for mistake in stale(page) if mistake.line not in told]
    for mistake in sorted(found, key=lambda mistake: mistake.line):
        yield f"{page.source}:{mistake.line}: {mistake.reason}"


def check_doors(page: Page) -> Iterator[str]:
    """Draw the figures of a page, run its lab, and test its module, contracts and figures.

    Args:
        page: a chapter.

    Yields:
        every mistake as `file:line: what`.
    """
    for fence in [fence for fence in page.fences if fence.info == "figure"]:
        alone = Page(page.address, "\n".join(["```figure", *fence.lines, "```"]))
        try:
            with suppress(PageError):  # which the rules have told
                draw_missing(frames_of(alone))
        except RuntimeError as error:
            yield f"{page.source}:{fence.first}: {error}"
    lab, tests = DOCS / "labs" / f"{page.word}.py", ROOT / "tests"
    try:
        labs.run_missing([lab] if lab.is_file() else [])
    except RuntimeError as error:
        yield str(error)
    for wanted in (
        [tests / f"test_{page.word}.py"],
        [tests / "test_figures.py", tests / "test_contracts.py", "-k", page.word],
    ):
        command = [sys.executable, "-m", "pytest", "-q", "--tb=line", *map(str, wanted)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        failures = re.findall(r"^/?\S+\.py:\d+: .*", done.stdout, re.MULTILINE)
        if done.returncode not in (0, NO_TESTS):
            yield from failures or [done.stdout[-2000:] + done.stderr[-2000:]]


def main() -> int:
    """Read the command line and do what it says; the exit status tells whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m dlbook.press", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    figure = commands.add_parser("figure", help="draw one figure into .cache/preview")
    figure.add_argument("name", help="such as knn.decision_regions")
    figure.add_argument("arguments", nargs="*", help="of one frame, such as k=5")
    outputs = commands.add_parser(
        "outputs", help="rewrite stale outputs and claims in pages"
    )
    outputs.add_argument(
        "pages", nargs="*", type=Path, help="default: all pages and README"
    )
    page = commands.add_parser("page", help="tell every mistake of a page")
    page.add_argument("name", help="such as knn, or docs/reference/tested.md")
    page.add_argument(
        "--all", action="store_true", help="its figures, its lab and its tests, too"
    )
    choice = parser.parse_args()
    if choice.command == "figure":
        for path in preview_figure(choice.name, choice.arguments):
            print(path.relative_to(ROOT))
        return 0
    if choice.command == "page":
        return tell(Page.at(page_named(choice.name)), choice.all)
    return write_outputs(
        choice.pages or [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    )


def tell(page: Page, is_all: bool) -> int:
    """Print every mistake of a page; 1 if there is one."""
    found = 0
    for mistake in chain(check(page), check_doors(page) if is_all else ()):
        print(mistake, flush=True)
        found += 1
    if not found:
        print(f"{page.source}: no mistake found")
    return int(found > 0)


def write_outputs(paths: Iterable[Path]) -> int:
    """Bring pages up to date; 1 if a block fails or a claim is not recorded."""
    failed = 0
    for path in paths:
        try:
            print(f"{path}: {'rewritten' if refresh(path) else 'up to date'}")
        except PageError as error:
            print(f"{path}:{error.line}: {error.reason}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
