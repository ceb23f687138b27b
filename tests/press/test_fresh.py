"""Every program of the book prints the same in a process that nothing has touched."""

import pytest

from dlbook.checkout import DOCS, ROOT, files
from dlbook.press.page.outputs import programs_of
from dlbook.press.page.page import Page
from dlbook.press.source.fresh import borrowed

PAGES = [ROOT / "README.md", *files(DOCS, "**/*.md")]
PROGRAMS = [
    pytest.param(page, program, id=f"{page.stem}:{program.first}")
    for page in PAGES
    for program in programs_of(Page.at(page))
]


@pytest.mark.parametrize(("page", "program"), PROGRAMS)
def test_a_program_prints_what_the_page_says_in_a_fresh_interpreter(
    page, program, interpreter, bare_interpreter
):
    chosen = bare_interpreter if borrowed(program.code) else interpreter
    shown = program.output.lines if program.output else ()
    expected = "".join(f"{line}\n" for line in shown)
    printed = chosen.printed(program.code)
    assert printed == expected, f"{page}:{program.first}: stale, run `make outputs`"


def test_the_machine_is_the_other_one(interpreter):
    shown = interpreter.printed(
        "import torch\n"
        "print(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability())"
    )
    assert shown == "2 DEFAULT\n"


LEAKS = {
    "a module that was changed": (
        "import math; math.pi = 3",
        "import math; print(math.pi)",
    ),
    "a type of number": (
        "import torch; torch.set_default_dtype(torch.float64)",
        "import torch; print(torch.tensor(1.0).dtype)",
    ),
    "an imported module": (
        "import sklearn.datasets",
        "import sklearn; print('datasets' in vars(sklearn))",
    ),
    "a folder": ("import os; os.chdir('/')", "import os; print(os.getcwd() == '/')"),
    "a file": ("open('a', 'w')", "import os; print(os.listdir())"),
    "a variable of the environment": (
        "import os; os.environ['WORD'] = '1'",
        "import os; print('WORD' in os.environ)",
    ),
    "a way of printing": (
        "import torch; torch.set_printoptions(precision=1)",
        "import torch; print(torch.tensor(0.123))",
    ),
    "a name": ("x = 1", "print('x' in vars())"),
    "a gradient mode": (
        "import torch; torch.set_grad_enabled(False)",
        "import torch; print(torch.is_grad_enabled())",
    ),
}


@pytest.mark.parametrize(("before", "after"), LEAKS.values(), ids=LEAKS.keys())
def test_a_program_leaves_nothing_to_the_next(before, after, interpreter):
    clean = interpreter.printed(after)
    interpreter.printed(before)
    assert interpreter.printed(after) == clean


@pytest.mark.parametrize(
    "draw",
    [
        "import torch; print(torch.rand(2).double().tolist())",
        "import numpy; print(numpy.random.rand())",
        "import random; print(random.random())",
    ],
    ids=["torch", "numpy", "random"],
)
def test_what_is_not_seeded_differs(draw, interpreter):
    assert interpreter.printed(draw) != interpreter.printed(draw)


def test_a_program_is_the_main_one(interpreter):
    code = "import sys\nprint(__name__, sys.modules['__main__'].x)"
    assert interpreter.printed("x = 1\n" + code) == "__main__ 1\n"


def test_what_a_program_prints_late_belongs_to_it(interpreter):
    late = "import atexit, threading\natexit.register(print, 'last')\n"
    late += "threading.Timer(0.1, print, ['later']).start()\nprint('first')"
    assert interpreter.printed(late) == "first\nlater\nlast\n"


def test_a_module_that_nobody_imported_is_missed(interpreter, bare_interpreter):
    code = "import xml\nprint(xml.etree.__name__)"
    assert borrowed(code) == ["xml.etree"]
    with pytest.raises(RuntimeError, match="no attribute 'etree'"):
        bare_interpreter.printed(code)
    assert not borrowed("import xml.etree\nimport torch\nprint(xml.etree, torch.nn)")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("import os; os._exit(0)", "ended its own process"),
        ("import os; os.kill(os.getpid(), 9)", "ended its own process"),
        ("import os; os.system('echo b')", "something else than print"),
        ("import os; os.fork(); print(1)", "went on in more than one process"),
        ("import os; os.kill(os.getppid(), 9)", "ended the process that had started it"),
        ("input()", "EOFError"),
        ("x = ", "SyntaxError"),
        ("import benchmarks", "ModuleNotFoundError"),
    ],
)
def test_a_program_that_fails_says_why(code, reason, interpreter):
    with pytest.raises(RuntimeError, match=reason):
        interpreter.printed(code)
    assert interpreter.printed("print(1)") == "1\n"
