"""A browser, and a server for the built site on this machine alone."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "site"
# The first draws no window and starts fastest.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def pytest_collection_modifyitems(items):
    """Skip with a clear reason where there is no browser; where there must be one, fail."""
    reason = "no Chromium on this machine: install it (package `chromium`) to test the site in it"
    # on a busy machine a browser is late now and then; what is found wrong counts at once
    if CHROMIUM:
        mark = pytest.mark.flaky(reruns=2, only_rerun=["TimeoutError"])
    elif os.environ.get("CI"):
        mark = pytest.mark.xfail(run=False, strict=True, reason=reason)
    else:
        mark = pytest.mark.skip(reason=reason)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(mark)


@pytest.fixture(scope="session")
def address():
    """Serve the site from a free port of this machine."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    class Patient(http.server.ThreadingHTTPServer):
        def handle_error(self, *arguments):
            """Let a page hang up that is closed before it has everything."""

    handler = functools.partial(Silent, directory=str(SITE))
    with Patient(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Open pages of the site in contexts of their own, and collect what goes wrong in them."""
    contexts = []

    def open_one(path, width=1280, scheme="light", base=None, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.wrong = []
        start = base or address
        page.on("console", lambda m: m.type == "error" and page.wrong.append(m.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("requestfailed", lambda r: page.wrong.append(f"failed: {r.url}"))
        page.on(
            "request",
            lambda r: (
                r.url.startswith((start, "data:", "blob:", "file:"))
                or page.wrong.append(f"foreign: {r.url}")
            ),
        )
        page.on(
            "response",
            lambda r: r.status >= 400 and page.wrong.append(f"{r.status}: {r.url}"),
        )
        page.goto(f"{start}/{path}")
        return page

    yield open_one
    for context in contexts:
        context.close()
