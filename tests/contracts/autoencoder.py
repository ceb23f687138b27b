"""Valid inputs of `dlbook.autoencoder`."""

import torch

from contracts import Contract
from dlbook.autoencoder import Components, Linear, draw_autoencoder, principal_components

NAN = float("nan")


def floats(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network():
    return Linear(floats(2, 3, seed=1), floats(3, 2, seed=2))


def components():
    return principal_components(floats(6, 3))


MISFITS = [
    Linear(floats(2, 4), floats(3, 2)),
    Linear(floats(2, 3), floats(3, 1)),
    Linear(floats(2, 3), floats(1, 2)),
    Linear(floats(2, 3).double(), floats(3, 2)),
    Linear(NAN * floats(2, 3), floats(3, 2)),
]
DOUBLE = Components(*(part.double() for part in components()))

CONTRACTS = {
    "principal_components": Contract(
        make=lambda: {"x": floats(6, 3)},
        refused={"x": [floats(6), floats(1, 3), floats(6, 3).half()]},
    ),
    "along": Contract(
        make=lambda: {"components": components(), "chosen": [0, 2]},
        refused={"chosen": [[], [3], [-1], [0, 0], [0.5]]},
    ),
    "reconstruct": Contract(
        make=lambda: {"x": floats(5, 3), "network": network()},
        refused={"network": MISFITS, "x": [floats(3), floats(5, 3).half()]},
    ),
    "reconstruction_error": Contract(
        make=lambda: {"x": floats(5, 3), "answer": floats(5, 3, seed=1)},
        refused={"answer": [floats(1, 3), floats(5, 1), floats(5, 3).double()]},
    ),
    "linear_gradient": Contract(
        make=lambda: {"x": floats(5, 3), "network": network()},
        refused={"network": MISFITS, "x": [floats(3), floats(5, 3).half()]},
    ),
    "alternate": Contract(
        make=lambda: {
            "x": floats(6, 3),
            "k": 2,
            "rounds": 3,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={
            "x": [floats(6), floats(6, 3).half()],
            "k": [0, 4, 1.5],
            "rounds": [0, 2.5],
        },
    ),
    "angle_between": Contract(
        make=lambda: {"first": floats(4, 2), "second": floats(4, 2, seed=1)},
        refused={
            "first": [floats(4, 1), floats(4, 2).double(), floats(2, 4)],
            "second": [torch.ones(4, 2), floats(4, 3), floats(4, 2).half()],
        },
    ),
    "draw_autoencoder": Contract(
        make=lambda: {"widths": [4, 3, 2], "seed": 0, "dtype": torch.float32},
        refused={
            "widths": [[4], [], [4, 0, 2]],
            "dtype": [torch.float16, torch.int64],
        },
    ),
    "encode": Contract(
        make=lambda: {"x": floats(5, 4), "network": draw_autoencoder([4, 3, 2], 0)},
        refused={"x": [floats(5, 3), floats(4), floats(5, 4).double()]},
    ),
    "decode": Contract(
        make=lambda: {"z": floats(5, 2), "network": draw_autoencoder([4, 3, 2], 0)},
        refused={"z": [floats(5, 4), floats(2), floats(5, 2).double()]},
    ),
    "add_noise": Contract(
        make=lambda: {
            "x": floats(5, 3),
            "sigma": 0.5,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={"sigma": [-0.1, NAN, float("inf")]},
    ),
    "denoise_linear": Contract(
        make=lambda: {"noisy": floats(5, 3), "components": components(), "sigma": 0.5},
        refused={
            "noisy": [floats(5, 1), floats(3), floats(5, 3).half()],
            "components": [DOUBLE],
            "sigma": [0.0, -0.1, NAN],
        },
    ),
    "denoise_exactly": Contract(
        make=lambda: {
            "noisy": floats(5, 3),
            "images": floats(7, 3, seed=1),
            "sigma": 0.5,
        },
        refused={
            "noisy": [floats(5, 1), floats(3), floats(5, 3).double()],
            "images": [floats(7, 2), floats(3)],
            "sigma": [0.0, -0.1, NAN],
        },
    ),
}
