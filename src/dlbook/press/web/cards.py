"""The picture that stands beside a link to a chapter, in the look of the book."""

from functools import cache
from importlib.metadata import version
from io import BytesIO
from itertools import pairwise, product
from pathlib import Path
from textwrap import wrap

import numpy as np
from fontTools.ttLib import TTFont

from dlbook.checkout import DOCS
from dlbook.press.cache import kept

FONTS = DOCS / "assets" / "fonts"
REGULAR = "source-serif-4-latin-400-normal"
BOLD = "source-serif-4-latin-600-normal"
WIDTH, HEIGHT, DOTS = 1200, 630, 100  # pixels, pixels, pixels to the inch
COLORS = 64
MUTED = "#57606a"
PAPER = "#fdfcfa"  # of the page in light, as in `book.css`
LETTERS = {20: 74, 25: 62, 30: 52}  # to a line of the title at most: its size in pixels
LAYERS = (
    ((940, 70), (940, 122)),
    ((1020, 44), (1020, 96), (1020, 148)),
    ((1100, 96),),
)
PATH = ((940, 122), (1020, 44), (1100, 96))


def address(word: str) -> str:
    """Give the place of a card in the site, such as `assets/cards/knn.png`."""
    return f"assets/cards/{word}.png"


def card(title: str, part: str, below: str) -> Path:
    """Draw a card, unless the cache holds it.

    Args:
        title: of the page, 90 letters or so at most.
        part: of the book, stands above the title; may be empty.
        below: a line of text for the foot.

    Returns:
        a PNG file of 1200 x 630 pixels.
    """
    parts = [*_ingredients(), title, part, below]
    return kept("cards", ".png", parts, lambda: drawn(title, part, below), at_most=300)


@cache
def _ingredients() -> tuple[str | bytes, ...]:
    """Collect what every card depends on."""
    fonts = [(FONTS / f"{name}.woff2").read_bytes() for name in (REGULAR, BOLD)]
    return (Path(__file__).read_text(encoding="utf-8"), version("matplotlib"), *fonts)


def drawn(title: str, part: str, below: str) -> bytes:
    """Draw a card.

    Args:
        title: of the page.
        part: of the book.
        below: a line of text for the foot.

    Returns:
        PNG, the same bytes for the same words.
    """
    from matplotlib.figure import Figure

    from dlbook.figures.style import LIGHT

    figure = Figure((WIDTH / DOTS, HEIGHT / DOTS), dpi=DOTS, facecolor=PAPER)
    _mesh(figure, LIGHT)
    lines, size = _set(title)
    _write(figure, 80, 96, "dlbook", 44, BOLD, LIGHT.accent)
    middle = 330 - (len(lines) - 1) * 0.59 * size
    if part:
        _write(figure, 80, middle - 0.5 * size - 56, part, 30, REGULAR, MUTED)
    for number, line in enumerate(lines):
        _write(figure, 80, middle + 1.18 * size * number, line, size, BOLD, LIGHT.ink)
    _write(figure, 80, 548, below, 27, REGULAR, MUTED)
    return _packed(figure)


def _packed(figure) -> bytes:
    """Turn a figure into a small PNG: flat colors and the steps between them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    made = BytesIO()
    picture.quantize(COLORS).save(made, format="png", optimize=True)
    return made.getvalue()


def _set(title: str) -> tuple[list[str], int]:
    """Break a title into three lines at most, and choose its size in pixels."""
    for letters, size in LETTERS.items():
        lines = wrap(title, letters)
        if len(lines) <= 3 and max(map(len, lines)) <= letters:
            return lines, size
    raise ValueError(f"a title for a card must fit three lines of {letters}: {title!r}")


def _write(figure, left, middle, text, size, face, color) -> None:
    """Write one line; lengths are pixels from the upper left corner."""
    figure.text(
        left / WIDTH,
        1 - middle / HEIGHT,
        text,
        color=color,
        fontproperties=_face(face),
        fontsize=size * 72 / DOTS,
        verticalalignment="center_baseline",
        parse_math=False,
    )


@cache
def _face(name: str):
    """Unpack a face of the book into a form that matplotlib reads."""
    from matplotlib.font_manager import FontProperties

    packed = (FONTS / f"{name}.woff2").read_bytes()

    def make() -> bytes:
        font = TTFont(BytesIO(packed), recalcTimestamp=False)
        font.flavor = None
        made = BytesIO()
        font.save(made)
        return made.getvalue()

    unpacked = kept("faces", ".ttf", [packed, version("fonttools")], make, at_most=10)
    return FontProperties(fname=str(unpacked))


def _mesh(figure, theme) -> None:
    """Draw the sign of the book: a small network with one path through it."""
    axes = figure.add_axes((0, 0, 1, 1), frameon=False)
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    axes.axis("off")
    axes.fill_between([0, 18], 0, HEIGHT, color=theme.accent, linewidth=0)
    lines = [line for pair in pairwise(LAYERS) for line in product(*pair)]
    for start, end in lines:
        axes.plot(*zip(start, end, strict=True), color="#d9d4c8", linewidth=2)
    axes.plot(*zip(*PATH, strict=True), color=theme.accent, linewidth=3)
    for place in (place for layer in LAYERS for place in layer):
        fill, edge = (theme.accent,) * 2 if place in PATH else (PAPER, theme.muted)
        look = {"markersize": 15, "markeredgewidth": 2, "zorder": 3}
        axes.plot(*place, "o", color=fill, markeredgecolor=edge, **look)
