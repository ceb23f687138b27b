"""Data: what is good is verified, what is bad is refused, what was good before stays."""

import gzip
import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch

from dlbook.data import blood_pressure, digits, downloads, growth, imagenet, mnist

NEEDS_MNIST = pytest.mark.skipif(
    not mnist.available(), reason="MNIST is not in DLBOOK_DATA"
)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr("dlbook.data.downloads.urlopen", refuse)


def test_the_cut_falls_ten_images_into_the_block_of_one_writer():
    """Each block begins with the digits 0 to 9 in order, twice; the next one is the test."""
    _, labels, _, test_labels = digits.load()
    twice = list(range(10)) * 2
    assert [*labels[-10:].tolist(), *test_labels[:10].tolist()] == twice
    assert test_labels[118:138].tolist() == twice


def test_the_digits_are_split_in_their_order_and_scaled_to_one():
    images, labels, test_images, test_labels = digits.load()
    assert images.shape == (1297, 8, 8)
    assert test_images.shape == (500, 8, 8)
    assert (images.min(), images.max()) == (0, 1)
    assert labels.bincount().min() > 100
    assert test_labels.bincount().min() > 40


def test_the_digits_are_the_published_ones():
    assert digits.checksum()[:16] == "f6d9e39f37dc45d3"
    assert digits.load()[1][:10].tolist() == list(range(10))


def test_thirty_people_are_in_the_table():
    ages, pressures = blood_pressure.load()
    assert ages.shape == pressures.shape == (30,)
    assert pressures[ages == 47].tolist() == [220, 145]


@NEEDS_MNIST
def test_mnist_agrees_with_torchvision():
    from torchvision.datasets import MNIST

    images, labels, test_images, test_labels = mnist.load()
    for train, ours, answers in (
        (True, images, labels),
        (False, test_images, test_labels),
    ):
        oracle = MNIST(str(downloads.folder()), train=train)
        assert torch.equal(ours, oracle.data)
        assert torch.equal(answers, oracle.targets)


@NEEDS_MNIST
@pytest.mark.parametrize("damage", ["truncated", "magic", "pixel"])
def test_a_damaged_file_is_refused_by_name(damage, tmp_path, monkeypatch):
    raw = tmp_path / "MNIST" / "raw"
    shutil.copytree(downloads.folder() / "MNIST" / "raw", raw)
    file = raw / "t10k-images-idx3-ubyte"
    content = bytearray(file.read_bytes())
    if damage == "truncated":
        content = content[:1000]
    else:
        content[0 if damage == "magic" else 5000] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte must have the SHA-256"):
        mnist.load()


def test_a_missing_set_without_a_network_says_what_to_do(
    tmp_path, monkeypatch, no_network
):
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    with pytest.raises(OSError, match="set DLBOOK_DATA to a folder that holds MNIST/raw"):
        mnist.load()
    assert not mnist.available()


def test_a_failed_download_leaves_the_good_files_as_they_were(
    tmp_path, monkeypatch, no_network
):
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    good = raw / "train-labels-idx1-ubyte"
    good.write_bytes(b"what was good before")
    with pytest.raises(OSError, match="could not be downloaded"):
        mnist.load()
    assert good.read_bytes() == b"what was good before"


CONTENTS = {name: f"content of {name}".encode() * 999 for name in mnist.FILES}


@pytest.fixture
def served(tmp_path, monkeypatch):
    """An empty folder of data sets, and a server whose answers a test may change.

    The published files are made up, and so are their checksums.
    """
    answers = {f"{name}.gz": gzip.compress(text) for name, text in CONTENTS.items()}
    sums = {name: hashlib.sha256(text).hexdigest() for name, text in CONTENTS.items()}
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(mnist, "FILES", sums)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self):
            answer = answers[self.path.strip("/")]
            if callable(answer):
                answer(self)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments):
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setattr(mnist, "MIRRORS", (f"http://127.0.0.1:{server.server_port}/",))
    yield answers
    server.shutdown()
    server.server_close()


def raw_files(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    return (
        {path.name: path.read_bytes() for path in raw.iterdir()} if raw.is_dir() else {}
    )


def test_a_download_is_verified_and_leaves_nothing_else(served, tmp_path):
    mnist.download()
    assert mnist.available()
    assert raw_files(tmp_path) == CONTENTS
    assert [path.name for path in tmp_path.iterdir()] == ["MNIST"]


def test_only_the_four_files_are_replaced(served, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    others = {"my_notes.txt": b"mine", "qmnist.pt": b"another set"}
    good, damaged = list(CONTENTS)[:2]
    for name, content in (*others.items(), (good, CONTENTS[good]), (damaged, b"cut")):
        (raw / name).write_bytes(content)
    before = (raw / good).stat()
    mnist.download()
    assert raw_files(tmp_path) == CONTENTS | others
    assert (raw / good).stat() == before, "a good file was fetched again"


def test_packed_files_at_hand_need_no_network(served, tmp_path, no_network):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, packed in served.items():
        (raw / name).write_bytes(packed)
    mnist.download()
    assert raw_files(tmp_path) == CONTENTS | served


def test_a_second_call_goes_on_with_the_rest(served, tmp_path):
    last = f"{list(CONTENTS)[-1]}.gz"
    good, served[last] = served[last], b"not found"
    with pytest.raises(OSError, match="could not be downloaded"):
        mnist.download()
    assert not mnist.available()
    assert raw_files(tmp_path).keys() == CONTENTS.keys() - {last.removesuffix(".gz")}
    served.clear()
    served[last] = good
    mnist.download()
    assert raw_files(tmp_path) == CONTENTS


def hang_up(handler):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\nabc")


def lie_about_the_length(handler):
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: -7\r\n\r\nabc")


def redirect_to_nowhere(handler):
    handler.wfile.write(b"HTTP/1.0 302 Found\r\nLocation: mailto:nobody\r\n\r\n")


def redirect_to_itself(handler):
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def chunks_that_are_none(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")


ANSWERS = {
    "empty": b"",
    "a login page": b"<html>log in</html>",
    "another file": gzip.compress(b"another file"),
    "cut off": gzip.compress(CONTENTS["train-images-idx3-ubyte"])[:-20],
    "damaged": gzip.compress(bytes(range(256)))[:30] + bytes(300),
    "longer": bytes(mnist.MOST + 1),
    "not found": lambda handler: handler.send_error(404),
    "no server": lambda handler: handler.send_error(503),
    "not HTTP": lambda handler: handler.wfile.write(b"\x00\xff" * 100),
    "nothing": lambda handler: None,
    **{
        answer.__name__.replace("_", " "): answer
        for answer in (
            *(hang_up, lie_about_the_length, chunks_that_are_none),
            *(redirect_to_nowhere, redirect_to_itself),
        )
    },
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_whatever_a_server_answers_the_error_is_the_promised_one(
    answer, served, tmp_path
):
    served["train-images-idx3-ubyte.gz"] = answer
    with pytest.raises(OSError, match="set DLBOOK_DATA to a folder that holds MNIST/raw"):
        mnist.load()
    assert not mnist.available()
    assert not raw_files(tmp_path), "something took its place"


def test_a_second_mirror_is_asked_where_the_first_one_fails(served, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:1/", *mnist.MIRRORS))
    mnist.download()
    assert mnist.available()


def test_two_downloads_at_once_both_succeed(served, tmp_path):
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(mnist.download), both.submit(mnist.download)]:
            done.result()
    assert raw_files(tmp_path) == CONTENTS


def test_a_full_disk_is_reported_and_leaves_nothing_that_counts(
    served, tmp_path, monkeypatch
):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(downloads, "write", full)
    with pytest.raises(OSError, match="No space left on device"):
        mnist.load()
    assert not mnist.available()
    assert not raw_files(tmp_path)


def test_an_interrupted_download_leaves_nothing_that_counts(
    served, tmp_path, monkeypatch
):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(downloads, "unpack", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mnist.load()
    assert not raw_files(tmp_path)


def test_the_names_and_mirrors_are_those_of_torchvision():
    from torchvision.datasets import MNIST

    assert MNIST.mirrors == list(mnist.MIRRORS)
    assert [name for name, _ in MNIST.resources] == [f"{name}.gz" for name in mnist.FILES]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DLBOOK_DATA", "~/data")
    assert downloads.folder() == tmp_path / "data"
    monkeypatch.delenv("DLBOOK_DATA")
    assert downloads.folder() == tmp_path / ".cache" / "dlbook"


def test_without_a_home_nothing_is_at_hand_and_the_error_says_what_to_do(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("DLBOOK_DATA", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert not mnist.available()
    with pytest.raises(OSError, match="set DLBOOK_DATA to a folder"):
        mnist.load()


def test_a_folder_that_may_not_be_entered_holds_nothing(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr(Path, "is_file", refused)
    assert not mnist.available()


def test_checksums_of_tables_do_not_depend_on_line_ends(tmp_path, monkeypatch):
    sums = growth.checksum(), imagenet.checksum()
    for path in (*growth.FOLDER.glob("*.csv"), imagenet.FILE):
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.setattr(growth, "FOLDER", tmp_path)
    monkeypatch.setattr(imagenet, "FILE", tmp_path / imagenet.FILE.name)
    assert (growth.checksum(), imagenet.checksum()) == sums


def test_a_download_needs_no_standard_error(served, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stderr", None)  # as `2>&-` leaves it
    mnist.download()
    assert raw_files(tmp_path) == CONTENTS
