"""Valid inputs of `dlbook.mlp`."""

import torch

from contracts import Contract
from dlbook.mlp import draw_layers, relu


def table(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def line():
    return torch.linspace(-2, 2, 201)[:, None]


CONTRACTS = {
    "tanh": Contract(make=lambda: {"s": table(5, 3)}),
    "relu": Contract(make=lambda: {"s": table(5, 3)}),
    "tanh_derivative": Contract(make=lambda: {"s": table(5, 3)}),
    "relu_derivative": Contract(make=lambda: {"s": table(5, 3)}),
    "unit": Contract(
        make=lambda: {
            "x": table(3, 1)[:, 0],
            "w": table(3, 1, 1)[:, 0],
            "b": torch.tensor(0.5),
            "activation": relu,
        },
        refused={"b": [torch.arange(3.0), torch.tensor(0.5, dtype=torch.float64)]},
    ),
    "layer": Contract(
        make=lambda: {
            "x": table(5, 3),
            "weight": table(4, 3, 1),
            "bias": table(4, 1, 2)[:, 0],
            "activation": lambda s: s,
        }
    ),
    "require_fit": Contract(
        make=lambda: {
            "x": table(5, 3),
            "weight": table(4, 3, 1),
            "bias": table(4, 1, 2)[:, 0],
        },
        excused={
            "nan x": "it looks at shapes and dtypes only, so that training stays fast",
            "nan weight": "the same",
            "nan bias": "the same",
            "empty x": "an empty batch has a shape that fits",
        },
    ),
    "forward": Contract(
        make=lambda: {
            "x": table(5, 3),
            "layers": draw_layers([3, 4, 2], 0),
            "activation": relu,
        },
        refused={"layers": [[]]},
    ),
    "draw_layers": Contract(
        make=lambda: {"widths": [3, 4, 2], "seed": 0},
        refused={"widths": [[], [3], [3, 0, 1]], "dtype": [torch.int64, torch.bool]},
    ),
    "parameter_count": Contract(make=lambda: {"layers": draw_layers([3, 4, 2], 0)}),
    "collapse": Contract(
        make=lambda: {"layers": draw_layers([3, 4, 2], 0)},
        refused={
            "layers": [
                [],
                [(torch.ones(2, 3), torch.ones(2, 1))],
                [(torch.ones(2, 3), torch.ones(2)), (torch.ones(4, 3), torch.ones(4))],
                [(torch.ones(2, 3), torch.ones(2)), (torch.ones(4, 2), torch.ones(1))],
            ]
        },
    ),
    "active_units": Contract(
        make=lambda: {"x": table(5, 3), "layers": draw_layers([3, 4, 2], 0)},
        refused={"layers": [[(torch.ones(4, 3) * float("nan"), torch.ones(4))] * 2]},
    ),
    "count_pieces": Contract(
        make=lambda: {"x": line(), "layers": draw_layers([1, 4, 4, 1], 0)},
        refused={"x": [torch.zeros(9, 1), torch.ones(2, 1), line().flip(0)[::40] ** 2]},
    ),
    "sawtooth": Contract(
        make=lambda: {"depth": 3}, refused={"depth": [0, -1, float("nan")]}
    ),
}
