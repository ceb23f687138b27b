"""The built site: every link leads somewhere, nothing comes from another host."""

import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

SITE = Path(__file__).parent.parent / "site"
PAGES = sorted(SITE.rglob("*.html"))


def test_the_site_was_built():
    assert len(PAGES) > 10, "site/ is missing: run `make build`"


@cache
def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def anchors(path):
    return {tag["id"] for tag in soup(path).find_all(id=True)} | {
        tag["name"] for tag in soup(path).find_all("a", attrs={"name": True})
    }


def names(paths):
    return [str(path.relative_to(SITE)) for path in paths]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_somewhere(page):
    for tag in soup(page).find_all(["a", "img", "script", "link", "source"]):
        target = tag.get("href") or tag.get("src") or tag.get("srcset")
        if not target or target.startswith(("data:", "mailto:", "javascript:")):
            continue
        parts = urlsplit(target)
        if parts.scheme or parts.netloc or page.name == "404.html":
            continue
        file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if file.is_dir():
            file = file / "index.html"
        assert file.is_file(), f"{page}: {target} leads nowhere"
        if (
            parts.fragment
            and file.suffix == ".html"
            and not parts.fragment.startswith("only-")
        ):
            assert unquote(parts.fragment) in anchors(file), f"{page}: no anchor {target}"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_nothing_is_loaded_from_another_host(page):
    for tag in soup(page).find_all(
        ["script", "img", "iframe", "source", "video", "audio"]
    ):
        address = tag.get("src") or tag.get("srcset") or ""
        assert not re.match(r"(https?:)?//", address), f"{page}: {tag}"
    for tag in soup(page).find_all("link"):
        if tag.get("rel") not in (["canonical"], ["prev"], ["next"], ["alternate"]):
            assert not re.match(r"(https?:)?//", tag.get("href", "")), f"{page}: {tag}"


def test_no_style_sheet_or_script_names_another_host():
    for path in [*SITE.rglob("*.css"), *(SITE / "assets" / "js").rglob("*.js")]:
        found = re.search(
            r"""(url\(|import|fetch\()\s*["']?(https?:)?//[\w.]+""",
            path.read_text(encoding="utf-8"),
        )
        assert not found, f"{path}: {found[0]}"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_no_dialect_is_left_in_a_page(page):
    text = soup(page).get_text() if "source" not in page.parts else ""
    for mark in ("claim:", "[@", "pytest-codeblocks", "arithmatex", "!!! ", "??? "):
        assert mark not in text, f"{page}: {mark!r} is left"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_picture_has_an_alternative_text(page):
    for tag in soup(page).find_all("img"):
        assert (tag.get("alt") or "").strip(), f"{page}: {tag.get('src', '')[:80]}"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_picture_has_its_place_before_it_arrives(page):
    for tag in soup(page).select("article :is(img, source)"):
        assert {"width", "height"} <= tag.attrs.keys(), f"{page}: {tag}"


VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"),
    *("source", "track", "wbr"),
}
BLOCKS = {
    *("div", "dl", "figure", "h1", "h2", "h3", "h4", "ol", "p", "pre", "section"),
    *("table", "ul"),
}


class Nesting(HTMLParser):
    """Collects what a browser would have to guess: tags that cross, and names given twice."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.wrong = [], Counter(), []

    def handle_starttag(self, tag, attrs):
        self.ids.update(value for name, value in attrs if name == "id")
        if tag in BLOCKS and self.open and self.open[-1] == "p":
            self.wrong.append(f"line {self.getpos()[0]}: <{tag}> inside <p>")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"line {self.getpos()[0]}: </{tag}> in {self.open[-3:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def mistakes_in(text):
    parser = Nesting()
    parser.feed(text)
    parser.close()
    twice = [f"two elements are named {name}" for name, n in parser.ids.items() if n > 1]
    return parser.wrong + [f"<{tag}> is never closed" for tag in parser.open] + twice


@pytest.mark.parametrize(
    ("markup", "wrong"),
    [
        ('<p id="a">x<br>y</p><svg><path d="M0"/></svg>', ""),
        ("<p><figure></figure></p>", "line 1: <figure> inside <p>"),
        ("<p><b>x</p></b>", "line 1: </p> in ['p', 'b']"),
        ("<div>", "<div> is never closed"),
        ('<i id="a"></i><i id="a"></i>', "two elements are named a"),
    ],
)
def test_a_mistake_in_the_markup_is_found(markup, wrong):
    assert mistakes_in(markup)[:1] == [wrong][: bool(wrong)]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_the_markup_of_a_page_leaves_nothing_to_guess(page):
    assert mistakes_in(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_page_says_what_it_was_checked_with(page):
    if "source" not in page.parts and page.name != "404.html":
        foot = soup(page).select_one(".checked")
        assert foot, page
        assert "torch" in foot.get_text()
        assert "commit" in foot.get_text()


def test_a_lab_is_as_light_as_a_page():
    for page in (SITE / "labs").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "data:image/svg" not in text, f"{page}: a drawing stands inside the page"
        assert len(text) < 150_000, f"{page}: {len(text)} bytes"
        assert not soup(page).select(".jupyter-wrapper style, .jupyter-wrapper script"), (
            page
        )
