"""The book to take along: how pages are bound, and the PDF and the EPUB that the build made."""

import functools
import io
import logging
import posixpath
import re
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from dlbook.checkout import chapters, parts
from dlbook.press import cache
from dlbook.press.downloads import epub, leaves, pdf
from dlbook.press.downloads.leaves import Imprint, Leaf, Page, leaf, order, relinked
from dlbook.press.downloads.offers import offered

ROOT = Path(__file__).parent.parent
SITE = ROOT / "site"
CHAPTERS = chapters()
IMPRINT = Imprint(
    "book", "About it", "1.0", "Python", datetime(2026, 1, 2, tzinfo=UTC), ""
)
XHTML = "{http://www.w3.org/1999/xhtml}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
CHILDREN = {"msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2} | {
    "munderover": 3,
    "mfrac": 2,
    "mroot": 2,
}
needs_browser = pytest.mark.skipif(
    not pdf.browser(), reason="no Chromium on this machine: the build makes no PDF"
)


def a_leaf(word, body="<h1>Title</h1>", part="Part"):
    return Leaf(part, f"chapters/{word}.html", word.title(), body)


# How pages are bound


def test_labs_and_the_api_are_not_bound():
    parts = [
        ("", ["index.md"]),
        ("Tensors", ["chapters/views.md"]),
        ("Labs", ["labs/views.py"]),
        ("Reference", ["reference/api.md", "reference/notation.md"]),
    ]
    assert order(parts) == [
        ("", "index.md"),
        ("Tensors", "chapters/views.md"),
        ("Reference", "reference/notation.md"),
    ]


def test_what_only_a_screen_can_do_goes_and_what_is_folded_opens():
    inside = (
        '<h1 id="a">T<a class="headerlink" href="#a">¶</a></h1><p class="chapter-head">Lab</p>'
        '<img alt="x" loading="lazy" src="../assets/x-light.svg#only-light">'
        '<img alt="x" src="../assets/x-dark.svg#only-dark">'
        '<details class="success"><summary>Solution</summary><p>42</p></details>'
        '<div class="live"><p>Play.</p></div><script src="a.js"></script>'
    )
    made = leaf(Page("Part", "chapters/a.html", inside))
    soup = BeautifulSoup(made.body, "html.parser")
    assert made.title == "T"
    assert [image["src"] for image in soup.select("img")] == ["../assets/x-light.svg"]
    assert soup.select_one(".solution.success").get_text() == "Solution42"
    assert soup.select_one(".live").get_text() == "Play."
    assert not soup.select("script, .headerlink, .chapter-head, details, [loading]")


def test_a_picture_of_the_home_page_is_found_from_a_folder():
    page = Page("", "index.html", '<h1>T</h1><img alt="x" src="assets/x.svg#only-light">')
    assert 'src="../assets/x.svg"' in leaf(page).body
    assert leaves.pictures_of(page) == ["assets/x.svg"]


def test_code_tells_how_wide_and_long_it_is_and_keeps_every_character():
    code = "a &lt; b" + "\n" * leaves.LONG + '<span class="k">wide line</span>\n'
    anchor = (
        '<a href="#__codelineno-0-1" id="__codelineno-0-1" name="__codelineno-0-1"></a>'
    )
    inside = f"<h1>T</h1><pre><span></span><code>{anchor}{code}</code></pre>"
    pre = BeautifulSoup(leaf(Page("", "a.html", inside)).body, "html.parser").pre
    assert pre["style"] == "--columns: 9"
    assert pre["class"] == ["long"]
    assert pre.get_text() == "a < b" + "\n" * leaves.LONG + "wide line\n"
    assert not pre.select("a")


def test_links_follow_their_targets_and_links_that_leave_lose_only_their_link():
    body = (
        '<a href="b.html#x">in</a> <a class="term" href="../reference/c.html">other</a> '
        '<a href="#y">same</a> <a href="../labs/l.html" download>lab</a> '
        '<a href="https://example.org/?a=1&amp;b=2">far</a>'
    )
    found = []

    def locate(address, anchor):
        found.append((address, anchor))
        return None if address.startswith("labs/") else f"#{address}-{anchor}"

    made = relinked(body, "chapters/a.html", locate)
    assert found == [
        ("chapters/b.html", "x"),
        ("reference/c.html", ""),
        ("chapters/a.html", "y"),
        ("labs/l.html", ""),
    ]
    assert '<a href="#chapters/b.html-x">in</a>' in made
    assert '<a class="term" href="#reference/c.html-">other</a>' in made
    assert " lab " in made
    assert '<a href="https://example.org/?a=1&amp;b=2">far</a>' in made


def test_a_link_out_of_the_book_leads_to_the_published_site_if_there_is_one():
    published = Imprint(**(vars(IMPRINT) | {"site": "https://example.org/book/"}))
    assert leaves.outside(IMPRINT, "labs/a.html", "x") is None
    assert leaves.outside(published, "labs/a.html", "x") == (
        "https://example.org/book/labs/a.html#x"
    )


def test_an_offer_stands_only_where_its_file_was_made():
    page = (
        '<p>a</p>\n<p class="offer"><a href="b.zip" download>B</a> and\nmore.</p>\n'
        '<p class="offer"><a href="b.pdf" download>C</a></p>\n<p>d</p>'
    )
    assert offered(page, []) == "<p>a</p>\n<p>d</p>"
    assert "b.pdf" in offered(page, ["b.pdf"])
    assert "b.zip" not in offered(page, ["b.pdf"])


def test_a_book_is_made_again_only_when_something_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    made = []

    def make():
        made.append(1)
        return b"book"

    first = leaves.kept("pdf", [b"a", b"b"], make)
    assert leaves.kept("pdf", [b"a", b"b"], make) == first
    assert first.read_bytes() == b"book"
    assert len(made) == 1
    assert leaves.kept("pdf", [b"ab", b""], make) != first
    assert len(made) == 2


def test_old_books_leave_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    for number in range(2 * leaves.BOOKS):
        leaves.kept("pdf", [bytes([number])], lambda: b"book")
    assert len(list((tmp_path / "pdf").iterdir())) == leaves.BOOKS


# One page for paper


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
        assert pdf.book([Page("", "a.html", "<h1>T</h1>")], IMPRINT, tmp_path) is None
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "No PDF" in record.getMessage()


# One EPUB


def test_equal_pages_give_equal_epubs():
    leaves = [a_leaf("one"), a_leaf("two")]
    assert epub.packed(leaves, IMPRINT, {}) == epub.packed(leaves, IMPRINT, {})


def test_a_letter_of_another_style_is_the_sign_of_unicode():
    body = r'<h1>T</h1><span class="arithmatex">\(\mathbb{R} \mathcal{LN} \mathbf{1} x\)</span>'
    with zipfile.ZipFile(
        io.BytesIO(epub.packed([a_leaf("one", body)], IMPRINT, {}))
    ) as archive:
        text = archive.read("book/text/one.xhtml").decode()
    for sign in "ℝℒ𝒩𝟏":
        assert sign in text
    assert "<mi>x</mi>" in text
    assert not re.search('mathvariant="(?!normal)', text)


def test_an_epub_begins_with_its_kind_uncompressed():
    with zipfile.ZipFile(
        io.BytesIO(epub.packed([a_leaf("one")], IMPRINT, {}))
    ) as archive:
        first = archive.infolist()[0]
        assert first.filename == "mimetype"
        assert first.compress_type == zipfile.ZIP_STORED
        assert archive.read(first) == b"application/epub+zip"


# What the build made


def test_the_home_page_offers_what_lies_beside_it_and_nothing_else():
    home = BeautifulSoup((SITE / "index.html").read_text(), "html.parser")
    offers = {tag["href"] for tag in home.select(".offer a")}
    assert offers == {path.name for path in SITE.glob("dlbook.*")}
    assert {"dlbook.zip", "dlbook.epub"} <= offers


def test_the_packed_home_page_offers_nothing_that_is_not_packed():
    with zipfile.ZipFile(SITE / "dlbook.zip") as archive:
        home = archive.read("index.html").decode()
        names = archive.namelist()
    assert 'class="offer"' not in home
    assert not [name for name in names if name.startswith("dlbook.")]


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


def titles():
    """Read the titles of the chapters from their pages in the site."""
    for word in CHAPTERS:
        page = BeautifulSoup(
            leaves.article((SITE / "chapters" / f"{word}.html").read_text()),
            "html.parser",
        )
        page.select_one(".headerlink").decompose()
        yield word, page.h1.get_text()


@needs_browser
def test_the_pdf_has_the_length_of_a_book_and_can_be_carried():
    assert 150 < len(book().pages) < 600
    assert (SITE / "dlbook.pdf").stat().st_size < 16_000_000


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
    text = book().pages[1].extract_text().replace("\n", " ")
    pages = dict(reversed(beginnings()))
    for _, title in titles():
        assert re.search(rf"{re.escape(title)}\s*{pages[title] + 1}\b", text), title


@needs_browser
def test_the_number_at_the_foot_is_that_of_the_page():
    for number in (2, 50, len(book().pages) - 1):
        text = book().pages[number].extract_text()
        assert str(number + 1) in text.split(), number


@needs_browser
def test_the_last_solution_of_the_last_chapter_is_printed():
    page = BeautifulSoup(
        leaves.article((SITE / "chapters" / f"{CHAPTERS[-1]}.html").read_text()),
        "html.parser",
    )
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


@functools.cache
def files():
    """Read the files of the EPUB, by name."""
    with zipfile.ZipFile(SITE / "dlbook.epub") as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@functools.cache
def documents():
    """Read the pages of the EPUB, by name."""
    return {
        name: ElementTree.fromstring(text)
        for name, text in files().items()
        if name.endswith(".xhtml")
    }


def test_every_chapter_is_a_document_of_the_epub_and_stands_in_its_contents():
    contents = documents()["book/contents.xhtml"]
    links = {tag.get("href") for tag in contents.iter(f"{XHTML}a")}
    for word, title in titles():
        document = documents()[f"book/text/{word}.xhtml"]
        assert "".join(document.find(f".//{XHTML}h1").itertext()) == title
        assert f"text/{word}.xhtml" in links


def test_everything_in_the_epub_is_listed_once():
    package = ElementTree.fromstring(files()["book/package.opf"])
    listed = [f"book/{item.get('href')}" for item in package.iter() if item.get("href")]
    others = {"mimetype", "META-INF/container.xml", "book/package.opf"}
    assert sorted(listed) == sorted(set(files()) - others)


def test_every_link_and_picture_of_the_epub_leads_somewhere():
    anchors = {
        name: [tag.get("id") for tag in document.iter() if tag.get("id")]
        for name, document in documents().items()
    }
    for name, document in documents().items():
        assert len(set(anchors[name])) == len(anchors[name]), name
        for tag in document.iter():
            target = tag.get("href") or tag.get("src")
            if not target or re.match("https?:", target):
                continue
            path, _, anchor = target.partition("#")
            file = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            file = file if path else name
            assert file in files(), f"{name}: {target}"
            assert not anchor or anchor in anchors[file], f"{name}: {target}"


def test_the_formulas_of_the_epub_are_mathml_of_the_right_shape():
    count = 0
    for name, document in documents().items():
        count += sum(1 for _ in document.iter(f"{MATHML}math"))
        for tag in document.iter():
            wanted = CHILDREN.get(tag.tag.removeprefix(MATHML), len(tag))
            assert len(tag) == wanted, f"{name}: {ElementTree.tostring(tag).decode()}"
        assert "katex" not in files()[name].decode()
    assert count > 1000


def test_the_epub_can_be_carried():
    assert (SITE / "dlbook.epub").stat().st_size < 15_000_000


def test_what_the_navigation_binds_is_in_the_epub():
    for _, source in order(parts()):
        assert f"book/text/{Path(source).stem}.xhtml" in files(), source
