"""Citations: `[@cover1967]` in a page, one BibTeX file behind all of them."""

import re
from functools import cache
from html import escape
from pathlib import Path

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

from dlbook.press.fences import ROOT

CITATION = re.compile(r"\[(@[\w:-]+(?:\s*;\s*@[\w:-]+)*)\]")
ADDRESSES = ("doi", "url")  # no LaTeX: a tilde is a tilde
BIBLIOGRAPHY = ROOT / "docs" / "reference" / "bibliography.bib"


def keys_of(citation: str) -> list[str]:
    """Split `@a; @b` into its keys."""
    return [part.strip().removeprefix("@") for part in citation.split(";")]


def entries() -> dict[str, Entry]:
    """Read the bibliography.

    Returns:
        entries by key, in the order of the file.
    """
    return _entries(BIBLIOGRAPHY, BIBLIOGRAPHY.stat().st_mtime_ns)


@cache
def _entries(path: Path, _changed: int) -> dict[str, Entry]:
    return dict(parse_file(str(path)).entries)


@cache
def plain(latex: str) -> str:
    """Turn the little LaTeX of a BibTeX field into plain text."""
    return str(Text.from_latex(latex))


def surnames(entry: Entry) -> list[str]:
    """Name the authors, or the editors, without their given names."""
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
    authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return f"{authors}, {known[key].fields.get('year', 'undated')}"


def described(key: str) -> str:
    """Write an entry of the bibliography in full, as HTML.

    Args:
        key: of an entry of the bibliography.

    Returns:
        authors, title, place, year, and a link to the work where it has one.
    """
    entry = entries()[key]
    fields = {
        name: value if name in ADDRESSES else plain(value)
        for name, value in entry.fields.items()
    }
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = ", ".join(
        plain(
            " ".join([*p.first_names, *p.middle_names, *p.prelast_names, *p.last_names])
        )
        for p in people
    )
    place = (
        fields.get("journal") or fields.get("booktitle") or fields.get("publisher", "")
    )
    volume = fields.get("volume", "") + (
        f"({fields['number']})" if "number" in fields else ""
    )
    pages = fields.get("pages", "").replace("--", "–")
    where = ", ".join(
        part for part in (place, volume, pages, fields.get("year", "")) if part
    )
    note = fields.get("note", fields.get("howpublished", ""))
    parts = [
        escape(names),
        f"<cite>{escape(fields.get('title', ''))}</cite>",
        escape(where),
    ]
    if note:
        parts.append(escape(note))
    address = (
        f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url", "")
    )
    if address:
        shown = f"doi:{fields['doi']}" if "doi" in fields else address
        parts.append(f'<a href="{escape(address)}">{escape(shown)}</a>')
    return ". ".join(part.rstrip(".") for part in parts if part) + "."
