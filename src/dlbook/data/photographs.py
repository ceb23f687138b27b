"""Two color photographs that scikit-learn carries: real images without a network.

Source: scikit-learn, `sklearn.datasets.load_sample_images`. The temple is by danielbuechele
(https://www.flickr.com/photos/danielbuechele/6061409035), the flower by vultilion
(https://www.flickr.com/photos/vultilion/6056698931), both licensed CC BY 2.0.
"""

import hashlib
from importlib.resources import files

import torch
from sklearn.datasets import load_sample_image
from torch import Tensor

NAMES = ("china.jpg", "flower.jpg")


def load() -> Tensor:
    """Give the two photographs.

    Returns:
        (2, 3, 427, 640) uint8 from 0 (dark) to 255, channels red, green, blue.
    """
    tables = [torch.from_numpy(load_sample_image(name).copy()) for name in NAMES]
    return torch.stack(tables).permute(0, 3, 1, 2).contiguous()


def checksum() -> str:
    """Give the SHA-256 of the two files, 64 hexadecimal digits; decoders may round."""
    place = files("sklearn.datasets.images")
    return hashlib.sha256(
        b"".join((place / name).read_bytes() for name in NAMES)
    ).hexdigest()
