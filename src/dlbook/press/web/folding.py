"""A listing that shows code: of each docstring its first sentence, the rest behind a sign.

More than half of the lines of a listing say what goes in, what comes out and what is refused.
Whoever follows the idea does not need them yet. They stand behind a small box that opens with a
click or the space bar, without a script; on paper they are open, and a copy holds all of it.
"""

import re
from itertools import count

# <div class="listing highlight"><span class="filename">...</span><pre ...><code ...>...</code>
LISTING = re.compile(
    r'(?P<head><div class="listing highlight">.*?<code[^>]*>)(?P<code>.*?)(?=</code>)',
    re.DOTALL,
)
# <span class="sd">"""Charge each score.</span>, then the lines below up to the closing quotes
DOCSTRING = re.compile(
    r'(?P<first><span class="sd">r?(?P<quotes>"""|&quot;&quot;&quot;)'
    r"(?:(?!\n\n|(?P=quotes)).)+</span>)"
    r"(?P<rest>\n\n.*?)(?P<last>(?P=quotes)</span>)",
    re.DOTALL,
)
# <span class="nf">vote</span>
NAME = re.compile(r'<span class="n[cf]">(\w+)</span>')
#     require_vector(labels, "labels")
GUARD = re.compile(r"\s+_?require_\w+\(")
FEW = 2  # guard clauses that may stand in the open


def folded(page: str) -> str:
    """Fold the docstrings and the guard clauses of the listings of a page.

    Args:
        page: HTML, as Pygments has set the code.

    Returns:
        the page; without its tags each listing still holds the same text.
    """
    number = count(1)
    return LISTING.sub(lambda m: m["head"] + _shortened(m["code"], number), page)


def _shortened(code: str, number: count) -> str:
    code = _without_guards(code, number)
    shown, done = [], 0
    for docstring in DOCSTRING.finditer(code):
        names = NAME.findall(code[: docstring.start()])
        what = f"arguments, result and errors of {names[-1]}" if names else "the rest"
        rest = re.sub(r"</?span[^>]*>", "", docstring["rest"])  # one element, not forty
        shown += [
            code[done : docstring.start()],
            docstring["first"],
            _box(number, what),
            f'<span class="sd rest">{rest}</span><span class="sd">{docstring["last"]}',
        ]
        done = docstring.end()
    return "".join([*shown, code[done:]])


def _without_guards(code: str, number: count) -> str:
    """Fold guard clauses, where more than a few stand together."""
    lines = code.split("\n")
    plain = [re.sub(r"<[^>]*>", "", line) for line in lines]
    shown, start = [], 0
    while start < len(lines):
        end = start
        while end < len(lines) and GUARD.match(plain[end]):
            end = _end_of_statement(plain, end)
        if end - start > FEW:
            inside = "\n".join(lines[start:end]) + "\n"
            box = _box(number, "what is refused", "guards ")
            # what follows stands on the line below, open or not
            lines[end] = f'{box}<span class="rest">{inside}</span>{lines[end]}'
        else:
            shown += lines[start : max(end, start + 1)]
            start = max(end, start + 1)
            continue
        start = end
    return "\n".join(shown)


def _end_of_statement(lines: list[str], start: int) -> int:
    """Find the line behind a call that may go over several lines."""
    depth, end = 0, start
    while True:
        depth += lines[end].count("(") - lines[end].count(")")
        end += 1
        if depth <= 0 or end == len(lines):
            return end


def _box(number: count, what: str, kind: str = "") -> str:
    return (
        f'<input type="checkbox" class="{kind}more" id="more-{next(number)}" '
        f'aria-label="Show {what}" title="{what}">'
    )
