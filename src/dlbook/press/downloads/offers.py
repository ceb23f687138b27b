"""What the home page offers to take along: only what was made."""

import re
from collections.abc import Iterable
from pathlib import Path
from shutil import move
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# <p class="offer"><a href="dlbook.pdf" download>Take the book as a PDF</a>, to print.</p>
OFFER = re.compile(r'<p class="offer"><a href="(?P<name>[^"]+)".*?</p>\n?', re.DOTALL)

# <source media="(max-width: 599px)" srcset="../assets/figures/knn/convergence-light-narrow.svg">
NARROW = re.compile(r'<source [^>]*srcset="[^"]*-narrow\.svg"[^>]*>')


def offered(page: str, made: Iterable[str]) -> str:
    """Take from the home page the offers of files that were not made.

    Args:
        page: its HTML, with one `<p class="offer">` for each file to take along.
        made: the names of the files that lie beside it.

    Returns:
        the page with the offers that hold.
    """
    names = set(made)
    return OFFER.sub(lambda match: match[0] if match["name"] in names else "", page)


def packed(site: Path) -> str:
    """Pack the site to take along, beside the search index that works from disk.

    It is read on a desk: the drawings for a phone, a third of its weight, stay behind.

    Args:
        site: its folder, which gets one more file.

    Returns:
        the name of the file.
    """
    with TemporaryDirectory() as folder:
        made = f"{folder}/dlbook.zip"
        with ZipFile(made, "w", ZIP_DEFLATED, compresslevel=3) as archive:
            for path in sorted(site.rglob("*")):
                place = path.relative_to(site)
                if path.suffix == ".html":
                    page = NARROW.sub("", path.read_text(encoding="utf-8"))
                    about = ZipInfo.from_file(path, place)
                    archive.writestr(about, page, ZIP_DEFLATED, compresslevel=3)
                elif not path.name.endswith("-narrow.svg"):
                    archive.write(path, place)
        move(made, site / "dlbook.zip")
    return "dlbook.zip"
