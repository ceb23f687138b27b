"""A book of two pages, built as the whole book is built."""

import logging
import os
import re
import socket
import time
import zipfile
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from mkdocs.exceptions import PluginError

from dlbook.checkout import ROOT
from dlbook.press import plugin
from dlbook.press.downloads import wheel
from dlbook.press.page.fences import PageError
from dlbook.press.page.page import Page
from dlbook.press.plugin import Press

ADDRESS = "https://book.example/b/"


@pytest.fixture(scope="session")
def site(small_book):
    return small_book / "site"


@pytest.fixture(scope="session")
def chapter(site):
    return BeautifulSoup(
        (site / "chapters" / "views.html").read_text(encoding="utf-8"), "html.parser"
    )


def head(page):
    return {
        tag.get("name") or tag.get("property"): tag["content"]
        for tag in page.head.select("meta[content]")
    }


def test_a_page_names_its_address_and_its_picture(site, chapter):
    told = head(chapter)
    assert (
        chapter.select_one("[rel=canonical]")["href"] == f"{ADDRESS}chapters/views.html"
    )
    assert told["og:url"] == f"{ADDRESS}chapters/views.html"
    assert told["og:image"] == f"{ADDRESS}assets/cards/views.png"
    assert told["og:title"] == "Views"
    assert told["og:type"] == "article"
    assert told["twitter:card"] == "summary_large_image"
    home = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert head(home)["og:image"] == f"{ADDRESS}assets/cards/book.png"
    for name in ("views", "book"):
        assert (site / "assets" / "cards" / f"{name}.png").is_file()


def test_the_map_of_the_site_names_its_pages_and_no_others(site):
    places = [
        place[0].text for place in ElementTree.parse(site / "sitemap.xml").getroot()
    ]
    assert {f"{ADDRESS}index.html", f"{ADDRESS}chapters/views.html"} <= set(places)
    for place in places:
        assert (site / place.removeprefix(ADDRESS)).is_file()


def test_a_chapter_has_its_head_its_figures_its_formulas_and_its_foot(site, chapter):
    links = {link.get_text() for link in chapter.select(".chapter-head a")}
    assert links == {"Notebook", "Lab", "API"}
    pictures = chapter.select("figure.drawing img")
    assert pictures
    for picture in pictures:
        path = picture["src"].partition("#")[0].removeprefix("../")
        assert (site / path).read_text(encoding="utf-8").startswith("<?xml")
    assert chapter.select(".formula math")
    assert not chapter.select(".arithmatex")
    assert "torch" in chapter.select_one(".checked").get_text()
    assert chapter.select("section.part > h2")
    assert len(chapter.select("link[rel=stylesheet]")) == 1
    assert "base64" in (site / plugin.SHEET).read_text(encoding="utf-8")


def test_terms_claims_and_citations_lead_to_their_pages(site, chapter):
    assert chapter.select_one('a.term[href="../reference/glossary.html#stride"]')
    claim = chapter.select_one("a.claim")["href"]
    assert claim.startswith("../reference/results.html#views-")
    works = (site / "reference" / "bibliography.html").read_text(encoding="utf-8")
    cited = re.search(r'bibliography\.html#([\w-]+)"', str(chapter))[1]
    work = BeautifulSoup(works, "html.parser").find(id=cited).parent
    assert work.select_one('a[href="../chapters/views.html"]')


def test_a_lab_shows_what_it_prints(site):
    page = BeautifulSoup(
        (site / "labs" / "views.html").read_text(encoding="utf-8"), "html.parser"
    )
    assert page.select_one(".output pre").get_text() == "42"
    assert head(page)["description"] == "Views: forty-two. Change n, run."
    assert (site / "labs" / "views.ipynb").is_file()


def test_what_editors_and_systems_leave_is_not_published(site):
    names = {path.name for path in site.iterdir()}
    assert "index.html" in names
    assert not [name for name in names if name.endswith(("~", "#", "swp", "db", "Store"))]


def test_without_chromium_the_home_page_offers_what_could_be_made(site):
    home = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    offers = {link["href"] for link in home.select(".offer a")}
    assert offers == {"dlbook.zip", "dlbook.epub"}
    with zipfile.ZipFile(site / "dlbook.epub") as book:
        assert "book/text/views.xhtml" in book.namelist()


def test_the_packed_site_can_be_searched_from_disk(site):
    with zipfile.ZipFile(site / "dlbook.zip") as archive:
        names = archive.namelist()
        assert b'class="offer"' not in archive.read("index.html")
    assert "search/search_index.js" in names
    assert not [name for name in names if name.startswith("dlbook.")]


def test_a_chapter_leads_to_its_lab_and_to_the_next_chapter_and_a_lab_back(site):
    def links(address, kind):
        page = (site / address).read_text(encoding="utf-8")
        found = BeautifulSoup(page, "html.parser").select(f".{kind} a")
        return {link["href"]: link.get_text() for link in found}

    pages = sorted(path.stem for path in (site / "chapters").glob("*.html"))
    for word in pages:
        foot = links(f"chapters/{word}.html", "chapter-foot")
        for href in foot:
            assert (site / "chapters" / href).resolve().is_file(), href
        if (site / "labs" / f"{word}.html").is_file():
            assert f"../labs/{word}.html" in foot
            assert f"../chapters/{word}.html" in links(
                f"labs/{word}.html", "chapter-head"
            )
    assert [w for w in pages if links(f"chapters/{w}.html", "chapter-foot")]


def test_a_lab_has_the_name_of_its_chapter_in_menus_and_its_own_in_the_tab(site):
    page = BeautifulSoup(
        (site / "labs" / "views.html").read_text(encoding="utf-8"), "html.parser"
    )
    assert page.title.get_text().startswith("Views: forty-two (lab)")
    menu = page.select(".md-nav__link--active .md-ellipsis")
    assert {entry.get_text().strip() for entry in menu} == {"1 Views"}


def test_the_site_offers_the_package(site):
    with zipfile.ZipFile(site / wheel.name()) as package:
        assert "dlbook/knn.py" in package.namelist()
        assert "dlbook/recorded/knn.json" in package.namelist()


def test_the_docs_of_another_checkout_are_refused(tmp_path):
    config = SimpleNamespace(config_file_path=str(tmp_path / "mkdocs.yml"))
    with pytest.raises(PluginError, match="is built with the package of") as caught:
        Press().on_config(config)
    assert str(tmp_path) in str(caught.value)
    assert str(ROOT) in str(caught.value)


def test_a_strict_build_ends_with_every_mistake_and_another_goes_on(caplog):
    pages = [
        Page("reference/notation.md", "# N\n[@nobody1900]\n\n[@nobody1901]\n"),
        Page("reference/glossary.md", "```python\n1\n"),
    ]
    with pytest.raises(PluginError) as caught:
        Press()._report(pages, is_strict=True)
    told = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in told] == [
        "docs/reference/notation.md:2",
        "docs/reference/notation.md:4",
        "docs/reference/glossary.md:1",
    ]
    with caplog.at_level(logging.WARNING):
        Press()._report(pages, is_strict=False)
    assert len(caplog.records) == 3


def test_a_page_is_judged_again_only_when_it_or_what_it_names_has_changed(
    tmp_path, monkeypatch, caplog
):
    works = tmp_path / "works.bib"
    works.write_text("@book{a1900, title={A}, year=1900}", encoding="utf-8")
    monkeypatch.setattr(plugin, "BIBLIOGRAPHY", works)
    asked = []
    monkeypatch.setattr(
        plugin.rules,
        "mistakes",
        lambda page: asked.append(page) or [PageError(1, "wrong")],
    )
    press = Press()
    same, other = Page("index.md", "# A\n"), Page("reference/notation.md", "# B\n")
    changed = Page("reference/notation.md", "# C\n")
    for pages in ([same, other], [same, other], [same, changed]):
        with caplog.at_level(logging.WARNING):
            press._report(pages, is_strict=False)
    assert asked == [same, other, changed]
    assert len(caplog.records) == 6  # an old mistake is told as long as it stands
    tomorrow = time.time_ns() + 10**12
    os.utime(works, ns=(tomorrow, tomorrow))
    press._report([same, changed], is_strict=False)
    assert asked[3:] == [same, changed]


def test_what_markdown_leaves_ends_a_strict_build_and_another_goes_on(caplog):
    page = Page("reference/notation.md", "# N\n\n!!! note “Title”\n\n    Text.\n")
    html = "<h1>N</h1>\n<p>!!! note “Title”</p>\n<p>Text.</p>"
    with pytest.raises(PluginError, match=r"docs/reference/notation\.md:3: .* as text"):
        plugin._report_left(html, page, is_strict=True)
    with caplog.at_level(logging.WARNING):
        plugin._report_left(html, page, is_strict=False)
    assert len(caplog.records) == 1


def test_a_port_that_is_taken_is_told_before_anything_is_built():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PluginError, match=f"make serve PORT={port + 1}"):
            plugin._require_free("127.0.0.1", port)
    plugin._require_free("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 0, 65536, 99999])
def test_a_port_that_none_can_be_is_told(port):
    with pytest.raises(PluginError, match=f"between 1 and 65535, got {port}"):
        plugin._require_free("127.0.0.1", port)


def test_a_record_that_is_none_ends_the_build(tmp_path, monkeypatch):
    path = tmp_path / "knn.json"
    path.write_text("{\n<<<<<<< HEAD\n}\n", encoding="utf-8")
    monkeypatch.setattr(plugin, "RESULTS", tmp_path)
    monkeypatch.setattr("dlbook.runs.record.RESULTS", tmp_path)
    config = SimpleNamespace(config_file_path=str(ROOT / "mkdocs.yml"))
    with pytest.raises(PluginError, match=r"knn\.json:2: no JSON"):
        Press().on_config(config)


def test_a_bibliography_that_is_none_ends_the_build(tmp_path, monkeypatch):
    path = tmp_path / "a.bib"
    path.write_text("@book{a title}", encoding="utf-8")
    monkeypatch.setattr("dlbook.press.page.citations.BIBLIOGRAPHY", path)
    config = SimpleNamespace(config_file_path=str(ROOT / "mkdocs.yml"))
    with pytest.raises(PluginError, match=r"a\.bib:1: syntax error"):
        Press().on_config(config)


def test_what_mkdocs_says_about_a_dead_link_gets_its_line():
    said = "Doc file '%s' contains a link '%s', but the target is not found."
    values = ("index.md", "chapters/tensors.md")
    record = logging.LogRecord("mkdocs", logging.WARNING, "", 0, said, values, None)
    assert plugin._Lines().filter(record)
    number = record.getMessage().split(":")[1]
    line = (
        (ROOT / "docs" / "index.md")
        .read_text(encoding="utf-8")
        .splitlines()[int(number) - 1]
    )
    assert "chapters/tensors.md" in line
