"""What the home page offers to take along: only what was made."""

import re
from collections.abc import Iterable

OFFER = re.compile(r'<p class="offer"><a href="(?P<name>[^"]+)".*?</p>\n?', re.DOTALL)


def offered(page: str, made: Iterable[str]) -> str:
    """Take from the home page the offers of files that were not made.

    Args:
        page: its HTML, with one `<p class="offer">` for each file to take along.
        made: the names of the files that lie beside it.

    Returns:
        the page with the offers that hold.
    """
    names = set(made)
    return OFFER.sub(lambda match: match[0] if match["name"] in names else "", page)
