"""The press: what it makes of a page, and how it refuses what is wrong."""

import re
from html import unescape

import pytest

from dlbook.figures.style import cut_coordinates
from dlbook.press.page import claims, formulas
from dlbook.press.page.citations import entries, label, plain
from dlbook.press.page.fences import PageError, drawing_of, fences_of, prose_of
from dlbook.press.page.outputs import programs_of, refreshed
from dlbook.press.page.translate import frames_of, translated
from dlbook.press.source import dependencies
from dlbook.press.source.listings import definition
from dlbook.press.web.bibliography import described
from dlbook.runs import record

WORKS = described()


def page(*lines):
    return "\n".join(lines)


def test_fences_are_found_with_their_lines_and_margin():
    text = page("a", "```python", "x = 1", "```", "    ```text", "    y", "    ```")
    first, second = fences_of(text)
    assert (first.info, first.lines, first.first, first.last) == (
        "python",
        ("x = 1",),
        2,
        4,
    )
    assert (second.margin, second.lines, second.first) == ("    ", ("y",), 5)
    assert prose_of(text) == "a" + "\n" * 6


def test_an_open_fence_is_refused_with_its_line():
    with pytest.raises(PageError, match="line 2: the fence opened here is never closed"):
        list(fences_of(page("a", "```python", "x = 1")))


def test_a_listing_shows_the_definition_itself():
    text = translated(
        page("```listing", "press.page.fences.prose_of", "```"), "chapters/x.md"
    )
    assert "def prose_of(markdown: str) -> str:" in text
    assert 'title="src/dlbook/press/page/fences.py"' in text
    assert "../source/src/dlbook/press/page/fences.py.html#L" in text


@pytest.mark.parametrize(
    ("fence", "reason"),
    [
        (("```listing", "knn.no_such_thing", "```"), "no definition 'no_such_thing'"),
        (("```listing", "no_such_module.f", "```"), "there is no module"),
        (("```figure", "knn.no_such_figure", "Caption", "```"), "no definition"),
        (("```figure", "", "```"), "must begin with a name"),
        (("```python title='x'", "1", "```"), "would not be run"),
        (("```py", "1", "```"), "would not be run"),
        (("```{.python}", "1", "```"), "would not be run"),
        (("[1.0](claim:knn.no_such_claim)",), "is not recorded"),
        (("[@nobody1900]",), "'nobody1900' is not in"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_name(fence, reason):
    with pytest.raises(PageError) as caught:
        translated(page("# Title", "", *fence), "chapters/x.md")
    assert caught.value.line == 3
    assert reason in caught.value.reason


def test_code_in_prose_is_left_alone():
    text = "Write `[1.0](claim:knn.none)` and `[@nobody1900]`."
    assert translated(text, "index.md") == text


def test_the_frames_of_a_slider_are_read():
    fence = next(fences_of("```figure\nknn.vote_map k = 1, 5, 51\nA\ncaption.\n```"))
    drawing = drawing_of(fence)
    assert drawing.frames == ({"k": 1}, {"k": 5}, {"k": 51})
    assert drawing.caption == "A caption."
    with pytest.raises(PageError, match="frames must be literals"):
        drawing_of(next(fences_of("```figure\nknn.vote_map k = many\n```")))


def test_a_figure_that_is_asked_for_is_found():
    with pytest.raises(PageError, match="no definition"):
        list(frames_of("```figure\nstyle.nothing\n```"))


@pytest.mark.parametrize(
    ("text", "value", "unit", "expected"),
    [
        ("3.09 %", 3.0912, "%", "3.09 %"),
        ("3.09 %", 3.0962, "%", "3.10 %"),
        ("3.09", 3.0912, "%", "3.09"),
        ("60 000", 60000, "", "60 000"),
        ("59 999", 60000, "", "60 000"),
        ("1.6e-11", 1.63e-11, "", "1.6e-11"),
        ("1.6e-11", 1.73e-11, "", "1.7e-11"),
        ("-0.5", -0.52, "", "-0.5"),
        ("0.25", 0.2551, "", "0.26"),
        ("12", 12.4, "s", "12"),
    ],
)
def test_a_claim_is_compared_within_the_digits_shown(text, value, unit, expected):
    assert claims.rewritten(text, value, unit) == expected


@pytest.mark.parametrize("text", ["about 3", "3.09 kB", "many"])
def test_a_claim_that_is_no_number_with_its_unit_is_refused(text):
    with pytest.raises(ValueError, match="must be a number"):
        claims.rewritten(text, 3.09, "%")


def test_a_claim_may_name_an_item_of_a_series(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    record.write("word", "quick", {}, {"curve": record.Claim([5.0, 7.0], "%")})
    assert claims.recorded("word.curve.1") == (7.0, "%")
    assert claims.mistake("7.1 %", "word.curve.1").startswith("[7.1 %]")
    for name in ("word.curve", "word.curve.2", "word.curve.x", "word.other"):
        with pytest.raises(LookupError):
            claims.recorded(name)


def test_citations_are_read_from_the_bibliography():
    assert label("cover1967") == "Cover and Hart, 1967"
    assert label("he2016") == "He et al., 2016"
    assert label("brown2020") == "Brown et al., 2020"
    assert "doi.org/10.1109/TIT.1967.1053964" in WORKS["cover1967"]


def test_a_work_of_many_names_no_author_called_others():
    assert WORKS["mnih2015"].startswith(
        "Volodymyr Mnih, Koray Kavukcuoglu, David Silver, and others. Human-level control"
    )
    assert "Microsoft Cognitive Toolkit" in WORKS["cntk2019"], (
        "titles keep their capitals"
    )


@pytest.mark.parametrize("key", list(entries()))
def test_every_work_is_described_in_full(key):
    entry = entries()[key]
    for name in entry.fields.keys() & {"title", "year", "note", "journal", "booktitle"}:
        text = plain(entry.fields[name]).rstrip(".")
        assert text in unescape(re.sub(r"<[^>]+>", "", WORKS[key])), f"{key}: {name}"
    assert entry.persons or "author" in entry.fields, key
    assert entry.fields.get("title"), key
    assert entry.fields.get("year", "").strip().isdigit(), key
    assert "{" not in WORKS[key], key
    for address in re.findall(r'href="([^"]*)"', WORKS[key]):
        known = (entry.fields.get("url"), f"https://doi.org/{entry.fields.get('doi')}")
        assert unescape(address) in known
        assert not re.search(r"[\s\\]", address)


def test_formulas_become_html_and_mathml():
    page = '<span class="arithmatex">\\(x &lt; y\\)</span>'
    new = formulas.rendered(page)
    assert "<math" in new
    assert "arithmatex" not in new
    with pytest.raises(ValueError, match=r"formula \$\\nosuch\$: KaTeX parse error"):
        formulas.rendered('<span class="arithmatex">\\(\\nosuch\\)</span>')


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
    assert refreshed(new) == new


def test_a_block_that_fails_is_named_by_its_line():
    with pytest.raises(PageError, match="line 2: Traceback"):
        refreshed(page("", "```python", "1 / 0", "```"))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package: a figure reaches one function of a concept and not the other."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "concept.py").write_text(
        "LEVEL = 1\n\ndef near():\n    return LEVEL\n\ndef far(): ...\n"
    )
    (tmp_path / "figures" / "word.py").write_text(
        "from dlbook.concept import near\n\n"
        "def draw(theme):\n    return near()\n\ndef other(theme): ...\n"
    )
    monkeypatch.setattr(
        dependencies,
        "module_path",
        lambda m: tmp_path.joinpath(*m.split(".")).with_suffix(".py"),
    )
    dependencies.contents.cache_clear()
    yield tmp_path
    dependencies.contents.cache_clear()


def test_a_figure_depends_on_what_it_reaches_and_on_nothing_else(package):
    reached = dependencies.reached_by("figures.word", "draw")
    assert set(reached) == {"figures.word.draw", "concept.near", "concept.LEVEL"}


def test_a_changed_line_changes_what_reaches_it(package):
    before = dependencies.reached_by("figures.word", "draw")
    other = dependencies.reached_by("figures.word", "other")
    source = package / "concept.py"
    source.write_text(source.read_text().replace("LEVEL = 1", "LEVEL = 22"))
    dependencies.contents.cache_clear()
    assert dependencies.reached_by("figures.word", "draw") != before
    assert dependencies.reached_by("figures.word", "other") == other


def test_a_figure_that_reaches_nothing_is_refused(package):
    with pytest.raises(LookupError, match="no definition 'gone'"):
        dependencies.reached_by("figures.word", "gone")


def test_a_definition_is_found_with_its_decorators():
    path, node, text = definition("press.page.citations._entries")
    assert path.name == "citations.py"
    assert text.startswith("@cache\ndef _entries")
    assert node.lineno > 1


def test_the_key_of_a_lab_follows_its_text_its_imports_and_the_records_it_names(
    tmp_path, monkeypatch
):
    records = tmp_path / "results"
    records.mkdir()
    (records / "svm.json").write_text("{}")
    monkeypatch.setattr(dependencies, "RESULTS", records)
    keys = []
    for text in ("x = 1", "x = 2", "from dlbook.knn import vote", 'claims_of("svm")'):
        script = tmp_path / f"{len(keys)}.py"
        script.write_text(text)
        keys.append(dependencies.digest_of_script(script))
    (records / "svm.json").write_text('{"changed": 1}')
    keys.append(dependencies.digest_of_script(script))
    assert len(set(keys)) == len(keys)


def test_coordinates_are_cut_in_paths_and_places_and_nowhere_else():
    svg = (
        '<path d="M 1.23456 7 L 0.5 12.999" id="d1.23456"/><use x="3.14159" rx="1.5555"/>'
    )
    assert cut_coordinates(svg) == (
        '<path d="M 1.23 7 L 0.5 12.99" id="d1.23456"/><use x="3.14" rx="1.5555"/>'
    )
