"""Each page as plain Markdown, for whatever may show it when today's programs are gone.

Listings, figures, claims and citations are resolved, remarks become quotations, and a lab shows
what it prints. Any program for Markdown can read what is left.
"""

import re
from base64 import b64decode

import nbformat
from bs4 import BeautifulSoup

from dlbook.figures.style import describe
from dlbook.press.page.citations import CITATION, keys_of, label
from dlbook.press.page.claims import CLAIM
from dlbook.press.page.fences import CONTINUED, OUTPUT, Fence, drawing_of
from dlbook.press.page.numbering import spelled
from dlbook.press.page.overview import listed
from dlbook.press.page.page import Page
from dlbook.press.source.drawings import Frame, alternative_text
from dlbook.press.source.listings import definition

# !!! warning "Pitfall: ties", ??? success "Solution", ??? abstract
REMARK = re.compile(
    r'^(?P<margin> *)(?:!!!|\?\?\?\+?) (?P<kind>\w+)(?: "(?P<title>.*)")?\s*$'
)
# ](../labs/knn.py), which is a page like any other
LAB = re.compile(r"\]\((?P<way>[\w./]+)\.py\b")
DRAWING = 'img[src^="data:image/svg+xml;base64,"]'


def plain(page: Page) -> str:
    """Write a page as plain Markdown.

    Args:
        page: of the book.

    Returns:
        Markdown. Links lead where their author wrote; pictures lie below `assets/figures`.

    Raises:
        LookupError: a listing, figure or citation is gone.
    """
    fences = {fence.first: fence for fence in page.fences}
    inside = {n for f in page.fences for n in range(f.first + 1, f.last + 1)}
    written: list[str] = []
    margins = [0]  # of the page, and of the remarks around the line
    for number, line in enumerate(page.lines, start=1):
        if number in inside or line.strip() in (OUTPUT, CONTINUED):
            continue
        while line.strip() and len(line) - len(line.lstrip()) < margins[-1]:
            margins.pop()
        quote = "> " * (len(margins) - 1)
        if number in fences:
            lines = _fence(fences[number], page).splitlines()
        elif remark := REMARK.match(line):
            title = remark["title"] or remark["kind"].capitalize()
            lines = [f"> **{_prose(title)}**"]
            margins.append(len(remark["margin"]) + 4)
        else:
            lines = [_prose(spelled(line[margins[-1] :], page))]
        written += [f"{quote}{text}".rstrip() for text in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(written)).strip() + "\n"


def _prose(text: str) -> str:
    """Write one line: claims and citations as text."""
    text = CLAIM.sub(lambda match: match["text"], text)
    text = CITATION.sub(
        lambda match: f"({'; '.join(label(key) for key in keys_of(match[1]))})", text
    )
    return LAB.sub(r"](\g<way>.md", text)


def _fence(fence: Fence, page: Page) -> str:
    """Write one fence: the source of a listing, the pictures of a figure."""
    inside = "\n".join(fence.lines)
    if fence.info == "listing":
        return f"```python\n{definition(inside.strip())[2]}\n```"
    if fence.info == "figure":
        drawing = drawing_of(fence)
        pictures = [_picture(drawing.name, frame, page) for frame in drawing.frames]
        return "\n\n".join([*pictures, _prose(spelled(drawing.caption, page))])
    if fence.info == "book":
        return listed(fence, page)
    if fence.info == "live":
        return "\n".join(map(_prose, fence.lines[1:]))
    return f"```{fence.info}\n{inside}\n```"


def _picture(name: str, arguments: dict, page: Page) -> str:
    frame = Frame(name, tuple(arguments.items()))
    text = describe(alternative_text(name), arguments).replace("[", "(").replace("]", ")")
    return f"![{text}]({page.way_to(frame.address('light'))})"


def plain_lab(notebook: str, word: str) -> tuple[str, dict[str, str]]:
    """Write a lab that was run as plain Markdown.

    Args:
        notebook: with its outputs, as JSON.
        word: of the lab.

    Returns:
        Markdown, and the drawings that its cells show, by their place beside `labs`.
    """
    written, drawings = [], {}
    for cell in nbformat.reads(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            written.append(_prose(cell.source))
            continue
        written.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            data = output.get("data", {"text/plain": output.get("text", "")})
            shown = BeautifulSoup(data.get("text/html", ""), "html.parser")
            images = [
                image for image in shown.select(DRAWING) if not image.has_attr("hidden")
            ]
            for image in images:
                address = f"assets/labs/{word}-{len(drawings)}.svg"
                drawings[address] = b64decode(image["src"].partition(",")[2]).decode()
                written.append(f"![{image.get('alt', '')}](../{address})")
            if not images and data["text/plain"].strip():
                written.append(f"```text\n{data['text/plain'].rstrip()}\n```")
    return "\n\n".join(written) + "\n", drawings
