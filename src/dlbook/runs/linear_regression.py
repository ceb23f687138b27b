"""Every number that the chapter on linear regression quotes."""

import torch
from scipy.special import stdtr
from torch import Tensor

from dlbook.data import blood_pressure
from dlbook.linear_regression import (
    descend,
    design_matrix,
    explained_share,
    fastest_step_size,
    leverages,
    mean_squared_error,
    prediction_interval,
    solve_by_qr,
    solve_normal_equations,
    studentized_residuals,
)
from dlbook.runs.record import Claim, Findings

OUTLIER = 1  # the place of the person of 47 years with 220 mmHg
SHIFT = 10_000.0  # years; what an awkward origin of the time axis adds to every age


def quick(device: torch.device) -> Findings:
    """Fit with and without the outlier, and press the solvers until they break."""
    ages, pressures = (values.to(device) for values in blood_pressure.load())
    keep = torch.arange(len(ages), device=device) != OUTLIER
    claims = _fit("", ages, pressures) | _fit("_without", ages[keep], pressures[keep])
    claims |= _outlier(ages, pressures) | _descent(ages, pressures)
    without = studentized_residuals(design_matrix(ages[keep]), pressures[keep])
    claims["studentized_largest_without"] = Claim(without.abs().max().item())
    claims |= _precision(ages, pressures)
    return Findings(claims, {"blood_pressure": blood_pressure.checksum()})


def _fit(suffix: str, ages: Tensor, pressures: Tensor) -> dict[str, Claim]:
    X = design_matrix(ages)
    w = solve_by_qr(X, pressures)
    new = torch.tensor([[47.0, 1.0]], dtype=X.dtype, device=X.device)
    low, high = prediction_interval(X, pressures, new)
    error = mean_squared_error(X, pressures, w)
    found = {
        "slope": Claim(w[0].item()),
        "intercept": Claim(w[1].item()),
        "root_mean_squared_error": Claim(error.sqrt().item(), "mmHg"),
        "explained_share": Claim(explained_share(pressures, X @ w).item()),
        "lower": Claim(low.item(), "mmHg"),
        "upper": Claim(high.item(), "mmHg"),
        "width": Claim((high - low).item(), "mmHg"),
    }
    return {name + suffix: claim for name, claim in found.items()}


def _outlier(ages: Tensor, pressures: Tensor) -> dict[str, Claim]:
    X = design_matrix(ages)
    w, influence = solve_by_qr(X, pressures), leverages(X)
    studentized = studentized_residuals(X, pressures).abs()
    residuals = pressures - X @ w
    residual = residuals[OUTLIER]
    variance = residuals.square().sum() / (len(pressures) - 2)
    beyond = 2 * float(stdtr(27, -3))  # 30 - 2 - 1 degrees of freedom
    inside = residuals / (variance * (1 - influence)).sqrt()  # its own error included
    return {
        # How rarely Student's distribution passes 3, and how often one of thirty draws does.
        "studentized_one_in": Claim(1 / beyond),
        "studentized_thirty_looks": Claim(100 * (1 - (1 - beyond) ** 30), "of 100"),
        "studentized_inside": Claim(inside[OUTLIER].abs().item()),
        "residual": Claim(residual.item(), "mmHg"),
        "residual_left_out": Claim((residual / (1 - influence[OUTLIER])).item(), "mmHg"),
        "studentized": Claim(studentized[OUTLIER].item()),
        "studentized_next": Claim(studentized.sort().values[-2].item()),
        "leverage": Claim(influence[OUTLIER].item()),
        "leverage_largest": Claim(influence.max().item()),
        "leverage_oldest": Claim(influence[ages.argmax()].item()),
        "mean_age": Claim(ages.mean().item(), "years"),
    }


def _descent(ages: Tensor, pressures: Tensor) -> dict[str, Claim]:
    X = design_matrix(ages)
    raw = descend(X, pressures, fastest_step_size(X), steps=1000)[-1]
    scaled = design_matrix((ages - ages.mean()) / ages.std())
    path = descend(scaled, pressures, fastest_step_size(scaled), steps=20)
    errors = (path - solve_by_qr(scaled, pressures)).abs().amax(dim=1)
    return {
        "condition": Claim(torch.linalg.cond(X).item(), tolerance=1e-4),
        "condition_squared": Claim(torch.linalg.cond(X.T @ X).item(), tolerance=0.1),
        "condition_scaled": Claim(torch.linalg.cond(scaled).item()),
        "intercept_after_1000_steps": Claim(raw[1].item(), tolerance=1e-4),
        "steps_scaled": Claim(int((errors > 5e-5).sum()), tolerance=0),
    }


def _precision(ages: Tensor, pressures: Tensor) -> dict[str, Claim]:
    X = design_matrix(ages + SHIFT)
    single, target = X.float(), pressures.float()
    default = torch.linalg.lstsq(single, target.unsqueeze(1)).solution
    slopes = {
        "shifted_normal_float64": solve_normal_equations(X, pressures)[0],
        "shifted_qr_float32": solve_by_qr(single, target)[0],
        "shifted_lstsq_float32": default[0, 0],
    }
    # Digits lost to rounding differ from one machine to the next; QR keeps four of them.
    claims = {name: Claim(slope.item(), tolerance=1e-3) for name, slope in slopes.items()}
    condition = torch.linalg.cond(X).item()
    scaled = torch.linalg.cond(X / X.norm(dim=0)).item()
    return claims | {
        "condition_shifted": Claim(condition / 1e6, "million", {}, 0.01),
        "condition_shifted_scaled": Claim(scaled, tolerance=0.01),
    }
