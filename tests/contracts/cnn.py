"""Valid inputs of `dlbook.cnn`."""

import torch
from torch import Generator

from contracts import Contract
from dlbook import cnn


def images(count=6):
    return torch.randn(count, 1, 8, 8, generator=Generator().manual_seed(1))


def model():
    return cnn.small_network(Generator().manual_seed(0))


def training():
    return cnn.begin(model(), Generator().manual_seed(0), cnn.Recipe(batch_size=3))


def batch():
    return {"images": images(), "labels": torch.arange(6)}


DRAWN = "draws on the CPU, in float32, as every device shall begin alike"
LABELED = "torch refuses it (IndexError); to look at labels here would make a GPU wait"
CONTRACTS = {
    "convolutional_network": Contract(
        make=lambda: {"generator": Generator().manual_seed(0), "channels": 1},
    ),
    "small_network": Contract(make=lambda: {"generator": Generator().manual_seed(0)}),
    "draw_parameters": Contract(
        make=lambda: {
            "layers": model(),
            "generator": Generator().manual_seed(5),
        },
        excused={
            "meta": DRAWN,
            "float64": DRAWN,
            "cuda": DRAWN,
            "changes": "its purpose: the layers get their numbers",
        },
    ),
    "costs": Contract(
        make=lambda: {"model": model(), "images": images()},
    ),
    "standardize": Contract(
        make=lambda: {
            "images": 0.5 * images(),
            "training_images": images(9),
        },
        shifted=("images", "training_images"),
    ),
    "begin": Contract(
        make=lambda: {
            "model": model(),
            "generator": Generator().manual_seed(0),
            "recipe": cnn.Recipe(),
        },
    ),
    "descend": Contract(
        make=lambda: {"training": training()} | batch(),
        labels={"labels": "classes"},
        excused={
            "negative class labels": LABELED,
            "changes": "its purpose: the parameters move",
        },
    ),
    "train_epoch": Contract(
        make=lambda: {"training": training()} | batch(),
        labels={"labels": "classes"},
        excused={"changes": "its purpose: the parameters move"},
    ),
    "evaluating": Contract(make=lambda: {"model": model()}),
    "error_rate": Contract(
        make=lambda: {"model": model()} | batch(),
        labels={"labels": "classes"},
    ),
    "look_inside": Contract(
        make=lambda: {"model": model()} | batch(),
        labels={"labels": "classes"},
    ),
}
