"""The labs run from top to bottom, and the built site shows what they print today."""

from pathlib import Path

import jupytext
import pytest
from tests.fresh import run_cells

from dlbook.press.labs import line_of, printed

ROOT = Path(__file__).parent.parent
LABS = sorted((ROOT / "docs" / "labs").glob("*.py"))


@pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])
def test_the_site_shows_what_a_lab_prints_today(lab):
    cells = [cell for cell in jupytext.read(lab).cells if cell.cell_type == "code"]
    page = ROOT / "site" / "labs" / f"{lab.stem}.html"
    assert page.is_file(), f"{page} is missing: run `make build`"
    texts = "\n".join(printed(page.read_text()))
    shown = [line.strip() for line in texts.splitlines() if line.strip()]
    for cell, lines in zip(
        cells, run_cells([cell.source for cell in cells]), strict=True
    ):
        where = f"{lab}:{line_of(lab, cell.source)}"
        for line in lines:
            assert shown, f"{where}: the site does not show {line!r}"
            assert shown.pop(0) == line, f"{where}: the site shows a stale output"
    assert not shown, (
        f"{lab}: the site shows outputs that the lab does not print: {shown}"
    )
