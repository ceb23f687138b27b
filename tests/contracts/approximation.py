"""Valid inputs of `dlbook.approximation`."""

import torch

from contracts import Contract
from dlbook.approximation import Waves, relu_interpolation


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)).double()


def knots(dtype=torch.float64):
    return torch.linspace(0, 1, 9, dtype=dtype)


def waves(dtype=torch.float64, phases=3):
    v, gamma = uniform(3, 2) * 8 - 4, uniform(3, seed=2) - 0.5
    return Waves(v.to(dtype), uniform(phases, seed=1).to(dtype), gamma.to(dtype))


def network():
    return relu_interpolation(torch.sin, knots())


def bump(x):
    return torch.exp(-((x - 0.4) ** 2).sum(dim=1))


def a_column(x):
    return bump(x)[:, None]


def one_number(x):
    return torch.ones((), dtype=torch.float64)


NO_WAVES = Waves(*(torch.zeros(1, 1).double(), torch.zeros(1).double()), torch.zeros(1))

CONTRACTS = {
    "relu_interpolation": Contract(
        make=lambda: {"function": torch.sin, "knots": knots()},
        refused={
            "function": [
                lambda x: torch.sin(x)[:, None],
                lambda x: x[:1],
                torch.log,
                torch.Tensor.float,
            ],
            "knots": [knots(torch.float16), knots(torch.bfloat16), knots().flip(0)],
        },
    ),
    "interpolation_bound": Contract(
        make=lambda: {"curvature": 2.0, "width": 0.5},
        refused={"curvature": [-1.0, float("nan")], "width": [0.0, -1.0, float("nan")]},
    ),
    "log_log_slope": Contract(
        make=lambda: {
            "sizes": torch.tensor([1.0, 2.0, 5.0]),
            "errors": torch.tensor([9.0, 4.0, 1.0]),
        },
        refused={
            "sizes": [torch.ones(3), torch.tensor([0.0, 1.0, 2.0])],
            "errors": [
                torch.tensor([1.0, 0.0, 2.0]),
                torch.tensor([1.0, 1.0, torch.inf]),
            ],
        },
    ),
    "wave_sum": Contract(
        make=lambda: {"x": uniform(5, 2), "waves": waves()},
        refused={"waves": [waves(phases=1), waves(torch.float32)]},
    ),
    "cosine_coefficients": Contract(
        make=lambda: {"function": bump, "dimensions": 2, "degree": 3},
        refused={
            "function": [a_column, one_number, lambda x: bump(x) * float("nan")],
            "dimensions": [0, 4],
            "degree": [-1],
        },
    ),
    "as_waves": Contract(make=lambda: {"coefficients": uniform(3, 3) - 0.5}),
    "network_of": Contract(
        make=lambda: {"waves": waves(), "tolerance": 0.2},
        refused={
            "waves": [waves(torch.float32), waves(phases=1), NO_WAVES],
            "tolerance": [0.0, -1.0, float("nan"), float("inf")],
        },
    ),
    "evaluate": Contract(
        make=lambda: {"x": uniform(5, 1), "layers": network()},
        refused={"layers": [[*network(), (torch.ones(2, 1), torch.ones(2))]]},
    ),
    "grid": Contract(
        make=lambda: {"dimensions": 2, "points": 4},
        refused={"dimensions": [0], "points": [1]},
    ),
    "waves_within": Contract(
        make=lambda: {"function": bump, "dimensions": 1, "delta": 0.1},
        refused={
            "function": [a_column, one_number, lambda x: bump(x) / 0],
            "dimensions": [0, 4],
            "delta": [0.0, -0.1, float("nan")],
        },
    ),
}
