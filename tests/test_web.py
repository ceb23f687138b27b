"""What the web asks of the site: light pages, and the fonts of the formulas."""

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from dlbook.press.page.formulas import formula
from dlbook.press.page.translate import unwrapped
from dlbook.press.web import api, fonts, loading

KATEX = Path(__file__).parents[1] / "docs" / "assets" / "katex"


def faces_of(*formulas):
    return fonts.signs_of(f"<p>{formula(latex, True)}</p> prose" for latex in formulas)


@pytest.mark.parametrize(
    ("latex", "face", "sign"),
    [
        ("x", "Math-Italic", "x"),
        ("1", "Main-Regular", "1"),
        (r"\mathbb{R}", "AMS-Regular", "R"),
        (r"\mathcal{L}", "Caligraphic-Regular", "L"),
        (r"\mathbf{w}", "Main-Bold", "w"),
        (r"\texttt{t}", "Typewriter-Regular", "t"),
        (r"\sum_i", "Size2-Regular", "∑"),
        (r"\bigl(x\bigr)", "Size1-Regular", "("),
        (r"a < b", "Main-Regular", "<"),
    ],
)
def test_a_sign_is_counted_for_the_face_that_sets_it(latex, face, sign):
    assert sign in faces_of(latex)[f"KaTeX_{face}"]


def test_the_prose_behind_a_formula_is_not_counted():
    page = f'<p>{formula("x", False)}</p><code><span class="n">Q</span></code>'
    assert all("Q" not in signs for signs in fonts.signs_of([page]).values())


def test_a_face_in_use_is_in_the_style_sheet_and_the_whole_face_remains():
    style = (KATEX / "katex.min.css").read_text()
    made = fonts.embedded(style, KATEX / "fonts", {"KaTeX_Math-Italic": {"x", "y"}})
    assert made.count("@font-face") == style.count("@font-face") + 1
    assert made.count("KaTeX_Math-Italic.woff2") == 1
    rule = re.search(r"base64,([^)]*)\)[^}]*unicode-range:([^}]*)\}", made)
    assert rule[2] == "U+78,U+79"
    face = TTFont(BytesIO(b64decode(rule[1])))
    assert {chr(point) for point in face.getBestCmap()} == {"x", "y"}
    whole = TTFont(KATEX / "fonts" / "KaTeX_Math-Italic.woff2")
    for point, name in face.getBestCmap().items():
        wanted = whole["hmtx"][whole.getBestCmap()[point]][0]
        assert face["hmtx"][name][0] == wanted, "a cut face sets a sign as wide as before"


def test_a_face_of_the_text_gives_its_range_up_for_the_signs_in_use():
    fonts_of_text = KATEX.parent / "fonts"
    name = "source-serif-4-latin-400-normal"
    style = (
        '@font-face { font-family: "S"; font-display: optional; '
        f'src: url("../fonts/{name}.woff2") format("woff2"); unicode-range: U+0-FF; }}'
    )
    signs = fonts.had_by(
        fonts_of_text / f"{name}.woff2", fonts.letters_of(["<b class='q'>a&amp;</b>∑"])
    )
    assert signs == {"a", "&"}
    made = fonts.embedded(style, fonts_of_text, {name: signs}).removeprefix(style)
    assert made.count("unicode-range") == made.count("font-display") == 1
    assert "unicode-range:U+26,U+61" in made
    assert 'font-family: "S"' in made


def test_the_same_signs_give_the_same_bytes():
    font = KATEX / "fonts" / "KaTeX_Size1-Regular.woff2"
    kept = fonts.cut(font, {"(", ")"})
    assert kept == fonts.cut(font, {")", "("}) != fonts.cut(font, {"["})
    assert kept == fonts._cut(font.read_bytes(), "()"), "the cache holds another font"


PAGE = """<head>
  <link rel="stylesheet" href="../assets/a.css">
  <link rel="stylesheet" href="../assets/css/b.css">
  <link rel="canonical" href="https://book.example/x.html">
</head><article class="x"><h1>T</h1><p>a</p><h2 id="b">B</h2><p>b</p><h2 id="c">C</h2></article>
<script src="../assets/javascripts/bundle.0.min.js"></script>"""


def test_a_page_loads_one_style_sheet_in_the_place_of_all():
    assert loading.sheets_of(PAGE, "chapters/x.html") == [
        "assets/a.css",
        "assets/css/b.css",
    ]
    page = loading.bound_to(PAGE, "chapters/x.html", "assets/css/site.css")
    assert page.count('rel="stylesheet"') == 1
    assert 'href="../assets/css/site.css"' in page
    assert 'rel="canonical"' in page
    assert loading.bound_to("<p>x</p>", "x.html", "s.css") == "<p>x</p>"


def test_each_section_of_a_page_stands_in_an_element_of_its_own():
    page = loading.parted(PAGE)
    assert page.count('<section class="part"><h2') == page.count("</section>") == 2
    assert "<h1>T</h1><p>a</p><section" in page
    assert '<p>b</p></section>\n<section class="part"><h2 id="c">C</h2></section>' in page
    assert re.sub(r"</?section[^>]*>\n?", "", page) == PAGE
    assert loading.parted("<p>x</p>") == "<p>x</p>"


def test_addresses_in_the_one_style_sheet_lead_where_they_led(tmp_path):
    for name, text in {
        "assets/katex/k.css": 'a{src:url(fonts/K.woff2)}b{c:url("data:x/y;z")}',
        "assets/css/b.css": "[data-md-color-switching] *,x{t:0s}d{src:url('../fonts/S.woff2')}",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    sheets = ["assets/katex/k.css", "assets/css/b.css"]
    assert loading.one_sheet(tmp_path, sheets, "assets/css/site.css") == (
        'a{src:url("../katex/fonts/K.woff2")}b{c:url("data:x/y;z")}\n'
        'd{src:url("../fonts/S.woff2")}'
    )


def test_a_figure_in_a_remark_stands_on_its_own():
    inside = (
        '<figure class="drawing" markdown="span">\n<img alt="a markdown b">\n'
        "<figcaption markdown>Text.</figcaption>\n</figure>"
    )
    made = unwrapped(f"<p>before</p><p>{inside}</p><p>after</p>")
    assert made.startswith('<p>before</p><figure class="drawing">')
    assert made.endswith("<figcaption>Text.</figcaption>\n</figure><p>after</p>")
    assert 'alt="a markdown b"' in made


def test_the_keyboard_reaches_each_block_of_code():
    for before in ("<pre>", "<pre><span></span>"):
        made = loading.reachable(f"{before}<code>x</code></pre>")
        assert made == f'{before}<code tabindex="0">x</code></pre>'
    assert loading.reachable("<p><code>x</code></p>") == "<p><code>x</code></p>"


def test_the_scripts_of_the_theme_wait():
    assert '.min.js" defer>' in loading.patient(PAGE)


def test_each_module_has_its_place_in_the_reference_and_a_line_in_the_index():
    pages = api.api_pages(["history", "knn", "nowhere"])
    places = {f"reference/{name}.md" for name in ("api", "api/history", "api/knn")}
    assert pages.keys() == places | {"reference/api/data.md"}
    index, data = pages["reference/api.md"], pages["reference/api/data.md"]
    assert "- [knn](api/knn.md): k-nearest neighbors" in index
    assert "- [data.mnist](api/data.md#datamnist): " in index
    assert "{ #datamnist }" in data
    assert "::: dlbook.data.mnist" in data
    assert "[Chapter](../../chapters/knn.md)" in pages["reference/api/knn.md"]
