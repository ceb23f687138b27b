"""The package as a wheel, so that a reader can install what the pages import.

It is built from the sources that lie here, by the backend that `pip` would call, and without a
network; equal sources give equal bytes.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from tempfile import TemporaryDirectory

from dlbook.checkout import ROOT, files, write_atomically
from dlbook.press.cache import clean, is_kept, place

INSIDE = ("src", "docs/results", "pyproject.toml", "setup.py", "README.md", "LICENSE")
BUILD = "from setuptools.build_meta import build_wheel; build_wheel('.')"
EPOCH = "315532800"  # 1980, the first date that a zip file can hold


def name() -> str:
    """Name the file, as the standard wants it: `dlbook-0.2.0-py3-none-any.whl`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return f"dlbook-{project['project']['version']}-py3-none-any.whl"


def wheel() -> Path:
    """Build the wheel, if anything in it has changed since the last time.

    Returns:
        the file in the cache; its name there is another one.

    Raises:
        RuntimeError: it could not be built; the message is that of the backend.
    """
    path = place("wheels", ".whl", _contents())
    if not is_kept(path):
        with TemporaryDirectory() as folder:
            write_atomically(path, _built(Path(folder)).read_bytes())
        clean("wheels", 3)
    return path


def _contents() -> list[str | bytes]:
    """Read everything that decides the bytes of the wheel."""
    sources = (ROOT / part for part in INSIDE)
    paths = [p for s in sources for p in (files(s, "**/*.*") if s.is_dir() else [s])]
    kept = [path for path in paths if path.suffix != ".pyc"]
    names = [path.relative_to(ROOT).as_posix() for path in kept]
    return [sys.version, *names, *(path.read_bytes() for path in kept)]


def _built(folder: Path) -> Path:
    """Build in a copy: the backend leaves its own files where it works."""
    for part in INSIDE:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            copytree(source, target, ignore=ignore_patterns("__pycache__", "*.egg-info"))
        else:
            copy(source, target)
    variables = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=folder,
        env=variables,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise RuntimeError(f"the wheel could not be built: {done.stderr[-2000:]}")
    (path,) = folder.glob("*.whl")
    return path
