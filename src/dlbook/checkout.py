"""The repository around the package: its folders, the order of its chapters, its commit.

Readers who only import the concepts never need it. What draws, records or prints the book does.
"""

import os
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from shutil import copymode

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parents[1]
DOCS = ROOT / "docs"
SETTINGS = ROOT / "mkdocs.yml"
RECORDED = PACKAGE / "recorded"  # where a wheel carries the records; see setup.py
RESULTS = DOCS / "results" if SETTINGS.is_file() else RECORDED
# Git sets these for its hooks; they would name the repository of the hook as ours.
STRANGE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")


def require() -> None:
    """Refuse to go on where the package is installed without its repository.

    Raises:
        OSError: there is no checkout around the package.
    """
    if not SETTINGS.is_file():
        raise OSError(
            f"this needs a checkout of the book, and {ROOT} is none: clone its repository, "
            "and install it from there with `pip install --editable .`"
        )


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
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


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


def number_of(word: str) -> int | None:
    """Give the number of a chapter: its place in the reading order, and nothing else.

    Args:
        word: of the chapter, such as `knn`.

    Returns:
        counted from 1; None for what is no chapter.
    """
    order = chapters()
    return order.index(word) + 1 if word in order else None


def files(folder: Path, pattern: str) -> list[Path]:
    """List files of the book, and not what editors and systems leave beside them.

    Args:
        folder: below which to look.
        pattern: such as `*.md`, or `**/*.md` for all folders below.

    Returns:
        files in order, whose names and folders do not begin with a dot.
    """
    found = (path for path in folder.glob(pattern) if path.is_file())  # no dead links
    return sorted(p for p in found if "/." not in f"/{p.relative_to(folder).as_posix()}")


def commit() -> str:
    """Name the commit of the code that runs, with `+` if it was changed since.

    What runs write, records and weights for the widgets, is no change of the code: else only
    the first of several runs would have a clean commit.
    """
    name = _git("rev-parse", "--short=12", "HEAD")
    written = [f":(exclude){place}" for place in ("docs/results", "docs/assets/live")]
    changed = _git("status", "--porcelain", "-uno", "--", ".", *written)
    return name + "+" * bool(changed) if name else "unknown"


def commit_date(*paths: str) -> datetime | None:
    """Give the date of the last commit, in UTC; None where Git does not know it.

    Args:
        paths: where some are given, the last commit that changed one of them. The oldest
            commit of a shallow clone seems to have changed all, so it answers nothing.
    """
    seconds, *parents = _git("log", "-1", "--format=%ct %P", "--", *paths).split() or [""]
    cut = paths and not parents and _git("rev-parse", "--is-shallow-repository") == "true"
    return datetime.fromtimestamp(int(seconds), UTC) if seconds and not cut else None


def history() -> set[str]:
    """Name the commits that led here, 12 digits each; none where Git does not know them all."""
    if _git("rev-parse", "--is-shallow-repository") != "false":
        return set()
    commits = _git("rev-list", "--abbrev-commit", "--abbrev=12", "HEAD")
    return set(commits.split())


def _git(*arguments: str) -> str:
    """Ask Git; the answer is empty where there is no repository, or only another one."""
    top = _answer("rev-parse", "--show-toplevel")
    return _answer(*arguments) if top and Path(top).resolve() == ROOT.resolve() else ""


def _answer(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    ours = {name: text for name, text in os.environ.items() if name not in STRANGE}
    options = {"capture_output": True, "encoding": "utf-8", "errors": "replace"}
    try:
        done = subprocess.run(command, env=ours, check=True, **options)
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
        if path.exists():
            copymode(path, partial)  # who may read and change it stays as it was
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
