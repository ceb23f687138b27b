"""What the home page offers to take along."""

import zipfile

from bs4 import BeautifulSoup

from dlbook.checkout import ROOT
from dlbook.press.downloads.offers import offered, packed

SITE = ROOT / "site"


def test_an_offer_stands_only_where_its_file_was_made():
    page = (
        '<p>a</p>\n<p class="offer"><a href="b.zip" download>B</a> and\nmore.</p>\n'
        '<p class="offer"><a href="b.pdf" download>C</a></p>\n<p>d</p>'
    )
    assert offered(page, []) == "<p>a</p>\n<p>d</p>"
    assert "b.pdf" in offered(page, ["b.pdf"])
    assert "b.zip" not in offered(page, ["b.pdf"])


def test_the_home_page_offers_what_lies_beside_it_and_nothing_else():
    home = BeautifulSoup((SITE / "index.html").read_text(encoding="utf-8"), "html.parser")
    offers = {tag["href"] for tag in home.select(".offer a")}
    assert offers == {path.name for path in SITE.glob("dlbook.*")}
    assert {"dlbook.zip", "dlbook.epub"} <= offers


def test_the_packed_home_page_offers_nothing_that_is_not_packed():
    with zipfile.ZipFile(SITE / "dlbook.zip") as archive:
        home = archive.read("index.html").decode()
        names = archive.namelist()
    assert 'class="offer"' not in home
    assert not [name for name in names if name.startswith("dlbook.")]


def test_what_is_taken_along_shows_the_wide_drawings(tmp_path):
    page = (
        '<picture><source media="(max-width: 599px)" srcset="a/x-light-narrow.svg">'
        '<img alt="x" src="a/x-light.svg#only-light"></picture>'
    )
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    for form in ("", "-narrow"):
        (tmp_path / "a" / f"x-light{form}.svg").write_text("<svg/>", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / packed(tmp_path)) as archive:
        assert "narrow" not in archive.read("index.html").decode()
        assert '<img alt="x" src="a/x-light.svg' in archive.read("index.html").decode()
        assert [name for name in archive.namelist() if name.endswith(".svg")] == [
            "a/x-light.svg"
        ]
