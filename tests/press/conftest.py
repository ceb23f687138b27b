"""A book of two pages in a folder of its own, built as the whole book is built."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from dlbook.checkout import ROOT

HOME = """# A small book

Start with [views](chapters/views.md).

<p class="offer"><a href="dlbook.zip" download>Take it along</a>.</p>
<p class="offer"><a href="dlbook.pdf" download>Print it</a>.</p>
<p class="offer"><a href="dlbook.epub" download>Read it elsewhere</a>.</p>
"""
NAV = """nav:
  - Home: index.md
  - Tensors & more:
      - Views: chapters/views.md
  - Labs:
      - Views: labs/views.py
  - Reference:
      - Glossary: reference/glossary.md
      - Results: reference/results.md
      - API: reference/api.md
      - Bibliography: reference/bibliography.md
      - Changelog: reference/changelog.md

"""
LAB = """# %% [markdown]
# # Views: forty-two
#
# Chapter: [Views](../chapters/views.md). Change `n`, run.

# %%
n = 3
print(n * 14)
"""
SHARED = ("docs/assets", "docs/overrides", "docs/results", "src", "tests")
PACKAGE = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
COPIED = ("docs/reference/bibliography.bib", "CHANGELOG.md", *PACKAGE)
KINDS = ("cards", "faces", "figures", "fonts", "sources")  # of the cache, which is warm


def build(book, *options):
    """Build a book with the package that lies in its folder, as on a machine without Chromium."""
    tools = book / "tools"
    tools.mkdir(exist_ok=True)
    if not (tools / "git").exists():
        (tools / "git").symlink_to(shutil.which("git"))
    settings = os.environ | {"PATH": str(tools), "PYTHONPATH": str(book / "src")}
    settings |= {"SITE_URL": "https://book.example/b/", "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--clean", *options]
    return subprocess.run(
        command, cwd=book, env=settings, capture_output=True, encoding="utf-8"
    )


def write_book(folder):
    """Write a book of two pages and a lab; the rest is that of the whole book."""
    for name in ("docs/chapters", "docs/reference", "docs/labs", ".cache"):
        (folder / name).mkdir(parents=True)
    for name in SHARED:
        (folder / name).symlink_to(ROOT / name, target_is_directory=True)
    for kind in KINDS:
        (ROOT / ".cache" / kind).mkdir(parents=True, exist_ok=True)
        (folder / ".cache" / kind).symlink_to(ROOT / ".cache" / kind)
    for name in COPIED:
        shutil.copy(ROOT / name, folder / name)
    chapter = (ROOT / "docs" / "chapters" / "views.md").read_text(encoding="utf-8")
    chapter = re.sub(
        r"\]\(\w+\.md(#[\w-]*)?\)", "](views.md)", chapter
    )  # there are no others
    (folder / "docs" / "chapters" / "views.md").write_text(chapter, encoding="utf-8")
    # An editor is open, as Emacs marks it, and a system has been here.
    (folder / "docs" / "chapters" / ".#views.md").symlink_to("me@host.1:2")
    (folder / "docs" / "labs" / ".#views.py").symlink_to("me@host.1:2")
    for name in (".DS_Store", "Thumbs.db", "index.md~", "#index.md#", ".index.md.swp"):
        (folder / "docs" / name).write_bytes(b"\xff\x00")
    glossary = '# Glossary\n\n<dfn id="stride">stride</dfn>: a step.\n'
    (folder / "docs" / "reference" / "glossary.md").write_text(glossary, encoding="utf-8")
    (folder / "docs" / "index.md").write_text(HOME, encoding="utf-8")
    (folder / "docs" / "labs" / "views.py").write_text(LAB, encoding="utf-8")
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^nav:.*?^(?=theme:)", lambda match: NAV, text)
    (folder / "mkdocs.yml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def small_book(tmp_path_factory):
    """Build the small book once; give its folder, with the site in `site`."""
    folder = tmp_path_factory.mktemp("book")
    write_book(folder)
    done = build(folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder
