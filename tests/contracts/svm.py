"""Valid inputs of `dlbook.svm`."""

import torch

from contracts import Contract

SIGNS = {"labels": "signs"}
NUMBERS = {"penalty": [0.0, -1.0, float("nan"), float("inf")]}
TOLERANCE = NUMBERS | {"tolerance": [0.0, -1.0, 1e-9, float("nan")]}
OUTSIDE = [torch.full((8,), 1.5), torch.full((8,), -0.5)]


def problem():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(8, 3, generator=generator)
    labels = torch.where(points[:, 0] > 0, 1, -1)
    return {"points": points, "labels": labels, "penalty": 0.1}


def multipliers():
    return torch.linspace(0, 1, 8)


def gram(rows=8):
    points = problem()["points"]
    return points[:rows] @ points.T + 1


def kernel_problem():
    return {"gram": gram(), "labels": problem()["labels"], "penalty": 0.1}


CONTRACTS = {
    "hinge_loss": Contract(
        make=lambda: {"scores": multipliers(), "labels": problem()["labels"]},
        labels=SIGNS,
    ),
    "primal_objective": Contract(
        make=lambda: {"w": torch.ones(3)} | problem(), labels=SIGNS, refused=NUMBERS
    ),
    "combine": Contract(
        make=lambda: {"multipliers": multipliers()} | problem(),
        labels=SIGNS,
        refused=NUMBERS | {"multipliers": OUTSIDE},
    ),
    "dual_objective": Contract(
        make=lambda: {"multipliers": multipliers()} | problem(),
        labels=SIGNS,
        refused=NUMBERS | {"multipliers": OUTSIDE},
    ),
    "subgradient_descent": Contract(
        make=lambda: problem() | {"steps": 5},
        labels=SIGNS,
        refused=NUMBERS | {"steps": [0, -3]},
    ),
    "coordinate_round": Contract(
        make=lambda: (
            {"w": torch.zeros(3), "multipliers": torch.zeros(8)}
            | problem()
            | {"order": torch.tensor([3, 0, 5, 7])}
        ),
        labels=SIGNS,
        refused=NUMBERS | {"multipliers": OUTSIDE, "order": [torch.tensor([8])]},
    ),
    "gap_closed": Contract(
        make=lambda: (
            {"w": torch.ones(3), "multipliers": multipliers()}
            | problem()
            | {"tolerance": 0.1}
        ),
        labels=SIGNS,
        refused=NUMBERS | {"tolerance": [0.0, -1.0, float("nan")]},
    ),
    "dual_coordinate_descent": Contract(
        make=lambda: problem() | {"tolerance": 1e-3, "seed": 0},
        labels=SIGNS,
        refused=TOLERANCE,
    ),
    "gaussian_kernel": Contract(
        make=lambda: {
            "x": problem()["points"][:5],
            "z": problem()["points"],
            "width": 0.5,
        },
        refused={"width": [0.0, -1.0, float("nan")]},
        shifted=("x", "z"),
    ),
    "train_on_kernel": Contract(
        make=lambda: kernel_problem() | {"tolerance": 1e-3, "seed": 0},
        labels=SIGNS,
        refused=TOLERANCE,
    ),
    "kernel_scores": Contract(
        make=lambda: {
            "gram": gram(rows=5),
            "multipliers": multipliers(),
            "labels": problem()["labels"],
            "penalty": 0.1,
        },
        labels=SIGNS,
        refused=NUMBERS | {"multipliers": OUTSIDE},
    ),
    "require_gram": Contract(
        make=lambda: {"gram": gram(), "labels": problem()["labels"]}, labels=SIGNS
    ),
    "train": Contract(
        make=lambda: problem() | {"tolerance": 1e-3}, labels=SIGNS, refused=TOLERANCE
    ),
}
