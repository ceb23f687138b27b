"""The repository around the package: its folders, the order of its chapters, its commit.

Readers who only import the concepts never need it. What draws, records or prints the book does.
"""

import os
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parents[1]
DOCS = ROOT / "docs"
RESULTS = DOCS / "results"
SETTINGS = ROOT / "mkdocs.yml"


def settings() -> dict:
    """Read `mkdocs.yml`; what is meant for Python or the environment stays as it is written."""
    return _settings(SETTINGS, SETTINGS.stat().st_mtime_ns)


@cache
def _settings(path: Path, _changed: int) -> dict:
    import yaml  # comes with MkDocs; readers of the package do without

    class Loader(yaml.SafeLoader):
        """Reads tags such as `!ENV` and `!!python/name` as plain text."""

    for prefix in ("tag:", "!"):
        Loader.add_multi_constructor(prefix, lambda loader, suffix, node: suffix)
    return yaml.load(path.read_text(), Loader)


def parts() -> list[tuple[str, list[str]]]:
    """List the parts of the book and the pages of each, in reading order.

    Returns:
        (part, sources) pairs, such as `("Tensors", ["chapters/tensors.md", ...])`; a page that
        stands alone is a part without a name.
    """
    found = []
    for entry in settings()["nav"]:
        ((name, inside),) = entry.items()
        is_page = isinstance(inside, str)
        sources = [inside] if is_page else [s for item in inside for s in item.values()]
        found.append(("" if is_page else name, sources))
    return found


def chapters() -> list[str]:
    """List the words of the chapters, in reading order."""
    sources = [Path(source) for _, inside in parts() for source in inside]
    return [source.stem for source in sources if source.parent.name == "chapters"]


def commit() -> str:
    """Name the commit of the code that runs, with `+` if it was changed since."""
    return _git("describe", "--always", "--dirty=+", "--abbrev=12") or "unknown"


def commit_date(*paths: str) -> datetime | None:
    """Give the date of the last commit, in UTC; None without a repository.

    Args:
        paths: where some are given, the last commit that changed one of them.
    """
    seconds = _git("log", "-1", "--format=%ct", "--", *paths)
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def _git(*arguments: str) -> str:
    """Ask Git; the answer is empty where there is no repository."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part.

    Args:
        path: of the file; its folder is made.
        content: text is written as UTF-8.

    Raises:
        OSError: the folder cannot be written, or is full; then the old file is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
