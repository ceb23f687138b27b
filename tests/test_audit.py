"""The audit of the site: what it makes of reports, and how it serves the pages."""

import gzip
import json
import subprocess
import zipfile
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from audit import lighthouse
from audit.__main__ import refused
from audit.server import served
from audit.twins import differences

AUDIT = Path(lighthouse.__file__).parent


def report(speed, seo=1.0):
    """Make a report as Lighthouse writes it, as far as it is read."""
    passed = {"score": 1, "id": "lang", "title": "has a language"}
    failed = {"score": 0, "id": "title", "title": "has no title"}
    refs = [{"id": "lang", "weight": 1}, {"id": "title", "weight": int(seo < 1)}]
    categories = {name: {"score": 1.0, "auditRefs": []} for name in lighthouse.GOALS}
    categories["performance"]["score"] = speed
    categories["seo"] = {"score": seo, "auditRefs": refs}
    return {"categories": categories, "audits": {"lang": passed, "title": failed}}


def test_a_page_is_recorded_with_the_median_and_the_spread():
    found = lighthouse.scores([report(0.9), report(0.97), report(0.95)])
    claim = lighthouse.claims("knn", found)["knn_performance"]
    assert (claim.value, claim.spread) == (95, {"runs": 3, "least": 90, "largest": 97})
    assert lighthouse.claims("knn", found).keys() == {
        f"knn_{name}"
        for name in ("performance", "accessibility", "best_practices", "seo")
    }


def test_a_score_below_its_goal_is_named_with_its_reason():
    reports = [report(0.9, seo=0.8)] * 3
    found = lighthouse.scores(reports)
    assert lighthouse.missed(found) == ["performance 90", "seo 80"]
    assert lighthouse.reasons(reports) == ["title: has no title"]
    assert not lighthouse.missed(lighthouse.scores([report(0.95)]))
    assert not lighthouse.reasons([report(0.5)])


def test_text_is_served_compressed_and_what_is_dense_as_it_is(tmp_path):
    (tmp_path / "index.html").write_text("<p>home</p>", encoding="utf-8")
    (tmp_path / "a.woff2").write_bytes(b"dense")
    with served(tmp_path) as address:
        request = Request(f"{address}/", headers={"Accept-Encoding": "gzip"})
        with urlopen(request) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(answer.read()) == b"<p>home</p>"
        with urlopen(f"{address}/a.woff2") as answer:
            assert answer.headers["Content-Encoding"] is None
            assert answer.read() == b"dense"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{address}/none.html")


def test_what_is_wrong_with_an_epub_is_named_and_a_hint_is_not(monkeypatch):
    here = [{"path": "text/a.xhtml", "line": 3}]
    messages = [
        {"severity": "ERROR", "ID": "RSC-005", "message": "no path", "locations": here},
        {"severity": "USAGE", "ID": "OPF-088", "message": "a hint", "locations": here},
    ]

    def run(command, **how):
        said = json.dumps({"messages": messages}) if messages else ""
        return subprocess.CompletedProcess(command, 1, said, "no Java")

    monkeypatch.setattr(subprocess, "run", run)
    assert refused(Path("book.epub")) == ["text/a.xhtml:3: RSC-005: no path"]
    messages.clear()
    with pytest.raises(RuntimeError, match="no Java"):
        refused(Path("book.epub"))


def test_the_tools_are_pinned_without_the_address_of_a_registry():
    wanted = json.loads((AUDIT / "package.json").read_text(encoding="utf-8"))[
        "dependencies"
    ]
    lock = json.loads((AUDIT / "package-lock.json").read_text(encoding="utf-8"))[
        "packages"
    ]
    for name, version in wanted.items():
        assert lock[f"node_modules/{name}"]["version"] == version
    for name, package in lock.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_every_rule_that_is_left_out_has_a_reason():
    lines = (AUDIT / "htmlvalidate.mjs").read_text(encoding="utf-8").splitlines()
    rules = lines[lines.index("  rules: {") + 1 : lines.index("  },")]
    assert rules[0].strip().startswith("//")
    assert sum(line.strip().startswith("//") for line in rules) >= 4


def test_two_sites_may_differ_in_who_made_them_and_in_nothing_else(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for site, generator in ((one, "mkdocs"), (other, "properdocs")):
        site.mkdir()
        page = f'<meta name="generator" content="{generator}-1"><p>text</p>'
        (site / "index.html").write_text(page, encoding="utf-8")
        (site / "sitemap.xml.gz").write_bytes(gzip.compress(b"map", mtime=len(generator)))
        with zipfile.ZipFile(site / "dlbook.zip", "w") as archive:
            archive.write(site / "index.html", "index.html")
    assert differences(one, other) == []
    (one / "knn.html").touch()
    (other / "index.html").write_text("<p>another text</p>", encoding="utf-8")
    assert differences(one, other) == [
        "knn.html: only in one of the sites",
        "index.html: the sites differ",
    ]
    with pytest.raises(ValueError, match="is no site"):
        differences(one, tmp_path)
