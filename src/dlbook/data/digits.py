"""The 1797 handwritten digits that scikit-learn carries: real data without a network.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits",
UCI Machine Learning Repository, 1998, doi:10.24432/C50P49.
"""

import hashlib

import torch
from sklearn.datasets import load_digits
from torch import Tensor

TRAINING = 1297  # the rest, 500 images, mostly by other writers, is the test set


def load() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Give the digits, split in the order in which they were collected.

    The order keeps writers apart: the images come in blocks of about 130, one form each, as
    their labels show, and the last come from other hands than the first. The cut falls into
    a block, that of the images 1287 to 1414: ten of it train, and 118 of the 500 test images
    share their writer with those ten.

    Returns:
        training images, (1297, 8, 8) float32 from 0 (paper) to 1 (ink);
        training labels, (1297,) int64 from 0 to 9;
        test images, (500, 8, 8), and test labels, (500,), alike.
    """
    table = load_digits()
    images = torch.from_numpy(table.images).float() / 16
    labels = torch.from_numpy(table.target).long()
    return images[:TRAINING], labels[:TRAINING], images[TRAINING:], labels[TRAINING:]


def checksum() -> str:
    """Give the SHA-256 of images and labels, 64 hexadecimal digits."""
    table = load_digits()
    return hashlib.sha256(table.images.tobytes() + table.target.tobytes()).hexdigest()
