"""Each chapter as a notebook to download: listings resolved, runs from top to bottom."""

import ast
import re
from collections.abc import Iterable
from copy import copy

import nbformat
from nbformat.notebooknode import NotebookNode, from_dict

from dlbook.press.downloads import wheel
from dlbook.press.page.citations import CITATION, keys_of, label
from dlbook.press.page.claims import CLAIM
from dlbook.press.page.fences import CONTINUED, OUTPUT, Fence, drawing_of
from dlbook.press.page.numbering import spelled
from dlbook.press.page.page import Page
from dlbook.press.source.listings import definition, names_bound_by, parsed

# !!! warning "Pitfall: ties", ??? success "Solution"
ADMONITION = re.compile(r"^\s*(?:!!!|\?\?\?\+?)\s+\w+(?:\s+\"(?P<title>.*)\")?\s*$")
# the second half of [views](views.md#strides), not of [a site](https://...)
CHAPTER_LINK = re.compile(r"\]\((?!https?:|#)[^)]*\)")


def notebook(page: Page) -> str:
    """Turn a chapter into a notebook.

    Args:
        page: the chapter.

    Returns:
        the notebook as JSON, without outputs; equal pages give equal bytes.

    Raises:
        LookupError: a listing, figure or citation is gone.
    """
    start = (
        f"*A chapter of dlbook, made from `{page.source}`. It needs the package `dlbook`: "
        f"`%pip install ./{wheel.name()}`, a file of the book's site, installs it.*"
    )
    cells = [_markdown(start)]
    done = 0
    for fence in page.fences:
        if prose := _prose(page.lines[done : fence.first - 1], page):
            cells.append(_markdown(prose))
        if fence not in page.outputs.values():
            cells.append(_cell(fence))
        done = fence.last
    if prose := _prose(page.lines[done:], page):
        cells.append(_markdown(prose))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    return nbformat.writes(from_dict(whole | {"cells": cells}))


# nbformat's own makers hold every cell against the schema, and `writes` all of them once more
def _markdown(text: str) -> NotebookNode:
    return from_dict({"cell_type": "markdown", "metadata": {}, "source": text})


def _code(text: str) -> NotebookNode:
    empty = {"execution_count": None, "outputs": [], "metadata": {}}
    return from_dict({"cell_type": "code", "source": text} | empty)


def _prose(lines: Iterable[str], page: Page) -> str:
    """Write prose without the dialect: links between chapters, claims and citations as text."""
    kept = []
    for line in lines:
        text = line.strip()
        if text in (OUTPUT, CONTINUED):
            continue
        if heading := ADMONITION.match(line):
            text = f"**{heading['title']}**" if heading["title"] else ""
        elif not line.startswith(
            "    "
        ):  # the inside of an admonition moves to the margin
            text = line
        text = CLAIM.sub(lambda match: match["text"], spelled(text, page))
        text = CITATION.sub(
            lambda match: f"({'; '.join(label(key) for key in keys_of(match[1]))})", text
        )
        kept.append(CHAPTER_LINK.sub("]", text))
    return "\n".join(kept).strip()


def _cell(fence: Fence):
    inside = "\n".join(fence.lines)
    if fence.info == "python":
        return _code(inside)
    if fence.info == "listing":
        return _code(runnable(inside.strip()))
    if fence.info == "figure":
        drawing = drawing_of(fence)
        module, _, function = drawing.name.rpartition(".")
        call = ", ".join(
            [function, *(f"{k}={v!r}" for k, v in drawing.frames[-1].items())]
        )
        return _code(
            f"from dlbook.figures.{module} import {function}\n"
            f"from dlbook.figures.style import show\n\nshow({call})"
        )
    if fence.info == "live":
        # the widget runs in the page alone; its sentence says what to do instead
        return _markdown("\n".join(fence.lines[1:]))
    return _markdown(f"```{fence.info}\n{inside}\n```")


def runnable(name: str) -> str:
    """Give a listing together with the imports that it needs to run on its own.

    Args:
        name: module and definition, such as `knn.k_nearest_neighbors`.

    Returns:
        source text; what the listing takes from its own module is imported from there.

    Raises:
        LookupError: the definition does not exist.
    """
    path, node, source = definition(name)
    module = name.rpartition(".")[0]
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    own = set(names_bound_by(node))
    imports, neighbors = [], set()
    for statement in parsed(path)[1].body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            needed = [
                alias
                for alias in statement.names
                if (alias.asname or alias.name.split(".")[0]) in used
            ]
            if needed:
                few = copy(statement)  # the tree is shared with everybody who asks for it
                few.names = needed
                imports.append(ast.unparse(few))
        else:
            neighbors |= set(names_bound_by(statement)) & used - own
    if neighbors:
        imports.append(f"from dlbook.{module} import {', '.join(sorted(neighbors))}")
    return "\n".join([*imports, "", "", source]) if imports else source
