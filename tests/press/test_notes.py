"""What a note says is what stands where it comes from, word for word."""

import ast
import gzip
import json
import re
import zipfile

import pytest
from bs4 import BeautifulSoup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from dlbook.checkout import DOCS, ROOT, files
from dlbook.press.page import claims
from dlbook.press.page.glossary import terms
from dlbook.press.page.page import Page
from dlbook.press.source.listings import definition, module_path, parsed
from dlbook.press.web import helpers, notes, results
from dlbook.press.web.helpers import abridged, with_helpers
from dlbook.press.web.notes import claim_note, definitions, noted

SITE = ROOT / "site"
CHAPTERS = [path.stem for path in files(DOCS / "chapters", "*.md")]
HEAVIEST = 15_000  # bytes that the notes add to a page, gzipped
GLOSSARY = (
    '<p><dfn id="stride">stride</dfn>: a step of <span class="arithmatex">\\(s\\)</span>. '
    '<a href="../chapters/views.html">Views</a>.</p>'
)
# <template id="notes">...</template>
TEMPLATE = re.compile(r'<template id="notes">(?P<notes>.*?)</template>', re.DOTALL)
# <a class="claim" id="quoted-knn-test_errors-1" data-item="3" href="...">
CLAIM = re.compile(r'<a class="claim"(?: id="(?P<id>[^"]*)")?')
PAGE = '<body><article>{}</article></body><p class="behind">'


def soup(html):
    return BeautifulSoup(html, "html.parser")


def words(tag):
    return " ".join(tag.get_text().split())


def of_page(html):
    """Give the notes of a page by what they are of."""
    held = soup(TEMPLATE.search(html)["notes"])
    return {note["data-of"]: note for note in held.find_all("div", recursive=False)}


def block(code, kind="block", file=""):
    """Set code as the site does."""
    inside = highlight(code, PythonLexer(), HtmlFormatter(nowrap=True))
    name = f'<span class="filename">{file}</span>' if file else ""
    code = f"<pre><span></span><code>{inside}</code></pre>"
    return f'<div class="{kind} highlight">{name}{code}</div>'


def text_of(html):
    return "".join(code.get_text() for code in soup(html).select("pre > code"))


def test_a_page_holds_one_note_for_each_target():
    link = '<a class="term" href="../reference/glossary.html#stride">strides</a>'
    page = noted(PAGE.format(link + link), "chapters/knn.html", GLOSSARY)
    assert page.count("data-of=") == 1
    note = of_page(page)["../reference/glossary.html#stride"]
    assert words(note).startswith("stride: a step of ")
    assert note.select_one(".formula math")
    assert note.a["href"] == "views.html", "it leads to where it led"
    assert page.endswith('</template>\n</body><p class="behind">')


def test_a_page_without_links_is_left_alone():
    page = PAGE.format("<p>Nothing is named.</p>")
    assert noted(page, "index.html", GLOSSARY) == page


def test_a_citation_shows_its_entry_with_its_doi():
    link = '<a class="citation" href="../reference/bibliography.html#cover1967">(C)</a>'
    page = noted(PAGE.format(link), "chapters/knn.html", "")
    (note,) = of_page(page).values()
    assert "Nearest neighbor pattern classification" in words(note)
    assert note.select_one('a[href="https://doi.org/10.1109/TIT.1967.1053964"]')


@pytest.fixture
def record(tmp_path, monkeypatch):
    section = {
        "command": "python -m dlbook.runs tiny <quick>",
        "commit": "0",
        "date": "2026-11-27",
        "device": "2 cores of X",
        "seconds": 1.0,
        "versions": {"python": "3"},
        "data": {},
        "claims": {
            "mnist_error_k3": {
                "value": 3.09,
                "unit": "%",
                "spread": {
                    "largest": 3.5,
                    "least": 2.5,
                    "seeds": 5,
                    "standard_deviation": 0.25,
                },
                "tolerance": 0.1,
            },
            "errors": {"value": [1.5, 2.5], "unit": "%", "spread": {}, "tolerance": 0.1},
        },
    }
    (tmp_path / "tiny.json").write_text(json.dumps({"quick": section}), encoding="utf-8")
    monkeypatch.setattr("dlbook.runs.record.RESULTS", tmp_path)
    monkeypatch.setattr(results, "RESULTS", tmp_path)


def test_a_number_shows_how_where_and_when_it_was_measured(record):
    lines = list(soup(claim_note("tiny-mnist_error_k3", "")).stripped_strings)
    assert lines == [
        "MNIST error, k = 3",
        ": 3.09 %",
        "5 seeds, 2.5 to 3.5, standard deviation 0.25",
        "python -m dlbook.runs tiny <quick>",
        "2 cores of X, 2026-11-27",
    ]
    item = words(soup(claim_note("tiny-errors", "1")))
    assert item.startswith("Errors, value 2 of 2: 2.5 %")
    with pytest.raises(KeyError):
        claim_note("tiny-nothing", "")


def test_a_record_leads_back_to_each_sentence_that_quotes_it(record):
    quote = "[3.1 %](claim:tiny.mnist_error_k3)"
    text = f"# Tiny & all\n\n{quote} and {quote}, not `{quote}`.\n"
    page = soup(results.results_page([Page("chapters/tiny.md", text)]))
    row = page.find(id="tiny-mnist_error_k3")
    links = [(link.get_text(), link["href"]) for link in row.select(".quoted a")]
    address = "../chapters/tiny.html#quoted-tiny-mnist_error_k3"
    assert links == [("Tiny & all", f"{address}-1"), ("2", f"{address}-2")]
    assert not page.find(id="tiny-errors").select("a")
    link = '<a class="claim" href="../reference/results.html#tiny-mnist_error_k3">3</a>'
    html = soup(claims.with_places(link + link))
    assert [tag["id"] for tag in html.select("a")] == [
        href.partition("#")[2] for _, href in links
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mnist_error_k1", "MNIST error, k = 1"),
        ("mnist_seconds_cuda", "MNIST seconds, on a GPU"),
        ("mnist_tied_at_k3", "MNIST tied at k = 3"),
        ("best_k", "Best k"),
        ("bayes_error", "Bayes error"),
    ],
)
def test_a_claim_is_named_in_words(name, expected):
    assert results.in_words(name) == expected


BLOCK = """from dlbook.knn import vote
from dlbook.data import digits

ä, points = "ä", digits.load()[0]; print(vote(points), "vote")
"""


def test_the_helpers_of_a_block_are_marked_and_its_text_stays():
    page, found = with_helpers(block(BLOCK), "..")
    assert text_of(page) == text_of(block(BLOCK))
    links = [(tag.get_text(), tag["href"]) for tag in soup(page).select("a.helper")]
    api = "../reference/api"
    assert links == [
        ("vote", f"{api}/knn.html#dlbook.knn.vote"),
        ("digits", f"{api}/data.html#datadigits"),
        ("load", f"{api}/data.html#dlbook.data.digits.load"),
    ], "each once, so that the keyboard does not stop at every mention"
    again = [(tag.get_text(), tag["data-of"]) for tag in soup(page).select("span.helper")]
    assert again == [("digits", links[1][1]), ("vote", links[0][1])]
    assert list(found) == [address for _, address in links]


def test_a_name_that_is_bound_anew_is_no_helper():
    code = "from dlbook.knn import vote\n\nvote = vote(1)\n"
    assert with_helpers(block(code), "..") == (block(code), {})
    own = "def vote(x):\n    return x\n\n\nvote(3)\n"
    first = "from dlbook.knn import vote\n"
    page, _ = with_helpers(block(first) + block(own), "..")
    assert page.endswith(block(own))


def test_a_block_that_goes_on_knows_what_was_imported():
    page, _ = with_helpers(
        block("from dlbook.knn import vote\n") + block("vote(3)\n"), ".."
    )
    assert soup(page).select_one("span.helper").get_text() == "vote"


def test_a_listing_marks_what_it_calls_and_what_the_page_lists_is_no_stop():
    name = "src/dlbook/knn.py"
    listed = [definition(f"knn.{word}")[2] for word in ("k_nearest_neighbors", "vote")]
    page, found = with_helpers(
        "".join(block(text, "listing", name) for text in listed), ".."
    )
    assert [tag.get_text() for tag in soup(page).select("a.helper")] == [
        "require_classes",
        "nearest_points",
    ]
    assert "../reference/api/knn.html#dlbook.knn.vote" in found
    assert any("contract.py.html#L" in address for address in found)


def test_an_argument_of_a_listing_is_no_helper():
    code = block("def f(vote):\n    return vote(1)\n", "listing", "src/dlbook/knn.py")
    assert with_helpers(code, "..") == (code, {})


def test_a_long_body_is_left_to_the_page_that_the_note_links(monkeypatch):
    monkeypatch.setattr(helpers, "LONGEST", 2)
    text, is_whole = abridged("knn.vote")
    assert not is_whole
    assert text.splitlines()[-1].endswith('the smallest."""')
    note = helpers.note("knn", "vote", "there.html#vote")
    assert soup(note).select_one('a[href="there.html#vote"]')


def test_a_first_sentence_ends_with_its_paragraph():
    assert helpers.first_sentence("Count\nthe votes\n\nArgs: x.") == "Count the votes"
    assert helpers.first_sentence("Solve x.T A = b. Then go on.") == "Solve x.T A = b."


@pytest.mark.parametrize("word", CHAPTERS)
def test_a_note_of_a_helper_is_its_source_but_for_the_rest_of_its_docstring(word):
    for node in parsed(module_path(word))[1].body if module_path(word).is_file() else []:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        source = definition(f"{word}.{node.name}")[2]
        text, is_whole = abridged(f"{word}.{node.name}")
        docstring = ast.get_docstring(node, clean=False)
        if docstring:
            shown = ast.get_docstring(ast.parse(text).body[0])
            assert " ".join(docstring.split()).startswith(shown)
            assert "\n" not in shown
        if is_whole:
            assert without_docstring(text) == without_docstring(source)
            assert not docstring or length_of(source) <= helpers.LONGEST + 1  # a blank
        else:
            assert length_of(source) > helpers.LONGEST
            assert text.splitlines()[0] == source.splitlines()[0]


def length_of(source):
    """Count the lines behind the docstring."""
    body = ast.parse(source).body[0].body
    return body[-1].end_lineno - body[0].end_lineno


def without_docstring(source):
    tree = ast.parse(source)
    if ast.get_docstring(tree.body[0]):
        tree.body[0].body.pop(0)
    return ast.dump(tree)


@pytest.fixture(scope="module")
def sources():
    """Read what notes are taken from, as a reader finds it in the site."""
    read = {}
    for name in ("glossary", "bibliography", "results"):
        path = SITE / "reference" / f"{name}.html"
        assert path.is_file(), f"{path} is missing: run `make build`"
        page = soup(path.read_text(encoding="utf-8"))
        read[name] = {tag["id"]: tag for tag in page.find_all(id=True)}
    return read


@pytest.mark.parametrize("word", CHAPTERS)
def test_every_link_of_a_built_chapter_has_a_note_that_equals_its_source(word, sources):
    html = (SITE / "chapters" / f"{word}.html").read_text(encoding="utf-8")
    found, page = of_page(html), soup(html)
    for link in page.select("article :is(a.term, a.citation)"):
        name, _, anchor = link["href"].rpartition("/")[2].partition(".html#")
        entry = sources[name][anchor]
        whole = entry.parent if name == "glossary" else entry
        assert words(found[link["href"]]) == words(whole), link
    for link in page.select("article a.claim"):
        item = link.get("data-item")
        note = found[link["href"] + (f":{item}" if item else "")]
        anchor = link["href"].partition("#")[2]
        row = sources["results"][anchor]
        back = [a["href"].partition("/")[2] for a in row.select(".quoted a")]
        assert f"chapters/{word}.html#{link['id']}" in back
        _, value, spread = row.find_all("td")
        if not item:
            assert f": {words(value)}" in words(note)
        assert words(spread) in words(note)
        run = row.find_parent("table").find_previous("h3").find_next("p")
        for tag in (run.code, note.code):
            assert tag.get_text() == note.code.get_text()
        device, date = words(note).rpartition(note.code.get_text())[2].rsplit(", ", 1)
        assert device in words(run)
        assert date in words(run)
    for name in page.select("article .helper"):
        assert name.get("href", name.get("data-of")) in found
    without = TEMPLATE.sub("", html)
    added = len(gzip.compress(html.encode())) - len(gzip.compress(without.encode()))
    assert added <= HEAVIEST


def test_every_quotation_is_known_to_the_results_and_the_other_way_round(sources):
    rows = [tag for tag in sources["results"].values() if tag.name == "tr"]
    links = [link for row in rows for link in row.select(".quoted a")]
    back = {link["href"].removeprefix("../") for link in links}
    there = set()
    for path in SITE.glob("**/*.html"):
        if "source" not in path.relative_to(SITE).parts:
            name, text = (
                path.relative_to(SITE).as_posix(),
                path.read_text(encoding="utf-8"),
            )
            there |= {f"{name}#{claim['id']}" for claim in CLAIM.finditer(text)}
    assert len(there) > 500
    assert back == there


def test_every_term_has_a_definition_to_show():
    html = (SITE / "reference" / "glossary.html").read_text(encoding="utf-8")
    assert set(definitions(html, notes.GLOSSARY)) == set(terms().values())


def test_what_is_bound_into_a_book_holds_no_notes():
    with zipfile.ZipFile(SITE / "dlbook.epub") as book:
        pages = [name for name in book.namelist() if name.endswith("html")]
        assert len(pages) > len(CHAPTERS)
        for name in pages:
            text = book.read(name).decode("utf-8")
            assert "data-of" not in text
            assert 'class="helper"' not in text
