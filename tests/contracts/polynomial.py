"""Valid inputs of `dlbook.polynomial`."""

import torch

from contracts import Contract
from dlbook.polynomial import Polynomial, intervals


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def line():
    return {"x": torch.linspace(-1, 2, 9), "y": numbers(9), "degree": 3}


CONTRACTS = {
    "powers": Contract(
        make=lambda: {"x": numbers(5), "degree": 3},
        refused={"degree": [-1]},
    ),
    "evaluate": Contract(
        make=lambda: {
            "polynomial": Polynomial(numbers(3), torch.ones(1), torch.ones(1)),
            "x": numbers(5),
        },
    ),
    "fit_polynomial": Contract(make=line, refused={"degree": [-1, 9]}),
    "middle_and_radius": Contract(
        make=lambda: {"x": numbers(5)},
        excused={"column x": "each row is a training set of its own, here of one point"},
    ),
    "fit_ridge": Contract(
        make=lambda: line() | {"penalty": 0.1},
        refused={"degree": [-1], "penalty": [0.0, -1.0, float("nan"), float("inf")]},
    ),
    "legendre": Contract(
        make=lambda: {"u": numbers(5).tanh(), "degree": 3},
        refused={"degree": [-1]},
    ),
    "shortest_fit": Contract(make=lambda: {"X": numbers(4, 7), "y": numbers(4)}),
    "bias_and_variance": Contract(
        make=lambda: {"predictions": numbers(6, 4), "truth": numbers(4, seed=1)},
        shifted=("predictions", "truth"),
    ),
    "thresholds": Contract(make=lambda: {"points": numbers(4)}, shifted=("points",)),
    "intervals": Contract(make=lambda: {"points": numbers(4)}, shifted=("points",)),
    "half_planes": Contract(make=lambda: {"points": numbers(4, 2)}, shifted=("points",)),
    "shatters": Contract(make=lambda: {"labelings": numbers(4, 2) > 0}),
    "vc_dimension": Contract(
        make=lambda: {"family": intervals, "sets": [numbers(2), numbers(3)]}
    ),
    "vc_bound": Contract(
        make=lambda: {"dimension": 3, "n": 100, "doubt": 0.05},
        refused={"dimension": [0, 101], "doubt": [0, 1, float("nan")]},
    ),
}
