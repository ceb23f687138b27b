"""Published errors on ImageNet. They are other people's measurements, not this book's.

Source: K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition",
CVPR 2016, doi:10.1109/CVPR.2016.90, tables 3 to 5, in the file `imagenet.toml`.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("imagenet.toml")
NETWORKS = (  # those whose size the book counts, as torchvision names them
    *("alexnet_2012", "vgg19", "googlenet", "resnet18", "resnet34"),
    *("resnet50", "resnet101", "resnet152", "vgg16", "alexnet"),
)


@dataclass(frozen=True)
class PublishedError:
    """One row of a table.

    Attributes:
        protocol: "ten crops", "single model" or "ensemble"; only equal ones compare.
        model: its name.
        top5: how often the class is not among the five likeliest, in per cent.
        top1: how often it is not the likeliest, in per cent; None if not published.
    """

    protocol: str
    model: str
    top5: float
    top1: float | None = None


def load() -> list[PublishedError]:
    """Give all rows, in the order of the tables."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["error"]
    return [PublishedError(**entry) for entry in entries]


def checksum() -> str:
    """Give the SHA-256 of the table, 64 hexadecimal digits, whatever ends a line."""
    return hashlib.sha256(FILE.read_text(encoding="utf-8").encode()).hexdigest()
