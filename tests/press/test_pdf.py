"""The book on paper."""

import functools
import io
import logging
import re
import shutil
from datetime import UTC, datetime

import pikepdf
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from dlbook.checkout import ROOT, chapters
from dlbook.press import cache
from dlbook.press.downloads import pdf
from dlbook.press.downloads.leaves import Content, Imprint, Leaf

SITE = ROOT / "site"
CHAPTERS = chapters()
IMPRINT = Imprint(
    "book", "About it", "1.0", "Python", datetime(2026, 1, 2, tzinfo=UTC), ""
)
needs_browser = pytest.mark.skipif(
    not pdf.browser(), reason="no Chromium on this machine: the build makes no PDF"
)


def a_leaf(word, body="<h1>Title</h1>", part="Part"):
    return Leaf(part, f"chapters/{word}.html", word.title(), body)


def test_equal_anchors_of_two_pages_stay_apart_and_their_links_find_them():
    leaves = [
        a_leaf("one", '<h1>T</h1><h2 id="same">A</h2><a href="two.html#same">to two</a>'),
        a_leaf("two", '<h1>T</h1><h2 id="same">B</h2><a href="one.html">to one</a>'),
    ]
    soup = BeautifulSoup(pdf.combined(leaves, IMPRINT, {"two": 7}), "html.parser")
    names = [tag["id"] for tag in soup.select("[id]")]
    assert sorted(names) == ["one", "one--same", "two", "two--same"]
    assert soup.find("a", string="to two")["href"] == "#two--same"
    assert soup.find("a", string="to one")["href"] == "#one"
    assert soup.select_one('.contents a[href="#two"]').get_text() == "Two 7"


def test_the_headings_of_a_chapter_stand_below_its_part():
    made = pdf.combined([a_leaf("one", "<h1>T</h1><h2>S</h2>")], IMPRINT, {})
    assert '<h1 class="part">Part</h1>\n<h2>T</h2><h3>S</h3>' in made


def test_two_pages_of_one_name_are_refused():
    other = Leaf("Part", "reference/one.html", "One", "<h1>T</h1>")
    with pytest.raises(ValueError, match="share a name"):
        pdf.combined([a_leaf("one"), other], IMPRINT, {})


def test_a_formula_on_paper_is_set_once_and_read_aloud_from_its_source():
    body = '<h1>T</h1><span class="arithmatex">\\(a &lt; b\\)</span>'
    made = pdf.combined([a_leaf("one", body)], IMPRINT, {})
    assert 'role="img" aria-label="a &lt; b"' in made
    assert "katex-html" in made
    assert "<math" not in made


def test_the_clock_leaves_no_trace_in_a_pdf():
    def printed(clock, first):
        made = io.BytesIO()
        with pikepdf.new() as empty:
            empty.add_blank_page()
            empty.docinfo["/CreationDate"] = empty.docinfo["/ModDate"] = clock
            empty.Root.Cells = [pikepdf.String(f"node{first + n:08d}") for n in (5, 1, 5)]
            empty.save(made, static_id=True)
        return pdf.packed(made.getvalue(), IMPRINT)

    one, other = printed("D:20260101000000Z", 10), printed("D:20270101000000Z", 70)
    assert one == other
    with pikepdf.open(io.BytesIO(one)) as made:
        assert str(made.docinfo["/CreationDate"]) == "D:20260102000000Z"
        assert [str(cell) for cell in made.Root.Cells] == [
            "node00000001",
            "node00000000",
            "node00000001",
        ]


@pytest.mark.parametrize("browser", [None, shutil.which("false")])
def test_without_a_browser_that_prints_the_build_goes_on_and_says_so(
    browser, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(pdf, "browser", lambda: browser)
    with caplog.at_level(logging.INFO, "mkdocs.dlbook"):
        assert pdf.book([Content("", "a.html", "<h1>T</h1>")], IMPRINT, tmp_path) is None
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "No PDF" in record.getMessage()


@functools.cache
def book():
    return PdfReader(SITE / "dlbook.pdf")


@functools.cache
def beginnings():
    """Give the title and the page, from 0, of every entry of the outline, in order."""

    def walk(entries):
        for entry in entries:
            if isinstance(entry, list):
                yield from walk(entry)
            else:
                yield entry.title, book().get_destination_page_number(entry)

    return list(walk(book().outline))


def article_of(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").select_one(
        "article"
    )


def titles():
    """Read the titles of the chapters from their pages in the site."""
    for word in CHAPTERS:
        page = article_of(SITE / "chapters" / f"{word}.html")
        page.select_one(".headerlink").decompose()
        yield word, page.h1.get_text()


@needs_browser
def test_the_pdf_has_the_length_of_a_book_and_can_be_carried():
    assert 150 < len(book().pages) < 22 * len(CHAPTERS)
    assert (SITE / "dlbook.pdf").stat().st_size < 600_000 * len(CHAPTERS)


@needs_browser
def test_every_chapter_stands_in_the_outline_and_begins_on_a_page_of_its_own():
    pages = dict(reversed(beginnings()))
    for word, title in titles():
        number = pages[title]
        text = book().pages[number].extract_text()
        assert title in text.replace("\n", " "), word
        assert book().named_destinations[f"/{word}"]["/Page"] == book().pages[number]


@needs_browser
def test_the_contents_name_the_page_on_which_a_chapter_begins():
    pages = dict(reversed(beginnings()))
    contents = book().pages[1 : min(pages[title] for _, title in titles())]
    text = " ".join(page.extract_text() for page in contents).replace("\n", " ")
    for _, title in titles():
        assert re.search(rf"{re.escape(title)}\s*{pages[title] + 1}\b", text), title


@needs_browser
def test_the_number_at_the_foot_is_that_of_the_page():
    for number in (2, 50, len(book().pages) - 1):
        text = book().pages[number].extract_text()
        assert str(number + 1) in text.split(), number


@needs_browser
def test_the_last_solution_of_the_last_chapter_is_printed():
    page = article_of(SITE / "chapters" / f"{CHAPTERS[-1]}.html")
    solution = page.select("details.success")[-1]
    line = solution.select("pre")[-1].get_text().strip().splitlines()[-1]
    first = dict(reversed(beginnings()))[dict(titles())[CHAPTERS[-1]]]
    after = next(n for title, n in beginnings() if n > first and title == "Reference")
    text = "\n".join(book().pages[n].extract_text() for n in range(first, after))
    assert line in text


@needs_browser
def test_every_font_is_embedded_and_formulas_are_set_in_those_of_katex():
    names = set()
    for page in book().pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            if font["/Subtype"] == "/Type0":
                inner = font["/DescendantFonts"][0].get_object()
                assert "/FontFile2" in inner["/FontDescriptor"], font["/BaseFont"]
                names.add(font["/BaseFont"].partition("+")[2])
    assert {"KaTeX_Math-Italic", "SourceSerif4-Regular", "IBMPlexMono-Regular"} <= names


@needs_browser
def test_every_link_of_the_pdf_leads_to_a_place_in_it_or_to_the_web():
    places, inner = set(book().named_destinations), 0
    for page in book().pages:
        for link in page.get("/Annots", []):
            link = link.get_object()
            if "/Dest" in link:
                inner += 1
                assert link["/Dest"] in places
            else:
                assert link["/A"]["/URI"].startswith(("https://", "http://"))
    assert inner > 1000


@needs_browser
def test_no_title_is_said_twice_in_the_outline():
    for title, _ in beginnings():
        half = len(title) // 2
        assert title != 2 * title[:half], title
