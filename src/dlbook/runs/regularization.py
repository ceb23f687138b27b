"""Numbers of the chapter on regularization and normalization."""

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from dlbook.backprop import train_epoch
from dlbook.data import digits
from dlbook.initialization import draw as draw_layers
from dlbook.mlp import Layer, forward, relu
from dlbook.regularization import (
    batch_norm,
    batch_norm_at_test,
    draw_mask,
    dropout,
    layer_norm,
    stop_early,
    update_running,
    warp,
)
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = range(10)
SHARES = (0, 10, 20, 30, 40)  # of the training labels that are wrong, in %
TRAINING, VALIDATION = 200, 200  # the other 1397 digits are the test
WIDTHS = (64, 128, 128, 10)
EPOCHS, BATCH, ETA, MOMENTUM = 60, 20, 0.05, 0.9
MASKS = 100
STOPPED_ETA, STOPPED_EPOCHS = 0.1, 100  # of the training by hand, without momentum


class Method(NamedTuple):
    """What is done against overfitting; nothing by itself.

    Attributes:
        decay: lambda of the penalty on the weights, whose slope goes through the momentum.
        drop: the probability that a hidden unit is dropped.
        images: what is done to a batch of images, with a generator.
        norm: "batch" or "layer", in front of each rectifier; empty for none.
        falling: whether the step size falls linearly to 0, or stays.
    """

    decay: float = 0
    drop: float = 0
    images: Callable[[Tensor, Generator], Tensor] = lambda x, _: x
    norm: str = ""
    falling: bool = True


def moved_a_little(x: Tensor, generator: Generator) -> Tensor:
    """Warp digits so little that they keep their meaning.

    Args:
        x: (n, 64) floats, digits of 8 by 8 pixels.
        generator: draws, on the CPU, turns within 0.2 rad, scales within 10 %, and shifts
            within a pixel.

    Returns:
        (n, 64) floats.
    """
    uniform = 2 * torch.rand(len(x), 4, generator=generator, dtype=x.dtype) - 1
    turns, scales, right, down = uniform.to(x.device).unbind(dim=1)
    images = x.view(-1, 1, 8, 8)
    shifts = torch.stack([right, down], dim=1)
    return warp(images, 0.2 * turns, 1 + 0.1 * scales, shifts).flatten(1)


METHODS = {
    "plain": Method(),
    "decay": Method(decay=0.03),
    "dropout": Method(drop=0.5),
    "augmentation": Method(images=moved_a_little),
    "batch_norm": Method(norm="batch"),
    "layer_norm": Method(norm="layer"),
}
COMPARED = ("stopping", *list(METHODS)[1:])  # with plain, on the same digits


class Split(NamedTuple):
    """Images and labels of each seed: to train, to validate, to test.

    Attributes:
        x: (seeds, n, 64) floats for each of the three.
        labels: (seeds, n) int64 for each of the three.
    """

    x: tuple[Tensor, ...]
    labels: tuple[Tensor, ...]


class Networks(NamedTuple):
    """One network for each seed, side by side: layers of weights (seeds, out, in).

    Attributes:
        weights: one tensor for each layer.
        biases: (seeds, out), one for each layer.
        norms: (scale, shift) of each hidden layer, both (seeds, units).
        running: (mean, variance) of each hidden layer, shaped alike; changed by training.
    """

    weights: list[Tensor]
    biases: list[Tensor]
    norms: list[tuple[Tensor, Tensor]]
    running: list[tuple[Tensor, Tensor]]


def quick(device: torch.device) -> Findings:
    """Forget `eval` behind batch normalization; stop one training early."""
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    seeds = range(5)
    x = images.flatten(1).expand(len(seeds), -1, -1)
    method, widths = METHODS["batch_norm"], (64, 64, 64, 10)
    networks = draw(widths, seeds, device)
    train(networks, x, labels.expand(len(seeds), -1), method, epochs=5, batch=50)
    order = test_labels.argsort(stable=True)
    mixed = torch.randperm(len(order), generator=Generator().manual_seed(0)).to(device)
    found = {"eval": at_test(networks, test_images.flatten(1), "batch")}
    targets = {"eval": test_labels}
    for name, chosen in (("sorted", order), ("mixed", mixed)):
        batches = test_images.flatten(1)[chosen].split(50)
        with torch.no_grad():
            parts = [
                scores_of(networks, b.expand(len(seeds), -1, -1), method) for b in batches
            ]
        found[name], targets[name] = torch.cat(parts, dim=1), test_labels[chosen]
    claims = {}
    for name, scores in found.items():
        errors = missed(scores, targets[name].expand(len(seeds), -1))
        claims |= spread_of(f"mode_{name}", errors, tolerance=3.0)
    claims |= stopped(device)
    return Findings(claims, {"digits": digits.checksum()})


def stopped(device: torch.device) -> dict[str, Claim]:
    """Train one network on 200 digits, every fifth of them with a wrong label."""
    data = split(20, range(1), device)
    (x, known, _), (labels, right, _) = (
        [part[0] for part in parts] for parts in (data.x, data.labels)
    )
    generator = Generator().manual_seed(0)
    start = draw_layers([*WIDTHS], math.sqrt(2), generator, x.dtype)
    layers = [(w.to(device), b.to(device)) for w, b in start]
    fitted, errors = [], []

    def loss_of_validation(layers: list[Layer]) -> float:
        fitted.append(cross_entropy(forward(x, layers, relu), labels).item())
        scores = forward(known, layers, relu)
        errors.append((100 * (scores.argmax(dim=1) != right)).double().mean().item())
        return cross_entropy(scores, right).item()

    _, losses = stop_early(
        layers,
        lambda layers: train_epoch(layers, x, labels, STOPPED_ETA, BATCH, generator),
        loss_of_validation,
        patience=STOPPED_EPOCHS,
        epochs=STOPPED_EPOCHS,
    )
    best = losses.index(min(losses))
    return {
        "stop_training": Claim(fitted, "nats", tolerance=0.3),
        "stop_validation": Claim(losses, "nats", tolerance=0.5),
        "stop_best_epoch": Claim(best + 1.0, tolerance=5.0),
        "stop_best_loss": Claim(losses[best], "nats", tolerance=0.3),
        "stop_last_loss": Claim(losses[-1], "nats", tolerance=0.5),
        "stop_best_error": Claim(errors[best], "%", tolerance=6.0),
        "stop_last_error": Claim(errors[-1], "%", tolerance=6.0),
    }


def noise(device: torch.device) -> Findings:
    """Compare seven ways to train on 200 digits, with up to 40 % of their labels wrong."""
    claims = {}
    for share in tqdm(SHARES, desc="shares of wrong labels"):
        data = split(share, SEEDS, device)
        errors = {}
        for name, method in METHODS.items():
            networks = draw(WIDTHS, SEEDS, device)
            best = train(networks, data.x[0], data.labels[0], method, data=data)
            errors[name] = test_errors(networks, data, method)
            fitted = at_test(networks, data.x[0], method.norm)
            claims[f"fitted_{name}_{share}"] = over_seeds(
                missed(fitted, data.labels[0]), "%", tolerance=5.0
            )
            if name == "plain":
                errors["stopping"] = test_errors(best, data, method)
        for name, values in errors.items():
            claims |= spread_of(f"error_{name}_{share}", values, tolerance=5.0)
            claims[f"seeds_{name}_{share}"] = Claim(values, "%", tolerance=15.0)
        for name in COMPARED:
            claims |= paired(f"{name}_{share}", errors["plain"], errors[name])
    return Findings(claims, {"digits": digits.checksum()})


def masks(device: torch.device) -> Findings:
    """Is the network without masks the mean of the networks with them?"""
    data, method = split(20, SEEDS, device), METHODS["dropout"]
    networks = draw(WIDTHS, SEEDS, device)
    train(networks, data.x[0], data.labels[0], method)
    generator = Generator().manual_seed(1)
    without = at_test(networks, data.x[2], method.norm).softmax(dim=2)
    mean = torch.zeros_like(without)
    with torch.no_grad():
        for _ in tqdm(range(MASKS), desc="masks"):
            one = scores_of(networks, data.x[2], method, generator).softmax(dim=2)
            mean += one / MASKS
    apart = (mean - without).abs().amax(dim=2).mean(dim=1)
    claims = {"masks_apart": over_seeds(apart.tolist(), tolerance=0.1)}
    for name, shares in (("one", one), ("mean", mean), ("without", without)):
        claims |= spread_of(
            f"masks_{name}", missed(shares, data.labels[2]), tolerance=5.0
        )
    return Findings(claims, {"digits": digits.checksum()})


def constant(device: torch.device) -> Findings:
    """Judge augmentation at steps that do not fall."""
    data, claims = split(0, SEEDS, device), {}
    errors = {}
    for name in tqdm(("plain", "augmentation"), desc="methods"):
        method = METHODS[name]._replace(falling=False)
        networks = draw(WIDTHS, SEEDS, device)
        train(networks, data.x[0], data.labels[0], method)
        errors[name] = test_errors(networks, data, method)
        claims |= spread_of(f"constant_{name}", errors[name], tolerance=8.0)
    claims |= paired("augmentation_constant", errors["plain"], errors["augmentation"])
    return Findings(claims, {"digits": digits.checksum()})


def split(share: int, seeds: range, device: torch.device) -> Split:
    """Draw for each seed which digits train, validate and test, and which labels are wrong.

    Args:
        share: how many in a hundred of the training labels are replaced by another class.
        seeds: one draw for each.
        device: where the images are to be.

    Returns:
        the images and labels of all seeds.
    """
    images, labels, test_images, test_labels = digits.load()
    x = torch.cat([images, test_images]).flatten(1)
    y = torch.cat([labels, test_labels])
    parts = []
    for seed in seeds:
        generator = Generator().manual_seed(seed)
        order = torch.randperm(len(x), generator=generator)
        other = torch.randint(1, 10, (TRAINING,), generator=generator)
        chosen = order.split([TRAINING, VALIDATION, len(x) - TRAINING - VALIDATION])
        drawn = [y[part].clone() for part in chosen]
        wrong = TRAINING * share // 100
        drawn[0][:wrong] = (drawn[0][:wrong] + other[:wrong]) % 10
        parts.append(([x[part] for part in chosen], drawn))
    xs, ys = zip(*parts, strict=True)
    return Split(
        tuple(torch.stack(part).to(device) for part in zip(*xs, strict=True)),
        tuple(torch.stack(part).to(device) for part in zip(*ys, strict=True)),
    )


def draw(widths: tuple[int, ...], seeds: range, device: torch.device) -> Networks:
    """Draw one network for each seed, with the gain of rectifiers and biases of 0."""
    weights: list[list[Tensor]] = []
    for seed in seeds:
        generator, own = Generator().manual_seed(1000 + seed), []
        for inputs, outputs in pairwise(widths):
            gain = 1 if outputs == widths[-1] else 2
            drawn = torch.randn(outputs, inputs, generator=generator)
            own.append(drawn * math.sqrt(gain / inputs))
        weights.append(own)
    stacked = [torch.stack(same).to(device) for same in zip(*weights, strict=True)]
    zeros = [torch.zeros_like(w[:, :, 0]) for w in stacked]
    ones = [torch.ones_like(b) for b in zeros]
    hidden = range(len(stacked) - 1)
    networks = Networks(
        stacked,
        zeros,
        [(ones[i].clone(), zeros[i].clone()) for i in hidden],
        [(zeros[i].clone(), ones[i].clone()) for i in hidden],
    )
    for parameter in parameters_of(networks):
        parameter.requires_grad_()
    return networks


def parameters_of(networks: Networks) -> list[Tensor]:
    """List what descent moves: weights first, then biases, then norms."""
    norms = [part for pair in networks.norms for part in pair]
    return [*networks.weights, *networks.biases, *norms]


def scores_of(
    networks: Networks, x: Tensor, method: Method, generator: Generator | None = None
) -> Tensor:
    """Give the scores in training mode: norms of this batch, and masks if there is a generator.

    Args:
        networks: one for each seed.
        x: (seeds, n, inputs) floats.
        method: says which norm and which dropout.
        generator: draws the masks; none are drawn without one.

    Returns:
        (seeds, n, classes) floats.
    """
    for index, (w, b) in enumerate(zip(networks.weights, networks.biases, strict=True)):
        s = torch.baddbmm(b[:, None], x, w.mT)
        if index == len(networks.norms):
            return s
        if method.norm == "batch":
            norm, known = networks.norms[index], networks.running[index]
            s, learned = batch_normed(s, *norm, *known)
            if torch.is_grad_enabled():
                networks.running[index] = learned
        elif method.norm == "layer":
            s = _layer_normed(s, *networks.norms[index])
        x = s.relu()
        if method.drop and generator is not None:
            x = dropout(x, draw_mask(x, method.drop, generator), method.drop)
    raise AssertionError("the last layer returns")


def at_test(networks: Networks, x: Tensor, norm: str) -> Tensor:
    """Give the scores in evaluation mode: running statistics, no masks.

    Args:
        networks: one for each seed.
        x: (n, inputs) or (seeds, n, inputs) floats.
        norm: as in `Method`.

    Returns:
        (seeds, n, classes) floats.
    """
    with torch.no_grad():
        x = x.expand(len(networks.weights[0]), *x.shape[-2:])
        for index, (w, b) in enumerate(
            zip(networks.weights, networks.biases, strict=True)
        ):
            s = torch.baddbmm(b[:, None], x, w.mT)
            if index < len(networks.norms):
                if norm == "batch":
                    known = networks.running[index]
                    s = batch_normed_at_test(s, *networks.norms[index], *known)
                elif norm == "layer":
                    s = _layer_normed(s, *networks.norms[index])
                x = s.relu()
    return s


def train(
    networks: Networks,
    x: Tensor,
    labels: Tensor,
    method: Method,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    data: Split | None = None,
) -> Networks:
    """Train all networks side by side, each on its own images in its own order.

    Args:
        networks: one for each seed; changed.
        x: (seeds, n, inputs) floats.
        labels: (seeds, n) int64.
        method: what is done against overfitting.
        epochs: how often each image is seen.
        batch: how many images share a step.
        data: where it is given, its validation images choose the best epoch of each seed.

    Returns:
        the networks as they were after their best epochs, or at the end without `data`.
    """
    parameters = parameters_of(networks)
    velocities = [torch.zeros_like(p) for p in parameters]
    orders, draws = Generator().manual_seed(0), Generator().manual_seed(1)
    seeds = torch.arange(len(x), device=x.device)[:, None]
    steps, done = epochs * math.ceil(x.shape[1] / batch), 0
    best, least = networks, torch.full((len(x),), math.inf, device=x.device)
    for _ in tqdm(range(epochs), desc="epochs", leave=False):
        order = torch.rand(x.shape[:2], generator=orders).argsort(dim=1).to(x.device)
        for chosen in order.split(batch, dim=1):
            eta = ETA * (1 - done / steps if method.falling else 1)
            images = method.images(x[seeds, chosen].flatten(0, 1), draws)
            scores = scores_of(networks, images.unflatten(0, chosen.shape), method, draws)
            loss = cross_entropy(scores.flatten(0, 1), labels[seeds, chosen].flatten())
            slopes = torch.autograd.grad(
                len(x) * loss, parameters, allow_unused=True, materialize_grads=True
            )  # the mean over a batch, of each network
            with torch.no_grad():
                for w, slope in zip(networks.weights, slopes, strict=False):
                    slope.add_(w, alpha=method.decay)  # biases and norms do not decay
                for p, v, slope in zip(parameters, velocities, slopes, strict=True):
                    p.sub_(v.mul_(MOMENTUM).add_(slope), alpha=eta)
            done += 1
        if data is not None:
            best, least = _better(best, least, networks, data, method)
    return best


def batch_normed(
    s: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Normalize the units of many networks side by side, each over its own batch.

    Args:
        s: (seeds, n, units) floats.
        scale: (seeds, units) floats, and so are shift and the running mean and variance.
        shift: of each unit.
        mean: of each unit, as known so far.
        variance: of each unit, as known so far.

    Returns:
        (seeds, n, units) floats, and the new running mean and variance.
    """
    features = s.transpose(0, 1).flatten(1)  # each unit of each network is a feature
    with torch.no_grad():
        learned = update_running(mean.flatten(), variance.flatten(), features)
    out = batch_norm(features, scale.flatten(), shift.flatten())
    new_mean, new_variance = (part.view_as(mean) for part in learned)
    return out.unflatten(1, scale.shape).transpose(0, 1), (new_mean, new_variance)


def batch_normed_at_test(
    s: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Tensor:
    """Normalize as `batch_normed`, with what is known from training."""
    features = s.transpose(0, 1).flatten(1)
    known = (part.flatten() for part in (mean, variance, scale, shift))
    out = batch_norm_at_test(features, *known)
    return out.unflatten(1, scale.shape).transpose(0, 1)


def test_errors(networks: Networks, data: Split, method: Method) -> list[float]:
    """Give the share of the test digits that each network misreads, in percent."""
    return missed(at_test(networks, data.x[2], method.norm), data.labels[2])


def missed(scores: Tensor, labels: Tensor) -> list[float]:
    """Give the share of wrong answers of each network, in percent.

    Args:
        scores: (seeds, n, classes) floats.
        labels: (seeds, n) int64.

    Returns:
        one number for each seed.
    """
    return (100 * (scores.argmax(dim=2) != labels).double().mean(dim=1)).tolist()


def spread_of(name: str, values: list[float], tolerance: float) -> dict[str, Claim]:
    """Make claims of the median, the least and the largest of some errors in percent."""
    return {
        name: over_seeds(values, "%", tolerance),
        f"least_{name}": Claim(min(values), "%", tolerance=2 * tolerance),
        f"largest_{name}": Claim(max(values), "%", tolerance=2 * tolerance),
    }


def paired(name: str, plain: list[float], other: list[float]) -> dict[str, Claim]:
    """Make claims of what a method changes, seed by seed, and in how many it is better."""
    changes = [b - a for a, b in zip(plain, other, strict=True)]
    better = [change < 0 for change in changes]
    return {
        f"change_{name}": Claim(median(changes), "points", tolerance=5.0),
        f"least_change_{name}": Claim(min(changes), "points", tolerance=10.0),
        f"largest_change_{name}": Claim(max(changes), "points", tolerance=10.0),
        f"better_{name}": Claim(float(sum(better)), tolerance=5.0),
        f"better_of_five_{name}": Claim(float(sum(better[:5])), tolerance=5.0),
    }


def _layer_normed(s: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    ones = torch.ones_like(scale[0])
    return scale[:, None] * layer_norm(s, ones, 0 * ones) + shift[:, None]


def _better(
    best: Networks, least: Tensor, networks: Networks, data: Split, method: Method
) -> tuple[Networks, Tensor]:
    """Keep of each seed the network with the least validation loss so far."""
    scores = at_test(networks, data.x[1], method.norm)
    each = cross_entropy(scores.mT, data.labels[1], reduction="none").mean(dim=1)
    improved = each < least
    copies = [
        [_chosen(improved, new, old) for new, old in zip(news, olds, strict=True)]
        for news, olds in zip(
            (networks.weights, networks.biases), (best.weights, best.biases), strict=True
        )
    ]
    kept = best._replace(weights=copies[0], biases=copies[1])
    return kept, torch.where(improved, each, least)


def _chosen(improved: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(improved.view(-1, *[1] * (new.ndim - 1)), new, old).detach()
