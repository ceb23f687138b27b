"""Loss and risk: what a predictor costs on average, and how well a sample tells.

Sources: V. Vapnik, "An overview of statistical learning theory", IEEE Transactions on
Neural Networks 10(5), 1999, doi:10.1109/72.788640; W. Hoeffding, "Probability
inequalities for sums of bounded random variables", Journal of the American Statistical
Association 58(301), 1963, doi:10.1080/01621459.1963.10500830.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor


def zero_one_loss(predictions: Tensor, labels: Tensor) -> Tensor:
    """Charge 1 for every wrong class.

    Args:
        predictions: (N,) int64, the classes predicted.
        labels: (N,) int64, the true classes.

    Returns:
        (N,) float64, each 0 or 1.

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(predictions, labels)
    return (predictions != labels).double()


def quadratic_loss(predictions: Tensor, targets: Tensor) -> Tensor:
    """Charge the square of the difference.

    Args:
        predictions: (N,) floats.
        targets: (N,) floats, in the same unit.

    Returns:
        (N,) floats, in that unit squared.

    Raises:
        ValueError: the shapes differ.
    """
    _same_shape(predictions, targets)
    return (predictions - targets).square()


def log_loss(densities: Tensor) -> Tensor:
    """Charge the surprise: minus the logarithm of what was promised for what came.

    Args:
        densities: (N,) floats, q(z) at each sample z; a probability where z is discrete.

    Returns:
        (N,) floats, in nats; infinite where q(z) is 0.

    Raises:
        ValueError: a density is negative or not a number.
    """
    if not (densities >= 0).all():
        raise ValueError(f"densities must be 0 or more, got {densities.min()}")
    return -densities.log()


def _same_shape(predictions: Tensor, targets: Tensor) -> None:
    if predictions.shape != targets.shape:
        found = f"{tuple(predictions.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"predictions and targets must have one shape, got {found}")


def empirical_risk(losses: Tensor) -> Tensor:
    """Average the losses over a sample.

    Args:
        losses: (N,) floats, the loss of one fixed predictor at each sample.

    Returns:
        a 0d tensor, in the unit of the loss.

    Raises:
        ValueError: there is no sample, or a loss is not a number.
    """
    if losses.dim() != 1 or len(losses) == 0 or losses.isnan().any():
        raise ValueError(
            f"losses must be (N,), N ≥ 1, without NaN, got {tuple(losses.shape)}"
        )
    return losses.mean()


def confidence_interval(losses: Tensor, level: float = 0.95) -> tuple[Tensor, Tensor]:
    """Say within which bounds the risk lies, if the average is nearly normal.

    Args:
        losses: (N,) floats, N ≥ 2, of a predictor fixed before the sample was drawn.
        level: how often such intervals hold the risk, between 0 and 1.

    Returns:
        the lower and the upper bound, 0d each.

    Raises:
        ValueError: fewer than two losses, or a level outside (0, 1).
    """
    if len(losses) < 2 or not 0 < level < 1:
        raise ValueError(
            f"needs 2 losses and a level in (0, 1), got {len(losses)}, {level}"
        )
    center = empirical_risk(losses)
    error = losses.std() / math.sqrt(len(losses))
    quantile = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64))
    return center - quantile * error, center + quantile * error


def margin(n: int, candidates: int, level: float = 0.95) -> float:
    """Bound by how much any of several empirical risks may lie off its risk.

    Args:
        n: size of the sample, at least 1.
        candidates: how many predictors were tried on it, at least 1.
        level: with which probability the bound holds for all of them, between 0 and 1.

    Returns:
        half the width of Hoeffding's interval, for losses between 0 and 1.

    Raises:
        ValueError: an argument is out of its range.
    """
    if n < 1 or candidates < 1 or not 0 < level < 1:
        raise ValueError(
            "n and candidates must be 1 or more and level in (0, 1), "
            f"got {n}, {candidates}, {level}"
        )
    return math.sqrt(math.log(2 * candidates / (1 - level)) / (2 * n))


def expected_best(n: int, candidates: int, risk: float) -> float:
    """Compute the mean of the smallest of several independent empirical risks.

    Args:
        n: size of the sample, at least 1.
        candidates: |F|, how many predictors are tried, at least 1.
        risk: the probability of a mistake, the same for all, from 0 to 1.

    Returns:
        the expected empirical risk of the one that looks best, from 0 to `risk`.

    Raises:
        ValueError: an argument is out of its range.
    """
    if candidates < 1:
        raise ValueError(f"candidates must be 1 or more, got {candidates}")
    at_least = mistakes_at_least(n, risk)[1:]  # P(K ≥ 1), ..., P(K ≥ n)
    return (at_least**candidates).sum().item() / n


def mistakes_at_least(n: int, risk: float) -> Tensor:
    """Compute how likely k or more mistakes in n are, for every k.

    Args:
        n: size of the sample, at least 1.
        risk: the probability of a mistake, from 0 to 1.

    Returns:
        (n + 1,) float64: P(K ≥ 0), P(K ≥ 1), ..., P(K ≥ n).

    Raises:
        ValueError: n or the risk is out of its range.
    """
    if n < 1 or not 0 <= risk <= 1:
        raise ValueError(f"n must be 1 or more and the risk in [0, 1], got {n}, {risk}")
    k = torch.arange(n + 1, dtype=torch.float64)
    total = torch.tensor(float(n), dtype=torch.float64)
    ways = torch.lgamma(total + 1) - torch.lgamma(k + 1) - torch.lgamma(total - k + 1)
    p = torch.tensor(risk, dtype=torch.float64)
    chances = (ways + torch.xlogy(k, p) + torch.xlogy(total - k, 1 - p)).exp()
    return chances.flip(0).cumsum(0).flip(0).clamp(max=1)


class Gaussian(NamedTuple):
    """A normal density on the line.

    Attributes:
        mean: 0d tensor.
        deviation: 0d tensor, the standard deviation, above 0, in the unit of the mean.
    """

    mean: Tensor
    deviation: Tensor


def fit_gaussian(sample: Tensor) -> Gaussian:
    """Fit mean and standard deviation by maximum likelihood.

    Args:
        sample: (N,) floats with at least two different values.

    Returns:
        the Gaussian under which the sample is most likely: its variance divides by N.

    Raises:
        ValueError: the sample has no spread, and no density fits it best.
    """
    deviation = sample.std(correction=0) if len(sample) else sample.sum()
    if not deviation > 0:
        raise ValueError(f"the sample must have two different values, got {sample}")
    return Gaussian(sample.mean(), deviation)


def log_density(x: Tensor, gaussian: Gaussian) -> Tensor:
    """Evaluate the logarithm of a normal density.

    Args:
        x: floats of any shape, in the unit of the mean.
        gaussian: the density.

    Returns:
        floats of the shape of x.
    """
    mean, deviation = gaussian
    distance = (x - mean) / deviation
    return -distance.square() / 2 - deviation.log() - math.log(2 * math.pi) / 2


def gaussian_threshold(low: Gaussian, high: Gaussian) -> Tensor:
    """Find where two equally frequent classes are equally likely, between their means.

    Args:
        low: the density of the class with the smaller mean.
        high: the density of the other.

    Returns:
        a 0d tensor; below it `low` is the likelier class, above it `high`.

    Raises:
        ValueError: there is no such point between the means.
    """
    left, right = low.mean, high.mean

    def odds(x: Tensor) -> Tensor:
        return log_density(x, high) - log_density(x, low)

    if not (left < right and odds(left) < 0 < odds(right)):
        raise ValueError(
            f"the classes must change between their means, got {low}, {high}"
        )
    for _ in range(60):  # halving the interval 60 times exhausts float64
        middle = (left + right) / 2
        left, right = (left, middle) if odds(middle) > 0 else (middle, right)
    return right


def mistakes(thresholds: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Count the mistakes of `x ≥ threshold means high`, for many thresholds at once.

    Args:
        thresholds: (T,) floats.
        low: (N,) floats, samples that should lie below.
        high: (M,) floats, samples that should lie at or above.

    Returns:
        (T,) int64, from 0 to N + M.
    """
    column = thresholds[:, None]
    return (low >= column).sum(dim=1) + (high < column).sum(dim=1)


def best_thresholds(low: Tensor, high: Tensor) -> tuple[int, list[tuple[float, float]]]:
    """Find every threshold that makes the fewest mistakes.

    Args:
        low: (N,) floats, samples that should lie below.
        high: (M,) floats, samples that should lie at or above.

    Returns:
        the number of mistakes, and the intervals (a, b], open at a, where it is reached.

    Raises:
        ValueError: there is no sample, or a value is not a number.
    """
    values = torch.cat([low, high]).unique()  # sorted
    if len(values) == 0 or values.isnan().any():
        raise ValueError(f"samples must hold numbers and no NaN, got {values.tolist()}")
    infinity = values.new_tensor([torch.inf])
    starts, ends = torch.cat([-infinity, values]), torch.cat([values, infinity])
    counts = mistakes(ends, low, high)  # constant on each (start, end]
    least = counts.min()
    intervals = zip(starts[counts == least], ends[counts == least], strict=True)
    return least.item(), [(start.item(), end.item()) for start, end in intervals]
