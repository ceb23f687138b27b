"""Numbers of the chapter on initialization."""

import math
import statistics

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from dlbook.data import digits
from dlbook.initialization import (
    draw,
    effective_rank,
    mean_square_map,
    mean_squares,
    mirror,
    orthogonal,
    rescale,
    variances_over_inputs,
)
from dlbook.mlp import Layer, draw_layers, relu, tanh
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = range(15)  # of every training; the medians of five still move by 20 points
DEPTH, WIDTH = 20, 64  # hidden layers of the networks that are trained, and their units
SQUARES = (
    0.5,
    1.0,
    1.5,
    1.75,
    2.0,
    2.25,
    2.5,
    3.0,
    4.0,
)  # g**2, the frames of the slider
DEPTHS = (5, 10, 20, 30, 50)
SHOWN = (0, 1, 5, 10, 20, 30)  # layers whose signal is told
BATCH, EPOCHS, POINTS = 50, 10, 10  # a point of a curve is the mean of so many steps


def quick(device: torch.device) -> Findings:
    """Measure signals before any training: the default start, scatter, tanh, ranks."""
    images = digits.load()[0].flatten(1).double().to(device)
    x = (images - images.mean()) / images.std()
    library = moved(draw_layers([64] + [100] * 30, 0, torch.float64), device)
    right = moved(drawn([64] + [100] * 30, 2.0, 0, torch.float64), device)
    claims = {}
    for name, layers in (("default", library), ("right", right)):
        sizes = mean_squares(x, layers, relu)
        shares = variances_over_inputs(x, layers, relu) / sizes
        claims[f"{name}_sizes"] = Claim(sizes[list(SHOWN)].tolist(), tolerance=1e-9)
        claims[f"{name}_shares"] = Claim(shares[list(SHOWN)].tolist(), tolerance=1e-9)
    claims |= scattered((25, 100), draws=100, device=device)
    claims |= squashed(device)
    claims["ranks_gaussian"] = Claim(_ranks(device), tolerance=1e-6)
    return Findings(claims, {"digits": digits.checksum()})


def window(device: torch.device) -> Findings:
    """Train 20 layers from nine gains and from the library's default, fifteen seeds each."""
    starts = [_to_scores(g2, seed, DEPTH) for g2 in SQUARES for seed in SEEDS]
    starts += [draw_layers([64, *[WIDTH] * DEPTH, 10], seed) for seed in SEEDS]
    losses, errors = train(starts, device)
    claims = {}
    names = [*(f"{g2:g}" for g2 in SQUARES), "default"]
    for name, curves, missed in zip(
        names, losses.split(len(SEEDS)), errors.split(len(SEEDS)), strict=True
    ):
        key = name.replace(".", "_")
        claims[f"error_{key}"] = over_seeds(missed.tolist(), "%", tolerance=15.0)
        claims[f"least_error_{key}"] = Claim(missed.min().item(), "%", tolerance=15.0)
        claims[f"largest_error_{key}"] = Claim(missed.max().item(), "%", tolerance=15.0)
        diverged = curves[:, -1].isnan().sum().item()
        claims[f"diverged_{key}"] = Claim(float(diverged), tolerance=1.0)
        middle = curves.nan_to_num(nan=math.inf).median(dim=0).values
        known = [loss for loss in middle.tolist() if loss < 10]
        claims[f"curve_{key}"] = Claim(known, "nats", tolerance=0.6)
    return Findings(claims, {"digits": digits.checksum()})


def remedies(device: torch.device) -> Findings:
    """Train ever deeper networks from five starts: does a more even start help?"""
    claims = {}
    for depth in tqdm(DEPTHS, desc="depths"):
        kinds = {
            "default": [draw_layers([64, *[WIDTH] * depth, 10], seed) for seed in SEEDS],
            "gaussian": [_to_scores(2.0, seed, depth) for seed in SEEDS],
            "rescaled": [_rescaled(seed, depth) for seed in SEEDS],
            "orthogonal": [_rotated(seed, depth) for seed in SEEDS],
            "mirrored": [_mirrored(seed, depth) for seed in SEEDS],
        }
        _, errors = train([n for kind in kinds.values() for n in kind], device)
        for kind, missed in zip(kinds, errors.split(len(SEEDS)), strict=True):
            name = f"depth_{depth}_{kind}"
            claims[name] = over_seeds(missed.tolist(), "%", tolerance=15.0)
            claims[f"least_{name}"] = Claim(missed.min().item(), "%", tolerance=20.0)
            claims[f"largest_{name}"] = Claim(missed.max().item(), "%", tolerance=20.0)
    wide = [drawn([64, *[2 * WIDTH] * DEPTH], 2.0, seed) for seed in SEEDS]
    wide = [
        n + drawn([2 * WIDTH, 10], 1.0, seed) for n, seed in zip(wide, SEEDS, strict=True)
    ]
    _, errors = train(wide, device)
    claims["twice_as_wide"] = over_seeds(errors.tolist(), "%", tolerance=15.0)
    return Findings(claims, {"digits": digits.checksum()})


def scatter(device: torch.device) -> Findings:
    """Draw 400 stacks of 30 layers for each of three widths."""
    found = scattered((25, 100, 400), draws=400, device=device)
    return Findings({f"{name}_of_400": claim for name, claim in found.items()})


def drawn(
    widths: list[int], square: float, seed: int, dtype: torch.dtype = torch.float32
) -> list[Layer]:
    """Draw layers of a gain that is given by its square."""
    return draw(widths, math.sqrt(square), Generator().manual_seed(seed), dtype)


def moved(layers: list[Layer], device: torch.device) -> list[Layer]:
    """Bring layers to a device."""
    return [(w.to(device), b.to(device)) for w, b in layers]


def scattered(
    widths: tuple[int, ...], draws: int, device: torch.device
) -> dict[str, Claim]:
    """Find how the mean square behind 30 rectifier layers of gain root 2 scatters."""
    claims = {}
    for n in tqdm(widths, desc="widths", leave=False):
        generator, sizes = Generator().manual_seed(0), []
        for _ in range(draws):
            x = torch.ones(1, n, dtype=torch.float64, device=device)
            layers = draw([n] * 31, math.sqrt(2), generator, torch.float64)
            sizes.append(mean_squares(x, moved(layers, device), relu)[-1].item())
        claims[f"scatter_{n}"] = over_seeds(sizes, tolerance=1e-9)
        claims[f"scatter_mean_{n}"] = Claim(statistics.mean(sizes), tolerance=1e-9)
        claims[f"scatter_least_{n}"] = Claim(min(sizes), tolerance=1e-9)
        claims[f"scatter_largest_{n}"] = Claim(max(sizes), tolerance=1e-9)
    return claims


def squashed(device: torch.device) -> dict[str, Claim]:
    """Compare stacks of tanh, 200 units wide, with what the map of mean squares predicts."""
    claims = {}
    for name, gain in (("1", 1.0), ("5_3", 5 / 3), ("2", 2.0)):
        q, predicted = torch.ones((), dtype=torch.float64), []
        for _ in range(30):
            q = mean_square_map(q, gain, tanh)
            predicted.append(q.item())
        sizes = []
        for seed in range(5):
            layers = draw([200] * 31, gain, Generator().manual_seed(seed), torch.float64)
            x = torch.ones(1, 200, dtype=torch.float64, device=device)
            sizes.append(mean_squares(x, moved(layers, device), tanh))
        told = torch.stack(sizes).mean(dim=0)[list(SHOWN[1:])].tolist()
        claims[f"tanh_measured_{name}"] = Claim(told, tolerance=1e-6)
        told = [predicted[layer - 1] for layer in SHOWN[1:]]
        claims[f"tanh_predicted_{name}"] = Claim(told, tolerance=1e-9)
    return claims


def train(networks: list[list[Layer]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Train networks of one shape side by side on the digits, each as if it were alone.

    Ten epochs of batches of 50, step size 0.01 with momentum 0.9, all in one order. A
    network that diverges harms no other.

    Returns:
        (networks, points) the losses, each the mean of ten steps, in nats, NaN once one
        diverged; and (networks,) the training errors in %, where no answer is a mistake.
    """
    images, labels, _, _ = (part.to(device) for part in digits.load())
    x = images.flatten(1)
    parameters = [
        torch.stack(same).to(device).requires_grad_()
        for same in zip(*[[v for pair in n for v in pair] for n in networks], strict=True)
    ]
    velocities = [torch.zeros_like(p) for p in parameters]
    generator, losses = Generator().manual_seed(0), []
    for _ in tqdm(range(EPOCHS), desc="epochs", leave=False):
        for chosen in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = _losses(parameters, x[chosen], labels[chosen])
            gradients = torch.autograd.grad(loss.sum(), parameters)
            with torch.no_grad():
                for p, v, slope in zip(parameters, velocities, gradients, strict=True):
                    p.sub_(v.mul_(0.9).add_(slope), alpha=0.01)
            losses.append(loss.detach())
    with torch.no_grad():
        scores = _scores(parameters, x)
    missed = (scores.argmax(dim=2) != labels) | ~scores.isfinite().all(dim=2)
    curves = torch.stack(losses, dim=1)
    whole = curves.shape[1] // POINTS * POINTS
    points = curves[:, :whole].unflatten(1, (-1, POINTS)).mean(dim=2)
    return points.cpu(), 100 * missed.double().mean(dim=1).cpu()


def _scores(parameters: list[Tensor], x: Tensor) -> Tensor:
    signal = x.expand(len(parameters[0]), -1, -1)
    for index in range(0, len(parameters), 2):
        signal = signal.relu() if index else signal
        weight, bias = parameters[index : index + 2]
        signal = torch.baddbmm(bias[:, None], signal, weight.mT)
    return signal


def _losses(parameters: list[Tensor], x: Tensor, labels: Tensor) -> Tensor:
    scores = _scores(parameters, x)
    each = cross_entropy(
        scores.flatten(0, 1), labels.repeat(len(scores)), reduction="none"
    )
    return each.view(len(scores), -1).mean(dim=1)


def _to_scores(square: float, seed: int, depth: int) -> list[Layer]:
    """Draw hidden layers of a gain, and ten scores of gain 1."""
    hidden = drawn([64, *[WIDTH] * depth], square, seed)
    return hidden + drawn([WIDTH, 10], 1.0, 100 + seed)


def _rescaled(seed: int, depth: int) -> list[Layer]:
    x = digits.load()[0].flatten(1)[:200]
    *hidden, last = _to_scores(2.0, seed, depth)
    return [*rescale(x, hidden, relu), last]


def _rotated(seed: int, depth: int) -> list[Layer]:
    generator = Generator().manual_seed(seed)
    last = _to_scores(2.0, seed, depth)[-1]
    hidden = []
    for _ in range(depth):
        weight = math.sqrt(2) * orthogonal(WIDTH, generator, torch.float32)
        hidden.append((weight, torch.zeros(WIDTH)))
    return [*hidden, last]


def _mirrored(seed: int, depth: int) -> list[Layer]:
    """Draw a linear stack of rotations with half the units, and double it."""
    generator, zeros = Generator().manual_seed(seed), torch.zeros(WIDTH // 2)
    first = math.sqrt(2) * orthogonal(64, generator, torch.float32)[: WIDTH // 2]
    turns = [orthogonal(WIDTH // 2, generator, torch.float32) for _ in range(depth - 1)]
    last = draw([WIDTH // 2, 10], 1.0, generator, torch.float32)
    return mirror([*((weight, zeros) for weight in (first, *turns)), *last])


def _ranks(device: torch.device) -> list[float]:
    """Give the effective rank of a product of 1, 5, 10, 30 and 100 Gaussian matrices."""
    generator, ranks = Generator().manual_seed(0), []
    product = torch.eye(50, dtype=torch.float64, device=device)
    for factors in range(1, 101):
        ((weight, _),) = draw([50, 50], 1.0, generator, torch.float64)
        product = weight.to(device) @ product
        product = product / product.norm()  # the rank does not see it, the exponent does
        if factors in (1, 5, 10, 30, 100):
            ranks.append(effective_rank(product))
    return ranks
