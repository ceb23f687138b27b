"""The page of the bibliography, in the plain style of BibTeX, with links back."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import ClassVar

from pybtex.backends.html import Backend
from pybtex.style.formatting import toplevel
from pybtex.style.formatting.unsrt import Style
from pybtex.style.template import field, optional_field, sentence

from dlbook.press.page import citations
from dlbook.press.page.citations import CITATION, entries, keys_of, label
from dlbook.press.page.page import Page


def bibliography_page(pages: Iterable[Page]) -> str:
    """Write the bibliography, with links back to the pages that cite each work, as Markdown.

    Args:
        pages: of the book.

    Returns:
        the page, sorted by label.
    """
    parts = [
        "# Bibliography",
        "Every work the book cites, and the pages that cite it. "
        "The file behind it: [bibliography.bib](bibliography.bib).",
    ]
    works, citing = described(), citing_pages(pages)
    for key in sorted(works, key=lambda key: label(key).casefold()):
        links = ", ".join(
            f"[{page.title}](../{page.address})" for page in citing.get(key, [])
        )
        where = f" Cited in: {links}." if links else ""
        parts.append(f'<span id="{key}" class="work">{works[key]}</span>{where}')
    return "\n\n".join(parts) + "\n"


def citing_pages(pages: Iterable[Page]) -> dict[str, list[Page]]:
    """Collect the pages that cite each work.

    Args:
        pages: of the book.

    Returns:
        pages by the key of the work, in their order.
    """
    citing: dict[str, dict[Page, None]] = {}
    for page in pages:
        for citation in CITATION.findall("\n".join(page.prose)):
            for key in keys_of(citation):
                citing.setdefault(key, {})[page] = None
    return {key: list(found) for key, found in citing.items()}


def described() -> dict[str, str]:
    """Write every entry of the bibliography in full, in pybtex's plain style.

    Returns:
        HTML by key: authors, title, place, year, and a link to the work where it has one.
    """
    return _described(citations.BIBLIOGRAPHY, citations.BIBLIOGRAPHY.stat().st_mtime_ns)


@cache  # setting them takes a third of a second, at every change of any page
def _described(_path: Path, _changed: int) -> dict[str, str]:
    formatted = _Plain().format_entries(entries().values())
    return {entry.key: entry.text.render(_Html("utf8")) for entry in formatted}


class _Plain(Style):
    """The plain style of BibTeX, with titles as their authors capitalize them."""

    def format_title(self, e, which_field, as_sentence=True):
        """Take a title as it stands in the file."""
        title = field(which_field)
        return sentence[title] if as_sentence else title

    def get_incollection_template(self, e):
        """Keep the note, which the style forgets in this kind of work."""
        whole = super().get_incollection_template(e)
        return toplevel[whole, sentence[optional_field("note")]]


class _Html(Backend):
    """Writes what pybtex has formatted as HTML on one line; titles as the book sets them."""

    symbols: ClassVar = {"ndash": "–", "nbsp": " ", "newblock": " "}

    def format_tag(self, tag, text):
        """Mark the work that is cited, which the style emphasizes."""
        return f"<cite>{text}</cite>" if tag == "em" else super().format_tag(tag, text)

    def format_protected(self, text):
        """Leave no trace of the braces that keep capitals."""
        return text
