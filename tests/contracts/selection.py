"""Valid inputs of `dlbook.selection`."""

import torch

from contracts import Contract
from dlbook.svm import gaussian_kernel


def numbers(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def gram():
    x = numbers(9, 4)
    return gaussian_kernel(x, x, 1.0)


NOT_POSITIVE = [0, -1, float("nan"), float("inf")]
NO_SHARE = [0, 1, -0.1, 1.1, float("nan")]

CONTRACTS = {
    "consecutive_folds": Contract(
        make=lambda: {"n": 9, "parts": 3},
        refused={"n": [1, 2, 9.0], "parts": [0, 1, 10, 2.5]},
    ),
    "nearest_mean": Contract(
        make=lambda: {
            "queries": numbers(5, 4, seed=1),
            "points": numbers(9, 4),
            "labels": torch.arange(9) % 3,
        },
        labels={"labels": "classes"},
        shifted=("queries", "points"),
    ),
    "fit_kernels": Contract(
        make=lambda: {
            "gram": gram(),
            "labels": torch.arange(9) % 3,
            "penalties": torch.tensor([0.01, 1.0], dtype=torch.float64),
        },
        labels={"labels": "classes"},
        refused={
            "gram": [numbers(9, 9), gram().float(), gram()[:, :8], -gram()],
            "labels": [torch.zeros(9, dtype=torch.int64)],
            "penalties": [
                torch.tensor([0.01, bad], dtype=torch.float64) for bad in NOT_POSITIVE
            ],
        },
    ),
    "grid": Contract(
        make=lambda: {"axes": [numbers(2), numbers(3, seed=1)]},
        refused={
            "axes": [
                [],
                [numbers(2, 1)],
                [numbers(0)],
                [numbers(2), numbers(2).float()],
                [torch.arange(3)],
                [numbers(2) / 0],
            ]
        },
    ),
    "log_uniform": Contract(
        make=lambda: {
            "low": 0.1,
            "high": 10.0,
            "n": 4,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={
            "low": [*NOT_POSITIVE, 10.0, 11.0],
            "high": [*NOT_POSITIVE, 0.1],
            "n": [0, -1, 2.5],
        },
    ),
    "chance_of_a_good_draw": Contract(
        make=lambda: {"share": 0.05, "draws": 60},
        refused={"share": [-0.1, 1.1, float("nan")], "draws": [0, -1, 2.5]},
    ),
    "draws_needed": Contract(
        make=lambda: {"share": 0.05, "chance": 0.95},
        refused={"share": NO_SHARE, "chance": NO_SHARE},
    ),
    "expected_of_best": Contract(
        make=lambda: {"criterion": numbers(6), "values": numbers(6, seed=1), "draws": 3},
        refused={"values": [numbers(6).float()], "draws": [0, -1, 2.5]},
    ),
    "on_border": Contract(make=lambda: {"errors": numbers(4, 5)}),
    "halving": Contract(
        make=lambda: {
            "candidates": 9,
            "rounds": 3,
            "first_budget": 1,
            "keep_one_in": 3,
            "error_of": lambda candidate, budget: candidate / budget,
        },
        refused={
            "candidates": [0, 8, 9.5],
            "rounds": [0, 2.5, 4],
            "first_budget": [0, 2.5],
            "keep_one_in": [0, 1, 2.5],
            "error_of": [lambda candidate, budget: float("nan")],
        },
    ),
    "rank_correlation": Contract(
        make=lambda: {"first": numbers(6), "second": numbers(6, seed=1)},
        refused={"first": [torch.ones(6)], "second": [torch.ones(6)]},
    ),
}
