"""Citations are labels of works in one bibliography."""

import re

import pytest

from dlbook.press.page import citations
from dlbook.press.page.citations import label


def test_citations_are_read_from_the_bibliography():
    assert label("cover1967") == "Cover and Hart, 1967"
    assert label("he2016") == "He et al., 2016"
    assert label("brown2020") == "Brown et al., 2020"


@pytest.mark.parametrize(
    ("written", "line", "reason"),
    [
        ("@book{b, title={A}}\n@book{a, title={B}}\n@book{a, title={C}}", 3, "repeated"),
        ("@book{a, title={A}\n\n@book{b, title={B}}", 3, "syntax error"),
        ("@book{a title}", 1, "syntax error"),
        ("@book{b, title={B}}\n\n@book{a, title={An \\textit{odd} one}}", 3, r"\textit"),
        ("@book{a, title={An \\emph{odd} one}}", 1, r"\emph"),
        ("@book{a, title={A \\LaTeX{} book}}", 1, r"\LaTeX"),
        ("@book{a, note={\\url{https://example.org}}}", 1, r"\url"),
        ("@book{a, author={B{\\'{\\i}}x, A.}}", 1, "'"),
        ("@book{a, author={A, B, C, D}}", 1, "Too many commas"),
    ],
)
def test_a_mistake_in_the_bibliography_is_told_with_its_line(
    written, line, reason, tmp_path, monkeypatch
):
    path = tmp_path / "bibliography.bib"
    path.write_text(written, encoding="utf-8")
    monkeypatch.setattr(citations, "BIBLIOGRAPHY", path)
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        citations.entries()
    assert f"bibliography.bib:{line}: " in str(caught.value)


def test_the_latex_that_pybtex_knows_is_taken(tmp_path, monkeypatch):
    path = tmp_path / "bibliography.bib"
    text = """@book{a, author={M{\\"u}ller, A. and \\O{}stergaard, B. and {\\v C}apek, C.},
      title={50\\% of {NASA} \\& caf\\'e -- x}, url={https://example.org/a_b}}"""
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(citations, "BIBLIOGRAPHY", path)
    assert citations.surnames(citations.entries()["a"]) == [
        "Müller",
        "Østergaard",
        "Čapek",
    ]


def test_a_bibliography_in_another_encoding_is_told_with_its_line(tmp_path, monkeypatch):
    path = tmp_path / "bibliography.bib"
    path.write_bytes(b"@book{a, title={A}}\n@book{b, title={Caf\xe9}}\n")
    monkeypatch.setattr(citations, "BIBLIOGRAPHY", path)
    with pytest.raises(ValueError, match=r"bibliography\.bib:2: .* not written in UTF-8"):
        citations.entries()
