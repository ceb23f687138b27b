"""The one look of all figures, and the one way to turn a figure into an SVG file.

Nothing here loads matplotlib before it draws: the press reads the words of a figure far more
often than it draws one.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html import escape
from inspect import cleandoc, signature
from io import StringIO
from typing import TYPE_CHECKING

from dlbook.figures.narrow import NARROW, narrowed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Theme:
    """Colors of one page scheme; a class keeps its hue and its marker in both schemes."""

    name: str
    ink: str  # text, axes, outlines
    muted: str  # grids, guides, things of the second rank
    paper: str  # what lies behind the figure, for gaps and halos
    accent: str  # the one thing to look at
    classes: tuple[str, ...]  # categories, in order: blue, orange, green, pink, sky
    markers: tuple[str, ...] = ("o", "^", "s", "D", "v")  # one for each of the classes
    sequence: str = "cividis"  # color map of quantities, readable without color vision
    diverging: str = "PuOr"  # color map of signed quantities, centered on zero


LIGHT = Theme(
    "light",
    ink="#24292f",
    muted="#8b949e",
    paper="#ffffff",
    accent="#b3391f",
    classes=("#0072b2", "#d98200", "#00845f", "#b8558c", "#3f8fc4"),
)
DARK = Theme(
    "dark",
    ink="#e3e6ea",
    muted="#868e98",
    paper="#16181d",
    accent="#ff8a6b",
    classes=("#5db3ec", "#f0a830", "#35c79a", "#e08bbb", "#9ad0f5"),
)

INKED = ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color")
LOOK = {
    "axes.facecolor": "none",  # the page shows through
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.facecolor": "none",
    "font.size": 10,
    "image.interpolation": "none",  # pixels as they are; the browser makes them large
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "dlbook",  # fixed element ids
}

DOCTYPE = re.compile(r"<!DOCTYPE[^>]*>\n")
PATHLESS = re.compile(r"<path\b(?![^>]* d=)")
FURTHER = re.compile(r"(?<=\.\d\d)\d+")  # digits


def in_both_themes(draw: Callable[..., "Figure"], **frame: object) -> tuple[str, str]:
    """Draw a figure for both page schemes.

    Args:
        draw: a figure function, called with a theme. A figure of the book is drawn once, and
            its colors are exchanged for the dark ones; a test holds that to a drawing in
            dark. One that is marked `mixes_colors`, and one that no test knows, is drawn
            once for each theme.
        frame: further arguments of the function, where a slider chooses among frames.

    Returns:
        the texts of two SVG files, light and dark.
    """
    light = to_svg(draw, LIGHT, **frame)
    if _is_of_theme_colors(draw):
        return light, darkened(light)
    return light, to_svg(draw, DARK, **frame)


def in_both_widths(draw: Callable[..., "Figure"], **frame: object) -> dict[str, str]:
    """Draw a figure for both page schemes, for a desk and for a phone.

    Args:
        draw: as for `in_both_themes`; drawn once where that draws it once.
        frame: further arguments of the function, where a slider chooses among frames.

    Returns:
        the texts of four SVG files, by `light`, `dark`, `light-narrow` and `dark-narrow`.
    """
    light = to_svgs(draw, LIGHT, **frame)
    if _is_of_theme_colors(draw):
        dark = tuple(map(darkened, light))
    else:
        dark = to_svgs(draw, DARK, **frame)
    names = ("light", "light-narrow", "dark", "dark-narrow")
    return dict(zip(names, (*light, *dark), strict=True))


def _is_of_theme_colors(draw: Callable[..., "Figure"]) -> bool:
    is_tested = draw.__module__.startswith("dlbook.figures.")
    return is_tested and not hasattr(draw, "mixes_colors")


def mixes_colors(draw: Callable[..., "Figure"]) -> Callable[..., "Figure"]:
    """Mark a figure that does more with a theme than draw in its colors.

    It mixes them, fills an image with them, chooses by the name of the theme, or has a color
    of its own that the light theme has too. Such a figure is drawn once for each theme.

    Args:
        draw: a figure function.

    Returns:
        the same function.
    """
    draw.mixes_colors = True
    return draw


def darkened(svg: str) -> str:
    """Exchange the colors of the light theme for those of the dark one.

    Args:
        svg: the text of an SVG file, drawn in the light theme.

    Returns:
        the same drawing in the dark theme.
    """
    light, dark = (
        (theme.ink, theme.muted, theme.paper, theme.accent, *theme.classes)
        for theme in (LIGHT, DARK)
    )
    partner = dict(zip(light, dark, strict=True))
    return re.sub("|".join(partner), lambda match: partner[match[0]], svg)


def to_svg(draw: Callable[..., "Figure"], theme: Theme, **frame: object) -> str:
    """Draw a figure; equal code gives equal bytes, on any day and in any process.

    Args:
        draw: a figure function, called with the theme.
        theme: the page scheme to draw for.
        frame: further arguments of the function, where a slider chooses among frames.

    Returns:
        the text of an SVG file with a transparent ground.
    """
    with _look(theme):
        return _printed(draw(theme, **frame))


def to_svgs(
    draw: Callable[..., "Figure"], theme: Theme, **frame: object
) -> tuple[str, str]:
    """Draw a figure for a desk, and lay it out anew for a phone.

    A figure function that has the parameter `inches` is told the width to draw for. Every
    other draws for a desk alone, and its panels are stacked: what it computes is computed once.

    Args:
        draw: a figure function, called with the theme.
        theme: the page scheme to draw for.
        frame: further arguments of the function, where a slider chooses among frames.

    Returns:
        the texts of two SVG files, wide and narrow.
    """
    with _look(theme):
        figure = draw(theme, **frame)
        wide = _printed(figure)
        return wide, _printed(for_a_phone(figure, draw, theme, **frame))


def for_a_phone(
    figure: "Figure", draw: Callable[..., "Figure"], theme: Theme, **frame: object
) -> "Figure":
    """Make the narrow drawing that goes with a wide one.

    Args:
        figure: the wide drawing; it may be changed.
        draw: the figure function that has drawn it.
        theme: with which it was drawn.
        frame: the further arguments with which it was drawn.

    Returns:
        the narrow drawing.
    """
    if "inches" in signature(draw).parameters:
        return draw(theme, **frame, inches=NARROW)
    return narrowed(figure)


def _look(theme: Theme) -> AbstractContextManager:
    from matplotlib import rc_context

    return rc_context(dict.fromkeys(INKED, theme.ink) | LOOK)


def _printed(figure: "Figure") -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    svg = StringIO()
    # `savefig` would draw everything twice
    FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None})
    return cut_coordinates(number_ids(made_valid(svg.getvalue())))


def made_valid(svg: str) -> str:
    """Make a drawing what the standard of SVG, and that of EPUB, ask for.

    Args:
        svg: the text of an SVG file, as matplotlib writes it.

    Returns:
        the same drawing without a reference to a list of elements on another host, and
        with an outline for each path: an empty one for a space.
    """
    return PATHLESS.sub('<path d=""', DOCTYPE.sub("", svg))


def cut_coordinates(svg: str) -> str:
    """Cut coordinates to hundredths of a point: a smaller file, and nobody sees it.

    Args:
        svg: the text of an SVG file.

    Returns:
        the same drawing, with two digits behind the point in its paths and places.
    """
    return re.sub(r'(?<= )[dxy]="[^"]*"', lambda match: FURTHER.sub("", match[0]), svg)


def number_ids(svg: str) -> str:
    """Name the parts of a drawing by their order instead of by a hash of their coordinates.

    The layout is solved in an order that varies, so coordinates may differ in the last bit.
    That is invisible once they are rounded, but a hash of them shows it.

    Args:
        svg: the text of an SVG file.

    Returns:
        the same drawing with the ids `p0`, `p1`, and so on.
    """
    names = dict.fromkeys(re.findall(r'id="(\w+?[0-9a-f]{10})"', svg))
    numbers = {name: f"p{number}" for number, name in enumerate(names)}
    return re.sub(
        r'(?<=[#"])\w+?[0-9a-f]{10}(?=[")])',
        lambda match: numbers.get(match[0], match[0]),
        svg,
    )


@dataclass(frozen=True)
class Shown:
    """A drawing that a notebook displays in the colors of the page around it."""

    light: str
    dark: str
    description: str

    def _repr_html_(self) -> str:
        return "".join(
            f'<img class="only-{name}" alt="{escape(self.description)}"{hidden} '
            f'src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'
            for name, svg, hidden in (
                ("light", self.light, ""),
                ("dark", self.dark, " hidden"),
            )
        )


def show(draw: Callable[..., "Figure"], **frame: object) -> Shown:
    """Display a figure in a lab, in light and dark.

    Args:
        draw: a figure function.
        frame: further arguments of the function.

    Returns:
        what a notebook cell displays when it stands on the cell's last line.
    """
    light, dark = in_both_themes(draw, **frame)
    description = " ".join(cleandoc(draw.__doc__ or "").split())
    return Shown(light, dark, describe(description, frame))


def describe(description: str, frame: dict[str, object]) -> str:
    """Fill the values of a frame into a description: `{k}` becomes the value of k.

    Args:
        description: the docstring of a figure function.
        frame: the arguments that this frame was drawn with.

    Returns:
        the alternative text of the frame, on one line.
    """
    for name, value in frame.items():
        description = description.replace(f"{{{name}}}", str(value))
    return " ".join(description.split())
