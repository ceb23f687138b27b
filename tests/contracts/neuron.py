"""Valid inputs of `dlbook.neuron`."""

import torch

from contracts import Contract
from dlbook import neuron


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def bits():
    return torch.tensor([0.0, 1, 1, 0, 1])


def sums_and_bits():
    return {"s": draws(5), "y": bits()}


WITH_BITS = Contract(make=sums_and_bits, labels={"y": "bits"})
WITH_TARGETS = Contract(make=lambda: {"s": draws(5), "y": draws(5, seed=1)})
PENALTY = Contract(make=lambda: {"rho": 0.1}, refused={"rho": [-1, float("nan")]})

CONTRACTS = {
    "neuron": Contract(
        make=lambda: {"x": draws(5, 3), "w": draws(3), "b": torch.tensor(0.5)},
        refused={"b": [*(torch.zeros(s) for s in (1, 5, (5, 1))), float("nan")]},
    ),
    "squared_loss": WITH_TARGETS,
    "squared_slope": WITH_TARGETS,
    "cross_entropy": WITH_BITS,
    "cross_entropy_slope": WITH_BITS,
    "hinge_loss": WITH_BITS,
    "hinge_slope": WITH_BITS,
    "fit": Contract(
        make=lambda: {
            "x": draws(5, 3),
            "y": bits(),
            "loss_slope": neuron.cross_entropy_slope,
            "penalty_slope": neuron.no_penalty,
            "eta": 0.1,
            "steps": 3,
        },
        labels={"y": "bits"},
        refused={"eta": [0, -1, float("nan")], "steps": [0]},
    ),
    "no_penalty": Contract(
        make=lambda: {"w": draws(3)},
        excused={"nan w": "the slope of no penalty is 0, whatever the weights are"},
    ),
    "squares_penalty": PENALTY,
    "absolute_penalty": PENALTY,
    "hidden_layer": Contract(
        make=lambda: {
            "x": draws(5, 3),
            "network": (draws(2, 3), draws(2), draws(2), torch.tensor(0.5)),
        },
        refused={
            "network": [
                (draws(2, 3), draws(2, 1), draws(2), torch.tensor(0.5)),
                (draws(2, 3), draws(2), draws(2, 1), torch.tensor(0.5)),
                (draws(2, 4), draws(2), draws(2), torch.tensor(0.5)),
                (draws(1, 3), draws(2), draws(2), torch.tensor(0.5)),
                (draws(2, 3), draws(2), draws(2), torch.zeros(5)),
                (draws(2, 3), draws(2) / 0, draws(2), torch.tensor(0.5)),
            ]
        },
    ),
    "train_hidden_layer": Contract(
        make=lambda: {
            "x": draws(5, 3),
            "y": bits(),
            "k": 2,
            "eta": 0.5,
            "steps": 3,
            "seed": 0,
        },
        labels={"y": "bits"},
        refused={"k": [0, -1], "eta": [0, -1], "steps": [-1]},
    ),
    "draw_network": Contract(
        make=lambda: {"x": draws(5, 3), "k": 2, "seed": 0}, refused={"k": [0]}
    ),
}
