"""The convolutional network on its fast path, against the same in default settings.

The C library is told to keep freed memory for a whole process, so each way has a process of
its own; they take turns and never compute at the same time.
"""

import time
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from benchmarks.harness import Line, fresh_process, times_as_fast
from dlbook.acceleration import keep_freed_memory
from dlbook.cnn import Recipe, Training, begin, convolutional_network, descend
from dlbook.runs.race import race

PEER = "default layout, eager, SGD"
BATCH = 100
WAYS = {"ours": torch.float32, "bfloat16": torch.bfloat16, PEER: None}


@dataclass
class State:
    """What a process keeps between its turns: data, and how to take a step."""

    images: Tensor
    labels: Tensor
    model: nn.Sequential
    training: Training | None  # None: the library's own optimizer
    optimizer: torch.optim.Optimizer | None = None


STATES: dict[str, State] = {}


def full() -> list[Line]:
    """Take 100 steps of 100 images, a sixth of an epoch, in turns."""
    return compare(images=6000, steps=100, rounds=5)


def tiny() -> list[Line]:
    """Take 2 steps."""
    return compare(images=200, steps=2, rounds=1)


def compare(images: int, steps: int, rounds: int) -> list[Line]:
    """Race three processes that begin with the same weights and see the same batches."""
    with fresh_process() as a, fresh_process() as b, fresh_process() as c:
        pools = dict(zip(WAYS, (a, b, c), strict=True))
        first = {
            name: pools[name].submit(start, name, images, 3).result() for name in WAYS
        }
        require_same_steps(first)

        def turn(name: str):
            return lambda: pools[name].submit(run, name, steps).result()

        ways = {name: turn(name) for name in WAYS}
        seconds = race(ways, rounds, lambda _: None, clock=time.perf_counter)
    return [
        times_as_fast("cnn_float32", seconds, PEER, 2),
        times_as_fast("cnn_bfloat16", seconds, PEER, 2.8, ours="bfloat16"),
    ]


def start(name: str, images: int, steps: int) -> list[list[float]]:
    """Set up a way in this process, and take the first steps.

    Args:
        name: of the way.
        images: how many to draw; their times do not depend on what they show.
        steps: how many to take.

    Returns:
        the parameters, to be compared.
    """
    generator = Generator().manual_seed(0)
    x = torch.randn(images, 1, 28, 28, generator=generator)
    labels = torch.randint(10, (images,), generator=generator)
    model = convolutional_network(generator)
    if name == PEER:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        STATES[name] = State(x, labels, model, None, optimizer)
    else:
        keep_freed_memory()
        model = model.to(memory_format=torch.channels_last)
        training = begin(model, generator, Recipe(precision=WAYS[name]))
        STATES[name] = State(x, labels, model, training)
    run(name, steps)
    return [p.detach().flatten().tolist() for p in STATES[name].model.parameters()]


def run(name: str, steps: int) -> None:
    """Take steps, batch after batch, in the order of a training epoch."""
    state = STATES[name]
    order = torch.randperm(len(state.images), generator=Generator().manual_seed(0))
    batches = order.split(BATCH)
    for step in range(steps):
        batch = batches[step % len(batches)]
        images, labels = state.images[batch], state.labels[batch]
        if state.training is not None:
            descend(state.training, images, labels)
        else:
            state.optimizer.zero_grad()
            nn.functional.cross_entropy(state.model(images), labels).backward()
            state.optimizer.step()


def require_same_steps(answers: dict[str, list[list[float]]]) -> None:
    """Refuse parameters that differ after the first steps by more than rounding.

    Args:
        answers: parameters by name.

    Raises:
        AssertionError: they differ.
    """
    for name, tolerance in (("ours", 1e-4), ("bfloat16", 1e-2)):
        for ours, theirs in zip(answers[name], answers[PEER], strict=True):
            torch.testing.assert_close(
                torch.tensor(ours), torch.tensor(theirs), rtol=0, atol=tolerance
            )
