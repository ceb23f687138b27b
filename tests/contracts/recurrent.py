"""Valid inputs of `dlbook.recurrent`."""

import torch

from contracts import Contract
from dlbook.recurrent import Weights, draw_weights, rnn_step

NAN = float("nan")


def floats(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def weights(gates):
    return draw_weights(3, 2, gates, torch.Generator().manual_seed(0), torch.float32)


def step(x, h):
    fitting = (part.to(x.device, x.dtype) for part in weights(1))
    return rnn_step(x, h, Weights(*fitting))


def misfits(gates):
    fit = weights(gates)
    return [
        fit._replace(along_x=fit.along_x[:, :1]),
        fit._replace(along_h=fit.along_h[:1]),
        fit._replace(bias_x=fit.bias_x[:1]),
        fit._replace(bias_h=fit.bias_h[:, None]),
        fit._replace(along_h=fit.along_h.double()),
        fit._replace(along_x=fit.along_x * NAN),
        weights(3 if gates == 4 else 4),
    ]


def stepped(gates):
    return Contract(
        make=lambda: {"x": floats(5, 3), "h": floats(5, 2), "weights": weights(gates)},
        refused={
            "x": [floats(5, 3).half(), floats(3), floats(1, 3)],
            "h": [floats(1, 2), floats(5, 1), floats(2)],
            "weights": misfits(gates),
        },
    )


CONTRACTS = {
    "draw_weights": Contract(
        make=lambda: {
            "inputs": 3,
            "units": 2,
            "gates": 4,
            "generator": torch.Generator().manual_seed(0),
            "dtype": torch.float32,
        },
        refused={
            "inputs": [0, 1.5],
            "units": [0, -1],
            "gates": [0, 2, 5],
            "dtype": [torch.float16, torch.int64],
        },
    ),
    "rnn_step": stepped(1),
    "gru_step": stepped(3),
    "lstm_step": Contract(
        make=lambda: {
            "x": floats(5, 3),
            "state": (floats(5, 2), floats(5, 2, seed=1)),
            "weights": weights(4),
        },
        refused={
            "x": [floats(5, 3).half(), floats(1, 3)],
            "state": [(floats(5, 2), floats(1, 2)), (floats(5, 1), floats(5, 1))],
            "weights": misfits(4),
        },
    ),
    "unroll": Contract(
        make=lambda: {
            "x": floats(5, 4, 3),
            "state": floats(5, 2),
            "step": step,
        },
        refused={"x": [floats(4, 3), floats(5, 0, 3)]},
    ),
    "rnn_backward": Contract(
        make=lambda: {
            "x": floats(5, 4, 3),
            "h": floats(5, 5, 2).tanh(),
            "along_h": floats(5, 4, 2, seed=1),
            "weights": weights(1),
        },
        refused={
            "h": [floats(5, 4, 2), floats(1, 5, 2)],
            "along_h": [floats(5, 1, 2), floats(1, 4, 2)],
            "weights": misfits(1),
        },
    ),
    "state_jacobian": Contract(
        make=lambda: {"h": floats(5, 2).tanh(), "weights": weights(1)},
        refused={"h": [floats(5, 3), floats(5, 2).half()], "weights": [weights(4)]},
    ),
    "set_forget_bias": Contract(
        make=lambda: {"weights": weights(4), "bias": 1.0},
        refused={"bias": [NAN, float("inf")], "weights": [weights(1), weights(3)]},
    ),
    "kept_by_gate": Contract(
        make=lambda: {"bias": 1.0, "steps": 5},
        refused={"bias": [NAN, float("inf")], "steps": [-1, 2.5]},
    ),
    "clip": Contract(
        make=lambda: {"gradients": [floats(3, 2), floats(4)], "most": 1.0},
        refused={
            "most": [0.0, -1.0, NAN],
            "gradients": [[], [floats(3) * NAN], [torch.ones(3, dtype=torch.int64)]],
        },
    ),
    "pad": Contract(
        make=lambda: {"sequences": [floats(3, 2), floats(1, 2), floats(4, 2)]},
        refused={
            "sequences": [
                [],
                [floats(3, 2), floats(3, 1)],
                [floats(3, 2), floats(0, 2)],
                [floats(3, 2), floats(3, 2).double()],
                [floats(3)],
            ]
        },
    ),
    "last_states": Contract(
        make=lambda: {"states": floats(3, 4, 2), "lengths": torch.tensor([4, 1, 2])},
        refused={
            "lengths": [
                torch.tensor([0, 1, 2]),
                torch.tensor([5, 1, 2]),
                torch.tensor([4, 1]),
                torch.tensor([4.0, 1.0, 2.0]),
            ],
            "states": [floats(4, 2)],
        },
    ),
}
