"""The glossary: one definition a term, linked from the first use of the term in each chapter.

The terms stand in `docs/reference/glossary.md` as `<dfn id="hinge-loss">hinge loss</dfn>`. Where
chapters use other words for a term, `data-forms` names them, with commas between; `data-names`
holds the words of others, under which the search finds it.
No page needs to remember them: the links are set when the site is built.
"""

import re
from functools import cache
from pathlib import Path

from dlbook.checkout import DOCS
from dlbook.press.page.page import Page

GLOSSARY = DOCS / "reference" / "glossary.md"
# <dfn id="hinge-loss">hinge loss</dfn>, <dfn id="loss" data-forms="loss,cost">loss function</dfn>
TERM = re.compile(
    r'<dfn id="(?P<anchor>[\w-]+)"(?: data-forms="(?P<forms>[\w ,-]+)")?'
    r'(?: data-names="(?P<names>[\w ,²-]+)")?>'
    r"(?P<term>[^<]+)</dfn>"
)
# what is no plain prose: `code`, $a$, $$a$$, [text](link), [@he2016], <br>
KEPT = re.compile(
    r"(`+[^`]+`+|\$\$.*?\$\$|\$[^$]+\$|!?\[[^\]]*\]\([^)]*\)|\[@[^\]]*\]|<[^>]+>)"
)
# <!-- other sense: margin, weight -->
OTHER = re.compile(r"<!-- other sense: ([\w ,-]+) -->")
# a heading, the first line of an admonition, a comment, a row of a table, the opening
SKIPPED = re.compile(r"\s*(#|!!!|\?\?\?|<!--|\||\*You need)")


def terms() -> dict[str, str]:
    """Read the glossary.

    Returns:
        the anchor of each term and of its other forms, longest first, so that `hinge loss`
        wins over `loss`.
    """
    return _terms(GLOSSARY, GLOSSARY.stat().st_mtime_ns) if GLOSSARY.is_file() else {}


@cache
def _terms(path: Path, _changed: int) -> dict[str, str]:
    found = {
        form: term["anchor"]
        for term in TERM.finditer(path.read_text(encoding="utf-8"))
        for form in (term["term"], *filter(None, (term["forms"] or "").split(",")))
    }
    return {form: found[form] for form in sorted(found, key=len, reverse=True)}


def linked(page: Page) -> list[str]:
    """Link each term from its first use in the prose of a page.

    Args:
        page: a chapter.

    Returns:
        its lines, with at most one link for each term; headings, code and formulas are left alone.

    Raises:
        ValueError: the page names another sense of what is no term.
    """
    lines = list(page.lines)
    link = page.way_to("reference/glossary.md")
    waiting = _without_other_senses(terms(), page)
    in_formula = False
    for number, text in enumerate(page.prose):
        formulas = text.count("$$")
        if not text or SKIPPED.match(text) or in_formula or formulas % 2:
            in_formula ^= bool(formulas % 2)
            continue
        lines[number] = _link_line(text, waiting, link)
    return lines


def _link_line(text: str, waiting: dict[str, str], link: str) -> str:
    """Link the terms that wait for their first use, and take those found off the list."""
    parts, small = KEPT.split(text), text.lower()
    for term, anchor in [pair for pair in waiting.items() if pair[0].lower() in small]:
        if term not in waiting:  # another form of it was found
            continue
        linked_term = rf"[\1]({link}#{anchor}){{ .term }}"
        for place in range(0, len(parts), 2):
            uses = _uses(term, tuple(form for form in terms() if _is_inside(term, form)))
            # a longer term around it has been linked before: `residual networks` is no residual
            found = next((use for use in uses.finditer(parts[place]) if use[1]), None)
            if found:
                before, after = parts[place][: found.start()], parts[place][found.end() :]
                parts[place] = before + found.expand(linked_term) + after
                parts = KEPT.split("".join(parts))
                for form in [form for form in waiting if waiting[form] == anchor]:
                    del waiting[form]
                break
    return "".join(parts)


def _without_other_senses(known: dict[str, str], page: Page) -> dict[str, str]:
    """Leave out the terms that a page uses in a sense of its own."""
    named = {
        word.strip() for names in OTHER.findall(page.text) for word in names.split(",")
    }
    if unknown := named - set(known):
        raise ValueError(f"the glossary has no {', '.join(sorted(unknown))}")
    left_out = {known[word] for word in named}
    return {form: anchor for form, anchor in known.items() if anchor not in left_out}


def _is_inside(term: str, form: str) -> bool:
    return len(term) < len(form) and term.lower() in form.lower()


@cache
def _uses(term: str, longer: tuple[str, ...] = ()) -> re.Pattern:
    """Find a term as a word of its own, in the singular or the plural, or a longer one."""
    others = "|".join(map(re.escape, longer))
    first = rf"(?:{others})(?:s|es)?(?![\w-])|" if others else ""
    wanted = rf"({re.escape(term)}(?:s|es)?)(?![\w-])"
    return re.compile(rf"(?<![\w-])(?:{first}{wanted})", re.IGNORECASE)
