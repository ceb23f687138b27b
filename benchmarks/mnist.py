"""Loading MNIST with its checksums verified, against constructing torchvision's objects."""

import torch
from torch import Tensor
from torchvision.datasets import MNIST

from benchmarks.harness import Line, times_as_fast
from dlbook.data import downloads, mnist
from dlbook.runs.race import race

PEER = "torchvision.datasets.MNIST"


def full() -> list[Line]:
    """Load training and test set, forty times."""
    return compare(rounds=40)


def tiny() -> list[Line]:
    """Load what `downloads.folder()` holds, once."""
    return compare(rounds=1)


def compare(rounds: int) -> list[Line]:
    """Race; the files lie in the cache of the system after the first turn."""
    seconds = race({"ours": mnist.load, PEER: library}, rounds, require_same_tensors)
    return [times_as_fast("mnist_load", seconds, PEER, 2.5)]


def library() -> tuple[Tensor, ...]:
    """Load with torchvision, which verifies no checksum."""
    train, test = (MNIST(downloads.folder(), train=part) for part in (True, False))
    return train.data, train.targets, test.data, test.targets


def require_same_tensors(answers: dict[str, object]) -> None:
    """Refuse tensors that differ in a value, a shape or a type.

    Args:
        answers: four tensors by name.

    Raises:
        ValueError: they differ.
    """
    for ours, theirs in zip(answers["ours"], answers[PEER], strict=True):
        if ours.dtype != theirs.dtype or not torch.equal(ours, theirs):
            raise ValueError(f"both must load the same, got {ours.dtype}, {theirs.dtype}")
