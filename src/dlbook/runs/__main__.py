"""Record runs: `python -m dlbook.runs WORD [RUN ...] [--device cpu|cuda]`."""

import argparse
import importlib
import inspect

import torch

from dlbook.runs.record import Findings, record


def runs_of(word: str) -> dict:
    """Collect the runs of a chapter: the functions of its module that return findings.

    Args:
        word: the chapter, such as `knn`.

    Returns:
        functions by name, in the order in which they are written.
    """
    module = importlib.import_module(f"dlbook.runs.{word}")
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and inspect.signature(function).return_annotation is Findings
        and not name.startswith("_")
    }


def main() -> None:
    """Read the command line, run, and say where the results were written."""
    parser = argparse.ArgumentParser(prog="python -m dlbook.runs", description=__doc__)
    parser.add_argument("word", help="the chapter, such as knn")
    parser.add_argument(
        "runs", nargs="*", default=["quick"], help="names; default: quick"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda; default: cpu")
    choice = parser.parse_args()
    known = runs_of(choice.word)
    for name in choice.runs:
        if name not in known:
            parser.error(f"{choice.word} has the runs {', '.join(known)}, got {name}")
        path = record(choice.word, known[name], torch.device(choice.device))
        print(f"{choice.word} {name}: recorded in {path}")


if __name__ == "__main__":
    main()
