"""k-nearest neighbors: label a point by the vote of the training points around it.

Sources: E. Fix and J. Hodges, "Discriminatory analysis: nonparametric discrimination,
consistency properties", report 4, USAF School of Aviation Medicine, 1951; T. Cover and
P. Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information
Theory 13(1), 1967, doi:10.1109/TIT.1967.1053964.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot

from dlbook.contract import (
    require_at_least,
    require_between,
    require_classes,
    require_finite,
    require_table,
)

QUERY_BLOCK, POINT_BLOCK = 1024, 4096  # a block of distances: 16 MB in float32


def squared_distances(queries: Tensor, points: Tensor) -> Tensor:
    """Measure every query against every point.

    Args:
        queries: (m, d) floats.
        points: (n, d) floats of the same dtype, in the same unit as the queries.

    Returns:
        (m, n) float64, in that unit squared: exact for whole numbers up to 2^53, so that
        equal distances are equal, wherever the origin lies.

    Raises:
        ValueError: the two are not tables of the same width, one is empty or holds NaN or
            infinities, or a square overflows.
        TypeError: the two are not floats of one dtype. Bytes would wrap around at 256.
    """
    _require_comparable(queries, points)
    distances = points.new_zeros(len(queries), len(points), dtype=torch.float64)
    for q, p in zip(queries.T.double(), points.T.double(), strict=True):
        distances += (q[:, None] - p).square()  # one coordinate at a time
    require_finite(distances, "squared distances")
    return distances


def nearest_points(queries: Tensor, points: Tensor, k: int) -> Tensor:
    """Find the k points nearest to each query, by sorting all distances.

    Args:
        queries: (m, d) floats.
        points: (n, d) floats of the same dtype.
        k: how many to find, from 1 to n.

    Returns:
        (m, k) int64 from 0 to n - 1, nearest first; of equally near points the first.

    Raises:
        ValueError: k lies outside 1..n, where slicing would quietly return fewer points,
            or the tables do not fit together, as in `squared_distances`.
        TypeError: as in `squared_distances`.
    """
    distances = squared_distances(queries, points)
    require_between(k, 1, len(points), "k")
    return distances.argsort(dim=1, stable=True)[:, :k]


def vote(ballots: Tensor) -> Tensor:
    """Elect the commonest label of each row; of equally common ones, the smallest.

    Args:
        ballots: (m, k) int64, labels counted from 0, at least one. Number the classes
            0, 1, 2, ...: of larger labels each costs memory, 8 m k bytes.

    Returns:
        (m,) int64, the labels elected.

    Raises:
        ValueError: there is no ballot, or a label is negative.
        TypeError: they are not int64.

    >>> vote(torch.tensor([[2, 0, 2], [1, 0, 3]]))
    tensor([2, 0])
    """
    if ballots.ndim != 2:
        raise ValueError(f"ballots must be (m, k), got {tuple(ballots.shape)}")
    require_classes(ballots.flatten(), ballots.numel(), name="ballots")
    return one_hot(ballots).sum(dim=1).argmax(dim=1)  # (m, k, classes) to (m, classes)


def k_nearest_neighbors(
    queries: Tensor, points: Tensor, labels: Tensor, k: int
) -> Tensor:
    """Give each query the commonest label among its k nearest points.

    Equally near points rank in the order given; equally common labels, smallest first.

    Args:
        queries: (m, d) floats, the points to label.
        points: (n, d) floats, the training points.
        labels: (n,) int64, the class of each training point, counted from 0 (see `vote`).
        k: how many neighbors vote, from 1 to n.

    Returns:
        (m,) int64, the label elected for each query.

    Raises:
        ValueError: k lies outside 1..n, there is not one label of 0 or more to each
            point, or the tables do not fit together, as in `squared_distances`.
        TypeError: labels are not int64, or as in `squared_distances`.

    >>> points, labels = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([0, 0, 1])
    >>> k_nearest_neighbors(torch.tensor([[0.4], [4.0]]), points, labels, k=1)
    tensor([0, 1])
    """
    require_classes(labels, len(points))
    return vote(labels[nearest_points(queries, points, k)])


def nearest_in_blocks(queries: Tensor, points: Tensor, k: int) -> Tensor:
    """Find the k points nearest to each query, without ever holding all distances.

    Equal to `nearest_points` in float32 for whole numbers, if the squared distances of all
    rows from the origin chosen, and those of neighbors from their query, stay below 2^24.
    Other floats are rounded: points may change places whose squared distances differ by a
    few times 2^-23 (2^-52 in float64) of the squared distance from a query to the origin,
    so keep queries among the points. Beside the blocks it holds a few tables as large as
    the answer.

    Args:
        queries: (m, d) floats; those of less than 32 bits are computed in float32.
        points: (n, d) floats of the same dtype.
        k: how many to find, from 1 to n.

    Returns:
        (m, k) int64 from 0 to n - 1, nearest first; of equally near points the first.

    Raises:
        ValueError: as in `nearest_points`.
        TypeError: as in `nearest_points`.
    """
    _require_comparable(queries, points)
    require_between(k, 1, len(points), "k")
    origin = middle(points)  # in float32, or wider
    best = origin.new_full((len(queries), k), math.inf)
    index = torch.zeros_like(best, dtype=torch.int64)
    for start in range(0, len(points), POINT_BLOCK):
        block = points[start : start + POINT_BLOCK] - origin
        squares = block.square().sum(dim=1)
        for first in range(0, len(queries), QUERY_BLOCK):
            rows = slice(first, first + QUERY_BLOCK)
            # |q|² is the same for all points: without it, the order is the same.
            products = (queries[rows] - origin) @ block.T
            scores = products.mul_(-2).add_(squares)  # rounds once, so keeps the order
            require_finite(scores, "squared distances")
            values, places = smallest(scores, k)
            values = torch.cat([best[rows], values], dim=1)
            places = torch.cat([index[rows], places + start], dim=1)
            best[rows], chosen = smallest(values, k)
            index[rows] = places.gather(1, chosen)
    return index.gather(1, best.argsort(dim=1, stable=True))


def middle(points: Tensor) -> Tensor:
    """Choose an origin amid the points: in each coordinate, the median of some of them.

    It is a value of the data, so whole numbers stay whole when it is subtracted, and a few
    outliers do not move it.

    Args:
        points: (n, d) floats, n and d at least 1.

    Returns:
        (d,) float32, or float64 if the points are: the medians of every point where n is
        below 1000, and else of 500 to 1000, picked at even steps; of two, the lower.

    Raises:
        ValueError: points is no such table.
        TypeError: they are not floats.
    """
    require_table(points, "points")
    some = points[:: len(points) // 1000 + 1]
    some = some.to(torch.promote_types(points.dtype, torch.float32))
    return some.median(dim=0).values


def smallest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Select the k smallest values of each row; of equal values, the first.

    `topk` alone leaves open which of several equal values it takes.

    Args:
        values: (m, n) numbers; infinity may be among them, NaN may not.
        k: how many, at least 1; all of them, where k exceeds n.

    Returns:
        (m, min(k, n)) values in the order of their columns, and these columns, int64.

    Raises:
        ValueError: k is below 1, or values is no table or holds NaN.
    """
    require_at_least(k, 1, "k")
    if values.ndim != 2 or (values.numel() and values.min().isnan()):  # min passes NaN on
        raise ValueError(f"values must be (m, n), no NaN, got {tuple(values.shape)}")
    if k >= values.shape[1]:
        columns = torch.arange(values.shape[1], device=values.device)
        return values, columns.expand(values.shape)
    found, columns = values.topk(k + 1, dim=1, largest=False)
    tied = found[:, k - 1] == found[:, k]  # the last one in equals the first one out
    columns = columns[:, :k]
    columns[tied] = values[tied].argsort(dim=1, stable=True)[:, :k]
    columns = columns.sort(dim=1).values
    return values.gather(1, columns), columns


def errors_of_every_k(
    queries: Tensor, truth: Tensor, points: Tensor, labels: Tensor
) -> Tensor:
    """Measure the error of the vote for every number of voters, in one pass.

    Args:
        queries: (m, d) floats, with m > 0.
        truth: (m,) int64, the labels of the queries.
        points: (n, d) floats, the training points.
        labels: (n,) int64, their labels, counted from 0.

    Returns:
        (n,) float64 from 0 to 1: entry k - 1 is the share of queries that k voters miss.

    Raises:
        ValueError: there is not one label of 0 or more to each of queries and points, or
            the tables do not fit together, as in `squared_distances`.
        TypeError: labels are not int64, or as in `squared_distances`.
    """
    require_classes(labels, len(points))
    require_classes(truth, len(queries), name="truth")
    ballots = labels[nearest_points(queries, points, len(points))]
    winner = torch.zeros_like(ballots)
    most = (ballots == 0).cumsum(dim=1)  # votes for label 0 among the first 1, 2, ..., n
    for label in range(1, int(labels.max()) + 1):
        votes = (ballots == label).cumsum(dim=1)
        winner[votes > most] = label
        most = most.maximum(votes)
    return (winner != truth[:, None]).double().mean(dim=0)


def cover_hart_bound(bayes_error: float, classes: int) -> float:
    """Bound the error of one neighbor, in the limit of endless training data.

    Args:
        bayes_error: the error R* of the best possible classifier, from 0 to 1 - 1 / C.
        classes: how many classes C there are, at least 2.

    Returns:
        R* (2 - C / (C - 1) R*), the least upper bound, from R* to 2 R*.

    Raises:
        ValueError: there are fewer than 2 classes, or R* exceeds that of blind guessing.

    >>> round(cover_hart_bound(0.1, classes=2), 2)
    0.18
    """
    require_at_least(classes, 2, "classes")
    require_between(bayes_error, 0, 1 - 1 / classes, "bayes_error")
    return bayes_error * (2 - classes / (classes - 1) * bayes_error)


def chance_of_a_perfect_score(questions: int, candidates: int) -> float:
    """Compute how likely at least one of many guessers answers everything right.

    Args:
        questions: how many yes-or-no questions there are, at least 1.
        candidates: how many people answer, each by tossing a coin, at least 1.

    Returns:
        a probability.

    Raises:
        ValueError: a number is below 1.
    """
    require_at_least(questions, 1, "questions")
    require_at_least(candidates, 1, "candidates")
    # 1 - (1 - p)^n, where 1 - p may round to 1
    return -math.expm1(candidates * math.log1p(-(0.5**questions)))


def simulate_perfect_scores(
    questions: int, candidates: int, rounds: int, generator: Generator
) -> float:
    """Let people guess, round after round, and count the rounds with a perfect score.

    Args:
        questions: how many yes-or-no questions there are, from 1 to 62.
        candidates: how many people answer in a round, at least 1.
        rounds: how often to repeat, at least 1.
        generator: the source of the guesses.

    Returns:
        the share of rounds in which at least one person has everything right, 0 to 1.

    Raises:
        ValueError: a number lies outside its range.
    """
    require_between(questions, 1, 62, "questions")
    require_at_least(candidates, 1, "candidates")
    require_at_least(rounds, 1, "rounds")
    # One of the 2^questions equally likely sheets of answers, number 0, is all correct.
    sheets = torch.randint(2**questions, (rounds, candidates), generator=generator)
    return (sheets == 0).any(dim=1).double().mean().item()


def _require_comparable(queries: Tensor, points: Tensor) -> None:
    require_table(points, "points")
    require_table(queries, "queries", points.shape[1])
    if queries.dtype != points.dtype:
        raise TypeError(
            f"queries and points must have one dtype, got {queries.dtype} and "
            f"{points.dtype}"
        )
