"""Where downloaded sets lie, and how a file gets there: verified first, then in one step.

Each process fetches into a folder of its own, so that two of them cannot disturb each
other; a file takes its place only when it is whole. What else lies in the folder of the
data sets is left alone.
"""

import gzip
import hashlib
import os
import shutil
import sys
import zlib
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.request import Request, urlopen

from tqdm import tqdm

PART = 2**20  # bytes to read at once
PATIENCE = 60  # seconds in which a server must send something
# What a server or a damaged archive can make the functions below raise.
FAILURES = (OSError, HTTPException, ValueError, EOFError, zlib.error)


def folder() -> Path:
    """Give the folder of the data sets: `DLBOOK_DATA`, or a cache in the home folder.

    Returns:
        a path, which need not exist; a leading `~` is the home folder.

    Raises:
        OSError: there is no home folder.
    """
    named = os.environ.get("DLBOOK_DATA")
    try:
        return Path(named).expanduser() if named else Path.home() / ".cache" / "dlbook"
    except RuntimeError as error:
        raise OSError(
            f"there is no place for data sets ({error}): set DLBOOK_DATA to a folder"
        ) from error


def at_hand(inside: str, names: list[str]) -> bool:
    """Tell whether all files of a set are at hand, without reading them.

    Args:
        inside: the folder of the set within `folder()`.
        names: of its files.

    Returns:
        False also where the place does not exist or may not be entered.
    """
    try:
        return all((folder() / inside / name).is_file() for name in names)
    except OSError:
        return False


def fetch(url: str, path: Path, most: int) -> None:
    """Download one file, with progress.

    Args:
        url: its address.
        path: where it is written.
        most: bytes; an answer that is longer is not the file.

    Raises:
        OSError: no connection, no space, or silence for `PATIENCE` seconds.
        ValueError: the answer is too long, or not what the protocol allows.
        HTTPException: the answer breaks off or is not HTTP.
    """
    request = Request(url, headers={"User-Agent": "dlbook"})
    with urlopen(request, timeout=PATIENCE) as answer, path.open("wb") as file:
        size = getattr(answer, "length", None)
        received = 0
        silent = sys.stderr is None  # closed, or Windows without a console
        with tqdm(
            desc=path.name, total=size, unit="B", unit_scale=True, disable=silent
        ) as bar:
            while part := answer.read(PART):
                bar.update(len(part))
                received += len(part)
                if received > most:
                    raise ValueError(f"{url} must have at most {most} bytes, got more")
                file.write(part)


def unpack(packed: Path, path: Path) -> None:
    """Write the content of a `.gz` file to `path`.

    Args:
        packed: the `.gz` file.
        path: where its content is written.

    Raises:
        OSError: it is not a `.gz` file, or there is no space.
        EOFError: it is cut off.
        zlib.error: it is damaged.
    """
    with gzip.open(packed) as content:
        write(content, path)


def write(content: BinaryIO, path: Path) -> None:
    """Write what is left to read to a file.

    Args:
        content: an open binary file.
        path: where it is written.

    Raises:
        OSError: it cannot be read, or there is no space.
    """
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, PART)


def verify(path: Path, kind: str, checksum: str) -> None:
    """Refuse a file that is not the published one.

    Args:
        path: of the file.
        kind: of the checksum, such as "sha256".
        checksum: hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
        ValueError: its checksum differs.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        )
    if digest.hexdigest() != checksum:
        raise ValueError(
            f"{path.name} must have the {kind} {checksum}, got {digest.hexdigest()}"
        )


def is_good(path: Path, kind: str, checksum: str) -> bool:
    """Tell whether a file is there and is the published one.

    Args:
        path: of the file.
        kind: of the checksum, such as "sha256".
        checksum: hexadecimal digits.

    Returns:
        False also where it cannot be read.
    """
    try:
        verify(path, kind, checksum)
    except (OSError, ValueError):
        return False
    return True
