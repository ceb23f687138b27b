"""Valid inputs of `dlbook.applications`."""

import torch

from contracts import Contract
from dlbook import applications

BAD_MAZES = [["..", "..G"], ["...", "..."], ["#.G"], ["G.G"], [".xG"], [], [""]]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images():
    return {
        "image": torch.rand(6, 7, generator=generator()),
        "template": torch.rand(3, 2, generator=generator(1)),
    }


SMALL = [torch.ones(2, 2), torch.ones(2, 2) / 3, torch.rand(9, 9)]
SHIFTED = ("image", "template")

CONTRACTS = {
    "similarity_map": Contract(make=images, shifted=SHIFTED, refused={"template": SMALL}),
    "find": Contract(
        make=images,
        shifted=SHIFTED,
        refused={"template": SMALL, "image": [torch.zeros(6, 7), torch.ones(6, 7) / 3]},
    ),
    "imagine": Contract(
        make=lambda: {
            "examples": torch.rand(5, 3, 2, generator=generator()),
            "n": 4,
            "generator": generator(1),
        },
        refused={"n": [0, -1, 1.5], "examples": [torch.ones(1, 3, 2), torch.ones(5, 3)]},
        excused={"half": "another dtype draws other numbers"},
    ),
    "count_followers": Contract(
        make=lambda: {"text": "a rose is a rose"}, refused={"text": ["", "rose"]}
    ),
    "continue_text": Contract(
        make=lambda: {
            "followers": applications.count_followers("a rose is a rose"),
            "start": "a",
            "length": 5,
            "generator": generator(),
        },
        refused={"length": [0, -1, 2.5]},
    ),
    "move": Contract(
        make=lambda: {"maze": ["..", "#G"], "row": 0, "column": 0, "action": 1},
        refused={
            "action": [-1, 4],
            "row": [-1, 1, 2],
            "column": [-1, 2],
            "maze": [*BAD_MAZES, ["G.", ".."], ["..", "#.."]],
        },
    ),
    "q_learning": Contract(
        make=lambda: {"maze": ["..", "#G"], "episodes": 3, "seed": 0, "gamma": 0.9},
        refused={"maze": BAD_MAZES, "episodes": [0, 1.5], "gamma": [-0.1, 1.1]},
    ),
}
