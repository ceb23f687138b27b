"""Valid inputs of `dlbook.segmentation`."""

import torch

from contracts import Contract
from dlbook.segmentation import Detections, pixel_loss, segmenter

NAN = float("nan")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def floats(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def shares(*shape):
    return torch.rand(*shape, generator=seeded())


def classes(*shape, of=3):
    return torch.randint(of, shape, generator=seeded())


def boxes(count=3):
    corners = 5 * torch.rand(count, 2, generator=seeded(count))
    return torch.cat([corners, corners + 2 + 0.1 * corners.flip(0)], dim=1)


def owners():
    found = torch.zeros(5, 6, dtype=torch.int64)
    found[1:3, 1:4], found[4, 2:] = 1, 2
    return found


def loss_of(maps, chosen):
    return pixel_loss(maps, torch.zeros(len(chosen), 8, 8, dtype=torch.int64))


TURNED = torch.tensor([[2.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
TABLE = torch.tensor([[5, 1, 0], [2, 3, 0], [0, 0, 4]])
SIZES = {"side": [0, 1.5], "kernel": [0, 2.5], "stride": [0, -1, 1.5]}
TABLES = [TABLE[:2], TABLE.float(), -TABLE, TABLE[0]]
OWNERS = [owners()[None], owners().int(), 2 * owners(), -owners()]

CONTRACTS = {
    "cut_out": Contract(
        make=lambda: {"image": shares(4, 5)},
        refused={"image": [torch.zeros(4, 5), shares(1, 4, 5), shares(5)]},
    ),
    "draw_corners": Contract(
        make=lambda: {
            "shapes": [(3, 4), (5, 2)],
            "side": 12,
            "gap": 1,
            "generator": seeded(),
        },
        refused={"shapes": [[(3, 13)], [(0, 3)], [(9, 9)] * 2], "gap": [-1, 0.5]},
    ),
    "compose": Contract(
        make=lambda: {
            "glyphs": [shares(3, 4), shares(2, 2)],
            "corners": [(0, 1), (4, 4)],
            "side": 8,
        },
        refused={
            "glyphs": [[], [shares(3, 4)], [shares(3, 4), shares(2)]],
            "corners": [[(0, 1)], [(0, 1), (7, 7)], [(0, 1), (-1, 0)]],
        },
    ),
    "draw_glyph": Contract(
        make=lambda: {"image": shares(8, 8), "generator": seeded()},
        refused={"image": [shares(8), torch.zeros(8, 8)]},
    ),
    "draw_scenes": Contract(
        make=lambda: {
            "images": shares(4, 8, 8),
            "labels": classes(4, of=10),
            "count": 2,
            "objects": 2,
            "generator": seeded(),
        },
        labels={"labels": "classes"},
        refused={"count": [0, 1.5], "objects": [0, 4]},
    ),
    "masks_of": Contract(
        make=lambda: {"owners": classes(2, 4, 4), "digits": classes(2, 2, of=10)},
        labels={"owners": "classes", "digits": "classes"},
        refused={"owners": [classes(4, 4)], "digits": [classes(2), classes(2, 2) + 8]},
    ),
    "confusion": Contract(
        make=lambda: {
            "predicted": classes(2, 4, 4),
            "masks": classes(2, 4, 4).flip(0),
            "classes": 3,
        },
        labels={"predicted": "classes", "masks": "classes"},
        refused={"classes": [0, 2, 1.5], "masks": [classes(2, 1, 4)]},
    ),
    "ious": Contract(make=lambda: {"table": TABLE.clone()}, refused={"table": TABLES}),
    "dice": Contract(make=lambda: {"table": TABLE.clone()}, refused={"table": TABLES}),
    "mean_iou": Contract(
        make=lambda: {"table": TABLE.clone(), "first": 1},
        refused={"table": TABLES, "first": [3, -1, 0.5]},
    ),
    "rim": Contract(
        make=lambda: {"ink": classes(2, 4, 5) > 1},
        refused={"ink": [classes(2, 4, 5), classes(4, 5) > 1, classes(0, 4, 5) > 1]},
    ),
    "transposed_side": Contract(
        make=lambda: {"side": 6, "kernel": 4, "stride": 2, "padding": 1, "extra": 0},
        refused=SIZES | {"padding": [-1, 7], "extra": [-1, 2]},
    ),
    "transposed_by_scatter": Contract(
        make=lambda: {
            "images": floats(2, 3, 4, 5),
            "kernels": floats(3, 2, 3, 2),
            "stride": 2,
            "padding": 1,
            "extra": 1,
        },
        refused={
            "images": [floats(3, 4, 5)],
            "kernels": [floats(1, 2, 3, 2), floats(3, 2, 3, 2).double()],
            "stride": [0],
            "padding": [-1],
            "extra": [2],
        },
    ),
    "contributions": Contract(
        make=lambda: {"side": 3, "kernel": 3, "stride": 2}, refused=SIZES
    ),
    "convolution": Contract(
        make=lambda: {"inputs": 1, "outputs": 2},
        refused={"inputs": [0, 1.5], "outputs": [0, 1.5]},
        excused={"nan answer": "it draws from the global generator"},
    ),
    "doubled": Contract(
        make=lambda: {"channels": 2, "way": "transposed_3"},
        refused={"channels": [0, 1.5], "way": ["bicubic", "transposed_5"]},
    ),
    "segmenter": Contract(
        make=lambda: {"width": 2, "maps": 3, "generator": seeded()},
        refused={"width": [0, 1.5], "maps": [0, 2.5], "way": ["bicubic"]},
    ),
    "pixel_loss": Contract(
        make=lambda: {"scores": floats(2, 3, 4, 4), "masks": classes(2, 4, 4)},
        labels={"masks": "classes"},
        refused={"masks": [classes(2, 1, 4), classes(2, 4, 4) + 1]},
    ),
    "train": Contract(
        make=lambda: {
            "network": segmenter(2, 2, seeded()),
            "images": floats(17, 1, 8, 8),
            "loss_of": loss_of,
            "steps": 2,
            "generator": seeded(),
        },
        refused={"steps": [0, 1.5], "images": [floats(15, 1, 8, 8)]},
        excused={"changes": "training changes the network"},
    ),
    "components": Contract(
        make=lambda: {"ink": classes(5, 6) > 1},
        refused={"ink": [classes(5, 6), classes(1, 5, 6) > 1, classes(0, 5) > 1]},
    ),
    "boxes_of": Contract(
        make=lambda: {"owners": owners()},
        labels={"owners": "classes"},
        refused={"owners": OWNERS},
    ),
    "box_ious": Contract(
        make=lambda: {"first": boxes(3), "second": boxes(2)},
        refused={"first": [boxes()[:, :3], boxes()[0], TURNED, boxes().double()]},
    ),
    "suppress": Contract(
        make=lambda: {"boxes": boxes(), "scores": shares(3), "tau": 0.3},
        refused={"boxes": [boxes()[:, :3], TURNED], "tau": [-0.1, 1.1, NAN]},
    ),
    "side_distances": Contract(
        make=lambda: {"owners": owners()},
        labels={"owners": "classes"},
        refused={"owners": OWNERS},
    ),
    "proposals": Contract(
        make=lambda: {"maps": floats(7, 4, 5), "classes": 3},
        refused={"classes": [1, 2, 4, 2.5], "maps": [floats(1, 7, 4, 5)]},
    ),
    "best_of": Contract(
        make=lambda: {
            "found": Detections(boxes(), shares(3), classes(3) + 1),
            "tau": 0.3,
        },
        refused={"tau": [-0.1, NAN]},
    ),
    "frames_by_components": Contract(
        make=lambda: {"scores": floats(3, 5, 5), "least": 1},
        refused={"least": [0, 1.5], "scores": [floats(1, 5, 5), floats(5, 5)]},
    ),
    "match": Contract(
        make=lambda: {
            "boxes": boxes(),
            "scores": shares(3),
            "truth": boxes(2),
            "tau": 0.5,
        },
        refused={"truth": [boxes(2).double(), boxes(2)[:0]], "tau": [0, 1.5, NAN]},
    ),
    "average_precision": Contract(
        make=lambda: {
            "scores": shares(4),
            "hits": torch.tensor([True, False, True, True]),
            "objects": 4,
        },
        refused={"objects": [0, 2, 4.5], "hits": [torch.ones(4), torch.ones(3) > 0]},
    ),
}
