"""The labs run from top to bottom, and the built site shows what they print today."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

from dlbook.press.labs import line_of, printed

ROOT = Path(__file__).parent.parent
LABS = sorted((ROOT / "docs" / "labs").glob("*.py"))


def text_of(output):
    if output["output_type"] == "stream":
        return output["text"].strip()
    data = output.get("data", {})
    return "" if "text/html" in data else data.get("text/plain", "").strip()


def lines_of(text):
    """Split into lines; how a cell's output is cut into pieces depends on the clock."""
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("lab", LABS, ids=[lab.stem for lab in LABS])
def test_the_site_shows_what_a_lab_prints_today(lab):
    notebook = jupytext.read(lab)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    page = ROOT / "site" / "labs" / f"{lab.stem}.html"
    assert page.is_file(), f"{page} is missing: run `make build`"
    shown = [line for text in printed(page.read_text()) for line in lines_of(text)]
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        where = f"{lab}:{line_of(lab, cell.source)}"
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error", f"{where}: {output}"
            for line in lines_of(text_of(output)):
                assert shown, f"{where}: the site does not show {line!r}"
                assert shown.pop(0) == line, f"{where}: the site shows a stale output"
    assert not shown, (
        f"{lab}: the site shows outputs that the lab does not print: {shown}"
    )
