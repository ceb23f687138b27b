"""The numbers of the chapter on universal approximation."""

import torch
from torch import Tensor
from tqdm import tqdm

from dlbook.approximation import (
    evaluate,
    grid,
    interpolation_bound,
    log_log_slope,
    network_of,
    relu_interpolation,
    waves_within,
)
from dlbook.gradient_descent import minimize
from dlbook.mlp import Layer, draw_layers, layer, relu
from dlbook.runs.record import Claim, Findings, over_seeds

PIECES = tuple(2**k for k in range(11))
WIDTHS = (4, 8, 16, 32)
SEEDS = 10
TOLERANCES = (0.4, 0.2, 0.1, 0.05)
CHECKS = {1: 2001, 2: 81, 3: 17}  # points along an axis where the error is measured


def chirp(x: Tensor) -> Tensor:
    """Give sin(x**2): on [0, 3] it bends gently at first, and ever more."""
    return torch.sin(x**2)


def bump(x: Tensor) -> Tensor:
    """Give exp(-10 |x - 0.4|**2), a smooth hill in the unit cube, for the rows of x."""
    return torch.exp(-10 * (x - 0.4).square().sum(dim=1))


def quick(device: torch.device) -> Findings:
    """Measure the law of interpolation errors, and networks in 1 and 2 dimensions."""
    claims = {}
    for name, function in (("chirp", chirp), ("kink", kink), ("root", torch.sqrt)):
        errors = [interpolation_error(function, k, device) for k in PIECES]
        law = log_log_slope(torch.tensor(PIECES[5:]), torch.tensor(errors[5:]))
        claims[f"slope_{name}"] = Claim(law, tolerance=1e-4)
        claims[f"errors_{name}"] = Claim(errors, tolerance=1e-9)
    claims |= in_float32()
    claims["bound_chirp"] = Claim(
        [interpolation_bound(chirp_bend(), 3 / k) for k in PIECES]
    )
    claims["graded_slope_root"] = Claim(graded_slope(device), tolerance=1e-4)
    for dimensions, tolerances in ((1, TOLERANCES), (2, TOLERANCES[:2])):
        claims |= built(dimensions, tolerances, device)
    return Findings(claims)


def in_float32() -> dict[str, Claim]:
    """Measure the sine on [0, 6] in float32: each ramp more rounds the sum once more."""
    claims, promised = {}, []
    x = torch.linspace(
        0, 6, 2003, dtype=torch.float64
    ).float()  # nearly all between knots
    sine = x.double().sin()
    for pieces in (10, 100, 1000, 10_000, 100_000):
        knots = torch.linspace(0, 6, pieces + 1, dtype=torch.float64).float()
        network = relu_interpolation(torch.sin, knots)
        error = (evaluate(x[:, None], network).double() - sine).abs().max().item()
        rounding = 4 * error if pieces >= 1000 else 1e-6  # hangs on the order of the sum
        claims[f"float32_error_{pieces}"] = Claim(error, tolerance=rounding)
        promised.append(interpolation_bound(1, 6 / pieces))
    exact = [(w.double(), b.double()) for w, b in network]
    error = (evaluate(x.double()[:, None], exact) - sine).abs().max().item()
    claims["float32_weights_summed_in_float64"] = Claim(error, tolerance=1e-9)
    return claims | {"float32_promised": Claim(promised, tolerance=1e-12)}


def kink(x: Tensor) -> Tensor:
    """Give |x - 1|, whose kink falls between knots."""
    return (x - 1).abs()


def chirp_bend() -> float:
    """Find the largest second derivative of the chirp on [0, 3], in absolute value."""
    x = torch.linspace(0, 3, 100_001, dtype=torch.float64)
    return (2 * torch.cos(x**2) - 4 * x**2 * torch.sin(x**2)).abs().max().item()


def interpolation_error(function, pieces: int, device: torch.device) -> float:
    """Measure the largest error of equal pieces on [0, 3]."""
    knots = torch.linspace(0, 3, pieces + 1, dtype=torch.float64, device=device)
    return knots_error(function, knots)


def knots_error(function, knots: Tensor) -> float:
    """Measure the largest error on [0, 3] of straight lines between given knots.

    The kink of |x - 1| is one of the points, since the error is largest there.
    """
    x = torch.linspace(0, 3, 30_001, dtype=torch.float64, device=knots.device)
    output = evaluate(x[:, None], relu_interpolation(function, knots))
    return (output - function(x)).abs().max().item()


def graded_slope(device: torch.device) -> float:
    """Fit the error law of the root with knots that crowd toward 0."""
    sizes = PIECES[3:9]
    errors = []
    for pieces in sizes:
        even = torch.linspace(0, 1, pieces + 1, dtype=torch.float64, device=device)
        errors.append(knots_error(torch.sqrt, 3 * even**4))
    return log_log_slope(torch.tensor(sizes), torch.tensor(errors))


def built(
    dimensions: int, tolerances: tuple[float, ...], device: torch.device
) -> dict[str, Claim]:
    """Build networks for the bump, and measure their size and their error."""
    x = grid(dimensions, CHECKS[dimensions]).to(device)
    units, errors = [], []
    for tolerance in tolerances:
        waves = waves_within(bump, dimensions, tolerance / 2)
        network = [
            (w.to(device), b.to(device)) for w, b in network_of(waves, tolerance / 2)
        ]
        units.append(float(len(network[0][1])))
        errors.append((evaluate(x, network) - bump(x)).abs().max().item())
    return {
        f"units_{dimensions}d": Claim(units),
        f"built_errors_{dimensions}d": Claim(errors, tolerance=1e-9),
    }


def cube(device: torch.device) -> Findings:
    """Build and check the larger networks: finer in 2 dimensions, coarse in 3."""
    fine = built(2, TOLERANCES[2:], device)
    solid = built(3, TOLERANCES[:2], device)
    wide = [float(size(3, tolerance)) for tolerance in TOLERANCES[2:3]]
    claims = {f"{name}_fine": claim for name, claim in fine.items()} | solid
    return Findings(claims | {"units_3d_fine": Claim(wide)})


def size(dimensions: int, tolerance: float) -> int:
    """Count the units of the network that the construction asks for."""
    waves = waves_within(bump, dimensions, tolerance / 2)
    return len(network_of(waves, tolerance / 2)[0][1])


def trained(device: torch.device) -> Findings:
    """Fit the chirp with networks of equal width: built, and trained from ten starts."""
    claims, constructed, improved, best, worst = {}, [], [], [], []
    for width in tqdm(WIDTHS, desc="widths"):
        knots = torch.linspace(0, 3, width + 1, dtype=torch.float64)
        start = relu_interpolation(chirp, knots)
        constructed.append(root_mean_square(start))
        drawn = [draw_layers([1, width, 1], seed, torch.float64) for seed in range(SEEDS)]
        errors = [root_mean_square(n) for n in fit([start, *drawn], device)]
        improved.append(errors.pop(0))
        claims[f"trained_{width}"] = over_seeds(errors, tolerance=0.02)
        best.append(min(errors))
        worst.append(max(errors))
    claims["constructed"] = Claim(constructed, tolerance=1e-9)
    claims["improved"] = Claim(improved, tolerance=0.002)
    claims["best"], claims["worst"] = (
        Claim(best, tolerance=0.02),
        Claim(worst, tolerance=0.02),
    )
    return Findings(claims)


def diagnosis(device: torch.device) -> Findings:
    """Ask why 32 units trained from random weights stay far behind the built ones."""
    drawn = [draw_layers([1, 32, 1], seed, torch.float64) for seed in range(SEEDS)]
    usual, spread = fit(drawn, device), fit([with_spread_knots(n) for n in drawn], device)
    before = [last_folds(with_spread_knots(n)) for n in drawn]
    measured = {
        "folds_random": [last_folds(n) for n in usual],
        "solved": [root_mean_square(with_best_output(n)) for n in usual],
        "spread": [root_mean_square(n) for n in spread],
        "spread_solved": [root_mean_square(with_best_output(n)) for n in spread],
        "folds_before": before,
        "folds_after": [last_folds(n) for n in spread],
    }
    return Findings({n: over_seeds(v, tolerance=0.02) for n, v in measured.items()})


def with_spread_knots(network: list[Layer]) -> list[Layer]:
    """Move the knots of the hidden units to equal distances over [0, 3]."""
    (w, b), output = network
    knots = torch.linspace(0, 3, len(b) + 1, dtype=b.dtype)[:-1]
    return [(w, -w[:, 0] * knots), output]


def with_best_output(network: list[Layer]) -> list[Layer]:
    """Keep the hidden layer, and replace the output by the best one, by least squares."""
    x = torch.linspace(0, 3, 301, dtype=torch.float64)[:, None]
    hidden = layer(x, *network[0], relu)
    table = torch.cat([hidden, torch.ones_like(x)], dim=1)
    best = torch.linalg.lstsq(table, chirp(x), driver="gelsd").solution
    return [network[0], (best[:-1].T, best[-1])]


def last_folds(network: list[Layer]) -> float:
    """Count the knots beyond 2.81, just past the last maximum of the chirp, up to 3."""
    w, b = network[0]
    knots = -b / w[:, 0]
    return float(((knots > 2.81) & (knots < 3)).sum())


def fit(networks: list[list[Layer]], device: torch.device) -> list[list[Layer]]:
    """Lower the square error of each to the chirp: 2000 steps of Adam, 2000 short ones.

    All networks have one width and train side by side; none knows of the others.
    """
    x = torch.linspace(0, 3, 301, dtype=torch.float64, device=device)[:, None]
    target = chirp(x)

    def loss(parameters: list[Tensor]) -> Tensor:
        w, b, omega, beta = parameters
        hidden = relu(x @ w.mT + b[:, None])  # (networks, points, units)
        error = hidden @ omega.mT + beta[:, None] - target
        return error.square().mean(dim=(1, 2)).sum()

    flat = [[values for pair in network for values in pair] for network in networks]
    parameters = [torch.stack(same).to(device) for same in zip(*flat, strict=True)]
    for step_size in (0.01, 0.001):
        parameters = minimize(loss, parameters, step_size, steps=2000)
    w, b, omega, beta = (values.cpu() for values in parameters)
    return [[(w[n], b[n]), (omega[n], beta[n])] for n in range(len(networks))]


def root_mean_square(layers: list[Layer]) -> float:
    """Measure the error to the chirp on a grid finer than the training points."""
    x = torch.linspace(0, 3, 3001, dtype=torch.float64, device=layers[0][0].device)
    error = evaluate(x[:, None], layers) - chirp(x)
    return error.square().mean().sqrt().item()
