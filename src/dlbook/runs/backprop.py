"""Numbers of the chapter on back-propagation."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from tqdm import tqdm

from dlbook.backprop import (
    backward,
    cross_entropy,
    cross_entropy_gradient,
    error_rate,
    finite_differences,
    step,
    trace,
    train_epoch,
)
from dlbook.data import digits, mnist
from dlbook.mlp import Layer, draw_layers, forward, relu, relu_derivative
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = range(5)
DEPTHS = (1, 2, 3, 4, 6, 8)  # of the networks whose ways are timed
WIDTH, BATCH = 512, 256  # of each of their layers
MNIST_SEEDS = range(3)


def quick(device: torch.device) -> Findings:
    """Train on the small digits with a right and a wrong way back; compare gradients."""
    images, labels, test_images, test_labels = _digits(device)
    curves, missing_slope = [], []
    for seed in SEEDS:
        layers = draw_layers([64, 32, 10], seed, torch.float64)
        wrong = draw_layers([64, 32, 10], seed, torch.float64)
        generator = torch.Generator().manual_seed(seed)
        curve = []
        for _ in range(30):
            train_epoch(layers, images, labels, 0.5, 100, generator)
            curve.append(100 * error_rate(layers, test_images, test_labels))
        curves.append(curve)
        _train_without_slope(wrong, images, labels, seed)
        missing_slope.append(100 * error_rate(wrong, test_images, test_labels))
    by_hand, difference, from_autograd = _compare(images[:20], labels[:20])
    return Findings(
        {
            "digits_error": over_seeds(
                [curve[-1] for curve in curves], "%", tolerance=0.6
            ),
            "digits_curve": Claim(curves[0], "%", tolerance=0.6),
            "digits_error_without_slope": over_seeds(missing_slope, "%", tolerance=0.6),
            "gradients": Claim(by_hand),
            "against_autograd": Claim(from_autograd, tolerance=1e-12),
            "against_differences": Claim(difference, tolerance=1e-8),
        },
        {"digits": digits.checksum()},
    )


def timing(device: torch.device) -> Findings:
    """Time the way back against the way forward.

    How a whole step fares against the library's is measured in `benchmarks/backprop.py`.
    """
    ratios = [
        _backward_over_forward([WIDTH] * (depth + 1), BATCH, device) for depth in DEPTHS
    ]
    return Findings(
        {
            "measured_ratio": Claim(ratios, tolerance=1.0),
            "measured_ratio_mnist": Claim(
                _backward_over_forward([784, 200, 10], 100, device), tolerance=1.0
            ),
        }
    )


def mnist_by_hand(device: torch.device) -> Findings:
    """Train 784-200-10 on MNIST for ten epochs by hand, with three seeds."""
    images, labels, test_images, test_labels = (part.to(device) for part in mnist.load())
    images, test_images = (part.flatten(1) / 255 for part in (images, test_images))
    first, last, seconds = [], [], []
    for seed in MNIST_SEEDS:
        layers = [
            (w.to(device), b.to(device)) for w, b in draw_layers([784, 200, 10], seed)
        ]
        generator = torch.Generator().manual_seed(seed)
        for epoch in tqdm(range(10), f"seed {seed}", leave=False):
            started = time.perf_counter()
            train_epoch(layers, images, labels, 0.1, 100, generator)
            error = 100 * error_rate(layers, test_images, test_labels)
            seconds.append(time.perf_counter() - started)
            if epoch == 0:
                first.append(error)
        last.append(error)
    return Findings(
        {
            "mnist_error_first_epoch": over_seeds(first, "%", tolerance=0.3),
            "mnist_error_first_seed": Claim(first[0], "%", tolerance=0.3),
            "mnist_error": over_seeds(last, "%", tolerance=0.3),
            "mnist_epoch": Claim(statistics.median(seconds), "s", tolerance=60.0),
        },
        {"mnist": mnist.checksum()},
    )


def _digits(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    return (
        images.flatten(1).double(),
        labels,
        test_images.flatten(1).double(),
        test_labels,
    )


def _train_without_slope(
    layers: list[Layer], x: Tensor, labels: Tensor, seed: int
) -> None:
    """Train as `train_epoch` does, with the slope of the rectifier forgotten."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(30):
        for chosen in torch.randperm(len(x), generator=generator).split(100):
            entered, sums = trace(x[chosen], layers, relu)
            along_scores = cross_entropy_gradient(sums[-1], labels[chosen])
            step(
                layers,
                backward(layers, entered, sums, along_scores, torch.ones_like),
                0.5,
            )


def _compare(x: Tensor, labels: Tensor) -> tuple[list[float], float, float]:
    """Compare the gradients by hand with finite differences and with autograd."""
    layers = draw_layers([64, 8, 10], 0, torch.float64)
    entered, sums = trace(x, layers, relu)
    along_scores = cross_entropy_gradient(sums[-1], labels)
    hand = backward(layers, entered, sums, along_scores, relu_derivative)
    parameters = [parameter for pair in layers for parameter in pair]
    by_hand = [slope for pair in hand for slope in pair]
    measured = [
        finite_differences(
            lambda: cross_entropy(forward(x, layers, relu), labels), p, 1e-5
        )
        for p in parameters
    ]
    for parameter in parameters:
        parameter.requires_grad_()
    loss = cross_entropy(forward(x, layers, relu), labels)
    automatic = torch.autograd.grad(loss, parameters)
    return (
        [slope.norm().item() for slope in by_hand],
        _largest_difference(by_hand, measured),
        _largest_difference(by_hand, automatic),
    )


def _largest_difference(one: list[Tensor], other: list[Tensor]) -> float:
    return max((a - b).abs().max().item() for a, b in zip(one, other, strict=True))


def _backward_over_forward(widths: list[int], n: int, device: torch.device) -> float:
    layers = [(w.to(device), b.to(device)) for w, b in draw_layers(widths, 0)]
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(n, widths[0], generator=generator).to(device)
    labels = torch.randint(widths[-1], (n,), generator=generator).to(device)
    entered, sums = trace(x, layers, relu)
    along_scores = cross_entropy_gradient(sums[-1], labels)
    there, back = _medians(
        [
            lambda: trace(x, layers, relu),
            lambda: backward(layers, entered, sums, along_scores, relu_derivative),
        ],
        device,
    )
    return back / there


def _medians(functions: list[Callable[[], object]], device: torch.device) -> list[float]:
    """Time functions in turn, so that other work of the machine slows all of them.

    Each turn is ten calls, as in training, where a step finds its own data in the cache.
    """
    seconds = [[] for _ in functions]
    for turn in range(22):
        for function, kept in zip(functions, seconds, strict=True):
            started = time.perf_counter()
            for _ in range(10):
                function()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn >= 2:  # the first calls warm up
                kept.append((time.perf_counter() - started) / 10)
    return [statistics.median(kept) for kept in seconds]
