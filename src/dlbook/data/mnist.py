"""MNIST: 70 000 handwritten digits, verified before they are believed.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to
document recognition", Proceedings of the IEEE 86(11), 1998, doi:10.1109/5.726791.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from dlbook.data import downloads

INSIDE = "MNIST/raw"  # the folder of the files, as torchvision lays it out
MIRRORS = (  # the first that sends the published files is taken
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
MOST = 2**24  # bytes of a packed file

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


def available() -> bool:
    """Tell whether all four files are at hand, without reading them."""
    return downloads.at_hand(INSIDE, list(FILES))


def checksum() -> str:
    """Give one SHA-256 for the whole set, 64 hexadecimal digits, for the record of a run."""
    return hashlib.sha256("".join(FILES.values()).encode()).hexdigest()


def load() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Read the set from `downloads.folder()`; download it first where it is missing.

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
    path = downloads.folder() / INSIDE / name
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
    """Bring the set into `downloads.folder()`, with progress.

    A file that is there and good stays; one that lies there packed (`.gz`) is unpacked. Each
    of the others is fetched, verified, and then takes its place in one step, so that a
    second call after a broken connection goes on with the rest. Other files stay as they are.

    Raises:
        OSError: no connection, no space, no server that sends what was published, or the
            folder cannot be written.
    """
    try:
        raw = downloads.folder() / INSIDE
        raw.mkdir(parents=True, exist_ok=True)
        for name, published in FILES.items():
            if not downloads.is_good(raw / name, "sha256", published):
                _bring(raw / name)
    except OSError as error:
        raise OSError(
            f"MNIST is not at hand and could not be downloaded ({error}). "
            "Connect to the internet, or set DLBOOK_DATA to a folder that holds MNIST/raw"
        ) from error


def _bring(path: Path) -> None:
    """Unpack or fetch one file, verify it, and put it into its place."""
    packed = path.with_name(f"{path.name}.gz")
    sources = [packed] if packed.is_file() else []
    with TemporaryDirectory(prefix=".download-", dir=path.parent) as own:
        part = Path(own) / path.name
        _unpack_first_good([*sources, *(m + packed.name for m in MIRRORS)], part)
        os.replace(part, path)


def _unpack_first_good(sources: list[Path | str], part: Path) -> None:
    refused = []
    for source in sources:
        try:
            packed = part.with_name("packed.gz") if isinstance(source, str) else source
            if isinstance(source, str):
                downloads.fetch(source, packed, MOST)
            downloads.unpack(packed, part)
            downloads.verify(part, "sha256", FILES[part.name])
        except downloads.FAILURES as error:
            refused.append(f"{source}: {error or type(error).__name__}")
        else:
            return
    raise OSError("; ".join(refused))
