"""Turn the book's dialect into the Markdown that Material for MkDocs reads.

The steps work on the text of one page and know nothing of MkDocs. Each error names the line.
"""

import re
from collections.abc import Iterator
from textwrap import indent

from dlbook.checkout import ROOT
from dlbook.press.page import claims
from dlbook.press.page.citations import CITATION, keys_of, label
from dlbook.press.page.claims import claim_anchor
from dlbook.press.page.fences import (
    CONTINUED,
    OUTPUT,
    Drawing,
    Fence,
    PageError,
    drawing_of,
    outside_code,
)
from dlbook.press.page.glossary import linked
from dlbook.press.page.numbering import anchor, figure_number, referred
from dlbook.press.page.overview import overview
from dlbook.press.page.page import Page
from dlbook.press.page.widgets import widget
from dlbook.press.source.drawings import (
    THEMES,
    Frame,
    alternative_text,
    pixels_of,
    require_parameters,
)
from dlbook.press.source.listings import definition, source_address

PHONE = "(max-width: 599px)"  # the windows that show the narrow drawing


def frames_of(page: Page) -> Iterator[Frame]:
    """List the pictures that a page asks for.

    Args:
        page: of the book.

    Yields:
        one frame for each picture, in order.

    Raises:
        PageError: a figure fence is malformed, or its function is gone.
    """
    for fence in page.fences:
        if fence.info == "figure":
            drawing = _drawing(fence)
            for arguments in drawing.frames:
                yield Frame(drawing.name, tuple(arguments.items()))


def _drawing(fence: Fence) -> Drawing:
    drawing = drawing_of(fence)
    try:
        alternative_text(drawing.name)
        require_parameters(drawing.name, drawing.frames[0] if drawing.frames else ())
    except LookupError as error:
        raise PageError(fence.first, f"figure {error.args[0]}") from error
    return drawing


def translated(page: Page) -> str:
    """Replace the fences, claims and citations of a page.

    Args:
        page: of the book.

    Returns:
        Markdown for Material.

    Raises:
        PageError: a listing or figure is gone, a claim disagrees, a citation is unknown.
    """
    lines: list[str | None] = [*(linked(page) if page.kind == "chapter" else page.lines)]
    for number, text in enumerate(lines):
        if page.prose[number]:
            lines[number] = translated_line(text, number + 1, page)
    for fence in page.fences:
        rest = [None] * (fence.last - fence.first)
        new = indent(translated_fence(fence, page), fence.margin)
        lines[fence.first - 1 : fence.last] = [new, *rest]
    return "\n".join(text for text in lines if text is not None)


def mistakes_in(page: Page) -> Iterator[PageError]:
    """Try to translate each line and each fence of a page.

    Args:
        page: of the book.

    Yields:
        every mistake, where `translated` stops at the first.
    """
    for number, text in enumerate(page.prose, start=1):
        try:
            translated_line(text, number, page)
        except PageError as error:
            yield error
    for fence in page.fences:
        try:
            translated_fence(fence, page)
        except PageError as error:
            yield error


def translated_line(text: str, line: int, page: Page) -> str:
    """Replace the claims and citations of one line of prose.

    Args:
        text: the line, or a caption.
        line: its number, counted from 1.
        page: on which it stands.

    Returns:
        Markdown.

    Raises:
        PageError: a claim disagrees, or a citation or a figure is unknown.
    """
    if text.strip() in (OUTPUT, CONTINUED):
        return ""

    def claim(match: re.Match) -> str:
        wrong = claims.mistake(match["text"], match["name"])
        if wrong:
            raise PageError(line, wrong)
        link = page.way_to("reference/results.md")
        item = "".join(f" data-item={part}" for part in match["name"].split(".")[2:])
        anchor = claim_anchor(match["name"])
        return f"[{match['text']}]({link}#{anchor}){{ .claim{item} }}"

    def citation(match: re.Match) -> str:
        link = page.way_to("reference/bibliography.md")
        try:
            works = [
                f"[{label(key)}]({link}#{key}){{ .citation }}"
                for key in keys_of(match[1])
            ]
        except LookupError as error:
            raise PageError(line, str(error.args[0])) from error
        return f"({'; '.join(works)})"

    def link(number: str) -> str:
        return f"[Figure {number}](#{anchor(number)})"

    try:
        text = referred(text, page, link)
    except LookupError as error:
        raise PageError(line, str(error.args[0])) from error
    return outside_code(
        text, lambda part: CITATION.sub(citation, claims.CLAIM.sub(claim, part))
    )


def translated_fence(fence: Fence, page: Page) -> str:
    """Replace one fence.

    Args:
        fence: of the page.
        page: on which it stands.

    Returns:
        Markdown, without the margin.

    Raises:
        PageError: it names what does not exist, or looks like a block that would not be run.
    """
    inside = "\n".join(fence.lines)
    if fence.info == "listing":
        return _listing(fence, page)
    if fence.info == "figure":
        return _figure(fence, page)
    if fence.info == "live":
        return _live(fence, page)
    if fence.info == "book":
        return _overview(fence, page)
    if fence.info == "python":
        return f"``` {{ .python .block }}\n{inside}\n```"
    if re.match(r"\W*(py|ipython|>>>)", fence.info.lower()):
        reason = f"a fence opened with {fence.info!r} would not be run"
        raise PageError(fence.first, reason)
    if fence.info == "text" and fence in page.outputs.values():
        return f"``` {{ .text .output }}\n{inside}\n```"
    return f"```{fence.info}\n{inside}\n```"


def _live(fence: Fence, page: Page) -> str:
    try:
        return widget(fence, page.way_to("."))
    except (LookupError, ValueError) as error:
        raise PageError(fence.first, f"live {error.args[0]}") from error


def _overview(fence: Fence, page: Page) -> str:
    try:
        return overview(fence, page)
    except LookupError as error:
        raise PageError(fence.first, f"book {error.args[0]}") from error


def _listing(fence: Fence, page: Page) -> str:
    name = " ".join(fence.lines).strip()
    try:
        path, node, source = definition(name)
    except LookupError as error:
        raise PageError(fence.first, f"listing {error.args[0]}") from error
    shown = path.relative_to(ROOT).as_posix()
    tests = ROOT / "tests" / f"test_{path.stem}.py"
    links = [f"[source]({page.way_to(source_address(path))}#L{node.lineno})"]
    if tests.is_file():
        links.append(f"[tests]({page.way_to(source_address(tests))})")
    return (
        f'``` {{ .python .listing title="{shown}" }}\n{source}\n```\n\n'
        f"{' · '.join(links)}\n{{ .listing-links }}"
    )


def _figure(fence: Fence, page: Page) -> str:
    drawing = _drawing(fence)
    pictures = [_pictures(drawing.name, frame, page) for frame in drawing.frames]
    number = figure_number(fence, page)
    place = f' id="{anchor(number)}"' if number else ""
    label = f'<span class="figure-number">Figure {number}.</span>' if number else ""
    caption = f"{label} {translated_line(drawing.caption, fence.first, page)}".strip()
    caption = f"<figcaption markdown>{caption}</figcaption>" if caption else ""
    if len(pictures) == 1:
        opening = f'<figure class="drawing"{place} markdown="span">'
        return f"{opening}\n{pictures[0]}\n{caption}\n</figure>"
    shown = []
    for arguments, images in zip(drawing.frames, pictures, strict=True):
        ((name, value),) = arguments.items()
        shown.append(
            f'<div class="frame" data-value="{name} = {value}" markdown="span">\n'
            f'<span class="frame-name">{name} = {value}</span>\n{images}\n</div>'
        )
    film = "\n".join(['<div class="film" markdown="block">', *shown, "</div>"])
    opening = f'<figure class="drawing frames"{place} markdown="block">'
    return f"{opening}\n{film}\n{caption}\n</figure>"


def _pictures(name: str, arguments: dict, page: Page) -> str:
    """Show one frame, in light and dark."""
    from dlbook.figures.style import describe

    frame = Frame(name, tuple(arguments.items()))
    text = describe(alternative_text(name), arguments).replace("[", "(").replace("]", ")")
    return "\n".join(_picture(frame, theme, text, page) for theme in THEMES)


def _picture(frame: Frame, theme: str, text: str, page: Page) -> str:
    """Let the window choose between the wide drawing of one theme and the narrow one."""
    narrow = f"{theme}-narrow"
    return (
        f'<picture><source media="{PHONE}" srcset="{page.way_to(frame.address(narrow))}"'
        f"{_size(frame, narrow)}>"
        f"![{text}]({page.way_to(frame.address(theme))}#only-{theme})"
        f"{{ loading=lazy{_size(frame, theme)} }}</picture>"
    )


def _size(frame: Frame, form: str) -> str:
    """Give the size of a picture, so that the page does not jump when it arrives."""
    file = frame.cached(form)
    size = pixels_of(file.read_text(encoding="utf-8")) if file.is_file() else None
    return ' width="{}" height="{}"'.format(*size) if size else ""


def unwrapped(html: str) -> str:
    """Take figures out of the paragraphs that Markdown puts around them inside a remark.

    Args:
        html: the content of a page, as Markdown made it.

    Returns:
        the same with each figure on its own, as the standard of HTML wants it.
    """

    def bare(match: re.Match) -> str:
        return re.sub(r'(<\w+(?: \w+="[^"]*")*) markdown(?:="\w+")?', r"\1", match[1])

    return re.sub(r"<p>(<figure\b.*?</figure>)</p>", bare, html, flags=re.DOTALL)
