"""Valid inputs of `dlbook.autograd`."""

import torch
from torch.utils.data import DataLoader

from contracts import Contract
from dlbook.autograd import Images, Network, Node, multiply, state_of
from dlbook.gradient_descent import Descent
from dlbook.mlp import draw_layers


def table(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def pair():
    return {"a": Node(table(3, 4)), "b": Node(table(4, seed=1))}


def traced():
    a, b = torch.tensor([2.0, 3.0]).requires_grad_(), table(2)
    return (a * b).sum()


def loader(n=6):
    return DataLoader(Images(table(6, 4)[:n], torch.arange(6)[:n] % 3), batch_size=3)


def empty():
    return DataLoader(Images(table(2, 4), torch.arange(2)), batch_size=3, drop_last=True)


def network():
    made = Network((4, 5, 3))
    made.load_state_dict(state_of(draw_layers([4, 5, 3], 0)))
    return made


def training():
    made = network()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)
    return {"network": made, "loader": loader(), "optimizer": optimizer}


def by_hand():
    layers = draw_layers([4, 5, 3], 0)
    return {
        "layers": layers,
        "batches": [(table(6, 4), torch.arange(6) % 3)],
        "rules": [(Descent(0.1), Descent(0.1)) for _ in layers],
    }


def vector(x):
    return torch.tanh(x) * x.sum()


NAN = torch.tensor([1.0, float("nan")])
WAY_BACK = {
    "changes": "its purpose: the leaves get their gradients",
    "meta": "the pulls of a graph hold the values that it was built from, and do not move",
    "cuda": "as meta",
}
STAYS = {"meta": "a loader keeps its data where it is", "cuda": "as meta"}
JACOBIAN = Contract(
    make=lambda: {"function": vector, "x": table(3)},
    refused={"function": [torch.sum, lambda x: x * float("nan")], "x": [table(2, 2)]},
)
FITTING = {"b": [Node(table(4).double()), Node(table(4).half())]}
CONTRACTS = {
    "Node": Contract(
        make=lambda: {"value": table(3, 4)},
        refused={"value": [NAN, torch.tensor([200], dtype=torch.uint8)]},
    ),
    "add": Contract(make=pair, refused=FITTING),
    "multiply": Contract(make=pair, refused=FITTING),
    "matrix_product": Contract(
        make=lambda: {"a": Node(table(3, 4)), "b": Node(table(4, 2))},
        refused={"b": [Node(table(4)), Node(table(3, 4)), Node(table(4, 2).double())]},
    ),
    "tanh": Contract(make=lambda: {"a": Node(table(3, 4))}),
    "mean": Contract(make=lambda: {"a": Node(table(3, 4))}),
    "sum_to": Contract(
        make=lambda: {"slopes": table(2, 3, 4), "shape": (3, 1)},
        refused={"shape": [(2, 4), (5,), (1, 2, 3, 4)]},
    ),
    "backward": Contract(
        make=lambda: {"result": multiply(Node(torch.tensor(2.0)), Node(torch.ones(1)))},
        refused={"result": [Node(table(3)), Node(table(1, 2))]},
        excused=WAY_BACK,
    ),
    "nodes_of": Contract(
        make=lambda: {"result": traced()}, refused={"result": [table(1)]}
    ),
    "saved_at": Contract(make=lambda: {"node": traced().grad_fn.next_functions[0][0]}),
    "jacobian_by_rows": JACOBIAN,
    "jacobian_by_columns": JACOBIAN,
    "Images": Contract(
        make=lambda: {"images": table(6, 4), "labels": torch.arange(6) % 3},
        labels={"labels": "classes"},
    ),
    "Network": Contract(
        make=lambda: {"widths": (4, 5, 3)},
        refused={"widths": [(4, 0, 3), (-1, 2, 3)], "dropout": [-0.1, 1.5]},
    ),
    "state_of": Contract(
        make=lambda: {"layers": draw_layers([4, 5, 3], 0)},
        refused={"layers": [[], draw_layers([4, 3], 0), draw_layers([4, 3, 3, 2], 0)]},
    ),
    "train_epoch": Contract(
        make=training,
        refused={"loader": [empty()], "longest": [0.0, -1.0, float("nan")]},
        excused={"changes": "its purpose: the parameters move"} | STAYS,
    ),
    "error_rate": Contract(
        make=lambda: {"network": network(), "loader": loader()},
        refused={"loader": [empty()]},
        excused={"changes": "it leaves the network in the mode `eval`"} | STAYS,
    ),
    "train_epoch_by_hand": Contract(
        make=by_hand,
        refused={
            "rules": [[], by_hand()["rules"][1:]],
            "batches": [
                [(table(6, 4), torch.arange(6))],
                [(table(6, 3), torch.zeros(6))],
            ],
        },
    ),
}
