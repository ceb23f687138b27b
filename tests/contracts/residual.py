"""Valid inputs of `dlbook.residual`."""

import torch

from contracts import Contract
from dlbook.cnn import small_network
from dlbook.residual import padding_where_needed

NAN = float("nan")


def floats(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def block():
    return floats(4, 3, seed=1), floats(3, 4, seed=2)


MISFITS = [
    (floats(4, 2), floats(3, 4)),
    (floats(4, 3), floats(1, 4)),
    (floats(4, 3), floats(3, 1)),
    (floats(4, 3).double(), floats(3, 4)),
]
SIZES = {"inputs": [0, 2.5, 9], "outputs": [1, 2.5]}

CONTRACTS = {
    "change": Contract(
        make=lambda: {"x": floats(5, 3), "block": block()},
        refused={"block": MISFITS, "x": [floats(5, 3).half(), floats(3)]},
    ),
    "forward": Contract(
        make=lambda: {"x": floats(5, 3), "blocks": [block(), block()], "shortcut": 0.5},
        refused={
            "blocks": [[misfit] for misfit in MISFITS],
            "shortcut": [NAN, 2.0, -1.5],
            "x": [floats(5, 3).half()],
        },
    ),
    "forward_in_front": Contract(
        make=lambda: {"x": floats(5, 3), "blocks": [block(), block()]},
        refused={"blocks": [[misfit] for misfit in MISFITS], "x": [floats(5, 3).half()]},
    ),
    "start_at_nothing": Contract(
        make=lambda: {
            "width": 3,
            "inner": 4,
            "depth": 2,
            "generator": torch.Generator().manual_seed(0),
            "dtype": torch.float32,
        },
        refused={
            "width": [0, 2.5],
            "inner": [0, -1],
            "depth": [-1, 1.5],
            "dtype": [torch.float16, torch.int64],
        },
    ),
    "sum_over_paths": Contract(
        make=lambda: {"matrices": [floats(3, 3, seed=seed) for seed in range(3)]},
        refused={
            "matrices": [
                [],
                [floats(3, 2)],
                [floats(3, 3), floats(1, 3)],
                [floats(3, 3), floats(3, 3).double()],
                [floats(2, 2)] * 17,
            ]
        },
    ),
    "shares_by_length": Contract(
        make=lambda: {"blocks": 3, "factor": 0.5},
        refused={"blocks": [0, 1.5], "factor": [0.0, -1.0, NAN]},
    ),
    "subsample_and_pad": Contract(
        make=lambda: {"images": floats(2, 3, 4, 4), "channels": 5},
        refused={"images": [floats(3, 4, 4)], "channels": [2, 4.5]},
    ),
    "projection": Contract(make=lambda: {"inputs": 3, "outputs": 6}, refused=SIZES),
    "projection_where_needed": Contract(
        make=lambda: {"inputs": 3, "outputs": 6}, refused=SIZES
    ),
    "padding_where_needed": Contract(
        make=lambda: {"inputs": 3, "outputs": 6}, refused=SIZES
    ),
    "residual_network": Contract(
        make=lambda: {"n": 1, "shortcut": padding_where_needed}, refused={"n": [0, 1.5]}
    ),
    "bottleneck": Contract(
        make=lambda: {"channels": 8, "inner": 2},
        refused={"channels": [0, 1.5], "inner": [0, -1]},
    ),
    "count_parameters": Contract(
        make=lambda: {"network": small_network(torch.Generator().manual_seed(0))}
    ),
}
