"""What the site tells machines: its changes as a feed, and that robots may read it.

Sources: the Atom format, RFC 4287; tag URIs, RFC 4151; the Robots Exclusion Protocol, RFC 9309.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree

from markdown import markdown
from markdown.extensions.toc import slugify

ATOM = "http://www.w3.org/2005/Atom"
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
# ## 0.1.0 (2026-12-01), ## 0.2.0 (unreleased), and the text below
RELEASE = re.compile(
    r"^## (?P<heading>(?P<version>[\d.]+) \((?P<date>[^)]+)\))\n(?P<text>.*?)(?=^## |\Z)",
    re.MULTILINE | re.DOTALL,
)


def robots(site: str) -> str:
    """Write `robots.txt`: everybody may read everything.

    Args:
        site: the address of the site, ending in a slash; empty if it is not known.
    """
    where = f"\nSitemap: {site}sitemap.xml\n" if site else ""
    return f"User-agent: *\nAllow: /\n{where}"


@dataclass(frozen=True)
class Release:
    """One version, as the changelog tells it.

    Attributes:
        version: such as `0.1.0`.
        date: UTC; None as long as the version is not released.
        anchor: of its heading on the page of the changelog.
        text: Markdown.
    """

    version: str
    date: datetime | None
    anchor: str
    text: str


def releases(changelog: str) -> Iterator[Release]:
    """List the versions of a changelog, in its order.

    Args:
        changelog: Markdown, with a heading such as `## 0.1.0 (2026-12-01)` for each version; in
            the place of the date may stand a word, such as `unreleased`.
    """
    for match in RELEASE.finditer(changelog):
        is_dated = re.fullmatch(r"\d{4}-\d\d-\d\d", match["date"])
        date = (
            datetime.fromisoformat(match["date"]).replace(tzinfo=UTC)
            if is_dated
            else None
        )
        anchor = slugify(match["heading"], "-")
        yield Release(match["version"], date, anchor, match["text"].strip())


def feed(changelog: str, site: str, changed: datetime) -> str:
    """Write the changelog as an Atom feed, with one entry for each version.

    Args:
        changelog: as `releases` reads it.
        site: the address of the site, ending in a slash; without one there are no links.
        changed: when the changelog was last changed, which dates what is not yet released.

    Returns:
        XML.

    Raises:
        ValueError: the changelog names no version.
    """
    entries = list(releases(changelog))
    if not entries:
        raise ValueError("a changelog names its versions, `## 0.1.0 (2026-12-01)`")
    tag = f"tag:{urlsplit(site).hostname or 'dlbook'},2026:dlbook"
    root = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _dated(root, tag, "dlbook: changes", max(entry.date or changed for entry in entries))
    ElementTree.SubElement(
        ElementTree.SubElement(root, "author"), "name"
    ).text = "The dlbook authors"
    if site:
        ElementTree.SubElement(root, "link", rel="self", href=f"{site}feed.xml")
        ElementTree.SubElement(root, "link", href=f"{site}reference/changelog.html")
    for entry in entries:
        _entry(root, entry, site, f"{tag}/{entry.version}", changed)
    ElementTree.indent(root)
    return f"{DECLARATION}\n{ElementTree.tostring(root, 'unicode')}\n"


def _entry(root, release: Release, site: str, tag: str, changed: datetime) -> None:
    entry = ElementTree.SubElement(root, "entry")
    _dated(entry, tag, f"dlbook {release.version}", release.date or changed)
    if site:
        page = f"{site}reference/changelog.html#{release.anchor}"
        ElementTree.SubElement(entry, "link", href=page)
    ElementTree.SubElement(entry, "content", type="html").text = markdown(release.text)


def _dated(element, tag: str, title: str, updated: datetime) -> None:
    """Add the three elements that feed and entry must have."""
    when = updated.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, text in (("id", tag), ("title", title), ("updated", when)):
        ElementTree.SubElement(element, name).text = text
