"""The page of letters against the formulas of the chapters: which letter stands where."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
CHAPTERS = {path.stem: path for path in (DOCS / "chapters").glob("*.md")}
# Letters that several fields claim. Others mean what the page says, or what the text says.
LETTERS = (
    *("k", "K", "R", "D", "C", "L", "M", "m", "s"),
    *(r"\alpha", r"\beta", r"\gamma", r"\kappa", r"\lambda", r"\mu", r"\rho"),
)
# The hats and fonts that make another letter of one, and words that are set as text.
OTHERS = re.compile(
    r"\\(?:text|mathrm|texttt|operatorname|mathbb|mathcal|hat|bar|tilde|begin|end)"
    r"\s?(?:\{[^}]*\}|[A-Za-z])"
)


def letters_of(text):
    """Name the letters of the list that stand in the formulas of a page."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    found = re.findall(r"\$\$(.*?)\$\$|\$([^$]+)\$", prose, flags=re.DOTALL)
    formulas = OTHERS.sub(" ", " ".join(a or b for a, b in found))
    used = set()
    for letter in LETTERS:
        start = r"(?<![A-Za-z\\])" if len(letter) == 1 else ""
        if re.search(start + re.escape(letter) + r"(?![A-Za-z])", formulas):
            used.add(letter)
    return used


def listed():
    """Read the table of letters: (letter, chapter) for each use that the page names."""
    page = (DOCS / "reference" / "notation.md").read_text(encoding="utf-8")
    table = page.partition("## Letters that several fields claim")[2]
    rows = re.findall(r"^\| \$(\\?\w+)\$ \| [^|]+ \| ([^|]+) \|$", table, re.MULTILINE)
    return {
        (letter, chapter)
        for letter, links in rows
        for chapter in re.findall(r"chapters/(\w+)\.md", links)
    }


USED = {
    word: letters_of(path.read_text(encoding="utf-8")) for word, path in CHAPTERS.items()
}


@pytest.mark.parametrize("letter", LETTERS)
def test_the_page_names_every_chapter_that_uses_a_letter(letter):
    used = {word for word, letters in USED.items() if letter in letters}
    said = {chapter for name, chapter in listed() if name == letter}
    assert used == said, (
        f"docs/reference/notation.md, {letter}: not said {sorted(used - said)}, "
        f"not used {sorted(said - used)}"
    )


def test_no_letter_is_looked_for_in_vain():
    assert {name for name, _ in listed()} == set(LETTERS)


def test_letters_are_found_in_formulas_and_nowhere_else():
    text = r"k alone, $K_2 = \text{rank s}$, $$\hat R(\mathcal L) + \mu_c$$ and ```$m$```"
    assert letters_of(text) == {"K", r"\mu"}
