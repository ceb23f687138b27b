"""The book as an EPUB."""

import functools
import io
import posixpath
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from bs4 import BeautifulSoup

from dlbook.checkout import ROOT, chapters, parts
from dlbook.press.downloads import epub
from dlbook.press.downloads.leaves import Imprint, Leaf, order

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


def a_leaf(word, body="<h1>Title</h1>", part="Part"):
    return Leaf(part, f"chapters/{word}.html", word.title(), body)


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
