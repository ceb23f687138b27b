"""The source behind each listing, as a page with numbered lines."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from dlbook.checkout import PACKAGE, ROOT, files
from dlbook.press.cache import kept


def source_files() -> Iterable[Path]:
    """List the files that get a page of their own: the package and its tests."""
    yield from files(PACKAGE, "**/*.py")
    yield from files(ROOT / "tests", "test_*.py")


def source_page(path: Path) -> str:
    """Write a source file as a page with numbered lines, each an anchor such as `#L12`."""
    name, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    parts = [
        name,
        source,
        Path(__file__).read_text(encoding="utf-8"),
        version("pygments"),
    ]
    return kept(
        "sources", ".html", parts, lambda: _source_page(name, source), 2000
    ).read_text(encoding="utf-8")


def _source_page(name: str, source: str) -> str:
    up = "../" * name.count("/") + "../"
    form = HtmlFormatter(
        linenos="inline",
        lineanchors="L",
        anchorlinenos=True,
        wrapcode=True,
        nobackground=True,
    )
    code = (
        highlight(source, PythonLexer(), form).replace('"L-', '"L').replace('"#L-', '"#L')
    )
    code = re.sub(r' name="L\d+"', "", code)  # the standard wants the id alone
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} - dlbook</title>
<link rel="stylesheet" href="{up}assets/css/source.css">
</head>
<body>
<header><a href="{up}index.html">dlbook</a> <h1>{name}</h1></header>
<main>{code}</main>
</body>
</html>
"""
