"""Run the labs, in parallel, and only those whose outputs are not known."""

import io
import os
import re
import sys
from collections.abc import Iterable
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from pathlib import Path

import jupytext

from dlbook.checkout import ROOT, write_atomically
from dlbook.press.cache import clean, is_kept, place
from dlbook.press.source.cells import fresh_processes, run
from dlbook.press.source.dependencies import digest_of_script

LIBRARIES = ("mkdocs-jupyter", "nbconvert")  # beside those that compute and draw
# `# %%` and `# %% a title`, not `# %% [markdown]`
MARK = re.compile(r"# ?%%(?!.*\[(?:markdown|md|raw)\])")


def run_missing(paths: Iterable[Path]) -> list[Path]:
    """Run every lab whose outputs the cache does not hold, on all cores.

    Args:
        paths: percent scripts, `docs/labs/<word>.py`.

    Returns:
        for each the file that keeps it with its outputs, as the source was at the beginning.

    Raises:
        RuntimeError: a cell failed; the message names file and line.
    """
    paths = list(paths)
    places = [_kept_or_refused(path) for path in paths]
    pairs = zip(paths, places, strict=True)
    missing = [(path, made) for path, made in pairs if not is_kept(made)]
    if not missing:
        return places
    with fresh_processes(min(len(missing), os.cpu_count() or 1)) as pool:
        try:
            for failure in pool.map(_run, *zip(*missing, strict=True)):
                if failure:
                    raise RuntimeError(failure)
        except BrokenProcessPool as error:
            left = ", ".join(_shown(path) for path, made in missing if not made.is_file())
            raise RuntimeError(f"one of {left}: a cell ended its own process") from error
    clean("labs", at_most=300)
    return places


def _kept_or_refused(path: Path) -> Path:
    try:
        return kept(path)
    except (LookupError, OSError) as error:
        raise RuntimeError(f"{_shown(path)}: {error}") from error


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def kept(path: Path) -> Path:
    """Give the file that keeps a lab as a notebook with its outputs, run or not.

    mkdocs-jupyter keeps what it runs by the bytes of the lab alone, and would show old outputs
    after a change of the package. So the labs are run here, and shown there.
    """
    return place("labs", f"/{path.stem}.ipynb", [digest_of_script(path)])


def _run(path: Path, made: Path) -> str:
    """Run one lab, and keep it with its outputs; say what failed, if anything did."""
    import torch

    torch.set_num_threads(1)  # one lab for each core
    sys.stdin = io.StringIO()  # nobody is there to answer
    lab = jupytext.read(path)
    cells = [cell for cell in lab.cells if cell.cell_type == "code"]
    outputs = run(cell.source for cell in cells)
    for number, cell in enumerate(cells):
        try:
            cell.outputs = next(outputs)
        except (Exception, SystemExit) as error:
            where = f"{_shown(path)}:{line_of(path, number)}"
            return f"{where}: {type(error).__name__}: {error}"
    for number, cell in enumerate(lab.cells):
        cell["id"] = f"cell-{number}"  # else a random one, and other bytes at each build
    lab.metadata["made_with"] = {name: version(name) for name in LIBRARIES}
    write_atomically(made, jupytext.writes(lab, fmt="ipynb"))
    return ""


def line_of(path: Path, number: int) -> int:
    """Find a cell of a lab.

    Args:
        path: of the percent script.
        number: of the cell among those with code, counted from 0.

    Returns:
        the line on which its code begins, counted from 1; 1 if the cells are not marked.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    marked = [n for n, line in enumerate(lines, start=1) if MARK.match(line)]
    if number >= len(marked):
        return 1
    filled = (n for n, t in enumerate(lines, start=1) if n > marked[number] and t.strip())
    return next(filled, marked[number])
