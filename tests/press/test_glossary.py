"""Every term is defined once, and linked from its first use in every chapter."""

import re

import pytest
from bs4 import BeautifulSoup

from dlbook.checkout import ROOT, files
from dlbook.press.page import glossary
from dlbook.press.page.glossary import GLOSSARY, linked, terms
from dlbook.press.page.page import Page

CHAPTERS = files(ROOT / "docs" / "chapters", "*.md")


@pytest.fixture
def two_terms(tmp_path, monkeypatch):
    path = tmp_path / "glossary.md"
    path.write_text(
        '<dfn id="loss">loss</dfn>: a\n\n<dfn id="hinge-loss">hinge loss</dfn>: b\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(glossary, "GLOSSARY", path)


def linked_text(text):
    return "\n".join(linked(Page("chapters/x.md", text))) + "\n"


def test_only_the_first_use_is_linked(two_terms):
    text = linked_text("A loss. Another loss.\n\nLosses again.")
    assert text.startswith(
        "A [loss](../reference/glossary.md#loss){ .term }. Another loss."
    )
    assert text.count("../reference/glossary.md#loss") == 1


def test_the_longest_term_wins(two_terms):
    text = linked_text("The hinge loss is a loss.")
    assert text.startswith(
        "The [hinge loss](../reference/glossary.md#hinge-loss){ .term }"
    )
    assert " is a [loss](../reference/glossary.md#loss)" in text


def test_a_part_of_a_longer_term_is_no_use_of_the_short_one(two_terms):
    text = linked_text("The hinge loss.\n\nThe hinge loss again, and a loss.")
    first, second = text.strip().split("\n\n")
    assert first == "The [hinge loss](../reference/glossary.md#hinge-loss){ .term }."
    assert second == (
        "The hinge loss again, and a [loss](../reference/glossary.md#loss){ .term }."
    )


def test_a_page_may_use_a_word_in_another_sense(two_terms):
    other = "A loss of blood.\n\n<!-- other sense: loss -->\n\nThe hinge loss."
    assert linked_text(other).count(".term") == 1
    with pytest.raises(ValueError, match="the glossary has no lossy"):
        linked_text("<!-- other sense: lossy -->")


@pytest.mark.parametrize(
    ("word", "sentence", "anchor"),
    [
        ("risk", "same margin for a predictor", "margin"),
        ("history", "Residual networks.", "residual"),
        ("neuron", "Support vector machines: [", "support-vector"),
        ("approximation", "a clear view", "view"),
    ],
)
def test_no_chapter_links_these_words_in_the_sense_of_the_glossary(
    word, sentence, anchor
):
    text = "\n".join(linked(Page.at(ROOT / "docs" / "chapters" / f"{word}.md")))
    assert f"glossary.md#{anchor})" not in text, sentence


def test_code_formulas_headings_and_links_are_left_alone(two_terms):
    text = "# The loss\n\n`loss` $loss$ [loss](x.md)\n\n```python\nloss = 1\n```\n\n$$\nloss\n$$\n"
    assert linked_text(text) == text


def test_other_forms_of_a_term_are_linked_once_in_all(tmp_path, monkeypatch):
    path = tmp_path / "glossary.md"
    text = '<dfn id="ridge" data-forms="ridge regression,ridge">ridge penalty</dfn>: a\n'
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(glossary, "GLOSSARY", path)
    linked_ = linked_text("Ridge regression has a ridge penalty.\n\nRidge is old.")
    assert linked_.count("glossary.md#ridge") == 1


def test_every_term_is_used_by_some_chapter():
    used = "\n".join("\n".join(linked(Page.at(path))) for path in CHAPTERS)
    unused = {anchor for anchor in terms().values() if f"#{anchor})" not in used}
    assert not unused, f"no chapter uses {sorted(unused)}: give the forms that they use"


def test_terms_are_sorted_and_defined_once():
    found = re.findall(
        r'<dfn id="([\w-]+)"[^>]*>([^<]+)</dfn>', GLOSSARY.read_text(encoding="utf-8")
    )
    names = [term.casefold() for _, term in found]
    assert names == sorted(names), "keep the glossary in alphabetical order"
    assert len(set(names)) == len(names) == len({anchor for anchor, _ in found})


@pytest.mark.parametrize("page", CHAPTERS, ids=[page.stem for page in CHAPTERS])
def test_a_built_chapter_links_each_of_its_terms_once(page):
    built = ROOT / "site" / "chapters" / f"{page.stem}.html"
    assert built.is_file(), f"{built} is missing: run `make build`"
    links = BeautifulSoup(built.read_text(encoding="utf-8"), "html.parser").select(
        "article a.term"
    )
    targets = [link["href"].partition("#")[2] for link in links]
    assert len(targets) == len(set(targets)), "a term is linked twice"
    assert set(targets) <= set(terms().values())
    assert targets, f"{page} uses no term of the glossary"
