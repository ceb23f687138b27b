"""Bind the pages into one book, of which the PDF and the EPUB are made.

A page is taken as Markdown made it, before the theme surrounds it and its formulas are rendered:
each form of the book can set them in its own way.
"""

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape, unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup

from dlbook.checkout import files
from dlbook.press import cache

BOOKS = 6  # of each kind in the cache; each is some megabytes
# labs/knn.py, reference/api.md
LEFT_OUT = re.compile(r"labs/|reference/(api|changelog)\.md")
ON_SCREEN = (
    ".headerlink, .listing-links, .offer, .card-picture, .chapter-map svg, script, style, "
    'source, img[src$="#only-dark"]'
)
# <pre><span></span><code>...</code></pre>
CODE = re.compile(r"<pre\b[^>]*>(.*?)</pre>", re.DOTALL)
# <a id="__codelineno-0-1" name="__codelineno-0-1" href="#__codelineno-0-1"></a>
LINE_ANCHOR = re.compile(r'<a [^>]*id="__codelineno[^>]*></a>')
# <span class="n">, </code>
MARKUP = re.compile(r"<[^>]+>")
# <a class="term" href="../reference/glossary.html#stride">strides</a>
LINK = re.compile(
    r'<a(?P<open>\s(?:[^>]*?\s)?href="(?P<href>[^"]*)"[^>]*)>(?P<inside>.*?)</a>',
    re.DOTALL,
)
# <img alt="..." src="../assets/figures/knn/convergence-light.svg#only-light" width="672" />
PICTURE = re.compile(r'<img\b[^>]*?\ssrc="([^"]+)"')
LONG = 20  # lines: more of them may be cut at the foot of a page
RIGHTS = "By the dlbook authors. The text is under CC BY-SA 4.0, the code under the MIT license."


@dataclass(frozen=True)
class Content:
    """One page as Markdown made it.

    Attributes:
        part: the part of the book, as the navigation names it; empty for the first pages.
        address: its place in the site, such as `chapters/knn.html`.
        inside: its HTML, with the formulas still marked.
    """

    part: str
    address: str
    inside: str


@dataclass(frozen=True)
class Leaf:
    """One page of the bound book.

    Attributes:
        part: the part of the book; empty for the first pages.
        address: its place in the site.
        title: the heading of the page, as plain text.
        body: its HTML, cleaned, with the formulas still marked.
    """

    part: str
    address: str
    title: str
    body: str

    @property
    def word(self) -> str:
        """Give the name that is its anchor and the name of its file, such as `knn`."""
        return posixpath.basename(self.address).removesuffix(".html")


@dataclass(frozen=True)
class Imprint:
    """What the title page says.

    Attributes:
        name: of the book.
        description: one line.
        version: of the package, such as `0.1.0`.
        checked: the state of the libraries and of the source that was checked.
        date: of the commit; None without a repository.
        site: the address where the book is published, ending in `/`; empty if unknown.
        rights: whose it is, and under which licenses.
    """

    name: str
    description: str
    version: str
    checked: str
    date: datetime | None
    site: str
    rights: str = RIGHTS


def order(parts: list[tuple[str, list[str]]]) -> list[tuple[str, str]]:
    """List what is bound, in reading order.

    Args:
        parts: of the book, from `dlbook.checkout.parts`.

    Returns:
        (part, source) pairs, such as `("Tensors", "chapters/views.md")`; the part of a page
        that stands alone is empty. Labs, the API and the changelog are left to the site.
    """
    pairs = [(part, source) for part, sources in parts for source in sources]
    return [pair for pair in pairs if not LEFT_OUT.match(pair[1])]


def leaf(page: Content) -> Leaf:
    """Clean one page: what only a screen can do goes, what is folded opens.

    Args:
        page: as Markdown made it.

    Returns:
        the page; its pictures are named as seen from a folder beside `assets`, its links lead
        where they led.
    """
    inside = page.inside
    code = [match[0] for match in CODE.finditer(inside)]
    numbers = iter(range(len(code)))
    soup = BeautifulSoup(
        CODE.sub(lambda match: f'<pre id="pre-{next(numbers)}"></pre>', inside),
        "html.parser",
    )
    for tag in soup.select(ON_SCREEN):
        tag.decompose()
    for image in soup.select("img"):
        image["src"] = f"../{_place(page.address, image['src'])}"
        del image["loading"]
    for choice in soup.select("picture"):
        choice.unwrap()
    for folded in soup.select("details"):
        folded.name = "div"
        folded["class"] = ["solution", *folded.get("class", [])]
    for title in soup.select("summary"):
        title.name = "p"
        title["class"] = ["admonition-title"]
    for tag in soup.select("[markdown]"):
        del tag["markdown"]
    for tag in soup.select("[tabindex]"):
        del tag["tabindex"]
    heading = soup.find("h1")
    title = heading.get_text().strip() if heading else ""
    body = re.sub(
        r'<pre id="pre-(\d+)"></pre>',
        lambda match: _code(code[int(match[1])]),
        str(soup).strip(),
    )
    return Leaf(page.part, page.address, title, body)


def _code(pre: str) -> str:
    """Drop the anchors of lines, and say how wide and long the code is, for the style sheet."""
    inside = LINE_ANCHOR.sub("", CODE.fullmatch(pre)[1]).removeprefix("<span></span>")
    lines = unescape(MARKUP.sub("", inside)).splitlines() or [""]
    name = ' class="long"' if len(lines) > LONG else ""
    return f'<pre{name} style="--columns: {max(map(len, lines))}">{inside}</pre>'


def relinked(body: str, address: str, locate: Callable[[str, str], str | None]) -> str:
    """Lead the links of a page to where their targets stand in the book.

    Args:
        body: HTML of the page.
        address: its place in the site.
        locate: gives for the address and anchor of a target the new link, or None where the
            book has no such place; then the text stays and the link goes.

    Returns:
        the HTML; links to other sites stay as they are.
    """

    def replace(match: re.Match) -> str:
        href = unescape(match["href"])
        if urlsplit(href).scheme:
            return match[0]
        new = locate(_place(address, href), href.partition("#")[2])
        if new is None:
            return match["inside"]
        kept = re.sub(r'\s(href|download|rel|target|title)="[^"]*"', "", match["open"])
        return f'<a{kept} href="{escape(new)}">{match["inside"]}</a>'

    return LINK.sub(replace, body)


def outside(imprint: Imprint, address: str, anchor: str) -> str | None:
    """Give the place of a page of the site that is not bound; None if the site has no address."""
    if not imprint.site:
        return None
    return urljoin(imprint.site, address) + (f"#{anchor}" if anchor else "")


def ingredients(
    pages: Iterable[Content], imprint: Imprint, site: Path
) -> Iterable[bytes]:
    """Read all that the look of the book depends on, besides the code of the press.

    Args:
        pages: what is bound, as Markdown made it.
        imprint: what the title page says.
        site: the folder of the built site.

    Yields:
        bytes: the pages, their pictures, the imprint and the style sheets.
    """
    yield repr(imprint).encode()
    for page in pages:
        yield f"{page.part}\0{page.address}\0{page.inside}".encode()
        for picture in pictures_of(page):
            yield (site / picture).read_bytes()
    for path in sorted((site / "assets").glob("*/*.css")):
        yield path.read_bytes()


def pictures_of(page: Content) -> list[str]:
    """List the places in the site of the pictures of a page, in the light theme, once each."""
    sources = [unescape(source) for source in PICTURE.findall(page.inside)]
    shown = [source for source in sources if not source.endswith("#only-dark")]
    return list(dict.fromkeys(_place(page.address, source) for source in shown))


def _place(address: str, link: str) -> str:
    """Give the place in the site to which a link of a page leads, without its anchor."""
    path = link.partition("#")[0]
    start = posixpath.dirname(address)
    return posixpath.normpath(posixpath.join(start, path)) if path else address


def kept(kind: str, parts: Iterable[bytes], make: Callable[[], bytes]) -> Path:
    """Give the book from the cache, and make it only if anything it depends on has changed.

    Args:
        kind: the ending of its name, such as `pdf`.
        parts: everything that decides its bytes, besides the code of the press.
        make: makes it.

    Returns:
        the file in the cache.
    """
    sources = files(Path(__file__).parent, "*.py")
    parts = [*parts, *(path.read_bytes() for path in sources)]
    return cache.kept(kind, f".{kind}", parts, make, at_most=BOOKS)
