"""Show the labs: what mkdocs-jupyter makes of them, as light as the other pages.

A lab's page as it comes carries its own copy of the notebook style sheet, loaders of scripts
from other hosts and pictures as text. Its cells are written anew in the markup of the book.
"""

import re
from base64 import b64decode
from html import escape
from itertools import groupby

from bs4 import BeautifulSoup, Tag

from dlbook.press.source.drawings import pixels_of

# <style type="text/css">...</style>, 590 kB of them
STYLE = re.compile("<style.*?</style>", re.DOTALL)
# <article class="md-content__inner md-typeset">...</article>
ARTICLE = re.compile(r"<article\b.*</article>", re.DOTALL)
# <a href="#lab-views" class="md-nav__link">, <a href="#lab-views" class="md-skip">
CONTENTS = re.compile(
    r'<a href="#(?P<name>[^"]*)" (?P<class>class="md-(?:nav__link|skip))'
)
# $x_1$, not \$1
FORMULA = re.compile(r"(?<![\\$])\$([^$]+)\$")
FORMULA_MARK = r'<span class="arithmatex">\\(\1\\)</span>'
# href="../chapters/views.md#strides"
CHAPTER = re.compile(r'href="\.\./chapters/(\w+)\.md(#[\w-]*)?"')


def lightened(page: str, word: str) -> tuple[str, dict[str, str]]:
    """Replace the notebook's own markup by that of the book.

    Args:
        page: the HTML of the lab, as mkdocs-jupyter made it.
        word: of the lab, which names the files of its pictures.

    Returns:
        the same content in the markup of `assets/css/book.css`, and the pictures that stood
        inside it, by their address in the site.
    """
    found = ARTICLE.search(page)
    soup = BeautifulSoup(STYLE.sub("", found[0]) if found else "", "html.parser")
    wrapper = soup.select_one(".jupyter-wrapper")
    if not wrapper:
        return page, {}
    for tag in soup.find_all(["style", "script", "link"]):
        tag.decompose()
    cells = "".join(_cell(tag) for tag in wrapper.select(".jp-Cell[id]"))
    wrapper.replace_with(BeautifulSoup(cells, "html.parser"))
    pictures = _pictures(soup, word)
    names = [tag["id"] for tag in soup.select(":is(h1, h2, h3, h4)[id]")]
    around = (page[: found.start()], page[found.end() :])
    before, after = (_with_contents(part, names) for part in around)
    return f"{before}{soup}{after}", pictures


def _cell(cell: Tag) -> str:
    """Write one cell: prose as it is, code as a block, what it printed as an output."""
    prose = cell.select_one(".jp-RenderedMarkdown")
    if prose:
        for link in prose.select(".anchor-link"):
            link["class"] = "headerlink"
        parts = re.split(
            r"(<(?:code|pre).*?</(?:code|pre)>)", prose.decode_contents(), flags=re.DOTALL
        )
        parts[::2] = [FORMULA.sub(FORMULA_MARK, part) for part in parts[::2]]
        return CHAPTER.sub(r'href="../chapters/\1.html\2"', "".join(parts))
    html = ""
    for code in cell.select(".jp-InputArea .highlight-ipynb pre"):
        inside = code.decode_contents().rstrip()
        html += f'<div class="block highlight"><pre><code>{inside}</code></pre></div>'
    for is_text, group in groupby(cell.select(".jp-OutputArea-output"), key=_is_text):
        if is_text:  # pieces of one output, cut where the kernel happened to flush it
            pieces = "".join(output.find("pre").get_text() for output in group)
            pre = f"<pre><code>{escape(pieces.rstrip())}</code></pre>"
            html += f'<div class="output highlight">{pre}</div>'
        else:
            drawings = (output.decode_contents() for output in group)
            html += "".join(f'<div class="shown">{drawing}</div>' for drawing in drawings)
    return html


def _is_text(output: Tag) -> bool:
    return output.find("pre") is not None


def _with_contents(page: str, names: list[str]) -> str:
    """Let the table of contents lead to the headings, whose anchors the notebook has named."""

    def replace(match: re.Match) -> str:
        wanted = match["name"]
        near = [name for name in names if name.startswith(wanted)]
        name = wanted if wanted in names else (near or [""])[0]
        return f'<a href="#{name}" {match["class"]}'

    return CONTENTS.sub(replace, page)


def _pictures(soup: BeautifulSoup, word: str) -> dict[str, str]:
    """Move the drawings out of the page into files of their own, loaded when they are seen."""
    files = {}
    for number, image in enumerate(soup.select('img[src^="data:image/svg+xml;base64,"]')):
        svg = b64decode(image["src"].partition(",")[2]).decode()
        address = f"assets/labs/{word}-{number}.svg"
        files[address] = svg
        image["src"] = f"../{address}"
        image["loading"] = "lazy"
        if size := pixels_of(svg):
            image["width"], image["height"] = size
        del image["hidden"]
    return files


def printed(page: str) -> list[str]:
    """Read what the cells of a lab printed, from its page.

    Args:
        page: the HTML of the lab.

    Returns:
        one text for each output of text, in order.
    """
    soup = BeautifulSoup(page, "html.parser")
    return [tag.get_text().strip() for tag in soup.select(".output pre")]
