"""CIFAR-10: 60 000 color images of ten kinds of things, verified before they are believed.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", technical
report, University of Toronto, 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import hashlib
import io
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FILES = {  # name: MD5 of the unpacked file, as torchvision publishes it
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
HORSE = 43  # the place of a horse among the training images
INSIDE = "cifar-10-batches-py"  # the folder that the published archive unpacks to


def folder() -> Path:
    """Give the folder of the data sets: `DLBOOK_DATA`, or a cache in the home folder."""
    return Path(os.environ.get("DLBOOK_DATA") or Path.home() / ".cache" / "dlbook")


def available() -> bool:
    """Tell whether all six files are at hand, without reading them."""
    return all((folder() / INSIDE / name).is_file() for name in FILES)


def checksum() -> str:
    """Give one SHA-256 for the whole set, 64 hexadecimal digits, for the record of a run."""
    return hashlib.sha256("".join(FILES.values()).encode()).hexdigest()


def load() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Read the set from `folder()`; download it first where it is missing.

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
    path = folder() / INSIDE / name
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
    """Bring the set into `folder()`, with progress; what is incomplete never counts.

    torchvision downloads and unpacks into a folder beside the final one, and verifies
    every file. A second call after a broken connection starts from what arrived whole.

    Raises:
        OSError: no connection, no space, or the folder cannot be written.
    """
    from torchvision.datasets import (
        CIFAR10,
    )  # takes a second that only downloads must pay

    home, partial = folder() / INSIDE, folder() / "cifar-10.partial"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        CIFAR10(str(partial), download=True)
        shutil.rmtree(home, ignore_errors=True)
        os.replace(partial / INSIDE, home)
        shutil.rmtree(partial)
    except (OSError, RuntimeError) as error:
        raise OSError(
            f"CIFAR-10 is not in {home} and could not be downloaded ({error}). "
            f"Connect to the internet, or set DLBOOK_DATA to a folder that holds {INSIDE}"
        ) from error


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
