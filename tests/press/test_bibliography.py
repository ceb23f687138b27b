"""Every work is described in full, and leads back to the pages that cite it."""

import re
from html import unescape

import pytest

from dlbook.press.page.citations import entries, plain
from dlbook.press.web.bibliography import described

WORKS = described()


def test_a_work_of_many_names_no_author_called_others():
    assert WORKS["mnih2015"].startswith(
        "Volodymyr Mnih, Koray Kavukcuoglu, David Silver, and others. Human-level control"
    )
    assert "doi.org/10.1109/TIT.1967.1053964" in WORKS["cover1967"]
    assert "Microsoft Cognitive Toolkit" in WORKS["cntk2019"], (
        "titles keep their capitals"
    )


@pytest.mark.parametrize("key", list(entries()))
def test_every_work_is_described_in_full(key):
    entry = entries()[key]
    for name in entry.fields.keys() & {"title", "year", "note", "journal", "booktitle"}:
        text = plain(entry.fields[name]).rstrip(".")
        assert text in unescape(re.sub(r"<[^>]+>", "", WORKS[key])), f"{key}: {name}"
    assert entry.persons or "author" in entry.fields, key
    assert entry.fields.get("title"), key
    assert entry.fields.get("year", "").strip().isdigit(), key
    assert "{" not in WORKS[key], key
    for address in re.findall(r'href="([^"]*)"', WORKS[key]):
        fields = entry.fields
        known = (
            fields.get("url"),
            f"https://doi.org/{fields.get('doi')}",
            f"https://arxiv.org/abs/{fields.get('eprint')}",
        )
        assert unescape(address) in known
        assert not re.search(r"[\s\\]", address)
