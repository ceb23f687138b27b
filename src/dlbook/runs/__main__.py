"""Record runs: `python -m dlbook.runs WORD [RUN ...] [--device cpu|cuda]`."""

import argparse
import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

import torch

from dlbook import checkout
from dlbook.runs.record import Findings, record, require_folder, sections_of


def words() -> list[str]:
    """List what has runs: the modules beside this one that hold a function of findings."""
    modules = checkout.files(Path(__file__).parent, "[a-z]*.py")
    return [m.stem for m in modules if "-> Findings:" in m.read_text(encoding="utf-8")]


def runs_of(word: str) -> dict[str, Callable]:
    """Collect the runs of a chapter: the functions of its module that return findings.

    Args:
        word: the chapter, such as `knn`.

    Returns:
        functions by name, in the order in which they are written.

    Raises:
        LookupError: there are no runs for this word.
    """
    if word not in words():
        raise LookupError(f"there are runs for {', '.join(words())}, got {word!r}")
    module = importlib.import_module(f"dlbook.runs.{word}")
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and inspect.signature(function).return_annotation is Findings
        and not name.startswith("_")
    }


def wanted(word: str, names: list[str]) -> list[Callable]:
    """Find runs by their names.

    Args:
        word: the chapter, such as `knn`.
        names: such as `quick`.

    Returns:
        the functions, in the order of their names.

    Raises:
        LookupError: one of them does not exist; none is run then.
    """
    known = runs_of(word)
    for name in names:
        if name not in known:
            raise LookupError(f"{word} has the runs {', '.join(known)}, got {name!r}")
    return [known[name] for name in names]


def device_named(name: str) -> torch.device:
    """Find the device to compute on.

    Args:
        name: `cpu`, `cuda`, or one of several, such as `cuda:1`.

    Returns:
        a device that is there.

    Raises:
        LookupError: it is not, or runs are not recorded on such a device.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = ["cpu", *(["cuda"] if count else []), *(f"cuda:{n}" for n in range(count))]
    if name not in there:
        raise LookupError(f"the device must be one of {', '.join(there)}, got {name!r}")
    return torch.device(name)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, run, and say where the results were written.

    Args:
        arguments: instead of those of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m dlbook.runs", description=__doc__)
    parser.add_argument("word", help="the chapter, such as knn")
    parser.add_argument(
        "runs", nargs="*", default=["quick"], help="names; default: quick"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda; default: cpu")
    choice = parser.parse_args(arguments)
    try:
        functions = wanted(choice.word, choice.runs)
        device = device_named(choice.device)
        require_folder()
        sections_of(choice.word)  # which the new findings join
    except (LookupError, OSError, ValueError) as error:
        parser.error(str(error))
    for function in functions:
        path = record(choice.word, function, device)
        print(f"{choice.word} {function.__name__}: recorded in {path}", flush=True)


if __name__ == "__main__":
    main()
