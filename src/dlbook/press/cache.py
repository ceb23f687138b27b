"""Make a file once for each state of what it depends on.

What is slow to make is kept in `.cache`, under a name that is a digest of all that decides its
bytes. So nothing stale can be shown, and nothing has to be thrown away by hand: of each kind
only the files remain that were asked for last.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from dlbook.checkout import ROOT, write_atomically

CACHE = ROOT / ".cache"


def place(folder: str, ending: str, parts: Iterable[str | bytes]) -> Path:
    """Name the file for one state of what it depends on, made or not.

    Args:
        folder: of the cache, one for each kind of file.
        ending: of its name, such as `.png`; `/knn.ipynb` gives a file in a folder of its own.
        parts: everything that decides its bytes.

    Returns:
        a path below `.cache`.
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(hashlib.sha256(content).digest())
    return CACHE / folder / f"{digest.hexdigest()[:16]}{ending}"


def is_kept(path: Path) -> bool:
    """Tell whether a file was made, and note that it was asked for.

    Args:
        path: from `place`.
    """
    if not path.is_file():
        return False
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))  # as if it were read
    return True


def kept(
    folder: str,
    ending: str,
    parts: Iterable[str | bytes],
    make: Callable[[], str | bytes],
    at_most: int,
) -> Path:
    """Give a file from the cache, and make it only if what it depends on has changed.

    Args:
        folder: as in `place`.
        ending: as in `place`.
        parts: as in `place`.
        make: gives its content.
        at_most: how many files of this kind to keep; more than one build asks for.

    Returns:
        the file in the cache.
    """
    path = place(folder, ending, parts)
    if not is_kept(path):
        write_atomically(path, make())
        clean(folder, at_most)
    return path


def clean(folder: str, at_most: int) -> None:
    """Delete what was not asked for longest.

    Args:
        folder: of the cache.
        at_most: how many files, or folders with a file, to keep.
    """
    entries = (CACHE / folder).glob("[!.]*")  # no half-written ones
    for old in sorted(entries, key=_last_use, reverse=True)[at_most:]:
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)


def _last_use(entry: Path) -> int:
    """Give the time of the last use of a file, or of the files in a folder."""
    files = list(entry.iterdir()) if entry.is_dir() else [entry]
    try:
        return max((file.stat().st_atime_ns for file in files), default=0)
    except FileNotFoundError:  # another process has just put it in place, or deleted it
        return time.time_ns()
