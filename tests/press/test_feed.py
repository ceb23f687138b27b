"""The changes of the book as a feed, and what robots may read."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from dlbook.checkout import ROOT
from dlbook.press.web import feed as feeds

SITE = ROOT / "site"

ATOM = {"": "http://www.w3.org/2005/Atom"}
CHANGED = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
CHANGELOG = """# Changelog

## 0.2.0 (unreleased)

- A new chapter & more.

## 0.1.0 (2026-01-31)

- The first one, with `code`.
"""


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


def test_the_site_has_a_feed_that_tells_the_newest_changes():
    feed = ElementTree.parse(SITE / "feed.xml").getroot()
    newest = next(feeds.releases((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    entry = feed.find("entry", ATOM)
    assert entry.find("title", ATOM).text == f"dlbook {newest.version}"
    shown = BeautifulSoup(entry.find("content", ATOM).text, "html.parser")
    assert len(shown.find_all("li")) == f"\n{newest.text}".count("\n- ")
    page = (SITE / "reference" / "changelog.html").read_text(encoding="utf-8")
    assert f'id="{newest.anchor}"' in page, "the link of the entry leads nowhere"
    assert 'type="application/atom+xml"' in page


def test_the_site_lets_robots_read():
    assert (
        (SITE / "robots.txt")
        .read_text(encoding="utf-8")
        .startswith("User-agent: *\nAllow: /\n")
    )
