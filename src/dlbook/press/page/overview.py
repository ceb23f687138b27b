"""The chapters at a glance: a card for each, and a map of what each of them needs.

Both are made from the pages: numbers and titles, the first figure, what the reader needs and
gets, the minutes. Nobody keeps a second list.
"""

from html import escape
from itertools import groupby
from math import sqrt

from dlbook.checkout import DOCS, parts
from dlbook.press.page.fences import Fence, drawing_of
from dlbook.press.page.numbering import marked
from dlbook.press.page.opening import needs, promise
from dlbook.press.page.page import Page
from dlbook.press.source.drawings import (
    THEMES,
    Frame,
    alternative_text,
    pixels_of,
)

KINDS = ("cards", "map")
# the map in twentieths of an em of the page: as book.css sets its rows
ROW, GAP, WIDTH, TIP = 24, 6, 320, 5


def overview(fence: Fence, page: Page) -> str:
    """Write what a `book` fence asks for.

    Args:
        fence: a fence whose info is `book`: `cards` or `map`, then a sentence below it.
        page: on which it stands.

    Returns:
        Markdown.

    Raises:
        LookupError: there is no such overview.
    """
    kind, sentence = (fence.lines or ("",))[0].strip(), " ".join(fence.lines[1:])
    if kind not in KINDS:
        raise LookupError(f"{kind!r} is no overview; there are {', '.join(KINDS)}")
    made = cards(page) if kind == "cards" else chapter_map(page)
    return f"{made}\n\n{sentence}".strip() + "\n"


def listed(fence: Fence, page: Page) -> str:
    """Write an overview as plain Markdown, for whatever may show it.

    Args:
        fence: as for `overview`.
        page: on which it stands.

    Returns:
        a list of the chapters with what the reader gets, or with what each of them needs.
    """
    chapters = [chapter for _, inside in groups() for chapter in inside]
    titles = {chapter.word: chapter.title for chapter in chapters}
    lines = []
    for chapter in chapters:
        needed = ", ".join(titles[word] for word in needs(chapter) if word in titles)
        told = (
            promise(chapter) if fence.lines[0].strip() == "cards" else f"needs {needed}"
        )
        link = page.way_to(chapter.address)
        if needed or not told.startswith("needs"):
            lines.append(f"- [{chapter.number}. {chapter.title}]({link}): {told}")
    return "\n".join([*lines, "", *fence.lines[1:]]).strip()


def groups() -> list[tuple[str, list[Page]]]:
    """List the parts that have chapters, and their chapters, as they lie on the disk."""
    found = []
    for part, sources in parts():
        places = [DOCS / source for source in sources if source.startswith("chapters/")]
        found.append((part, [Page.at(path) for path in places if path.is_file()]))
    return [(part, pages) for part, pages in found if pages]


def cards(page: Page) -> str:
    """Write a card for each chapter, below the name of its part."""
    written = []
    for part, chapters in groups():
        inside = "\n".join(_card(chapter, page) for chapter in chapters)
        written.append(f'### {part}\n\n<ul class="cards">\n{inside}\n</ul>')
    return "\n\n".join(written)


def _card(chapter: Page, page: Page) -> str:
    """Write one card; the whole of it leads to the chapter."""
    told = promise(chapter)
    promised = f"<p>{escape(told)}.</p>" if told else ""
    return (
        f'<li class="card">{_picture(chapter, page)}<p class="card-title">'
        f"{_link(chapter, page)}</p>{promised}"
        f'<p class="minutes">{chapter.minutes} minutes</p></li>'
    )


def _link(chapter: Page, page: Page) -> str:
    address = page.way_to(f"chapters/{chapter.word}.html")
    return f'<a href="{address}">{marked(chapter.number)} {escape(chapter.title)}</a>'


def _picture(chapter: Page, page: Page) -> str:
    """Show the first figure of a chapter; of a slider the frame in the middle, which tells more."""
    figures = (fence for fence in chapter.fences if fence.info == "figure")
    first = next(figures, None)
    if not first:
        return ""
    drawing = drawing_of(first)
    arguments = drawing.frames[len(drawing.frames) // 2]
    frame = Frame(drawing.name, tuple(arguments.items()))
    text = escape(_first_sentence(drawing.name, arguments))
    images = ""
    for theme in THEMES:
        size = _size(frame, theme)
        source = f"{page.way_to(frame.address(theme))}#only-{theme}"
        images += f'<img alt="{text}" src="{source}" loading="lazy"{size}>'
    return f'<span class="card-picture">{images}</span>'


def _first_sentence(name: str, arguments: dict) -> str:
    from dlbook.figures.style import describe

    return describe(alternative_text(name), arguments).partition(". ")[0].rstrip(".")


def _size(frame: Frame, form: str) -> str:
    file = frame.cached(form)
    size = pixels_of(file.read_text(encoding="utf-8")) if file.is_file() else None
    return ' width="{}" height="{}"'.format(*size) if size else ""


def arrows() -> list[tuple[str, str]]:
    """List what the map shows: (needed, needing) pairs of words, in reading order.

    Raises:
        LookupError: a chapter needs one that comes later, or that is none.
    """
    known: list[str] = []
    found = []
    for _, chapters in groups():
        for chapter in chapters:
            for word in needs(chapter):
                if word not in known and word != chapter.word:
                    raise LookupError(f"{chapter.source} needs {word}, which comes later")
                found.append((word, chapter.word))
            known.append(chapter.word)
    return [pair for pair in found if pair[0] != pair[1]]


def chapter_map(page: Page) -> str:
    """Write the chapters one below the other, each with arrows from those that it needs.

    Where the window is narrow, on paper and in a reading device the arrows give way to words.
    """
    named = [(part, chapter) for part, pages in groups() for chapter in pages]
    titles = {chapter.word: chapter.title for _, chapter in named}
    heights = _heights([part for part, _ in named])
    places = dict(zip(titles, heights, strict=True))
    leading = arrows()
    rows = []
    for part, inside in groupby(named, key=lambda pair: pair[0]):
        entries = []
        for _, chapter in inside:
            needed = [start for start, end in leading if end == chapter.word]
            names = ", ".join(escape(titles[word]) for word in needed)
            told = f'<span class="needs">needs {names}</span>' if needed else ""
            drawn = _arcs([(start, chapter.word) for start in needed], places)
            entries.append(f"<li>{_link(chapter, page)} {told}{drawn}</li>")
        listed = "".join(entries)
        rows.append(f"<li><span>{escape(part)}</span><ol>{listed}</ol></li>")
    return f'<figure class="chapter-map"><ol>{"".join(rows)}</ol></figure>'


def _heights(names: list[str]) -> list[float]:
    """Give the middle of each row; a new part stands a little lower."""
    heights, top = [], 0.0
    for before, name in zip([None, *names], names, strict=False):
        top += GAP if before not in (None, name) else 0
        heights.append(top + ROW / 2)
        top += ROW
    return heights


def _arcs(pairs: list[tuple[str, str]], places: dict[str, float]) -> str:
    """Draw the arrows that end at one chapter: wider ones for chapters that lie further back."""
    height = max(places.values()) + ROW / 2
    lines = ""
    for start, end in pairs:
        top, bottom = places[start] + TIP, places[end] - TIP
        wide = WIDTH * 4 / 3 * sqrt((bottom - top) / height)
        lines += (
            f'<path data-from="{start}" data-to="{end}" '
            f'd="M0 {top:g}C{wide:.0f} {top:g} {wide:.0f} {bottom:g} {TIP} {bottom:g}"/>'
            f'<path class="tip" d="M0 {bottom:g}l{TIP + 2}-3v6z"/>'
        )
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH / 20:g}rem"'
    return (
        f'<svg {size} height="{height / 20:g}rem" aria-hidden="true">{lines}</svg>'
        if lines
        else ""
    )
