"""The labs run from top to bottom, and the built site shows what they print today."""

import jupytext
import pytest

from dlbook.checkout import ROOT
from dlbook.press.source.cells import fresh_processes, run
from dlbook.press.source.labs import line_of
from dlbook.press.web.labs import printed

LABS = sorted((ROOT / "docs" / "labs").glob("*.py"))


def lines_printed(sources):
    """Run the cells of a lab; give for each of them the lines that are not a drawing."""
    return [
        [line for output in outputs for line in lines_of(text_of(output))]
        for outputs in run(sources)
    ]


def text_of(output):
    if output.output_type == "stream":
        return output.text
    return "" if "text/html" in output.data else output.data["text/plain"]


def lines_of(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])
def test_the_site_shows_what_a_lab_prints_today(lab):
    cells = [cell for cell in jupytext.read(lab).cells if cell.cell_type == "code"]
    page = ROOT / "site" / "labs" / f"{lab.stem}.html"
    assert page.is_file(), f"{page} is missing: run `make build`"
    shown = lines_of("\n".join(printed(page.read_text())))
    with fresh_processes(1) as pool:
        sources = [cell.source for cell in cells]
        each = pool.submit(lines_printed, sources).result(300)
    for cell, lines in zip(cells, each, strict=True):
        where = f"{lab}:{line_of(lab, cell.source)}"
        for line in lines:
            assert shown, f"{where}: the site does not show {line!r}"
            assert shown.pop(0) == line, f"{where}: the site shows a stale output"
    assert not shown, (
        f"{lab}: the site shows outputs that the lab does not print: {shown}"
    )
