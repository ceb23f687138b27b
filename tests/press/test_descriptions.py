"""What a page tells search engines and link previews."""

import pytest
from bs4 import BeautifulSoup

from dlbook.checkout import ROOT, files
from dlbook.press.web import descriptions

SITE = ROOT / "site"
CHAPTERS = sorted(path.stem for path in files(ROOT / "docs" / "chapters", "*.md"))
LABS = sorted(path.stem for path in files(ROOT / "docs" / "labs", "*.py"))


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
    head = (
        "# %% [markdown]\n# # Lines: a line\n#\n# Chapter: [Lines](../chapters/l.md).\n"
    )
    script = f"{head}# Change `k`,\n# run.\n\n# %%\nimport torch\n"
    assert descriptions.lab_description(script) == "Lines: a line. Change k, run."
    assert descriptions.lab_title(script) == "Lines: a line"
    with pytest.raises(ValueError, match="title"):
        descriptions.lab_description("# %%\nimport torch\n")


def head(address):
    text = (SITE / address).read_text(encoding="utf-8").partition("</head>")[0]
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
