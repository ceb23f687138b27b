"""Measure what the chapter on features claims."""

import torch
from torch import Tensor
from tqdm import tqdm

from dlbook import svm
from dlbook.data import digits
from dlbook.data import mnist as digits_of_mnist
from dlbook.data.toy import noisy_rings, slanted_gaussians
from dlbook.features import (
    draw_pairs,
    fit_logistic,
    hog,
    kernel_perceptron,
    linear_discriminant,
    pair_scores,
    pair_step,
    polynomial_kernel,
    train_on_pairs,
    train_on_table,
    with_pixels,
)
from dlbook.knn import k_nearest_neighbors
from dlbook.perceptron import average_weights, train, with_constant
from dlbook.runs.record import Claim, Findings, over_seeds

DIGITS_COUNTS, MNIST_COUNTS, SEEDS = (
    (10, 30, 100, 300, 1000),
    (1000, 3000, 10_000),
    range(3),
)
OUTLIERS = 10  # of 100 points


def quick(device: torch.device) -> Findings:
    """Compare radius and coordinates, count pixel products, edges, and two linear rules."""
    claims = (
        _radius() | _digits_pairs(device) | _digits_edges(device) | _two_linear_rules()
    )
    return Findings(claims | _kernels(), {"digits": digits.checksum()})


def _radius() -> dict[str, Claim]:
    errors = {"coordinates": [], "radius": []}
    for seed in range(10):
        points, labels = noisy_rings(400, rings=4, noise=0.1, seed=seed)
        queries, truth = noisy_rings(2000, rings=4, noise=0.1, seed=100 + seed)
        for name, x, z in (
            ("coordinates", points, queries),
            ("radius", points.norm(dim=1)[:, None], queries.norm(dim=1)[:, None]),
        ):
            wrong = k_nearest_neighbors(z, x, labels, k=11) != truth
            errors[name].append(100 * wrong.double().mean().item())
    return {
        f"rings_error_{name}": over_seeds(values, "%", 0.2)
        for name, values in errors.items()
    }


def _eights(labels: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.where(labels == 8, 1.0, -1.0).to(device, dtype)


def _error(scores: Tensor, signs: Tensor) -> float:
    return 100 * (scores * signs <= 0).double().mean().item()


def _eights_by_pairs(
    data: tuple[Tensor, Tensor, Tensor, Tensor],
    count: int,
    seed: int,
    epochs: int,
    batch: int,
) -> tuple[float, float]:
    """Train a logistic unit on all pixels and `count` random products of them.

    Args:
        data: training images, (n, d + 1) with a constant 1, and signs; test images, and signs.
        count: how many products.
        seed: of the pairs and of the order.
        epochs: how often to go through the images.
        batch: how many images to a step.

    Returns:
        training and test error, in percent.
    """
    x, signs, z, test_signs = data
    pixels = x.shape[1] - 1
    drawn = draw_pairs(pixels, count, torch.Generator().manual_seed(seed))
    pairs = with_pixels(drawn, pixels).to(x.device)
    w, b = train_on_pairs(
        x, pairs, signs, pair_step(x[:5000], pairs), epochs, batch, seed
    )
    return (
        _error(pair_scores(x, pairs, w) + b, signs),
        _error(pair_scores(z, pairs, w) + b, test_signs),
    )


def _digits_pairs(device: torch.device) -> dict[str, Claim]:
    images, labels, test_images, truth = digits.load()
    x, z = (
        with_constant(t.flatten(1).double()).to(device) for t in (images, test_images)
    )
    signs, test_signs = (_eights(t, x.dtype, device) for t in (labels, truth))
    data = x, signs, z, test_signs
    training, test = _eights_by_pairs(data, 0, seed=0, epochs=20, batch=50)
    claims = {
        "digits_training_error_pixels": Claim(training, "%", tolerance=0.5),
        "digits_error_pixels": Claim(test, "%", tolerance=0.5),
        "digits_counts": Claim([float(count) for count in DIGITS_COUNTS]),
    }
    errors = torch.zeros(2, len(DIGITS_COUNTS), len(SEEDS), dtype=torch.float64)
    for column, count in enumerate(DIGITS_COUNTS):
        for seed in SEEDS:
            found = _eights_by_pairs(data, count, seed, epochs=20, batch=50)
            errors[:, column, seed] = torch.tensor(found, dtype=torch.float64)
    return claims | _curves("digits", DIGITS_COUNTS, errors, tolerance=0.5)


def _curves(
    data: str, counts: tuple, errors: Tensor, tolerance: float
) -> dict[str, Claim]:
    claims = {}
    for row, part in enumerate(("training", "test")):
        for end, values in (
            ("errors", errors[row].median(dim=1).values),
            ("errors_least", errors[row].amin(dim=1)),
            ("errors_largest", errors[row].amax(dim=1)),
        ):
            claims[f"{data}_{part}_{end}"] = Claim(
                values.tolist(), "%", tolerance=tolerance
            )
        for column, count in enumerate(counts):
            claims[f"{data}_{part}_error_{count}"] = over_seeds(
                errors[row, column].tolist(), "%", tolerance
            )
    return claims


def _ten_scores(x: Tensor, labels: Tensor, z: Tensor, epochs: int, batch: int) -> Tensor:
    """Train one logistic unit for each digit, and score the test images with all ten."""
    step = 4 / (1 + x.square().sum(dim=1).mean().item())
    scores = []
    for digit in tqdm(range(10), desc="units"):
        signs = torch.where(labels == digit, 1.0, -1.0).to(x)
        w, b = train_on_table(x, signs, step, epochs, batch, seed=0)
        scores.append(z @ w + b)
    return torch.stack(scores, dim=1)


def _digits_edges(device: torch.device) -> dict[str, Claim]:
    images, labels, test_images, truth = digits.load()
    claims = {}
    for name, describe in (
        ("pixels", lambda t: t.flatten(1)),
        ("hog", lambda t: hog(t, 2)),
    ):
        x, z = (describe(t.double()).to(device) for t in (images, test_images))
        answers = (
            _ten_scores(x, labels.to(device), z, epochs=15, batch=50).argmax(1).cpu()
        )
        error = 100 * (answers != truth).double().mean().item()
        claims[f"digits_ten_error_{name}"] = Claim(error, "%", tolerance=0.5)
    return claims


def _two_linear_rules() -> dict[str, Claim]:
    errors = {}
    for seed in range(20):
        for case in ("clean", "outliers"):
            points, signs = slanted_gaussians(100, seed=seed)
            if case == "outliers":  # far away, and on the right side
                points[1 : 2 * OUTLIERS : 2] += torch.tensor([12.0, 0.0])
            tests, truth = slanted_gaussians(4000, seed=100 + seed)
            for name, fit in (("logistic", fit_logistic), ("lda", linear_discriminant)):
                w = fit(points, signs)
                error = _error(tests @ w[:-1] + w[-1], truth)
                errors.setdefault(f"{name}_error_{case}", []).append(error)
    return {name: over_seeds(values, "%", 0.1) for name, values in errors.items()}


def _kernels() -> dict[str, Claim]:
    """Let perceptrons tell the 8 from the rest: on pixels, averaged, and with a kernel."""
    images, labels, test_images, truth = digits.load()
    x, z = images.flatten(1).double(), test_images.flatten(1).double()
    signs, test_signs = (_eights(t, x.dtype, x.device) for t in (labels, truth))
    inputs, tests = with_constant(x), with_constant(z)
    last, steps = train(inputs, signs, epochs=10)
    average = average_weights(inputs, signs, steps, epochs=10)
    claims = {
        "digits_error_never": Claim(
            _error(-torch.ones_like(test_signs), test_signs), "%"
        ),
        "perceptron_error_last": Claim(_error(tests @ last, test_signs), "%", {}, 0.5),
        "perceptron_error_average": Claim(
            _error(tests @ average, test_signs), "%", {}, 0.5
        ),
    }
    for degree in (2, 3):
        alpha = kernel_perceptron(polynomial_kernel(x, x, degree), signs, epochs=100)
        scores = polynomial_kernel(z, x, degree) @ (alpha * signs)
        claims[f"kernel_error_{degree}"] = Claim(
            _error(scores, test_signs), "%", tolerance=0.5
        )
        claims[f"kernel_supports_{degree}"] = Claim(
            (alpha > 0).sum().item(), tolerance=20
        )
    return claims


def mnist(device: torch.device) -> Findings:
    """Tell the 8 of MNIST from the rest by its pixels and random products of them."""
    images, labels, test_images, truth = digits_of_mnist.load()
    x, z = (
        with_constant(t.flatten(1).to(device).float() / 255)
        for t in (images, test_images)
    )
    signs, test_signs = (_eights(t, x.dtype, device) for t in (labels, truth))
    data = x, signs, z, test_signs
    training, test = _eights_by_pairs(data, 0, seed=0, epochs=10, batch=250)
    claims = {
        "mnist_counts": Claim([float(count) for count in MNIST_COUNTS]),
        "mnist_training_error_pixels": Claim(training, "%", tolerance=0.2),
        "mnist_error_pixels": Claim(test, "%", tolerance=0.2),
        "mnist_error_never": Claim(_error(-torch.ones_like(test_signs), test_signs), "%"),
    }
    errors = torch.zeros(2, len(MNIST_COUNTS), len(SEEDS), dtype=torch.float64)
    for seed in tqdm(SEEDS, desc="seeds"):
        for column, count in enumerate(tqdm(MNIST_COUNTS, desc="products", leave=False)):
            found = _eights_by_pairs(data, count, seed, epochs=10, batch=250)
            errors[:, column, seed] = torch.tensor(found, dtype=torch.float64)
    claims |= _curves("mnist", MNIST_COUNTS, errors, tolerance=0.3)
    return Findings(claims, {"MNIST": digits_of_mnist.checksum()})


def mnist_edges(device: torch.device) -> Findings:
    """Classify MNIST by ten logistic units, on pixels and on oriented gradients."""
    images, labels, test_images, truth = digits_of_mnist.load()
    claims = {}
    for name in ("pixels", "hog"):
        x, z = (t.to(device).float() / 255 for t in (images, test_images))
        if name == "hog":
            x, z = (torch.cat([hog(p, 4) for p in t.split(1000)]) for t in (x, z))
        x, z = x.flatten(1), z.flatten(1)
        answers = (
            _ten_scores(x, labels.to(device), z, epochs=5, batch=250).argmax(1).cpu()
        )
        error = 100 * (answers != truth).double().mean().item()
        claims[f"mnist_ten_error_{name}"] = Claim(error, "%", tolerance=0.2)
    return Findings(claims, {"MNIST": digits_of_mnist.checksum()})


def machines(device: torch.device) -> Findings:
    """Classify the small digits by ten support vector machines, on pixels and on edges."""
    images, labels, test_images, truth = digits.load()
    claims = {}
    for name, describe in (
        ("pixels", lambda t: t.flatten(1)),
        ("hog", lambda t: hog(t, 2)),
    ):
        x, z = (
            with_constant(describe(t.double())).to(device) for t in (images, test_images)
        )
        scores = []
        for digit in tqdm(range(10), desc="machines"):
            signs = torch.where(labels == digit, 1.0, -1.0).to(x)
            w, _ = svm.train(x, signs, penalty=1e-3, tolerance=1e-2)
            scores.append(z @ w)
        answers = torch.stack(scores, dim=1).argmax(dim=1).cpu()
        error = 100 * (answers != truth).double().mean().item()
        claims[f"digits_svm_error_{name}"] = Claim(error, "%", tolerance=0.3)
    return Findings(claims, {"digits": digits.checksum()})
