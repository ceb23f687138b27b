"""Numbers of the chapter on one neuron."""

import math

import torch
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.svm import SVC
from torch import Tensor

from dlbook.data import iris
from dlbook.data.toy import two_moons
from dlbook.neuron import (
    absolute_penalty,
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


def quick(device: torch.device) -> Findings:
    """Fit five models to flowers; descend on the wrong sign; learn features of moons."""
    x, t = (part.to(device) for part in iris.load())
    x = (x - x.mean(dim=0)) / x.std(dim=0, correction=0)
    mistakes, weights, differences = [], [], []
    for name, (loss_slope, penalty_slope, eta, threshold) in _models().items():
        w, b = fit(x, t, loss_slope, penalty_slope, eta, 4000)
        oracle = _oracle(name, len(x)).fit(x.cpu(), t.cpu())
        expected = torch.tensor([*oracle.coef_.ravel(), *oracle.intercept_.ravel()])
        found = torch.cat([w, b[None]]).cpu()
        differences.append((found - expected).abs().max().item())
        weights.append(w.tolist())
        mistakes.append(_mistakes(neuron(x, w, b) - threshold, t))
    wrong_w, wrong_b = fit(x, t, _wrong_slope, no_penalty, 0.5, 200)
    wrong = neuron(x, wrong_w, wrong_b)
    return Findings(
        {
            "mistakes": Claim(mistakes, "%", tolerance=1.01),
            "first_weights": Claim([w[0] for w in weights], tolerance=5e-3),
            "second_weights": Claim([w[1] for w in weights], tolerance=5e-3),
            "differences": Claim(differences, tolerance=2e-3),
            "wrong_sign_mistakes": Claim(_mistakes(wrong, t), "%", tolerance=1.01),
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


def _wrong_slope(y: Tensor, t: Tensor) -> Tensor:
    return -cross_entropy_slope(y, t)


def _mistakes(y: Tensor, t: Tensor) -> float:
    return 100 * ((y > 0) != t.bool()).double().mean().item()


def _moons(device: torch.device) -> dict[str, Claim]:
    x, t = (part.double().to(device) for part in two_moons(200, 0.15, seed=0))
    others, their_t = (part.double().to(device) for part in two_moons(2000, 0.15, seed=1))
    w, b = fit(x, t, cross_entropy_slope, no_penalty, 2.0, 1000)
    errors = []
    for seed in SEEDS:
        network = train_hidden_layer(x, t, HIDDEN, 3.0, STEPS, seed)
        errors.append(_mistakes(hidden_layer(others, network)[1], their_t))
    return {
        "moons_one_neuron": Claim(
            _mistakes(neuron(others, w, b), their_t), "%", tolerance=0.5
        ),
        "moons_hidden_layer": over_seeds(errors, "%", tolerance=0.5),
        "moons_best": Claim(min(errors), "%", tolerance=0.5),
        "moons_worst": Claim(max(errors), "%", tolerance=2.0),
    }
