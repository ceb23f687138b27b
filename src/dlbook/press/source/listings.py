"""The source of the package, read without importing it: what a listing shows."""

import ast
import re
from functools import cache
from pathlib import Path

from dlbook.checkout import PACKAGE, ROOT

# knn.error_rate, data.mnist.load; a name that no file system takes is none
NAME = re.compile(r"(?:[^\W\d]\w{0,79}\.)+\w{1,80}")


def module_path(module: str) -> Path:
    """Give the file of a module, such as `knn` or `figures.knn`."""
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def definition(name: str) -> tuple[Path, ast.stmt, str]:
    """Find a function, class or constant in the source, without importing it.

    Args:
        name: module and definition, such as `knn.k_nearest_neighbors`.

    Returns:
        the file, the node, and the source text with its decorators.

    Raises:
        LookupError: the module or the definition does not exist.
    """
    if not NAME.fullmatch(name):
        raise LookupError(f"a definition is named like knn.error_rate, got {name[:80]!r}")
    module, _, wanted = name.rpartition(".")
    path = module_path(module)
    if not path.is_file():
        raise LookupError(f"{name!r}: there is no module {path.relative_to(ROOT)}")
    lines, tree = parsed(path)
    for node in tree.body:
        if wanted in names_bound_by(node):
            return path, node, source_of(node, lines)
    raise LookupError(f"{name!r}: no definition {wanted!r} in {path.relative_to(ROOT)}")


def parsed(path: Path) -> tuple[list[str], ast.Module]:
    """Read a Python file: its lines and its tree, again only after a change.

    Raises:
        LookupError: it is not Python; the message names file and line.
    """
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, _changed: int) -> tuple[list[str], ast.Module]:
    source = path.read_text(encoding="utf-8")
    try:
        return source.split("\n"), ast.parse(source)
    except SyntaxError as error:
        where = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        raise LookupError(f"{where}:{error.lineno}: {error.msg}") from error


def source_of(node: ast.stmt, lines: list[str]) -> str:
    """Cut a statement out of the lines of its file, with its decorators."""
    first = min(part.lineno for part in [node, *getattr(node, "decorator_list", [])])
    return "\n".join(lines[first - 1 : node.end_lineno])


def names_bound_by(node: ast.stmt) -> list[str]:
    """Name what a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in ast.walk(target)]
        return [part.id for part in targets if isinstance(part, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def source_address(path: Path) -> str:
    """Give the place of a source file in the site, such as `source/src/dlbook/knn.py.html`."""
    return f"source/{path.relative_to(ROOT).as_posix()}.html"
