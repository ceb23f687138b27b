"""What a drawing or a lab depends on: the definitions it reaches, the records, the versions.

The digest of all this names it in the cache. A changed definition gives a new name
to everything that reaches it and to nothing else, so that nothing stale can be shown.
"""

import ast
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dlbook.checkout import PACKAGE, RESULTS, SETTINGS, files
from dlbook.press.source.listings import module_path, names_bound_by, parsed, source_of

LIBRARIES = ("matplotlib", "numpy", "scikit-learn", "scipy", "torch", "torchvision")
# claims_of("knn")
RECORDS = re.compile(r"""claims_of\(\s*["'](\w+)["']""")


def digest_of(name: str, frame: dict) -> str:
    """Name a drawing by everything that decides how it looks.

    Args:
        name: module and function in `dlbook.figures`, such as `knn.decision_regions`.
        frame: the arguments of the frame.

    Returns:
        16 hexadecimal digits.
    """
    request = f"{name}({sorted(frame.items())})"
    return shortened(f"{request}\0{_surroundings(name, newest())}")


def digest_of_script(path: Path) -> str:
    """Name what a script prints and shows by everything that decides it.

    Args:
        path: of a Python file that imports from the book, such as a lab.

    Returns:
        16 hexadecimal digits.

    Raises:
        LookupError: it imports what does not exist.
    """
    lines, tree = parsed(path)
    texts = followed(imports_of(tree).values()) | {"script": "\n".join(lines)}
    return shortened(_joined(texts, {path.stem}))


def shortened(text: str) -> str:
    """Give the first 16 of the 64 hexadecimal digits of a text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def look_again() -> None:
    """Let the next digest see what has changed since the last build began."""
    newest.cache_clear()


@cache
def newest() -> int:
    """Give the date of the last change of anything that a drawing may depend on.

    Returns:
        nanoseconds, as the file system gives them; `look_again` lets it look anew.
    """
    folders = (PACKAGE, *PACKAGE.glob("*/"), RESULTS)
    inside = [path for folder in folders for path in files(folder, "*.*")]
    return max(path.stat().st_mtime_ns for path in [*inside, *folders, SETTINGS])


@cache
def _surroundings(name: str, _changed: int) -> str:
    """Join all that decides how every frame of a figure looks."""
    module, _, function = name.rpartition(".")
    texts = reached_by(f"figures.{module}", function)
    texts |= reached_by("figures.style", "in_both_widths")
    return _joined(texts, {module})


def _joined(texts: dict[str, str], words: set[str]) -> str:
    """Join sources with the versions, and with the records and files that they read."""
    words = words | {word for text in texts.values() for word in RECORDS.findall(text)}
    read = [RESULTS / f"{word}.json" for word in sorted(words)]
    if any(key.startswith("data.") for key in texts):
        read += data_files()
    parts = [*(f"{key}\n{texts[key]}" for key in sorted(texts)), versions()]
    parts += [path.read_text(encoding="utf-8") for path in read if path.is_file()]
    return "\0".join(parts)


@cache
def versions() -> str:
    """Name the versions of the libraries that draw and compute."""
    return " ".join(f"{library} {version(library)}" for library in LIBRARIES)


def data_files() -> list[Path]:
    """List the tables that data modules read, in a fixed order."""
    return [*files(PACKAGE / "data", "*.csv"), *files(PACKAGE / "data", "*.toml")]


def reached_by(module: str, name: str) -> dict[str, str]:
    """Collect the source of every definition that a function can reach inside the book.

    Args:
        module: below `dlbook`, such as `figures.knn`.
        name: a definition at the top of that module.

    Returns:
        source texts by `module.name`, the function itself included. A module that is imported
        whole counts whole, under the name `module.*`.

    Raises:
        LookupError: the module or the definition does not exist.
    """
    return followed([(module, name)])


def followed(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Collect the source of every definition that can be reached from some: see `reached_by`.

    Args:
        links: (module, name) pairs; the name `*` stands for a whole module.

    Returns:
        source texts by `module.name`.

    Raises:
        LookupError: a module or a definition does not exist.
    """
    found: dict[str, str] = {}
    waiting = list(links)
    while waiting:
        where, what = waiting.pop()
        if f"{where}.{what}" in found:
            continue
        table = contents(where, module_path(where).stat().st_mtime_ns)
        if what == "*":
            found[f"{where}.*"] = "\n".join(text for text, _ in table.values())
            waiting += [link for _, links in table.values() for link in links]
        elif what in table:
            found[f"{where}.{what}"], links = table[what]
            waiting += links
        else:
            raise LookupError(
                f"'{where}.{what}': no definition {what!r} in dlbook.{where}"
            )
    return found


@cache
def contents(module: str, _changed: int) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Read a module: for each definition its source, and what it names inside the book.

    Args:
        module: below `dlbook`.
        _changed: when the file was changed last, so that a changed file is read anew.

    Returns:
        (source, [(module, name), ...]) by name.
    """
    lines, tree = parsed(module_path(module))
    links = {name: (module, name) for node in tree.body for name in names_bound_by(node)}
    links |= imports_of(tree)
    table = {}
    for node in tree.body:
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        targets = [links[word] for word in sorted(used) if word in links]
        text = source_of(node, lines)
        for name in names_bound_by(node):
            table[name] = (text, targets)
    return table


def imports_of(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Find what a program imports from the book.

    Args:
        tree: of the program.

    Returns:
        (module below `dlbook`, name) by the name it has here; a whole module is named `*`.
    """
    links = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dlbook"):
            package = node.module.removeprefix("dlbook").removeprefix(".")
            for alias in node.names:
                whole = f"{package}.{alias.name}".removeprefix(".")
                target = (
                    (whole, "*")
                    if module_path(whole).is_file()
                    else (package, alias.name)
                )
                links[alias.asname or alias.name] = target
    return links
