"""CIFAR-10: 60 000 color images of ten kinds of things, verified before they are believed.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", technical
report, University of Toronto, 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import hashlib
import io
import os
import pickle
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from dlbook.data import downloads

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_MD5 = "c58f30108f718f92721af3b95e74349a"
MOST = 2**28  # bytes of the archive
FILES = {  # name: MD5 of the unpacked file, as torchvision publishes it
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
NAMES = {"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"}  # only torchvision reads it
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
HORSE = 43  # the place of a horse among the training images
INSIDE = "cifar-10-batches-py"  # the folder that the published archive unpacks to


def available() -> bool:
    """Tell whether all six files are at hand, without reading them."""
    return downloads.at_hand(INSIDE, list(FILES))


def checksum() -> str:
    """Give one SHA-256 for the whole set, 64 hexadecimal digits, for the record of a run."""
    return hashlib.sha256("".join(FILES.values()).encode()).hexdigest()


def load() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Read the set from `downloads.folder()`; download it first where it is missing.

    Returns:
        training images, (50000, 3, 32, 32) uint8 from 0 to 255, channels red, green, blue;
        training labels, (50000,) int64, places in `CLASSES`;
        test images, (10000, 3, 32, 32), and test labels, (10000,), alike.

    Raises:
        OSError: the set is missing and cannot be downloaded, or there is no space for it.
        ValueError: a file is not the one that was published (its checksum differs).
    """
    if not available():
        download()
    *training, test = (read(name) for name in FILES)
    images, labels = (torch.cat(parts) for parts in zip(*training, strict=True))
    return images, labels, *test


def read(name: str) -> tuple[Tensor, Tensor]:
    """Read one file and verify its checksum before a byte of it is interpreted.

    Args:
        name: one of the six names in `FILES`.

    Returns:
        images, (n, 3, 32, 32) uint8, and labels, (n,) int64; n is 10 000 as published.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not the one that was published, or not what it should hold.
    """
    path = downloads.folder() / INSIDE / name
    content = path.read_bytes()
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != FILES[name]:
        raise ValueError(
            f"{path} must have the MD5 {FILES[name]}, got {found} "
            f"({len(content)} bytes): delete it, then load again to download it afresh"
        )
    table = _TableUnpickler(io.BytesIO(content), encoding="bytes").load()
    images, labels = table[b"data"], torch.tensor(table[b"labels"])
    if images.dtype != np.uint8 or images.shape != (len(labels), 3 * 32 * 32):
        raise ValueError(
            f"{path} must hold (n, 3072) uint8 and n labels, "
            f"got {images.shape} {images.dtype} and {len(labels)}"
        )
    return torch.from_numpy(images.copy()).view(-1, 3, 32, 32), labels


def download() -> None:
    """Bring the set into `downloads.folder()`, with progress.

    The published archive is taken from there if it lies there, else fetched; it is verified,
    unpacked beside the final place, and each file that is missing or damaged takes its place
    in one step. Good files and those of others stay as they are.

    Raises:
        OSError: no connection, no space, no server that sends what was published, or the
            folder cannot be written.
    """
    try:
        home = downloads.folder() / INSIDE
        home.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(prefix=".download-", dir=home) as own,
            tarfile.open(_archive(Path(own))) as archive,
        ):
            _unpack(archive, Path(own), home)
    except (*downloads.FAILURES, tarfile.TarError, KeyError) as error:
        raise OSError(
            "CIFAR-10 is not at hand and could not be downloaded "
            f"({error or type(error).__name__}). "
            f"Connect to the internet, or set DLBOOK_DATA to a folder that holds {INSIDE}"
        ) from error


def _archive(own: Path) -> Path:
    """Give the published archive: the one at hand, or one fetched into `own`."""
    path = downloads.folder() / ARCHIVE
    if not downloads.is_good(path, "md5", ARCHIVE_MD5):
        path = own / ARCHIVE
        downloads.fetch(URL, path, MOST)
        downloads.verify(path, "md5", ARCHIVE_MD5)
    return path


def _unpack(archive: tarfile.TarFile, own: Path, home: Path) -> None:
    """Put every file that is not good yet into its place."""
    for name, published in (FILES | NAMES).items():
        if not downloads.is_good(home / name, "md5", published):
            downloads.write(archive.extractfile(f"{INSIDE}/{name}"), own / name)
            downloads.verify(own / name, "md5", published)
            os.replace(own / name, home / name)


class _TableUnpickler(pickle.Unpickler):
    """Rebuild lists, dictionaries and NumPy arrays, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> object:
        """Look up what a pickle asks to call; the files were written by NumPy 1."""
        allowed = {
            ("multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        place = module.removeprefix("numpy.core.").removeprefix("numpy._core.")
        if (place, name) not in allowed:
            raise ValueError(f"a table must hold arrays only, got {module}.{name}")
        return allowed[place, name]
