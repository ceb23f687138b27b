"""Run the cells of a notebook in a fresh process, with the slow imports already behind it.

A kernel takes seconds to import torch and matplotlib, which every notebook does. Here a clean
process imports them once, and each notebook runs in a copy of it, in the shell that kernels use.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

LARGE = [
    "IPython.core.interactiveshell",
    "matplotlib.figure",
    "torch",
    "sklearn.datasets",
]


def run_cells(sources: list[str]) -> list[list[str]]:
    """Run cells one after the other; give the lines that each of them prints.

    Args:
        sources: the code of each cell.

    Returns:
        for each cell its lines without white space around them; drawings are left out.

    Raises:
        Exception: whatever a cell raises.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LARGE)
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        return pool.submit(_printed_by_each, sources).result(timeout=300)


def _printed_by_each(sources: list[str]) -> list[list[str]]:
    shell = InteractiveShell.instance(
        config=Config(HistoryManager={"enabled": False}), displayhook_class=Plain
    )
    printed = []
    for source in sources:
        with capture_output() as captured:
            result = shell.run_cell(source)
        result.raise_error()
        published = [one.data for one in captured.outputs if "text/html" not in one.data]
        texts = [one["text/plain"] for one in published]
        lines = "\n".join([captured.stdout, captured.stderr, *texts]).splitlines()
        printed.append([line.strip() for line in lines if line.strip()])
    return printed


class Plain(DisplayHook):
    """Print the value of a cell's last line as it is, unless it is a drawing."""

    def write_output_prompt(self) -> None:
        """Leave out the number of the cell."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        """Print text, and nothing else."""
        if "text/html" not in format_dict:
            print(format_dict["text/plain"])
