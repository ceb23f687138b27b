"""Products of pixel pairs that are never stored, against the table of all of them."""

import torch
from torch import Generator, Tensor

from benchmarks.harness import Line, peak_growth, times_as_fast
from dlbook.data import digits, mnist
from dlbook.features import (
    draw_pairs,
    pair_products,
    pair_step,
    train_on_pairs,
    train_on_table,
)
from dlbook.runs.race import race

COUNT = 10_000


def full() -> list[Line]:
    """Make 10 000 products of 60 000 images, and train one epoch on them."""
    lines = compare(*images_and_pairs(), batch=500, rounds=3)
    grown = peak_growth(images_and_pairs, by_pairs)
    return [*lines, Line("features_memory", "-", [grown], 2400, "at most", "MB")]


def tiny() -> list[Line]:
    """Make 50 products of 200 small digits."""
    images, labels, *_ = digits.load()
    x = images[:200].flatten(1).double()
    pairs = draw_pairs(64, 50, Generator().manual_seed(0))
    return compare(x, eight_or_not(labels[:200]).double(), pairs, batch=20, rounds=1)


def images_and_pairs() -> tuple[Tensor, Tensor, Tensor]:
    """Load MNIST, (60000, 784) from 0 to 1, the signs of "8", and draw pairs of pixels."""
    images, labels, *_ = mnist.load()
    pairs = draw_pairs(784, COUNT, Generator().manual_seed(0))
    return images.flatten(1).float().div_(255), eight_or_not(labels), pairs


def eight_or_not(labels: Tensor) -> Tensor:
    """Give 1 for an 8 and -1 for the rest."""
    return torch.where(labels == 8, 1.0, -1.0)


def by_pairs(x: Tensor, signs: Tensor, pairs: Tensor, batch: int = 500) -> Tensor:
    """Train our way: weights."""
    step = pair_step(x[:5000], pairs)
    return train_on_pairs(x, pairs, signs, step, epochs=1, batch=batch, seed=0)[0]


def by_table(x: Tensor, signs: Tensor, pairs: Tensor, batch: int = 500) -> Tensor:
    """Train the straightforward way: weights."""
    step = pair_step(x[:5000], pairs)
    table = pair_products(x, pairs)
    return train_on_table(table, signs, step, epochs=1, batch=batch, seed=0)[0]


def compare(
    x: Tensor, signs: Tensor, pairs: Tensor, batch: int, rounds: int
) -> list[Line]:
    """Race: features and the first epoch."""
    seconds = race(
        {
            "ours": lambda: by_pairs(x, signs, pairs, batch),
            "the table of all products": lambda: by_table(x, signs, pairs, batch),
        },
        rounds,
        require_same_weights,
    )
    return [times_as_fast("features_table", seconds, "the table of all products", 8)]


def require_same_weights(answers: dict[str, object]) -> None:
    """Refuse weights that differ by more than float32 rounds off in an epoch.

    Args:
        answers: weights by name.

    Raises:
        ValueError: they differ.
    """
    ours, theirs = answers["ours"], answers["the table of all products"]
    apart = ((ours - theirs).norm() / theirs.norm()).item()
    if not apart < 1e-3:
        raise ValueError(f"both ways must find the same weights, got {apart:.1e} apart")
