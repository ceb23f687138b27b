"""Valid inputs of `dlbook.initialization`."""

import math

import torch

from contracts import Contract
from dlbook.initialization import draw
from dlbook.mlp import draw_layers, relu, relu_derivative


def inputs():
    return torch.randn(6, 3, generator=torch.Generator().manual_seed(1))


def layers():
    return draw([3, 4, 2], math.sqrt(2), torch.Generator().manual_seed(0), torch.float32)


def drawn(**others):
    generator = torch.Generator().manual_seed(0)
    return {"gain": 1.0, "generator": generator, "dtype": torch.float32} | others


def measured():
    return {"x": inputs(), "layers": layers(), "activation": relu}


def dead():
    return [(-torch.ones(4, 3), torch.zeros(4))]


MEASURED = Contract(
    make=measured,
    refused={
        "layers": [[], layers()[1:], [(torch.ones(4, 3), torch.ones(4, 1))]],
        "x": [inputs().half(), inputs().bfloat16(), inputs()[0]],
    },
)

CONTRACTS = {
    "draw": Contract(
        make=lambda: drawn(widths=[3, 4, 2]),
        refused={
            "widths": [[], [3], [3, 0], [3, 2.5], [3, -1]],
            "gain": [0.0, -1.0, float("nan"), float("inf"), 1e39, 1e-50],
            "dtype": [torch.float16, torch.bfloat16, torch.int64],
        },
    ),
    "signals": MEASURED,
    "mean_squares": MEASURED,
    "variances_over_inputs": Contract(
        make=measured, refused=MEASURED.refused | {"x": [inputs()[:1], inputs().half()]}
    ),
    "gradient_mean_squares": Contract(
        make=lambda: {
            "x": inputs(),
            "layers": layers(),
            "along_scores": torch.ones(6, 2),
            "activation": relu,
            "derivative": relu_derivative,
        },
        refused={
            "layers": [[], layers()[1:]],
            "along_scores": [torch.ones(6, 1), torch.ones(1, 2), torch.ones(6)],
            "x": [inputs().half()],
            "derivative": [lambda s: relu_derivative(s)[:1]],
        },
    ),
    "mean_square_map": Contract(
        make=lambda: {
            "q": torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64),
            "gain": 1.5,
            "activation": relu,
        },
        refused={
            "q": [torch.ones(2), torch.tensor([-0.1], dtype=torch.float64)],
            "gain": [0.0, -1.0, float("nan")],
        },
    ),
    "rescale": Contract(
        make=measured,
        refused=MEASURED.refused
        | {
            "layers": [[], layers()[1:], draw_layers([3, 4, 2], 0)],
            "x": [-inputs().abs() * 0],
            "activation": [torch.tanh],
        },
    ),
    "mirror": Contract(
        make=lambda: {"layers": layers()},
        refused={
            "layers": [
                [],
                layers()[1:] + layers()[:1],
                [(torch.ones(4, 3), torch.ones(4, 1))],
                [(torch.ones(4, 3), torch.ones(4).double())],
            ]
        },
    ),
    "orthogonal": Contract(
        make=lambda: {
            "size": 4,
            "generator": torch.Generator().manual_seed(0),
            "dtype": torch.float64,
        },
        refused={"size": [0, -1, 2.5], "dtype": [torch.float16, torch.int64]},
    ),
    "effective_rank": Contract(
        make=lambda: {"matrix": inputs()},
        refused={"matrix": [torch.zeros(3, 3), torch.ones(3), inputs().half()]},
    ),
}
