"""Every figure draws the same bytes twice, in two schemes, is light, and can be read aloud."""

import importlib
import inspect
import pkgutil
from xml.etree import ElementTree

import pytest

import dlbook.figures
from dlbook.figures.style import DARK, LIGHT, to_svg
from dlbook.press.drawings import alternative_text


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


@pytest.mark.parametrize("draw", all_figures())
def test_a_figure_is_deterministic_light_and_follows_the_scheme(draw):
    first = to_svg(draw, LIGHT)
    assert first == to_svg(draw, LIGHT)
    assert first != to_svg(draw, DARK)
    assert len(first) < 300_000, f"{len(first)} bytes"
    assert ElementTree.fromstring(first).tag.endswith("svg")


@pytest.mark.parametrize("draw", all_figures())
def test_a_figure_can_be_read_aloud(draw):
    name = f"{draw.__module__.removeprefix('dlbook.figures.')}.{draw.__name__}"
    text = alternative_text(name)
    assert 80 <= len(text) <= 500, f"{len(text)} characters"


@pytest.mark.parametrize("draw", all_figures())
def test_the_axes_of_a_figure_are_labeled(draw):
    figure = draw(LIGHT)
    for axes in figure.axes:
        if (
            axes.axison
            and axes.get_visible()
            and (len(axes.get_xticks()) or len(axes.get_yticks()))
        ):
            shared = axes.get_shared_x_axes().get_siblings(axes)
            sharing = axes.get_shared_y_axes().get_siblings(axes)
            horizontal = any(a.get_xlabel() for a in shared) or not len(axes.get_xticks())
            vertical = any(a.get_ylabel() for a in sharing) or not len(axes.get_yticks())
            assert horizontal or figure.get_supxlabel(), (
                f"{axes.get_title()!r} has no x label"
            )
            assert vertical or figure.get_supylabel(), (
                f"{axes.get_title()!r} has no y label"
            )
