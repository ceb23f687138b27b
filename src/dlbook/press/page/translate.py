"""Turn the book's dialect into the Markdown that Material for MkDocs reads.

The steps work on the text of one page and know nothing of MkDocs. Each error names the line.
"""

import posixpath
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
    Fence,
    PageError,
    drawing_of,
    fences_of,
    prose_of,
)
from dlbook.press.page.glossary import linked
from dlbook.press.page.widgets import widget
from dlbook.press.source.drawings import Frame, alternative_text
from dlbook.press.source.listings import definition, source_address

SIZE = re.compile(r'<svg[^>]*?width="([\d.]+)pt"[^>]*?height="([\d.]+)pt"')


# On a phone a picture keeps the size at which its labels can be read, and moves in this window.
PAN = '<span class="pan" tabindex="0" role="group" aria-label="Figure">'


def frames_of(markdown: str) -> Iterator[Frame]:
    """List the pictures that a page asks for.

    Args:
        markdown: the text of the page.

    Yields:
        one frame for each picture, in order.

    Raises:
        PageError: a figure fence is malformed, or its function is gone.
    """
    for fence in fences_of(markdown):
        if fence.info == "figure":
            drawing = _drawing(fence)
            for arguments in drawing.frames:
                yield Frame(drawing.name, tuple(arguments.items()))


def _drawing(fence: Fence):
    drawing = drawing_of(fence)
    try:
        alternative_text(drawing.name)
    except LookupError as error:
        raise PageError(fence.first, f"figure {error.args[0]}") from error
    return drawing


def translated(markdown: str, address: str) -> str:
    """Replace fences, claims and citations of one page.

    Args:
        markdown: the text of the page.
        address: its place below `docs`, such as `chapters/knn.md`, for links that lead away.

    Returns:
        Markdown for Material.

    Raises:
        PageError: a listing or figure is gone, a claim disagrees, a citation is unknown.
    """
    if address.startswith("chapters/"):
        markdown = linked(markdown, _relative("reference/glossary.md", address))
    prose = prose_of(markdown).splitlines()
    lines = markdown.splitlines()
    for number, text in enumerate(prose):
        if text:
            lines[number] = _inline(text, number + 1, address)
    awaiting_output = False
    for fence in list(fences_of(markdown)):
        new = _fence(fence, address, awaiting_output)
        lines[fence.first - 1 : fence.last] = [indent(new, fence.margin)] + [None] * (
            fence.last - fence.first
        )
        awaiting_output = False
        if fence.info == "python":
            following = (text.strip() for text in prose[fence.last :] if text.strip())
            awaiting_output = next(following, "") == OUTPUT
    return "\n".join(text for text in lines if text is not None)


def _inline(text: str, line: int, address: str) -> str:
    """Replace the claims and citations of one line of prose."""
    if text.strip() in (OUTPUT, CONTINUED):
        return ""

    def claim(match: re.Match) -> str:
        wrong = claims.mistake(match["text"], match["name"])
        if wrong:
            raise PageError(line, wrong)
        link = _relative("reference/results.md", address)
        return f"[{match['text']}]({link}#{claim_anchor(match['name'])}){{ .claim }}"

    def citation(match: re.Match) -> str:
        link = _relative("reference/bibliography.md", address)
        try:
            works = [f"[{label(key)}]({link}#{key})" for key in keys_of(match[1])]
        except LookupError as error:
            raise PageError(line, str(error.args[0])) from error
        return f"({'; '.join(works)})"

    parts = re.split(r"(`+[^`]+`+)", text)  # what is set as code stays as it is
    parts[::2] = [
        CITATION.sub(citation, claims.CLAIM.sub(claim, part)) for part in parts[::2]
    ]
    return "".join(parts)


def _relative(target: str, address: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(address) or ".")


def _fence(fence: Fence, address: str, is_output: bool) -> str:
    inside = "\n".join(fence.lines)
    if fence.info == "listing":
        return _listing(fence, address)
    if fence.info == "figure":
        return _figure(fence, address)
    if fence.info == "live":
        return _live(fence, address)
    if fence.info == "python":
        return f"``` {{ .python .block }}\n{inside}\n```"
    if re.match(r"\W*(py|ipython|>>>)", fence.info.lower()):
        raise PageError(
            fence.first, f"a fence opened with {fence.info!r} would not be run"
        )
    if fence.info == "text" and is_output:
        return f"``` {{ .text .output }}\n{inside}\n```"
    return f"```{fence.info}\n{inside}\n```"


def _live(fence: Fence, address: str) -> str:
    try:
        return widget(fence, _relative(".", address))
    except (LookupError, ValueError) as error:
        raise PageError(fence.first, f"live {error.args[0]}") from error


def _listing(fence: Fence, address: str) -> str:
    name = " ".join(fence.lines).strip()
    try:
        path, node, source = definition(name)
    except LookupError as error:
        raise PageError(fence.first, f"listing {error.args[0]}") from error
    shown = path.relative_to(ROOT).as_posix()
    tests = ROOT / "tests" / f"test_{path.stem}.py"
    links = [f"[source]({_relative(source_address(path), address)}#L{node.lineno})"]
    if tests.is_file():
        links.append(f"[tests]({_relative(source_address(tests), address)})")
    return (
        f'``` {{ .python .listing title="{shown}" }}\n{source}\n```\n\n'
        f"{' · '.join(links)}\n{{ .listing-links }}"
    )


def _figure(fence: Fence, address: str) -> str:
    from dlbook.figures.style import describe

    drawing = _drawing(fence)
    description = alternative_text(drawing.name)
    pictures = []
    for arguments in drawing.frames:
        frame = Frame(drawing.name, tuple(arguments.items()))
        text = describe(description, arguments).replace("[", "(").replace("]", ")")
        images = [
            f"![{text}]({_relative(frame.address(theme), address)}#only-{theme})"
            f"{{ loading=lazy {_size(frame, theme)} }}"
            for theme in ("light", "dark")
        ]
        pictures.append("\n".join([PAN, *images, "</span>"]))
    caption = _inline(drawing.caption, fence.first, address)
    caption = f"<figcaption markdown>{caption}</figcaption>" if caption else ""
    if len(pictures) == 1:
        return f'<figure class="drawing" markdown="span">\n{pictures[0]}\n{caption}\n</figure>'
    shown = []
    for arguments, images in zip(drawing.frames, pictures, strict=True):
        ((name, value),) = arguments.items()
        shown.append(
            f'<div class="frame" data-value="{name} = {value}" markdown="span">\n'
            f'<span class="frame-name">{name} = {value}</span>\n{images}\n</div>'
        )
    frames = "\n".join(shown)
    return (
        f'<figure class="drawing frames" markdown="block">\n<div class="film" markdown="block">\n'
        f"{frames}\n</div>\n{caption}\n</figure>"
    )


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


def _size(frame: Frame, theme: str) -> str:
    """Give the size of a picture, so that the page does not jump when it arrives."""
    file = frame.cached(theme)
    match = SIZE.search(file.read_text()[:2000]) if file.is_file() else None
    if not match:
        return ""
    width, height = (round(float(number) * 4 / 3) for number in match.groups())
    return f"width={width} height={height}"
