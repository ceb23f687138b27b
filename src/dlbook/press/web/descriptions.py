"""What a page tells those who do not open it: search engines and link previews."""

import re

from dlbook.press.page.opening import LINK, PROMISE, plain

LONGEST = 160  # letters, which is what search engines show of a description
# # %% [markdown], # # Views: one storage, # Change `n`, run.
OPENING = re.compile(r"\A# %% \[markdown\]\n((?:#.*\n)+)")
# the signs between clauses, not 1,000
CLAUSE = re.compile(r"[,;:](?=\s)")


def chapter_description(markdown: str) -> str:
    """Describe a chapter by what its reader gets.

    Args:
        markdown: the text of the chapter, with a sentence that begins with `*You get:*`.

    Returns:
        plain text of 160 letters at most, cut where a clause ends.

    Raises:
        ValueError: the chapter does not say what its reader gets.
    """
    found = PROMISE.search(markdown)
    if not found:
        raise ValueError("a chapter opens with what you get, `*You get:* …`")
    text = plain(found[1])
    return _cut(text[0].upper() + text[1:])


def lab_title(script: str) -> str:
    """Read the title of a lab, such as `Nearest neighbors: move the border`.

    Args:
        script: the percent script, which begins with a Markdown cell.

    Raises:
        ValueError: the script does not begin with a title.
    """
    return _opening(script)[0].removeprefix("# ")


def lab_description(script: str) -> str:
    """Describe a lab by its title and what it asks its reader to do.

    Args:
        script: the percent script, which begins with a Markdown cell.

    Returns:
        plain text of 160 letters at most; the sentence that leads to the chapter is left out.

    Raises:
        ValueError: the script does not begin with a title.
    """
    title, lines = lab_title(script), _opening(script)
    title += "" if title.endswith(("?", "!")) else "."
    sentences = re.split(r"(?<=[.?!])\s+", " ".join(lines[1:]).strip())
    told = [sentence for sentence in sentences if not LINK.search(sentence)]
    return _cut(plain(" ".join([title, *told])))


def _opening(script: str) -> list[str]:
    """Give the lines of the first cell of a lab, the title first."""
    found = OPENING.match(script)
    lines = (
        [line.removeprefix("#").strip() for line in found[1].splitlines()]
        if found
        else []
    )
    if not lines or not lines[0].startswith("# "):
        raise ValueError("a lab opens with a Markdown cell and its title, `# # Views: …`")
    return lines


def _cut(text: str) -> str:
    """Shorten a text to whole sentences, or to whole clauses of the first one."""
    if len(text) <= LONGEST:
        return text
    ends = [match.end() for match in re.finditer(r"[.?!](?=\s)", text)]
    fitting = [end for end in ends if end <= LONGEST]
    if fitting:
        return text[: fitting[-1]]
    clauses = [match.start() for match in CLAUSE.finditer(text[:LONGEST])]
    if clauses:
        return f"{text[: clauses[-1]]}."
    return f"{text[: LONGEST - 1].rpartition(' ')[0]}…"
