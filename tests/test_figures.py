"""Every figure draws the same bytes twice, in two schemes and for two widths.

It is light, can be read on a phone, and can be read aloud.
"""

import importlib
import inspect
import pkgutil
from functools import wraps
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import dlbook.figures
from dlbook.figures.narrow import NARROW, narrowed, place_of
from dlbook.figures.style import (
    DARK,
    LIGHT,
    cut_coordinates,
    in_both_themes,
    in_both_widths,
    mixes_colors,
    to_svg,
    to_svgs,
)
from dlbook.press.source.drawings import (
    FORMS,
    WITHOUT_FIGURES,
    Frame,
    alternative_text,
    pixels_of,
)

SITE = Path(__file__).parent.parent / "site"
COLUMN = 358  # pixels, of a page in a window of 390
LEAST_TYPE = 7.5  # pixels, of what is written in a figure there


def all_figures():
    """Collect the public drawing functions of every chapter."""
    found = []
    for info in pkgutil.iter_modules(dlbook.figures.__path__):
        if info.name in WITHOUT_FIGURES:
            continue
        module = importlib.import_module(f"dlbook.figures.{info.name}")
        for name, draw in inspect.getmembers(module, inspect.isfunction):
            if draw.__module__ == module.__name__ and not name.startswith("_"):
                found.append(pytest.param(draw, id=f"{info.name}.{name}"))
    return found


def name_of(draw):
    return f"{draw.__module__.removeprefix('dlbook.figures.')}.{draw.__name__}"


def in_site(draw):
    """Take a drawing in all forms from the site, for which another process drew it."""
    shown = {form: SITE / Frame(name_of(draw)).address(form) for form in FORMS}
    if all(path.is_file() for path in shown.values()):
        return {form: path.read_text(encoding="utf-8") for form, path in shown.items()}
    return in_both_widths(draw)


def watched(draw, figures):
    """Keep what a figure function returns; the function is told the same as ever."""

    @wraps(draw)
    def drawing(*arguments, **frame):
        figures.append(draw(*arguments, **frame))
        require_labels(figures[-1])
        return figures[-1]

    return drawing


@pytest.mark.parametrize("draw", all_figures())
def test_a_figure_is_deterministic_light_labeled_and_follows_the_scheme(draw):
    figures = []
    shown = in_site(draw)
    wide, narrow = to_svgs(watched(draw, figures), DARK)
    assert (wide, narrow) == (shown["dark"], shown["dark-narrow"]), (
        "does it mix colors? then mark it so"
    )
    if hasattr(draw, "mixes_colors"):  # else the dark one was made of the light one
        assert to_svgs(draw, LIGHT) == (shown["light"], shown["light-narrow"])
    assert shown["light"] != wide
    assert shown["light-narrow"] != narrow
    for svg in (wide, narrow):
        assert len(svg) < 300_000, f"{len(svg)} bytes"
        assert "<!DOCTYPE" not in svg
        paths = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")
        assert all("d" in path.attrib for path in paths)
    require_labels(figures[-1])
    require_phone(figures[-1], pixels_of(narrow)[0])


def test_a_figure_that_mixes_colors_is_drawn_in_each_theme():
    drawn = []

    def half(theme):
        """Paint the ground halfway between ink and paper."""
        drawn.append(theme)
        ink, paper = torch.tensor([to_rgb(theme.ink), to_rgb(theme.paper)])
        return Figure(figsize=(1, 1), facecolor=(0.5 * (ink + paper)).tolist())

    honest = to_svg(half, DARK)
    assert in_both_themes(half)[1] == honest, "a figure that no test knows"
    half.__module__ = "dlbook.figures.half"
    assert in_both_themes(half)[1] != honest
    assert in_both_themes(mixes_colors(half))[1] == honest
    assert drawn == [DARK, LIGHT, DARK, LIGHT, LIGHT, DARK]


def require_phone(figure, width):
    """Refuse what is wider than a phone shows it, cut at the edge, or too small to read."""
    assert width == round(96 * NARROW)
    texts = [text for text in figure.findobj(Text) if text.get_text().strip()]
    shown = [text for text in texts if text.get_visible()]
    for text in shown:
        pixels = text.get_fontsize() * 96 / 72 * COLUMN / width
        assert pixels >= LEAST_TYPE, f"{text.get_text()!r}: {pixels:.1f} pixels"
    box, (right, top) = figure.get_tightbbox(), figure.get_size_inches()
    over = max(-box.x0, -box.y0, box.x1 - right, box.y1 - top)
    assert over <= 0.03, f"cut by {over:.2f} inches: {box}"


def require_labels(figure):
    """Refuse a figure with axes that show ticks but do not say what they count."""
    for axes in figure.axes:
        require_labels_of(axes)


def require_labels_of(axes):
    ticks = len(axes.get_xticks()), len(axes.get_yticks())
    if axes.axison and axes.get_visible() and any(ticks):
        shared = axes.get_shared_x_axes().get_siblings(axes)
        sharing = axes.get_shared_y_axes().get_siblings(axes)
        horizontal = any(a.get_xlabel() for a in shared) or not ticks[0]
        vertical = any(a.get_ylabel() for a in sharing) or not ticks[1]
        title, figure = axes.get_title(), axes.get_figure()
        assert horizontal or figure.get_supxlabel(), f"{title!r} has no x label"
        assert vertical or figure.get_supylabel(), f"{title!r} has no y label"


@pytest.mark.parametrize("draw", all_figures())
def test_a_figure_can_be_read_aloud(draw):
    text = alternative_text(name_of(draw))
    assert 80 <= len(text) <= 500, f"{len(text)} characters"


def test_coordinates_are_cut_in_paths_and_places_and_nowhere_else():
    svg = (
        '<path d="M 1.23456 7 L 0.5 12.999" id="d1.23456"/><use x="3.14159" rx="1.5555"/>'
    )
    assert cut_coordinates(svg) == (
        '<path d="M 1.23 7 L 0.5 12.99" id="d1.23456"/><use x="3.14" rx="1.5555"/>'
    )


def test_a_row_of_panels_becomes_rows_that_are_equally_full():
    row = [place_of(0, column, (1, 8), room=5) for column in range(8)]
    assert row == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert [place_of(0, column, (1, 3), 1) for column in range(3)] == [
        *((0, 0), (1, 0), (2, 0))
    ]
    assert place_of(1, 0, (2, 10), 5) == (2, 0), "the second row begins a line of its own"


def test_a_grid_that_is_wider_than_high_is_turned():
    assert place_of(1, 2, (2, 3), room=1) == (2, 1)
    assert place_of(1, 1, (2, 2), room=2) == (1, 1), "a square stays"


def test_panels_that_stood_side_by_side_are_stacked_with_their_own_labels():
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    left.set_ylabel("error (%)")
    right.plot([0, 1], label="a curve")
    right.legend(loc="upper left", bbox_to_anchor=(1, 1))
    narrowed(figure)
    figure.draw_without_rendering()
    assert figure.get_figwidth() == NARROW
    assert left.get_position().y0 > right.get_position().y1, "one below the other"
    assert right.get_ylabel() == "error (%)"
    assert right.get_legend() is None
    (legend,) = figure.legends
    assert legend.get_window_extent().y1 < right.get_window_extent().y0


def test_a_figure_that_asks_for_the_width_is_told_it():
    told = []

    def empty(theme, inches: float = 7.0):
        """Draw nothing, as wide as it is told."""
        told.append(inches)
        return Figure(figsize=(inches, 1))

    wide, narrow = to_svgs(empty, LIGHT)
    assert told == [7.0, NARROW]
    assert (pixels_of(wide)[0], pixels_of(narrow)[0]) == (672, round(96 * NARROW))
