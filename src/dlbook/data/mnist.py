"""MNIST: 70 000 handwritten digits, verified before they are believed.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to
document recognition", Proceedings of the IEEE 86(11), 1998, doi:10.1109/5.726791.
"""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

FILES = {  # name: SHA-256 of the unpacked file
    "train-images-idx3-ubyte": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
    ),
    "train-labels-idx1-ubyte": (
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    ),
    "t10k-images-idx3-ubyte": (
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    ),
    "t10k-labels-idx1-ubyte": (
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    ),
}
HEADER = {"images": 16, "labels": 8}  # bytes before the first value
PART = 2**21  # bytes to read at once: they are still in the cache when they are hashed


def folder() -> Path:
    """Give the folder of the data sets: `DLBOOK_DATA`, or a cache in the home folder."""
    return Path(os.environ.get("DLBOOK_DATA") or Path.home() / ".cache" / "dlbook")


def available() -> bool:
    """Tell whether all four files are at hand, without reading them."""
    return all((folder() / "MNIST" / "raw" / name).is_file() for name in FILES)


def checksum() -> str:
    """Give one SHA-256 for the whole set, 64 hexadecimal digits, for the record of a run."""
    return hashlib.sha256("".join(FILES.values()).encode()).hexdigest()


def load() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Read the set from `folder()`; download it first where it is missing.

    Returns:
        training images, (60000, 28, 28) uint8 from 0 (paper) to 255 (ink);
        training labels, (60000,) int64 from 0 to 9;
        test images, (10000, 28, 28), and test labels, (10000,), alike.

    Raises:
        OSError: the set is missing and cannot be downloaded, or there is no space for it.
        ValueError: a file is not the one that was published (its checksum differs).
    """
    if not available():
        download()
    images, labels, test_images, test_labels = (read(name) for name in FILES)
    return images, labels.long(), test_images, test_labels.long()


def read(name: str) -> Tensor:
    """Read one file and verify its checksum.

    Args:
        name: one of the four names in `FILES`.

    Returns:
        (n, 28, 28) uint8 for a file of images, (n,) uint8 for a file of labels.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not the one that was published.
    """
    path = folder() / "MNIST" / "raw" / name
    content, found = read_and_hash(path)
    if found != FILES[name]:
        raise ValueError(
            f"{path} must have the SHA-256 {FILES[name]}, got {found} "
            f"({len(content)} bytes): delete it, then load again to download it afresh"
        )
    kind = name.split("-")[1]
    values = content[HEADER[kind] :]
    return values.view(-1, 28, 28) if kind == "images" else values


def read_and_hash(path: Path) -> tuple[Tensor, str]:
    """Read a file straight into a tensor, and hash each part while the next one is read.

    Args:
        path: of a file that nobody writes to meanwhile.

    Returns:
        its bytes, (n,) uint8, and their SHA-256, 64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    content = torch.empty(path.stat().st_size, dtype=torch.uint8)
    left, digest = memoryview(content.numpy()), hashlib.sha256()
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(1) as hasher:
        while count := file.readinto(left[:PART]):
            hasher.submit(digest.update, left[:count])
            left = left[count:]
    return content[: len(content) - len(left)], digest.hexdigest()


def download() -> None:
    """Bring the set into `folder()`, with progress; what is incomplete never counts.

    torchvision downloads into a folder beside the final one. Files that arrived whole are
    kept there when the connection breaks, and a second call goes on with the rest.

    Raises:
        OSError: no connection, no space, or the folder cannot be written.
    """
    from torchvision.datasets import MNIST  # takes a second that only downloads must pay

    home, partial = folder() / "MNIST", folder() / "MNIST.partial"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        MNIST(str(partial), download=True)
        home.mkdir(exist_ok=True)
        shutil.rmtree(home / "raw", ignore_errors=True)
        os.replace(partial / "MNIST" / "raw", home / "raw")
        shutil.rmtree(partial)
    except (OSError, RuntimeError) as error:
        raise OSError(
            f"MNIST is not in {home / 'raw'} and could not be downloaded ({error}). "
            "Connect to the internet, or set DLBOOK_DATA to a folder that holds MNIST/raw"
        ) from error
