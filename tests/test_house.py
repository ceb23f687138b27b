"""The rules of the house that a reviewer should not have to remember."""

import ast
import re
import sys
from pathlib import Path

import pytest
from pytest_codeblocks import extract_from_file

from dlbook.checkout import chapters, files, parts, settings
from dlbook.press.page import rules
from dlbook.press.page.fences import CONTINUED
from dlbook.press.page.page import Page

ROOT = Path(__file__).parent.parent
PAGES = files(ROOT / "docs", "**/*.md")
CHAPTERS = files(ROOT / "docs" / "chapters", "*.md")
LABS = files(ROOT / "docs" / "labs", "*.py")
SOURCES = files(ROOT / "src" / "dlbook", "**/*.py")
GROUND = {"contract", "checkout"}  # modules that everything may import
FLOORS = (
    "ground",
    "data",
    "",
    "figures runs",
    "press",
)  # "" is the floor of the concepts
FIGURES_AND_RUNS = FLOORS.index("figures runs")


def names(paths):
    return [path.stem for path in paths]


def reading_order():
    found = chapters()
    assert len(found) == len(set(found)), "a chapter stands twice in mkdocs.yml"
    return found


def module_of(path):
    return ".".join(path.relative_to(ROOT / "src" / "dlbook").with_suffix("").parts)


def imports_of(path):
    """Name the modules of `dlbook` that a file imports, without that prefix."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("dlbook") for alias in node.names), (
                f"{path}:{node.lineno}: write `from dlbook... import`, so that the cache of "
                "figures can follow it"
            )
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dlbook"):
            package = node.module.removeprefix("dlbook").removeprefix(".")
            for alias in node.names:
                whole = f"{package}.{alias.name}".removeprefix(".")
                is_module = (ROOT / "src/dlbook" / whole.replace(".", "/")).with_suffix(
                    ".py"
                )
                found.add(whole if is_module.is_file() else package)
    return found


# within the press, from the ground up
PRESS = ("cache", "source", "page", "web downloads", "plugin __main__")
IN_THE_PRESS = [p for p in SOURCES if "press" in p.parts and p.stem != "__init__"]


def floor_of_the_press(module):
    room = module.split(".")[1]
    return next(n for n, rooms in enumerate(PRESS) if room in rooms.split())


@pytest.mark.parametrize("path", IN_THE_PRESS, ids=[module_of(p) for p in IN_THE_PRESS])
def test_imports_go_down_the_floors_of_the_press(path):
    module = module_of(path)
    for name in [name for name in imports_of(path) if name.startswith("press.")]:
        same_room = name.split(".")[1] == module.split(".")[1]
        down = same_room or floor_of_the_press(name) < floor_of_the_press(module)
        assert down, f"{path}: dlbook.{module} must not import dlbook.{name}"
    assert path.stem == "__main__" or path.stem not in sys.stdlib_module_names, (
        f"{path} is named like a module of the standard library"
    )


@pytest.mark.parametrize("path", IN_THE_PRESS, ids=[module_of(p) for p in IN_THE_PRESS])
def test_above_each_pattern_stands_an_example_of_what_it_reads(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if re.match(r" *[A-Z]+ = re\.compile\(", line):
            above = lines[number - 2].strip()
            assert above.startswith("#"), f"{path}:{number}: what does it read?"


def floor_of(module):
    package = module.split(".")[0] if "." in module else ""
    package = "ground" if module in GROUND else package
    return next(
        n
        for n, names in enumerate(FLOORS)
        if package in names.split() or package == names
    )


@pytest.mark.parametrize("path", SOURCES, ids=names(SOURCES))
def test_imports_go_down_the_floors(path):
    if path.stem == "__init__":
        assert not imports_of(path), f"{path}: nothing is re-exported"
        return
    module = module_of(path)
    for name in imports_of(path):
        down = floor_of(name) <= floor_of(module)
        assert down, (
            f"{path}: dlbook.{module} must not import dlbook.{name}, a floor above it"
        )


def test_a_concept_imports_only_concepts_of_earlier_chapters():
    order = reading_order()
    for path in SOURCES:
        if path.parent.name == "dlbook" and path.stem in order:
            allowed = set(order[: order.index(path.stem)])
            concepts = {name for name in imports_of(path) if "." not in name}
            concepts -= GROUND | _helpers(path)
            assert concepts <= allowed, (
                f"{path} imports {concepts - allowed}, which come later"
            )


def _helpers(path):
    """Name the modules that have no chapter of their own and serve one chapter only."""
    return {"engine"} if path.stem == "backprop" else set()


def test_every_lab_stands_in_the_table_of_contents():
    contents = [source for _, sources in parts() for source in sources]
    for path in LABS:  # a rule says it of pages
        assert path.relative_to(ROOT / "docs").as_posix() in contents, (
            f"{path} is not in nav"
        )


def names_in_contents():
    """Give the name of each page in the table of contents, by its place below `docs`."""
    entries = [entry for part in settings()["nav"] for entry in part.values()]
    listed = [entry for entry in entries if isinstance(entry, list)]
    return {source: name for items in listed for i in items for name, source in i.items()}


@pytest.mark.parametrize("path", CHAPTERS, ids=names(CHAPTERS))
def test_a_chapter_has_one_name_everywhere(path):
    title, known = Page.at(path).title, names_in_contents()
    assert known[f"chapters/{path.stem}.md"] == title, "mkdocs.yml names it otherwise"
    lab = ROOT / "docs" / "labs" / f"{path.stem}.py"
    if lab.is_file():
        text = lab.read_text(encoding="utf-8")
        assert known[f"labs/{path.stem}.py"] == title
        assert text.startswith(f"# %% [markdown]\n# # {title}: "), "the lab is named so"
        assert f"[{title}](../chapters/{path.stem}.md)" in text
    for place in ("course", "glossary"):
        page = (ROOT / f"docs/reference/{place}.md").read_text(encoding="utf-8")
        called = re.findall(rf"\[([A-Z][^]]*)\]\(\.\./chapters/{path.stem}\.md\)", page)
        assert set(called) <= {title}, f"{place}.md names it otherwise"


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_a_page_breaks_no_rule(path):
    page = Page.at(path)
    found = [f"{page.source}:{m.line}: {m.reason}" for m in rules.mistakes(page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", PAGES, ids=names(PAGES))
def test_every_block_that_is_shown_is_run(path):
    """`pytest-codeblocks` silently skips a fence that opens with more than `python`."""
    shown = sum(fence.info == "python" for fence in Page.at(path).fences)
    run = sum(block.syntax == "python" for block in extract_from_file(path))
    continued = path.read_text(encoding="utf-8").count(CONTINUED)
    assert run == shown - continued, f"{path}: {shown} blocks are shown, {run} are run"


def functions_of(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef))
            yield from (part for part in methods if not part.name.startswith("_"))


CONTRACTED = [p for p in SOURCES if p.parent.name in ("dlbook", "data")]


@pytest.mark.parametrize("path", CONTRACTED, ids=[module_of(path) for path in CONTRACTED])
def test_every_public_function_states_its_arguments_results_and_errors(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), (
        f"{path}:1: no docstring"
    )
    for node in functions_of(path):
        where, text = f"{path}:{node.lineno}: {node.name}", ast.get_docstring(node) or ""
        assert text, f"{where} has no docstring"
        arguments = [
            a.arg for a in (*node.args.args, *node.args.kwonlyargs) if a.arg != "self"
        ]
        for name in arguments:
            stated = re.search(rf"^\s+(?:\w+, )*\*?{name}(?:, \w+)*:", text, re.MULTILINE)
            assert stated, f"{where} does not say what {name} is"
        answers = node.returns is not None and ast.unparse(node.returns) != "None"
        if arguments and answers:
            assert re.search(r"^(Returns|Yields):", text, re.MULTILINE), (
                f"{where} returns what?"
            )
        raised = {
            part.exc.func.id
            for part in ast.walk(node)
            if isinstance(part, ast.Raise)
            and isinstance(part.exc, ast.Call)
            and isinstance(part.exc.func, ast.Name)
        }
        for error in raised:
            assert f"{error}:" in text, f"{where} does not say when it raises {error}"


@pytest.mark.parametrize("path", SOURCES, ids=[module_of(path) for path in SOURCES])
def test_nothing_draws_with_global_state(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(a.name for a in node.names)]
    }
    assert not any("pyplot" in name for name in imported), f"{path} uses pyplot"


def test_figures_do_not_need_a_download():
    for path in SOURCES:
        if path.parent.name == "figures":
            heavy = imports_of(path) & {"data.mnist", "data.cifar10"}
            assert not heavy, f"{path} needs {heavy}: record the numbers in a run instead"


def test_the_build_is_strict():
    assert settings()["strict"] is True
    assert settings()["validation"]["anchors"] == "warn"


def test_no_page_or_source_names_a_generated_file_of_its_own():
    """What is made stays out of the repository: the site, figures, notebooks."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"site/", ".cache/", ".venv/"} <= set(ignored)
    assert not list((ROOT / "docs").rglob("*.svg"))
    assert not list((ROOT / "docs").rglob("*.ipynb"))


CODE = [
    p
    for name in ("src", "tests", "benchmarks", "audit")
    for p in files(ROOT / name, "**/*.py")
]


@pytest.mark.parametrize("path", CODE, ids=[str(path.relative_to(ROOT)) for path in CODE])
def test_text_is_read_and_written_as_utf8(path):
    """The locale of a machine may say otherwise, and then the book cannot be read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = getattr(called, "attr", getattr(called, "id", ""))
        given = {keyword.arg for keyword in node.keywords}
        modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
        in_text = (
            (
                name in ("read_text", "write_text")
                and len(node.args) <= (name != "read_text")
            )
            or (isinstance(called, ast.Name) and name == "open" and not _binary(modes))
            or (name in ("run", "Popen") and {"text", "universal_newlines"} & given)
        )
        assert not in_text or "encoding" in given, f"{path}:{node.lineno}: {name}"


def _binary(modes):
    return any(isinstance(mode, str) and "b" in mode and len(mode) <= 3 for mode in modes)
