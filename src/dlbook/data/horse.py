"""The top-left corner of a photograph of a horse: image 43 of the CIFAR-10 training set.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", University
of Toronto, 2009; the numbers are those printed in the course slides of 2018.
"""

import torch
from torch import Tensor

CORNER = (
    (
        (99, 98, 100, 103, 105, 107, 108, 110),
        (100, 100, 102, 105, 107, 109, 110, 112),
        (104, 104, 106, 109, 111, 112, 114, 116),
        (109, 109, 111, 113, 116, 117, 118, 120),
    ),
    (
        (166, 165, 167, 169, 171, 172, 173, 175),
        (166, 164, 167, 169, 169, 171, 172, 174),
        (169, 167, 170, 171, 171, 173, 174, 176),
        (170, 169, 172, 173, 175, 176, 177, 178),
    ),
    (
        (198, 196, 199, 200, 200, 202, 203, 204),
        (195, 194, 197, 197, 197, 199, 200, 201),
        (197, 195, 198, 198, 198, 199, 201, 202),
        (197, 196, 199, 198, 198, 199, 200, 201),
    ),
)


def load() -> Tensor:
    """Give the corner.

    Returns:
        (3, 4, 8) uint8: red, green and blue, rows 0 to 3, columns 0 to 7.
    """
    return torch.tensor(CORNER, dtype=torch.uint8)
