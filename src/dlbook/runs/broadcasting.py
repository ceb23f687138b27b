"""The measured numbers of the chapter on broadcasting."""

import torch
from torch import Tensor

from dlbook.broadcasting import center, mean_squared_error
from dlbook.data import blood_pressure
from dlbook.runs.record import Claim, Findings


def quick(device: torch.device) -> Findings:
    """Center two samples; fit a line with and without the broadcasting bug.

    Args:
        device: where to compute.

    Returns:
        means that are left after centering, and both fits with their errors.
    """
    ages, pressures = (values.to(device) for values in blood_pressure.load())
    slope, intercept = fit(ages, pressures, broken=False)
    broken_slope, broken_intercept = fit(ages, pressures, broken=True)
    fitted, level = slope * ages + intercept, broken_slope * ages + broken_intercept
    perfect = (pressures[:, None] - pressures).square().mean()
    claims = {
        "mean_left": left_over(0, device, tolerance=5e-8),
        "mean_left_far": left_over(1000, device, tolerance=1e-4),
        "slope": Claim(slope.item(), "mmHg per year"),
        "broken_slope": Claim(abs(broken_slope.item()), "mmHg per year"),
        "broken_intercept": Claim(broken_intercept.item(), "mmHg"),
        "mean_pressure": Claim(pressures.mean().item(), "mmHg"),
        "perfect_broken_error": Claim(perfect.item()),
        "error": Claim(mean_squared_error(fitted, pressures).item()),
        "level_error": Claim(mean_squared_error(level, pressures).item()),
    }
    return Findings(claims, {"blood_pressure": blood_pressure.checksum()})


def left_over(offset: float, device: torch.device, tolerance: float) -> Claim:
    """Center a float32 sample of 100 x 4 and find the column mean farthest from zero.

    Args:
        offset: the mean of the sample before; its standard deviation is 1.
        device: where to compute.
        tolerance: by how much another order of summation may differ.

    Returns:
        the size of that mean.
    """
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(100, 4, generator=generator) + offset
    means = center(sample.to(device)).mean(dim=0)
    return Claim(means.abs().max().item(), tolerance=tolerance)


def fit(ages: Tensor, pressures: Tensor, broken: bool) -> tuple[Tensor, Tensor]:
    """Fit a line by gradient descent on the mean square, as a beginner would write it.

    Args:
        ages: (N,) floats, in years.
        pressures: (N,) floats, in mmHg.
        broken: whether the targets stay a vector while the predictions are a column.

    Returns:
        slope, 0d in mmHg per year, and intercept, 0d in mmHg.
    """
    inputs = ((ages - ages.mean()) / ages.std())[:, None]  # (N, 1)
    targets = pressures if broken else pressures[:, None]
    weights = torch.zeros(2, dtype=ages.dtype, device=ages.device, requires_grad=True)
    for _ in range(200):
        loss = (inputs * weights[0] + weights[1] - targets).square().mean()
        (gradient,) = torch.autograd.grad(loss, weights)
        weights = (weights - 0.1 * gradient).detach().requires_grad_()
    slope = weights[0].detach() / ages.std()
    return slope, weights[1].detach() - slope * ages.mean()
