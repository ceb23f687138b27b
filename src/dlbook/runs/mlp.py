"""The numbers of the chapter on multi-layer perceptrons."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus
from tqdm import tqdm

from dlbook.data.toy import two_moons
from dlbook.gradient_descent import minimize
from dlbook.mlp import Layer, collapse, count_pieces, draw_layers, forward, tanh
from dlbook.runs.record import Claim, Findings, over_seeds

SHAPES = {  # 32 hidden units each
    "one_layer": [1, 32, 1],
    "two_layers": [1, 16, 16, 1],
    "four_layers": [1, 8, 8, 8, 8, 1],
    "eight_layers": [1, *[4] * 8, 1],
}
DRAWN = {  # the gain of weights and biases, and how far the path reaches
    "": (1.0, 3.0),
    "long_": (1.0, 30.0),
    "larger_": (math.sqrt(6), 3.0),
    "larger_long_": (math.sqrt(6), 30.0),
}
WIDTHS = (1, 2, 3, 4, 8, 16)


def quick(device: torch.device) -> Findings:
    """Collapse an affine stack; count the pieces of networks with random weights."""
    layers = [(w.to(device), b.to(device)) for w, b in draw_layers([4, 50, 50, 3], 0)]
    x = torch.randn(1000, 4, generator=torch.Generator().manual_seed(1)).to(device)
    weight, bias = collapse(layers)
    gap = (forward(x, layers, lambda s: s) - (x @ weight.T + bias)).abs().max().item()
    claims = {"collapse_gap": Claim(gap, tolerance=2e-6)}
    for name, widths in SHAPES.items():
        for prefix, (gain, reach) in DRAWN.items():
            counts = [path_pieces(widths, s, gain, reach) for s in range(20)]
            claims[f"{prefix}pieces_{name}"] = over_seeds(counts, tolerance=1)
    return Findings(claims)


def path_pieces(
    widths: list[int], seed: int, gain: float = 1.0, reach: float = 3.0
) -> float:
    """Count the straight pieces of a network with drawn weights, times a gain.

    The path goes from -reach to reach. A gain of the root of 6 gives the weights into a unit
    of d inputs the variance 2 / d, with which rectifiers keep the size of their input.
    """
    x = torch.linspace(-reach, reach, 20_001, dtype=torch.float64)[:, None]
    drawn = draw_layers(widths, seed, torch.float64)
    return float(count_pieces(x, [(gain * w, gain * b) for w, b in drawn]))


def moons(device: torch.device) -> Findings:
    """Train one hidden layer of tanh units on two moons, for several widths and seeds."""
    test_points, test_labels = two_moons(n=2000, noise=0.15, seed=99)
    claims, best, worst, stuck = {}, [], [], []
    for width in tqdm(WIDTHS, desc="widths"):
        errors = []
        for seed in range(10):
            layers = fit_moons(width, seed, device)
            scores = forward(test_points.double().to(device), layers, tanh).flatten()
            wrong = (scores.cpu() > 0).long() != test_labels
            errors.append(100 * wrong.double().mean().item())
        claims[f"error_width_{width}"] = over_seeds(errors, "%", tolerance=0.5)
        best.append(min(errors))
        worst.append(max(errors))
        stuck.append(float(sum(error > 5 for error in errors)))
    claims["stuck"] = Claim(stuck, tolerance=1)
    claims["best_errors"] = Claim(best, "%", tolerance=0.5)
    claims["worst_errors"] = Claim(worst, "%", tolerance=0.5)
    return Findings(claims)


def fit_moons(width: int, seed: int, device: torch.device) -> list[Layer]:
    """Train a network with one hidden layer of tanh units on 200 points of two moons."""
    points, labels = two_moons(n=200, noise=0.15, seed=0)
    x, signs = points.double().to(device), (2.0 * labels - 1).double().to(device)

    def loss(parameters: list[Tensor]) -> Tensor:
        scores = forward(x, pairs(parameters), tanh).flatten()
        return softplus(-signs * scores).mean()

    start = draw_layers([2, width, 1], seed, torch.float64)
    flat = [values.to(device) for pair in start for values in pair]
    return pairs(minimize(loss, flat, step_size=0.05, steps=400))


def pairs(parameters: list[Tensor]) -> list[Layer]:
    """Group weight, bias, weight, bias, ... into layers."""
    return list(zip(parameters[::2], parameters[1::2], strict=True))
