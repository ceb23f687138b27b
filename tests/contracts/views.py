"""Valid inputs of `dlbook.views`."""

import torch

from contracts import Contract

IMAGE = torch.arange(1.0, 49).view(3, 4, 4)
BATCH = torch.arange(1.0, 97).view(4, 3, 4, 2)
PLACES = "it tells where numbers lie, not what they are"


def excused(name):
    return {f"nan {name}": PLACES}


CONTRACTS = {
    "addresses": Contract(
        make=lambda: {"tensor": BATCH.clone()}, excused=excused("tensor")
    ),
    "contiguous_strides": Contract(
        make=lambda: {"shape": (2, 3)}, refused={"shape": [(2, -1)]}
    ),
    "reads_in_order": Contract(
        make=lambda: {"tensor": BATCH.clone()},
        excused=excused("tensor") | {"empty tensor": "torch says so of it, too"},
    ),
    "shares_storage": Contract(
        make=lambda: {"first": BATCH.clone(), "second": BATCH[0].clone()},
        excused=excused("first")
        | excused("second")
        | {f"empty {name}": "nothing shares nothing" for name in ("first", "second")},
    ),
    "layout": Contract(
        make=lambda: {"tensor": BATCH.clone()},
        excused=excused("tensor") | {"empty tensor": "it has strides, too"},
    ),
    "cut": Contract(
        make=lambda: {"image": IMAGE.clone(), "size": 2},
        refused={"image": [IMAGE[0], IMAGE[:, :3]], "size": [0, -1, 3]},
    ),
    "grid": Contract(
        make=lambda: {"images": BATCH.clone(), "rows": 2},
        refused={"images": [BATCH[0], BATCH[:, :0]], "rows": [0, -1, 3]},
    ),
    "silence": Contract(
        make=lambda: {"images": BATCH.clone(), "channels": [0, 1]},
        refused={"images": [BATCH[0, 0]], "channels": [[3], [-1]]},
    ),
}
