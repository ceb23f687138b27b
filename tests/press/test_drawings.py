"""A figure that is asked for by name exists, and takes the arguments it is given."""

import pytest

from dlbook.press.source.drawings import figure_named, figures_of


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("knn", [], "knn has the figures .*convergence.*, got 'knn'"),
        ("knn.nosuch", [], "knn has the figures .*convergence.*, got 'knn.nosuch'"),
        ("knn._share_of_votes", [], "knn has the figures"),
        ("knn.Theme", [], "knn has the figures"),
        ("knn.convergence.x", [], "knn has the figures"),
        ("nosuch.x", [], "there are figures for applications.*knn.*, got 'nosuch'"),
        ("style.in_both_themes", [], "there are figures for"),
        ("../knn.convergence", [], "there are figures for"),
        ("", [], "there are figures for .*, got ''"),
        ("knn.map_on_the_curve", ["k=five"], "is written like k=5, got 'k=five'"),
        ("knn.map_on_the_curve", ["k"], "is written like k=5, got 'k'"),
        ("knn.map_on_the_curve", ["k="], "is written like k=5, got 'k='"),
        ("knn.map_on_the_curve", ["q=5"], "knn.map_on_the_curve has k, got 'q=5'"),
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
