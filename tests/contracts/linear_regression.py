"""Valid inputs of `dlbook.linear_regression`."""

import torch

from contracts import Contract

X = torch.tensor([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [4.0, 1.0], [5.0, 1.0]])
Y = torch.tensor([1.0, 2.0, 6.0, 7.0, 8.0])
NEW = torch.tensor([[3.0, 1.0], [6.0, 1.0]])


def pairs():
    return {"X": X.clone(), "y": Y.clone()}


CONTRACTS = {
    "design_matrix": Contract(
        make=lambda: {"x": X[:, 0].clone()},
        refused={"x": [torch.ones(3), torch.full((3,), 0.1), torch.ones(1)]},
    ),
    "mean_squared_error": Contract(
        make=lambda: pairs() | {"w": torch.tensor([2.5, 0.5])},
        refused={"w": [torch.tensor(1.0), torch.ones(3)]},
    ),
    "solve_normal_equations": Contract(make=pairs),
    "solve_by_qr": Contract(make=pairs),
    "require_independent": Contract(
        make=lambda: {"X": X.clone(), "powers": 1},
        refused={
            "X": [
                torch.ones(3, 2),
                torch.zeros(3, 1),
                torch.eye(2, 3),
                torch.eye(3, dtype=torch.float16),
            ]
        },
    ),
    "descend": Contract(
        make=lambda: pairs() | {"step_size": 0.05, "steps": 3},
        refused={"step_size": [0, -1, float("nan")], "steps": [-1]},
    ),
    "fastest_step_size": Contract(make=lambda: {"X": X.clone()}),
    "explained_share": Contract(
        make=lambda: {"y": Y.clone(), "prediction": X @ torch.tensor([1.5, 1.0])},
        refused={"y": [torch.full((5,), 0.1)]},
        shifted=("y", "prediction"),
    ),
    "leverages": Contract(make=lambda: {"X": X.clone()}),
    "studentized_residuals": Contract(
        make=pairs,
        refused={
            "y": [
                X @ torch.tensor([2.0, 1.0]),
                X @ torch.tensor([2.0, 1.0]) + 9 * torch.eye(5)[4],
            ]
        },
    ),
    "prediction_interval": Contract(
        make=lambda: pairs() | {"X_new": NEW.clone(), "confidence": 0.9},
        refused={
            "X_new": [NEW[:, :1], NEW[0]],
            "confidence": [0, 1, 95, float("nan")],
        },
    ),
}
