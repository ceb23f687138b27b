"""Heights of 24 Brazilian basketball players, 12 women and 12 men.

Source: the course slides that inspired this book, 2018. Their own source is not stated.
"""

import hashlib

import torch
from torch import Tensor

FEMALES = (190, 182, 188, 184, 196, 173, 180, 193, 179, 186, 185, 169)
MALES = (192, 190, 183, 199, 200, 190, 195, 184, 190, 203, 205, 201)


def load() -> tuple[Tensor, Tensor]:
    """Give the two lists, in the order printed.

    Returns:
        heights of the women, (12,) float64 in cm, and of the men, (12,) float64 in cm.
    """
    females = torch.tensor(FEMALES, dtype=torch.float64)
    return females, torch.tensor(MALES, dtype=torch.float64)


def checksum() -> str:
    """Give the SHA-256 of the table, 64 hexadecimal digits, for the record of a run."""
    return hashlib.sha256(repr((FEMALES, MALES)).encode()).hexdigest()
