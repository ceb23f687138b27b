"""Run the cells of notebooks, each notebook in a fresh process with the slow imports behind it.

A kernel takes seconds to import torch and matplotlib, which every notebook does. Here a clean
process imports them once, and each notebook runs in a copy of it, in the shell that kernels use.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

LARGE = [
    "IPython.core.interactiveshell",
    "matplotlib.figure",
    "torch",
    "sklearn.datasets",
]


def fresh_processes(number: int) -> ProcessPoolExecutor:
    """Start processes, each for one task, that have imported what takes long."""
    context = get_context("forkserver")
    context.set_forkserver_preload(LARGE)
    return ProcessPoolExecutor(number, context, max_tasks_per_child=1)


def run(sources: Iterable[str]) -> Iterator[list[NotebookNode]]:
    """Run cells one after the other in this process, which should be a fresh one.

    Args:
        sources: the code of each cell.

    Yields:
        the outputs of a cell, in the form in which notebooks keep them.

    Raises:
        Exception: whatever a cell raises.
    """
    silent = Config(HistoryManager={"enabled": False})
    shell = InteractiveShell.instance(config=silent, displayhook_class=Shown)
    for source in sources:
        with capture_output() as captured:
            result = shell.run_cell(source)
        result.raise_error()
        written = (("stdout", captured.stdout), ("stderr", captured.stderr))
        streams = [new_output("stream", name=n, text=text) for n, text in written if text]
        yield streams + [new_output("display_data", one.data) for one in captured.outputs]


class Shown(DisplayHook):
    """Keep the value of a cell's last line beside what the cell displays on its way."""

    def write_output_prompt(self) -> None:
        """Leave out the number of the cell."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        """Hand the value on, in all its forms."""
        self.shell.display_pub.publish(format_dict, md_dict or {})
