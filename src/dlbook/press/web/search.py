"""A search that finds what students type: terms under all their names, chapters before labs.

The theme's index holds one entry for each section of each page, and a title counts a thousand
times as much as a text. So each term of the glossary gets an entry of its own, whose title holds
its other names, too; labs are found by their prose; and pages that only list numbers, works or
changes are left out.
"""

import re
from collections.abc import Iterable
from html import unescape

from dlbook.press.page.glossary import TERM
from dlbook.press.page.page import Page

LEFT_OUT = ("reference/results.md", "reference/bibliography.md", "reference/changelog.md")
# how much more than others the sections of a page count, by the folder in which it lies
WEIGHTS = {"chapters": 2.0, "labs": 0.4, "reference/api": 0.2}
TERMS = 3.0
# <p><dfn id="relu">ReLU</dfn>: the larger of 0 and a number. <a href="...">...</a>.</p>
DEFINITION = re.compile(
    r'<p>\s*<dfn id="(?P<anchor>[\w-]+)"[^>]*>(?P<term>[^<]*)</dfn>:(?P<text>.*?)</p>',
    re.DOTALL,
)
# <p>The number of neighbors.</p>, <li>one</li>; not <pre>import torch</pre>
PROSE = re.compile(r"<(?P<tag>p|li)>.*?</(?P=tag)>", re.DOTALL)


def settings_of(address: str) -> dict:
    """Say how the search treats a page.

    Args:
        address: of the page below `docs`, such as `chapters/knn.md`.

    Returns:
        what stands under `search` in the head of a page of the theme.
    """
    if address in LEFT_OUT or address == "reference/glossary.md":
        return {"exclude": True}  # the terms of the glossary come one by one
    folder = address.rpartition("/")[0]
    return {"boost": WEIGHTS[folder]} if folder in WEIGHTS else {}


def prose_of(entry: dict) -> dict:
    """Leave out of an entry of the index what nobody looks for: code, and the sign of a link.

    A lab is called as its chapter is; among what was found it says that it is the lab.

    Args:
        entry: of a section of a lab.

    Returns:
        the same entry with its title and its prose.
    """
    text = "\n".join(found[0] for found in PROSE.finditer(entry["text"]))
    kind = "" if "#" in entry["location"] else " (lab)"
    return entry | {"title": f"{entry['title'].rstrip('¶ ')}{kind}", "text": text}


def terms(html: str, glossary: Page, address: str) -> Iterable[dict]:
    """Write an entry for the glossary, and one for each of its terms.

    Args:
        html: of the glossary, as Markdown made it.
        glossary: the page, in the dialect.
        address: of the page in the site, such as `reference/glossary.html`.

    Yields:
        entries of the index; the title of each holds the other names of the term.
    """
    # the theme shows a section below its page, and wants to know both
    yield {"location": address, "title": glossary.title, "text": ""}
    names = {term["anchor"]: term["names"] for term in TERM.finditer(glossary.text)}
    for found in DEFINITION.finditer(html):
        also = f" ({names[found['anchor']]})" if names.get(found["anchor"]) else ""
        text = re.sub(r"<[^>]*>", "", found["text"]).strip()
        yield {
            "location": f"{address}#{found['anchor']}",
            "title": f"{unescape(found['term'])}{also}",
            "text": f"<p>{text}</p>",
            "boost": TERMS,
        }
