"""The repository around the package: the order of its chapters, and safe writing."""

import os
import shutil
import subprocess
import sys

import pytest

from dlbook import checkout
from dlbook.checkout import chapters, commit_date, files, parts, write_atomically
from dlbook.press.downloads import wheel as package
from dlbook.press.page import glossary
from dlbook.press.page.outputs import programs_of
from dlbook.press.page.page import Page
from dlbook.press.source.fresh import Interpreter
from dlbook.runs import record


def test_the_order_is_read_from_the_navigation(tmp_path, monkeypatch):
    settings = tmp_path / "mkdocs.yml"
    settings.write_text(
        "site_url: !ENV [SITE_URL, '']\n"
        "nav:\n- Home: index.md\n- Tensors:\n    - Views: chapters/views.md\n"
        "    - Rows: chapters/rows.md\n- Labs:\n    - Views: labs/views.py\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(checkout, "SETTINGS", settings)
    assert parts() == [
        ("", ["index.md"]),
        ("Tensors", ["chapters/views.md", "chapters/rows.md"]),
        ("Labs", ["labs/views.py"]),
    ]
    assert chapters() == ["views", "rows"]


def test_a_folder_without_a_repository_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert checkout.commit() == "unknown"
    assert commit_date() is None


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "record.json"
    write_atomically(path, "old")

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(path.parent.iterdir()) == [path]


def git(folder, *arguments):
    """Run Git in a folder; whoever commits, it is not the one who runs the tests."""
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", "-C", str(folder), *who, *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    """A repository of two commits: the first adds `old`, the second `new`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    for name in ("old", "new"):
        (folder / name).touch()
        git(folder, "add", name)
        git(folder, "commit", "-m", name)
    return folder


def test_another_repository_around_the_book_is_not_ours(repository, monkeypatch):
    inside = repository / "unpacked"
    inside.mkdir()
    monkeypatch.setattr(checkout, "ROOT", inside)
    assert checkout.commit() == "unknown"
    assert commit_date() is None
    monkeypatch.setattr(checkout, "ROOT", repository)
    assert len(checkout.commit()) == 12
    assert commit_date("old") is not None


def test_a_record_that_was_written_is_no_change_of_the_code(repository, monkeypatch):
    monkeypatch.setattr(checkout, "ROOT", repository)
    written = ("docs/results/knn.json", "docs/assets/live/cnn_weights.js")
    for name in ("code.py", *written):
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old", encoding="utf-8")
        git(repository, "add", name)
    git(repository, "commit", "-m", "a run and its record")
    clean = checkout.commit()
    assert len(clean) == 12
    for name in written:
        (repository / name).write_text("new", encoding="utf-8")
    assert checkout.commit() == clean
    (repository / "code.py").write_text("new", encoding="utf-8")
    assert checkout.commit() == clean + "+"


def test_a_hook_of_another_repository_does_not_lend_its_commit(
    repository, tmp_path, monkeypatch
):
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    assert checkout.commit() == "unknown"


def test_the_oldest_commit_of_a_shallow_clone_dates_nothing(
    repository, tmp_path, monkeypatch
):
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--depth", "1", repository.as_uri(), str(shallow))
    monkeypatch.setattr(checkout, "ROOT", shallow)
    assert commit_date("old") is None
    assert commit_date() is not None


def test_a_package_without_its_repository_says_what_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(checkout, "SETTINGS", tmp_path / "mkdocs.yml")
    with pytest.raises(OSError, match="needs a checkout"):
        checkout.require()
    with pytest.raises(OSError, match="needs a checkout"):
        record.write("word", "quick", {}, {})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Open the wheel that the site offers."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.unpack_archive(package.wheel(), folder, "zip")
    return folder


def test_a_wheel_holds_every_module_its_data_and_the_records(wheel):
    for source, installed, pattern in (
        (checkout.PACKAGE, "dlbook", "**/[a-z_]*.*"),
        (checkout.DOCS / "results", "dlbook/recorded", "[a-z]*.json"),
    ):
        names = [path.relative_to(source) for path in source.glob(pattern)]
        wanted = {str(n) for n in names if n.parent.name != "__pycache__"}
        inside = wheel / installed
        held = {str(path.relative_to(inside)) for path in inside.rglob("*")}
        assert wanted <= held, wanted - held


def test_an_installed_package_reads_its_records_and_writes_none(wheel, tmp_path):
    """Another repository lies around it, whose commit must not become that of the book."""
    git(tmp_path, "init")
    installed = tmp_path / "lib" / "dlbook"
    shutil.copytree(wheel / "dlbook", installed)
    program = (
        "import sys; sys.path.insert(0, 'lib')\n"
        "from dlbook import checkout\n"
        "from dlbook.runs.record import claims_of\n"
        "print(checkout.__file__, len(claims_of('knn')) > 5, checkout.commit())\n"
    )
    options = {"cwd": tmp_path, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", program], **options)
    assert done.stdout.split() == [
        str(installed / "checkout.py"), "True", "unknown"
    ], done.stderr  # fmt: skip
    variables = os.environ | {"PYTHONPATH": "lib"}
    command = [sys.executable, "-m", "dlbook.runs", "linear_regression"]
    done = subprocess.run(command, env=variables, **options)
    assert done.returncode == 2
    assert "needs a checkout" in done.stderr


def test_the_first_block_of_every_chapter_runs_with_the_wheel_alone(wheel):
    interpreter = Interpreter({"PYTHONPATH": str(wheel), "OMP_NUM_THREADS": "1"})
    place = interpreter.printed("import dlbook; print(dlbook.__file__)")
    assert place == f"{wheel}/dlbook/__init__.py\n"
    for word in checkout.chapters():
        page = Page.at(checkout.DOCS / "chapters" / f"{word}.md")
        program = programs_of(page)[0]
        shown = program.output.lines if program.output else ()
        assert interpreter.printed(program.code).splitlines() == list(shown), word
    interpreter.close()


def test_the_three_commands_of_the_page_install_the_package(tmp_path):
    """As they stand on the page, but for what else would be fetched from the network."""
    page = Page.at(checkout.DOCS / "reference" / "run.md")
    make, install, start = next(f.lines for f in page.fences if f.info == "console")
    shutil.copy(package.wheel(), tmp_path / package.name())
    assert install.endswith(f"install ./{package.name()}")
    options = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    subprocess.run([*make.replace("python3", sys.executable, 1).split()], **options)
    subprocess.run([*install.split(), "--no-deps", "--no-index"], **options)
    program = "import dlbook, sys; print(dlbook.__file__, sys.prefix)"
    done = subprocess.run([*start.split(), "-c", program], **options)
    place, prefix = done.stdout.split()
    assert prefix == str(tmp_path / "dlbook")
    assert place.startswith(f"{prefix}/lib/")


def test_what_editors_and_systems_leave_is_passed_over(tmp_path):
    for name in (
        "knn.md",
        "deep/svm.md",
        ".knn.md",
        "._knn.md",
        ".obsidian/x.md",
        "a.md~",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".#knn.md").symlink_to("me@host.1:2")
    (tmp_path / "gone.md").symlink_to("nowhere")
    (tmp_path / "folder.md").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in files(tmp_path, "**/*.md")]
    assert found == ["deep/svm.md", "knn.md"]


def test_a_file_dated_at_the_beginning_of_time_is_read(tmp_path, monkeypatch):
    """Some systems date every file 1970; a date is not a sign that a file exists."""
    page = tmp_path / "glossary.md"
    page.write_text('<dfn id="a">a term</dfn>', encoding="utf-8")
    data = tmp_path / "word.json"
    data.write_text('{"quick": {"claims": {"a": {"value": 1.0}}}}', encoding="utf-8")
    for path in (page, data):
        os.utime(path, ns=(0, 0))
    monkeypatch.setattr(glossary, "GLOSSARY", page)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    assert glossary.terms() == {"a term": "a"}
    assert record.claims_of("word")["a"].value == 1.0
