"""What MkDocs calls, in the order in which it happens: the one file that knows MkDocs.

Each step is thin: it calls plain functions of the press, and tells MkDocs what came of it.
"""

import gc
import logging
import platform
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from types import SimpleNamespace

from jinja2 import FileSystemBytecodeCache
from mkdocs.exceptions import PluginError
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority, get_plugin_logger
from mkdocs.structure.files import File

from dlbook import checkout
from dlbook.checkout import (
    DOCS,
    RESULTS,
    ROOT,
    SETTINGS,
    chapters,
    commit,
    commit_date,
    parts,
    write_atomically,
)
from dlbook.press.cache import CACHE
from dlbook.press.downloads import epub, offers, pdf, programs, wheel
from dlbook.press.downloads.leaves import Content, Imprint, order
from dlbook.press.downloads.notebooks import notebook
from dlbook.press.page import formulas, rules
from dlbook.press.page.citations import BIBLIOGRAPHY, entries
from dlbook.press.page.claims import with_places
from dlbook.press.page.dialect import require_understood
from dlbook.press.page.fences import PageError, drawing_of
from dlbook.press.page.numbering import marked, numbered
from dlbook.press.page.page import Page
from dlbook.press.page.translate import frames_of, translated, unwrapped
from dlbook.press.page.widgets import SCRIPTS
from dlbook.press.source import labs
from dlbook.press.source.dependencies import look_again, newest
from dlbook.press.source.drawings import FORMS, DrawingError, draw_missing
from dlbook.press.source.listings import source_address
from dlbook.press.web import (
    api,
    bibliography,
    cards,
    descriptions,
    feed,
    folding,
    fonts,
    loading,
    notes,
    results,
    search,
    source_pages,
)
from dlbook.press.web.labs import lightened
from dlbook.press.web.programs import linked, to_copy, to_package
from dlbook.runs.record import sections_of

LOG = get_plugin_logger("dlbook")
CHANGELOG = ROOT / "CHANGELOG.md"
MADE = CACHE / "made"
TEMPLATES = CACHE / "templates"
SHEET = "assets/css/site.css"


class Press(BasePlugin):
    """The plugin `dlbook` of `mkdocs.yml`. It serves one build after the other.

    Attributes:
        command: what MkDocs was asked for, `build` or `serve`.
        checked: the state of the libraries and of the source that is checked.
        pages: each page as its author wrote it, by its address.
        written: the addresses of those that have an author; others are made.
        contents: of each page what is bound into the book, its place in the site and the HTML
            that Markdown made, by its address.
        styles: the style sheets of the theme and the book, in the order of the pages.
        judged: the mistakes of each page, for the state `judged_at` of what the rules look at.
    """

    def __init__(self) -> None:
        self.command = "build"
        self.checked = ""
        self.pages: dict[str, Page] = {}
        self.written: set[str] = set()
        self.contents: dict[str, tuple[str, str]] = {}
        self.styles: list[str] = []
        self.judged: dict[Page, list[PageError]] = {}
        self.judged_at = 0

    def on_startup(self, *, command, dirty):
        """Let MkDocs name the line of a dead link, and remember what it was asked for."""
        self.command = command
        if command == "build":
            gc.disable()  # the process ends with the build: collecting costs a tenth of it
        for logger in ("structure.pages", "structure.nav", "commands.build"):
            logging.getLogger(f"mkdocs.{logger}").addFilter(_Lines())

    def on_config(self, config):
        """Name the state that is checked, and forget what an earlier build has seen."""
        _refuse_another_checkout(Path(config.config_file_path))
        if self.command == "serve" and not self.checked:
            _require_free(*config.dev_addr)
        look_again()
        try:
            entries()
            for path in checkout.files(RESULTS, "*.json"):
                sections_of(path.stem)
        except ValueError as error:
            raise PluginError(str(error)) from error
        self.checked = (
            f"Python {platform.python_version()}, torch {version('torch')}, "
            f"torchvision {version('torchvision')}, matplotlib {version('matplotlib')}; "
            f"commit {commit()}"
        )
        return config

    def on_files(self, files, *, config):
        """Read the pages, draw what they ask for, and add every file that nobody writes."""
        # the pages of mkdocstrings have templates of their own
        _keep_templates(config.plugins["mkdocstrings"].get_handler("python").env)
        self.pages = {
            file.src_uri: Page(file.src_uri, file.content_string)
            for file in files.documentation_pages()
            if file.src_uri.endswith(".md")
        }
        self.written = set(self.pages)
        labs_written = [Page.at(path) for path in checkout.files(DOCS / "labs", "*.py")]
        self._report([*self.pages.values(), *labs_written], config.strict)
        self._draw(files, config)
        _run_labs(files)
        for uri, content in self._made(config):
            _add(files, config, uri, content)
        try:
            package = str(wheel.wheel())
        except RuntimeError as error:
            raise PluginError(str(error)) from error
        files.append(File.generated(config, wheel.name(), abs_src_path=package))
        for word, card in self._cards(config.site_description):
            address = cards.address(word)
            files.append(File.generated(config, address, abs_src_path=str(card)))
        return files

    def _report(self, pages: list[Page], is_strict: bool) -> None:
        """Tell every mistake of the pages; a strict build ends with them."""
        places = (BIBLIOGRAPHY, SCRIPTS, ROOT / "tests")  # what the rules look at besides
        dates = [place.stat().st_mtime_ns for place in places if place.exists()]
        state = max(newest(), *dates)
        if self.judged_at != state:
            self.judged, self.judged_at = {}, state
        # a served book is judged again at every change, of which one page is the cause
        self.judged = {
            page: self.judged[page] if page in self.judged else rules.mistakes(page)
            for page in pages
        }
        found = [
            f"{page.source}:{mistake.line}: {mistake.reason}"
            for page, mistakes in self.judged.items()
            for mistake in mistakes
        ]
        if found and is_strict:
            raise PluginError("\n".join(found))
        for mistake in found:
            LOG.warning(mistake)

    def _draw(self, files, config) -> None:
        """Draw the figures, and add the pictures."""
        frames = []
        for page in self.pages.values():
            with _mistakes_of(page):
                frames += frames_of(page)
        try:
            draw_missing(frames)
        except DrawingError as error:
            places = _places_of(error.name, self.pages.values())
            raise PluginError(f"{next(places, 'docs')}: {error}") from error
        except RuntimeError as error:
            raise PluginError(str(error)) from error
        for frame in dict.fromkeys(frames):
            for form in FORMS:
                uri, picture = frame.address(form), str(frame.cached(form))
                files.append(File.generated(config, uri, abs_src_path=picture))

    def _made(self, config) -> Iterator[tuple[str, str]]:
        """Write the pages and files that nobody writes, by their place below `docs`."""
        for page in self.pages.values():
            if page.kind == "chapter":
                with _mistakes_of(page):
                    yield f"notebooks/{page.word}.ipynb", notebook(page)
                    for copy in programs.copies(page):
                        if copy.address:
                            yield copy.address, copy.text
        for path in source_pages.source_files():
            yield source_address(path), source_pages.source_page(path)
        yield "reference/results.md", results.results_page(self.pages.values())
        works = bibliography.bibliography_page(self.pages.values())
        yield "reference/bibliography.md", works
        yield from api.api_pages(chapters()).items()
        changelog = CHANGELOG.read_text(encoding="utf-8")
        yield "reference/changelog.md", changelog
        changed = commit_date(CHANGELOG.name) or datetime.fromtimestamp(
            CHANGELOG.stat().st_mtime, UTC
        )
        site = config.site_url or ""
        yield "robots.txt", feed.robots(site)
        yield "feed.xml", feed.feed(changelog, site, changed)

    def _cards(self, description: str) -> Iterator[tuple[str, Path]]:
        """Draw the pictures that stand beside links: of the book, and of each chapter."""
        yield "book", cards.card(description, "", "")
        for part, sources in parts():
            pages = [self.pages[source] for source in sources if source in self.pages]
            for page in [page for page in pages if page.kind == "chapter"]:
                with _mistakes_of(page):
                    card = cards.card(page.title, part, description)
                yield page.word, card

    def on_nav(self, nav, *, config, files):
        """Number the chapters and labs in the menu, and let pages of the API lead back to it."""
        for page in nav.pages:
            number = self._page(page.file).number
            if number:  # the theme shows what is typeset in the menu alone
                title = f"{marked(number)} {escape(page.title)}"
                page.typeset = SimpleNamespace(title=title)
        if index := files.get_file_from_path("reference/api.md"):
            for file in files.documentation_pages():
                if file.src_uri.startswith("reference/api/"):
                    file.page.parent = (
                        index.page
                    )  # the trail above it, and the branch open
        return nav

    def on_env(self, env, *, config, files):
        """Keep the compiled templates of the theme."""
        return _keep_templates(env)

    def on_page_markdown(self, markdown, *, page, config, files):
        """Replace the book's own fences, claims and citations."""
        if not page.file.src_uri.endswith(".md"):
            return markdown
        ours = self._page(page.file)
        with _mistakes_of(ours):
            return translated(ours)

    def on_page_content(self, html, *, page, config, files):
        """Take the page for the book; add the head of a chapter and the foot of every page."""
        html, ours = with_places(unwrapped(html)), self._page(page.file)
        page.meta["search"] = search.settings_of(ours.address)
        if ours.address in self.written:
            _report_left(html, ours, config.strict)
        self.contents[ours.address] = (page.file.dest_uri, numbered(html, ours))
        if ours.kind == "chapter":
            html = html.replace("</h1>", f"</h1>\n{_head(ours, files)}", 1)
            html += self._foot(ours, files)
        return f'{html}\n<p class="checked">Checked with {self.checked}.</p>'

    def on_page_context(self, context, *, page, config, nav):
        """Tell search engines and link previews what the page is about."""
        ours = self._page(page.file)
        text = config.site_description
        with _mistakes_of(ours):
            if ours.kind == "chapter":
                text = descriptions.chapter_description(ours.text)
            elif ours.kind == "lab":
                text = descriptions.lab_description(ours.text)
                page.meta["title"] = f"{descriptions.lab_title(ours.text)} (lab)"
        # behind the last chapter no lab of the first one follows, nor does it lead back there
        if ours.kind == "chapter" and "labs/" in getattr(page.next_page, "url", ""):
            page.next_page = None
        if ours.kind == "lab" and "chapters/" in getattr(page.previous_page, "url", ""):
            page.previous_page = None
        page.meta["description"] = escape(text)
        has_card = ours.kind in ("chapter", "lab") and ours.word in chapters()
        page.meta["card"] = cards.address(ours.word if has_card else "book")
        return context

    def on_post_page(self, output, *, page, config):
        """Render the formulas and lighten the page, after the search index has been fed."""
        ours = self._page(page.file)
        if ours.kind == "lab":
            output, pictures = lightened(output, ours.word)
            for address, svg in pictures.items():
                write_atomically(Path(config.site_dir) / address, svg)
            output = output.replace("</h1>", f"</h1>\n{self._lab_head(ours)}", 1)
        output = numbered(output, ours)
        try:
            output = formulas.rendered(output)
        except ValueError as error:
            line = formulas.line_of(str(error), ours.lines)
            raise PluginError(f"{ours.source}:{line}: {error}") from error
        output = loading.reachable(loading.patient(loading.named(output)))
        if ours.kind == "chapter":
            with _mistakes_of(ours):
                output = linked(output, self._program_links(ours))
            output = loading.parted(folding.folded(output))
        _, glossary = self.contents.get("reference/glossary.md", ("", ""))
        output = notes.noted(output, page.file.dest_uri, glossary)
        if self.command != "build":
            return output
        self.styles = loading.sheets_of(output, page.url)
        return loading.bound_to(output, page.url, SHEET)

    @event_priority(100)  # before the theme writes its index
    def _index(self, *, config):
        """Add the terms of the glossary to the index, and take the code of the labs out."""
        place, html = self.contents.get("reference/glossary.md", ("", ""))
        glossary = self.pages.get("reference/glossary.md")
        index = config.plugins["material/search"].search_index
        index.entries = [
            search.prose_of(entry) if entry["location"].startswith("labs/") else entry
            for entry in index.entries
        ]
        if place and glossary:
            index.entries += search.terms(html, glossary, place)

    @event_priority(-200)  # after the theme has made its search work from disk
    def _take_along(self, *, config):
        """Make the files to take along, and let the home page offer those that were made."""
        site = Path(config.site_dir)
        home = site / "index.html"
        page = home.read_text(encoding="utf-8")
        if self.command == "build":
            made = fonts.embed(site)
            sheets = {
                place: made.get(place) or (site / place).read_text(encoding="utf-8")
                for place in self.styles
            }
            write_atomically(site / SHEET, loading.one_sheet(sheets, SHEET))
        home.write_text(
            offers.offered(page, []), encoding="utf-8"
        )  # nor does the packed one offer itself
        if self.command == "build":
            made = [offers.packed(site), *self._bound(config)]
            home.write_text(offers.offered(page, made), encoding="utf-8")

    on_post_build = CombinedEvent(_index, _take_along)

    def _bound(self, config) -> Iterator[str]:
        """Bind the pages into a PDF and an EPUB, and name the files that could be made."""
        site, wanted = Path(config.site_dir), order(parts())
        if not all(source in self.contents for _, source in wanted):
            return  # a dirty build renders the changed pages alone
        pages = [Content(part, *self.contents[source]) for part, source in wanted]
        imprint = Imprint(
            name=config.site_name,
            description=config.site_description,
            version=version("dlbook"),
            checked=self.checked,
            date=commit_date(),
            site=config.site_url or "",
        )
        for kind, book in (("pdf", pdf.book), ("epub", epub.book)):
            made = book(pages, imprint, site)
            if made:
                copyfile(made, site / f"dlbook.{kind}")
                yield f"dlbook.{kind}"

    def _foot(self, chapter: Page, files) -> str:
        """Lead on from the end of a chapter: to its lab, and to the next chapter."""
        links = []
        if files.get_file_from_path(f"labs/{chapter.word}.py"):
            links.append(
                f'<a href="../labs/{chapter.word}.html">The lab of this chapter</a>'
            )
        words = chapters()
        following = (
            words[words.index(chapter.word) + 1 :] if chapter.word in words else []
        )
        if following and (after := self.pages.get(f"chapters/{following[0]}.md")):
            title = f"Next chapter: {marked(after.number)} {escape(after.title)}"
            links.append(f'<a href="{after.word}.html">{title}</a>')
        return f'\n<p class="chapter-foot">{"".join(links)}</p>' if links else ""

    def _program_links(self, chapter: Page) -> list[str]:
        """Write for each block of a chapter the link that stands beside it; empty if none does."""
        links = []
        for number, fence in enumerate(
            (f for f in chapter.fences if f.info == "python"), 1
        ):
            copies = programs.copies(chapter)
            copy = next(c for c in copies if c.first <= fence.first <= c.last)
            link = ""
            if copy.address:
                link = to_copy(chapter.way_to(copy.address), number)
            elif copy.lacks and "reference/run.md" in self.pages:
                way = chapter.way_to("reference/run.html")
                link = to_package(way, number, copy.lacks)
            links.append(link)
        return links

    def _lab_head(self, lab: Page) -> str:
        """Write what stands below the title of a lab: its chapter, its notebook, how to run it."""
        links = [f'<a href="{lab.word}.ipynb" download>Notebook</a>']
        if chapter := self.pages.get(f"chapters/{lab.word}.md"):
            address = f"../chapters/{lab.word}.html"
            title = f"Chapter {marked(chapter.number)}: {escape(chapter.title)}"
            links.insert(0, f'<a href="{address}">{title}</a>')
        if "reference/run.md" in self.pages:
            links.append('<a href="../reference/run.html">Run it yourself</a>')
        return f'<p class="chapter-head">{"".join(links)}</p>'

    def _page(self, file) -> Page:
        """Give the page of a file; labs and pages that nobody writes are read when asked for."""
        address = file.src_uri
        if address not in self.pages:
            is_lab = address.endswith(".py")  # MkDocs is shown a notebook in its place
            text = (
                (DOCS / address).read_text(encoding="utf-8")
                if is_lab
                else file.content_string
            )
            self.pages[address] = Page(address, text)
        return self.pages[address]


class _Lines(logging.Filter):
    """Add the line to what MkDocs says about a dead link or anchor."""

    # Doc file 'chapters/knn.md' contains a link '../reference/nowhere.md', but the target …
    COMPLAINT = re.compile(
        r"Doc file '(?P<page>[^']+)' contains a link '(?P<link>[^']+)'"
    )

    def filter(self, record):
        match = self.COMPLAINT.search(record.getMessage())
        source = DOCS / match["page"] if match else None
        if source and source.is_file():
            for number, line in enumerate(
                source.read_text(encoding="utf-8").splitlines(), start=1
            ):
                if match["link"] in line:
                    record.msg = f"docs/{match['page']}:{number}: {record.getMessage()}"
                    record.args = ()
                    break
        return True


def _refuse_another_checkout(settings: Path) -> None:
    """Refuse the docs of another checkout: its listings and figures would be those of this one."""
    if settings.resolve() != SETTINGS.resolve():
        reason = (
            f"{settings} is built with the package of {ROOT}: install the one beside it"
        )
        raise PluginError(reason)


def _places_of(figure: str, pages: Iterable[Page]) -> Iterator[str]:
    """Find the fences that ask for a figure, as editors find them."""
    for page in pages:
        for fence in page.fences:
            if fence.info == "figure" and drawing_of(fence).name == figure:
                yield f"{page.source}:{fence.first}"


def _report_left(html: str, page: Page, is_strict: bool) -> None:
    """Tell what Markdown has left as text; a strict build ends with it."""
    try:
        require_understood(html, page)
    except PageError as error:
        told = f"{page.source}:{error.line}: {error.reason}"
        if is_strict:
            raise PluginError(told) from error
        LOG.warning(told)


def _require_free(host: str, port: int) -> None:
    """Look whether the site can be served there, before all of it is built."""
    if not 1 <= port <= 65535:
        raise PluginError(f"a port lies between 1 and 65535, got {port}")
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    try:
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        raise PluginError(
            f"{host}:{port} cannot be listened to ({error.strerror}): "
            f"take another port, such as `make serve PORT={port + 1}`"
        ) from error


@contextmanager
def _mistakes_of(page: Page) -> Iterator[None]:
    """Name file and line of a mistake, in the form that editors can jump to."""
    try:
        yield
    except PageError as error:
        raise PluginError(f"{page.source}:{error.line}: {error.reason}") from error
    except (ValueError, LookupError) as error:
        raise PluginError(f"{page.source}: {error}") from error


def _keep_templates(environment):
    """Keep compiled templates between builds; Jinja looks itself whether one has changed."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    environment.bytecode_cache = FileSystemBytecodeCache(str(TEMPLATES))
    return environment


def _run_labs(files) -> None:
    """Run the labs, and let mkdocs-jupyter, which has found the scripts, show what they print."""
    scripts = [file for file in files if re.fullmatch(r"labs/\w+\.py", file.src_uri)]
    paths = [Path(file.abs_src_path) for file in scripts]
    try:
        places = labs.run_missing(paths)
    except RuntimeError as error:
        raise PluginError(str(error)) from error
    for file, place in zip(scripts, places, strict=True):
        file.abs_src_path = str(place)


def _add(files, config, uri: str, content: str) -> None:
    """Add a file that is made; an unchanged one keeps its date, so that nobody builds it again."""
    path = MADE / uri
    if not path.is_file() or path.read_text(encoding="utf-8") != content:
        write_atomically(path, content)
    files.append(File.generated(config, uri, abs_src_path=str(path)))


def _head(page: Page, files) -> str:
    """Write what stands below the title of a chapter: time to read, notebook, lab, API."""
    links = [f"<span>{page.minutes} minutes to read</span>"]
    links.append(f'<a href="../notebooks/{page.word}.ipynb" download>Notebook</a>')
    if files.get_file_from_path(f"labs/{page.word}.py"):
        links.append(f'<a href="../labs/{page.word}.html">Lab</a>')
    if files.get_file_from_path(f"reference/api/{page.word}.md"):
        links.append(f'<a href="../reference/api/{page.word}.html">API</a>')
    if files.get_file_from_path("reference/run.md"):
        links.append('<a href="../reference/run.html">Run it yourself</a>')
    return f'<p class="chapter-head">{"".join(links)}</p>'
