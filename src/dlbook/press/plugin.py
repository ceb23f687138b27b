"""What MkDocs calls, in the order in which it happens: the one file that knows MkDocs.

Each step is thin, and calls a plain function of the press.
"""

import gc
import logging
import platform
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile, move
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from jinja2 import FileSystemBytecodeCache
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

from dlbook.checkout import (
    DOCS,
    ROOT,
    chapters,
    commit,
    commit_date,
    parts,
    write_atomically,
)
from dlbook.press.cache import CACHE
from dlbook.press.downloads import epub, pdf
from dlbook.press.downloads.leaves import Imprint, Page, article, order
from dlbook.press.downloads.notebooks import notebook
from dlbook.press.downloads.offers import offered
from dlbook.press.page import formulas
from dlbook.press.page.citations import CITATION, keys_of
from dlbook.press.page.fences import PageError, prose_of
from dlbook.press.page.page import word_of
from dlbook.press.page.translate import frames_of, translated, unwrapped
from dlbook.press.source import labs
from dlbook.press.source.dependencies import look_again
from dlbook.press.source.drawings import THEMES, draw_missing
from dlbook.press.source.listings import source_address
from dlbook.press.web import (
    api,
    bibliography,
    cards,
    descriptions,
    feed,
    fonts,
    loading,
    results,
    source_pages,
)
from dlbook.press.web.labs import lightened

CHANGELOG = ROOT / "CHANGELOG.md"
MADE = CACHE / "made"
TEMPLATES = CACHE / "templates"
WORDS_PER_MINUTE = 200
STARTED: dict[str, str] = {}  # what MkDocs was asked for: build or serve
SHEET = "assets/css/site.css"
FACES = (  # that stand at the top of every page
    "source-serif-4-latin-400-normal",
    "source-serif-4-latin-600-normal",
    "source-serif-4-latin-400-italic",
    "source-serif-4-latin-ext-400-normal",
    "ibm-plex-mono-latin-400-normal",
)
SHEETS: list[str] = []  # of the theme and the book, in the order of the pages
TAKEN: dict[str, tuple[str, str]] = {}  # by source: address and article, to be bound


class _Lines(logging.Filter):
    """Add the line to what MkDocs says about a dead link or anchor."""

    COMPLAINT = re.compile(
        r"Doc file '(?P<page>[^']+)' contains a link '(?P<link>[^']+)'"
    )

    def filter(self, record):
        match = self.COMPLAINT.search(record.getMessage())
        source = DOCS / match["page"] if match else None
        if source and source.is_file():
            for number, line in enumerate(source.read_text().splitlines(), start=1):
                if match["link"] in line:
                    record.msg = f"docs/{match['page']}:{number}: {record.getMessage()}"
                    record.args = ()
                    break
        return True


def on_startup(command, dirty):
    """Let MkDocs name the line of a dead link, and remember what it was asked for."""
    STARTED["command"] = command
    if command == "build":
        gc.disable()  # the process ends with the build: collecting costs a tenth of its time
    for logger in (
        "mkdocs.structure.pages",
        "mkdocs.structure.nav",
        "mkdocs.commands.build",
    ):
        logging.getLogger(logger).addFilter(_Lines())


def on_config(config):
    """Name the state that was checked, and forget what an earlier build has seen."""
    look_again()
    config.extra["command"] = STARTED.get("command", "build")
    config.extra["checked"] = (
        f"Python {platform.python_version()}, torch {version('torch')}, "
        f"torchvision {version('torchvision')}, matplotlib {version('matplotlib')}; "
        f"commit {commit()}"
    )
    return config


def _keep_templates(environment):
    """Keep compiled templates between builds; Jinja looks itself whether one has changed."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    environment.bytecode_cache = FileSystemBytecodeCache(str(TEMPLATES))
    return environment


def on_env(env, config, files):
    """Keep the compiled templates of the theme."""
    return _keep_templates(env)


def on_files(files, config):
    """Draw what the pages ask for, and add every page and file that is made, not written."""
    _keep_templates(config.plugins["mkdocstrings"].get_handler("python").env)
    pages = [file for file in files.documentation_pages() if file.src_uri.endswith(".md")]
    frames = []
    for file in pages:
        with _mistakes_of(file):
            frames += frames_of(file.content_string)
            if file.src_uri.startswith("chapters/"):
                book = notebook(file.content_string, file.src_uri)
                _add(files, config, f"notebooks/{word_of(file.src_uri)}.ipynb", book)
    try:
        draw_missing(frames)
    except RuntimeError as error:
        raise PluginError(str(error)) from error
    for frame in dict.fromkeys(frames):
        for theme in THEMES:
            uri, picture = frame.address(theme), str(frame.cached(theme))
            files.append(File.generated(config, uri, abs_src_path=picture))
    _run_labs(files)
    for path in source_pages.source_files():
        _add(files, config, source_address(path), source_pages.source_page(path))
    _add(files, config, "reference/results.md", results.results_page())
    works = bibliography.bibliography_page(_citing(pages))
    _add(files, config, "reference/bibliography.md", works)
    for address, page in api.api_pages(chapters()).items():
        _add(files, config, address, page)
    _add(files, config, "reference/changelog.md", CHANGELOG.read_text())
    _announce(files, config)
    return files


def _announce(files, config):
    """Add what is read by those who do not open a page: robots, the feed, and a card to a link."""
    site = config.site_url or ""
    changed = commit_date(CHANGELOG.name) or datetime.fromtimestamp(
        CHANGELOG.stat().st_mtime, UTC
    )
    _add(files, config, "robots.txt", feed.robots(site))
    _add(files, config, "feed.xml", feed.feed(CHANGELOG.read_text(), site, changed))
    described = {"book": ("", config.site_description, "")}
    for part, source in order(parts()):
        file = files.get_file_from_path(source)
        if source.startswith("chapters/") and file:
            title = re.search(r"^# (.+)$", file.content_string, re.MULTILINE)[1]
            described[word_of(source)] = (part, title, config.site_description)
    for word, (part, title, below) in described.items():
        picture = str(cards.card(title, part, below))
        files.append(File.generated(config, cards.address(word), abs_src_path=picture))


def _run_labs(files):
    """Run the labs, and let mkdocs-jupyter, which has found the scripts, show what they print."""
    scripts = [file for file in files if re.fullmatch(r"labs/\w+\.py", file.src_uri)]
    paths = [Path(file.abs_src_path) for file in scripts]
    try:
        labs.run_missing(paths)
    except RuntimeError as error:
        raise PluginError(str(error)) from error
    for file, path in zip(scripts, paths, strict=True):
        file.abs_src_path = str(labs.kept(path))


def _citing(pages):
    """Collect for each work the (title, address) of the pages that cite it."""
    citing = {}
    for file in pages:
        text = file.content_string
        title = re.search(r"^# (.+)$", text, re.MULTILINE)
        entry = (title[1] if title else file.src_uri, f"../{file.src_uri}")
        for citation in CITATION.findall(prose_of(text)):
            for key in keys_of(citation):
                citing.setdefault(key, {})[entry] = None
    return {key: list(entries) for key, entries in citing.items()}


def _add(files, config, uri, content):
    """Add a file that is made; an unchanged one keeps its date, so that nobody builds it again."""
    path = MADE / uri
    if not path.is_file() or path.read_text() != content:
        write_atomically(path, content)
    files.append(File.generated(config, uri, abs_src_path=str(path)))


@contextmanager
def _mistakes_of(file):
    """Name file and line of a mistake, in the form that editors can jump to."""
    where = f"docs/{file.src_uri}"
    try:
        yield
    except PageError as error:
        raise PluginError(f"{where}:{error.line}: {error.reason}") from error
    except (ValueError, LookupError) as error:
        raise PluginError(f"{where}: {error}") from error


def on_page_markdown(markdown, page, config, files):
    """Replace the book's own fences, claims and citations."""
    if not page.file.src_uri.endswith(".md"):
        return markdown
    with _mistakes_of(page.file):
        return translated(page.file.content_string, page.file.src_uri)


def on_page_context(context, page, config, nav):
    """Tell search engines and link previews what the page is about."""
    address = page.file.src_uri
    source = DOCS / address
    with _mistakes_of(page.file):
        if address.startswith("chapters/"):
            text = descriptions.chapter_description(source.read_text())
        elif address.startswith("labs/"):
            text = descriptions.lab_description(source.read_text())
        else:
            text = config.site_description
    page.meta["description"] = escape(text)
    word = word_of(address)
    has_chapter = word in chapters()
    page.meta["card"] = cards.address(word if has_chapter else "book")
    return context


def on_page_content(html, page, config, files):
    """Mend figures in remarks; add the head of a chapter and the foot of every page."""
    html = unwrapped(html)
    address = page.file.src_uri
    word = word_of(address)
    if address.startswith("chapters/"):
        minutes = max(1, round(len(prose_of(page.markdown).split()) / WORDS_PER_MINUTE))
        links = [f"<span>{minutes} minutes to read</span>"]
        links.append(f'<a href="../notebooks/{word}.ipynb" download>Notebook</a>')
        if files.get_file_from_path(f"labs/{word}.py"):
            links.append(f'<a href="../labs/{word}.html">Lab</a>')
        if files.get_file_from_path(f"reference/api/{word}.md"):
            links.append(f'<a href="../reference/api/{word}.html">API</a>')
        head = f'<p class="chapter-head">{"".join(links)}</p>'
        html = html.replace("</h1>", f"</h1>\n{head}", 1)
    return f'{html}\n<p class="checked">Checked with {config.extra["checked"]}.</p>'


def on_post_page(output, page, config):
    """Render the formulas and lighten the page, after the search index has been fed."""
    if page.file.src_uri.startswith("labs/"):
        output, pictures = lightened(output, word_of(page.file.src_uri))
        for address, svg in pictures.items():
            write_atomically(Path(config.site_dir) / address, svg)
    elif config.extra["command"] == "build":
        TAKEN[page.file.src_uri] = (page.file.dest_uri, article(output))
    try:
        output = formulas.rendered(output)
    except ValueError as error:
        raise PluginError(f"{_place(page.file, str(error))}: {error}") from error
    return _quick(output, page, config)


def _quick(output, page, config):
    """Name what the theme leaves unnamed, and let the page show quickly."""
    output = output.replace('role="dialog">', 'role="dialog" aria-label="Search">', 1)
    output = loading.reachable(loading.patient(output))
    if page.file.src_uri.startswith("chapters/"):
        output = loading.parted(output)
    if config.extra["command"] != "build":
        return output
    SHEETS[:] = loading.sheets_of(output, page.url)
    return loading.bound_to(output, page.url, SHEET)


def _place(file, reason):
    """Find the line of a refused formula."""
    latex = reason.removeprefix("formula $").partition("$: ")[0]
    lines = (DOCS / file.src_uri).read_text().splitlines()
    first = latex.splitlines()[0] if latex else ""
    for number, line in enumerate(lines, start=1):
        if first and first in line:
            return f"docs/{file.src_uri}:{number}"
    return f"docs/{file.src_uri}"


@event_priority(-200)  # after the theme has made its search work from disk
def on_post_build(config):
    """Make the files to take along, and let the home page offer those that were made."""
    if config.extra["command"] == "build":
        _embed_fonts(Path(config.site_dir))
    home = Path(config.site_dir) / "index.html"
    page = home.read_text()
    home.write_text(offered(page, []))  # nor does the packed home page offer itself
    if config.extra["command"] == "build":
        home.write_text(offered(page, [_packed(config), *_bound(config)]))


def _embed_fonts(site):
    """Put the signs of all pages into the style sheets, and all style sheets into one."""
    assets = site / "assets"
    pages = [page.read_text() for page in site.rglob("*.html")]
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
    write_atomically(site / SHEET, loading.one_sheet(site, SHEETS, SHEET))


def _packed(config):
    """Pack the site to take along, beside the search index that works from disk."""
    site = Path(config.site_dir)
    with TemporaryDirectory() as folder:
        made = f"{folder}/dlbook.zip"
        with ZipFile(made, "w", ZIP_DEFLATED, compresslevel=3) as archive:
            for path in sorted(site.rglob("*")):
                archive.write(path, path.relative_to(site))
        move(made, site / "dlbook.zip")
    return "dlbook.zip"


def _bound(config):
    """Bind the pages into a PDF and an EPUB, and name the files that could be made."""
    site, wanted = Path(config.site_dir), order(parts())
    if not all(source in TAKEN for _, source in wanted):
        return  # a dirty build renders the changed pages alone
    pages = [Page(part, *TAKEN[source]) for part, source in wanted]
    imprint = Imprint(
        name=config.site_name,
        description=config.site_description,
        version=version("dlbook"),
        checked=config.extra["checked"],
        date=commit_date(),
        site=config.site_url or "",
    )
    for kind, book in (("pdf", pdf.book), ("epub", epub.book)):
        made = book(pages, imprint, site)
        if made:
            copyfile(made, site / f"dlbook.{kind}")
            yield f"dlbook.{kind}"
