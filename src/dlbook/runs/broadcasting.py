"""The measured numbers of the chapter on broadcasting."""

import torch
from torch import Tensor

from dlbook.broadcasting import center, mean_squared_error
from dlbook.data import blood_pressure
from dlbook.runs.record import Claim, Findings


def quick(device: torch.device) -> Findings:
    """Center samples; fit a line with and without the broadcasting bug.

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
    left, left_two, left_far = (left_over(offset, device) for offset in (0, 2, 1000))
    left_wide = left_over(1000, device, torch.float64)
    claims = {
        "mean_left": Claim(left.mean().item(), tolerance=1e-9),
        "mean_left_two": Claim(left_two.mean().item(), tolerance=1e-8),
        "mean_left_two_largest": Claim(left_two.max().item(), tolerance=5e-8),
        "mean_left_far": Claim(left_far.mean().item(), tolerance=2e-6),
        "mean_left_far_float64": Claim(left_wide.mean().item(), tolerance=2e-14),
        "slope": Claim(slope.item(), "mmHg per year"),
        "broken_slope": Claim(abs(broken_slope.item()), "mmHg per year"),
        "broken_intercept": Claim(broken_intercept.item(), "mmHg"),
        "mean_pressure": Claim(pressures.mean().item(), "mmHg"),
        "perfect_broken_error": Claim(perfect.item()),
        "error": Claim(mean_squared_error(fitted, pressures).item()),
        "level_error": Claim(mean_squared_error(level, pressures).item()),
    }
    return Findings(claims, {"blood_pressure": blood_pressure.checksum()})


def left_over(
    offset: float, device: torch.device, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Center 200 float32 samples of 100 x 4; find in each the column mean farthest from 0.

    One such number is a matter of rounding, and another order of summation gives another
    one; their average hardly moves.

    Args:
        offset: the mean of the samples before; their standard deviation is 1.
        device: where to compute.
        dtype: in which to center the float32 numbers.

    Returns:
        (200,) float64, the sizes of those means.
    """
    left = []
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        sample = torch.randn(100, 4, generator=generator) + offset
        left.append(center(sample.to(device, dtype)).mean(dim=0).abs().max().double())
    return torch.stack(left)


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
