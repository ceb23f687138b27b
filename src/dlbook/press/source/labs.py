"""Run the labs, in parallel, and only those whose outputs are not known."""

import os
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import jupytext

from dlbook.checkout import ROOT, write_atomically
from dlbook.press.cache import clean, is_kept, place
from dlbook.press.source.cells import fresh_processes, run
from dlbook.press.source.dependencies import digest_of_script

LIBRARIES = ("mkdocs-jupyter", "nbconvert")  # beside those that compute and draw


def run_missing(paths: Iterable[Path]) -> None:
    """Run every lab whose outputs the cache does not hold, on all cores.

    Args:
        paths: percent scripts, `docs/labs/<word>.py`.

    Raises:
        RuntimeError: a cell failed; the message names file and line.
    """
    missing = [path for path in paths if not is_kept(kept(path))]
    if not missing:
        return
    with fresh_processes(min(len(missing), os.cpu_count() or 1)) as pool:
        for failure in pool.map(_run, missing):
            if failure:
                raise RuntimeError(failure)
    clean("labs", at_most=300)


def kept(path: Path) -> Path:
    """Give the file that keeps a lab as a notebook with its outputs, run or not.

    mkdocs-jupyter keeps what it runs by the bytes of the lab alone, and would show old outputs
    after a change of the package. So the labs are run here, and shown there.
    """
    return place("labs", f"/{path.stem}.ipynb", [digest_of_script(path)])


def _run(path: Path) -> str:
    """Run one lab; say what failed, if anything did."""
    import torch

    torch.set_num_threads(1)  # one lab for each core
    lab = jupytext.read(path)
    cells = [cell for cell in lab.cells if cell.cell_type == "code"]
    outputs = run(cell.source for cell in cells)
    for cell in cells:
        try:
            cell.outputs = next(outputs)
        except Exception as error:
            where = f"{path.relative_to(ROOT)}:{line_of(path, cell.source)}"
            return f"{where}: {type(error).__name__}: {error}"
    for number, cell in enumerate(lab.cells):
        cell["id"] = f"cell-{number}"  # else a random one, and other bytes at each build
    lab.metadata["made_with"] = {name: version(name) for name in LIBRARIES}
    write_atomically(kept(path), jupytext.writes(lab, fmt="ipynb"))
    return ""


def line_of(path: Path, source: str) -> int:
    """Find a cell of a lab: the line on which its source begins, counted from 1."""
    return path.read_text().splitlines().index(source.splitlines()[0]) + 1
