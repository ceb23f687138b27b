"""Valid inputs of `dlbook.tensors`."""

import torch

from contracts import Contract

M = torch.tensor([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]])
Y = torch.tensor([1.0, 2.0, 3.0])

CONTRACTS = {
    "kind": Contract(
        make=lambda: {"tensor": M.clone()},
        excused={
            "nan tensor": "it says what the tensor is made of, not what it holds",
            "empty tensor": "an empty tensor is described like any other",
        },
    ),
    "solve": Contract(
        make=lambda: {"m": M.clone(), "y": Y.clone()},
        refused={
            "m": [
                torch.ones(3, 3),
                torch.arange(1.0, 10).view(3, 3),
                M[:, :2],
                M.half(),
            ]
        },
    ),
    "inverse": Contract(
        make=lambda: {"m": M.clone()},
        refused={"m": [torch.ones(3, 3), M[:, :2], M[0]]},
    ),
    "to_length_one": Contract(
        make=lambda: {"vector": Y.clone()}, refused={"vector": [torch.zeros(3)]}
    ),
    "power_iteration": Contract(
        make=lambda: {"m": M.clone(), "start": Y.clone(), "steps": 3},
        refused={
            "m": [M.triu(), torch.zeros(3, 3)],
            "start": [torch.zeros(3)],
            "steps": [-1],
        },
    ),
    "outcome": Contract(
        make=lambda: {"expression": "x.sum()", "names": {"x": Y.clone()}},
    ),
}
