"""The perceptron that scores whole blocks, against the plain loop and scikit-learn."""

import torch
from sklearn.linear_model import Perceptron
from torch import Tensor

from benchmarks.harness import Line, times_as_fast
from dlbook.data import separable
from dlbook.perceptron import train, train_by_blocks
from dlbook.runs.perceptron import zeros_and_ones
from dlbook.runs.race import race


def full() -> list[Line]:
    """Separate the zeros of MNIST from the ones, to the end."""
    points, labels, *_ = zeros_and_ones()
    return compare((points / 255).float(), labels.float(), rounds=5)


def tiny() -> list[Line]:
    """Separate 200 drawn points."""
    points, labels, _ = separable.draw(200, 2, 0.2, seed=0)
    return compare(points.float(), labels.float(), rounds=1)


def compare(points: Tensor, labels: Tensor, rounds: int) -> list[Line]:
    """Race to the last mistake; scikit-learn is told how many epochs that takes."""
    _, steps = train_by_blocks(points, labels, epochs=1000)
    epochs = int(steps[-1]) // len(points) + 2  # the last one finds no mistake
    told = Perceptron(alpha=0, shuffle=False, fit_intercept=False, tol=None)
    told.set_params(max_iter=epochs)
    table, signs = points.numpy(), labels.numpy()
    seconds = race(
        {
            "ours": lambda: train_by_blocks(points, labels, epochs=1000),
            "the plain loop": lambda: train(points, labels, epochs=1000),
            "scikit-learn Perceptron": lambda: told.fit(table, signs).coef_[0],
        },
        rounds,
        require_same_updates,
    )
    return [
        times_as_fast("perceptron_loop", seconds, "the plain loop", 30),
        times_as_fast("perceptron_scikit", seconds, "scikit-learn Perceptron", 5),
    ]


def require_same_updates(answers: dict[str, object]) -> None:
    """Refuse other updates than those of the loop, and other weights of scikit-learn.

    Args:
        answers: by name: weights and steps of ours and the loop, weights of scikit-learn.

    Raises:
        ValueError: they differ.
    """
    (w, steps), (loop_w, loop_steps) = answers["ours"], answers["the plain loop"]
    if not (torch.equal(steps, loop_steps) and torch.equal(w, loop_w)):
        raise ValueError("the blocks must make the updates of the loop, got others")
    theirs = torch.from_numpy(answers["scikit-learn Perceptron"]).to(w)
    if not torch.allclose(theirs, w, rtol=1e-4, atol=1e-4):
        raise ValueError("scikit-learn must find the same weights, got others")
