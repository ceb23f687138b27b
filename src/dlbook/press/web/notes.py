"""Notes: what is named on a page is shown where it is named, on hover and on focus.

A term has its definition, a citation its entry in the bibliography, a number its record, a helper
its code. All of it is taken from where it stands, put into a template at the end of the page, once
for each target, and shown by `notes.js`. Without that script, on paper and in the PDF the links
lead there, as ever.
"""

import posixpath
import re
from collections.abc import Mapping
from html import escape

from dlbook.press.page import formulas
from dlbook.press.web.bibliography import described
from dlbook.press.web.helpers import with_helpers
from dlbook.press.web.results import in_words, scatter, shown
from dlbook.press.web.search import DEFINITION
from dlbook.runs.record import sections_of

# <a class="claim" data-item="3" href="../reference/results.html#knn-errors">
LINK = re.compile(
    r'<a class="(?P<kind>term|citation|claim)"(?= |>)(?:[^>]*? data-item="(?P<item>\d+)")?'
    r'[^>]*? href="(?P<address>[^"#]*#(?P<anchor>[^"]+))"'
)
# href="../chapters/knn.html#exercises", not href="https://doi.org/10.1"
HREF = re.compile(r' href="(?![a-z]+:)([^"]*)"')
GLOSSARY = "reference/glossary.html"


def noted(page: str, address: str, glossary: str) -> str:
    """Put the notes of a page at its end.

    Args:
        page: HTML, whose links are set.
        address: of the page in the site, such as `chapters/knn.html`.
        glossary: the HTML of the glossary, as Markdown made it.

    Returns:
        the page, with one template that holds a note for each target of its links.

    Raises:
        KeyError: no work or no record has the name that a link gives.
    """
    known = definitions(glossary, address)
    page, notes = with_helpers(
        page, posixpath.relpath(".", posixpath.dirname(address) or ".")
    )
    for link in LINK.finditer(page):
        anchor, item = link["anchor"], link["item"] or ""
        target = f"{link['address']}:{item}".removesuffix(":")
        if target in notes:
            continue
        if link["kind"] == "term":
            notes[target] = known.get(anchor, "")  # a part of a book may have no glossary
        elif link["kind"] == "citation":
            notes[target] = f"<p>{described()[anchor]}</p>"
        else:
            notes[target] = claim_note(anchor, item)
    return _with_template(page, notes)


def _with_template(page: str, notes: Mapping[str, str]) -> str:
    inside = "\n".join(
        f'<div data-of="{target}">{formulas.rendered(note)}</div>'
        for target, note in notes.items()
        if note
    )
    if not inside:
        return page
    head, end, tail = page.rpartition("</body>")
    return f'{head}<template id="notes">\n{inside}\n</template>\n{end}{tail}'


def definitions(glossary: str, address: str) -> dict[str, str]:
    """Take the definitions out of the glossary.

    Args:
        glossary: its HTML, as Markdown made it.
        address: of the page in the site from which their links shall lead.

    Returns:
        the definition of each term with the term, by its anchor.
    """
    return {
        found["anchor"]: f"<p><b>{found['term']}</b>:{moved(found['text'], address)}</p>"
        for found in DEFINITION.finditer(glossary)
    }


def moved(html: str, address: str) -> str:
    """Let the links of the glossary lead to where they led, as seen from another page."""
    here, there = posixpath.dirname(address) or ".", posixpath.dirname(GLOSSARY)
    return HREF.sub(
        lambda m: f' href="{posixpath.relpath(posixpath.join(there, m[1]), here)}"', html
    )


def claim_note(anchor: str, item: str) -> str:
    """Write what is known of a number: its value, how it scatters, how and where it was measured.

    Args:
        anchor: of its row on the results page, such as `knn-mnist_error_k1`.
        item: its place in a series, counted from 0; empty for a number alone.

    Returns:
        HTML.

    Raises:
        KeyError: no run has recorded it.
    """
    word, _, name = anchor.partition("-")
    sections = {
        claim: section
        for section in sections_of(word).values()
        for claim in section["claims"]
    }
    section = sections[name]
    claim = section["claims"][name]
    title, value = in_words(name), claim["value"]
    if item:
        title += f", value {int(item) + 1} of {len(value)}"
        value = value[int(item)]
    lines = [
        f"<b>{escape(title)}</b>: {escape(shown(value, claim['unit']))}",
        scatter(claim["spread"]),
        f"<code>{escape(section['command'])}</code>",
        f"{escape(section['device'])}, {section['date']}",
    ]
    return f"<p>{'<br>'.join(filter(None, lines))}</p>"
