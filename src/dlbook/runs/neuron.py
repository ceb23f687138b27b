"""Numbers of the chapter on one neuron."""

import math

import torch
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.svm import SVC
from torch import Tensor
from tqdm import tqdm

from dlbook.data import iris
from dlbook.data.toy import two_moons
from dlbook.neuron import (
    absolute_penalty,
    cross_entropy,
    cross_entropy_slope,
    fit,
    hidden_layer,
    hinge_slope,
    neuron,
    no_penalty,
    squared_slope,
    squares_penalty,
    train_hidden_layer,
)
from dlbook.runs.record import Claim, Findings, over_seeds

RIDGE, LASSO, SVM = 0.1, 0.2, 0.01  # the penalties rho, rho and lambda
HIDDEN, STEPS, SEEDS = 4, 2000, range(5)
PATIENCE = (2000, 2500, 3000, 10_000)  # steps


def quick(device: torch.device) -> Findings:
    """Fit five models to flowers; descend on the wrong sign; learn features of moons."""
    x, y = (part.to(device) for part in iris.load())
    x = (x - x.mean(dim=0)) / x.std(dim=0, correction=0)
    mistakes, weights, differences = [], [], []
    for name, (loss_slope, penalty_slope, eta, threshold) in _models().items():
        w, b = fit(x, y, loss_slope, penalty_slope, eta, 4000)
        oracle = _oracle(name, len(x)).fit(x.cpu(), y.cpu())
        expected = torch.tensor([*oracle.coef_.ravel(), *oracle.intercept_.ravel()])
        found = torch.cat([w, b[None]]).cpu()
        differences.append((found - expected).abs().max().item())
        weights.append(w.tolist())
        mistakes.append(_mistakes(neuron(x, w, b) - threshold, y))
    wrong_w, wrong_b = fit(x, y, _wrong_slope, no_penalty, 0.5, 200)
    wrong = neuron(x, wrong_w, wrong_b)
    return Findings(
        {
            "mistakes": Claim(mistakes, "%", tolerance=1.01),
            "first_weights": Claim([w[0] for w in weights], tolerance=5e-3),
            "second_weights": Claim([w[1] for w in weights], tolerance=5e-3),
            "differences": Claim(differences, tolerance=2e-3),
            "wrong_sign_mistakes": Claim(_mistakes(wrong, y), "%", tolerance=1.01),
        }
        | _moons(device),
        {"iris": iris.checksum()},
    )


def _models() -> dict:
    """Give slopes of loss and penalty, the first step size and the threshold of each."""
    return {
        "linear": (squared_slope, no_penalty, 0.3, 0.5),
        "ridge": (squared_slope, squares_penalty(RIDGE), 0.3, 0.5),
        "lasso": (squared_slope, absolute_penalty(LASSO), 0.3, 0.5),
        "logistic": (cross_entropy_slope, no_penalty, 4.0, 0.0),
        "svm": (hinge_slope, squares_penalty(SVM), 1.0, 0.0),
    }


def _oracle(name: str, n: int) -> object:
    """Give the model of scikit-learn with the same objective."""
    return {
        "linear": LinearRegression(),
        "ridge": Ridge(alpha=n * RIDGE),
        "lasso": Lasso(alpha=LASSO / 2, tol=1e-10),
        "logistic": LogisticRegression(C=math.inf, tol=1e-8),
        "svm": SVC(kernel="linear", C=1 / (2 * SVM * n), tol=1e-6),
    }[name]


def _wrong_slope(s: Tensor, y: Tensor) -> Tensor:
    return -cross_entropy_slope(s, y)


def _mistakes(s: Tensor, y: Tensor) -> float:
    return 100 * ((s > 0) != y.bool()).double().mean().item()


def _moons(device: torch.device) -> dict[str, Claim]:
    x, y = (part.double().to(device) for part in two_moons(200, 0.15, seed=0))
    others, their_y = (part.double().to(device) for part in two_moons(2000, 0.15, seed=1))
    w, b = fit(x, y, cross_entropy_slope, no_penalty, 2.0, 1000)
    one = Claim(_mistakes(neuron(others, w, b), their_y), "%", tolerance=0.5)
    claims = {"moons_one_neuron": one}
    trained = [train_hidden_layer(x, y, HIDDEN, 3.0, STEPS, seed) for seed in SEEDS]
    errors = [_mistakes(hidden_layer(others, net)[1], their_y) for net in trained]
    losses = [cross_entropy(hidden_layer(x, net)[1], y).mean().item() for net in trained]
    return claims | {
        "moons_hidden_layer": over_seeds(errors, "%", tolerance=0.5),
        "moons_best": Claim(min(errors), "%", tolerance=0.5),
        "moons_worst": Claim(max(errors), "%", tolerance=2.0),
        "moons_worst_seed": Claim(errors.index(max(errors))),
        "moons_worst_loss": Claim(max(losses), tolerance=0.02),
    }


def patience(device: torch.device) -> Findings:
    """Train hidden layers five times as long, and count who leaves the plateau.

    Args:
        device: where to train.

    Returns:
        errors on new points by number of steps for the seed that is slowest, the median of
        five seeds at the end, and for 2, 3 and 4 hidden neurons how many of 20 seeds end
        with a training loss below 0.1.
    """
    x, y = (part.double().to(device) for part in two_moons(200, 0.15, seed=0))
    others, their_y = (part.double().to(device) for part in two_moons(2000, 0.15, seed=1))

    def judge(k: int, steps: int, seed: int) -> tuple[float, float]:
        network = train_hidden_layer(x, y, k, 3.0, steps, seed)
        loss = cross_entropy(hidden_layer(x, network)[1], y).mean().item()
        return _mistakes(hidden_layer(others, network)[1], their_y), loss

    slowest = [judge(HIDDEN, steps, seed=3) for steps in PATIENCE]
    ends = [judge(HIDDEN, PATIENCE[-1], seed)[0] for seed in SEEDS]
    claims = {
        "slowest_errors": Claim([error for error, _ in slowest], "%", tolerance=1.0),
        "slowest_losses": Claim([loss for _, loss in slowest], tolerance=0.02),
        "patient_errors": over_seeds(ends, "%", tolerance=0.5),
    }
    for k in (2, 3, 4):
        solved = sum(judge(k, 4000, seed)[1] < 0.1 for seed in tqdm(range(20)))
        claims[f"solved_with_{k}"] = Claim(solved, tolerance=1)
    return Findings(claims)
