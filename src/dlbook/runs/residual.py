"""Numbers of the chapter on residual networks."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d, cross_entropy, interpolate, max_pool2d
from torchvision.transforms.functional import center_crop
from tqdm import tqdm

from dlbook.data import digits, mnist
from dlbook.runs.record import Claim, Findings, over_seeds
from dlbook.runs.regularization import (
    batch_normed,
    batch_normed_at_test,
    missed,
    spread_of,
)

SEEDS = range(5)
WIDTH = 32  # units of every hidden layer
DEPTHS = (2, 6, 10, 20, 40)  # hidden layers behind the first, two to a block
SHORTCUTS = (0.0, 0.25, 0.5, 0.75, 1.0)
EPOCHS, BATCH, ETA, MOMENTUM = 5, 50, 0.05, 0.9
STEPS = 300  # of Adam, on the few labels of a transfer
POINTS = 13  # a point of a curve is the mean of so many steps: half an epoch
LABELS = (1, 2, 5, 10)  # of each class, that the transfer may use


class Stacks(NamedTuple):
    """One deep network for each seed, side by side.

    Attributes:
        first: (seeds, WIDTH, 64), from the pixels to the first hidden layer.
        weights: (seeds, WIDTH, WIDTH) for each layer behind it, two to a block.
        norms: scale and shift of each of those layers, both (seeds, WIDTH).
        running: mean and variance of each, shaped alike; changed by training.
        last: (seeds, 10, WIDTH) and (seeds, 10), to the scores.
    """

    first: Tensor
    weights: list[Tensor]
    norms: list[tuple[Tensor, Tensor]]
    running: list[tuple[Tensor, Tensor]]
    last: tuple[Tensor, Tensor]


def quick(device: torch.device) -> Findings:
    """Train ten layers with and without shortcuts."""
    claims = trained_at(10, 0.0, "plain", device) | trained_at(
        10, 1.0, "residual", device
    )
    return Findings(claims, {"digits": digits.checksum()})


def depths(device: torch.device) -> Findings:
    """Train ever deeper stacks, plain and residual, five seeds each."""
    claims = {}
    for depth in tqdm(DEPTHS, desc="depths"):
        for name, shortcut in (("plain", 0.0), ("residual", 1.0)):
            claims |= trained_at(depth, shortcut, f"{name}_of_{depth}", device)
    return Findings(claims, {"digits": digits.checksum()})


def shortcuts(device: torch.device) -> Findings:
    """Train 20 layers while the shortcuts are switched on little by little."""
    claims = {}
    for shortcut in tqdm(SHORTCUTS, desc="shortcuts"):
        name = f"shortcut_{shortcut:g}".replace(".", "_")
        claims |= trained_at(20, shortcut, name, device)
        slopes = [gradient_sizes(seed, 20, shortcut) for seed in SEEDS]
        middle = torch.stack(slopes).median(dim=0).values
        claims[f"gradients_{name}"] = Claim(middle.tolist(), tolerance=5.0)
        growth = [(sizes[1] / sizes[-1]).item() for sizes in slopes]
        claims[f"growth_{name}"] = over_seeds(growth, tolerance=60.0)
    return Findings(claims, {"digits": digits.checksum()})


def longer(device: torch.device) -> Findings:
    """Give ten layers twenty epochs instead of five: does the gap stay?"""
    claims = trained_at(10, 0.0, "plain_longer", device, epochs=20)
    claims |= trained_at(10, 1.0, "residual_longer", device, epochs=20)
    return Findings(claims, {"digits": digits.checksum()})


def trained_at(
    depth: int, shortcut: float, name: str, device: torch.device, epochs: int = EPOCHS
) -> dict[str, Claim]:
    """Train five stacks, and claim what they misread of the training and the test digits."""
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    stacks = drawn(depth, device)
    losses = train(stacks, images.flatten(1), labels, shortcut, epochs)
    errors = missed(at_test(stacks, images.flatten(1), shortcut), labels.expand(5, -1))
    claims = spread_of(f"fitted_{name}", errors, tolerance=15.0)
    scores = at_test(stacks, test_images.flatten(1), shortcut)
    errors = missed(scores, test_labels.expand(5, -1))
    claims |= spread_of(f"error_{name}", errors, tolerance=15.0)
    points = losses.unflatten(1, (-1, POINTS)).mean(dim=2).median(dim=0).values
    claims[f"curve_{name}"] = Claim(points.tolist(), "nats", tolerance=0.8)
    return claims


def drawn(depth: int, device: torch.device) -> Stacks:
    """Draw one stack for each seed, with the gain of rectifiers and norms that do nothing."""
    first, weights, last = [], [], []
    for seed in SEEDS:
        generator = Generator().manual_seed(seed)

        def layer(outputs: int, inputs: int, square: float, g: Generator = generator):
            return torch.randn(outputs, inputs, generator=g) * math.sqrt(square / inputs)

        first.append(layer(WIDTH, 64, 2))
        weights.append(torch.stack([layer(WIDTH, WIDTH, 2) for _ in range(depth)]))
        last.append(layer(10, WIDTH, 1))
    ones = torch.ones(len(SEEDS), WIDTH, device=device)
    pairs = [(ones.clone(), 0 * ones) for _ in range(depth)]
    stacks = Stacks(
        torch.stack(first).to(device),
        [w.to(device) for w in torch.stack(weights).unbind(dim=1)],
        pairs,
        [(0 * ones, ones.clone()) for _ in range(depth)],
        (torch.stack(last).to(device), torch.zeros(len(SEEDS), 10, device=device)),
    )
    for parameter in parameters_of(stacks):
        parameter.requires_grad_()
    return stacks


def parameters_of(stacks: Stacks) -> list[Tensor]:
    """List what descent moves."""
    norms = [part for pair in stacks.norms for part in pair]
    return [stacks.first, *stacks.weights, *norms, *stacks.last]


def passed(
    stacks: Stacks, x: Tensor, shortcut: float, norm: Callable[[Tensor, int], Tensor]
) -> list[Tensor]:
    """Go through the blocks: what enters each of them, and the scores.

    Args:
        stacks: one for each seed.
        x: (seeds, n, 64) floats.
        shortcut: what the input of a block is multiplied by before it is added.
        norm: normalizes the sums of a layer of the given number.

    Returns:
        (seeds, n, WIDTH) floats for each block, and (seeds, n, 10) scores.
    """
    signals = [(x @ stacks.first.mT).relu()]
    for index in range(0, len(stacks.weights), 2):
        s = norm(signals[-1] @ stacks.weights[index].mT, index).relu()
        added = norm(s @ stacks.weights[index + 1].mT, index + 1)
        signals.append((shortcut * signals[-1] + added).relu())
    weight, bias = stacks.last
    return [*signals, signals[-1] @ weight.mT + bias[:, None]]


def in_training(stacks: Stacks) -> Callable[[Tensor, int], Tensor]:
    """Normalize over the batch, and move the running statistics."""

    def norm(s: Tensor, index: int) -> Tensor:
        out, learned = batch_normed(s, *stacks.norms[index], *stacks.running[index])
        stacks.running[index] = learned
        return out

    return norm


def at_test(stacks: Stacks, x: Tensor, shortcut: float) -> Tensor:
    """Give (seeds, n, 10) scores of images (n, 64), with the running statistics."""

    def norm(s: Tensor, index: int) -> Tensor:
        return batch_normed_at_test(s, *stacks.norms[index], *stacks.running[index])

    with torch.no_grad():
        return passed(stacks, x.expand(len(SEEDS), -1, -1), shortcut, norm)[-1]


def train(
    stacks: Stacks, x: Tensor, labels: Tensor, shortcut: float, epochs: int
) -> Tensor:
    """Train all stacks side by side on (n, 64) images, each in its own order.

    Returns:
        (seeds, steps) the losses, in nats.
    """
    parameters, norm = parameters_of(stacks), in_training(stacks)
    velocities = [torch.zeros_like(p) for p in parameters]
    generator, losses = Generator().manual_seed(0), []
    for _ in tqdm(range(epochs), desc="epochs", leave=False):
        order = torch.rand(len(SEEDS), len(x), generator=generator).argsort(dim=1)
        for chosen in order.to(x.device).split(BATCH, dim=1):
            scores = passed(stacks, x[chosen], shortcut, norm)[-1]
            each = cross_entropy(scores.mT, labels[chosen], reduction="none")
            losses.append(each.detach().mean(dim=1).cpu())
            slopes = torch.autograd.grad(each.mean(dim=1).sum(), parameters)
            with torch.no_grad():
                for p, v, slope in zip(parameters, velocities, slopes, strict=True):
                    p.sub_(v.mul_(MOMENTUM).add_(slope), alpha=ETA)
    return torch.stack(losses, dim=1)


def gradient_sizes(seed: int, depth: int, shortcut: float) -> Tensor:
    """Measure the gradient along what enters each block, before any training.

    Args:
        seed: which of the five stacks.
        depth: hidden layers behind the first.
        shortcut: as in `passed`.

    Returns:
        (depth / 2 + 1,) floats: root of the mean square over 200 digits and all units, first
        block first, the last for what enters the scores.
    """
    images, labels, _, _ = digits.load()
    stacks = drawn(depth, torch.device("cpu"))
    signals = passed(
        stacks,
        images[:200].flatten(1).expand(len(SEEDS), -1, -1),
        shortcut,
        in_training(stacks),
    )
    loss = cross_entropy(signals[-1][seed], labels[:200], reduction="sum")
    slopes = torch.autograd.grad(loss, signals[:-1])
    return torch.stack([slope[seed].square().mean().sqrt() for slope in slopes])


class Filters(NamedTuple):
    """A small convolutional network: 16 and 32 maps, and scores from 2 x 2 places.

    Attributes:
        first: (16, 1, 3, 3) kernels and (16,) biases.
        second: (32, 16, 3, 3) kernels and (32,) biases.
        last: (classes, 128) weights and (classes,) biases.
    """

    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    last: tuple[Tensor, Tensor]


def transfer(device: torch.device) -> Findings:
    """Learn the filters on MNIST, and use them on a few labels of the small digits."""
    source, source_labels = (part[:6000].to(device) for part in mnist.load()[:2])
    claims = {}
    for crop in (20, 28):
        shrunk = shrunken(source, crop)
        errors: dict[str, list[float]] = {}
        for seed in tqdm(SEEDS, desc=f"seeds, central {crop} pixels"):
            start = fit(filters(10, seed, device), shrunk, source_labels, 3, seed)
            for name, error in moved(start, seed, device, LABELS if crop == 20 else (5,)):
                errors.setdefault(name, []).append(error)
        for name, values in errors.items():
            wide = "" if crop == 20 else "_uncropped"
            claims |= spread_of(f"transfer{wide}_{name}", values, tolerance=8.0)
    checksums = {"digits": digits.checksum(), "mnist": mnist.checksum()}
    return Findings(claims, checksums)


def negative(device: torch.device) -> Findings:
    """Learn the filters on the digits 0 to 4, and use them to tell 5 to 9 apart."""
    x, y = all_digits(device)
    errors: dict[str, list[float]] = {}
    for seed in tqdm(SEEDS, desc="seeds"):
        low = y < 5
        start = fit(filters(5, seed, device), x[low], y[low], 5, seed)
        for name, error in compared(start, x[~low], y[~low] - 5, 5, seed, same=False):
            errors.setdefault(name, []).append(error)
    claims = {}
    for name, values in errors.items():
        claims |= spread_of(f"negative_{name}", values, tolerance=15.0)
    return Findings(claims, {"digits": digits.checksum()})


def moved(
    start: Filters, seed: int, device: torch.device, counts: tuple[int, ...]
) -> list[tuple[str, float]]:
    """Compare ways to use filters on the small digits: names and errors in percent."""
    x, y = all_digits(device)
    found = [("untouched", wrong(start, x, y))]
    for count in counts:
        pairs = compared(start, x, y, count, seed, same=True)
        found += [(f"{name}_{count}", error) for name, error in pairs]
    return found


def compared(
    start: Filters, x: Tensor, y: Tensor, count: int, seed: int, same: bool
) -> list[tuple[str, float]]:
    """Train with few labels of each class: from scratch, on frozen filters, on all.

    Args:
        start: filters that were learned elsewhere.
        x: (n, 1, 8, 8) floats.
        y: (n,) int64, classes from 0.
        count: labels of each class; all other images are the test.
        seed: draws the labels, the fresh networks and the order.
        same: whether the filters were learned on the same classes; then their scores can be
            carried over as well.

    Returns:
        the error in percent of each way: from scratch, frozen random filters,
        frozen learned filters, learned filters that go on learning; and, for the same classes,
        the whole network, scores included, going on.
    """
    classes = int(y.max()) + 1
    generator = Generator().manual_seed(200 + seed)
    order = torch.randperm(len(y), generator=generator).to(y.device)
    few = torch.cat([order[y[order] == c][:count] for c in range(classes)])
    rest = torch.ones_like(y, dtype=torch.bool)
    rest[few] = False
    fresh = filters(classes, 100 + seed, x.device)
    learned = start._replace(last=fresh.last)  # the filters, and nothing else
    ways = {
        "scratch": (fresh, False),
        "random": (fresh, True),
        "frozen": (learned, True),
        "tuned": (learned, False),
        "whole": (start, False),
    }
    if not same:
        del ways["whole"]  # scores of other classes are no start
    found = []
    for name, (network, frozen) in ways.items():
        epochs = math.ceil(STEPS / math.ceil(len(few) / 50))
        trained = fit(network, x[few], y[few], epochs, seed, frozen)
        found.append((name, wrong(trained, x[rest], y[rest])))
    return found


def all_digits(device: torch.device) -> tuple[Tensor, Tensor]:
    """Give all 1797 small digits, (n, 1, 8, 8), and their labels."""
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    return torch.cat([images, test_images])[:, None], torch.cat([labels, test_labels])


def shrunken(images: Tensor, crop: int) -> Tensor:
    """Cut the middle out of MNIST digits, and shrink it to 8 x 8 pixels from 0 to 1."""
    middle = center_crop(images.float().view(-1, 1, 28, 28) / 255, [crop, crop])
    return interpolate(middle, size=8, mode="area")


def filters(classes: int, seed: int, device: torch.device) -> Filters:
    """Draw a small convolutional network with the gain of rectifiers."""
    generator = Generator().manual_seed(seed)
    layers = []
    for shape, square in (((16, 1, 3, 3), 2), ((32, 16, 3, 3), 2), ((classes, 128), 1)):
        fan_in = math.prod(shape[1:])
        weight = torch.randn(shape, generator=generator) * math.sqrt(square / fan_in)
        layers.append((weight.to(device), torch.zeros(shape[0], device=device)))
    return Filters(*layers)


def features_of(network: Filters, images: Tensor) -> Tensor:
    """Give the 128 numbers behind both convolutions, each with a maximum over 2 x 2."""
    maps = max_pool2d(conv2d(images, *network.first, padding=1).relu(), 2)
    return max_pool2d(conv2d(maps, *network.second, padding=1).relu(), 2).flatten(1)


def fit(
    start: Filters, x: Tensor, y: Tensor, epochs: int, seed: int, frozen: bool = False
) -> Filters:
    """Train a copy by Adam with steps that fall from 0.003 to 0; frozen filters stay."""
    network = Filters(*(tuple(p.clone() for p in layer) for layer in start))
    moving = [p for layer in (network[2:] if frozen else network) for p in layer]
    optimizer = torch.optim.Adam([p.requires_grad_() for p in moving], lr=0.003)
    size = min(50, len(x))
    steps = epochs * math.ceil(len(x) / size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, steps)
    generator = Generator().manual_seed(seed)
    for _ in range(epochs):
        order = torch.randperm(len(x), generator=generator).to(x.device)
        for chosen in order.split(size):
            optimizer.zero_grad()
            weight, bias = network.last
            scores = features_of(network, x[chosen]) @ weight.T + bias
            cross_entropy(scores, y[chosen]).backward()
            optimizer.step()
            schedule.step()
    return Filters(*(tuple(p.detach() for p in layer) for layer in network))


def wrong(network: Filters, x: Tensor, y: Tensor) -> float:
    """Give the share of mistakes, in percent."""
    weight, bias = network.last
    answers = (features_of(network, x) @ weight.T + bias).argmax(dim=1)
    return 100 * (answers != y).double().mean().item()
