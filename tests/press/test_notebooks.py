"""Every chapter, downloaded as a notebook, runs from top to bottom."""

import nbformat
import pytest

from dlbook.checkout import ROOT, files
from dlbook.press.downloads.notebooks import notebook, runnable
from dlbook.press.page.page import Page
from dlbook.press.source.cells import fresh_processes, run

CHAPTERS = files(ROOT / "docs" / "chapters", "*.md")


@pytest.mark.parametrize("page", CHAPTERS, ids=[page.stem for page in CHAPTERS])
def test_the_notebook_of_a_chapter_runs_from_top_to_bottom(page):
    book = nbformat.reads(notebook(Page.at(page)), as_version=4)
    nbformat.validate(book)
    sources = [cell.source for cell in book.cells if cell.cell_type == "code"]
    with fresh_processes(1) as pool:
        assert pool.submit(number_of_cells_run, sources).result(300) == len(sources)


def number_of_cells_run(sources):
    return len(list(run(sources)))


def test_a_notebook_speaks_no_dialect():
    for page in CHAPTERS:
        text = notebook(Page.at(page))
        for mark in ("(claim:", "[@", "pytest-codeblocks", "```listing", "```figure"):
            assert mark not in text, f"{page}: {mark} is left in the notebook"


def test_a_listing_brings_the_imports_it_needs():
    namespace = {}
    exec(runnable("press.page.claims.rewritten"), namespace)
    assert namespace["rewritten"]("3.1 %", 3.14159, "%") == "3.1 %"
