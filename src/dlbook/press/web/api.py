"""The pages from which mkdocstrings makes the reference of the package."""

import ast

from dlbook.checkout import PACKAGE, ROOT, files
from dlbook.press.source.listings import source_address


def api_pages(words: list[str]) -> dict[str, str]:
    """Write the pages from which mkdocstrings makes the reference of the package, as Markdown.

    Args:
        words: the chapters, in reading order; the data sets follow.

    Returns:
        the pages by their place below `docs`: an index, one for each chapter, one for the data.
    """
    words = [word for word in words if (PACKAGE / f"{word}.py").is_file()]
    data = [path.stem for path in files(PACKAGE / "data", "[a-z]*.py")]
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
    text = (PACKAGE / module).read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(text)).splitlines()[0]


def _source(module: str) -> str:
    """Link a module to the page that shows it."""
    return f"[Source](../../{source_address(ROOT / 'src' / 'dlbook' / module)})"
