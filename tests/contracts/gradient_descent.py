"""Valid inputs of `dlbook.gradient_descent`."""

import torch

from contracts import Contract
from dlbook.gradient_descent import Adam, Descent, Momentum


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def signs():
    return torch.tensor([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])


def problem():
    return {"inputs": normal(6, 2), "signs": signs(), "w": normal(2, seed=1)}


def hessian():
    return torch.tensor([[2.0, 1.0], [1.0, 3.0]])


def square(parameters):
    return sum(values.square().sum() for values in parameters)


def rule(make):
    return Contract(
        make=lambda: {"self": make(0.1), "w": normal(3), "gradient": normal(3, seed=1)},
        refused={
            "gradient": [normal(1), normal(3, 1), torch.ones(3).long(), normal(3) / 0]
        },
    )


CONTRACTS = {
    "gradient_descent": Contract(
        make=lambda: {
            "gradient": lambda w: 2 * w,
            "start": normal(2),
            "step_size": 0.1,
            "steps": 5,
        },
        refused={
            "gradient": [lambda w: w[:1], lambda w: w[:, None], lambda w: -1e30 * w],
            "step_size": [0.0, -0.1, float("nan"), float("inf")],
            "steps": [-3],
        },
    ),
    "local_parabola": Contract(
        make=lambda: {
            "w": normal(5),
            "w0": torch.tensor(0.5),
            "loss": torch.tensor(2.0),
            "slope": torch.tensor(-1.0),
            "step_size": 0.5,
        },
        refused={"step_size": [0.0, -1.0, float("nan")]},
    ),
    "largest_step": Contract(
        make=lambda: {"hessian": hessian()},
        refused={
            "hessian": [
                torch.tensor([[1.0, 2.0], [0.0, 1.0]]),
                1e-9 * torch.tensor([[1.0, 2.0], [0.0, 1.0]]),
                -torch.eye(2),
                torch.diag(torch.tensor([4.0, -1.0])),
                torch.zeros(2, 2),
                torch.ones(2, 3),
            ]
        },
    ),
    "logistic_loss": Contract(make=problem, labels={"signs": "signs"}),
    "logistic_gradient": Contract(make=problem, labels={"signs": "signs"}),
    "mini_batches": Contract(
        make=lambda: {
            "n": 10,
            "size": 3,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={"size": [0, 11, -1]},
    ),
    "minimize": Contract(
        make=lambda: {
            "loss": square,
            "parameters": [normal(3), normal(2, 2)],
            "step_size": 0.1,
            "steps": 3,
        },
        refused={
            "loss": [lambda p: square(p) / 0, lambda p: p[0], lambda p: p[0][:1]],
            "step_size": [0.0, -1.0, float("nan")],
            "steps": [-1],
            "parameters": [[]],
        },
    ),
    "Descent": Contract(
        make=lambda: {"step_size": 0.1},
        refused={"step_size": [0.0, -1.0, float("nan")]},
    ),
    "Momentum": Contract(
        make=lambda: {"step_size": 0.1},
        refused={"step_size": [0.0, -1.0], "memory": [-0.1, 1.0, float("nan")]},
    ),
    "Adam": Contract(
        make=lambda: {"step_size": 0.1},
        refused={"step_size": [0.0, -1.0], "betas": [(0.9, 1.0), (-0.1, 0.9)]},
    ),
    "Descent.step": rule(Descent),
    "Momentum.step": rule(Momentum),
    "Adam.step": rule(Adam),
}
