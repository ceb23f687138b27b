"""A page is read once, and knows its place."""

import pytest

from dlbook.checkout import DOCS, ROOT
from dlbook.press.page.page import Page


@pytest.mark.parametrize(
    ("address", "kind", "word"),
    [
        ("chapters/knn.md", "chapter", "knn"),
        ("labs/knn.py", "lab", "knn"),
        ("reference/api.md", "reference", "api"),
        ("reference/api/knn.md", "other", "knn"),
        ("index.md", "other", "index"),
    ],
)
def test_a_page_is_known_by_its_folder(address, kind, word):
    page = Page(address, "")
    assert (page.kind, page.word, page.source) == (kind, word, f"docs/{address}")


def test_a_page_is_found_from_its_file():
    assert Page.at(DOCS / "chapters" / "knn.md").address == "chapters/knn.md"
    assert Page.at(ROOT / "README.md").source == "README.md"


def test_the_title_is_the_first_heading():
    assert Page("index.md", "# Home\n\n## Here\n").title == "Home"
    assert Page("index.md", "no heading").title == "index.md"


def test_a_link_leads_from_the_page():
    assert Page("chapters/a.md", "").way_to("labs/a.html") == "../labs/a.html"
    assert Page("index.md", "").way_to("labs/a.html") == "labs/a.html"
