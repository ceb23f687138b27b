"""Citations: `[@cover1967]` in a page, one BibTeX file behind all of them."""

import re
from functools import cache
from pathlib import Path

from pybtex.database import Entry, parse_string
from pybtex.exceptions import PybtexError
from pybtex.richtext import Text

from dlbook.checkout import DOCS, ROOT

# [@cover1967], [@cover1967; @he2016]
CITATION = re.compile(r"\[(@[\w:-]+(?:\s*;\s*@[\w:-]+)*)\]")
# \textit, {\'{\i}}: what pybtex does not know
LATEX = re.compile(r"\\\w*|[{}]")
BIBLIOGRAPHY = DOCS / "reference" / "bibliography.bib"


def keys_of(citation: str) -> list[str]:
    """Split `@a; @b` into its keys."""
    return [part.strip().removeprefix("@") for part in citation.split(";")]


def entries() -> dict[str, Entry]:
    """Read the bibliography.

    Returns:
        entries by key, in the order of the file.

    Raises:
        ValueError: the file is not BibTeX, or holds LaTeX that would be shown as it is typed;
            the message names file and line.
    """
    return _entries(BIBLIOGRAPHY, BIBLIOGRAPHY.stat().st_mtime_ns)


@cache
def _entries(path: Path, _changed: int) -> dict[str, Entry]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{_shown(path)}:{line}: this is not written in UTF-8"
        ) from error
    try:
        found = dict(parse_string(text, "bibtex").entries)
    except PybtexError as error:
        line = getattr(error, "lineno", None) or _line_of(str(error).split()[-1], text)
        raise ValueError(f"{_shown(path)}:{line}: {error}") from error
    for key, entry in found.items():
        people = [str(person) for persons in entry.persons.values() for person in persons]
        for written in [*entry.fields.values(), *people]:
            if left := LATEX.search(plain(written)):
                reason = f"{left[0]!r} of {written!r} would be shown as it is typed"
                raise ValueError(f"{_shown(path)}:{_line_of(key, text)}: {reason}")
    return found


def _line_of(key: str, text: str) -> int:
    """Find the last entry with a key; 1 if there is none."""
    found = [m.start() for m in re.finditer(rf"@\w+\s*\{{\s*{re.escape(key)}\s*,", text)]
    return text.count("\n", 0, found[-1]) + 1 if found else 1


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


@cache
def plain(latex: str) -> str:
    """Turn the little LaTeX of a BibTeX field into plain text."""
    return str(Text.from_latex(latex))


def surnames(entry: Entry) -> list[str]:
    """Name the authors, or the editors, without their given names; the last may be `others`."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    return [
        plain(" ".join([*person.prelast_names, *person.last_names])) for person in people
    ]


def label(key: str) -> str:
    """Write a citation as it is read aloud, such as `Cover and Hart, 1967`.

    Args:
        key: of an entry of the bibliography.

    Returns:
        surnames and year; three and more authors are cut to the first.

    Raises:
        LookupError: there is no such entry.
    """
    known = entries()
    if key not in known:
        raise LookupError(f"citation {key!r} is not in {BIBLIOGRAPHY.relative_to(ROOT)}")
    names = surnames(known[key]) or [plain(known[key].fields.get("title", key))]
    has_more = len(names) > 2 or names[-1] == "others"  # as BibTeX writes "and so on"
    authors = f"{names[0]} et al." if has_more else " and ".join(names)
    return f"{authors}, {known[key].fields.get('year', 'undated')}"
