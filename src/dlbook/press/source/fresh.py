"""Run programs, each alone in a process that nothing has touched.

A new interpreter takes seconds to import torch. Here one imports it once and nothing else, and
each program runs in a copy of that process, in an empty folder, with a random state of its own.
This file is also what that first process runs, so it imports nothing of the book.
"""

import ast
import atexit
import io
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import redirect_stdout
from tempfile import TemporaryDirectory, TemporaryFile
from types import ModuleType

PATIENCE = 300  # seconds that a program may take; it should take one


class Interpreter:
    """A process that starts programs; one for each kind of machine to be tried."""

    def __init__(self, environment: Mapping[str, str], imported: str = "torch") -> None:
        """Start it.

        Args:
            environment: variables that differ from those of this process, such as
                `{"OMP_NUM_THREADS": "2"}`.
            imported: modules that it has imported before a program begins, such as
                `torch sklearn.datasets`; may be empty.
        """
        self._command = [sys.executable, "-P", __file__, imported]
        self._environment = dict(environment)
        self._process = self._started()

    def _started(self) -> subprocess.Popen:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        variables = os.environ | self._environment
        return subprocess.Popen(self._command, env=variables, encoding="utf-8", **pipes)

    def printed(self, code: str) -> str:
        """Run a program and give what it prints.

        Args:
            code: a complete program.

        Returns:
            its standard output.

        Raises:
            RuntimeError: the program failed; the message is the traceback.
        """
        with TemporaryDirectory() as folder:
            request = json.dumps({"code": code, "folder": folder})
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:  # the next program gets a new process
            self.close()
            self._process = self._started()
            raise RuntimeError("the program ended the process that had started it")
        answer = json.loads(line)
        if answer["failed"]:
            raise RuntimeError(answer["text"])
        return answer["text"]

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def borrowed(code: str) -> list[str]:
    """Name what a program would miss in an interpreter that has imported nothing.

    `import xml` does not import `xml.etree`, but finds it where something else has done so.
    torch imports many modules; a program that uses one of them without saying so is not to be
    judged by a process that has imported torch.

    Args:
        code: a complete program.

    Returns:
        modules such as `xml.etree`, of packages other than torch.
    """
    tree = list(ast.walk(ast.parse(code)))
    whole = {name.name for n in tree if isinstance(n, ast.Import) for name in n.names}
    used = {ast.unparse(node) for node in tree if isinstance(node, ast.Attribute)}
    packages = {name.split(".")[0] for name in whole} - {"torch"}
    found = [n for n in used if n.split(".")[0] in packages and n not in whole]
    return sorted(name for name in found if _is_module(name))


def _is_module(name: str) -> bool:
    # Not above: a program that runs beside this code could borrow it.
    from importlib.util import find_spec

    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def serve(imported: str) -> None:
    """Run the programs that come in, one JSON object a line, and answer alike."""
    for module in imported.split():
        __import__(module)
    for line in sys.stdin:
        request = json.loads(line)
        receiver, sender = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receiver)
            _run(request["code"], request["folder"], sender)
        os.close(sender)
        with open(receiver, encoding="utf-8") as answer:
            text = answer.read()
        status = os.waitpid(child, 0)[1]
        answers = text.splitlines() or [_failed(_ended(status))]
        if len(answers) > 1:
            answers = [_failed("the program went on in more than one process")]
        print(answers[0], flush=True)


def _failed(reason: str) -> str:
    return json.dumps({"failed": True, "text": reason})


def _ended(status: int) -> str:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return f"the program did not end within {PATIENCE} seconds"
    return "the program ended its own process"


def _run(code: str, folder: str, sender: int) -> None:
    """Run one program in this process, send what it printed, and end."""
    os.chdir(folder)
    signal.alarm(PATIENCE)
    with open(os.devnull, "rb") as nothing, TemporaryFile(dir="..") as past_print:
        os.dup2(nothing.fileno(), 0)
        os.dup2(past_print.fileno(), 1)
    sys.argv = [""]
    main = sys.modules["__main__"] = ModuleType("__main__")
    _draw_new_seeds()
    atexit._clear()  # what torch has registered is done when the first process ends
    shown = io.StringIO()
    try:
        with redirect_stdout(shown):
            exec(compile(code, "<block>", "exec"), main.__dict__)
            threading._shutdown()  # as an interpreter ends: threads, then what was registered
            atexit._run_exitfuncs()
        if os.lseek(1, 0, os.SEEK_END) > 0:
            raise RuntimeError("something else than print wrote to the standard output")
        answer = {"failed": False, "text": shown.getvalue()}
    except BaseException:
        answer = {"failed": True, "text": traceback.format_exc()}
    with open(sender, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(answer) + "\n")
    os._exit(0)


def _draw_new_seeds() -> None:
    """Give this copy a random state of its own, as a new interpreter has."""
    if torch := sys.modules.get("torch"):
        torch.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()


if __name__ == "__main__":
    serve(sys.argv[1])
