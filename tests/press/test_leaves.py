"""How pages are bound."""

from datetime import UTC, datetime

from bs4 import BeautifulSoup

from dlbook.press.downloads import leaves
from dlbook.press.downloads.leaves import Content, Imprint, leaf, order, relinked

IMPRINT = Imprint(
    "book", "About it", "1.0", "Python", datetime(2026, 1, 2, tzinfo=UTC), ""
)


def test_labs_and_the_api_are_not_bound():
    parts = [
        ("", ["index.md"]),
        ("Tensors", ["chapters/views.md"]),
        ("Labs", ["labs/views.py"]),
        ("Reference", ["reference/api.md", "reference/notation.md"]),
    ]
    assert order(parts) == [
        ("", "index.md"),
        ("Tensors", "chapters/views.md"),
        ("Reference", "reference/notation.md"),
    ]


def test_what_only_a_screen_can_do_goes_and_what_is_folded_opens():
    inside = (
        '<h1 id="a">T<a class="headerlink" href="#a">¶</a></h1>'
        '<picture><source srcset="../assets/x-light-narrow.svg">'
        '<img alt="x" loading="lazy" src="../assets/x-light.svg#only-light"></picture>'
        '<picture><img alt="x" src="../assets/x-dark.svg#only-dark"></picture>'
        '<details class="success"><summary>Solution</summary><p>42</p></details>'
        '<div class="live"><p>Play.</p></div><script src="a.js"></script>'
    )
    made = leaf(Content("Part", "chapters/a.html", inside))
    soup = BeautifulSoup(made.body, "html.parser")
    assert made.title == "T"
    assert [image["src"] for image in soup.select("img")] == ["../assets/x-light.svg"]
    assert soup.select_one(".solution.success").get_text() == "Solution42"
    assert soup.select_one(".live").get_text() == "Play."
    assert not soup.select("script, .headerlink, details, picture, source, [loading]")


def test_a_picture_of_the_home_page_is_found_from_a_folder():
    page = Content(
        "", "index.html", '<h1>T</h1><img alt="x" src="assets/x.svg#only-light">'
    )
    assert 'src="../assets/x.svg"' in leaf(page).body
    assert leaves.pictures_of(page) == ["assets/x.svg"]


def test_code_tells_how_wide_and_long_it_is_and_keeps_every_character():
    code = "a &lt; b" + "\n" * leaves.LONG + '<span class="k">wide line</span>\n'
    anchor = (
        '<a href="#__codelineno-0-1" id="__codelineno-0-1" name="__codelineno-0-1"></a>'
    )
    inside = f"<h1>T</h1><pre><span></span><code>{anchor}{code}</code></pre>"
    pre = BeautifulSoup(leaf(Content("", "a.html", inside)).body, "html.parser").pre
    assert pre["style"] == "--columns: 9"
    assert pre["class"] == ["long"]
    assert pre.get_text() == "a < b" + "\n" * leaves.LONG + "wide line\n"
    assert not pre.select("a")


def test_links_follow_their_targets_and_links_that_leave_lose_only_their_link():
    body = (
        '<a href="b.html#x">in</a> <a class="term" href="../reference/c.html">other</a> '
        '<a href="#y">same</a> <a href="../labs/l.html" download>lab</a> '
        '<a href="https://example.org/?a=1&amp;b=2">far</a>'
    )
    found = []

    def locate(address, anchor):
        found.append((address, anchor))
        return None if address.startswith("labs/") else f"#{address}-{anchor}"

    made = relinked(body, "chapters/a.html", locate)
    assert found == [
        ("chapters/b.html", "x"),
        ("reference/c.html", ""),
        ("chapters/a.html", "y"),
        ("labs/l.html", ""),
    ]
    assert '<a href="#chapters/b.html-x">in</a>' in made
    assert '<a class="term" href="#reference/c.html-">other</a>' in made
    assert " lab " in made
    assert '<a href="https://example.org/?a=1&amp;b=2">far</a>' in made


def test_a_link_out_of_the_book_leads_to_the_published_site_if_there_is_one():
    published = Imprint(**(vars(IMPRINT) | {"site": "https://example.org/book/"}))
    assert leaves.outside(IMPRINT, "labs/a.html", "x") is None
    assert leaves.outside(published, "labs/a.html", "x") == (
        "https://example.org/book/labs/a.html#x"
    )
