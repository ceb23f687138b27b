"""Valid inputs of `dlbook.acceleration`."""

import tempfile
from pathlib import Path

import torch

from contracts import Contract
from contracts.cnn import images, training
from dlbook import acceleration
from dlbook.cnn import begin


def path():
    return Path(tempfile.mkdtemp()) / "checkpoint"


def saved():
    where = path()
    acceleration.save(training(), where)
    return where


def on_cuda():
    start = training()
    return begin(start.model.cuda(), start.generator, start.recipe)


def data():
    return images(), torch.arange(6), images(), torch.arange(6)


CONTRACTS = {
    "tensors_of": Contract(make=lambda: {"training": training()}),
    "save": Contract(make=lambda: {"training": training(), "path": path()}),
    "replace": Contract(make=lambda: {"path": path(), "content": b"all of it"}),
    "load": Contract(make=lambda: {"training": training(), "path": saved()}),
    "train": Contract(
        make=lambda: {
            "training": training(),
            "data": data(),
            "epochs": 2,
            "path": path(),
        },
        refused={"epochs": [-1]},
        excused={"changes": "its purpose: the parameters move"},
    ),
    "capture_step": Contract(
        make=lambda: {
            "training": on_cuda(),
            "images": images().cuda(),
            "labels": torch.arange(6).cuda(),
        },
        excused={"nan images": "only their shape counts, another batch takes the place"},
        device="cuda",
    ),
    "keep_freed_memory": Contract(make=dict),
    "choose_float32_products": Contract(
        make=lambda: {"kind": "ieee"}, refused={"kind": ["highest", None]}
    ),
}
