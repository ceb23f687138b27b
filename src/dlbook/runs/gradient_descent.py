"""The numbers of the chapter on gradient descent."""

import math
import statistics
from collections.abc import Iterator

import torch
from torch import Tensor
from tqdm import tqdm

from dlbook.data.toy import slanted_gaussians
from dlbook.features import linear_discriminant
from dlbook.gradient_descent import (
    Adam,
    Descent,
    Momentum,
    gradient_descent,
    largest_step,
    logistic_gradient,
    logistic_loss,
    mini_batches,
)
from dlbook.perceptron import with_constant
from dlbook.runs.record import Claim, Findings, over_seeds

Rule = Descent | Momentum | Adam
STOPS = (0, 10, 100, 1000, 10_000)
START = (-0.5, -1.0, 0.5)  # a bad guess: about half of the points lie on the wrong side
PASSES = 100
SIZES = tuple(2.0**power for power in range(-8, 6))  # of the steps in the fair race
GOAL = 1e-3  # how close to the least loss the race ends
CONTESTANTS = {  # name: rule and batch size
    "full": (Descent, 100),
    "sgd_10": (Descent, 10),
    "sgd_1": (Descent, 1),
    "momentum_10": (Momentum, 10),
    "adam_10": (Adam, 10),
}


def quick(device: torch.device) -> Findings:
    """Walk on one weight, on two, then fit a logistic regression in all ways."""
    claims = one_weight() | ravine() | logistic(device) | contest(device)
    return Findings(claims)


def bumpy_slope(w: Tensor) -> Tensor:
    """Give the derivative of w**2 / 2 + sin(3 w) / 2, the curve of the first figure."""
    return w + 1.5 * torch.cos(3 * w)


def one_weight() -> dict[str, Claim]:
    """Record the steps on the curve of the first figure."""
    claims, start = {}, torch.tensor([-2.2], dtype=torch.float64)
    for name, step_size in (("creeps", 0.125), ("overshoots", 0.5)):
        path = gradient_descent(bumpy_slope, start, step_size, 11).flatten()
        claims[name] = Claim(path.tolist(), tolerance=1e-6)
    bottom = gradient_descent(bumpy_slope, start, 0.125, 1000)[-1]
    claims["bottom"] = Claim(bottom.item(), tolerance=1e-6)
    curvature = (1 - 4.5 * torch.sin(3 * bottom)).item()
    claims["bottom_largest_step"] = Claim(2 / curvature, tolerance=1e-6)
    return claims


def ravine() -> dict[str, Claim]:
    """Count the steps to a millionth of the distance in a ravine of condition 100.

    Once for the first time there, once to stay there for the rest of 1000 steps.
    """
    curvatures = torch.tensor([1.0, 100.0], dtype=torch.float64)
    start = torch.ones(2, dtype=torch.float64)
    memory = ((math.sqrt(100) - 1) / (math.sqrt(100) + 1)) ** 2
    heavy = Momentum(4 / (math.sqrt(100) + math.sqrt(1)) ** 2, memory)
    rules = {"descent": Descent(2 / 101), "momentum": heavy, "adam": Adam(0.1)}
    claims = {}
    for name, rule in rules.items():
        w, outside = start, [True]
        for _ in range(1000):
            w = rule.step(w, curvatures * w)
            outside.append(bool(w.norm() > 1e-6 * start.norm()))
        settled = len(outside) - outside[::-1].index(True)
        claims[f"ravine_steps_{name}"] = Claim(float(outside.index(False)), tolerance=2)
        claims[f"ravine_settles_{name}"] = Claim(float(settled), tolerance=2)
    return claims


def problem(device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Give the inputs with their column of ones, the signs, and the start."""
    points, signs = slanted_gaussians(n=100, seed=1)
    start = torch.tensor(START, dtype=torch.float64, device=device)
    return with_constant(points).to(device), signs.to(device), start


def least_loss(inputs: Tensor, signs: Tensor) -> float:
    """Find the minimum of the logistic loss with Newton's method."""
    w = inputs.new_zeros(inputs.shape[1])
    for _ in range(30):
        p = torch.sigmoid(inputs @ w)
        hessian = (inputs * (p * (1 - p))[:, None]).T @ inputs / len(inputs)
        w = w - torch.linalg.solve(hessian, logistic_gradient(inputs, signs, w))
    return logistic_loss(inputs, signs, w).item()


def logistic(device: torch.device) -> dict[str, Claim]:
    """Record loss, mistakes and direction at the stops, and the same for LDA."""
    inputs, signs, start = problem(device)
    path = gradient_descent(
        lambda w: logistic_gradient(inputs, signs, w), start, 0.1, STOPS[-1]
    )[list(STOPS)]
    rival = linear_discriminant(inputs[:, :-1], signs)
    return {
        "loss": Claim([logistic_loss(inputs, signs, w).item() for w in path]),
        "least_loss": Claim(least_loss(inputs, signs)),
        "gap_full_1000": Claim(
            logistic_loss(inputs, signs, path[3]).item() - least_loss(inputs, signs)
        ),
        "wrong": Claim([mistakes(inputs, signs, w) for w in path]),
        "turn": Claim([angle(w, rival) for w in path], "°", tolerance=1e-4),
        "lda_loss": Claim(logistic_loss(inputs, signs, rival).item()),
        "lda_wrong": Claim(mistakes(inputs, signs, rival)),
        "start_largest_step": Claim(largest_step(inputs.T @ inputs / 4 / len(inputs))),
        "summed_loss": Claim(summed_losses(inputs, signs, start)),
    }


def summed_losses(inputs: Tensor, signs: Tensor, start: Tensor) -> list[float]:
    """Follow ten steps of 0.1 on the sum of 100 losses: steps of 10 on their mean."""
    path = gradient_descent(
        lambda w: logistic_gradient(inputs, signs, w), start, 10.0, 10
    )
    return [logistic_loss(inputs, signs, w).item() for w in path]


def mistakes(inputs: Tensor, signs: Tensor, w: Tensor) -> float:
    """Count the points on the wrong side, or on the border."""
    return float((signs * (inputs @ w) <= 0).sum())


def angle(w: Tensor, other: Tensor) -> float:
    """Measure the angle between two borders, in degrees."""
    cosine = torch.nn.functional.cosine_similarity(w[:-1], other[:-1], dim=0)
    return math.degrees(math.acos(min(1.0, cosine.item())))


def contest(device: torch.device) -> dict[str, Claim]:
    """Record how far above the minimum each rule is after 1, 10 and 100 passes."""
    claims = {}
    for name, (make, size) in CONTESTANTS.items():
        gaps = [list(gaps_of(make(0.1), size, seed, device)) for seed in range(3)]
        claims[f"curve_{name}"] = Claim(
            [statistics.median(g) for g in zip(*gaps, strict=True)]
        )
        for passes in (1, 10, 100):
            claims[f"gap_{name}_{passes}"] = over_seeds([gap[passes] for gap in gaps])
    return claims


def race(device: torch.device) -> Findings:
    """Give each rule the step size that suits it, and count the passes that it needs."""
    claims = {}
    for name, (make, size) in tqdm(CONTESTANTS.items(), desc="rules"):
        needed = {
            step_size: statistics.median(
                passes_needed(make(step_size), size, seed, device) for seed in range(3)
            )
            for step_size in SIZES
        }
        best = min(needed, key=needed.get)
        claims[f"race_passes_{name}"] = Claim(needed[best], tolerance=1)
        claims[f"race_step_{name}"] = Claim(best, tolerance=best / 2)
    return Findings(claims)


def passes_needed(rule: Rule, size: int, seed: int, device: torch.device) -> float:
    """Count the passes until the loss is a thousandth above its minimum; at most 100."""
    gaps = enumerate(gaps_of(rule, size, seed, device))
    return float(next((number for number, gap in gaps if gap < GOAL), math.inf))


def gaps_of(rule: Rule, size: int, seed: int, device: torch.device) -> Iterator[float]:
    """Follow one rule: loss minus least loss, before the first and after each pass."""
    inputs, signs, w = problem(device)
    least, generator = least_loss(inputs, signs), torch.Generator().manual_seed(seed)
    for _ in range(PASSES):
        yield logistic_loss(inputs, signs, w).item() - least
        for batch in mini_batches(len(signs), size, generator):
            w = rule.step(w, logistic_gradient(inputs[batch], signs[batch], w))
    yield logistic_loss(inputs, signs, w).item() - least
