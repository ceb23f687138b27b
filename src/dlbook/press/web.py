"""MkDocs hooks for what the web asks beyond the text. They run before those of the book."""

from pathlib import Path

from dlbook.press import fonts
from dlbook.runs.provenance import write_atomically


def on_post_page(output, page, config):
    """Give the search dialog of the theme the name that it lacks."""
    return output.replace('role="dialog">', 'role="dialog" aria-label="Search">', 1)


def on_post_build(config):
    """Put the signs of all formulas into the style sheet that shows them."""
    if config.extra["command"] == "build":
        site = Path(config.site_dir)
        signs = fonts.signs_of(page.read_text() for page in site.rglob("*.html"))
        style = site / "assets" / "katex" / "katex.min.css"
        whole = fonts.embedded(style.read_text(), style.parent / "fonts", signs)
        write_atomically(style, whole)
