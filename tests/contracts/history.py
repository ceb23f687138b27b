"""Valid inputs of `dlbook.history`."""

import torch
from torch import nn

from contracts import Contract
from dlbook import history


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def letters():
    images, labels = history.tc_images(4)
    return images.float(), labels.float()


def network():
    return history.draw_network(2, torch.zeros(1), seed=0)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 2))


def patches():
    return history.patches_of(letters()[0])


CONTRACTS = {
    "threshold_unit": Contract(
        make=lambda: {"inputs": draws(5, 3), "weights": draws(3, seed=1), "bias": 0.5},
        refused={"bias": [float("nan"), torch.zeros(5), torch.zeros(5, 1)]},
    ),
    "hebbian_weights": Contract(
        make=lambda: {"inputs": draws(4, 6).sign(), "outputs": draws(4, 3).sign()},
        labels={"inputs": "signs", "outputs": "signs"},
        refused={"inputs": [torch.ones(4)], "outputs": [torch.ones(4)]},
    ),
    "perceptron_pass": Contract(
        make=lambda: {
            "inputs": draws(4, 3),
            "labels": torch.tensor([1.0, -1, 1, 1]),
            "weights": torch.zeros(3),
        },
        labels={"labels": "signs"},
    ),
    "s_cells": Contract(
        make=lambda: {
            "image": draws(6, 6).abs(),
            "templates": draws(2, 3, 3).abs(),
            "selectivity": 0.5,
        },
        refused={
            "selectivity": [1.0, -0.1, float("nan")],
            "templates": [torch.zeros(2, 3, 3), torch.ones(2, 4, 4), torch.ones(2, 9)],
        },
    ),
    "c_cells": Contract(
        make=lambda: {"features": draws(2, 6, 6), "reach": 3},
        refused={"reach": [0, 4, -3], "features": [torch.ones(6, 6)]},
    ),
    "tc_images": Contract(make=lambda: {"side": 4}, refused={"side": [2, 0, -1]}),
    "patches_of": Contract(
        make=lambda: {"images": letters()[0]}, refused={"images": [torch.ones(4, 4)]}
    ),
    "forward": Contract(
        make=lambda: {"network": network(), "patches": patches()},
        refused={
            "patches": [torch.ones(2, 3, 8), torch.ones(3, 9)],
            "network": [
                network()._replace(w=torch.full((9, 2), float("nan"))),
                network()._replace(b=torch.zeros(64, 1)),
                network()._replace(c=torch.zeros(len(patches()))),
            ],
        },
    ),
    "backward": Contract(
        make=lambda: {
            "network": network(),
            "patches": patches(),
            "labels": letters()[1],
        },
        labels={"labels": "bits"},
    ),
    "train_tc": Contract(
        make=lambda: {
            "images": letters()[0],
            "labels": letters()[1],
            "kinds": 2,
            "steps": 3,
            "seed": 0,
        },
        labels={"labels": "bits"},
        refused={"kinds": [0, -1], "steps": [-1]},
    ),
    "draw_network": Contract(
        make=lambda: {"kinds": 2, "images": letters()[0], "seed": 0},
        refused={"kinds": [0]},
    ),
    "count_plane": Contract(make=lambda: {"plane": history.LENET_1[2]}),
    "alexnet_2012": Contract(make=dict),
    "trace": Contract(
        make=lambda: {
            "model": model(),
            "shape": (3,),
        },
        refused={"model": [nn.Conv1d(1, 1, 3), nn.MultiheadAttention(4, 2)]},
    ),
    "counted_layers": Contract(
        make=lambda: {"model": model()},
        refused={"model": [nn.Conv1d(1, 1, 3), nn.Embedding(3, 2)]},
    ),
    "depth": Contract(
        make=lambda: {"model": model()},
        refused={"model": [nn.Sequential(nn.Conv1d(1, 1, 3))]},
    ),
    "operator_graph": Contract(
        make=lambda: {"result": (draws(3).requires_grad_() * 2).sum()},
        refused={"result": [torch.ones(2)]},
        excused={"half": "the graph shows the conversion"},
    ),
}
