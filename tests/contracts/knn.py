"""Valid inputs of `dlbook.knn`."""

import torch

from contracts import Contract


def table(rows, seed=0):
    return torch.randn(rows, 3, generator=torch.Generator().manual_seed(seed))


def labels():
    return torch.tensor([0, 2, 1, 0, 1, 2])


CONTRACTS = {
    "squared_distances": Contract(
        make=lambda: {"queries": table(4), "points": table(6, 1)},
        shifted=("queries", "points"),
    ),
    "nearest_points": Contract(
        make=lambda: {"queries": table(4), "points": table(6, 1), "k": 2},
        refused={"k": [0, -1, 7]},
        shifted=("queries", "points"),
    ),
    "nearest_in_blocks": Contract(
        make=lambda: {"queries": table(4), "points": table(6, 1), "k": 2},
        refused={"k": [0, -1, 7]},
        shifted=("queries", "points"),
    ),
    "middle": Contract(make=lambda: {"points": table(6)}),
    "smallest": Contract(
        make=lambda: {"values": table(4), "k": 2}, refused={"k": [0, -1]}
    ),
    "vote": Contract(
        make=lambda: {"ballots": torch.tensor([[2, 0, 2], [1, 0, 3]])},
        labels={"ballots": "classes"},
    ),
    "k_nearest_neighbors": Contract(
        make=lambda: {
            "queries": table(4),
            "points": table(6, 1),
            "labels": labels(),
            "k": 3,
        },
        labels={"labels": "classes"},
        refused={"k": [0, 7]},
        shifted=("queries", "points"),
    ),
    "errors_of_every_k": Contract(
        make=lambda: {
            "queries": table(4),
            "truth": torch.tensor([0, 1, 2, 1]),
            "points": table(6, 1),
            "labels": labels(),
        },
        labels={"truth": "classes", "labels": "classes"},
        shifted=("queries", "points"),
    ),
    "cover_hart_bound": Contract(
        make=lambda: {"bayes_error": 0.1, "classes": 2},
        refused={"bayes_error": [-0.1, 0.6, float("nan")], "classes": [1, 0]},
    ),
    "chance_of_a_perfect_score": Contract(
        make=lambda: {"questions": 10, "candidates": 1000},
        refused={"questions": [0, -1], "candidates": [0]},
    ),
    "simulate_perfect_scores": Contract(
        make=lambda: {
            "questions": 3,
            "candidates": 5,
            "rounds": 20,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={"questions": [0, 63], "candidates": [0], "rounds": [0]},
    ),
}
