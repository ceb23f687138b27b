"""A block that carries along what it needs: it prints the same where the book is not installed."""

import ast
import builtins
import re
import symtable
from functools import cache

import pytest

from dlbook.checkout import DOCS, ROOT, chapters, files
from dlbook.press.page.outputs import programs_of
from dlbook.press.page.page import Page
from dlbook.press.source import dependencies, standalone
from dlbook.press.source.fresh import Interpreter

WITHOUT_THE_BOOK = "import sys; sys.modules['dlbook'] = None  # no import finds it\n"
NEED_THE_PACKAGE = ("acceleration", "applications", "history", *["language"] * 4)
PAGES = [Page.at(path) for path in files(DOCS / "chapters", "*.md")]


@cache
def written(page):
    """Give the programs of a page with their copies; those that need the package without one."""
    pairs = []
    for program in programs_of(page):
        try:
            pairs.append((program, standalone.standalone(program.code)))
        except LookupError:
            pairs.append((program, None))
    return pairs


@pytest.fixture(scope="module")
def interpreter():
    started = Interpreter(
        {"OMP_NUM_THREADS": "1"}, "torch sklearn.datasets scipy.special"
    )
    yield started
    started.close()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Make modules of a small book, whose reading order is that in which they are given."""

    def make(**modules):
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(standalone, "chapters", lambda: list(modules))

    def place(module):
        return tmp_path.joinpath(*module.split(".")).with_suffix(".py")

    monkeypatch.setattr(standalone, "module_path", place)
    monkeypatch.setattr(dependencies, "module_path", place)
    return make


def run(program):
    """Run a program here, and give its names."""
    names = {}
    exec(program, names)
    return names


def unknown(program):
    """Name what a program takes from around it and never defines."""
    top = symtable.symtable(program, "<program>", "exec")
    tables = [top]
    for table in tables:
        tables += table.get_children()
    defined = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if (table is top or symbol.is_declared_global())
        and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace())
    }
    used = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_global() or (table is top and symbol.is_referenced())
    }
    return used - defined - set(dir(builtins)) - {"__name__"}


@pytest.mark.parametrize("page", PAGES, ids=[page.word for page in PAGES])
def test_the_programs_of_a_chapter_print_the_same_without_the_book(page, interpreter):
    for program, copy in written(page):
        if copy is not None and copy != program.code:
            lines = program.output.lines if program.output else ()
            shown = "".join(f"{line}\n" for line in lines)
            where = f"{page.source}:{program.first}"
            assert interpreter.printed(WITHOUT_THE_BOOK + copy) == shown, where


def test_the_interpreter_of_these_tests_cannot_import_the_book(interpreter):
    with pytest.raises(RuntimeError, match=r"ModuleNotFoundError: .*dlbook"):
        interpreter.printed(WITHOUT_THE_BOOK + "from dlbook.knn import vote\n")


@pytest.mark.parametrize("page", PAGES, ids=[page.word for page in PAGES])
def test_a_copy_is_complete_has_no_docstring_and_says_where_it_comes_from(page):
    for program, copy in written(page):
        where = f"{page.source}:{program.first}"
        if copy is None or copy == program.code:
            assert copy is None or "dlbook" not in program.code, where
            continue
        tree = ast.parse(copy)
        assert not unknown(copy), where
        head = copy.partition("\n")[0]
        assert re.fullmatch(r"# From dlbook [\d.]+: [\w., ]+\. MIT license\. .+", head)
        assert "dlbook" not in copy.partition("\n")[2], where
        assert not [n for n in tree.body if isinstance(n, ast.Expr) and is_text(n)]
        own = {n.name for n in ast.walk(ast.parse(program.code)) if hasattr(n, "name")}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in own:
                assert not ast.get_docstring(node), f"{where}: {node.name}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [getattr(node, "module", None) or node.names[0].name]
                assert names[0].split(".")[0] in standalone.PROVIDED, where


def is_text(node):
    return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_only_what_reads_files_or_needs_more_packages_has_no_copy():
    without = [page.word for page in PAGES for _, copy in written(page) if copy is None]
    assert sorted(without) == sorted(NEED_THE_PACKAGE)
    for code, reason in (
        ("from dlbook.data.growth import chips\nchips", "reads a file of the package"),
        ("from dlbook.acceleration import save\nsave", "safetensors must be installed"),
    ):
        with pytest.raises(LookupError, match=reason):
            standalone.standalone(code)


def test_what_needs_nothing_of_the_book_stays_as_it_is():
    code = "import math\n\nprint(math.pi)  # dlbook\n"
    assert standalone.standalone(code) == code


def test_empty_lines_inside_a_text_are_kept():
    code = 'from dlbook.knn import vote\n\nprint("""a\n\n\n\n\nb""", vote)\n'
    assert 'print("""a\n\n\n\n\nb""", vote)' in standalone.standalone(code)


def test_definitions_stand_in_reading_order_and_in_that_of_the_source(package):
    package(
        alpha='"""A."""\n\n# why\nSTEP = 2\n\ndef last(x):\n    """L."""\n    return x + STEP\n',
        beta="from dlbook.alpha import last\n\n"
        "def second(x):\n    return first(x)\n\ndef first(x):\n    return last(x)\n\n"
        "def unused(x):\n    return x\n",
    )
    copy = standalone.standalone("from dlbook.beta import second\nprint(second(1))")
    assert copy.splitlines()[0].startswith("# From dlbook ")
    assert ": alpha, beta. MIT license." in copy.splitlines()[0]
    lines = [line for line in copy.splitlines()[1:] if line.strip()]
    assert lines == [
        *("# why", "STEP = 2", "def last(x):", "    return x + STEP"),
        *("def second(x):", "    return first(x)", "def first(x):", "    return last(x)"),
        "print(second(1))",
    ]


def test_a_module_stands_behind_those_that_it_imports(package):
    package(
        late="from dlbook.helper import HALF\n\nWHOLE = 2 * HALF\n", helper="HALF = 3\n"
    )
    code = (
        "from dlbook.late import WHOLE\nfrom dlbook.helper import HALF\nx = WHOLE, HALF"
    )
    assert run(standalone.standalone(code))["x"] == (6, 3)


def test_imports_are_merged_on_top_without_those_that_nothing_needs(package):
    package(alpha="import math\nimport os\nimport numpy as np\n\nX = np.pi + math.pi\n")
    code = "import math\nfrom dlbook.alpha import X as value\n\ny = value - math.pi\n"
    copy = standalone.standalone(code)
    imports = [line for line in copy.splitlines() if "import" in line]
    assert imports == ["import math", "import numpy as np"]
    assert run(copy)["y"] == pytest.approx(3.14159265)


def test_of_a_module_that_is_taken_whole_only_what_is_asked_for_comes_along(package):
    package(toy='def moons():\n    return "moons"\n\ndef suns():\n    return "suns"\n')
    copy = standalone.standalone("from dlbook import toy\n\nx = toy.moons()\n")
    assert run(copy)["x"] == "moons"
    assert "suns" not in copy
    with pytest.raises(LookupError, match=r"dlbook\.toy is taken whole"):
        standalone.standalone("from dlbook import toy\n\nx = vars(toy)\n")


TWO = {
    "alpha": "def _rule(x):\n    return x + 1\n\ndef one(x):\n    return 'é' and _rule(x)\n",
    "beta": "def _rule(x):\n    return -x\n\ndef two(_x):\n    return 'é' and _rule(_x)\n",
}


def test_of_two_definitions_of_one_name_the_later_gets_that_of_its_module(package):
    package(**TWO)
    code = "from dlbook.alpha import one\nfrom dlbook.beta import two\nx = one(1), two(1)"
    copy = standalone.standalone(code)
    assert run(copy)["x"] == (2, -1)
    assert {"_rule", "_beta_rule"} <= run(copy).keys() or {
        "_rule",
        "_alpha_rule",
    } <= run(copy).keys()


def test_a_variable_of_the_block_does_not_reach_into_the_definitions(package):
    package(
        alpha="def layer(x):\n    return x + 1\n\ndef deep(x):\n    return layer(layer(x))\n"
    )
    before = "from dlbook.alpha import deep\nlayer = None\nx = deep(1)"
    assert run(standalone.standalone(before))["x"] == 3
    again = "from dlbook.alpha import deep, layer\nlayer = layer(5)\nx = deep(1), layer"
    assert run(standalone.standalone(again))["x"] == (3, 6)


def test_a_clash_that_no_name_can_mend_is_refused(package):
    package(
        alpha="def size(x):\n    return x\n\ndef wide(x):\n    def f(size):\n"
        "        return size\n    return f(size(x))\n\ndef much(x):\n    return sum(x)\n",
        beta="def max(x):\n    return x\n",
    )
    for code, reason in (
        ("from dlbook.alpha import wide\nsize = 3\nwide(1)", "'size' cannot be called"),
        ("from dlbook.alpha import much\nsum = 3\nmuch([1])", "'sum' hides"),
        ("from dlbook.beta import max\nmax(1)", "'max' hides"),
        ("from dlbook.alpha import much\nfrom math import *\nmuch([1])", "does not name"),
        ("from dlbook.beta import gone\ngone", "no definition 'gone' in dlbook.beta"),
        (
            "from dlbook.alpha import much as f\nf\nfrom math import pi as f\nf",
            "another 'f'",
        ),
        (
            "from dlbook.alpha import much\nmuch\ndef f():\n    from dlbook.beta import max",
            "line 4 imports from the book inside a statement",
        ),
    ):
        with pytest.raises(LookupError, match=reason):
            standalone.standalone(code)


def test_a_definition_that_is_all_docstring_is_still_one(package):
    package(alpha='class Wrong(Exception):\n    """Say it."""\n')
    copy = standalone.standalone("from dlbook.alpha import Wrong\nx = Wrong(3)")
    assert run(copy)["x"].args == (3,)
    assert "Say it" not in copy


def test_the_license_is_the_one_of_the_code():
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")
    assert standalone.license_of_book().startswith("MIT license. Copyright (c) ")


def test_the_first_chapter_of_the_order_is_written_first():
    code = "from dlbook.cnn import standardize\nfrom dlbook.knn import vote\nvote, standardize"
    head = standalone.standalone(code).splitlines()[0]
    listed = re.match(r"# From dlbook [\d.]+: ([^.]+)\.", head)[1].split(", ")
    known = [word for word in listed if word in chapters()]
    assert known == sorted(known, key=chapters().index)
    assert {"cnn", "knn"} <= set(known)
