"""Age and systolic blood pressure of 30 people.

Source: D. Kleinbaum, L. Kupper and K. Muller, "Applied Regression Analysis and Other
Multivariable Methods", PWS-Kent, 1988.
"""

import hashlib

import torch
from torch import Tensor

AGES = (
    *(39, 47, 45, 47, 65, 46, 67, 42, 67, 56, 64, 56, 59, 34, 42),
    *(48, 45, 17, 20, 19, 36, 50, 39, 21, 44, 53, 63, 29, 25, 69),
)
PRESSURES = (
    *(144, 220, 138, 145, 162, 142, 170, 124, 158, 154, 162, 150, 140, 110, 128),
    *(130, 135, 114, 116, 124, 136, 142, 120, 120, 160, 158, 144, 130, 125, 175),
)


def load() -> tuple[Tensor, Tensor]:
    """Give the table, in the order printed.

    Returns:
        ages, (30,) float64 in years, and systolic pressures, (30,) float64 in mmHg.
    """
    ages = torch.tensor(AGES, dtype=torch.float64)
    return ages, torch.tensor(PRESSURES, dtype=torch.float64)


def checksum() -> str:
    """Give the SHA-256 of the table, 64 hexadecimal digits, for the record of a run."""
    return hashlib.sha256(repr((AGES, PRESSURES)).encode()).hexdigest()
