"""The certified linear SVM against liblinear and stochastic gradient descent."""

import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.svm import LinearSVC
from torch import Tensor

from benchmarks.harness import Line, times_as_fast, times_as_long
from dlbook.data import digits, mnist
from dlbook.runs.race import race
from dlbook.runs.svm import GOAL, IMAGES, eights
from dlbook.svm import dual_objective, primal_objective, train

PENALTY = 1e-3


def full() -> list[Line]:
    """Tell the 8 from the rest among 20 000 images of MNIST."""
    images, labels, *_ = mnist.load()
    return compare(*eights(images[:IMAGES], labels[:IMAGES]), rounds=5)


def tiny() -> list[Line]:
    """Tell the 8 from the rest among 300 small digits."""
    images, labels, *_ = digits.load()
    return compare(*eights(images[:300], labels[:300]), rounds=1)


def compare(points: Tensor, y: Tensor, rounds: int) -> list[Line]:
    """Race to within 1 % of the optimum.

    The peers cannot tell when they are there. Each gets the least number of rounds that
    brings it there, found beforehand and not counted; liblinear gets the float64 it wants.
    """
    table, signs = points.double().numpy(), y.numpy()
    strength = 1 / (2 * PENALTY * len(y))
    liblinear = LinearSVC(loss="hinge", C=strength, fit_intercept=False, tol=1e-9)
    descent = SGDClassifier("hinge", alpha=2 * PENALTY, fit_intercept=False, tol=None)
    _, alpha = train(points, y, PENALTY, tolerance=1e-3)
    floor = dual_objective(alpha, points, y, PENALTY)

    def weights(model: LinearSVC | SGDClassifier) -> Tensor:
        return torch.from_numpy(model.fit(table, signs).coef_[0]).to(y)

    def excess(w: Tensor) -> float:
        return primal_objective(w, points, y, PENALTY) / floor - 1

    def check(answers: dict[str, object]) -> None:
        for name, w in answers.items():
            if not excess(w) <= GOAL:
                raise ValueError(f"{name} must come within 1 %, got {excess(w):.2%}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # few rounds are on purpose
        for model in (liblinear, descent):
            model.set_params(random_state=0, max_iter=1)
            while not excess(weights(model)) <= GOAL:
                known = model.get_params()["max_iter"]
                model.set_params(max_iter=max(known + 1, known * 5 // 4))
        seconds = race(
            {
                "ours": lambda: train(points, y, PENALTY, GOAL)[0],
                "liblinear": lambda: weights(liblinear),
                "SGDClassifier": lambda: weights(descent),
            },
            rounds,
            check,
        )
    return [
        times_as_long("svm_liblinear", seconds, "liblinear", 1.6),
        times_as_fast("svm_descent", seconds, "SGDClassifier", 5),
    ]
