"""What README, CONTRIBUTING and `make help` tell people to type exists and works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mkdocs.__main__ import cli

from dlbook.checkout import chapters
from dlbook.press.page.claims import recorded
from dlbook.press.page.fences import drawing_of
from dlbook.press.page.page import Page
from dlbook.press.source.listings import definition
from dlbook.runs.__main__ import wanted

ROOT = Path(__file__).parent.parent
PAPERS = ["README.md", "CONTRIBUTING.md", "Makefile", ".ci/run"]
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAPERS}
MAKE = re.compile(
    r"(?:`|^|: )(make (?:[a-z]+)(?: [A-Z_]+=[^`\n;,]+)?)(?=[`\n;,]|$)", re.M
)
FOUND = {
    command: (name, TEXT[name][: match.start()].count("\n") + 1)
    for name in PAPERS
    for match in MAKE.finditer(TEXT[name])
    for command in [match[1]]
}


def make(*arguments, folder=ROOT):
    """Run Make as from a shell, also where these tests were started by Make."""
    plain = {key: text for key, text in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=plain, capture_output=True, encoding="utf-8"
    )


def found(pattern):
    """Give what a pattern finds in README, CONTRIBUTING and the Makefile, each once."""
    texts = "\n".join(TEXT.values())
    return sorted(set(re.findall(pattern, texts, re.MULTILINE)))


def test_the_commands_are_found():
    assert {"make serve", "make test", "make help", "make outputs"} <= FOUND.keys()
    assert "make serve PORT=8001" in FOUND
    assert any(command.startswith("make figure NAME=") for command in FOUND)


@pytest.mark.parametrize("command", sorted(FOUND))
def test_make_knows_what_it_is_asked_for(command):
    """Ask Make what it would do; to do all of it takes hours."""
    _, target, *variables = command.split(" ", 2)
    makefile = TEXT["Makefile"]
    assert re.search(rf"^{target}:", makefile, re.MULTILINE), FOUND[command]
    for name in re.findall(r"([A-Z_]+)=", " ".join(variables)):
        assert f"$({name})" in makefile or f"$(if $({name})" in makefile, FOUND[command]
    done = subprocess.run(
        ["make", "--dry-run", target, *variables],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr


def test_make_serve_listens_where_it_is_told():
    done = make("--dry-run", "serve", "PORT=8001")
    assert "--dev-addr 127.0.0.1:8001" in done.stdout


def test_make_help_lists_every_target():
    done = make("help")
    targets = re.findall(r"^([a-z]+):", TEXT["Makefile"], re.MULTILINE)
    assert [line.split()[0] for line in done.stdout.splitlines()] == targets


@pytest.mark.parametrize("name", found(r"NAME=([\w.]+)"))
def test_the_figures_that_are_named_can_be_drawn(name):
    command = [sys.executable, "-m", "dlbook.press", "figure", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for path in done.stdout.split():
        assert (ROOT / path).stat().st_size > 1000, path


@pytest.mark.parametrize("line", found(r"python -m dlbook\.runs ([a-z_ ]+[a-z_])"))
def test_the_runs_that_are_named_exist(line):
    word, *names = line.split()
    assert wanted(word, names or ["quick"])


@pytest.mark.parametrize("line", found(r"^\.venv/bin/(.+)$"))
def test_the_way_without_make_names_programs_files_and_options(line):
    program, *arguments = line.split()
    assert (ROOT / ".venv" / "bin" / program).exists() or program == "pip"
    if program == "mkdocs":
        options = {o for p in cli.commands[arguments[0]].params for o in p.opts}
        assert set(arguments[1:]) <= options
    if "-r" in arguments:
        assert (ROOT / arguments[arguments.index("-r") + 1]).is_file()


def test_the_examples_of_the_dialect_are_in_the_book():
    """The table of CONTRIBUTING shows requests; each of them can be answered."""
    table = (
        TEXT["CONTRIBUTING.md"]
        .partition("## The dialect")[2]
        .partition("\nWhat looks ")[0]
    )
    assert all(recorded(name) for name in re.findall(r"claim:([\w.]+)", table))
    names = re.findall(r"with `([a-z_]+\.[^`]+)`", table)
    assert len(names) == 3
    for name in names:
        (fence,) = Page("index.md", f"```figure\n{name}\n```\n").fences
        asked = drawing_of(fence).name
        assert any(defined(place + asked) for place in ("", "figures.")), name
    (widget,) = re.findall(r"`(docs/assets/js/live/\w+\.js)`", table)
    assert (ROOT / widget).is_file()
    assert "@book{cover1967" in bibliography() or "{cover1967," in bibliography()


def defined(name):
    try:
        return definition(name)
    except LookupError:
        return None


def bibliography():
    path = ROOT / "docs" / "reference" / "bibliography.bib"
    return path.read_text(encoding="utf-8")


def test_pages_that_are_named_exist():
    for word in found(r"PAGE=(\w+)"):
        assert word in chapters()


def test_doors_that_are_named_exist():
    for path in found(r"`((?:src|tests|docs)/[\w./]+\.\w+)`"):
        assert (ROOT / path).is_file(), path


def moved_to(folder, tmp_path):
    """Write a Makefile into a folder, with an environment that knows `tmp_path / "here"`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / ".venv").mkdir()
    settings = f"version = 3.11\ncommand = python3 -m venv {tmp_path}/here/.venv\n"
    (folder / ".venv" / "pyvenv.cfg").write_text(settings, encoding="utf-8")
    (folder / ".venv" / ".stamp").touch()
    newer = max(path.stat().st_mtime for path in folder.iterdir()) + 10
    os.utime(folder / ".venv" / ".stamp", (newer, newer))
    return make("--dry-run", "build", folder=folder).stdout


@pytest.mark.parametrize("name", ["there", "here too", "her"])
def test_an_environment_that_was_copied_or_moved_is_made_again(name, tmp_path):
    planned = moved_to(tmp_path / name, tmp_path)
    assert planned.splitlines()[0] == "rm -rf .venv"
    assert "python3 -m venv .venv" in planned


def test_an_environment_in_its_own_folder_stays(tmp_path):
    planned = moved_to(tmp_path / "here", tmp_path)
    assert planned.splitlines() == [".venv/bin/mkdocs build --clean"]


def test_lines_end_alike_whatever_git_is_told(tmp_path):
    """Git for Windows ends lines in its own way, which shells and checksums do not know."""

    def git(*arguments):
        command = ["git", "-c", "core.autocrlf=true", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    git("init")
    names = [".gitattributes", ".ci/run", "src/dlbook/data/imagenet.toml"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    git("add", ".")
    for name in names[1:]:
        (tmp_path / name).unlink()
    git("checkout-index", "--all")
    for name in names:
        assert b"\r" not in (tmp_path / name).read_bytes()
