"""The prose of twenty chapters of this book, frozen: a text that needs no download.

Source: the pages of `docs/chapters` as they stood in November 2026, without code, tables and
addresses, a paragraph to the line; `audit/freeze_prose.py` made it. License: CC BY-SA 4.0, as
all text of this book (LICENSE-text.md).
"""

import hashlib
from pathlib import Path

HELD_OUT = 10  # one paragraph of so many is kept for the test


def load() -> tuple[str, str]:
    """Give the paragraphs to train on, and those that are held out.

    Every tenth paragraph is held out, so that both parts come from all chapters.

    Returns:
        two texts, a paragraph to the line.
    """
    lines = _text().splitlines(keepends=True)
    training = [line for number, line in enumerate(lines) if number % HELD_OUT]
    return "".join(training), "".join(lines[::HELD_OUT])


def checksum() -> str:
    """Give the SHA-256 of the whole text, 64 hexadecimal digits."""
    return hashlib.sha256(_text().encode()).hexdigest()


def _text() -> str:
    return Path(__file__).with_name("prose.txt").read_text(encoding="utf-8")
