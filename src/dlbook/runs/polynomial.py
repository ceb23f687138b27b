"""Every number that the chapter on polynomials quotes."""

import math

import torch
from torch import Tensor

from dlbook.data.toy import noisy_sine
from dlbook.polynomial import (
    Polynomial,
    bias_and_variance,
    evaluate,
    fit_polynomial,
    fit_ridge,
    legendre,
    powers,
    shortest_fit,
    vc_bound,
)
from dlbook.runs.record import Claim, Findings

SETS, POINTS, NOISE, DEGREES = 1000, 12, 0.3, 12
BEYOND = (*range(16), 18, 20, 25, 30, 40, 50, 70, 100)
PENALTIES = [10 ** (power / 4) for power in range(-20, 9)]


def quick(device: torch.device) -> Findings:
    """Fit one sine of every degree, with and without noise, penalty and float32."""
    claims = _clean(device) | _trap(device) | _many_sets(device) | _penalties(device)
    claims |= _more_coefficients_than_points(device)
    claims["bound_line"] = Claim(vc_bound(3, 60_000))
    claims["bound_network"] = Claim(vc_bound(60_000, 60_000))
    return Findings(claims)


def sine(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Give 100 noise-free points of the sine.

    Args:
        dtype: of the floats; float32 rounds at about 1e-7.
        device: where the tensors lie.

    Returns:
        x, (100,) floats from -pi to pi, and y, (100,) floats.
    """
    x = torch.linspace(-math.pi, math.pi, 100, dtype=dtype, device=device)
    return x, x.sin()


def by_default_driver(x: Tensor, y: Tensor, degree: int) -> float:
    """Fit as one would at first, with the driver that `lstsq` takes by itself.

    Args:
        x: (N,) floats.
        y: (N,) floats.
        degree: at least 0.

    Returns:
        the mean squared error on the points of the fit.
    """
    X = powers(x, degree)
    alpha = torch.linalg.lstsq(X, y[:, None]).solution[:, 0]
    return (X @ alpha - y).square().mean().item()


def training_error(polynomial: Polynomial, x: Tensor, y: Tensor) -> float:
    """Measure the mean squared error on the points of the fit.

    Args:
        polynomial: as `fit_polynomial` returns it.
        x: (N,) floats.
        y: (N,) floats.

    Returns:
        the error, at least 0.
    """
    return (evaluate(polynomial, x) - y).square().mean().item()


def _clean(device: torch.device) -> dict[str, Claim]:
    x, y = sine(torch.float64, device)
    errors = [training_error(fit_polynomial(x, y, d), x, y) for d in range(10)]
    return {
        "clean_errors": Claim(errors),
        "clean_error_degree_9": Claim(errors[9], tolerance=1e-13),
    }


def _trap(device: torch.device) -> dict[str, Claim]:
    x, y = sine(torch.float32, device)
    errors = {degree: by_default_driver(x, y, degree) for degree in (9, 10, 15)}
    return {  # how many columns are dropped, and so the error, hangs on the last bits
        "float32_error_degree_9": Claim(errors[9], tolerance=1e-11),
        "float32_error_degree_10": Claim(errors[10], tolerance=5e-3),
        "float32_error_degree_15": Claim(errors[15], tolerance=0.1),
    }


def _many_sets(device: torch.device) -> dict[str, Claim]:
    x, y = _sets(device)
    u, truth = _places(device)
    found = []
    for degree in range(DEGREES):
        fit = fit_polynomial(x, y, degree)
        answers = evaluate(fit, u)
        bias, variance = (part.mean() for part in bias_and_variance(answers, truth))
        error = (answers - truth).square().mean()
        training = (evaluate(fit, x) - y).square().mean()
        at_points = evaluate(fit, x).var(dim=0, correction=0).mean()
        found.append(torch.stack([bias, variance, error, training, at_points]))
    bias, variance, errors, training, at_points = torch.stack(found).T
    return {
        "squared_biases": Claim(bias.tolist()),
        "variances": Claim(variance.tolist()),
        "errors": Claim(errors.tolist()),
        "training_errors": Claim(training.tolist()),
        "variances_at_points": Claim(at_points.tolist()),
        "best_degree": Claim(errors.argmin().item()),
    }


def _penalties(device: torch.device) -> dict[str, Claim]:
    x, y = _sets(device)
    u, truth = _places(device)
    fits = [fit_ridge(x, y, 9, penalty) for penalty in PENALTIES]
    parts = [bias_and_variance(evaluate(fit, u), truth) for fit in fits]
    bias = torch.stack([part[0].mean() for part in parts])
    variance = torch.stack([part[1].mean() for part in parts])
    training = [(evaluate(fit, x) - y).square().mean().item() for fit in fits]
    best = int((bias + variance).argmin())
    return {
        "penalties": Claim(PENALTIES),
        "penalty_squared_biases": Claim(bias.tolist()),
        "penalty_variances": Claim(variance.tolist()),
        "penalty_training_errors": Claim(training),
        "best_penalty": Claim(PENALTIES[best]),
        "best_penalty_error": Claim((bias + variance)[best].item()),
    }


def _more_coefficients_than_points(device: torch.device) -> dict[str, Claim]:
    """Take the shortest coefficients in two bases, up to 101 of them for 12 points."""
    x, y = _sets(device)
    u, truth = _places(device)
    claims = {"beyond_degrees": Claim(list(BEYOND))}
    for name, table in (("powers", powers), ("legendre", legendre)):
        errors = []
        for degree in BEYOND:
            X, places = table(x[0], degree), table(u, degree)
            alpha = torch.stack([shortest_fit(X, each) for each in y[:100]])
            errors.append((alpha @ places.T - truth).square().mean().item())
        tolerance = 1e-3 if name == "legendre" else 5.0
        claims[f"beyond_{name}"] = Claim(errors, tolerance=tolerance)
    return claims


def _sets(device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw the training sets, with x scaled to [-1, 1]."""
    x, y = noisy_sine(SETS, POINTS, NOISE, seed=0)
    return x.to(device) / math.pi, y.to(device)


def _places(device: torch.device) -> tuple[Tensor, Tensor]:
    """Give the 201 places, scaled to [-1, 1], where answers are judged, and the truth."""
    u = torch.linspace(-1, 1, 201, dtype=torch.float64, device=device)
    return u, (math.pi * u).sin()
