"""What the chapter on convolution measures."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import conv2d, pad

from dlbook.cnn import (
    Recipe,
    begin,
    draw_parameters,
    error_rate,
    standardize,
    train_epoch,
)
from dlbook.convolution import convolve, convolve_by_loops, max_pool, shift
from dlbook.data import digits
from dlbook.runs.cnn import wait
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = (0, 1, 2)
SHIFTS = (0, 1, 2)
FRAME = 6  # pixels of ground around a digit, so that no window is cut off by a shift


def quick(device: torch.device) -> Findings:
    """Measure what a shift does to maps, and to nets that never saw one.

    Args:
        device: where to compute; double precision, so that machines agree.

    Returns:
        how much maps change, and test errors on digits moved by 0, 1 and 2 pixels.
    """
    dense = [_errors(_dense_net(), seed, device) for seed in SEEDS]
    shared = [_errors(_shared_net(), seed, device) for seed in SEEDS]
    claims = _changes(device)
    for name, errors in (("dense", dense), ("shared", shared)):
        for moved, values in zip(SHIFTS, zip(*errors, strict=True), strict=True):
            claims[f"{name}_error_{moved}"] = over_seeds(list(values), "%", tolerance=1.5)
    return Findings(claims, {"digits": digits.checksum()})


def _dense_net() -> nn.Sequential:
    with torch.device("meta"):
        return nn.Sequential(
            nn.Flatten(), nn.Linear(400, 32), nn.ReLU(), nn.Linear(32, 10)
        )


def _shared_net() -> nn.Sequential:
    with torch.device("meta"):
        return nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=5),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 10),
        )


def _errors(layers: nn.Sequential, seed: int, device: torch.device) -> list[float]:
    """Train on digits in the middle of their frame, test on moved ones; in percent."""
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    images, test_images = (_framed(part) for part in (images, test_images))
    generator = Generator().manual_seed(seed)
    model = draw_parameters(layers, generator).to(device, torch.float64)
    training = begin(model, generator, Recipe(step=0.05, batch_size=20))
    for _ in range(5):
        train_epoch(training, standardize(images, images), labels)
    moved = [standardize(shift(test_images, by, by), images) for by in SHIFTS]
    return [100 * error_rate(model, inputs, test_labels) for inputs in moved]


def _framed(images: Tensor) -> Tensor:
    return pad(images.double(), (FRAME,) * 4)


def _changes(device: torch.device) -> dict[str, Claim]:
    """Compare maps before and after a shift of the image, in percent.

    They may move by any whole number of places first: what is left is what the law forbids.
    """
    images = _framed(digits.load()[2].to(device))[:, None]
    generator = Generator().manual_seed(0)
    kernels = torch.randn(8, 1, 3, 3, generator=generator, dtype=torch.float64).to(device)
    biases = torch.zeros(8, dtype=torch.float64, device=device)
    ways = {
        "plain": lambda maps: maps,
        "strided": lambda maps: maps[:, :, ::2, ::2],
        "pooled": lambda maps: max_pool(maps, 2),
    }
    claims = {}
    for name, way in ways.items():
        for by in SHIFTS[1:]:
            before, after = (
                way(convolve(part, kernels, biases))
                for part in (images, shift(images, 0, by))
            )
            left = min((shift(before, 0, n) - after).norm() for n in range(by + 1))
            claims[f"change_{name}_{by}"] = Claim(
                (100 * left / before.norm()).item(), "%"
            )
    return claims


def timing(device: torch.device) -> Findings:
    """Time three ways to convolve one image of 28 x 28 pixels with 8 kernels.

    Args:
        device: where to compute.

    Returns:
        milliseconds, medians of interleaved rounds.
    """
    generator = Generator().manual_seed(0)
    images = torch.randn(1, 1, 28, 28, generator=generator).to(device)
    kernels = torch.randn(8, 1, 5, 5, generator=generator).to(device)
    biases = torch.zeros(8, device=device)
    ways = {
        "loops": (lambda: convolve_by_loops(images[0], kernels, biases), 1),
        "product": (lambda: convolve(images, kernels, biases), 100),
        "library": (lambda: conv2d(images, kernels, biases), 100),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(7):
        for name, (compute, repeats) in ways.items():
            times[name].append(_milliseconds(compute, repeats, images))
    return Findings(
        {
            f"{name}_time": Claim(
                statistics.median(values),
                "ms",
                {"rounds": 7, "least": min(values), "largest": max(values)},
                tolerance=1e9,
            )
            for name, values in times.items()
        }
    )


def _milliseconds(compute: Callable[[], Tensor], repeats: int, images: Tensor) -> float:
    clock = time.perf_counter if images.is_cuda else time.process_time
    compute()
    wait(images.device)
    started = clock()
    for _ in range(repeats):
        compute()
    wait(images.device)
    return 1000 * (clock() - started) / repeats
