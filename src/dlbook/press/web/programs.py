"""Beside each block a quiet link to its self-contained copy, or to the way to the package."""

import re
from collections.abc import Sequence
from html import escape
from itertools import count

# <div class="block highlight"><pre ...>
BLOCK = re.compile(r'<div class="block highlight">')
COPY = "This block with all that it takes from dlbook, in one file"


def to_copy(address: str, number: int) -> str:
    """Link a block to its copy.

    Args:
        address: of the file, as seen from the page.
        number: of the block on the page, counted from 1, for those who hear the page.
    """
    return _link(address, "self-contained", f"block {number}, self-contained", COPY)


def to_package(address: str, number: int, lacks: str) -> str:
    """Link a block that has no copy to the page that installs the package.

    Args:
        address: of that page, as seen from the page of the block.
        number: of the block on the page, counted from 1.
        lacks: why it has none, such as `safetensors must be installed`.
    """
    return _link(address, "needs the package", f"block {number} needs the package", lacks)


def _link(address: str, text: str, heard: str, why: str) -> str:
    return (
        f'<a class="program" href="{escape(address)}" aria-label="{heard}" '
        f'title="{escape(why)}">{text}</a>'
    )


def linked(html: str, links: Sequence[str]) -> str:
    """Put the links beside the blocks of a page.

    Args:
        html: the page, as Pygments has set the code.
        links: one for each block, in order; an empty one adds nothing.

    Returns:
        the page with each link in front of its code, where the keyboard comes to it first.

    Raises:
        ValueError: there are more or fewer blocks than links.
    """
    found = len(BLOCK.findall(html))
    if found != len(links):
        raise ValueError(
            f"a page of {found} blocks needs as many links, got {len(links)}"
        )
    number = count()
    return BLOCK.sub(lambda match: match[0] + links[next(number)], html)
