"""The ancestors of deep learning, each with its year and its reference.

Source: the file `timeline.toml` beside this module; each entry names a key of the
bibliography.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("timeline.toml")


@dataclass(frozen=True)
class Event:
    """One entry of the timeline.

    Attributes:
        year: of the publication, or of the machine.
        what: a few words.
        who: the authors.
        key: of the reference in the bibliography.
    """

    year: int
    what: str
    who: str
    key: str


def load() -> list[Event]:
    """Give all events, in the order of time."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["event"]
    return [Event(**entry) for entry in entries]
