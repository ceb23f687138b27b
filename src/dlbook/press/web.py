"""MkDocs hooks for what the web asks of a page beyond its text."""

from pathlib import Path

from mkdocs.plugins import event_priority

from dlbook.checkout import write_atomically
from dlbook.press import fonts, lean
from dlbook.press.pages import unwrapped

SHEET = "assets/css/site.css"
FACES = (  # that stand at the top of every page
    "source-serif-4-latin-400-normal",
    "source-serif-4-latin-600-normal",
    "source-serif-4-latin-400-italic",
    "source-serif-4-latin-ext-400-normal",
    "ibm-plex-mono-latin-400-normal",
)
SHEETS: list[str] = []  # of the theme and the book, in the order of the pages


def on_page_content(html, page, config, files):
    """Mend what Markdown does to a figure in a remark."""
    return unwrapped(html)


@event_priority(-50)  # the hooks of the book still read the page of the theme
def on_post_page(output, page, config):
    """Name what the theme leaves unnamed, and let the page show quickly."""
    output = output.replace('role="dialog">', 'role="dialog" aria-label="Search">', 1)
    output = lean.reachable(lean.patient(output))
    if page.file.src_uri.startswith("chapters/"):
        output = lean.parted(output)
    if config.extra["command"] != "build":
        return output
    SHEETS[:] = lean.sheets_of(output, page.url)
    return lean.bound_to(output, page.url, SHEET)


@event_priority(50)  # before the site is packed
def on_post_build(config):
    """Put the signs of all pages into the style sheets, and all style sheets into one."""
    if config.extra["command"] != "build":
        return
    assets = Path(config.site_dir) / "assets"
    pages = [page.read_text() for page in assets.parent.rglob("*.html")]
    letters = fonts.letters_of(pages)
    faces = {
        face: fonts.had_by(assets / f"fonts/{face}.woff2", letters) for face in FACES
    }
    for style, folder, signs in (
        (assets / "katex" / "katex.min.css", "katex/fonts", fonts.signs_of(pages)),
        (assets / "css" / "book.css", "fonts", faces),
    ):
        whole = fonts.embedded(style.read_text(), assets / folder, signs)
        write_atomically(style, whole)
    write_atomically(assets.parent / SHEET, lean.one_sheet(assets.parent, SHEETS, SHEET))
