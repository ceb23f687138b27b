"""Valid inputs of `dlbook.backprop`."""

import torch

from contracts import Contract
from dlbook.backprop import trace
from dlbook.mlp import draw_layers, relu, relu_derivative


def table(rows, columns, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator).to(dtype)


def labels():
    return torch.tensor([0, 1, 1, 0, 1, 0])


def layers():
    return draw_layers([3, 4, 2], 0)


def way_back():
    entered, sums = trace(table(6, 3), layers(), relu)
    return {
        "layers": layers(),
        "entered": entered,
        "sums": sums,
        "along_scores": table(6, 2),
        "derivative": relu_derivative,
    }


PARAMETER = table(2, 3, dtype=torch.float64)


def moved():
    parameter = table(2, 3, dtype=torch.float64)
    return {
        "function": lambda: parameter.square().sum(),
        "parameter": parameter,
        "h": 1e-4,
    }


SCORES = Contract(
    make=lambda: {"scores": table(6, 2), "labels": labels()},
    labels={"labels": "classes"},
    refused={"labels": [labels() + 1, labels()[None], labels().int()]},
)
CHANGES = {"changes": "it is there to change the layers"}

CONTRACTS = {
    "trace": Contract(
        make=lambda: {"x": table(6, 3), "layers": layers(), "activation": relu},
        refused={"layers": [[], layers()[1:], [(torch.ones(4, 3), torch.ones(4, 1))]]},
    ),
    "cross_entropy": SCORES,
    "cross_entropy_gradient": SCORES,
    "backward": Contract(
        make=way_back,
        refused={
            "along_scores": [table(1, 2), table(6, 1), table(6, 4)],
            "entered": [way_back()["entered"][::-1]],
            "sums": [way_back()["sums"][::-1]],
            "layers": [layers()[1:], [*layers(), *layers()]],
        },
    ),
    "step": Contract(
        make=lambda: {
            "layers": layers(),
            "gradients": draw_layers([3, 4, 2], 1),
            "eta": 0.1,
        },
        refused={
            "eta": [0.0, -1.0, float("nan")],
            "gradients": [
                [],
                draw_layers([3, 1, 2], 0),
                draw_layers([3, 4], 0),
                [(w * float("nan"), b) for w, b in layers()],
            ],
        },
        excused=CHANGES,
    ),
    "train_step": Contract(
        make=lambda: {
            "layers": layers(),
            "x": table(6, 3),
            "labels": labels(),
            "eta": 0.1,
        },
        labels={"labels": "classes"},
        refused={
            "eta": [0.0, -1.0, float("nan")],
            "layers": [[], layers()[1:]],
            "labels": [labels() + 1],
        },
        excused=CHANGES,
    ),
    "train_epoch": Contract(
        make=lambda: {
            "layers": layers(),
            "images": table(6, 3),
            "labels": labels(),
            "eta": 0.1,
            "batch": 4,
            "generator": torch.Generator().manual_seed(0),
        },
        labels={"labels": "classes"},
        refused={
            "eta": [0.0, -1.0],
            "batch": [0, 7],
            "layers": [[], layers()[1:]],
            "labels": [labels() + 1],
        },
        excused=CHANGES,
    ),
    "error_rate": Contract(
        make=lambda: {"layers": layers(), "images": table(6, 3), "labels": labels()},
        labels={"labels": "classes"},
        refused={
            "labels": [labels() + 1],
            "layers": [[(w * float("nan"), b) for w, b in layers()]],
        },
    ),
    "finite_differences": Contract(
        make=moved,
        refused={
            "h": [0.0, -1.0, float("nan"), 1e-30],
            "parameter": [
                PARAMETER[:1].expand(4, 3),
                PARAMETER.half(),
                PARAMETER.bfloat16(),
                PARAMETER.long(),
            ],
        },
    ),
    "count_products": Contract(
        make=lambda: {"widths": [3, 4, 2]}, refused={"widths": [[], [3], [3, 0]]}
    ),
}
