"""Tables that show why deep learning works now: chips, prices, data sets, nervous systems.

Source: the tables of the lecture slides of 2018 that inspired this book. Numbers are those
printed there; image sizes are typical ones.
"""

import csv
import hashlib
import math
from pathlib import Path

FOLDER = Path(__file__).parent


def processors() -> list[dict]:
    """Give what processors of 2014 to 2016 could compute, and what they cost.

    Returns:
        rows with name, tflops (10¹² operations a second), dollars, and the GFLOPS per
        dollar as the slides printed them, printed_gflops_per_dollar.
    """
    return _rows("processors")


def image_sets() -> list[dict]:
    """Give the sizes of image data sets.

    Returns:
        rows with name, year, images, width and height in pixels, and classes, which is
        not a number (nan) where images have no classes.
    """
    return _rows("image_sets")


def chips() -> list[dict]:
    """Give the number of transistors of processors.

    Returns:
        rows with name, kind (CPU or GPU) and transistors.
    """
    return _rows("chips")


def nervous_systems() -> list[dict]:
    """Give the number of neurons of animals, from few to many.

    Returns:
        rows with name, neurons and synapses, which is not a number (nan) where the slides
        had none.
    """
    return _rows("nervous_systems")


def checksum() -> str:
    """Give one SHA-256 for the four tables, 64 hexadecimal digits, whatever ends a line."""
    names = ("processors", "image_sets", "chips", "nervous_systems")
    tables = (
        FOLDER.joinpath(f"{name}.csv").read_text(encoding="utf-8") for name in names
    )
    return hashlib.sha256("".join(tables).encode()).hexdigest()


def _rows(name: str) -> list[dict]:
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as table:
        return [
            {key: _read(key, text) for key, text in row.items()}
            for row in csv.DictReader(table)
        ]


def _read(key: str, text: str) -> str | float:
    if key in ("name", "kind"):
        return text
    return float(text) if text else math.nan
