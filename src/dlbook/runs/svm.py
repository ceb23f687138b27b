"""Every measured number of the chapter on the support vector machine."""

import time
import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from torch import Tensor
from tqdm import tqdm

from dlbook.data import digits
from dlbook.data.mnist import checksum, load
from dlbook.perceptron import with_constant
from dlbook.runs.race import over_rounds, quotients, race
from dlbook.runs.record import Claim, Findings
from dlbook.svm import (
    ROUNDS,
    coordinate_round,
    dual_objective,
    gap_closed,
    gaussian_kernel,
    kernel_scores,
    primal_objective,
    train,
    train_on_kernel,
)

PENALTIES = (1e-2, 1e-3, 1e-4, 1e-5)
WIDTHS = (1.0, 2.0, 4.0)
HELD = 297  # of the 1297 small digits, to choose among the settings
IMAGES = 20_000  # the first of the training set; the next 10 000 choose the penalty
GOAL = 0.01  # above the optimum, relative to it


def eights(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Pose the question "is it an 8?" to images of digits.

    Args:
        images: (n, height, width), from 0 to 1 or as bytes from 0 to 255.
        labels: (n,) int64, the digits.

    Returns:
        points, (n, height · width + 1) float32 from 0 to 1, with a constant 1 for the bias;
        labels, (n,) float32, +1 for an 8 and -1 for the rest.
    """
    scale = 255 if images.dtype == torch.uint8 else 1
    points = with_constant(images.flatten(1).float() / scale)
    return points, torch.where(labels == 8, 1.0, -1.0)


def quick(device: torch.device) -> Findings:
    """Solve "8 or not" on scikit-learn's digits, here and with liblinear.

    Args:
        device: where to compute; liblinear computes on the CPU.

    Returns:
        claims: both optima, and how far they are apart.
    """
    images, labels, test_images, test_labels = digits.load()
    points, y = (part.double().to(device) for part in eights(images, labels))
    test_points, test_y = (
        part.double().to(device) for part in eights(test_images, test_labels)
    )
    penalty = 1e-3
    w, alpha = train(points, y, penalty, tolerance=1e-7)
    oracle = liblinear(points, y, penalty, rounds=10**6, tolerance=1e-7).to(device)
    ours, theirs = (primal_objective(each, points, y, penalty) for each in (w, oracle))
    claims = {
        "digits_objective": Claim(ours, tolerance=1e-6),
        "digits_objective_liblinear": Claim(theirs, tolerance=1e-6),
        "digits_apart": Claim(1e6 * abs(ours - theirs) / ours, "millionths", tolerance=1),
        "digits_gap": Claim(
            1e6 * (ours - dual_objective(alpha, points, y, penalty)) / ours,
            "millionths",
            tolerance=0.2,
        ),
        "digits_support": Claim((alpha > 1e-6).sum().item(), tolerance=2),
        "digits_examples": Claim(len(y), tolerance=0),
        "digits_test_error": Claim(
            100 * (test_y * (test_points @ w) <= 0).double().mean().item(),
            "%",
            tolerance=0.21,
        ),
    }
    return Findings(claims, {"digits": digits.checksum()})


def liblinear(
    points: Tensor, y: Tensor, penalty: float, rounds: int, tolerance: float
) -> Tensor:
    """Minimize the same objective with liblinear.

    Its objective is ½‖w‖² + C Σ hinge. Ours, divided by 2λ, is ½‖w‖² + 1/(2λn) Σ hinge: the
    same for C = 1/(2λn). Its own bias is switched off, since the points carry a constant.

    Args:
        points: (n, d) floats with a constant input.
        y: (n,) floats, each -1 or +1.
        penalty: λ, positive.
        rounds: through the examples, at the most.
        tolerance: liblinear's own, on the gradient of the dual.

    Returns:
        (d,) float64 weights.
    """
    strength = 1 / (2 * penalty * len(points))
    model = LinearSVC(loss="hinge", C=strength, fit_intercept=False, tol=tolerance)
    model.set_params(max_iter=rounds, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # few rounds are on purpose
        model.fit(points.cpu().double().numpy(), y.cpu().numpy())
    return torch.from_numpy(model.coef_[0])


def mnist(device: torch.device) -> Findings:
    """Choose the penalty on held-out images of MNIST, then measure on the test set, once.

    Args:
        device: where to compute.

    Returns:
        claims: errors by penalty, and what the best penalty gives.
    """
    images, labels, test_images, test_labels = load()
    points, y = (part.to(device) for part in eights(images[:30_000], labels[:30_000]))
    held, held_y = points[IMAGES:], y[IMAGES:]
    points, y = points[:IMAGES], y[:IMAGES]
    errors, supports, gaps = [], [], []
    for penalty in tqdm(PENALTIES, desc="penalties"):
        w, alpha = train(points, y, penalty, GOAL)
        errors.append(100 * (held_y * (held @ w) <= 0).double().mean().item())
        supports.append(100 * (alpha > 0).double().mean().item())
        gaps.append(100 * _certified(w, alpha, points, y, penalty))
    best = PENALTIES[errors.index(min(errors))]
    w, _ = train(points, y, best, GOAL)
    test_points, test_y = (part.to(device) for part in eights(test_images, test_labels))
    test_error = 100 * (test_y * (test_points @ w) <= 0).double().mean().item()
    claims = {
        "mnist_examples": Claim(IMAGES, tolerance=0),
        "mnist_penalties": Claim(list(PENALTIES)),
        "mnist_validation_errors": Claim(errors, "%", tolerance=0.2),
        "mnist_support": Claim(supports, "%", tolerance=1),
        "mnist_gaps": Claim(gaps, "%", tolerance=1),
        "mnist_best_penalty": Claim(best),
        "mnist_test_error": Claim(test_error, "%", tolerance=0.2),
        "mnist_never": Claim(100 * (test_y > 0).double().mean().item(), "%"),
    }
    return Findings(claims, {"mnist": checksum()})


def _certified(
    w: Tensor, alpha: Tensor, points: Tensor, y: Tensor, penalty: float
) -> float:
    """Compute the gap, relative to the floor, in float64."""
    w, alpha, points, y = (part.double() for part in (w, alpha, points, y))
    floor = dual_objective(alpha, points, y, penalty)
    return (primal_objective(w, points, y, penalty) - floor) / floor


def kernels(device: torch.device) -> Findings:
    """Choose a linear machine and one with a Gaussian kernel, both on held-out digits.

    Args:
        device: where to compute.

    Returns:
        claims: the settings chosen, their error on the held-out digits, and on the test set,
        which is opened once for each.
    """
    images, labels, test_images, test_labels = digits.load()
    x, y = (part.double().to(device) for part in eights(images, labels))
    z, test_y = (part.double().to(device) for part in eights(test_images, test_labels))
    plans: dict[str, list[tuple[float, float]]] = {
        "linear": [(0.0, penalty) for penalty in PENALTIES],
        "gaussian": [(width, penalty) for width in WIDTHS for penalty in PENALTIES],
    }
    claims = {}
    for name, settings in plans.items():
        held = [
            _error_of(x[:-HELD], y[:-HELD], x[-HELD:], y[-HELD:], *setting)
            for setting in tqdm(settings, desc=name)
        ]
        width, penalty = settings[held.index(min(held))]
        error = _error_of(x, y, z, test_y, width, penalty)
        claims[f"{name}_held_error"] = Claim(min(held), "%", tolerance=0.7)
        claims[f"{name}_test_error"] = Claim(error, "%", tolerance=0.5)
        claims[f"{name}_penalty"] = Claim(penalty)
        claims[f"{name}_width"] = Claim(width)
    return Findings(claims, {"digits": digits.checksum()})


def _error_of(
    x: Tensor, y: Tensor, z: Tensor, truth: Tensor, width: float, penalty: float
) -> float:
    """Train, linear for a width of 0, and give the error on other points in percent."""
    if width == 0:
        scores = z @ train(x, y, penalty, GOAL)[0]
    else:
        # The constant input of both cancels in a distance; the 1 is for the bias.
        gram = gaussian_kernel(x, x, width) + 1
        alpha = train_on_kernel(gram, y, penalty, GOAL, seed=0)
        scores = kernel_scores(gaussian_kernel(z, x, width) + 1, alpha, y, penalty)
    return 100 * (truth * scores <= 0).double().mean().item()


def solvers(device: torch.device) -> Findings:
    """Race coordinate descent against Newton's steps, in processor time, to one goal.

    How `train` fares against compiled libraries is measured in `benchmarks/svm.py`.

    Args:
        device: where the tensors lie.

    Returns:
        claims: the rounds of coordinate descent, and how many times the processor time of
        the Newton steps it takes, a median over 5 turns.
    """
    images, labels, *_ = digits.load()
    points, y = (part.double().to(device) for part in eights(images, labels))
    penalty = 1e-3

    def check(answers: dict[str, Tensor]) -> None:
        values = [primal_objective(w, points, y, penalty) for w in answers.values()]
        if max(values) > (1 + GOAL) * min(values):
            raise ValueError(f"the ways must end within 1 % of each other, got {values}")

    ways = {
        "newton": lambda: train(points, y, penalty, GOAL)[0],
        "coordinate": lambda: _by_coordinates(points, y, penalty)[0],
    }
    seconds = race(ways, rounds=5, check=check, clock=time.process_time)
    _, rounds = _by_coordinates(points, y, penalty)
    claims = {
        "rounds_coordinate": Claim(rounds, tolerance=20),
        "ratio_coordinate": over_rounds(
            quotients(seconds["coordinate"], seconds["newton"])
        ),
    }
    return Findings(claims, {"digits": digits.checksum()})


def _by_coordinates(points: Tensor, y: Tensor, penalty: float) -> tuple[Tensor, int]:
    """Descend coordinate by coordinate until the gap is closed: weights and rounds."""
    generator = torch.Generator().manual_seed(0)
    w, alpha = torch.zeros_like(points[0]), torch.zeros_like(y)
    for rounds in range(ROUNDS):
        if gap_closed(w, alpha, points, y, penalty, GOAL):
            return w, rounds
        order = torch.randperm(len(y), generator=generator)
        w, alpha = coordinate_round(w, alpha, points, y, penalty, order)
    raise ValueError(f"the gap must close in {ROUNDS} rounds")
