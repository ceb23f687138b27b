"""What a page tells those who do not open it: search engines, link previews, feed readers."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config
from PIL import Image

from dlbook.press.web import cards, descriptions
from dlbook.press.web import feed as feeds

ROOT = Path(__file__).parents[1]
SITE = ROOT / "site"
CHAPTERS = sorted(path.stem for path in (ROOT / "docs" / "chapters").glob("*.md"))
LABS = sorted(path.stem for path in (ROOT / "docs" / "labs").glob("*.py"))
ATOM = {"": "http://www.w3.org/2005/Atom"}
CHANGED = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
CHANGELOG = """# Changelog

## 0.2.0 (unreleased)

- A new chapter & more.

## 0.1.0 (2026-01-31)

- The first one, with `code`.
"""


def opening(promise):
    return f"# T\n\n*You need:* [a](b.md). *You get:* {promise}\n\nText.\n"


@pytest.mark.parametrize(
    ("promise", "told"),
    [
        ("a [rule](r.md) of *two*\nsteps, `einsum`.", "A rule of two steps, einsum."),
        (f"one; {'two ' * 40}.", "One."),
        (f"a sentence. {'Another ' * 30}.", "A sentence."),
        ("word " * 60, "Word" + " word" * 30 + "…"),
    ],
)
def test_a_chapter_is_described_by_what_its_reader_gets(promise, told):
    assert descriptions.chapter_description(opening(promise)) == told


def test_a_chapter_without_a_promise_is_refused():
    with pytest.raises(ValueError, match="what you get"):
        descriptions.chapter_description("# T\n\nText.\n")


def test_a_lab_is_described_by_its_title_and_its_task():
    head = "# %% [markdown]\n# # Lab: a line\n#\n# Chapter: [Lines](../chapters/l.md).\n"
    script = f"{head}# Change `k`,\n# run.\n\n# %%\nimport torch\n"
    assert descriptions.lab_description(script) == "Lab: a line. Change k, run."
    with pytest.raises(ValueError, match="title"):
        descriptions.lab_description("# %%\nimport torch\n")


def test_robots_learn_of_the_map_only_where_the_address_is_known():
    assert feeds.robots("") == "User-agent: *\nAllow: /\n"
    assert "\nSitemap: https://book.example/b/sitemap.xml\n" in feeds.robots(
        "https://book.example/b/"
    )


@pytest.mark.parametrize("site", ["", "https://book.example/b/"])
def test_the_feed_has_what_atom_demands(site):
    feed = ElementTree.fromstring(feeds.feed(CHANGELOG, site, CHANGED))
    entries = feed.findall("entry", ATOM)
    assert len(entries) == 2
    assert feed.find("author/name", ATOM).text
    for element in (feed, *entries):
        assert all(element.find(name, ATOM).text for name in ("id", "title", "updated"))
    names = [element.find("id", ATOM).text for element in (feed, *entries)]
    assert len(set(names)) == 3
    assert all(name.startswith("tag:") for name in names)
    dates = [entry.find("updated", ATOM).text for entry in entries]
    assert dates == ["2026-11-21T10:30:00Z", "2026-01-31T00:00:00Z"]
    assert feed.find("updated", ATOM).text == dates[0]
    assert "A new chapter &amp; more." in entries[0].find("content", ATOM).text
    links = [link.get("href") for link in feed.iterfind(".//link", ATOM)]
    assert len(links) == (4 if site else 0)
    assert all(link.startswith(site) for link in links)


def test_a_changelog_without_a_version_is_refused():
    with pytest.raises(ValueError, match="names its versions"):
        feeds.feed("# Changelog\n", "", CHANGED)


def test_the_same_words_give_the_same_card():
    words = ("Nearest neighbors", "Learning from data", "A book")
    assert cards.drawn(*words) == cards.drawn(*words)
    assert cards.drawn(*words) != cards.drawn("Views", *words[1:])


def test_a_title_that_does_not_fit_a_card_is_refused():
    with pytest.raises(ValueError, match="three lines"):
        cards.drawn("word " * 40, "", "")


def head(address):
    text = (SITE / address).read_text().partition("</head>")[0]
    return {
        tag.get("name") or tag.get("property"): tag["content"]
        for tag in BeautifulSoup(text, "html.parser").select("meta[content]")
    }


def test_every_chapter_and_lab_has_a_description_of_its_own():
    pages = [f"chapters/{word}.html" for word in CHAPTERS]
    pages += [f"labs/{word}.html" for word in LABS]
    told = [head(page)["description"] for page in pages]
    for page, text in zip(pages, told, strict=True):
        assert 50 <= len(text) <= descriptions.LONGEST, f"{page}: {text!r}"
        assert not set(text) & set("*`[]<>$"), f"{page}: {text!r}"
        assert head(page)["og:description"] == text
    assert len(set(told)) == len(pages)


@pytest.mark.parametrize("word", ["book", *CHAPTERS])
def test_every_chapter_has_a_card(word):
    data = (SITE / cards.address(word)).read_bytes()
    assert Image.open(BytesIO(data)).size == (cards.WIDTH, cards.HEIGHT)
    assert len(data) < 60_000


def test_the_site_has_a_feed_that_tells_the_newest_changes():
    feed = ElementTree.parse(SITE / "feed.xml").getroot()
    newest = next(feeds.releases((ROOT / "CHANGELOG.md").read_text()))
    entry = feed.find("entry", ATOM)
    assert entry.find("title", ATOM).text == f"dlbook {newest.version}"
    shown = BeautifulSoup(entry.find("content", ATOM).text, "html.parser")
    assert len(shown.find_all("li")) == newest.text.count("\n- ") + 1
    page = (SITE / "reference" / "changelog.html").read_text()
    assert f'id="{newest.anchor}"' in page, "the link of the entry leads nowhere"
    assert 'type="application/atom+xml"' in page


def test_the_site_lets_robots_read():
    assert (SITE / "robots.txt").read_text().startswith("User-agent: *\nAllow: /\n")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Build two pages in the templates of the book, for an address that is known."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "docs" / "chapters").mkdir(parents=True)
    (folder / "docs" / "index.md").write_text("# Home\n")
    (folder / "docs" / "chapters" / "mlp.md").write_text("# Layers\n")
    (folder / "hooks.py").write_text("from dlbook.press.plugin import on_page_context\n")
    (folder / "mkdocs.yml").touch()
    overrides = str(ROOT / "docs" / "overrides")
    build(
        load_config(
            str(folder / "mkdocs.yml"),
            site_name="dlbook",
            site_description="A book",
            site_url="https://book.example/b",
            use_directory_urls=False,
            nav=[
                {"Home": "index.md"},
                {"Networks": [{"Layers & more": "chapters/mlp.md"}]},
            ],
            theme={"name": "material", "custom_dir": overrides, "font": False},
            hooks=[str(folder / "hooks.py")],
            plugins=[],
        )
    )
    return folder / "site"


def test_a_published_page_names_its_address_and_its_picture(published, monkeypatch):
    monkeypatch.setattr(f"{__name__}.SITE", published)
    page = (published / "chapters" / "mlp.html").read_text()
    assert (
        '<link rel="canonical" href="https://book.example/b/chapters/mlp.html">' in page
    )
    told = head("chapters/mlp.html")
    assert told["og:url"] == "https://book.example/b/chapters/mlp.html"
    assert told["og:image"] == "https://book.example/b/assets/cards/mlp.png"
    assert told["og:title"] == "Layers & more"
    assert told["og:type"] == "article"
    assert told["twitter:card"] == "summary_large_image"
    assert '"wide or deep?"' in told["description"], "quotation marks survive"
    assert head("index.html")["og:image"].endswith("/assets/cards/book.png")


def test_the_map_of_a_published_site_names_its_pages_and_no_others(published):
    places = ElementTree.parse(published / "sitemap.xml").getroot()
    assert sorted(place[0].text for place in places) == [
        "https://book.example/b/chapters/mlp.html",
        "https://book.example/b/index.html",
    ]
    assert (published / "404.html").is_file()
