"""Nearest neighbors in blocks against faiss and scikit-learn."""

import faiss
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Generator, Tensor

from benchmarks.harness import Line, peak_growth, times_as_fast
from dlbook.data import mnist
from dlbook.knn import nearest_in_blocks
from dlbook.runs.race import race

K, MANY = 5, 4000


def full() -> list[Line]:
    """Find 5 of 60 000 images for 1000 queries; take the memory, twice, for 1000 and 4000."""
    lines = compare(*digits(1000), rounds=4)
    values = [[peak_growth(digits, find, n) for _ in range(2)] for n in (1000, MANY)]
    memory = Line("knn_memory_1000", "-", values[0], 100, "at most", "MB")
    more = Line("knn_memory_4000", "-", values[1], 100, "at most", "MB")
    return [*lines, memory, more]


def tiny() -> list[Line]:
    """Find 5 of 300 drawn points for 40 queries."""
    points = torch.randint(100, (340, 20), generator=Generator().manual_seed(0)).float()
    return compare(points[:40], points[40:], rounds=1)


def digits(count: int) -> tuple[Tensor, Tensor]:
    """Load queries and points of MNIST, shifted so that their squares are exact.

    Args:
        count: how many queries, from 1 to 10 000.

    Returns:
        (count, 784) and (60000, 784) float32, whole numbers from -128 to 127.
    """
    images, _, test_images, _ = mnist.load()
    queries, points = test_images[:count].flatten(1), images.flatten(1)
    return queries.float().sub_(128), points.float().sub_(128)


def find(queries: Tensor, points: Tensor) -> Tensor:
    """Find neighbors our way."""
    return nearest_in_blocks(queries, points, K)


def compare(queries: Tensor, points: Tensor, rounds: int) -> list[Line]:
    """Race; the peers' preparations do not count, but ours has none and checks its input."""
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(points.numpy())
    brute = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(points.numpy())
    seconds = race(
        {
            "ours": lambda: find(queries, points),
            "faiss IndexFlatL2": lambda: index.search(queries.numpy(), K)[1],
            "scikit-learn brute force": lambda: brute.kneighbors(
                queries.numpy(), return_distance=False
            ),
        },
        rounds,
        lambda answers: require_equally_near(answers, queries, points),
    )
    return [
        times_as_fast("knn_faiss", seconds, "faiss IndexFlatL2", 1.0),
        times_as_fast("knn_scikit", seconds, "scikit-learn brute force", 2.0),
    ]


def require_equally_near(
    answers: dict[str, object], queries: Tensor, points: Tensor
) -> None:
    """Refuse neighbors that differ otherwise than by the choice among equally near ones.

    Args:
        answers: (m, k) indices by name, nearest first.
        queries: (m, d) floats, whole numbers.
        points: (n, d) floats, whole numbers.

    Raises:
        ValueError: a way found a neighbor at another distance.
    """
    expected = None
    for name, answer in answers.items():
        found = points[torch.as_tensor(answer).long()].double()
        distances = (found - queries[:, None]).square().sum(dim=2).sort(dim=1).values
        expected = distances if expected is None else expected
        if not torch.equal(distances, expected):
            wrong = int((distances != expected).any(dim=1).sum())
            raise ValueError(f"{name} found other neighbors for {wrong} queries")
