"""The cards and the map: made from the pages, one for each chapter, and nothing besides."""

import re

import pytest
from bs4 import BeautifulSoup

from dlbook.checkout import DOCS, ROOT, chapters
from dlbook.press.page import overview
from dlbook.press.page.fences import PageError
from dlbook.press.page.opening import needs, promise
from dlbook.press.page.page import Page
from dlbook.press.page.translate import translated

HOME = Page.at(DOCS / "index.md")
WORDS = chapters()
# *You need:* [tensors](tensors.md), on the first lines of a chapter
NEED = re.compile(r"\*You need:\*(.*?)\*You get:\*", re.DOTALL)


def chapter(word):
    return Page.at(DOCS / "chapters" / f"{word}.md")


def read(html):
    return BeautifulSoup(html, "html.parser")


def test_every_chapter_has_one_card_in_reading_order():
    shown = read(overview.cards(HOME)).select(".card")
    links = [card.select_one("a[href]") for card in shown]
    assert [link["href"] for link in links] == [f"chapters/{w}.html" for w in WORDS]
    for number, (card, word) in enumerate(zip(shown, WORDS, strict=True), start=1):
        page = chapter(word)
        assert card.a.get_text() == f"{number} {page.title}"
        assert f"{page.minutes} minutes" in card.get_text()
        assert f"{promise(page)}." in card.get_text()
        for theme, image in zip(("light", "dark"), card.select("img"), strict=True):
            source = image["src"]
            assert re.match(
                rf"assets/figures/{word}/.*-{theme}\.svg#only-{theme}", source
            )
            assert image["loading"] == "lazy"
            assert len(image["alt"]) > 10


def test_the_arrows_of_the_map_are_what_the_pages_need():
    told = {
        (needed, word)
        for word in WORDS
        for needed in re.findall(r"\((\w+)\.md", NEED.search(chapter(word).text)[1])
    }
    drawn = read(overview.chapter_map(HOME)).select("path[data-from]")
    pairs = [(path["data-from"], path["data-to"]) for path in drawn]
    assert sorted(pairs) == sorted(told)
    assert len(told) > 20


def test_the_map_names_every_chapter_once_and_says_in_words_what_it_draws():
    shown = read(overview.chapter_map(HOME))
    assert [link["href"] for link in shown.select("a")] == [
        f"chapters/{word}.html" for word in WORDS
    ]
    for row in shown.select("ol ol > li"):
        arrows = row.select("path[data-from]")
        names = [chapter(path["data-from"]).title for path in arrows]
        words = row.select_one(".needs")
        assert (words.get_text() if words else "") == (
            f"needs {', '.join(names)}" if names else ""
        )
    assert all(svg["aria-hidden"] == "true" for svg in shown.select("svg"))


def test_the_rows_of_the_style_sheet_are_those_of_the_arrows():
    css = (DOCS / "assets" / "css" / "book.css").read_text(encoding="utf-8")
    assert f".chapter-map ol ol > li {{ height: {overview.ROW / 20:g}rem;" in css
    gap = f"grid-template-columns: 7rem 1fr; margin-bottom: {overview.GAP / 20:g}rem;"
    assert gap in css


def test_an_arrow_begins_and_ends_at_the_rows_of_its_chapters():
    heights = overview._heights(["a", "a", "b"])
    assert heights == [12, 36, 66]
    drawn = overview._arcs([("x", "z")], dict(zip("xyz", heights, strict=True)))
    assert re.search(r'd="M0 17C(\d+) 17 \1 61 5 61"', drawn)
    assert overview._arcs([], {"x": 13}) == ""


def book(monkeypatch, **texts):
    pages = [Page(f"chapters/{word}.md", text) for word, text in texts.items()]
    monkeypatch.setattr(overview, "groups", lambda: [("A & B", pages)])
    monkeypatch.setattr("dlbook.checkout.chapters", lambda: list(texts))


def test_a_chapter_needs_only_earlier_ones(monkeypatch):
    opening = "# {}\n\n*You need:* [it]({}.md#here). *You get:* k, m.\n\nText.\n"
    book(monkeypatch, knn=opening.format("K", "svm"), svm="# S\n")
    page = Page("index.md", "# H\n\n```book\nmap\n```\n")
    with pytest.raises(
        PageError, match=r"line 3: .*knn\.md needs svm, which comes later"
    ):
        translated(page)
    book(monkeypatch, svm="# S\n", knn=opening.format("K", "svm"))
    assert overview.arrows() == [("svm", "knn")]
    assert 'data-from="svm" data-to="knn"' in translated(page)


def test_a_page_that_promises_nothing_has_a_card_all_the_same(monkeypatch):
    book(monkeypatch, knn="# K & N\n")
    card = read(overview.cards(HOME)).select_one(".card")
    assert card.get_text() == "1 K & N1 minutes"
    assert not card.select("img")
    assert overview.chapter_map(HOME).count("needs") == 0


@pytest.mark.parametrize(
    ("told", "short"),
    [
        ("a rule, and more.", "A rule"),
        ("1,000 *nets* of\n[views](views.md): all.", "1,000 nets of views"),
        ("`k` neighbors.", "K neighbors"),
    ],
)
def test_a_promise_is_its_first_clause(told, short):
    page = Page(
        "chapters/k.md", f"# K\n\n*You need:* [a](a.md), b. *You get:* {told}\n\nT"
    )
    assert promise(page) == short
    assert needs(page) == ["a"]


def test_an_unknown_overview_is_refused_with_its_line():
    with pytest.raises(PageError, match="line 3: book 'tree' is no overview"):
        translated(Page("index.md", "# H\n\n```book\ntree\n```\n"))


def test_home_shows_both_and_keeps_no_list_of_its_own():
    kinds = [fence.lines[0] for fence in HOME.fences if fence.info == "book"]
    assert kinds == ["cards", "map"]
    assert not (ROOT / "src/dlbook/figures/book.py").exists()


def test_as_plain_markdown_the_overviews_are_lists():
    cards, chart = [fence for fence in HOME.fences if fence.info == "book"]
    lines = overview.listed(cards, HOME).splitlines()
    assert len([line for line in lines if line.startswith("- ")]) == len(WORDS)
    assert f"- [1. {chapter(WORDS[0]).title}](chapters/{WORDS[0]}.md): " in lines[0]
    assert "(chapters/views.md): needs Tensors" in overview.listed(chart, HOME)
