"""A figure that is asked for by name exists, and takes the arguments it is given."""

import pytest

from dlbook.press import plugin
from dlbook.press.page.fences import PageError
from dlbook.press.page.page import Page
from dlbook.press.page.translate import translated_fence
from dlbook.press.source.drawings import (
    DrawingError,
    Frame,
    draw_missing,
    figure_named,
    figures_of,
    require_parameters,
)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("knn", [], "knn has the figures .*convergence.*, got 'knn'"),
        ("knn.nosuch", [], "knn has the figures .*convergence.*, got 'knn.nosuch'"),
        ("knn._share_of_votes", [], "knn has the figures"),
        ("knn.Theme", [], "knn has the figures"),
        ("knn.convergence.x", [], "knn has the figures"),
        ("nosuch.x", [], "there are figures for .*knn.*, got 'nosuch'"),
        ("style.in_both_themes", [], "there are figures for"),
        ("../knn.convergence", [], "there are figures for"),
        ("", [], "there are figures for .*, got ''"),
        ("knn.map_on_the_curve", ["k=five"], "is written like k=5, got 'k=five'"),
        ("knn.map_on_the_curve", ["k"], "is written like k=5, got 'k'"),
        ("knn.map_on_the_curve", ["k="], "is written like k=5, got 'k='"),
        ("knn.map_on_the_curve", ["q=5"], "knn.map_on_the_curve has k, got 'q=5'"),
        ("knn.map_on_the_curve", ["k=1", "k=2"], "takes one k, got 'k=2' after another"),
        ("knn.map_on_the_curve", ["theme=5"], "has k, got 'theme=5'"),
        ("knn.convergence", ["k=5"], "knn.convergence has no parameters, got 'k=5'"),
    ],
)
def test_what_does_not_exist_is_refused_in_a_sentence_that_says_what_does(
    name, arguments, sentence
):
    with pytest.raises(LookupError, match=sentence):
        figure_named(name, arguments)


def test_a_figure_is_found_with_its_arguments():
    draw, frame = figure_named("knn.map_on_the_curve", ["k=5"])
    assert draw is figures_of("knn")["map_on_the_curve"]
    assert frame == {"k": 5}
    assert figure_named("knn.convergence", [])[1] == {}


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("knn.map_on_the_curve", ["q"], "'knn.map_on_the_curve' has k, got q"),
        ("knn.convergence", ["k"], "'knn.convergence' has no parameters, got k"),
    ],
)
def test_a_frame_names_a_parameter_of_its_figure(name, arguments, sentence):
    with pytest.raises(LookupError, match=sentence):
        require_parameters(name, arguments)
    (fence,) = Page("a.md", f"```figure\n{name} {arguments[0]} = 1, 2\n```").fences
    with pytest.raises(PageError, match="line 1: figure"):
        translated_fence(fence, Page("a.md", ""))


def test_a_figure_that_fails_is_named_with_the_line_of_its_fence():
    frame = Frame("knn.map_on_the_curve", (("k", -7),))
    with pytest.raises(DrawingError, match=r"figure 'knn\.map_on_the_curve': ValueError"):
        draw_missing([frame])
    pages = [Page("chapters/a.md", "\n```figure\nknn.map_on_the_curve k = -7\n```")]
    (place,) = plugin._places_of("knn.map_on_the_curve", pages)
    assert place == "docs/chapters/a.md:2"
