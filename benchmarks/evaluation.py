"""Many small networks at once against one after the other."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import softplus

from benchmarks.harness import Line, times_as_fast
from dlbook.evaluation import draw_networks, forward
from dlbook.runs.race import race

SIZES = (2, 50, 50, 1)
PEER = "torch.nn, one after the other"


def full() -> list[Line]:
    """Train 32 networks for 20 epochs of 10 steps."""
    return compare(networks=32, points=1000, epochs=20, rounds=5)


def tiny() -> list[Line]:
    """Train 3 networks for 2 epochs of one step."""
    return compare(networks=3, points=100, epochs=2, rounds=1)


def compare(networks: int, points: int, epochs: int, rounds: int) -> list[Line]:
    """Race; both begin with the same weights and see the same batches."""
    generator = Generator().manual_seed(0)
    x = torch.randn(points, 2, generator=generator)
    signs = (x[:, 0] * x[:, 1]).sign()
    orders = torch.randperm(points, generator=generator).split(100) * epochs
    seconds = race(
        {
            "ours": lambda: at_once(drawn(networks), x, signs, orders),
            PEER: lambda: one_by_one(drawn(networks), x, signs, orders),
        },
        rounds,
        require_same_parameters,
    )
    return [times_as_fast("evaluation_many", seconds, PEER, 4)]


def drawn(networks: int) -> list[Tensor]:
    """Draw starting weights as in `dlbook.evaluation.forward`."""
    generators = [Generator().manual_seed(seed) for seed in range(networks)]
    return draw_networks(SIZES, generators)


def at_once(
    parameters: list[Tensor], x: Tensor, signs: Tensor, orders: Sequence[Tensor]
) -> list[Tensor]:
    """Train all networks with one batched product for each layer."""
    for chosen in orders:
        for parameter in parameters:
            parameter.requires_grad_(True)
        scores = forward(parameters, x[chosen])[..., 0]
        loss = softplus(-signs[chosen] * scores).mean(dim=1).sum()
        slopes = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.requires_grad_(False).sub_(slope, alpha=0.1)
    return parameters


def one_by_one(
    parameters: list[Tensor], x: Tensor, signs: Tensor, orders: Sequence[Tensor]
) -> list[Tensor]:
    """Train each network with the library's modules and optimizer."""
    trained = []
    for own in zip(*parameters, strict=True):
        parts: list[nn.Module] = []
        for w, b in zip(own[::2], own[1::2], strict=True):
            linear = nn.Linear(*w.shape)
            linear.load_state_dict({"weight": w.T, "bias": b[0]})
            parts += [linear, nn.ReLU()]
        net = nn.Sequential(*parts[:-1])
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for chosen in orders:
            optimizer.zero_grad()
            loss = softplus(-signs[chosen] * net(x[chosen])[:, 0]).mean()
            loss.backward()
            optimizer.step()
        linears = [part for part in net if isinstance(part, nn.Linear)]
        trained.append([t.detach() for p in linears for t in (p.weight.T, p.bias[None])])
    return [torch.stack(same) for same in zip(*trained, strict=True)]


def require_same_parameters(answers: dict[str, object]) -> None:
    """Refuse networks that end elsewhere.

    Args:
        answers: parameters by name.

    Raises:
        AssertionError: they differ by more than rounding.
    """
    for ours, theirs in zip(answers["ours"], answers[PEER], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=1e-3)
