"""The book on paper: one page of HTML, printed into a PDF by a Chromium without a window.

Chromium numbers pages but cannot name the page of a link. So it prints twice: the first PDF
tells where the chapters begin, the second has that in its contents.
"""

import logging
import re
import shutil
from collections.abc import Iterable
from functools import partial
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from subprocess import SubprocessError, run
from tempfile import TemporaryDirectory

from pikepdf import Name, ObjectStreamMode, Pdf

from dlbook.press.downloads.leaves import (
    Content,
    Imprint,
    Leaf,
    ingredients,
    kept,
    leaf,
    outside,
    relinked,
)
from dlbook.press.page import formulas

LOG = logging.getLogger("mkdocs.dlbook")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",  # it reads nothing but this book, and containers often allow no sandbox
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-pdf-header-footer",
)
# The first print is only asked for the pages of the chapters: it needs no ink for pictures.
DRAFT = "<style>img { visibility: hidden }</style>\n</head>"
SECONDS = 300
# <span class="katex-mathml"><math xmlns="...">...</math></span>
MATHML = re.compile(r'<span class="katex-mathml">.*?</math></span>', re.DOTALL)
# <h2 id="exercises">
IDENTIFIER = re.compile(r'(<[a-z][^<>]*?\s)id="([^"]+)"')
# <h2 and </h2
HEADING = re.compile(r"(</?h)([1-5])\b")
# How Chromium names the cells of tables; the numbers depend on the clock, their order does not.
NODE = re.compile(rb"\(node\d{8}\)")


def browser() -> str | None:
    """Find a Chromium on this machine."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def book(pages: list[Content], imprint: Imprint, site: Path) -> Path | None:
    """Print the whole book.

    Args:
        pages: what is bound, in reading order.
        imprint: what the title page says.
        site: the folder of the built site, where pictures and style sheets lie.

    Returns:
        the PDF in the cache; None where there is no browser, or it cannot print.
    """
    chromium = browser()
    if not chromium:
        LOG.info("No PDF of the book is made: there is no Chromium on this machine")
        return None
    state = Path(chromium).resolve().stat()
    parts = [*ingredients(pages, imprint, site), f"{chromium} {state.st_mtime}".encode()]

    def make() -> bytes:
        leaves = [leaf(page) for page in pages]
        draft = combined(leaves, imprint, {}).replace("</head>", DRAFT, 1)
        numbers = beginnings(printed(draft, site, chromium, "--disable-pdf-tagging"))
        whole = combined(leaves, imprint, numbers)
        made = printed(whole, site, chromium, "--generate-pdf-document-outline")
        return packed(made, imprint)

    try:
        return kept("pdf", parts, make)
    except (OSError, SubprocessError) as error:
        LOG.info(f"No PDF of the book is made: {chromium} could not print it ({error})")
        return None


def combined(leaves: list[Leaf], imprint: Imprint, numbers: dict[str, int]) -> str:
    """Write the whole book as one page of HTML, to lie in a folder beside `assets`.

    Args:
        leaves: what is bound, in reading order.
        imprint: what the title page says.
        numbers: the page on which each leaf begins, by its word; empty before it is known.

    Returns:
        HTML whose anchors are unique and whose links into the book stay inside it.
    """
    words = {page.address: page.word for page in leaves}
    if len(set(words.values())) < len(leaves):
        raise ValueError(f"two pages of the book share a name: {sorted(words)}")
    inside = "\n".join(
        _part(part, list(group), partial(_anchor, words, imprint))
        for part, group in groupby(leaves, key=lambda page: page.part)
    )
    heads = "\n".join(
        f'@page {page.word} {{ @top-right {{ content: "{_quoted(page.title)}" }} }}\n'
        f"#{page.word} {{ page: {page.word} }}"
        for page in leaves
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{escape(imprint.name)}: {escape(imprint.description)}</title>
<link rel="stylesheet" href="../assets/katex/katex.min.css">
<link rel="stylesheet" href="../assets/css/paper.css">
<style>
{heads}
</style>
</head>
<body>
{_title_page(imprint)}
{_contents(leaves, numbers)}
{formulas.replaced(inside, _formula)}
</body>
</html>
"""


def _anchor(
    words: dict[str, str], imprint: Imprint, address: str, anchor: str
) -> str | None:
    """Name the place of a target inside the book."""
    if address not in words:
        return outside(imprint, address, anchor)
    return f"#{words[address]}--{anchor}" if anchor else f"#{words[address]}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _part(part: str, leaves: list[Leaf], locate) -> str:
    """Join the pages of a part; its name stands above the first one."""
    sections = []
    for page in leaves:
        name = (
            f'<h1 class="part">{escape(part)}</h1>\n'
            if part and page is leaves[0]
            else ""
        )
        body = relinked(page.body, page.address, locate)
        body = IDENTIFIER.sub(rf'\1id="{page.word}--\2"', body)
        if part:  # the outline of the PDF follows the headings: part, chapter, section
            body = HEADING.sub(lambda match: f"{match[1]}{int(match[2]) + 1}", body)
        sections.append(f'<section id="{page.word}">\n{name}{body}\n</section>')
    return "\n".join(sections)


def _formula(latex: str, display: bool) -> str:
    """Set a formula in glyphs; its source is what is read aloud."""
    glyphs = MATHML.sub("", formulas.formula(latex, display))
    tag = "div" if display else "span"
    spoken = escape(" ".join(latex.split()))
    return f'<{tag} class="formula" role="img" aria-label="{spoken}">{glyphs}</{tag}>'


def _title_page(imprint: Imprint) -> str:
    date = f"{imprint.date.day} {imprint.date:%B %Y}" if imprint.date else ""
    lines = [f"Version {escape(imprint.version)}" + (f", {date}" if date else "")]
    lines.append(f"Checked with {escape(imprint.checked)}.")
    if imprint.site:
        lines.append(f'<a href="{escape(imprint.site)}">{escape(imprint.site)}</a>')
    lines.append(escape(imprint.rights))
    small = "\n".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<header class="cover">\n<p class="name">{escape(imprint.name)}</p>\n'
        f'<p class="description">{escape(imprint.description)}</p>\n{small}\n</header>'
    )


def _contents(leaves: Iterable[Leaf], numbers: dict[str, int]) -> str:
    parts = []
    for part, group in groupby(leaves, key=lambda page: page.part):
        entries = "\n".join(
            f'<li><a href="#{page.word}"><span>{escape(page.title)}</span> '
            f"<span>{numbers.get(page.word, 0)}</span></a></li>"
            for page in group
        )
        name = f"<p>{escape(part)}</p>\n" if part else ""
        parts.append(f"{name}<ul>\n{entries}\n</ul>")
    inside = "\n".join(parts)
    return f'<nav class="contents">\n<h1>Contents</h1>\n{inside}\n</nav>'


def printed(html: str, site: Path, chromium: str, how: str) -> bytes:
    """Print a page of HTML that lies in a folder of the site.

    Args:
        html: the page.
        site: the folder of the built site.
        chromium: the browser.
        how: one more flag for it.

    Returns:
        the PDF.

    Raises:
        SubprocessError: the browser failed, or took longer than five minutes.
        OSError: it wrote nothing.
    """
    # The browser may still write into its profile when it has ended.
    profile = TemporaryDirectory(prefix="profile-", ignore_cleanup_errors=True)
    with TemporaryDirectory(dir=site, prefix="paper-") as folder, profile:
        page, made = Path(folder) / "book.html", Path(folder) / "book.pdf"
        page.write_text(html, encoding="utf-8")
        command = [chromium, *FLAGS, how, f"--user-data-dir={profile.name}"]
        command += [f"--print-to-pdf={made}", page.as_uri()]
        run(command, capture_output=True, timeout=SECONDS, check=True)
        return made.read_bytes()


def beginnings(pdf: bytes) -> dict[str, int]:
    """Find the pages to which the links of a PDF lead.

    Args:
        pdf: with named destinations, as Chromium writes them.

    Returns:
        the number of the page, counted from 1, by the name of the destination.
    """
    with Pdf.open(BytesIO(pdf)) as opened:
        numbers = {page.obj.objgen: n for n, page in enumerate(opened.pages, start=1)}
        named = opened.Root.get(Name.Dests, {})
        return {
            name.removeprefix("/"): numbers[place[0].objgen]
            for name, place in named.items()
        }


def packed(pdf: bytes, imprint: Imprint) -> bytes:
    """Shrink a PDF, and take out what the clock has put in.

    Args:
        pdf: as Chromium writes it.
        imprint: says whose book it is, and the date that it bears.

    Returns:
        half the bytes; equal ones for an equal book.
    """
    names = {name: n for n, name in enumerate(sorted(set(NODE.findall(pdf))))}
    steady = NODE.sub(lambda match: b"(node%08d)" % names[match[0]], pdf)
    made = BytesIO()
    with Pdf.open(BytesIO(steady)) as opened:
        information = opened.docinfo
        information[Name.Author] = f"The {imprint.name} authors"
        for name in (Name.CreationDate, Name.ModDate):
            del information[name]
            if imprint.date:
                information[name] = f"D:{imprint.date:%Y%m%d%H%M%S}Z"
        mode = ObjectStreamMode.generate
        opened.save(made, object_stream_mode=mode, deterministic_id=True)
    return made.getvalue()
