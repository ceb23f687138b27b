"""The self-contained copies in the site: one file each, and a quiet link beside its block."""

import zipfile

import pytest
from bs4 import BeautifulSoup

from dlbook.checkout import DOCS
from dlbook.press.downloads.programs import copies
from dlbook.press.page.page import Page
from dlbook.press.source.standalone import standalone
from dlbook.press.web.programs import linked, to_copy, to_package

BLOCK = '<div class="block highlight"><pre><span></span><code>x\n</code></pre></div>'
CONTINUED = "<!--pytest-codeblocks:cont-->"


def page(*blocks):
    """Make a chapter of some blocks."""
    prose = (CONTINUED, "Then:")
    text = "\n\n".join(block if block in prose else fence(block) for block in blocks)
    return Page("chapters/x.md", text)


def fence(code):
    return f"```python\n{code}\n```"


def test_each_program_has_the_number_that_it_has_on_the_page():
    knn = "from dlbook.knn import vote\nvote"
    made = copies(page("import math", knn, CONTINUED, "vote", "Then:", knn))
    assert [copy.address for copy in made] == ["", "programs/x-2.py", "programs/x-3.py"]
    assert made[1].text == standalone(f"{knn}\nvote")
    assert (made[1].first, made[1].last) == (5, 14)
    assert not any(copy.lacks for copy in made)


def test_what_needs_the_package_says_why_and_what_is_no_program_has_no_copy():
    (needs,) = copies(page("from dlbook.data.growth import chips\nchips()"))
    assert (needs.address, needs.text) == ("", "")
    assert needs.lacks == "dlbook.data.growth reads a file of the package"
    (unfinished,) = copies(page("from dlbook.knn import"))
    assert (unfinished.address, unfinished.text, unfinished.lacks) == ("", "", "")


def test_signs_beyond_ascii_are_marked_as_utf8_and_python_reads_over_the_mark(capsys):
    knn = "from dlbook.knn import vote\nvote\nprint('{}')"
    signs, letters = (copies(page(knn.format(text)))[0].text for text in ("λ²", "l2"))
    assert signs.startswith("\ufeff# From dlbook")
    assert letters.startswith("# From dlbook")
    exec(compile(signs.encode(), "x-1.py", "exec"), {})
    assert capsys.readouterr().out == "λ²\n"


def test_a_link_stands_in_its_block_in_front_of_the_code():
    links = [to_copy("../programs/x-1.py", 1), "", to_package("a.html", 3, 'needs "b"')]
    soup = BeautifulSoup(linked(BLOCK * 3, links), "html.parser")
    first, second, third = soup.select(".block")
    assert [tag.name for tag in first.find_all(recursive=False)] == ["a", "pre"]
    assert (first.a["href"], first.a.get_text()) == (
        "../programs/x-1.py",
        "self-contained",
    )
    assert not second.find("a")
    assert (third.a["href"], third.a["title"]) == ("a.html", 'needs "b"')
    for link in (first.a, third.a):
        assert (
            link.get_text() in link["aria-label"]
        )  # who speaks to a page says what it shows
    assert linked(BLOCK, [""]) == BLOCK


@pytest.mark.parametrize("links", [[], ["a", "b"]])
def test_a_block_without_its_link_is_refused(links):
    with pytest.raises(ValueError, match=f"a page of 1 blocks .* got {len(links)}"):
        linked(BLOCK, links)


def test_the_site_holds_the_copies_and_links_each_and_so_does_the_packed_one(small_book):
    site = small_book / "site"
    html = (site / "chapters" / "views.html").read_text(encoding="utf-8")
    blocks = BeautifulSoup(html, "html.parser").select(".block")
    links = [link["href"] for block in blocks for link in block.select("a.program")]
    made = copies(Page.at(DOCS / "chapters" / "views.md"))
    wanted = {copy.address: copy.text for copy in made if copy.address}
    assert wanted
    assert {f"../{address}" for address in wanted} == set(links)
    with zipfile.ZipFile(site / "dlbook.zip") as archive:
        for address, text in wanted.items():
            assert (site / address).read_text(encoding="utf-8") == text
            assert archive.read(address).decode() == text


def test_the_bound_book_holds_no_link_to_a_copy(small_book):
    with zipfile.ZipFile(small_book / "site" / "dlbook.epub") as book:
        chapter = book.read("book/text/views.xhtml").decode()
    assert 'class="block' in chapter
    assert "self-contained" not in chapter
