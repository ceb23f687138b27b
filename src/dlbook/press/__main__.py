"""The press from the command line: `python -m dlbook.press figure|outputs|page|emit ...`."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile

from matplotlib import rc_context

from dlbook.checkout import DOCS, RESULTS, ROOT, chapters, files, write_atomically
from dlbook.figures.style import DARK, INKED, LIGHT, LOOK, for_a_phone, in_both_widths
from dlbook.press.cache import CACHE
from dlbook.press.downloads.plain import plain, plain_lab
from dlbook.press.page import rules
from dlbook.press.page.citations import entries
from dlbook.press.page.dialect import understood
from dlbook.press.page.fences import PageError
from dlbook.press.page.outputs import refresh, stale
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of
from dlbook.press.source import labs
from dlbook.press.source.drawings import draw_missing, figure_named
from dlbook.press.web.bibliography import bibliography_page
from dlbook.press.web.results import results_page
from dlbook.runs.record import sections_of

NO_TESTS = 5  # how pytest ends where nothing was selected
PREVIEW = CACHE / "preview"


def preview_figure(name: str, draw: Callable, frame: dict) -> list[Path]:
    """Draw one figure in both themes and for both widths, as SVG and PNG.

    Args:
        name: of the files.
        draw: the function of the figure.
        frame: its arguments beside the theme.

    Returns:
        the files written.
    """
    PREVIEW.mkdir(parents=True, exist_ok=True)
    written = []
    for form, svg in in_both_widths(draw, **frame).items():  # as the site shows them
        written.append(PREVIEW / f"{name}-{form}.svg")
        written[-1].write_text(svg, encoding="utf-8")
    for theme in (LIGHT, DARK):
        with rc_context(
            dict.fromkeys(INKED, theme.ink) | LOOK | {"axes.facecolor": theme.paper}
        ):
            wide, narrow = (
                PREVIEW / f"{name}-{theme.name}{form}.png" for form in ("", "-narrow")
            )
            figure = draw(theme, **frame)
            figure.savefig(wide, dpi=110, facecolor=theme.paper)
            figure = for_a_phone(figure, draw, theme, **frame)
            figure.savefig(narrow, dpi=110, facecolor=theme.paper)
            written += [wide, narrow]
    return written


def page_named(name: str) -> Path:
    """Find a page.

    Args:
        name: a word, such as `knn`, or the path of a Markdown file of the book.

    Raises:
        LookupError: there is no such page.
    """
    try:
        chapter, path = DOCS / "chapters" / f"{name}.md", Path(name).resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise LookupError(f"a page is a file, got {name!r}: {error}") from error
    if chapter in files(DOCS / "chapters", "*.md"):
        return chapter
    if path not in [ROOT / "README.md", *files(DOCS, "**/*.md")]:
        known = ", ".join(chapters())
        raise LookupError(f"a page is {known}, or a Markdown file of docs, got {name!r}")
    return Path(name)


def check(page: Page) -> Iterator[str]:
    """Ask the rules of a page, run its blocks, and look at its claims.

    Args:
        page: of the book.

    Yields:
        every mistake as `file:line: what`.
    """
    found = rules.mistakes(page) or list(understood(page))
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
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
        failures = re.findall(r"^/?\S+\.py:\d+: .*", done.stdout, re.MULTILINE)
        if done.returncode not in (0, NO_TESTS):
            yield from failures or [done.stdout[-2000:] + done.stderr[-2000:]]


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and do what it says.

    Args:
        arguments: instead of those of the command line.

    Returns:
        the exit status, 0 if all is well.
    """
    parser = argparse.ArgumentParser(prog="python -m dlbook.press", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    figure = commands.add_parser("figure", help="draw one figure into .cache/preview")
    figure.add_argument("name", help="such as knn.convergence")
    figure.add_argument("arguments", nargs="*", help="of one frame, such as k=5")
    outputs = commands.add_parser(
        "outputs", help="rewrite stale outputs and claims in pages"
    )
    outputs.add_argument(
        "pages", nargs="*", help="such as knn; default: all pages and README"
    )
    page = commands.add_parser("page", help="tell every mistake of a page")
    page.add_argument(
        "pages", nargs=1, metavar="name", help="such as knn, or docs/reference/tested.md"
    )
    page.add_argument(
        "--all", action="store_true", help="its figures, its lab and its tests, too"
    )
    emitted = commands.add_parser("emit", help="write every page as plain Markdown")
    emitted.add_argument("folder", type=Path, help="for the pages and their pictures")
    choice = parser.parse_args(arguments)
    try:  # nothing is computed before every name is known
        if choice.command == "figure":
            asked = figure_named(choice.name, choice.arguments)
        entries()
        for path in files(RESULTS, "*.json"):
            sections_of(path.stem)
        if choice.command == "emit":
            require_place(choice.folder)
        paths = [page_named(name) for name in getattr(choice, "pages", [])]
    except (LookupError, OSError, ValueError) as error:
        parser.error(str(error if isinstance(error, OSError) else error.args[0]))
    if choice.command == "figure":
        for path in preview_figure(choice.name, *asked):
            print(path.relative_to(ROOT))
        return 0
    if choice.command == "emit":
        return emit(choice.folder)
    if choice.command == "page":
        return tell(paths[0], choice.all)
    return write_outputs(paths or [ROOT / "README.md", *files(DOCS, "**/*.md")])


def require_place(folder: Path) -> None:
    """Refuse to emit pages over their own sources, or where none can be written."""
    place = folder.resolve()
    ours = (ROOT.resolve(), *ROOT.resolve().parents)
    if place.is_relative_to(DOCS.resolve()) or place in ours or place.is_file():
        raise ValueError(f"pages are emitted into a folder outside {DOCS}, got {folder}")
    if place.is_dir() and any(place.iterdir()):
        raise ValueError(f"pages are emitted into an empty folder, got {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=folder):
        pass


def emit(folder: Path) -> int:
    """Write every page as plain Markdown, with its pictures, for other programs to show.

    Args:
        folder: in which they are written, in the places that they have below `docs`.

    Returns:
        the exit status: 1, with every mistake told and nothing written, if a page has one.
    """
    if sum(map(_told, files(DOCS, "**/*.md"))):  # all of them, not up to the first
        return 1
    pages = [Page.at(path) for path in files(DOCS, "**/*.md")]
    scripts = files(DOCS / "labs", "*.py")
    frames = [frame for page in pages for frame in frames_of(page)]
    draw_missing(frames)
    labs.run_missing(scripts)
    made = {page.address: plain(page) for page in pages}
    for frame in frames:
        made[frame.address("light")] = frame.cached("light").read_text(encoding="utf-8")
    for script in scripts:
        lab = labs.kept(script).read_text(encoding="utf-8")
        text, drawings = plain_lab(lab, script.stem)
        made |= {f"labs/{script.stem}.md": text, **drawings}
    made["reference/results.md"] = results_page([])  # no place in them has an anchor
    made["reference/bibliography.md"] = bibliography_page(pages)
    for address, content in made.items():
        write_atomically(folder / address, content)
    return 0


def _told(path: Path) -> bool:
    """Print the mistakes of a page that its rules find; tell whether there is one."""
    try:
        page = Page.at(path)
        found = rules.mistakes(page)
    except PageError as error:  # what cannot even be read
        found = [error]
    shown = path.relative_to(ROOT).as_posix()
    for mistake in found:
        print(f"{shown}:{mistake.line}: {mistake.reason}", file=sys.stderr)
    return bool(found)


def tell(path: Path, is_all: bool) -> int:
    """Print every mistake of a page, as soon as it is found; 1 if there is one."""
    found = 0
    try:
        page = Page.at(path)
        for mistake in chain(check(page), check_doors(page) if is_all else ()):
            print(mistake, flush=True)
            found += 1
    except PageError as error:  # what cannot even be read
        print(f"{path}:{error.line}: {error.reason}")
        found += 1
    if not found:
        print(f"{path}: no mistake found")
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
