"""The press from the command line: `python -m dlbook.press figure|outputs|page ...`."""

import argparse
import importlib
import sys
from pathlib import Path

from matplotlib import rc_context

from dlbook.checkout import DOCS, ROOT, settings
from dlbook.figures.style import DARK, INKED, LIGHT, LOOK, in_both_themes
from dlbook.press.cache import CACHE
from dlbook.press.page import formulas
from dlbook.press.page.fences import PageError
from dlbook.press.page.outputs import refresh
from dlbook.press.page.translate import frames_of, translated
from dlbook.press.source.drawings import draw_missing

PREVIEW = CACHE / "preview"


def preview_figure(name: str, arguments: list[str]) -> list[Path]:
    """Draw one figure in both themes, as SVG and PNG.

    Args:
        name: module and function, such as `knn.decision_regions`.
        arguments: of one frame, such as `k=5`.

    Returns:
        the files written.
    """
    import ast

    frame = {
        key: ast.literal_eval(value)
        for key, value in (a.split("=", 1) for a in arguments)
    }
    module, _, function = name.rpartition(".")
    draw = getattr(importlib.import_module(f"dlbook.figures.{module}"), function)
    PREVIEW.mkdir(parents=True, exist_ok=True)
    written = []
    pictures = in_both_themes(draw, **frame)  # as the site shows them
    for theme, svg in zip((LIGHT, DARK), pictures, strict=True):
        stem = PREVIEW / f"{name}-{theme.name}"
        stem.with_name(f"{stem.name}.svg").write_text(svg)
        with rc_context(
            dict.fromkeys(INKED, theme.ink) | LOOK | {"axes.facecolor": theme.paper}
        ):
            picture = stem.with_name(f"{stem.name}.png")
            draw(theme, **frame).savefig(picture, dpi=110, facecolor=theme.paper)
        written += [stem.with_name(f"{stem.name}.svg"), picture]
    return written


def check_page(path: Path) -> str:
    """Translate one page, draw its figures and render it, as the build would.

    Args:
        path: of a Markdown file below `docs`.

    Returns:
        one mistake with its line, or an empty text.
    """
    import markdown

    extensions, configs = [], {}
    for entry in settings()["markdown_extensions"]:
        name, options = (
            next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        )
        extensions.append(name)
        configs[name] = options
    text = path.read_text()
    where = path.resolve().relative_to(ROOT)
    try:
        draw_missing(frames_of(text))
        new = translated(text, str(path.resolve().relative_to(DOCS)))
        formulas.rendered(
            markdown.markdown(new, extensions=extensions, extension_configs=configs)
        )
    except PageError as error:
        return f"{where}:{error.line}: {error.reason}"
    except (RuntimeError, ValueError) as error:
        return f"{where}: {error}"
    return ""


def main() -> int:
    """Read the command line and do what it says; the exit status tells whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m dlbook.press", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    figure = commands.add_parser("figure", help="draw one figure into .cache/preview")
    figure.add_argument("name", help="such as knn.decision_regions")
    figure.add_argument("arguments", nargs="*", help="of one frame, such as k=5")
    outputs = commands.add_parser(
        "outputs", help="rewrite stale outputs and claims in pages"
    )
    outputs.add_argument(
        "pages", nargs="*", type=Path, help="default: all pages and README"
    )
    page = commands.add_parser("page", help="check one page without building the site")
    page.add_argument("path", type=Path)
    choice = parser.parse_args()
    if choice.command == "figure":
        for path in preview_figure(choice.name, choice.arguments):
            print(path.relative_to(ROOT))
        return 0
    if choice.command == "page":
        wrong = check_page(choice.path)
        print(wrong or f"{choice.path}: no mistake found")
        return int(bool(wrong))
    failed = 0
    for path in choice.pages or [
        ROOT / "README.md",
        *sorted((DOCS).rglob("*.md")),
    ]:
        try:
            print(f"{path}: {'rewritten' if refresh(path) else 'up to date'}")
        except RuntimeError as error:
            print(error, file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
