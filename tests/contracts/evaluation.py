"""Valid inputs of `dlbook.evaluation`."""

import torch

from contracts import Contract
from dlbook.evaluation import folds


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def classes(n):
    return torch.arange(n) % 3


def networks():
    return [numbers(2, 4, 3), numbers(2, 1, 3, seed=1)]


def parts():
    return [torch.tensor([0, 3]), torch.tensor([1, 4]), torch.tensor([2, 5])]


def distance_to_mean(training, held_out):
    y = numbers(6)
    return (y[training].mean() - y[held_out]).square()


def scaled_distance(setting, training, held_out):
    return setting * distance_to_mean(training, held_out)


def training():
    return {
        "x": numbers(9, 4),
        "y": classes(9),
        "sizes": (4, 5, 3),
        "seeds": [0, 1],
        "epochs": 2,
        "step": 0.1,
        "batch": 4,
    }


CONTRACTS = {
    "draw_networks": Contract(
        make=lambda: {
            "sizes": (4, 5, 3),
            "generators": [torch.Generator().manual_seed(seed) for seed in range(2)],
        },
        refused={"sizes": [(4,), (4, 0)], "generators": [[]]},
    ),
    "forward": Contract(make=lambda: {"parameters": networks(), "x": numbers(6, 4)}),
    "train_many": Contract(
        make=training,
        labels={"y": "classes"},
        refused={
            "sizes": [(5, 3), (4, 2), (4, 5, 1)],
            "seeds": [[]],
            "epochs": [0],
            "step": [0, -1, float("nan")],
            "batch": [0, 10],
        },
    ),
    "take_steps": Contract(
        make=lambda: {
            "parameters": networks(),
            "x": numbers(2, 6, 4),
            "y": classes(12).view(2, 6),
            "step": 0.1,
        },
        labels={"y": "classes"},
        refused={"step": [0, -1, float("nan")]},
    ),
    "error_rates": Contract(
        make=lambda: {"parameters": networks(), "x": numbers(6, 4), "y": classes(6)},
        labels={"y": "classes"},
    ),
    "folds": Contract(
        make=lambda: {"n": 6, "parts": 3, "seed": 0}, refused={"parts": [0, 1, 7]}
    ),
    "stratified_folds": Contract(
        make=lambda: {"labels": classes(9), "parts": 3, "seed": 0},
        labels={"labels": "classes"},
        refused={"parts": [0, 1, 10]},
    ),
    "grouped_folds": Contract(
        make=lambda: {"groups": classes(9), "parts": 3, "seed": 0},
        refused={"parts": [0, 1, 4]},
    ),
    "cross_validate": Contract(
        make=lambda: {"parts": parts(), "losses_of": distance_to_mean},
        refused={"parts": [parts()[:2], [*parts(), torch.tensor([5])]]},
        excused={"cuda": "the samples that `distance_to_mean` knows lie on the CPU"},
    ),
    "choose_inside": Contract(
        make=lambda: {
            "settings": [2.0, 1.0],
            "losses_of": scaled_distance,
            "deal": lambda rows: folds(len(rows), 2, seed=0),
        },
        refused={"settings": [[]]},
    ),
    "simplest_within_one_error": Contract(make=lambda: {"losses": numbers(4, 6).abs()}),
    "paired_test": Contract(
        make=lambda: {"first": numbers(9) > 0, "second": numbers(9, seed=1) > 0}
    ),
    "leave_one_out": Contract(make=lambda: {"X": numbers(8, 3), "y": numbers(8, seed=1)}),
    "pick_best": Contract(
        make=lambda: {"visible": numbers(5, 4), "sealed": numbers(5, 4, seed=1)}
    ),
}
