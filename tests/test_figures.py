"""Every figure draws the same bytes twice, in two schemes, is light, and can be read aloud."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

import dlbook.figures
from dlbook.figures.style import DARK, LIGHT, to_svg
from dlbook.press.drawings import Frame, alternative_text

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


def drawn_elsewhere(draw, theme):
    """Take the same drawing from the site, which another process drew, or draw it again."""
    shown = SITE / Frame(name_of(draw)).address(theme.name)
    return shown.read_text() if shown.is_file() else to_svg(draw, theme)


@pytest.mark.parametrize("draw", all_figures())
def test_a_figure_is_deterministic_light_labeled_and_follows_the_scheme(draw):
    figures = []
    svg = to_svg(lambda theme: figures.append(draw(theme)) or figures[0], LIGHT)
    assert svg == drawn_elsewhere(draw, LIGHT)
    assert svg != drawn_elsewhere(draw, DARK)
    assert len(svg) < 300_000, f"{len(svg)} bytes"
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    for axes in figures[0].axes:
        require_labels(axes)


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
