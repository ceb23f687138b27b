"""How long the book's figures take to save, how large they are, and all of them cold."""

import gzip
import importlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.figure import Figure

from benchmarks.harness import Line
from dlbook.checkout import ROOT, files
from dlbook.figures.style import LIGHT, Theme, to_svg
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of
from dlbook.press.source.drawings import Frame

DRAW_ALL = """
from pathlib import Path
from dlbook.checkout import files
from dlbook.press.cache import CACHE
from dlbook.press.source.drawings import draw_missing
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of
pages = files(Path.cwd() / "docs", "**/*.md")
assert CACHE.is_relative_to(Path.cwd().resolve()) and not CACHE.exists()
draw_missing([frame for page in pages for frame in frames_of(Page.at(page))])
"""


def full() -> list[Line]:
    """Save every figure of the book alone; then draw all, from nothing, on all cores."""
    frames = frames_in_book()
    first = {frame.name: frame for frame in reversed(frames)}  # one of each slider
    lines = compare(list(first.values()), rounds=1)
    wall, processor = cold_seconds(ROOT)
    count = Line("figures_count", "-", [float(len(frames))])
    cores = Line("figures_cores", "-", [float(os.cpu_count() or 1)])
    cold = Line("figures_cold", "-", [wall], 60, "at most", "s")
    busy = Line("figures_cold_processor", "-", [processor], unit="s")
    return [*lines, cold, busy, count, cores]


def tiny() -> list[Line]:
    """Save two figures."""
    frames = [Frame("knn.convergence"), Frame("features.edges")]
    return compare([frame for frame in frames if exists(frame)], rounds=1)


def exists(frame: Frame) -> bool:
    """Tell whether the function of a figure is there."""
    module, _, function = frame.name.rpartition(".")
    return hasattr(importlib.import_module(f"dlbook.figures.{module}"), function)


def frames_in_book() -> list[Frame]:
    """List all pictures that pages ask for; each frame of a slider is one."""
    pages = files(ROOT / "docs", "**/*.md")
    return list(dict.fromkeys(f for p in pages for f in frames_of(Page.at(p))))


def compare(frames: list[Frame], rounds: int) -> list[Line]:
    """Save every figure on one thread, as the press does; the first round loads code."""
    torch.set_num_threads(1)
    saving, whole, sizes = [], [], []
    for frame in frames:
        takes = [timed(frame) for _ in range(rounds + 1)][1:]
        saving.append(statistics.median(take[0] for take in takes))
        whole.append(statistics.median(take[1] for take in takes))
        sizes.append(takes[0][2])
    heavy = sum(size > 30 for size in sizes)
    return [
        Line("figures_save", "-", saving, 60, "at most", "ms"),
        Line("figures_draw_and_save", "-", whole, unit="ms"),
        Line("figures_largest", "-", [max(sizes)], 30, "at most", "kB"),
        Line("figures_size", "-", sizes, unit="kB"),
        Line("figures_above_30_kb", "-", [float(heavy)]),
    ]


def timed(frame: Frame) -> tuple[float, float, float]:
    """Draw a figure once: processor milliseconds to save, and in all; kilobytes, gzipped."""
    module, _, function = frame.name.rpartition(".")
    draw = getattr(importlib.import_module(f"dlbook.figures.{module}"), function)
    drawn: list[float] = []
    started = time.process_time()
    svg = to_svg(stamped(draw, drawn), LIGHT, **dict(frame.arguments))
    ended = time.process_time()
    size = len(gzip.compress(svg.encode(), 6)) / 1e3
    return 1e3 * (ended - drawn[0]), 1e3 * (ended - started), size


def stamped(draw: Callable[..., Figure], drawn: list[float]) -> Callable[..., Figure]:
    """Note when a drawing function is done and saving begins."""

    def drawing(theme: Theme, **frame: object) -> Figure:
        figure = draw(theme, **frame)
        drawn.append(time.process_time())
        return figure

    return drawing


def cold_seconds(root: Path) -> tuple[float, float]:
    """Draw all figures from a copy of the book without cache: seconds, and of processors."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("src", "docs"):
            shutil.copytree(root / part, copy / part)
        shutil.copy(root / "mkdocs.yml", copy)
        settings = os.environ | {"PYTHONPATH": str(copy / "src")}
        before, started = children_seconds(), time.perf_counter()
        command = [sys.executable, "-c", DRAW_ALL]
        subprocess.run(command, cwd=copy, env=settings, check=True)
        return time.perf_counter() - started, children_seconds() - before


def children_seconds() -> float:
    """Give the processor time of all processes that this one started and that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
