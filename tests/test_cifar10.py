"""CIFAR-10: made-up files of its format are read; strangers and damage are refused."""

import hashlib
import io
import os
import pickle
import shutil
import struct
import tarfile

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from dlbook.data import cifar10, downloads, photographs


class OldPickler(pickle._Pickler):
    """Write byte strings as Python 2 did, which made the published files."""

    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012

    def save_old_string(self, text):
        self.write(b"T" + struct.pack("<i", len(text)) + text)

    dispatch[bytes] = save_old_string


def table_of(n: int, seed: int) -> tuple[np.ndarray, list[int]]:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (n, 3072), dtype=np.uint8)
    return pixels, generator.integers(0, 10, n).tolist()


def old_bytes(pixels: np.ndarray, labels: list[int], path) -> bytes:
    with open(path, "wb") as file:
        OldPickler(file, protocol=2).dump({b"data": pixels, b"labels": labels})
    # NumPy 1 called the module so, and Python 2 needed no encoder for its strings.
    return path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Six small files of the published format in a folder of data sets."""
    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    (tmp_path / cifar10.INSIDE).mkdir()
    tables, sums = {}, {}
    for seed, name in enumerate(cifar10.FILES):
        tables[name] = table_of(4, seed)
        content = old_bytes(*tables[name], tmp_path / "scratch")
        (tmp_path / cifar10.INSIDE / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(cifar10, "FILES", sums)
    return tables


@pytest.fixture
def offline(tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr("dlbook.data.downloads.urlopen", refuse)
    return tmp_path


def put(name: str, content: bytes, monkeypatch) -> None:
    """Replace a file and its published checksum, so that only its content is judged."""
    (downloads.folder() / cifar10.INSIDE / name).write_bytes(content)
    sums = cifar10.FILES | {name: hashlib.md5(content).hexdigest()}
    monkeypatch.setattr(cifar10, "FILES", sums)


def test_files_written_by_python_2_are_read(made_up):
    images, labels, test_images, test_labels = cifar10.load()
    assert images.shape == (20, 3, 32, 32)
    assert test_images.shape == (4, 3, 32, 32)
    assert images.dtype == test_images.dtype == torch.uint8
    pixels, first_labels = made_up["data_batch_1"]
    assert labels[:4].tolist() == first_labels
    assert labels.dtype == test_labels.dtype == torch.int64
    # The first 1024 numbers of a row are red, and 32 of them make a line of pixels.
    assert images[0, 0, 1, :5].tolist() == pixels[0, 32:37].tolist()
    assert images[0, 2, 0, 0].item() == pixels[0, 2048]


def test_the_files_agree_with_what_torchvision_reads(made_up, monkeypatch):
    monkeypatch.setattr(CIFAR10, "train_list", list(cifar10.FILES.items())[:5])
    monkeypatch.setattr(CIFAR10, "test_list", list(cifar10.FILES.items())[5:])
    monkeypatch.setattr(CIFAR10, "_load_meta", lambda self: None)
    oracle = CIFAR10(str(downloads.folder()), train=True)
    images, labels, _, _ = cifar10.load()
    assert torch.equal(images.permute(0, 2, 3, 1), torch.from_numpy(oracle.data))
    assert labels.tolist() == oracle.targets


def test_the_checksums_are_those_that_torchvision_publishes():
    published = dict(CIFAR10.train_list + CIFAR10.test_list)
    assert published == cifar10.FILES
    assert CIFAR10.base_folder == cifar10.INSIDE
    assert {CIFAR10.meta["filename"]: CIFAR10.meta["md5"]} == cifar10.NAMES
    assert (CIFAR10.filename, CIFAR10.tgz_md5) == (cifar10.ARCHIVE, cifar10.ARCHIVE_MD5)
    assert CIFAR10.url == cifar10.URL


def test_a_flipped_bit_is_refused_before_it_is_interpreted(made_up):
    path = downloads.folder() / cifar10.INSIDE / "test_batch"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"must have the MD5 \w+, got"):
        cifar10.load()


def test_a_pickle_that_would_run_a_command_is_refused(made_up, tmp_path, monkeypatch):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    put("test_batch", pickle.dumps({b"data": Attack(), b"labels": []}), monkeypatch)
    with pytest.raises(ValueError, match=r"arrays only, got (posix|nt)\.mkdir"):
        cifar10.read("test_batch")
    assert not (tmp_path / "owned").exists()


def test_a_table_of_another_shape_is_refused(made_up, tmp_path, monkeypatch):
    content = old_bytes(np.zeros((2, 100), np.uint8), [1, 2], tmp_path / "scratch")
    put("test_batch", content, monkeypatch)
    with pytest.raises(
        ValueError, match=r"\(n, 3072\) uint8 and n labels, got \(2, 100\)"
    ):
        cifar10.read("test_batch")


def test_a_missing_set_offline_says_what_to_do(offline):
    assert not cifar10.available()
    with pytest.raises(OSError, match="set DLBOOK_DATA to a folder that holds cifar-10"):
        cifar10.load()
    assert not cifar10.available()


def test_a_broken_download_leaves_the_old_files_alone(offline):
    (offline / cifar10.INSIDE).mkdir()
    kept = offline / cifar10.INSIDE / "data_batch_1"
    kept.write_bytes(b"kept")
    with pytest.raises(OSError, match="could not be downloaded"):
        cifar10.load()
    assert kept.read_bytes() == b"kept"


def archive_of(made_up_folder, path):
    """Pack the files of a folder as the published archive does."""
    with tarfile.open(path, "w:gz") as archive:
        for file in sorted(made_up_folder.iterdir()):
            archive.add(file, f"{cifar10.INSIDE}/{file.name}")
    return path.read_bytes()


@pytest.fixture
def published(made_up, tmp_path, monkeypatch):
    """The archive as a server would send it; the folder of data sets is empty."""
    home = tmp_path / cifar10.INSIDE
    (home / "batches.meta").write_bytes(b"names")
    content = archive_of(home, tmp_path / "packed")
    shutil.rmtree(home)
    (tmp_path / "packed").unlink()
    (tmp_path / "scratch").unlink()
    monkeypatch.setattr(cifar10, "ARCHIVE_MD5", hashlib.md5(content).hexdigest())
    monkeypatch.setattr(
        cifar10, "NAMES", {"batches.meta": hashlib.md5(b"names").hexdigest()}
    )
    monkeypatch.setattr(
        "dlbook.data.downloads.urlopen", lambda *_, **options: io.BytesIO(content)
    )
    return content


def test_a_download_takes_its_place_and_leaves_the_files_of_others(published, tmp_path):
    home = tmp_path / cifar10.INSIDE
    home.mkdir()
    (home / "my_notes.txt").write_text("mine", encoding="utf-8")
    (home / "test_batch").write_bytes(b"cut off")
    images, *_ = cifar10.load()
    assert images.shape == (20, 3, 32, 32)
    names = sorted(path.name for path in home.iterdir())
    assert names == sorted([*cifar10.FILES, "batches.meta", "my_notes.txt"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [cifar10.INSIDE]


def test_an_archive_at_hand_needs_no_network(published, offline):
    (offline / cifar10.ARCHIVE).write_bytes(published)
    assert cifar10.load()[0].shape == (20, 3, 32, 32)


@pytest.mark.parametrize("answer", [b"", b"<html>log in</html>", b"cut"])
def test_what_a_server_sends_instead_never_counts(
    answer, published, tmp_path, monkeypatch
):
    answer = published[: len(published) // 2] if answer == b"cut" else answer
    monkeypatch.setattr(
        "dlbook.data.downloads.urlopen", lambda *_, **options: io.BytesIO(answer)
    )
    with pytest.raises(OSError, match=r"could not be downloaded .*must have the md5"):
        cifar10.load()
    assert not cifar10.available()
    assert not list((tmp_path / cifar10.INSIDE).iterdir())


def test_an_archive_without_one_of_the_files_is_refused(published, monkeypatch):
    monkeypatch.setattr(cifar10, "FILES", cifar10.FILES | {"data_batch_6": "0"})
    with pytest.raises(OSError, match="data_batch_6"):
        cifar10.load()


def test_ten_classes_have_names_and_the_horse_is_the_eighth():
    assert len(cifar10.CLASSES) == 10
    assert cifar10.CLASSES[7] == "horse"


def test_the_photographs_are_two_and_their_files_are_known():
    images = photographs.load()
    assert images.shape == (2, 3, 427, 640)
    assert images.dtype == torch.uint8
    assert len(photographs.checksum()) == 64
