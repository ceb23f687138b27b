"""Run a benchmark at its full size, and write it down as a run is written down."""

import importlib
import json
import os
from dataclasses import asdict
from importlib.metadata import version

import torch

from benchmarks.harness import ANY, Line
from dlbook.data import mnist
from dlbook.runs.provenance import provenance, write_atomically
from dlbook.runs.record import RESULTS, Claim

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


def section_of(word: str, lines: list[Line], seconds: float, threads: int) -> dict:
    """Describe one benchmark as a section of a record: claims with their provenance.

    Args:
        word: its module.
        lines: what it measured.
        seconds: how long it took.
        threads: of torch.

    Returns:
        what can be written as JSON.
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
    return section | {"claims": {name: asdict(claim) for name, claim in claims.items()}}


def write(word: str, section: dict) -> None:
    """Put a section into `docs/results/benchmarks.json`; leave the others.

    Args:
        word: its name.
        section: from `section_of`.
    """
    path = RESULTS / "benchmarks.json"
    sections = json.loads(path.read_text()) if path.is_file() else {}
    sections[word] = section
    write_atomically(path, json.dumps(sections, indent=1, sort_keys=True) + "\n")
