"""Valid inputs of `dlbook.broadcasting`."""

import torch

from contracts import Contract
from dlbook.broadcasting import explain

SAMPLE = torch.tensor([[1.0, 20.0], [3.0, 10.0], [8.0, 30.0]])

CONTRACTS = {
    "explain": Contract(
        make=lambda: {"first": (4, 1), "second": (5,)}, refused={"first": [(-1,)]}
    ),
    "compare": Contract(make=lambda: {"a": 4, "b": 1}),
    "tell": Contract(make=lambda: {"broadcast": explain((4, 1), (5,))}),
    "expand": Contract(
        make=lambda: {"tensor": SAMPLE.clone(), "shape": (2, 3, 2)},
        refused={"shape": [(3,), (3, 1), (2, 2), (-1, 3, 2)]},
    ),
    "sum_to": Contract(
        make=lambda: {"gradient": SAMPLE.clone(), "shape": (2,)},
        refused={"shape": [(3,), (2, 3, 2), (-1,)]},
    ),
    "center": Contract(make=lambda: {"sample": SAMPLE.clone()}, shifted=("sample",)),
    "einsum": Contract(
        make=lambda: {
            "equation": "ij,jk->ik",
            "*A": SAMPLE.clone(),
            "*B": SAMPLE.T.clone(),
        },
        refused={"equation": ["ij,jk", "ij,jj->i", "ij,jk->il", "ij->i"]},
    ),
    "mean_squared_error": Contract(
        make=lambda: {
            "predictions": SAMPLE[:, 0].clone(),
            "targets": SAMPLE[:, 1].clone(),
        },
        shifted=("predictions", "targets"),
    ),
}
