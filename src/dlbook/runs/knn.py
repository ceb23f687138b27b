"""Measure what the chapter on nearest neighbors claims."""

import time

import torch
from torch import Tensor
from tqdm import tqdm

from dlbook.data import mnist as digits_of_mnist
from dlbook.data.toy import noisy_wave
from dlbook.knn import (
    chance_of_a_perfect_score,
    cover_hart_bound,
    errors_of_every_k,
    middle,
    nearest_in_blocks,
    simulate_perfect_scores,
    vote,
)
from dlbook.runs.record import Claim, Findings, over_seeds

NOISE = 0.1  # the Bayes error of the wave
TRAINING, TESTS, SEEDS = 1000, 2000, range(5)
SIZES = (10, 30, 100, 300, 1000, 3000, 10_000)
SHOWN = torch.logspace(0, 3, 61).round().long().unique()  # numbers of neighbors, k
NEIGHBORS = (1, 3, 5)


def quick(device: torch.device) -> Findings:
    """Sweep the number of neighbors and of training points; simulate the quiz."""
    claims = _sweep_neighbors(device) | _sweep_sizes(device) | _quiz()
    return Findings(claims)


def _wave(n: int, seed: int, device: torch.device) -> tuple[Tensor, Tensor]:
    points, labels = noisy_wave(n, noise=NOISE, seed=seed)
    return points.to(device), labels.to(device)


def _sweep_neighbors(device: torch.device) -> dict[str, Claim]:
    training, tests = [], []
    for seed in SEEDS:
        points, labels = _wave(TRAINING, seed, device)
        queries, truth = _wave(TESTS, 1000 + seed, device)
        training.append(100 * errors_of_every_k(points, labels, points, labels).cpu())
        tests.append(100 * errors_of_every_k(queries, truth, points, labels).cpu())
    training, tests = torch.stack(training), torch.stack(tests)  # (seeds, k)
    middle = tests.median(dim=0).values
    best = int(middle.argmin())
    series = {
        "training_errors": training.median(dim=0).values,
        "test_errors": middle,
        "test_errors_least": tests.amin(dim=0),
        "test_errors_largest": tests.amax(dim=0),
    }
    claims = {
        name: Claim(
            [round(x, 3) for x in values[SHOWN - 1].tolist()], "%", tolerance=0.05
        )
        for name, values in series.items()
    }
    claims["shown_k"] = Claim([float(k) for k in SHOWN])
    for k in (1, 51, TRAINING):
        claims[f"training_error_k{k}"] = over_seeds(
            training[:, k - 1].tolist(), "%", 0.05
        )
        claims[f"test_error_k{k}"] = over_seeds(tests[:, k - 1].tolist(), "%", 0.05)
    claims["best_k"] = Claim(best + 1, tolerance=10)
    claims["best_test_error"] = over_seeds(tests[:, best].tolist(), "%", 0.1)
    claims["bayes_error"] = Claim(100 * NOISE, "%")
    claims["bound"] = Claim(100 * cover_hart_bound(NOISE, classes=2), "%")
    return claims


def _sweep_sizes(device: torch.device) -> dict[str, Claim]:
    errors = torch.zeros(len(SEEDS), len(SIZES), 2, dtype=torch.float64)
    for seed in SEEDS:
        points, labels = _wave(max(SIZES), seed, device)
        queries, truth = _wave(TESTS, 1000 + seed, device)
        for column, size in enumerate(SIZES):
            root = round(size**0.5) // 2 * 2 + 1  # odd: no vote can tie
            nearest = nearest_in_blocks(queries, points[:size], root)
            for rule, k in enumerate((1, root)):
                wrong = vote(labels[nearest[:, :k]]) != truth
                errors[seed, column, rule] = 100 * wrong.double().mean().cpu()
    claims = {"sizes": Claim([float(size) for size in SIZES])}
    for rule, name in enumerate(("one_neighbor", "root_neighbors")):
        values = errors[:, :, rule]
        middle = values.median(dim=0).values
        claims[f"{name}_errors"] = Claim(middle.tolist(), "%", tolerance=0.1)
        claims[f"{name}_error_at_most_data"] = over_seeds(
            values[:, -1].tolist(), "%", 0.1
        )
    return claims


def _quiz() -> dict[str, Claim]:
    generator = torch.Generator().manual_seed(0)
    simulated = simulate_perfect_scores(10, 1000, rounds=4000, generator=generator)
    return {
        "perfect_score_chance": Claim(chance_of_a_perfect_score(10, 1000)),
        "perfect_score_simulated": Claim(simulated),
    }


def mnist(device: torch.device) -> Findings:
    """Classify the 10 000 test images of MNIST by their neighbors among 60 000."""
    images, labels, test_images, truth = digits_of_mnist.load()
    points = images.flatten(1).float().to(device)
    queries = test_images.flatten(1).float().to(device)
    started = time.perf_counter()
    blocks = tqdm(queries.split(1000), desc="test images, by the thousand")
    nearest = torch.cat([nearest_in_blocks(block, points, 6) for block in blocks]).cpu()
    seconds = time.perf_counter() - started
    points, queries = points.cpu(), queries.cpu()
    claims = {"mnist_seconds": Claim(round(seconds, 1), "s", tolerance=1e9)}
    for k in NEIGHBORS:
        wrong = (vote(labels[nearest[:, :k]]) != truth).sum().item()
        claims[f"mnist_error_k{k}"] = Claim(100 * wrong / len(truth), "%", tolerance=1e-9)
    distances = torch.stack(
        [(points[column] - queries).square().sum(dim=1) for column in nearest.T], dim=1
    )
    for k in NEIGHBORS:
        tied = (distances[:, k - 1] == distances[:, k]).sum().item()
        claims[f"mnist_tied_at_k{k}"] = Claim(tied)
    claims["mnist_first_distances"] = Claim(distances[:40, 0].tolist())
    claims["mnist_largest_distance"] = Claim(distances.max().item())
    return Findings(claims, {"MNIST": digits_of_mnist.checksum()})


def mnist_origin(device: torch.device) -> Findings:
    """Measure how far images of MNIST lie from the origin of the search in blocks."""
    images, _, test_images, _ = digits_of_mnist.load()
    points, queries = (
        part.flatten(1).float().to(device) for part in (images, test_images)
    )
    origin = middle(points)
    longest = max((rows - origin).square().sum(dim=1).max() for rows in (points, queries))
    claims = {
        "mnist_longest": Claim(longest.item()),
        "mnist_largest_origin": Claim(origin.max().item()),
    }
    return Findings(claims, {"MNIST": digits_of_mnist.checksum()})
