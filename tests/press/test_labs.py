"""The labs run from top to bottom, and the built site shows what they print today."""

import jupytext
import pytest

from dlbook.checkout import ROOT, files
from dlbook.press.source.cells import fresh_processes, run
from dlbook.press.source.labs import kept, line_of, run_missing
from dlbook.press.web.labs import printed

LABS = files(ROOT / "docs" / "labs", "*.py")


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
    shown = lines_of("\n".join(printed(page.read_text(encoding="utf-8"))))
    with fresh_processes(1) as pool:
        sources = [cell.source for cell in cells]
        each = pool.submit(lines_printed, sources).result(300)
    for number, lines in enumerate(each):
        where = f"{lab}:{line_of(lab, number)}"
        for line in lines:
            assert shown, f"{where}: the site does not show {line!r}"
            assert shown.pop(0) == line, f"{where}: the site shows a stale output"
    assert not shown, (
        f"{lab}: the site shows outputs that the lab does not print: {shown}"
    )


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Write a lab of two cells; its outputs are kept beside it."""
    monkeypatch.setattr("dlbook.press.cache.CACHE", tmp_path / "cache")

    def written(last, first="x = 1"):
        path = tmp_path / "word.py"
        text = f"# %% [markdown]\n# # Title\n\n# %%\n{first}\n\n# %% [markdown]\n# %%\n"
        path.write_text(f"{text}\n# %% a cell\n\n{last}\n", encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nsys.exit(0)", "SystemExit: 0"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("raise SystemExit", "SystemExit"),
        ("# %nosuch 1", "UsageError"),
        ("input()", "EOFError"),
    ],
)
def test_a_cell_that_fails_is_named_with_its_line(last, sentence, lab):
    path = lab(last)
    with pytest.raises(RuntimeError, match=rf"word\.py:12: {sentence}"):
        run_missing([path])


def test_a_cell_that_ends_its_process_names_its_lab(lab):
    path = lab("import os\nos._exit(0)")
    with pytest.raises(RuntimeError, match=r"word\.py: a cell ended its own process"):
        run_missing([path])


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        ("def", r"word\.py:12: invalid syntax"),
        ("from dlbook.knn import nosuch", "no definition 'nosuch'"),
        ("from dlbook.nosuch import a", "nosuch"),
    ],
)
def test_a_lab_that_cannot_be_read_is_named(last, sentence, lab):
    path = lab(last)
    with pytest.raises(RuntimeError, match=sentence) as caught:
        run_missing([path])
    assert "word.py" in str(caught.value)


def test_a_lab_that_runs_is_kept(lab):
    (made,) = run_missing([lab("print(x)")])
    assert '"1\\n"' in made.read_text(encoding="utf-8")


def test_a_lab_that_is_changed_while_it_runs_is_kept_as_it_was(lab):
    path = lab("print(x)", first="x = 1\nopen('PLACE', 'a').write('# more')")
    text = path.read_text(encoding="utf-8").replace("PLACE", str(path))
    path.write_text(text, encoding="utf-8")
    (made,) = run_missing([path])
    assert made.is_file()
    assert made != kept(path)
