"""Draw the figures that pages ask for: in parallel, and only those that are new."""

import ast
import importlib
import inspect
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from dlbook.checkout import PACKAGE, files, write_atomically
from dlbook.press.cache import clean, is_kept, place
from dlbook.press.source.dependencies import digest_of
from dlbook.press.source.listings import definition

FOLDER = "figures"
THEMES = ("light", "dark")
FORMS = (*THEMES, *(f"{theme}-narrow" for theme in THEMES))
WITHOUT_FIGURES = {"style", "narrow"}  # modules among those of the figures
# `<svg xmlns:xlink="…" width="504pt" height="216pt" viewBox=…`: 72 points are 96 pixels
SIZE = re.compile(r'<svg[^>]*?width="([\d.]+)pt"[^>]*?height="([\d.]+)pt"')
AT_MOST = 8000  # drawings in the cache: some states of the whole book


@dataclass(frozen=True)
class Frame:
    """One picture to be drawn.

    Attributes:
        name: module and function, such as `knn.decision_regions`.
        arguments: of this frame, as (name, value) pairs.
    """

    name: str
    arguments: tuple[tuple[str, object], ...] = ()

    def cached(self, form: str) -> Path:
        """Give the file in which this picture is kept, drawn or not, in one of `FORMS`."""
        state = digest_of(self.name, dict(self.arguments))
        return place(FOLDER, f"-{form}.svg", [state])

    def address(self, form: str) -> str:
        """Give the place of this picture in the site, in one of `FORMS`."""
        values = "".join(f"-{key}-{value}" for key, value in self.arguments)
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in values)
        return f"assets/figures/{self.name.replace('.', '/')}{stem}-{form}.svg"


@dataclass(eq=False)
class DrawingError(RuntimeError):
    """A figure that could not be drawn.

    Attributes:
        name: module and function.
        reason: the type and the message of its error.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        """Say both."""
        return f"figure {self.name!r}: {self.reason}"


def pixels_of(svg: str) -> tuple[int, int] | None:
    """Read the size of a drawing.

    Args:
        svg: as matplotlib writes it.

    Returns:
        width and height in pixels; None if it does not say.
    """
    match = SIZE.search(svg[:2000])
    return tuple(round(float(n) * 4 / 3) for n in match.groups()) if match else None


def alternative_text(name: str) -> str:
    """Read a figure aloud: the docstring of its function, on one line.

    Args:
        name: module and function, such as `knn.decision_regions`.

    Returns:
        the text, in which `{k}` stands for the value of a frame.

    Raises:
        LookupError: there is no such function, or it says nothing.
    """
    _, node, _ = definition(f"figures.{name}")
    text = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
    if not text:
        raise LookupError(f"{name!r}: a figure must be a function with a docstring")
    return " ".join(text.split())


def require_parameters(name: str, arguments: Iterable[str]) -> None:
    """Look whether a figure takes the arguments of its frames, without importing it.

    Args:
        name: module and function, such as `knn.map_on_the_curve`.
        arguments: their names.

    Raises:
        LookupError: it has no such parameter, or needs another one.
    """
    _, node, _ = definition(f"figures.{name}")
    _, *parameters = [argument.arg for argument in node.args.args]
    needed = parameters[: len(parameters) - len(node.args.defaults)]
    given = list(arguments)
    if not set(needed) <= set(given) <= set(parameters):
        there = ", ".join(parameters) or "no parameters"
        raise LookupError(f"{name!r} has {there}, got {', '.join(given) or 'none'}")


def draw_missing(frames: Iterable[Frame]) -> None:
    """Draw every picture that the cache does not hold, on all cores.

    Args:
        frames: what the pages ask for; repeated ones are drawn once.

    Raises:
        DrawingError: a figure function failed.
        RuntimeError: one of them ended its own process.
    """
    places = {f: {form: f.cached(form) for form in FORMS} for f in dict.fromkeys(frames)}
    missing = [
        frame for frame, paths in places.items() if not all(map(is_kept, paths.values()))
    ]
    if not missing:
        return
    workers = min(len(missing), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            failures = pool.map(_draw, missing, map(places.get, missing))
            for frame, failure in zip(missing, failures, strict=True):
                if failure:
                    raise DrawingError(frame.name, failure)
        except BrokenProcessPool as error:
            names = ", ".join(dict.fromkeys(frame.name for frame in missing))
            raise RuntimeError(f"one of {names} ended its own process") from error
    clean(FOLDER, AT_MOST)


def _draw(frame: Frame, places: dict[str, Path]) -> str:
    """Draw one picture in all forms to their places; say what failed, if anything did."""
    import torch

    from dlbook.figures.style import in_both_widths

    # one process for each core is faster than threads, and steadier
    torch.set_num_threads(1)
    module, _, function = frame.name.rpartition(".")
    try:
        draw = getattr(importlib.import_module(f"dlbook.figures.{module}"), function)
        for form, svg in in_both_widths(draw, **dict(frame.arguments)).items():
            write_atomically(places[form], svg)
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def figures_of(word: str) -> dict[str, Callable]:
    """Collect the figures of a chapter: the functions of its module that take a theme.

    Args:
        word: of the chapter, such as `knn`.

    Returns:
        functions by name, in the order in which they are written.

    Raises:
        LookupError: there are no figures for this word.
    """
    modules = [path.stem for path in files(PACKAGE / "figures", "[a-z]*.py")]
    known = [module for module in modules if module not in WITHOUT_FIGURES]
    if word not in known:
        raise LookupError(f"there are figures for {', '.join(known)}, got {word!r}")
    module = importlib.import_module(f"dlbook.figures.{word}")
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "theme"
    }


def figure_named(name: str, arguments: Iterable[str]) -> tuple[Callable, dict]:
    """Find a figure, and read the arguments of one frame of it.

    Args:
        name: module and function, such as `knn.map_on_the_curve`.
        arguments: such as `k=5`, each a parameter with a literal.

    Returns:
        the function, and its arguments by name.

    Raises:
        LookupError: there is no such figure or parameter, or a value is no literal.
    """
    word, _, wanted = name.partition(".")
    known = figures_of(word)
    if wanted not in known:
        raise LookupError(f"{word} has the figures {', '.join(known)}, got {name!r}")
    draw = known[wanted]
    _, *parameters = inspect.signature(draw).parameters
    frame = {}
    for argument in arguments:
        key, _, value = argument.partition("=")
        if key not in parameters:
            there = ", ".join(parameters) or "no parameters"
            raise LookupError(f"{name} has {there}, got {argument!r}")
        if key in frame:
            raise LookupError(f"{name} takes one {key}, got {argument!r} after another")
        try:
            frame[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError) as error:
            reason = f"is written like {key}=5, got {argument!r}"
            raise LookupError(f"a parameter of {name} {reason}") from error
    missing = [p for p in parameters if p not in frame and _is_required(draw, p)]
    if missing:
        raise LookupError(f"{name} needs {', '.join(missing)}, written like k=5")
    return draw, frame


def _is_required(draw: Callable, parameter: str) -> bool:
    return (
        inspect.signature(draw).parameters[parameter].default is inspect.Parameter.empty
    )
