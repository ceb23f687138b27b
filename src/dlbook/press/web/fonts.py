"""The fonts, cut down to the signs that the book uses and put into the style sheet.

Text and formulas then appear with the first paint in their own faces, at their final size: no
font arrives later and moves the lines below it.
"""

import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable
from html import unescape
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from dlbook.checkout import DOCS, write_atomically
from dlbook.press.cache import kept

# <span class="mord mathnormal" style="...">x
LEAF = re.compile(r'<span class="([^"]*)"[^>]*>([^<]+)')
# <p>, </div>: a tag that no formula contains
BEHIND = re.compile(r"<(?!/?(?:span|svg|path|line)\b)")
# @font-face{font-family:KaTeX_Main;src:url(fonts/KaTeX_Main-Bold.woff2) format("woff2");...}
FACE = re.compile(
    r"@font-face\s*\{(?P<rule>[^}]*url\(\"?[^)\"]*?(?P<face>[\w-]+)\.woff2\"?\)[^}]*)\}"
)
# no small figures, no swashes
FEATURES = ("kern", "liga", "ccmp", "locl", "mark", "mkmk")
# unicode-range: U+0-FF; and font-display: optional;
REPLACED = re.compile(r"(unicode-range|font-display):[^;}]*;?")
# <p>, </p>, <script src="a.js">...</script>
TAG = re.compile(r"<(script|style|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
FIRST = (  # faces that stand at the top of every page
    "source-serif-4-latin-400-normal",
    "source-serif-4-latin-600-normal",
    "source-serif-4-latin-400-italic",
    "source-serif-4-latin-ext-400-normal",
    "ibm-plex-mono-latin-400-normal",
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


def embed(site: Path) -> dict[str, str]:
    """Put the signs of all pages into the style sheets of a built site.

    They are made from those that the book's author wrote: in the site there may lie some that
    an earlier build, or another one at this moment, has put signs into.

    Args:
        site: its folder.

    Returns:
        the new style sheets by their place in the site.
    """
    assets, made = DOCS / "assets", {}
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html")]
    letters = letters_of(pages)
    faces = {face: had_by(assets / f"fonts/{face}.woff2", letters) for face in FIRST}
    for place, folder, signs in (
        ("assets/katex/katex.min.css", "katex/fonts", signs_of(pages)),
        ("assets/css/book.css", "fonts", faces),
    ):
        written = (DOCS / place).read_text(encoding="utf-8")
        made[place] = embedded(written, assets / folder, signs)
        write_atomically(site / place, made[place])
    return made


def signs_of(pages: Iterable[str]) -> dict[str, set[str]]:
    """Collect the signs that the formulas of some pages set in each face.

    Args:
        pages: HTML with rendered formulas.

    Returns:
        the signs, by the name of the file of the face, such as `KaTeX_Math-Italic`.
    """
    signs = defaultdict(set)
    for page in pages:
        for formula in page.split('<span class="katex-html"')[1:]:
            for classes, text in LEAF.findall(BEHIND.split(formula, 1)[0]):
                faces = [FACES[name] for name in classes.split() if name in FACES]
                face = faces[0] if faces else "Main-Regular"
                signs[f"KaTeX_{face}"] |= set(unescape(text))
    return dict(signs)


def letters_of(pages: Iterable[str]) -> set[str]:
    """Collect the letters and signs of the text of some pages, formulas included.

    Args:
        pages: HTML.

    Returns:
        single characters.
    """
    return set().union(*(unescape(TAG.sub("", page)) for page in pages)) - {"\n"}


def had_by(font: Path, signs: set[str]) -> set[str]:
    """Keep the signs that a font has.

    Args:
        font: a WOFF2 file.
        signs: single characters.

    Returns:
        those of them that the font can set.
    """
    return signs & {chr(point) for point in TTFont(font).getBestCmap()}


def cut(font: Path, signs: set[str]) -> bytes:
    """Keep only some signs of a font.

    Args:
        font: a WOFF2 file.
        signs: single characters; those that the font does not have are passed over.

    Returns:
        the smaller font as WOFF2, the same bytes for the same signs; from the cache, if it
        holds them.
    """
    letters = "".join(sorted(signs))
    means = [
        version("fonttools"),
        version("brotli"),
        Path(__file__).read_text(encoding="utf-8"),
    ]
    whole = font.read_bytes()
    parts = [whole, letters, *means]
    return kept("fonts", ".woff2", parts, lambda: _cut(whole, letters), 300).read_bytes()


def _cut(font: bytes, letters: str) -> bytes:
    options = Options(flavor="woff2", hinting=False, notdef_outline=False)
    options.layout_features = FEATURES
    face = TTFont(BytesIO(font), recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(text=letters)
    subsetter.subset(face)
    face.flavor = "woff2"
    made = BytesIO()
    face.save(made)
    return made.getvalue()


def embedded(style: str, fonts: Path, signs: dict[str, set[str]]) -> str:
    """Put the signs in use into a style sheet; the whole fonts remain for any other.

    Args:
        style: a style sheet with a rule for each face.
        fonts: the folder of their files.
        signs: by the name of the file of a face; a face that is not named stays as it is.

    Returns:
        the style sheet, with one more rule for each face that is named.
    """

    def add(match: re.Match) -> str:
        face = match["face"]
        if face not in signs:
            return match[0]
        data = b64encode(cut(fonts / f"{face}.woff2", signs[face])).decode()
        rule = REPLACED.sub("", match["rule"]).strip().rstrip(";")
        rule = re.sub(r"url\([^)]*\)", f"url(data:font/woff2;base64,{data})", rule)
        points = ",".join(f"U+{ord(sign):X}" for sign in sorted(signs[face]))
        here = (
            f"{rule};font-display:block;unicode-range:{points}"  # never long: it is here
        )
        return f"{match[0]}@font-face{{{here}}}"

    return FACE.sub(add, style)
