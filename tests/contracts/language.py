"""Valid inputs of `dlbook.language`."""

import torch

from contracts import Contract
from dlbook.attention import causal_mask, draw_block
from dlbook.language import count, draw_writer

NAN = float("nan")
TEXT = "the cat and the hat and the rat"


def ids(*shape):
    return torch.randint(4, shape, generator=torch.Generator().manual_seed(0))


def tables():
    return [count(ids(30), n, 4) for n in (1, 2, 3)]


def network():
    generator = torch.Generator().manual_seed(0)
    return draw_writer(4, 8, 2, generator, torch.float32)


def floats(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


OTHER_IDS = [ids(9) - 1, ids(9) + 2, ids(9).float(), ids(3, 3)]
COUNTED = {"ids": OTHER_IDS, "symbols": [0, 2.5]}

CONTRACTS = {
    "number": Contract(
        make=lambda: {"text": "abba", "alphabet": "ab"},
        refused={"text": ["", "abc"], "alphabet": ["aab", "a"]},
    ),
    "bits_per_symbol": Contract(
        make=lambda: {"probabilities": torch.tensor([0.5, 0.25, 1.0])},
        refused={
            "probabilities": [
                torch.tensor([0.5, 0.0]),
                torch.tensor([0.5, 1.5]),
                torch.tensor([]),
                torch.tensor([0.5]).half(),
            ]
        },
    ),
    "codes": Contract(
        make=lambda: {"ids": ids(9), "n": 2, "symbols": 4},
        refused=COUNTED | {"n": [-1, 10, 1.5], "symbols": [0, 2.5, 2**40]},
    ),
    "count": Contract(
        make=lambda: {"ids": ids(9), "n": 2, "symbols": 4},
        refused=COUNTED | {"n": [0, -1, 10, 1.5]},
    ),
    "witten_bell": Contract(
        make=lambda: {"tables": tables(), "ids": ids(9), "symbols": 4}, refused=COUNTED
    ),
    "mixed": Contract(
        make=lambda: {
            "table": tables()[1],
            "grams": torch.tensor([0, 3, 9, 15]),
            "p": torch.tensor([0.1, 0.2, 0.3, 0.4]),
            "symbols": 4,
        },
        refused={
            "p": [torch.tensor([0.1]), torch.tensor([0.1, 0.2, 0.3, 0.4]).half()],
            "grams": [torch.tensor([-1, 3, 9, 15]), torch.tensor([0.0, 3, 9, 15])],
            "symbols": [0, 1.5],
        },
    ),
    "add_constant": Contract(
        make=lambda: {
            "table": tables()[1],
            "ids": ids(9),
            "n": 2,
            "symbols": 4,
            "k": 0.1,
        },
        refused=COUNTED | {"k": [0.0, -1.0, NAN], "n": [0, 1.5]},
    ),
    "next_shares": Contract(
        make=lambda: {"tables": tables(), "history": ids(5), "symbols": 4},
        refused={"history": [ids(5) + 3, ids(5).float(), ids(5, 1)], "symbols": [0]},
    ),
    "words_of": Contract(make=lambda: {"text": TEXT}),
    "merge": Contract(make=lambda: {"word": (1, 2, 1, 2), "pair": (1, 2), "new": 256}),
    "learn_merges": Contract(
        make=lambda: {"text": TEXT, "merges": 3}, refused={"merges": [-1, 1.5]}
    ),
    "encode": Contract(
        make=lambda: {"text": TEXT, "merges": [(116, 104), (256, 101)]},
        refused={"text": [""]},
    ),
    "decode": Contract(
        make=lambda: {"ids": torch.tensor([97, 257]), "merges": [(116, 104), (256, 101)]},
        refused={"ids": [torch.tensor([258]), torch.tensor([-1]), torch.tensor([97.0])]},
    ),
    "draw_writer": Contract(
        make=lambda: {
            "symbols": 4,
            "width": 8,
            "depth": 2,
            "generator": torch.Generator().manual_seed(0),
            "dtype": torch.float32,
        },
        refused={
            "symbols": [1, 2.5],
            "width": [0, 1, 2.5],
            "depth": [0, 1.5],
            "dtype": [torch.float16, torch.int64],
        },
    ),
    "read": Contract(
        make=lambda: {"ids": ids(2, 5), "network": network(), "heads": 2},
        refused={"ids": [ids(5), ids(2, 5) + 3, ids(2, 5) - 1, ids(2, 5).float()]},
    ),
    "look_back": Contract(
        make=lambda: {
            "x": floats(2, 5, 8),
            "block": draw_block(8, 16, torch.Generator().manual_seed(0), torch.float32),
            "heads": 2,
            "places": torch.arange(5.0),
            "mask": causal_mask(floats(2, 5, 8)),
        },
        refused={
            "heads": [0, 3],
            "places": [torch.arange(1.0), torch.arange(5.0)[:, None]],
            "mask": [torch.ones(5, 4, dtype=torch.bool)],
        },
    ),
    "sharpened": Contract(
        make=lambda: {"scores": floats(6), "temperature": 0.5, "top": 3},
        refused={
            "temperature": [0.0, -1.0, NAN],
            "top": [0, 7, 1.5],
            "scores": [floats(6, 1), floats(6).half()],
        },
    ),
    "write": Contract(
        make=lambda: {
            "network": network(),
            "heads": 2,
            "prompt": ids(3),
            "length": 4,
            "temperature": 1.0,
            "top": 4,
            "generator": torch.Generator().manual_seed(0),
        },
        refused={
            "length": [-1, 1.5],
            "temperature": [0.0, NAN],
            "top": [0, 5],
            "prompt": [ids(3) + 3, ids(3).float()],
        },
    ),
}
