"""Every measured number of the chapter on the perceptron."""

import statistics

import torch
from sklearn.linear_model import Perceptron
from torch import Tensor
from tqdm import trange

from dlbook.data import digits, separable
from dlbook.data.mnist import checksum, load
from dlbook.perceptron import (
    one_unit_tables,
    train_by_blocks,
    update_bound,
    with_constant,
)
from dlbook.runs.race import over_rounds, quotients, race
from dlbook.runs.record import Claim, Findings, over_seeds

GAPS = (0.4, 0.2, 0.1, 0.05, 0.025)


def quick(device: torch.device) -> Findings:
    """Count updates where the gap is known, and on scikit-learn's digits.

    Args:
        device: where to compute.

    Returns:
        claims of counts; all are whole numbers, and sums of them.
    """
    counts = {gap: [updates(gap, seed, device) for seed in range(10)] for gap in GAPS}
    images, labels, *_ = digits.load()
    pair = labels < 2
    points = with_constant((images[pair].flatten(1) * 16).double(), 16.0).to(device)
    _, steps = train_by_blocks(points, (labels[pair] * 2 - 1).to(device), epochs=100)
    bounds = [4 / gap**2 for gap in GAPS]
    medians = [statistics.median(count for count, _ in counts[gap]) for gap in GAPS]
    shares = [count / bound for gap in GAPS for count, bound in counts[gap]]
    claims = {
        "tables": Claim(len(one_unit_tables()), tolerance=0),
        "gaps": Claim(list(GAPS), tolerance=0),
        "bounds": Claim(bounds),
        "updates_median": Claim(medians, tolerance=5),
        "largest_share": Claim(100 * max(shares), "%", tolerance=3),
        "digits_updates": Claim(len(steps), tolerance=0),
        "digits_epochs": Claim(int(steps[-1]) // len(points) + 2, tolerance=0),
    }
    return Findings(claims, {"digits": digits.checksum()})


def updates(gap: float, seed: int, device: torch.device) -> tuple[int, int]:
    """Train on 1000 points of the plane with a given gap.

    Args:
        gap: width of the empty slab, in radii of the ball.
        seed: of the points.
        device: where to compute.

    Returns:
        how many updates it took, and how many the theorem allows.
    """
    points, labels, normal = (t.to(device) for t in separable.draw(1000, 2, gap, seed))
    _, steps = train_by_blocks(points, labels, epochs=10**6)
    return len(steps), update_bound(points, labels, normal)


def zeros_and_ones() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Give the zeros (label -1) and ones (label +1) of MNIST, in the order of the files.

    Pixels stay whole numbers from 0 to 255 and the constant input is 255: sums of them are
    exact in float64, in any order, so that every machine makes the same updates.

    Returns:
        training points, (12665, 785) float64, and labels; test points, (2115, 785), and labels.
    """
    images, labels, test_images, test_labels = load()
    parts = []
    for pixels, digit in ((images, labels), (test_images, test_labels)):
        pair = digit < 2
        points = pixels[pair].flatten(1).double()
        parts += [with_constant(points, 255.0), digit[pair].double() * 2 - 1]
    return parts[0], parts[1], parts[2], parts[3]


def mnist(device: torch.device) -> Findings:
    """Train zeros against ones to the end, and measure errors after every epoch.

    Args:
        device: where to compute.

    Returns:
        claims: updates and errors by epoch, the last without updates; all exact.
    """
    points, labels, test_points, test_labels = (
        part.to(device) for part in zeros_and_ones()
    )
    _, steps = train_by_blocks(points, labels, epochs=100)
    per_epoch = [*torch.bincount(steps // len(points)).tolist(), 0]
    w, done, errors, test_errors = torch.zeros_like(points[0]), 0, [], []
    for count in per_epoch:
        for n in (steps[done : done + count] % len(points)).tolist():
            w = w + labels[n] * points[n]
        done += count
        for sample, truth, found in (
            (points, labels, errors),
            (test_points, test_labels, test_errors),
        ):
            found.append(100 * (truth * (sample @ w) <= 0).double().mean().item())
    claims = {
        "mnist_updates": Claim(per_epoch, tolerance=0),
        "mnist_updates_total": Claim(len(steps), tolerance=0),
        "mnist_epochs": Claim(len(per_epoch), tolerance=0),
        "mnist_train_errors": Claim(errors, "%"),
        "mnist_test_errors": Claim(test_errors, "%"),
        "mnist_test_mistakes": Claim((test_labels * (test_points @ w) <= 0).sum().item()),
    }
    return Findings(claims, {"mnist": checksum()})


def orders(device: torch.device) -> Findings:
    """Train zeros against ones in 20 shuffled orders.

    Args:
        device: where to compute.

    Returns:
        claims: how many updates and epochs it took, and the final test error, with spread.
    """
    points, labels, test_points, test_labels = (
        part.to(device) for part in zeros_and_ones()
    )
    totals, epochs, errors = [], [], []
    for seed in trange(20, desc="orders"):
        order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))
        w, steps = train_by_blocks(points[order], labels[order], epochs=100)
        totals.append(len(steps))
        epochs.append(int(steps[-1]) // len(points) + 2)
        errors.append(100 * (test_labels * (test_points @ w) <= 0).double().mean().item())
    claims = {
        "orders_updates": over_seeds(totals),
        "orders_updates_range": Claim([min(totals), max(totals)], tolerance=0),
        "orders_epochs": over_seeds(epochs),
        "orders_test_error": over_seeds(errors, "%"),
    }
    return Findings(claims, {"mnist": checksum()})


def speed(device: torch.device) -> Findings:
    """Race the blocks on MNIST, in float32, against a library that must find when to stop.

    What it takes when it is told the number of epochs is measured in
    `benchmarks/perceptron.py`, and so is the plain loop.

    Args:
        device: where the tensors lie; scikit-learn computes on the CPU.

    Returns:
        claims: how many times as long the library takes, a median of 7 turns.
    """
    points, labels, *_ = zeros_and_ones()
    points, labels = (points / 255).float().to(device), labels.to(device)
    table, signs = points.cpu().numpy(), labels.cpu().numpy()
    alone = Perceptron(fit_intercept=False)

    def check(answers: dict[str, Tensor]) -> None:
        for name, w in answers.items():
            wrong = int((labels * (points @ w.to(points)) <= 0).sum())
            if (
                wrong > len(labels) // 1000
            ):  # the library may stop before the last mistake
                raise ValueError(f"{name} must separate the digits, got {wrong} wrong")

    ways = {
        "blocks": lambda: train_by_blocks(points, labels, epochs=100)[0],
        "alone": lambda: torch.from_numpy(alone.fit(table, signs).coef_[0]),
    }
    seconds = race(ways, rounds=7, check=check)
    ratio = over_rounds(quotients(seconds["alone"], seconds["blocks"]))
    return Findings({"ratio_scikit_alone": ratio}, {"mnist": checksum()})
