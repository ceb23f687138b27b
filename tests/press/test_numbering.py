"""Chapters and figures are numbered by their order, and by nothing else."""

import re

import pytest
from bs4 import BeautifulSoup

from dlbook import checkout
from dlbook.checkout import DOCS, ROOT, files
from dlbook.press.downloads.notebooks import notebook
from dlbook.press.downloads.plain import plain
from dlbook.press.page import dialect
from dlbook.press.page.fences import PageError
from dlbook.press.page.numbering import figure_number, marked, numbered
from dlbook.press.page.page import Page
from dlbook.press.page.translate import translated

CHAPTERS = files(DOCS / "chapters", "*.md")
FIGURE = "```figure\nknn.convergence\nText.\n```\n"


def test_the_numbers_follow_the_table_of_contents():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    order = re.findall(r"chapters/(\w+)\.md", text)
    assert [checkout.number_of(word) for word in order] == [*range(1, len(order) + 1)]
    assert checkout.number_of("notation") is None


def test_who_moves_a_chapter_moves_its_number(monkeypatch):
    chapter, lab = Page("chapters/knn.md", "# K\n"), Page("labs/knn.py", "")
    monkeypatch.setattr(checkout, "chapters", lambda: ["views", "knn"])
    assert (chapter.number, lab.number) == (2, 2)
    monkeypatch.setattr(checkout, "chapters", lambda: ["knn", "views"])
    assert (chapter.number, lab.number) == (1, 1)
    assert Page("reference/knn.md", "# K\n").number is None


@pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_no_chapter_bears_a_number_of_its_own(path):
    page = Page.at(path)
    assert not re.search(r"\d", path.stem)
    assert not re.match(r"(chapter )?\d", page.title, re.IGNORECASE)
    captions = "\n".join(line for fence in page.fences for line in fence.lines)
    assert not re.search(r"\bFigure \d", page.text + captions), "a figure has no number"


def test_a_title_gets_its_number_and_a_space(monkeypatch):
    monkeypatch.setattr(checkout, "chapters", lambda: ["views", "risk"])
    html = '<h1 id="loss">Loss and risk</h1>\n<h1>no</h1>'
    chapter = numbered(html, Page("chapters/risk.md", ""))
    assert chapter == f'<h1 id="loss">{marked(2)} Loss and risk</h1>\n<h1>no</h1>'
    assert BeautifulSoup(chapter, "html.parser").h1.get_text() == "2 Loss and risk"
    lab = BeautifulSoup(numbered(html, Page("labs/risk.py", "")), "html.parser")
    assert lab.h1.get_text() == "Lab 2 Loss and risk"
    assert numbered(html, Page("reference/risk.md", "")) == html


def test_figures_are_counted_within_their_chapter(monkeypatch):
    monkeypatch.setattr(checkout, "chapters", lambda: ["views", "knn"])
    text = f"# K\n\n{FIGURE}\n```text\na\n```\n\n{FIGURE}"
    page = Page("chapters/knn.md", text)
    figures = [fence for fence in page.fences if fence.info == "figure"]
    assert [figure_number(fence, page) for fence in figures] == ["2.1", "2.2"]
    shown = re.findall(r"figure-number\">(.*?)</span> Text\.", translated(page))
    assert shown == ["Figure 2.1.", "Figure 2.2."]
    assert "figure-number" not in translated(Page("reference/notation.md", text))


def test_a_reference_leads_to_its_figure_and_has_its_number(monkeypatch):
    monkeypatch.setattr(checkout, "chapters", lambda: ["views", "knn"])
    other = FIGURE.replace("convergence", "votes_and_decisions")
    refer = "See [Figure](figure:knn.convergence), `[Figure](figure:knn.x)`."
    text = f"# K\n\n{other}\n{FIGURE}\n{refer}\n"
    page = Page("chapters/knn.md", text)
    assert "See [Figure 2.2](#figure-2), `[Figure](figure:knn.x)`." in translated(page)
    assert 'id="figure-2"' in translated(page)
    assert "See Figure 2.2, `" in plain(page)
    assert "See Figure 2.2, `" in notebook(page)
    wrong = Page("chapters/knn.md", text.replace("figure:knn.conv", "figure:knn.cov"))
    with pytest.raises(PageError, match=r"line 13: .*knn\.covergence.* none of this"):
        translated(wrong)
    like = Page(
        "chapters/knn.md", text.replace("[Figure](figure:knn.c", "[it](figure:knn.c")
    )
    assert any("referred to as" in m.reason for m in dialect.mistakes(like))
