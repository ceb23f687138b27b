"""The programs of a page, and what they print: written exactly or refused with the line."""

import io
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_codeblocks.main import extract_from_buffer

from dlbook.press.page import outputs
from dlbook.press.page.fences import PageError
from dlbook.press.page.outputs import programs_of, refresh, refreshed, stale
from dlbook.press.page.page import Page


def page(*lines):
    """Make a chapter of some lines."""
    return Page("chapters/x.md", "\n".join(lines))


def test_programs_join_the_blocks_that_go_on():
    text = page(
        *("```python", "x = 1", "```", "", "<!--pytest-codeblocks:cont-->", ""),
        *(
            "```python",
            "print(x)",
            "```",
            "",
            "<!--pytest-codeblocks:expected-output-->",
            "",
        ),
        *("```text", "2", "```"),
    )
    (program,) = programs_of(text)
    assert program.code == "x = 1\nprint(x)"
    assert program.output.lines == ("2",)
    assert refreshed(text).splitlines()[-2:] == ["1", "```"]


def test_a_block_that_prints_gets_its_output_written_below():
    text = page("    ```python", "    print('one')", "    ```", "", "After.")
    new = refreshed(text)
    assert (
        "    <!--pytest-codeblocks:expected-output-->\n\n    ```text\n    one\n    ```"
        in new
    )
    assert refreshed(page(new)) == new


def test_a_block_that_fails_is_named_by_its_line():
    with pytest.raises(PageError, match="line 2: Traceback"):
        refreshed(page("", "```python", "1 / 0", "```"))


def test_a_stale_output_and_a_block_that_fails_are_told_with_their_lines():
    text = page(
        *("```python", "print('new')", "```", ""),
        *("<!--pytest-codeblocks:expected-output-->", "", "```text", "old", "```", ""),
        *("```python", "1 / 0", "```", "", "```python", "x = 1", "```"),
    )
    first, second = stale(text)
    assert (first.line, first.reason) == (
        1,
        "this block prints 'new', the page shows 'old'",
    )
    assert second.line == 11
    assert "ZeroDivisionError" in second.reason


HEAD = "# Title\n\nText.\n\n"
BLOCK = "```python\nprint(1)\n```\n\nMore text.\n"
REMARK = '!!! note "Title"\n\n    ```python\n    print(1)\n    ```\n\nMore text.\n'
TEXT = st.text(
    st.one_of(
        st.sampled_from("` ab\n\t\r#<>-=~\x0b\x0c\x1c\x85\u2028\x00\x1b\ud800\ufeff"),
        st.characters(),
    ),
    max_size=40,
)


def written(page, text):
    """Refresh a page whose blocks all print the same text."""
    with pytest.MonkeyPatch.context() as patched:
        talker = SimpleNamespace(printed=lambda code: text)
        patched.setattr(outputs, "interpreter", lambda: talker)
        return refreshed(Page("chapters/word.md", page))


@given(TEXT, st.booleans(), st.sampled_from([BLOCK, REMARK]))
@example("a ", True, BLOCK)
@example("a\n```\n# B\n```\nc", True, BLOCK)
@example("```", True, REMARK)
@example("    ````python", True, BLOCK)
@example("a\n\nb", True, REMARK)
@example("\n", True, REMARK)
@example("50%\r100%", True, BLOCK)
@example("a\x0cb", True, BLOCK)
@example("\udc80", True, BLOCK)
@example("<!--pytest-codeblocks:cont-->", True, BLOCK)
@example("x\t\n ", True, BLOCK)
def test_an_output_is_written_exactly_or_refused(text, ends, block):
    text += "\n" * ends
    page = HEAD + block
    line = 5 if block == BLOCK else 7
    try:
        new = written(page, text)
    except PageError as error:
        new = f"refused: {error}"
    if new.startswith("refused"):
        assert new.startswith(f"refused: line {line}: this block")
        return
    (found,) = extract_from_buffer(io.StringIO(new))[:1]
    assert (found.expected_output or "") == text, "the test reads something else"
    assert written(new, text) == new, "a second call changes the page again"
    assert not text or written(written(new, "other\n"), text) == new
    before, after = Page("a.md", HEAD + block), Page("a.md", new)
    prose = [line for line in after.prose if line.strip() not in ("", outputs.OUTPUT)]
    assert prose == [line for line in before.prose if line]
    new.encode()
    infos = [fence.info for fence in after.fences]
    assert infos == ["python", *(["text"] if text else [])]


def test_a_block_that_prints_nothing_any_more_is_refused():
    with pytest.raises(PageError, match="line 5: the block prints nothing"):
        written(written(HEAD + BLOCK, "1\n"), "")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (r"print('\udc80')", r"8: this block prints U\+DC80"),
        (r"print('a\x0cb')", r"8: this block prints U\+000C"),
        ("print('a', end='')", "8: this block must end the last line"),
        ("1 / 0", "8: Traceback"),
        ("print(); print(1)", "8: this block prints an empty line at the beginning"),
        (
            r"print('1\n')",
            "8: this block prints an empty line at the beginning or the end",
        ),
        (r"print('a\tb')", "8: this block prints a tab"),
        ("for n in range(101): print(n)", "8: this block prints 101 lines"),
        ("print('a' * 201)", "8: this block prints 1 lines of up to 201 characters"),
        ("import os; os.system('echo b')", "8: Traceback"),
    ],
)
def test_a_page_that_cannot_be_refreshed_stays_as_it_was(
    code, reason, tmp_path, monkeypatch
):
    path = tmp_path / "page.md"
    path.write_text(HEAD + f"```python\n{code}\n```\n" * 2, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(PageError, match=f"line {reason}"):
        refresh(path)
    assert path.read_bytes() == before


def test_a_page_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch):
    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    path = tmp_path / "page.md"
    path.write_text(HEAD + BLOCK, encoding="utf-8")
    with pytest.raises(OSError, match="No space left"):
        refresh(path)
    assert path.read_text(encoding="utf-8") == HEAD + BLOCK


def test_what_is_printed_is_put_into_the_page(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(HEAD + "```python\nprint('é')\n```\n", encoding="utf-8")
    assert refresh(path)
    assert not refresh(path)
    (program,) = programs_of(Page.at(path))
    assert program.output.lines == ("é",)


def test_a_page_that_is_saved_while_its_blocks_run_stays_as_it_was_saved(
    tmp_path, monkeypatch
):
    path = tmp_path / "a.md"
    path.write_text("# T\n\nold\n", encoding="utf-8")

    def slowly(page):
        path.write_text("# T\n\nsaved meanwhile\n", encoding="utf-8")
        return page.text + "more\n"

    monkeypatch.setattr(outputs, "refreshed", slowly)
    monkeypatch.setattr(outputs.Page, "at", lambda p: Page("a.md", p.read_text("utf-8")))
    with pytest.raises(PageError, match="changed while its blocks ran"):
        refresh(path)
    assert "saved meanwhile" in path.read_text(encoding="utf-8")


def test_claims_are_rewritten_in_prose_and_captions_and_not_in_code(monkeypatch):
    monkeypatch.setattr(outputs.claims, "recorded", lambda name: (2.5, ""))
    stale_claim = "[1.5](claim:knn.a)"
    text = page(
        f"In prose {stale_claim}, in code `{stale_claim}` and ``a`{stale_claim}``.",
        *("", "```figure", "knn.convergence", f"It is {stale_claim}.", "```", ""),
        *("```text", stale_claim, "```"),
    )
    new = outputs.refreshed_claims(text).splitlines()
    assert new[0] == (
        f"In prose [2.5](claim:knn.a), in code `{stale_claim}` and ``a`{stale_claim}``."
    )
    assert new[4] == "It is [2.5](claim:knn.a)."
    assert new[8] == stale_claim


def test_a_page_keeps_who_may_read_it(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("```python\nprint(1)\n```\n", encoding="utf-8")
    path.chmod(0o640)
    assert refresh(path)
    assert path.stat().st_mode & 0o777 == 0o640
