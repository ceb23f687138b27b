"""Run a benchmark at its full size, and write it down as a run is written down."""

import importlib
import os
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.harness import Line
from dlbook.data import mnist
from dlbook.runs.race import ANY
from dlbook.runs.record import Claim, provenance, write

WORDS = (
    *("knn", "perceptron", "svm", "features", "backprop", "evaluation", "cnn"),
    *("mnist", "figures", "start"),
)
ON_MNIST = ("knn", "perceptron", "svm", "features", "mnist")
LIBRARIES = ("faiss-cpu", "matplotlib", "scikit-learn", "torchvision")


def measured(word: str) -> tuple[list[Line], int]:
    """Run one benchmark at its full size.

    Args:
        word: its module.

    Returns:
        its lines, and how many threads torch took.
    """
    return importlib.import_module(f"benchmarks.{word}").full(), torch.get_num_threads()


def write_down(word: str, lines: list[Line], seconds: float, threads: int) -> Path:
    """Record one benchmark: its claims with their provenance.

    Args:
        word: its module.
        lines: what it measured.
        seconds: how long it took.
        threads: of torch.

    Returns:
        `docs/results/benchmarks.json`; its other sections are left as they were.
    """
    section = provenance("benchmarks", word, torch.device("cpu"), seconds)
    limit = os.environ.get("OMP_NUM_THREADS")
    told = f"OMP_NUM_THREADS={limit} " if limit else ""
    section["command"] = f"{told}python -m benchmarks {word}"
    section["versions"] |= {name: version(name) for name in LIBRARIES}
    section["data"] = {"MNIST": mnist.checksum()} if word in ON_MNIST else {}
    claims = {f"{word}_threads": Claim(threads, tolerance=ANY)}
    for line in lines:
        claims |= line.claims()
    return write("benchmarks", word, section, claims)
