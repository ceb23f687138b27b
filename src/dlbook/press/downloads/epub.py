"""The book as an EPUB: the same pages as XHTML, the formulas as MathML, packed as EPUB 3.

It is written here and not by a library, because the known ones stamp the clock into the file.
"""

import mimetypes
import posixpath
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from dlbook.press.downloads.leaves import (
    Content,
    Imprint,
    Leaf,
    ingredients,
    kept,
    leaf,
    outside,
    pictures_of,
    relinked,
)
from dlbook.press.page import formulas

FIRST_DATE = datetime(1980, 1, 1, tzinfo=UTC)  # the earliest that a ZIP can hold
STYLE = "assets/css/epub.css"
# <math xmlns="..."><semantics>...<annotation encoding="...">x</annotation></semantics></math>
MATHML = re.compile(
    r"<math(?P<how>[^>]*)><semantics>(?P<inside>.*)<annotation .*</semantics></math>",
    re.DOTALL,
)
# Equal images inside a drawing have equal ids, which no other element names.
# <image width="64" id="image5e2c" xlink:href="data:image/png;base64,...
TWINS = re.compile(rb'(<image\b[^>]*?) id="\w+"')
# <mi mathvariant="double-struck">R</mi>
STYLED = re.compile(
    r'<(?P<tag>m[in]) mathvariant="(?P<style>double-struck|script|bold)">'
    r"(?P<letters>[A-Za-z0-9]+)</m[in]>"
)
# <h2 id="exercises">Exercises</h2>
SECTION = re.compile(r'<h2 id="([^"]+)">(.*?)</h2>', re.DOTALL)
# <em>, </em>
MARKUP = re.compile(r"<[^>]+>")
XHTML = "application/xhtml+xml"
# <pre style="--columns: 78">
FOR_PAPER = re.compile(r' style="--columns: \d+"')
CONTAINER = """<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles>
</container>
"""


def book(pages: list[Content], imprint: Imprint, site: Path) -> Path:
    """Pack the whole book.

    Args:
        pages: what is bound, in reading order.
        imprint: what the title page says.
        site: the folder of the built site, where the pictures lie.

    Returns:
        the EPUB in the cache.
    """

    def make() -> bytes:
        leaves = [leaf(page) for page in pages]
        places = [place for page in pages for place in pictures_of(page)]
        extra = {STYLE: (site / STYLE).read_bytes()}
        extra |= {
            place: TWINS.sub(rb"\1", (site / place).read_bytes()) for place in places
        }
        return packed(leaves, imprint, extra)

    return kept("epub", ingredients(pages, imprint, site), make)


def packed(leaves: list[Leaf], imprint: Imprint, extra: dict[str, bytes]) -> bytes:
    """Write the EPUB; equal content gives equal bytes.

    Args:
        leaves: what is bound, in reading order.
        imprint: what the title page says.
        extra: pictures and the style sheet, by their place in the site.

    Returns:
        the file.
    """
    texts = {page.word: _document(page, leaves, imprint) for page in leaves}
    texts = {"title": _title_page(imprint), **texts}
    files = {
        "META-INF/container.xml": CONTAINER.encode(),
        "book/package.opf": _package(texts, extra, imprint).encode(),
        "book/contents.xhtml": _contents(leaves, texts, imprint).encode(),
        **{f"book/text/{word}.xhtml": text.encode() for word, text in texts.items()},
        **{f"book/{name}": content for name, content in extra.items()},
    }
    date = (imprint.date or FIRST_DATE).timetuple()[:6]
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        mimetype = zipfile.ZipInfo("mimetype", date)  # first, and not compressed
        archive.writestr(mimetype, "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _document(page: Leaf, leaves: Iterable[Leaf], imprint: Imprint) -> str:
    files = {other.address: f"{other.word}.xhtml" for other in leaves}
    body = relinked(page.body, page.address, partial(_place, files, imprint))
    body = formulas.replaced(FOR_PAPER.sub("", body), _formula)
    return _xhtml(page.title, body, "../")


def _place(
    files: dict[str, str], imprint: Imprint, address: str, anchor: str
) -> str | None:
    """Name the place of a target inside the book."""
    if address not in files:
        return outside(imprint, address, anchor)
    return files[address] + (f"#{anchor}" if anchor else "")


def _formula(latex: str, display: bool) -> str:
    """Set a formula as MathML, with its source for a reader that knows none."""
    found = MATHML.search(formulas.formula(latex, display))
    spoken = escape(" ".join(latex.split()))
    inside = STYLED.sub(_styled, found["inside"])
    formula = f'<math{found["how"]} alttext="{spoken}">{inside}</math>'
    return f'<div class="formula">{formula}</div>' if display else formula


def _styled(match: re.Match) -> str:
    """Write a letter of another style as the sign of Unicode: many readers show no other."""
    names = [unicodedata.name(letter) for letter in match["letters"]]
    names = [re.sub("LATIN |LETTER ", "", name) for name in names]
    style = match["style"].upper()
    signs = "".join(_sign(f"{style} {name}") for name in names)
    return f"<{match['tag']}>{signs}</{match['tag']}>"


def _sign(name: str) -> str:
    """Find a sign such as `SCRIPT CAPITAL N`; the oldest ones are not called mathematical."""
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return unicodedata.lookup(f"MATHEMATICAL {name}")


def _xhtml(title: str, body: str, up: str) -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
lang="en" xml:lang="en">
<head><title>{escape(title)}</title><link rel="stylesheet" href="{up}{STYLE}"/></head>
<body>
{body}
</body>
</html>
"""


def _title_page(imprint: Imprint) -> str:
    date = f", {imprint.date:%Y-%m-%d}" if imprint.date else ""
    link = f'<p><a href="{escape(imprint.site)}">{escape(imprint.site)}</a></p>\n'
    body = (
        f'<h1 class="name">{escape(imprint.name)}</h1>\n'
        f'<p class="description">{escape(imprint.description)}</p>\n'
        f"<p>Version {escape(imprint.version)}{date}</p>\n"
        f"<p>Checked with {escape(imprint.checked)}.</p>\n"
        f"{link if imprint.site else ''}"
        f"<p>{escape(imprint.rights)}</p>"
    )
    return _xhtml(imprint.name, body, "../")


def _contents(leaves: list[Leaf], texts: dict[str, str], imprint: Imprint) -> str:
    """Write the contents: parts, chapters and their sections."""
    parts = []
    for part, group in groupby(leaves, key=lambda page: page.part):
        inside = "\n".join(_entry(page, texts[page.word]) for page in group)
        named = f"<li><span>{escape(part)}</span>\n<ol>\n{inside}\n</ol></li>"
        parts.append(named if part else inside)
    entries = "\n".join(parts)
    nav = f'<nav epub:type="toc">\n<h1>Contents</h1>\n<ol>\n{entries}\n</ol>\n</nav>'
    return _xhtml(imprint.name, nav, "")


def _entry(page: Leaf, text: str) -> str:
    place = f"text/{page.word}.xhtml"
    sections = "\n".join(
        f'<li><a href="{place}#{anchor}">{MARKUP.sub("", title)}</a></li>'
        for anchor, title in SECTION.findall(text)
    )
    inside = f"\n<ol>\n{sections}\n</ol>" if sections else ""
    return f'<li><a href="{place}">{escape(page.title)}</a>{inside}</li>'


def _package(texts: dict[str, str], extra: Iterable[str], imprint: Imprint) -> str:
    """List every file of the book, and the order in which they are read."""
    date = f"{imprint.date or FIRST_DATE:%Y-%m-%dT%H:%M:%SZ}"
    items = [_item("contents", "contents.xhtml", XHTML, ' properties="nav"')]
    for word, text in texts.items():
        holds = ' properties="mathml"' if "<math" in text else ""
        items.append(_item(f"text-{word}", f"text/{word}.xhtml", XHTML, holds))
    for number, name in enumerate(extra):
        kind = mimetypes.guess_type(posixpath.basename(name))[0]
        items.append(_item(f"file-{number}", name, str(kind), ""))
    order = "\n".join(f'<itemref idref="text-{word}"/>' for word in texts)
    listed = "\n".join(items)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">{uuid5(NAMESPACE_URL, imprint.name).urn}</dc:identifier>
<dc:title>{escape(imprint.name)}: {escape(imprint.description)}</dc:title>
<dc:creator>The {escape(imprint.name)} authors</dc:creator>
<dc:language>en</dc:language>
<dc:rights>{escape(imprint.rights)}</dc:rights>
<meta property="dcterms:modified">{date}</meta>
</metadata>
<manifest>
{listed}
</manifest>
<spine>
<itemref idref="text-title"/>
<itemref idref="contents"/>
{order.partition(chr(10))[2]}
</spine>
</package>
"""


def _item(name: str, address: str, kind: str, holds: str) -> str:
    return f'<item id="{name}" href="{address}" media-type="{kind}"{holds}/>'
