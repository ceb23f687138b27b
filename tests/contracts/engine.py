"""Valid inputs of `dlbook.engine`."""

from contracts import Contract
from dlbook.engine import Number

ENDLESS = [float("nan"), float("inf")]


def one():
    return {"a": Number(0.7, "a")}


def two():
    return {"a": Number(0.7, "a"), "b": Number(-2.0, "b")}


CONTRACTS = {
    "Number": Contract(make=lambda: {"value": 0.7}, refused={"value": ENDLESS}),
    "add": Contract(make=two),
    "subtract": Contract(make=two),
    "multiply": Contract(make=two),
    "power": Contract(
        make=lambda: {**one(), "exponent": 2.5},
        refused={"a": [Number(-1.0)], "exponent": ENDLESS},
    ),
    "exp": Contract(make=one),
    "log": Contract(make=one, refused={"a": [Number(0.0), Number(-1.0)]}),
    "tanh": Contract(make=one),
    "relu": Contract(make=one),
    "ancestors": Contract(make=lambda: {"result": Number(0.7)}),
    "backward": Contract(make=lambda: {"result": Number(0.7)}),
}
