"""A page as its author wrote it, read once and asked by everything that follows."""

import os
import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

from dlbook.checkout import DOCS, number_of
from dlbook.press.page.fences import OUTPUT, Fence, PageError, fences_of, lines_of

# # Nearest neighbors
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
WORDS_PER_MINUTE = 200
FOLDERS = {"chapters": "chapter", "labs": "lab", "reference": "reference"}


@dataclass(frozen=True)
class Page:
    """One page of the book.

    Attributes:
        address: its place below `docs`, such as `chapters/knn.md`.
        text: what its author wrote.
    """

    address: str
    text: str

    @classmethod
    def at(cls, path: Path) -> "Page":
        """Read a page from its file.

        Args:
            path: of a file of the repository.

        Raises:
            OSError: there is no such file.
            PageError: it is not written in UTF-8.
        """
        place = Path(
            os.path.relpath(path.resolve(), DOCS.resolve())
        )  # README lies beside
        try:
            return cls(place.as_posix(), path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise PageError(line, "this is not written in UTF-8") from error

    @property
    def source(self) -> str:
        """Name its file as editors find it, such as `docs/chapters/knn.md`."""
        return posixpath.normpath(f"docs/{self.address}")

    @property
    def kind(self) -> Literal["chapter", "lab", "reference", "other"]:
        """Tell what it is, by the folder in which it lies."""
        return FOLDERS.get(posixpath.dirname(self.address), "other")

    @property
    def word(self) -> str:
        """Give the word that opens all doors, such as `knn`: the name of its file."""
        return Path(self.address).stem

    @property
    def number(self) -> int | None:
        """Give the number of a chapter; a lab has that of its chapter, other pages have none."""
        return number_of(self.word) if self.kind in ("chapter", "lab") else None

    @cached_property
    def title(self) -> str:
        """Give its heading; its address if it has none."""
        found = TITLE.search(self.text)
        return found[1] if found else self.address

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Give its lines; line n of an editor is item n - 1.

        Raises:
            PageError: a line holds a character that no page can show.
        """
        return tuple(lines_of(self.text))

    @cached_property
    def fences(self) -> tuple[Fence, ...]:
        """Give its fences, in order.

        Raises:
            PageError: a fence is opened and never closed.
        """
        return tuple(fences_of(self.lines))

    @cached_property
    def prose(self) -> tuple[str, ...]:
        """Give its lines, those of fences blank, so that the numbers of lines stay."""
        lines = list(self.lines)
        for fence in self.fences:
            lines[fence.first - 1 : fence.last] = [""] * (fence.last - fence.first + 1)
        return tuple(lines)

    @property
    def minutes(self) -> int:
        """Estimate the time to read it: its prose and its captions, without the code."""
        figures = [fence for fence in self.fences if fence.info == "figure"]
        captions = [line for fence in figures for line in fence.lines[1:]]
        words = len(" ".join([*self.prose, *captions]).split())
        return max(1, round(words / WORDS_PER_MINUTE))

    @cached_property
    def outputs(self) -> dict[Fence, Fence]:
        """Give for each block that has one the fence with its expected output."""
        found = {}
        for fence, following in pairwise(self.fences):
            between = self.prose[fence.last : following.first - 1]
            if fence.info == "python" and OUTPUT in map(str.strip, between):
                found[fence] = following
        return found

    def way_to(self, target: str) -> str:
        """Write the link from here to another file of the site.

        Args:
            target: its place below `docs` or in the site, such as `reference/glossary.md`.
        """
        return posixpath.relpath(target, posixpath.dirname(self.address) or ".")
