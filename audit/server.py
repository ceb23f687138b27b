"""The site over HTTP, its text compressed, as every static host sends it."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

DENSE = (".woff2", ".png", ".zip", ".epub", ".pdf", ".gz")


class Compressing(SimpleHTTPRequestHandler):
    """Sends what is text with gzip, and lets the browser keep everything for a while."""

    protocol_version = "HTTP/1.1"

    def send_head(self):
        """Answer with the headers, and return what follows them."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return None
        body, dense = path.read_bytes(), path.suffix in DENSE
        body = body if dense else gzip.compress(body, 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if not dense:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        return BytesIO(body)

    def log_message(self, *arguments):
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder from a free port of this machine.

    Args:
        site: the folder.

    Yields:
        the address, without a slash at its end.
    """
    handler = partial(Compressing, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
