"""Compare two sites built from one source by two programs: `python -m audit.twins ONE OTHER`."""

import gzip
import re
import sys
import zipfile
from pathlib import Path

# <meta name="generator" content="mkdocs-1.6.1, mkdocs-material-9.8.1">
GENERATOR = re.compile(rb'<meta name="generator" content="[^"]*">')


def content(path: Path) -> object:
    """Read what a file says, without who made it and when it was packed.

    Args:
        path: of a file of a site.

    Returns:
        something that is equal for files that say the same.
    """
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return {n: GENERATOR.sub(b"", archive.read(n)) for n in archive.namelist()}
    return GENERATOR.sub(b"", data)


def differences(one: Path, other: Path) -> list[str]:
    """List the files in which two sites differ.

    Args:
        one: the folder of a site.
        other: the folder of another.

    Returns:
        a sentence for each file that only one of them has, or that says something else.

    Raises:
        ValueError: one of them is no site.
    """
    names = [
        {path.relative_to(site) for path in site.rglob("*") if path.is_file()}
        for site in (one, other)
    ]
    for site, found in zip((one, other), names, strict=True):
        if Path("index.html") not in found:
            raise ValueError(f"{site} is no site: it has no index.html")
    alone = [f"{name}: only in one of the sites" for name in sorted(names[0] ^ names[1])]
    both = sorted(names[0] & names[1])
    changed = [name for name in both if content(one / name) != content(other / name)]
    return alone + [f"{name}: the sites differ" for name in changed]


def main() -> int:
    """Compare the sites named on the command line; 1 if they differ."""
    found = differences(*map(Path, sys.argv[1:3]))
    print("\n".join(found) or "the sites are equal, but for the name of their generator")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
