"""One training step by hand against autograd and `torch.optim.SGD`."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from benchmarks.harness import Line, times_as_fast
from dlbook.backprop import train_step
from dlbook.mlp import Layer, draw_layers
from dlbook.runs.race import race

PEER = "autograd + torch.optim.SGD"


def full() -> list[Line]:
    """Take steps of 784-200-10 on 100 images, thirty to a turn."""
    return compare([784, 200, 10], batch=100, steps=30, rounds=40)


def tiny() -> list[Line]:
    """Take steps of 8-5-3 on 10 inputs."""
    return compare([8, 5, 3], batch=10, steps=3, rounds=1)


def compare(widths: list[int], batch: int, steps: int, rounds: int) -> list[Line]:
    """Race; both begin with the same weights and see the same batch."""
    generator = Generator().manual_seed(0)
    x = torch.rand(batch, widths[0], generator=generator)
    labels = torch.randint(widths[-1], (batch,), generator=generator)
    layers = draw_layers(widths, 0)
    network, step = library(layers, x, labels)

    def by_hand() -> list[Layer]:
        for _ in range(steps):
            train_step(layers, x, labels, 0.1)
        return layers

    def by_library() -> list[Layer]:
        for _ in range(steps):
            step()
        return [(p.weight, p.bias) for p in network if isinstance(p, nn.Linear)]

    seconds = race({"ours": by_hand, PEER: by_library}, rounds, require_same_layers)
    return [times_as_fast("backprop_step", seconds, PEER, 1.8)]


def library(
    layers: list[Layer], x: Tensor, labels: Tensor
) -> tuple[nn.Sequential, Callable[[], None]]:
    """Build the same network from the library's parts, and its step."""
    parts: list[nn.Module] = []
    for w, b in layers:
        linear = nn.Linear(w.shape[1], w.shape[0])
        linear.load_state_dict({"weight": w, "bias": b})
        parts += [linear, nn.ReLU()]
    network, criterion = nn.Sequential(*parts[:-1]), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)

    def step() -> None:
        optimizer.zero_grad()
        criterion(network(x), labels).backward()
        optimizer.step()

    return network, step


def require_same_layers(answers: dict[str, object]) -> None:
    """Refuse weights that differ after the first turn.

    Args:
        answers: layers by name.

    Raises:
        AssertionError: they differ.
    """
    for ours, theirs in zip(answers["ours"], answers[PEER], strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other.detach(), rtol=1e-3, atol=1e-5)
