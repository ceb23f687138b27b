"""Valid inputs of `dlbook.attention`."""

import torch

from contracts import Contract
from dlbook.attention import (
    DecoderBlock,
    draw_block,
    draw_projections,
    draw_sequences,
    draw_transformer,
)

F32 = torch.float32


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random(*shape, seed=1):
    return torch.randn(shape, generator=seeded(seed))


def projections():
    return draw_projections(4, seeded(), F32)


def narrow():
    return projections()._replace(key=(torch.ones(2, 4), torch.zeros(2)))


def one_bias():
    return projections()._replace(value=(torch.ones(4, 4), torch.zeros(1)))


def block(**others):
    return draw_block(4, 6, seeded(), F32)._replace(**others)


def decoder_block(**others):
    first, second = block(), block()
    made = DecoderBlock(
        *first[:2], second.norm_1, second.attention, second.norm_2, *second[3:]
    )
    return made._replace(**others)


def network(**others):
    return draw_transformer(5, 4, (4, 6), 1, seeded(), F32)._replace(**others)


def symbols():
    return draw_sequences(3, network(), seeded(2))


def reverse(symbols):
    return symbols.flip(1)


def blind():
    mask = torch.ones(3, 5, dtype=torch.bool)
    mask[1] = False
    return mask


def asked():
    return {"q": random(2, 3, 4), "k": random(2, 5, 4, seed=2)}


def answered():
    return asked() | {"v": random(2, 5, 6, seed=3)}


def looked():
    x, y = random(2, 3, 4), random(2, 5, 4, seed=2)
    return {"x": x, "y": y, "layers": projections(), "heads": 2}


MASKS = [
    blind(),
    torch.ones(3, 5),
    torch.ones(5, 3, dtype=torch.bool),
    torch.ones(2, 5, dtype=torch.bool),
    torch.ones(5, dtype=torch.bool),
    torch.ones(3, 3, 5, dtype=torch.bool),
]
KEYS = [random(2, 5, 3), random(1, 5, 4), random(5, 4), random(2, 5, 4).double()]
HEADS = [0, -1, 3, 8, 2.0, float("nan")]
LOOKED = Contract(
    make=looked,
    refused={
        "x": [random(4), random(2, 3, 6), random(3, 4), random(2, 3, 4).half()],
        "y": [random(2, 5, 6), random(1, 5, 4), random(2, 5, 4).double()],
        "layers": [narrow(), one_bias(), draw_projections(6, seeded(), F32)],
        "heads": HEADS,
        "mask": MASKS,
    },
)
WIDTHS = [3, 0, -2, 2.0, 4.0]
COUNTS = [0, -1, 2.5, float("nan")]
DTYPES = [torch.float16, torch.bfloat16, torch.int64]
SYMBOLS = [
    torch.tensor([[0, 5]]),
    torch.tensor([[0, -1]]),
    torch.zeros(3, 5, dtype=torch.int64),
    torch.zeros(4, dtype=torch.int64),
    torch.zeros(0, 4, dtype=torch.int64),
    torch.zeros(3, 4),
    torch.zeros(3, 4, dtype=torch.int32),
]

CONTRACTS = {
    "smooth": Contract(
        make=lambda: {
            "queries": random(3, 2),
            "points": random(5, 2, seed=2),
            "values": random(5, 4, seed=3),
            "tau": 0.7,
        },
        refused={
            "tau": [0.0, -1.0, float("nan"), float("inf")],
            "values": [random(5), random(4, 4), random(5, 4).double()],
            "points": [random(5, 3), random(5), random(1, 2)],
        },
        shifted=("queries", "points"),
    ),
    "shares": Contract(make=asked, refused={"k": KEYS, "mask": MASKS}),
    "attention": Contract(
        make=answered,
        refused={
            "k": KEYS,
            "v": [random(2, 4, 6), random(2, 1, 6), random(5, 6), random(5)],
            "mask": MASKS,
        },
    ),
    "attention_in_blocks": Contract(
        make=lambda: answered() | {"size": 2},
        refused={"k": KEYS, "v": [random(2, 4, 6), random(5, 6)], "size": COUNTS},
    ),
    "causal_mask": Contract(
        make=lambda: {"x": random(2, 3, 4)},
        refused={"x": [random(3), random(2, 0, 4)]},
        excused={
            "nan x": "only the shape of x is asked for",
            "empty x": "a mask belongs to the places, not to the batch",
        },
    ),
    "heads_apart": Contract(
        make=lambda: {"x": random(2, 3, 4), "heads": 2},
        refused={"x": [random(4)], "heads": HEADS},
    ),
    "heads_together": Contract(
        make=lambda: {"x": random(2, 2, 3, 4)}, refused={"x": [random(3, 4), random(4)]}
    ),
    "multi_head": LOOKED,
    "head_shares": LOOKED,
    "encoder_block": Contract(
        make=lambda: {"x": random(2, 3, 4), "block": block(), "heads": 2},
        refused={
            "x": [random(2, 3, 6), random(4), random(2, 3, 4).half()],
            "heads": HEADS,
            "block": [
                block(attention=narrow()),
                block(wide=(torch.ones(6, 4), torch.zeros(1))),
                block(narrow=(torch.ones(1, 6), torch.zeros(1))),
                block(norm_1=(torch.ones(1), torch.zeros(1))),
            ],
            "mask": [torch.ones(3, 3), torch.ones(3, dtype=torch.bool)],
        },
    ),
    "decoder_block": Contract(
        make=lambda: {
            "x": random(2, 3, 4),
            "memory": random(2, 5, 4, seed=2),
            "block": decoder_block(),
            "heads": 2,
        },
        refused={
            "x": [random(2, 3, 6), random(4), random(2, 3, 4).half()],
            "memory": [random(2, 5, 6), random(1, 5, 4), random(2, 5, 4).double()],
            "heads": HEADS,
            "block": [
                decoder_block(crossing=narrow()),
                decoder_block(narrow=(torch.ones(1, 6), torch.zeros(1))),
            ],
        },
    ),
    "angles": Contract(
        make=lambda: {"places": torch.arange(3.0), "width": 4},
        refused={"width": WIDTHS, "places": [torch.arange(3), torch.arange(3.0).half()]},
    ),
    "sinusoids": Contract(
        make=lambda: {"places": torch.arange(3.0), "width": 4},
        refused={"width": WIDTHS, "places": [torch.arange(3), torch.arange(3.0).half()]},
    ),
    "rotate": Contract(
        make=lambda: {"x": random(2, 3, 4), "places": torch.arange(3.0)},
        refused={
            "x": [random(2, 3, 5), random(2, 4, 4), random(3)],
            "places": [torch.arange(3), torch.arange(3.0).double(), torch.arange(1.0)],
        },
    ),
    "count_products": Contract(
        make=lambda: {"length": 5, "width": 4, "hidden": 8},
        refused={"length": COUNTS, "width": COUNTS, "hidden": COUNTS},
    ),
    "draw_projections": Contract(
        make=lambda: {"width": 4, "generator": seeded(), "dtype": F32},
        refused={"width": COUNTS, "dtype": DTYPES},
    ),
    "draw_block": Contract(
        make=lambda: {"width": 4, "hidden": 6, "generator": seeded(), "dtype": F32},
        refused={"width": [1, *COUNTS], "hidden": COUNTS, "dtype": DTYPES},
    ),
    "draw_transformer": Contract(
        make=lambda: {
            "symbols": 5,
            "length": 4,
            "widths": (4, 6),
            "depth": 1,
            "generator": seeded(),
            "dtype": F32,
        },
        refused={
            "symbols": [1, *COUNTS],
            "length": COUNTS,
            "widths": [(1, 6), (4, 0), (4, 2.5)],
            "depth": COUNTS,
            "dtype": DTYPES,
        },
    ),
    "tensors_of": Contract(make=lambda: {"part": network()}),
    "embed": Contract(
        make=lambda: {"symbols": symbols(), "network": network()},
        labels={"symbols": "classes"},
        refused={"symbols": SYMBOLS},
    ),
    "transformer": Contract(
        make=lambda: {"symbols": symbols(), "network": network(), "heads": 2},
        labels={"symbols": "classes"},
        refused={
            "symbols": SYMBOLS,
            "heads": HEADS,
            "network": [
                network(scores=(torch.ones(5, 4), torch.zeros(1))),
                network(scores=(torch.ones(5, 3), torch.zeros(5))),
                network(places=torch.zeros(4, 1)),
                network(places=torch.zeros(4)),
                network(symbols=torch.zeros(5, 1)),
            ],
        },
    ),
    "train": Contract(
        make=lambda: {
            "network": network(),
            "heads": 2,
            "answer": reverse,
            "steps": 3,
            "generator": seeded(),
        },
        refused={
            "heads": HEADS,
            "steps": COUNTS,
            "answer": [lambda x: x[:1], lambda x: x + 9, lambda x: x.float()],
        },
        excused={"changes": "training changes the parameters"},
    ),
    "draw_sequences": Contract(
        make=lambda: {"n": 3, "network": network(), "generator": seeded()},
        refused={"n": COUNTS},
    ),
    "least_error_without_places": Contract(
        make=lambda: {"length": 8, "symbols": 10},
        refused={"length": [7, 1, *COUNTS], "symbols": COUNTS},
    ),
}
