"""What a chapter asks for and what it promises, read from the sentence with which it opens."""

import re

from dlbook.press.page.page import Page

# *You need:* [tensors](tensors.md) and derivatives. *You get:*
NEEDS = re.compile(r"\*You need:\*(.+?)\*You get:\*", re.DOTALL)
# *You get:* neighbors as a tensor program. (and an empty line)
PROMISE = re.compile(r"\*You get:\*(.+?)\n\s*\n", re.DOTALL)
# the second half of [views](views.md#strides)
TARGET = re.compile(r"\]\((\w+)\.md(?:#[\w-]*)?\)")
# [views](views.md)
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
# the sign behind the first clause, not that of 1,000 or 0.5
CLAUSE = re.compile(r"[,;:.?!](?=\s|$)")


def needs(chapter: Page) -> list[str]:
    """Name the chapters that a chapter needs.

    Args:
        chapter: whose opening links to them behind `*You need:*`.

    Returns:
        their words, in the order in which it names them; none where it names none.
    """
    found = NEEDS.search(chapter.text)
    return list(dict.fromkeys(TARGET.findall(found[1]))) if found else []


def promise(chapter: Page) -> str:
    """Give what the reader of a chapter gets, in short: the first clause of `*You get:*`.

    Args:
        chapter: of the book.

    Returns:
        plain text that begins with a capital and ends without a stop; empty if it promises nothing.
    """
    found = PROMISE.search(chapter.text)
    text = plain(found[1]) if found else ""
    return text[:1].upper() + CLAUSE.split(text[1:], maxsplit=1)[0]


def plain(text: str) -> str:
    """Take the marks of Markdown away, and set the text on one line."""
    return " ".join(re.sub(r"[`*$]", "", LINK.sub(r"\1", text)).split())
