"""How long a block of a page takes in a fresh interpreter, against its imports alone."""

import subprocess
import sys
import time

from benchmarks.harness import Line
from dlbook.checkout import ROOT, files
from dlbook.press.page.outputs import programs_of
from dlbook.press.page.page import Page
from dlbook.runs.race import quotients

PEER = "import torch, matplotlib"


def full() -> list[Line]:
    """Start the first block of every second chapter."""
    return compare(first_blocks()[::2])


def tiny() -> list[Line]:
    """Start one short block."""
    return compare(["import torch\nprint(torch.ones(2))"])


def first_blocks() -> list[str]:
    """Give the first program of every chapter."""
    pages = files(ROOT / "docs" / "chapters", "*.md")
    programs = (programs_of(Page.at(page)) for page in pages)
    return [found[0].code for found in programs if found]


def compare(blocks: list[str]) -> list[Line]:
    """Race each block, once, against a fresh interpreter that only imports."""
    for code in (PEER, *blocks[:1]):  # the files come into the cache of the system
        seconds_of(code)
    ours, theirs = [], []
    for turn, code in enumerate(blocks):
        pair = [(ours, code), (theirs, PEER)]
        for kept, program in pair if turn % 2 == 0 else pair[::-1]:
            kept.append(seconds_of(program))
    values = quotients(ours, theirs)
    return [
        Line("start_block", PEER, values, 1.1, "at most", ours=ours, theirs=theirs),
        Line("start_slowest_block", PEER, [max(values)]),
    ]


def seconds_of(program: str) -> float:
    """Run a program in a fresh interpreter."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, cwd=ROOT
    )
    return time.perf_counter() - started
