"""Valid inputs of `dlbook.risk`."""

import torch

from contracts import Contract
from dlbook.risk import Gaussian


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def gaussian(mean, deviation=1.0):
    return Gaussian(torch.tensor(mean), torch.tensor(deviation))


NAN, INF = float("nan"), float("inf")
LEVELS = [0.0, 1.0, NAN]
SAMPLES = Contract(make=lambda: {"low": draws(5), "high": draws(4, seed=1) + 1})

CONTRACTS = {
    "zero_one_loss": Contract(
        make=lambda: {
            "predictions": torch.tensor([0, 2, 1]),
            "labels": torch.tensor([0, 1, 1]),
        },
        labels={"predictions": "classes", "labels": "classes"},
    ),
    "quadratic_loss": Contract(
        make=lambda: {"predictions": draws(4), "targets": draws(4, seed=1)},
        shifted=("predictions", "targets"),
    ),
    "log_loss": Contract(
        make=lambda: {"densities": draws(4).abs()},
        refused={"densities": [torch.tensor([-0.1]), torch.tensor([float("inf")])]},
    ),
    "empirical_risk": Contract(
        make=lambda: {"losses": draws(4).abs()},
        refused={"losses": [torch.tensor([INF, -INF])]},
    ),
    "confidence_interval": Contract(
        make=lambda: {"losses": draws(40).abs(), "level": 0.9},
        refused={
            "level": LEVELS,
            "losses": [
                torch.zeros(24),
                torch.ones(24),
                torch.tensor([1.0] + 23 * [0.0]),
                torch.ones(1),
            ],
        },
    ),
    "exact_interval": Contract(
        make=lambda: {"wrong": 1, "n": 24, "level": 0.9},
        refused={"wrong": [-1, 25, 1.0], "n": [0, 24.5], "level": LEVELS},
    ),
    "margin": Contract(
        make=lambda: {"n": 100, "candidates": 5, "level": 0.9},
        refused={"n": [0, NAN], "candidates": [0, NAN], "level": LEVELS},
    ),
    "expected_best": Contract(
        make=lambda: {"n": 10, "candidates": 5, "risk": 0.4},
        refused={"n": [0, 10.5], "candidates": [0, NAN], "risk": [-0.1, 1.1, NAN]},
    ),
    "mistakes_at_least": Contract(
        make=lambda: {"n": 10, "risk": 0.4},
        refused={"n": [0, 2.5], "risk": [-0.1, 1.1, NAN]},
    ),
    "fit_gaussian": Contract(
        make=lambda: {"sample": draws(6)},
        refused={"sample": [torch.ones(3), torch.ones(3) / 3, torch.ones(1)]},
    ),
    "log_density": Contract(
        make=lambda: {"x": draws(4), "gaussian": gaussian(0.5, 2.0)},
        refused={
            "gaussian": [gaussian(0.0, s) for s in (0.0, -1.0, INF)] + [gaussian(NAN)]
        },
    ),
    "gaussian_threshold": Contract(
        make=lambda: {"low": gaussian(0.0), "high": gaussian(2.0)},
        refused={"high": [gaussian(-1.0), gaussian(2.0, 0.0)]},
    ),
    "mistakes": Contract(
        make=lambda: {
            "thresholds": draws(3),
            "low": draws(5),
            "high": draws(4, seed=1) + 1,
        },
        shifted=("thresholds", "low", "high"),
        refused={"thresholds": [torch.tensor([float("nan")])]},
    ),
    "best_thresholds": SAMPLES,
}
