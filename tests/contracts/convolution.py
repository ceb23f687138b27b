"""Valid inputs of `dlbook.convolution`."""

import torch
from torch import Generator, nn

from contracts import Contract
from dlbook.cnn import draw_parameters


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=Generator().manual_seed(seed))


def layers():
    return draw_parameters(
        nn.Sequential(nn.Conv2d(2, 3, 3, device="meta")), Generator().manual_seed(0)
    )


def parts():
    return {"kernels": draw(3, 2, 3, 2, seed=1), "biases": draw(3, seed=2)}


CONTRACTS = {
    "convolve_by_loops": Contract(make=lambda: {"image": draw(2, 5, 4)} | parts()),
    "convolve": Contract(
        make=lambda: {"images": draw(4, 2, 5, 4)} | parts(),
        refused={"stride": [0, -1], "padding": [-1]},
    ),
    "gradients": Contract(
        make=lambda: {
            "images": draw(4, 2, 5, 4),
            "kernels": parts()["kernels"],
            "along": draw(4, 3, 3, 3),
        },
    ),
    "output_side": Contract(
        make=lambda: {"side": 5, "kernel": 3, "stride": 1, "padding": 0},
        refused={"kernel": [0, 6], "stride": [0], "padding": [-1]},
    ),
    "max_pool": Contract(
        make=lambda: {"images": draw(4, 2, 4, 4), "side": 2},
        refused={"side": [0, 5]},
    ),
    "receptive_field": Contract(
        make=lambda: {"layers": [(5, 1), (3, 3)]},
        refused={"layers": [[(0, 1)], [(3, 0)]]},
    ),
    "pixels_seen": Contract(
        make=lambda: {
            "layers": layers(),
            "image": draw(2, 5, 4),
            "row": 0,
            "column": 1,
        },
        refused={"row": [-1, 3], "column": [-1, 2]},
    ),
    "shift": Contract(make=lambda: {"images": draw(4, 2, 5, 4), "down": -1, "right": -1}),
}
