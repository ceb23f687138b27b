"""Listings show code first; what is folded is still there, in its place."""

import html
import re

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from dlbook.checkout import PACKAGE, chapters
from dlbook.press.source.listings import definition, names_bound_by, parsed
from dlbook.press.web.folding import folded

REST = re.compile(r'<span class="(?:sd )?rest">.*?</span>(?=<)', re.DOTALL)


def listing(source):
    """Set a listing as the site does."""
    code = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    name = '<span class="filename">src/dlbook/knn.py</span>'
    return f'<div class="listing highlight">{name}<pre><span></span><code>{code}</code></pre></div>'


def text(page):
    inside = re.search(r"<code[^>]*>(.*)</code>", page, re.DOTALL)[1]
    return html.unescape(re.sub(r"<[^>]*>", "", inside))


SOURCE = '''def vote(labels: Tensor, k: int) -> Tensor:
    """Count the votes, `"quoted"` and \\\\ escaped,
    on two lines.

    Args:
        labels: (n,) int64.

    Returns:
        (n,) floats <1>.
    """
    require_vector(labels, "labels")
    require_at_least(
        k, 1, "k"
    )
    return labels
'''


def test_a_docstring_shows_its_first_paragraph_and_guards_fold():
    page = folded(listing(SOURCE))
    assert text(page) == SOURCE
    shown = re.sub(r'<span class="rest">.*?\n</span>', "", page, flags=re.DOTALL)
    shown = re.sub(r'<span class="sd rest">[^<]*</span>', "", shown)
    assert text(shown) == (
        "def vote(labels: Tensor, k: int) -> Tensor:\n"
        '    """Count the votes, `"quoted"` and \\\\ escaped,\n    on two lines."""\n'
        "    return labels\n"
    )
    names = re.findall(r'aria-label="([^"]*)"', page)
    assert names == ["Show arguments, result and errors of vote", "Show what is refused"]
    assert len(set(re.findall(r' id="([^"]*)"', page))) == 2


def test_few_guards_and_short_docstrings_stay_as_they_are():
    source = (
        'def f(x):\n    """Do it."""\n    require_a(x)\n    require_b(x)\n    return x\n'
    )
    assert folded(listing(source)) == listing(source)


def test_code_that_is_no_listing_stays_as_it_is():
    page = listing(SOURCE).replace("listing highlight", "block highlight")
    assert folded(page) == page


@pytest.mark.parametrize("word", chapters())
def test_every_definition_of_the_book_keeps_its_text(word):
    _, tree = parsed(PACKAGE / f"{word}.py")
    for name in [name for node in tree.body for name in names_bound_by(node)]:
        source = definition(f"{word}.{name}")[2] + "\n"
        page = folded(listing(source))
        assert text(page) == text(listing(source))
        if '"""' in source and "\n\n    Args:" in source:
            assert "arguments, result and errors" in page, name
