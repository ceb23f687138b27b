"""Valid inputs of `dlbook.regularization`."""

import torch

from contracts import Contract
from dlbook.mlp import draw_layers

NAN = float("nan")


def floats(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def normalized(**others):
    return {
        "s": floats(6, 3),
        "scale": floats(3, seed=1),
        "shift": floats(3, seed=2),
    } | others


def warped():
    return {
        "images": floats(4, 2, 5, 5).abs(),
        "turns": 0.1 * floats(4, seed=1),
        "scales": 1 + 0.1 * floats(4, seed=2).abs(),
        "shifts": floats(4, 2, seed=3),
    }


CONTRACTS = {
    "decayed_step": Contract(
        make=lambda: {
            "w": floats(3, 2),
            "gradient": floats(3, 2),
            "eta": 0.1,
            "decay": 0.5,
        },
        refused={"eta": [0.0, -1.0, NAN], "decay": [-0.1, 11.0, NAN]},
    ),
    "share_after_steps": Contract(
        make=lambda: {"curvatures": floats(4).abs(), "eta": 0.1, "steps": 5},
        refused={
            "curvatures": [
                -floats(4).abs(),
                torch.full((2,), 21.0),
                floats(4).abs().half(),
            ],
            "eta": [0.0, NAN],
            "steps": [-1, 2.5],
        },
    ),
    "share_of_ridge": Contract(
        make=lambda: {"curvatures": floats(4).abs(), "penalty": 0.1},
        refused={"curvatures": [-floats(4).abs()], "penalty": [0.0, -1.0, NAN]},
    ),
    "stop_early": Contract(
        make=lambda: {
            "layers": draw_layers([2, 2], 0),
            "train": lambda layers: None,
            "validate": lambda layers: 1.0,
            "patience": 2,
            "epochs": 5,
        },
        refused={
            "patience": [0, -1, 1.5],
            "epochs": [0, 2.5],
            "validate": [lambda layers: NAN, lambda layers: float("inf")],
        },
    ),
    "draw_mask": Contract(
        make=lambda: {
            "x": floats(3, 4),
            "p": 0.5,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={"p": [1.0, -0.1, NAN, 2.0]},
    ),
    "dropout": Contract(
        make=lambda: {"x": floats(3, 4), "kept": floats(3, 4) > 0, "p": 0.5},
        refused={
            "p": [1.0, -0.1, NAN],
            "kept": [floats(3, 4), torch.ones(3, 1, dtype=torch.bool)],
        },
    ),
    "dropout_risk": Contract(
        make=lambda: {
            "X": floats(5, 3),
            "y": floats(5),
            "w": floats(3, seed=1),
            "p": 0.25,
        },
        refused={"p": [1.0, -0.1, NAN], "y": [floats(5, 1)], "w": [floats(3, 1)]},
    ),
    "warp": Contract(
        make=warped,
        refused={
            "images": [floats(4, 2, 5, 6), floats(4, 5, 5)],
            "scales": [torch.zeros(4), -torch.ones(4), torch.ones(1)],
            "turns": [torch.zeros(1), torch.zeros(4, 1)],
            "shifts": [torch.zeros(1, 2), torch.zeros(4), torch.zeros(4, 1)],
        },
    ),
    "batch_norm": Contract(
        make=normalized,
        refused={"s": [floats(1, 3), floats(6, 3).half()], "scale": [torch.ones(1)]},
        shifted=("s",),
    ),
    "batch_norm_backward": Contract(
        make=lambda: {
            "along_out": floats(6, 3, seed=3),
            "s": floats(6, 3),
            "scale": floats(3, seed=1),
        },
        refused={"s": [floats(1, 3)], "along_out": [floats(6, 1), floats(1, 3)]},
        shifted=("s",),
    ),
    "update_running": Contract(
        make=lambda: {"mean": floats(3), "variance": floats(3).abs(), "s": floats(6, 3)},
        refused={"s": [floats(1, 3)], "variance": [-torch.ones(3)]},
    ),
    "batch_norm_at_test": Contract(
        make=lambda: normalized(mean=floats(3), variance=floats(3).abs()),
        refused={"variance": [-torch.ones(3), torch.ones(1)]},
    ),
    "layer_norm": Contract(
        make=lambda: {
            "x": floats(6, 3),
            "scale": floats(3, seed=1),
            "shift": floats(3, seed=2),
        },
        refused={"x": [floats(6, 1)], "shift": [torch.ones(1)]},
        shifted=("x",),
    ),
}
