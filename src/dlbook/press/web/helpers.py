"""Helpers: the functions of the book that a block imports or a listing calls, and their notes.

Code is read as the interpreter reads it: a name counts where it stands for what was imported, not
where a variable or a keyword happens to be called the same. The first mention on a page is a
link, so that the keyboard reaches it, unless the page shows the helper as a listing; the others are
no stops, and a copy holds the same text.
"""

import ast
import re
from collections.abc import Callable, Mapping
from functools import cache
from html import escape, unescape
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from dlbook.checkout import PACKAGE, ROOT, chapters
from dlbook.press.source.dependencies import imports_of
from dlbook.press.source.listings import (
    definition,
    module_path,
    parsed,
    source_address,
)
from dlbook.press.web.folding import NAME

LONGEST = 25  # lines of a body that a note shows
Target = tuple[str, str]  # module below `dlbook`, and name; `*` is the module itself
# <div class="block highlight"><pre id="__code_1"><span></span><code tabindex="0">...</code>
CODE = re.compile(
    r'(?P<head><div class="(?P<kind>block|listing) highlight">'
    r'(?:<span class="filename">(?P<file>[^<]*)</span>)?<pre[^>]*>(?:<span></span>)?'
    r"<code[^>]*>)(?P<code>.*?)(?=</code>)",
    re.DOTALL,
)
# <span class="n">, </span>
TAG = re.compile(r"(<[^>]*>)")
# Count the votes. Ties go to the class that comes first.
SENTENCE = re.compile(r".*?\.(?=\s|$)", re.DOTALL)


def with_helpers(page: str, up: str) -> tuple[str, dict[str, str]]:
    """Mark the helpers in the code of a page.

    Args:
        page: HTML, whose blocks and listings Pygments has set.
        up: the way from the page to the top of the site, such as `..`.

    Returns:
        the page, which is the same without its tags; and a note for each helper that it names,
        by the address of its documentation.
    """
    known: dict[str, Target] = {}
    notes: dict[str, str] = {}
    address, listed = cache(address_of), _listed(page)

    def mention(name: str, target: Target) -> str:
        place = address(*target)
        if not place:
            return name
        link = f"{up}/{place}"
        is_first = link not in notes
        if is_first:
            notes[link] = note(*target, link)
        if is_first and target not in listed:
            return f'<a class="helper" href="{link}">{name}</a>'
        return f'<span class="helper" data-of="{link}">{name}</span>'

    def mark(match: re.Match) -> str:
        text = unescape(TAG.sub("", match["code"]))
        try:
            tree = ast.parse(text)
        except SyntaxError:  # what only a notebook understands
            return match[0]
        bound = _bound_by(tree)
        if match["kind"] == "listing":
            whole = _names_of(_module_of(match["file"]))
            links = {name: whole[name] for name in set(whole) - bound}
        else:
            for name in bound & set(known):  # a block may go on with the one before
                del known[name]
            imported = imports_of(tree)
            known.update({name: imported[name] for name in set(imported) - bound})
            links = known
        return match["head"] + _marked(match["code"], _uses(text, tree, links), mention)

    return CODE.sub(mark, page), notes


def _listed(page: str) -> set[Target]:
    """Find the definitions that a page shows as listings: the keyboard need not stop for them."""
    found = set()
    for match in CODE.finditer(page):
        if match["kind"] == "listing":
            names = NAME.findall(match["code"])
            found |= {(_module_of(match["file"]), name) for name in names[:1]}
    return found


def _module_of(file: str | None) -> str:
    """Give the module below `dlbook` of a file such as `src/dlbook/knn.py`; empty for others."""
    path = ROOT / (file or ".")
    if not path.is_file() or not path.is_relative_to(PACKAGE):
        return ""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def _names_of(module: str) -> dict[str, Target]:
    """Find what the names of a module stand for: its own helpers, and those it imports."""
    path = module_path(module)
    return _names(module, path, path.stat().st_mtime_ns) if path.is_file() else {}


@cache
def _names(module: str, path: Path, _changed: int) -> dict[str, Target]:
    tree = parsed(path)[1]
    links = {
        node.name: (module, node.name)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    return links | imports_of(tree)


def _bound_by(tree: ast.Module) -> set[str]:
    """Name what a program defines itself: there a name is no helper of the book."""
    nodes = list(ast.walk(tree))
    bound = {
        n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    }
    bound |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    return bound | {
        n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)
    }


def _uses(
    text: str, tree: ast.Module, links: Mapping[str, Target]
) -> dict[int, tuple[str, Target]]:
    """Find where a program names helpers: name and target, by the place in its text."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    lines = text.split("\n")

    def place(line: int, column: int) -> int:  # Python counts bytes in a line
        before = lines[line - 1].encode()[:column].decode()
        return starts[line - 1] + len(before)

    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in links:
            target = links[node.id]
            found[place(node.lineno, node.col_offset)] = (node.id, target)
        elif isinstance(node, ast.alias) and (node.asname or node.name) in links:
            target = links[node.asname or node.name]
            found[place(node.lineno, node.col_offset)] = (node.name, target)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name = links.get(node.value.id, ("", ""))
            if name == "*":
                end = place(node.end_lineno, node.end_col_offset)
                found[end - len(node.attr)] = (node.attr, (module, node.attr))
    return found


def _marked(
    code: str,
    uses: Mapping[int, tuple[str, Target]],
    mention: Callable[[str, Target], str],
) -> str:
    """Mark the uses of helpers in code that Pygments has set."""
    place, parts = 0, []
    for part in TAG.split(code):
        marked = part
        if not part.startswith("<"):
            name, target = uses.get(place, ("", ("", "")))
            place += len(unescape(part))
            if name and name == part:
                marked = mention(name, target)
        parts.append(marked)
    return "".join(parts)


def address_of(module: str, name: str) -> str:
    """Give the place in the site that documents a helper; empty if there is no such helper.

    Args:
        module: below `dlbook`, such as `knn`.
        name: a definition in it, or `*` for the module itself.
    """
    path = module_path(module)
    if not path.is_file():
        return ""
    is_data = module.startswith("data.")
    has_page = is_data or module in chapters()
    page = f"reference/api/{'data' if is_data else module}.html"
    if name == "*":
        in_page = f"{page}#{module.replace('.', '')}" if is_data else page
        return in_page if has_page else source_address(path)
    try:
        _, node, _ = definition(f"{module}.{name}")
    except LookupError:
        return ""
    is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and name[0] != "_"
    if has_page and is_public:
        return f"{page}#dlbook.{module}.{name}"
    return f"{source_address(path)}#L{node.lineno}"


def note(module: str, name: str, address: str) -> str:
    """Write what a helper is: its signature, its first sentence and, if it is short, its body.

    Args:
        module: below `dlbook`, such as `knn`.
        name: a definition in it, or `*` for the module itself.
        address: of its documentation, as the page links it.

    Returns:
        HTML.

    Raises:
        LookupError: there is no such definition.
    """
    path = module_path(module)
    if name == "*":
        return _module_note(module, parsed(path)[1])
    text, is_whole = abridged(f"{module}.{name}")
    return (
        f'<p class="from">dlbook.{module}</p>'
        f'<pre class="highlight"><code>{_colored(text)}</code></pre>'
        + ("" if is_whole else f'<p class="from"><a href="{address}">more</a></p>')
    )


def _module_note(module: str, tree: ast.Module) -> str:
    sentence = escape(first_sentence(ast.get_docstring(tree) or ""))
    return f"<p><b>dlbook.{module}</b>: {sentence}</p>"


@cache
def _colored(text: str) -> str:
    return highlight(text, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip("\n")


def abridged(name: str) -> tuple[str, bool]:
    """Shorten a definition to its signature, the first sentence of its docstring and its body.

    Args:
        name: module and definition, such as `knn.vote`.

    Returns:
        lines of the source, and whether the body is among them; one of more than `LONGEST`
        lines is not.

    Raises:
        LookupError: there is no such definition.
    """
    _, node, source = definition(name)
    lines = source.split("\n")
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return source, True
    above = node.end_lineno - len(lines)  # lines of the file before the definition
    first = node.body[0]
    docstring = ast.get_docstring(node)
    if not docstring:
        body, head = lines[first.lineno - above - 1 :], lines[: first.lineno - above - 1]
    else:
        start, end = first.lineno - above - 1, first.end_lineno - above
        margin = " " * first.col_offset
        head = [*lines[:start], f'{margin}"""{first_sentence(docstring)}"""']
        body = lines[end:]
        while body and not body[0].strip():
            body = body[1:]
    is_whole = len(body) <= LONGEST
    return "\n".join([*head, *(body if is_whole else [])]), is_whole


def first_sentence(docstring: str) -> str:
    """Give the first sentence of a docstring, on one line."""
    paragraph = docstring.partition("\n\n")[0]
    found = SENTENCE.match(paragraph)
    return " ".join((found[0] if found else paragraph).split())
