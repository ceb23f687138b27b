"""Tables that show why deep learning works now: chips, prices, data sets, nervous systems.

Source: the tables of the lecture slides of 2018 that inspired this book (F. Fleuret,
https://fleuret.org/dlc/). Numbers are those printed there; image sizes are typical ones.
Rows of 2022 and later are the book's: LAION-5B, arXiv:2210.08402; the Blackwell B200,
NVIDIA's announcement of 18 March 2024; the fly that was counted, doi:10.1038/
s41586-024-07558-y; cores, clocks, transistors and prices at launch of the newer processors
from the reviews that the chapter cites.
"""

import csv
import hashlib
import math
from pathlib import Path

FOLDER = Path(__file__).parent


def processors() -> list[dict]:
    """Give what processors of 2013 to 2025 can compute, and what they cost.

    Returns:
        rows with name, kind (CPU or GPU), year of launch; dollars, to 2016 as the slides
        print them, which need not be the price at launch, from 2022 on at launch; units
        (cores), gigahertz (of CPUs and the RX 480 the base clock, of newer cards the boost
        clock) and flops_per_cycle, of one unit in 32 bits; as the slides print them, tflops
        (10¹² operations a second) and printed_gflops_per_dollar; and peak_gflops, 10⁹ operations
        a second: the product of the three, or what the slides print where they are not
        known. What is not known is not a number (nan).
    """
    rows = _rows("processors")
    for row in rows:
        product = row["units"] * row["gigahertz"] * row["flops_per_cycle"]
        row["peak_gflops"] = 1000 * row["tflops"] if math.isnan(product) else product
    return rows


def image_sets() -> list[dict]:
    """Give the sizes of image data sets.

    Returns:
        rows with name, year, images, width and height in pixels, and classes, which are
        not a number (nan) where images differ in size or have no classes.
    """
    return _rows("image_sets")


def chips() -> list[dict]:
    """Give the number of transistors of processors.

    Returns:
        rows with name, kind (CPU or GPU), year and transistors.
    """
    return _rows("chips")


def nervous_systems() -> list[dict]:
    """Give the number of neurons of animals, from few to many.

    Returns:
        rows with name, neurons and synapses, which is not a number (nan) where the slides
        had none. The fly stands twice: as on the slides, and as counted in 2024.
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
