"""The fonts of the formulas, cut down to the signs that the book uses and put into the style sheet.

A formula then appears with the first paint, at its final size: no font arrives later and moves
the lines below it. Whole, the fonts of KaTeX weigh eight times as much.
"""

import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable
from html import unescape
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

LEAF = re.compile(r'<span class="([^"]*)"[^>]*>([^<]+)')
BEHIND = re.compile(r"<(?!/?(?:span|svg|path|line)\b)")  # a tag that no formula contains
FACE = re.compile(
    r"@font-face\{(?P<rule>[^}]*src:url\(fonts/KaTeX_(?P<face>[\w-]+)\.woff2\)[^}]*)\}"
)
FACES = {  # which face the style sheet of KaTeX gives to a class
    "mathnormal": "Math-Italic",
    "boldsymbol": "Math-BoldItalic",
    "mathbf": "Main-Bold",
    "textbf": "Main-Bold",
    "mathit": "Main-Italic",
    "textit": "Main-Italic",
    "mathcal": "Caligraphic-Regular",
    "mathbb": "AMS-Regular",
    "amsrm": "AMS-Regular",
    "mathtt": "Typewriter-Regular",
    "texttt": "Typewriter-Regular",
    "mathsf": "SansSerif-Regular",
    "textsf": "SansSerif-Regular",
    "small-op": "Size1-Regular",
    "large-op": "Size2-Regular",
    **{f"size{n}": f"Size{n}-Regular" for n in range(1, 5)},
}


def signs_of(pages: Iterable[str]) -> dict[str, set[str]]:
    """Collect the signs that the formulas of some pages set in each face.

    Args:
        pages: HTML with rendered formulas.

    Returns:
        the signs, by the name of the face, such as `Math-Italic`.
    """
    signs = defaultdict(set)
    for page in pages:
        for formula in page.split('<span class="katex-html"')[1:]:
            for classes, text in LEAF.findall(BEHIND.split(formula, 1)[0]):
                faces = [FACES[name] for name in classes.split() if name in FACES]
                signs[faces[0] if faces else "Main-Regular"] |= set(unescape(text))
    return dict(signs)


def cut(font: Path, signs: set[str]) -> bytes:
    """Keep only some signs of a font.

    Args:
        font: a WOFF2 file.
        signs: single characters; those that the font does not have are passed over.

    Returns:
        the smaller font as WOFF2, the same bytes for the same signs.
    """
    options = Options(flavor="woff2", hinting=False, notdef_outline=False)
    face = TTFont(font, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(sorted(signs)))
    subsetter.subset(face)
    face.flavor = "woff2"
    made = BytesIO()
    face.save(made)
    return made.getvalue()


def embedded(style: str, fonts: Path, signs: dict[str, set[str]]) -> str:
    """Put the signs in use into the style sheet; the whole fonts remain for any other.

    Args:
        style: the style sheet of KaTeX.
        fonts: the folder of its fonts.
        signs: as `signs_of` returns them.

    Returns:
        the style sheet, with one more rule for each face that is in use.
    """

    def add(match: re.Match) -> str:
        face = match["face"]
        if face not in signs:
            return match[0]
        data = b64encode(cut(fonts / f"KaTeX_{face}.woff2", signs[face])).decode()
        rule = re.sub(
            r"url\([^)]*\)", f"url(data:font/woff2;base64,{data})", match["rule"]
        )
        points = ",".join(f"U+{ord(sign):X}" for sign in sorted(signs[face]))
        return f"{match[0]}@font-face{{{rule};unicode-range:{points}}}"

    return FACE.sub(add, style)
