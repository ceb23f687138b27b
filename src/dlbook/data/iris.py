"""Fifty flowers of iris versicolor and fifty of iris virginica, measured by hand.

Source: R. Fisher, "The use of multiple measurements in taxonomic problems", Annals of
Eugenics 7(2), 1936, doi:10.1111/j.1469-1809.1936.tb02137.x, as scikit-learn carries it.
"""

import hashlib

import torch
from sklearn.datasets import load_iris
from torch import Tensor

FEATURES = ("petal length", "sepal width")


def load() -> tuple[Tensor, Tensor]:
    """Give the flowers in the order printed, without the third kind, which is easy to tell.

    Returns:
        petal length and sepal width, (100, 2) float64 in cm, and the kind, (100,) float64:
        0 for versicolor, 1 for virginica.
    """
    table = load_iris()
    flowers = torch.from_numpy(table.data[50:]).double()
    return flowers[:, [2, 1]], torch.from_numpy(table.target[50:] - 1).double()


def checksum() -> str:
    """Give the SHA-256 of the table, 64 hexadecimal digits, for the record of a run."""
    table = load_iris()
    return hashlib.sha256(table.data.tobytes() + table.target.tobytes()).hexdigest()
