"""What the web asks of the site: the fonts of the formulas."""

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from dlbook.press import fonts
from dlbook.press.math import formula

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
    assert sign in faces_of(latex)[face]


def test_the_prose_behind_a_formula_is_not_counted():
    page = f'<p>{formula("x", False)}</p><code><span class="n">Q</span></code>'
    assert all("Q" not in signs for signs in fonts.signs_of([page]).values())


def test_a_face_in_use_is_in_the_style_sheet_and_the_whole_face_remains():
    style = (KATEX / "katex.min.css").read_text()
    made = fonts.embedded(style, KATEX / "fonts", {"Math-Italic": {"x", "y"}})
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


def test_the_same_signs_give_the_same_bytes():
    font = KATEX / "fonts" / "KaTeX_Size1-Regular.woff2"
    assert fonts.cut(font, {"(", ")"}) == fonts.cut(font, {")", "("})
