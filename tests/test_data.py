"""Data: what is good is verified, what is bad is refused, what was good before stays."""

import shutil

import pytest
import torch

from dlbook.data import blood_pressure, digits, mnist

NEEDS_MNIST = pytest.mark.skipif(
    not mnist.available(), reason="MNIST is not in DLBOOK_DATA"
)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def test_the_digits_are_split_by_writer_and_scaled_to_one():
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
        oracle = MNIST(str(mnist.folder()), train=train)
        assert torch.equal(ours, oracle.data)
        assert torch.equal(answers, oracle.targets)


@NEEDS_MNIST
@pytest.mark.parametrize("damage", ["truncated", "magic", "pixel"])
def test_a_damaged_file_is_refused_by_name(damage, tmp_path, monkeypatch):
    raw = tmp_path / "MNIST" / "raw"
    shutil.copytree(mnist.folder() / "MNIST" / "raw", raw)
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


def test_a_full_disk_is_reported_and_leaves_nothing_that_counts(tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr("torchvision.datasets.MNIST.download", full)
    with pytest.raises(OSError, match="No space left on device"):
        mnist.load()
    assert not mnist.available()


def test_a_complete_download_takes_its_place_at_once(tmp_path, monkeypatch):
    def deliver(self):
        from pathlib import Path

        raw = Path(self.raw_folder)
        raw.mkdir(parents=True, exist_ok=True)
        for name in mnist.FILES:
            (raw / name).write_bytes(b"delivered")

    monkeypatch.setenv("DLBOOK_DATA", str(tmp_path))
    monkeypatch.setattr("torchvision.datasets.MNIST.download", deliver)
    monkeypatch.setattr("torchvision.datasets.MNIST._check_exists", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.MNIST._load_data", lambda self: ([], []))
    mnist.download()
    assert mnist.available()
    assert not (tmp_path / "MNIST.partial").exists()
