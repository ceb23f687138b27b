"""Each block of a chapter as a file of its own, with all that it takes from the book inside.

A reader who does not want to install the package pastes this one instead of the block.
"""

from dataclasses import dataclass
from functools import cache

from dlbook.press.page.outputs import Program, programs_of
from dlbook.press.page.page import Page
from dlbook.press.source.dependencies import newest
from dlbook.press.source.standalone import standalone

# Few servers say how the signs of a Python file are encoded. This one in front tells every browser
# that it is UTF-8, stays behind when the text is copied, and Python reads over it.
MARK = "\ufeff"


@dataclass(frozen=True)
class Copy:
    """The self-contained copy of a program of a page.

    Attributes:
        address: of its file in the site, such as `programs/knn-1.py`; empty if there is none.
        text: of that file; one with signs beyond ASCII begins with a mark of UTF-8.
        lacks: why there is none, such as `dlbook.data.growth reads a file of the package`; empty
            if there is one, or if the program takes nothing from the book.
        first: the line of the page where the program begins, counted from 1.
        last: the line where it ends.
    """

    address: str
    text: str
    lacks: str
    first: int
    last: int


def copies(page: Page) -> tuple[Copy, ...]:
    """Copy the programs of a page, again only after a change.

    Args:
        page: a chapter.

    Returns:
        one for each program, in order; the number in its address is that of the program.

    Raises:
        PageError: a block goes on with nothing.
    """
    return _copies(page, newest())


@cache
def _copies(page: Page, _changed: int) -> tuple[Copy, ...]:
    return tuple(
        _copy(program, f"programs/{page.word}-{number}.py")
        for number, program in enumerate(programs_of(page), start=1)
    )


def _copy(program: Program, address: str) -> Copy:
    text = lacks = ""
    try:
        text = standalone(program.code)
    except LookupError as error:
        lacks = str(error.args[0])
    except SyntaxError:
        text = program.code  # the page is still being written; its tests say so
    is_file = text not in ("", program.code)
    if not text.isascii():
        text = MARK + text
    place, content = (address, text) if is_file else ("", "")
    return Copy(place, content, lacks, program.first, program.last)
