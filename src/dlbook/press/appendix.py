"""The pages that nobody writes: results, bibliography, and the source behind each listing."""

import ast
import re
from collections.abc import Iterable
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from pybtex.backends.html import Backend
from pybtex.style.formatting import toplevel
from pybtex.style.formatting.unsrt import Style
from pybtex.style.template import field, optional_field, sentence
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from dlbook.checkout import RESULTS, ROOT
from dlbook.press.cache import kept
from dlbook.press.citations import entries, label
from dlbook.runs.record import sections_of


def claim_anchor(name: str) -> str:
    """Give the anchor of a claim on the results page, such as `knn-mnist_error_k1`."""
    return "-".join(name.split(".")[:2])


def results_page() -> str:
    """Write the page of all recorded runs from `docs/results/*.json`, as Markdown."""
    parts = [
        "# Results",
        "Every number that a chapter quotes as measured stands here, with where, when and on "
        "what it was measured. The files behind this page are published with the site.",
    ]
    for path in sorted(RESULTS.glob("*.json")):
        word = path.stem
        parts.append(f"## {word}")
        parts.append(f"[{word}.json](../results/{word}.json)")
        for run, section in sorted(sections_of(word).items()):
            parts += [f"### {word}: {run} {{ #{word}-run-{run} }}", _origin(section)]
            parts.append(_claims(word, section["claims"]))
    return "\n\n".join(parts) + "\n"


def _origin(section: dict) -> str:
    versions = ", ".join(
        f"{name} {number}" for name, number in section["versions"].items()
    )
    data = "; ".join(
        f"{name}, SHA-256 `{value[:12]}…`" for name, value in section["data"].items()
    )
    return (
        f"`{section['command']}` took {section['seconds']} s on {section['device']}, "
        f"{section['date']}, commit `{section['commit']}`; {versions}; "
        f"data: {data or 'drawn from formulas'}."
    )


def _claims(word: str, claims: dict) -> str:
    rows = [
        "<table><thead><tr><th>claim</th><th>value</th><th>spread</th></tr></thead><tbody>"
    ]
    for name, claim in sorted(claims.items()):
        value = claim["value"]
        values = value if isinstance(value, list) else [value]
        shown = ", ".join(f"{number:.6g}" for number in values[:12])
        if len(values) > 12:
            shown += f", … ({len(values)} values)"
        spread = ", ".join(
            f"{key.replace('_', ' ')} {number:.4g}"
            for key, number in claim["spread"].items()
        )
        rows.append(
            f'<tr id="{word}-{name}"><td><code>{name}</code></td>'
            f"<td>{shown} {escape(claim['unit'])}</td><td>{spread}</td></tr>"
        )
    return "\n".join([*rows, "</tbody></table>"])


def bibliography_page(citing: dict[str, list[tuple[str, str]]]) -> str:
    """Write the bibliography, with links back to the pages that cite each work, as Markdown.

    Args:
        citing: for each key the (title, address) of the pages that cite it.

    Returns:
        the page, sorted by label.
    """
    parts = [
        "# Bibliography",
        "Every work the book cites, and the pages that cite it. "
        "The file behind it: [bibliography.bib](bibliography.bib).",
    ]
    works = described()
    for key in sorted(works, key=lambda key: label(key).casefold()):
        links = ", ".join(
            f"[{title}]({address})" for title, address in citing.get(key, [])
        )
        where = f" Cited in: {links}." if links else ""
        parts.append(f'<span id="{key}" class="work">{works[key]}</span>{where}')
    return "\n\n".join(parts) + "\n"


class _Plain(Style):
    """The plain style of BibTeX, with titles as their authors capitalize them."""

    def format_title(self, e, which_field, as_sentence=True):
        """Take a title as it stands in the file."""
        title = field(which_field)
        return sentence[title] if as_sentence else title

    def get_incollection_template(self, e):
        """Keep the note, which the style forgets in this kind of work."""
        whole = super().get_incollection_template(e)
        return toplevel[whole, sentence[optional_field("note")]]


class _Html(Backend):
    """Writes what pybtex has formatted as HTML on one line; titles as the book sets them."""

    symbols: ClassVar = {"ndash": "–", "nbsp": " ", "newblock": " "}

    def format_tag(self, tag, text):
        """Mark the work that is cited, which the style emphasizes."""
        return f"<cite>{text}</cite>" if tag == "em" else super().format_tag(tag, text)

    def format_protected(self, text):
        """Leave no trace of the braces that keep capitals."""
        return text


def described() -> dict[str, str]:
    """Write every entry of the bibliography in full, in pybtex's plain style.

    Returns:
        HTML by key: authors, title, place, year, and a link to the work where it has one.
    """
    formatted = _Plain().format_entries(entries().values())
    return {entry.key: entry.text.render(_Html("utf8")) for entry in formatted}


def api_pages(words: list[str]) -> dict[str, str]:
    """Write the pages from which mkdocstrings makes the reference of the package, as Markdown.

    Args:
        words: the chapters, in reading order; the data sets follow.

    Returns:
        the pages by their place below `docs`: an index, one for each chapter, one for the data.
    """
    package = ROOT / "src" / "dlbook"
    words = [word for word in words if (package / f"{word}.py").is_file()]
    data = [path.stem for path in sorted((package / "data").glob("[a-z]*.py"))]
    lines = [f"- [{word}](api/{word}.md): {_promise(f'{word}.py')}" for word in words]
    lines += [
        f"- [data.{stem}](api/data.md#data{stem}): {_promise(f'data/{stem}.py')}"
        for stem in data
    ]
    whole = "Every public function of the package, made from its docstring."
    pages = {"reference/api.md": "\n".join([f"# API\n\n{whole}\n", *lines, ""])}
    for word in words:
        links = f"[Chapter](../../chapters/{word}.md) · {_source(f'{word}.py')}"
        pages[f"reference/api/{word}.md"] = (
            f"# dlbook.{word}\n\n{links}\n\n::: dlbook.{word}\n"
        )
    pages["reference/api/data.md"] = "# dlbook.data\n" + "".join(
        f"\n## data.{stem} {{ #data{stem} }}\n\n{_source(f'data/{stem}.py')}\n\n"
        f"::: dlbook.data.{stem}\n    options:\n      heading_level: 3\n"
        for stem in data
    )
    return pages


def _promise(module: str) -> str:
    """Give the first line of what a module says of itself."""
    text = (ROOT / "src" / "dlbook" / module).read_text()
    return ast.get_docstring(ast.parse(text)).splitlines()[0]


def _source(module: str) -> str:
    """Link a module to the page that shows it."""
    return f"[Source](../../{source_address(ROOT / 'src' / 'dlbook' / module)})"


def source_files() -> Iterable[Path]:
    """List the files that get a page of their own: the package and its tests."""
    yield from sorted((ROOT / "src" / "dlbook").rglob("*.py"))
    yield from sorted((ROOT / "tests").glob("test_*.py"))


def source_address(path: Path) -> str:
    """Give the place of a source file in the site, such as `source/src/dlbook/knn.py.html`."""
    return f"source/{path.relative_to(ROOT).as_posix()}.html"


def source_page(path: Path) -> str:
    """Write a source file as a page with numbered lines, each an anchor such as `#L12`."""
    name, source = path.relative_to(ROOT).as_posix(), path.read_text()
    parts = [name, source, Path(__file__).read_text(), version("pygments")]
    return kept(
        "sources", ".html", parts, lambda: _source_page(name, source), 2000
    ).read_text()


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
