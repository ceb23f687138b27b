"""Numbers of the chapter on applications."""

import statistics

import torch
from torch import Tensor

from dlbook.applications import MAZE, find, imagine, move, q_learning
from dlbook.data import digit_strips, digits, growth
from dlbook.knn import k_nearest_neighbors
from dlbook.runs.record import Claim, Findings, over_seeds

STRIPS, SEEDS = 200, range(5)


def quick(device: torch.device) -> Findings:
    """Divide operations by dollars; find, imagine and act, each with several seeds."""
    images, labels, test_images, test_labels = digits.load()
    template = images[labels == 3].mean(dim=0)
    found = [
        _finds_the_three(template, test_images, test_labels, seed)
        for seed in range(STRIPS)
    ]
    walks = [q_learning(MAZE, 100, seed)[1] for seed in SEEDS]
    voted = k_nearest_neighbors(test_images.flatten(1), images.flatten(1), labels, k=1)
    real = voted == test_labels
    rows = growth.processors()
    printed = [1000 * row["tflops"] / row["dollars"] for row in rows[:5]]
    peaks = [row["peak_gflops"] / row["dollars"] for row in rows]
    return Findings(
        {
            "printed_gflops_per_dollar": Claim(printed),
            "peak_gflops": Claim([row["peak_gflops"] for row in rows]),
            "peak_gflops_per_dollar": Claim(peaks),
            "gains": Claim([peak / peaks[0] for peak in peaks[1:5]]),
            "gains_of_2022": Claim(peaks[6] / peaks[5]),
            "shortest_walk": Claim(_shortest_walk(MAZE), "moves"),
            "first_walks": Claim([float(walk[0]) for walk in walks], "moves"),
            "finds_three": Claim(100 * sum(found) / STRIPS, "%", tolerance=1.0),
            "imagined_recognized": over_seeds(
                [100 * _recognized(images, labels, seed) for seed in SEEDS],
                "%",
                tolerance=1.0,
            ),
            "real_recognized": Claim(
                100 * real.double().mean().item(), "%", tolerance=1.0
            ),
            "first_walk": over_seeds([float(walk[0]) for walk in walks], "moves"),
            "last_walks": over_seeds(
                [float(statistics.median(walk[-20:])) for walk in walks], "moves"
            ),
        },
        {"digits": digits.checksum(), "growth": growth.checksum()},
    )


def _shortest_walk(maze: list[str]) -> int:
    """Search breadth first: all places after one move, after two, and so on."""
    places, moves = {(0, 0)}, 0
    while True:
        moves += 1
        reached = [move(maze, *place, action) for place in places for action in range(4)]
        if any(reward for *_, reward in reached):
            return moves
        places |= {(row, column) for row, column, _ in reached}


def _finds_the_three(template: Tensor, images: Tensor, labels: Tensor, seed: int) -> bool:
    strip, order = digit_strips.draw(images, labels, seed)
    _, column = find(strip, template)
    return abs(column - 8 * order.index(3)) <= 2


def _recognized(images: Tensor, labels: Tensor, seed: int) -> float:
    """Tell the share of imagined digits whose nearest real neighbor is of their kind."""
    generator = torch.Generator().manual_seed(seed)
    wanted = torch.arange(10).repeat_interleave(20)
    drawn = torch.cat([imagine(images[labels == d], 20, generator) for d in range(10)])
    voted = k_nearest_neighbors(drawn.flatten(1), images.flatten(1), labels, k=1)
    return (voted == wanted).double().mean().item()
