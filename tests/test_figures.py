"""Every figure draws the same bytes twice, in two schemes, is light, and can be read aloud."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import dlbook.figures
from dlbook.figures.style import (
    DARK,
    LIGHT,
    cut_coordinates,
    in_both_themes,
    mixes_colors,
    to_svg,
)
from dlbook.press.source.drawings import THEMES, Frame, alternative_text

SITE = Path(__file__).parent.parent / "site"


def all_figures():
    """Collect the public drawing functions of every chapter."""
    found = []
    for info in pkgutil.iter_modules(dlbook.figures.__path__):
        if info.name == "style":
            continue
        module = importlib.import_module(f"dlbook.figures.{info.name}")
        for name, draw in inspect.getmembers(module, inspect.isfunction):
            if draw.__module__ == module.__name__ and not name.startswith("_"):
                found.append(pytest.param(draw, id=f"{info.name}.{name}"))
    return found


def name_of(draw):
    return f"{draw.__module__.removeprefix('dlbook.figures.')}.{draw.__name__}"


def in_site(draw):
    """Take a drawing in light and dark from the site, for which another process drew it."""
    shown = [SITE / Frame(name_of(draw)).address(theme) for theme in THEMES]
    in_book = all(path.is_file() for path in shown)
    return (
        [path.read_text(encoding="utf-8") for path in shown]
        if in_book
        else in_both_themes(draw)
    )


@pytest.mark.parametrize("draw", all_figures())
def test_a_figure_is_deterministic_light_labeled_and_follows_the_scheme(draw):
    figures = []
    light, dark = in_site(draw)
    drawn = to_svg(lambda theme: figures.append(draw(theme)) or figures[0], DARK)
    assert drawn == dark, "does it mix colors? then mark it so"
    if hasattr(draw, "mixes_colors"):  # else the dark one was made of the light one
        assert to_svg(draw, LIGHT) == light
    assert light != dark
    assert len(dark) < 300_000, f"{len(dark)} bytes"
    assert "<!DOCTYPE" not in dark
    paths = ElementTree.fromstring(dark).iter("{http://www.w3.org/2000/svg}path")
    assert all("d" in path.attrib for path in paths)
    for axes in figures[0].axes:
        require_labels(axes)


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


def require_labels(axes):
    """Refuse axes that show ticks but do not say what they count."""
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
