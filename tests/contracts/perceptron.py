"""Valid inputs of `dlbook.perceptron`."""

import torch

from contracts import Contract
from dlbook.perceptron import CORNERS

NO_NUMBER = [float("nan"), float("inf")]


def sample():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(7, 3, generator=generator)
    return {"points": points, "labels": torch.where(points[:, 0] > 0.1, 1, -1)}


SIGNS = {"labels": "signs"}
CONTRACTS = {
    "threshold_unit": Contract(
        make=lambda: {"inputs": CORNERS.clone(), "weight": 1.0, "bias": -0.5},
        refused={"weight": NO_NUMBER, "bias": NO_NUMBER},
    ),
    "perceptron": Contract(
        make=lambda: {"x": sample()["points"], "w": torch.ones(3), "b": 0.5},
        refused={"b": NO_NUMBER},
    ),
    "exclusive_or": Contract(make=lambda: {"inputs": CORNERS.clone()}),
    "one_unit_tables": Contract(make=dict),
    "with_constant": Contract(
        make=lambda: {"points": sample()["points"], "constant": 2.0},
        refused={"constant": [0.0, *NO_NUMBER]},
    ),
    "require_sample": Contract(make=sample, labels=SIGNS),
    "train": Contract(
        make=lambda: sample() | {"epochs": 5}, labels=SIGNS, refused={"epochs": [0, -1]}
    ),
    "train_by_blocks": Contract(
        make=lambda: sample() | {"epochs": 5}, labels=SIGNS, refused={"epochs": [0, -1]}
    ),
    "average_weights": Contract(
        make=lambda: sample() | {"steps": torch.tensor([0, 3, 8]), "epochs": 2},
        labels=SIGNS,
        refused={"epochs": [0, 1], "steps": [torch.tensor([-1]), torch.tensor([0.0])]},
    ),
    "update_bound": Contract(
        make=lambda: {
            "points": torch.tensor([[1.0, 2.0], [-1.0, 1.0], [-3.0, -1.0]]),
            "labels": torch.tensor([1, 1, -1]),
            "separator": torch.tensor([1.0, 2.0]),
        },
        labels=SIGNS,
        refused={"separator": [torch.zeros(2), torch.tensor([-1.0, 1.0])]},
    ),
}
