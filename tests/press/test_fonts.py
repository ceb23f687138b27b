"""The fonts hold the signs that the book uses."""

import re
from base64 import b64decode
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont

from dlbook.checkout import DOCS
from dlbook.press.page.formulas import formula
from dlbook.press.web import fonts

KATEX = DOCS / "assets" / "katex"


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
    style = (KATEX / "katex.min.css").read_text(encoding="utf-8")
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
