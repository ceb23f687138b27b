"""Loss and risk: what a predictor costs on average, and how well a sample tells.

Sources: V. Vapnik, "An overview of statistical learning theory", IEEE Transactions on
Neural Networks 10(5), 1999, doi:10.1109/72.788640; W. Hoeffding, "Probability
inequalities for sums of bounded random variables", Journal of the American Statistical
Association 58(301), 1963, doi:10.1080/01621459.1963.10500830; C. Clopper and E. Pearson,
"The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26(4), 1934, doi:10.1093/biomet/26.4.404.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from dlbook.contract import (
    require_between,
    require_classes,
    require_count,
    require_finite,
    require_number,
    require_same_dtype,
    require_same_shape,
    require_vector,
    require_wide,
)


def zero_one_loss(predictions: Tensor, labels: Tensor) -> Tensor:
    """Charge 1 for every wrong class.

    Args:
        predictions: (N,) int64, the classes predicted, counted from 0.
        labels: (N,) int64, the true classes, alike.

    Returns:
        (N,) float64, each 0 or 1.

    Raises:
        TypeError: they are no int64; scores of a network are not classes yet.
        ValueError: the shapes differ, there are none, or a class is negative.
    """
    require_same_shape(predictions, labels, "predictions and labels")
    require_classes(predictions, len(labels), name="predictions")
    require_classes(labels, len(labels))
    return (predictions != labels).double()


def quadratic_loss(predictions: Tensor, targets: Tensor) -> Tensor:
    """Charge the square of the difference.

    Args:
        predictions: (N,) float32 or float64.
        targets: (N,) floats, in the same unit.

    Returns:
        (N,) floats, in that unit squared.

    Raises:
        TypeError: they are no floats; bytes would wrap around, squares in 16 bits overflow.
        ValueError: the shapes differ, there are none, or one is not finite.
    """
    require_same_shape(predictions, targets, "predictions and targets")
    require_vector(predictions, "predictions")
    require_wide(predictions, "predictions")
    require_vector(targets, "targets", len(predictions))
    return (predictions - targets).square()


def log_loss(densities: Tensor) -> Tensor:
    """Charge the surprise: minus the logarithm of what was promised for what came.

    Args:
        densities: (N,) float32 or float64, q(z) at each sample z; a probability where z is
            discrete.

    Returns:
        (N,) floats, in nats: infinite where q(z) is 0, negative where it is above 1, as a
        density may be, and a probability may not.

    Raises:
        TypeError: they are no floats, or floats of 16 bits, where 1e-8 is 0.
        ValueError: there are none, or one is negative or not finite.
    """
    require_vector(densities, "densities")
    require_wide(densities, "densities")
    if not densities.is_meta and (densities < 0).any():
        raise ValueError(f"densities must be 0 or more, got {densities.min()}")
    return -densities.log()


def empirical_risk(losses: Tensor) -> Tensor:
    """Average the losses over a sample.

    Args:
        losses: (N,) floats, the loss of one fixed predictor at each sample; may be infinite,
            but not minus infinity.

    Returns:
        a 0d tensor, in the unit of the loss.

    Raises:
        TypeError: they are no floats.
        ValueError: there is no sample, or a loss is NaN or minus infinity.
    """
    if not losses.is_floating_point():
        raise TypeError(f"losses must be floats, got {losses.dtype}")
    if losses.ndim != 1 or len(losses) == 0 or not (losses > -torch.inf).all():
        raise ValueError(
            f"losses must be (N,), N ≥ 1, no NaN or -inf, got {tuple(losses.shape)}"
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
        TypeError: the losses are no floats.
        ValueError: fewer than two losses, all equal, or so few unlike ones that the
            interval of losses from 0 on begins below 0, or that of losses up to 1 ends
            above 1; or a level outside (0, 1).
    """
    require_vector(losses, "losses")
    if len(losses) < 2 or not 0 < level < 1:
        raise ValueError(
            f"needs 2 losses and a level in (0, 1), got {len(losses)}, {level}"
        )
    error = losses.std() / math.sqrt(len(losses))
    quantile = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
    low, high = (losses.mean() + sign * quantile.item() * error for sign in (-1, 1))
    if not losses.is_meta and (
        error == 0 or low < 0 <= losses.min() or losses.max() == 1 < high
    ):
        raise ValueError(
            f"the losses are too much alike for a normal average, got {low} to {high}; "
            "exact_interval counts mistakes"
        )
    return low, high


def exact_interval(wrong: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Give all risks under which a count of mistakes is no surprise, however few they are.

    Args:
        wrong: how many mistakes were seen, from 0 to n.
        n: on how many samples, at least 1, by a predictor fixed beforehand.
        level: the interval holds the risk at least this often, between 0 and 1.

    Returns:
        the bounds: below the lower one, `wrong` or more mistakes have a probability under
        (1 - level) / 2; above the upper one, `wrong` or fewer have.

    Raises:
        ValueError: an argument is out of its range.
    """
    require_count(n, 1, "n")
    require_count(wrong, 0, "wrong")
    require_between(wrong, 0, n, "wrong")
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")

    def least_risk(count: int) -> float:
        """Find the risk under which `count` or more mistakes are no surprise."""
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            likely = mistakes_at_least(n, middle)[count] > (1 - level) / 2
            low, high = (low, middle) if likely else (middle, high)
        return high

    lower = least_risk(wrong) if wrong > 0 else 0.0
    upper = 1 - least_risk(n - wrong) if wrong < n else 1.0  # rights for wrongs
    return lower, upper


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
    require_count(n, 1, "n")
    require_count(candidates, 1, "candidates")
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
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
    require_count(candidates, 1, "candidates")
    at_least = mistakes_at_least(n, risk)[1:]  # P(M ≥ 1), ..., P(M ≥ n)
    fewer = mistakes_at_least(n, 1 - risk).flip(0)[:-1]  # P(M < 1), ..., P(M < n)
    # A chance that rounds to 1 would stay 1 in any power: take what it lacks instead.
    logs = torch.where(fewer < 0.5, torch.log1p(-fewer), at_least.log())
    return (float(candidates) * logs).exp().sum().item() / n


def mistakes_at_least(n: int, risk: float) -> Tensor:
    """Compute how likely m or more mistakes in n are, for every m.

    Args:
        n: size of the sample, at least 1.
        risk: the probability of a mistake, from 0 to 1.

    Returns:
        (n + 1,) float64: P(M ≥ 0), P(M ≥ 1), ..., P(M ≥ n).

    Raises:
        ValueError: n or the risk is out of its range.
    """
    require_count(n, 1, "n")
    require_between(risk, 0, 1, "risk")
    m = torch.arange(n + 1, dtype=torch.float64)
    total = torch.tensor(float(n), dtype=torch.float64)
    ways = torch.lgamma(total + 1) - torch.lgamma(m + 1) - torch.lgamma(total - m + 1)
    p = torch.tensor(risk, dtype=torch.float64)
    chances = (ways + torch.xlogy(m, p) + torch.xlogy(total - m, 1 - p)).exp()
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
        TypeError: the sample holds no floats.
        ValueError: the sample has no spread, and no density fits it best.
    """
    require_vector(sample, "sample")
    deviation = sample.std(correction=0)
    if not sample.is_meta and (sample == sample[0]).all():
        raise ValueError(f"the sample must have two different values, got {sample}")
    return Gaussian(sample.mean(), deviation)


def log_density(x: Tensor, gaussian: Gaussian) -> Tensor:
    """Evaluate the logarithm of a normal density.

    Args:
        x: floats of any shape, in the unit of the mean.
        gaussian: the density.

    Returns:
        floats of the shape of x.

    Raises:
        TypeError: x are no floats.
        ValueError: there are none, a number is not finite, or the deviation not above 0.
    """
    require_finite(x, "x")
    mean, deviation = gaussian
    require_number(mean, "mean")
    require_number(deviation, "deviation")
    if not deviation.is_meta and not deviation > 0:
        raise ValueError(f"the deviation must be above 0, got {deviation}")
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
        thresholds: (T,) floats; of one dtype with the samples, as 187.1 in 32 bits is
            another number than 187.1 in 64.
        low: (N,) floats, samples that should lie below.
        high: (N',) floats, samples that should lie at or above.

    Returns:
        (T,) int64, from 0 to N + N'.

    Raises:
        TypeError: samples or thresholds are no floats, or their dtypes differ.
        ValueError: a sample is empty or not finite, or a threshold not a number.
    """
    require_vector(low, "low")
    require_vector(high, "high")
    require_same_dtype(low, high, "low and high")
    require_same_dtype(thresholds, low, "thresholds and samples")
    if thresholds.ndim != 1 or thresholds.isnan().any():
        raise ValueError(f"thresholds must be numbers (T,), got {thresholds}")
    column = thresholds[:, None]
    return (low >= column).sum(dim=1) + (high < column).sum(dim=1)


def best_thresholds(low: Tensor, high: Tensor) -> tuple[int, list[tuple[float, float]]]:
    """Find every threshold that makes the fewest mistakes.

    The rule is that of `mistakes`: above means high. Swapped samples get the best of bad
    thresholds, with about half of the answers wrong.

    Args:
        low: (N,) floats, samples that should lie below.
        high: (N',) floats, samples that should lie at or above.

    Returns:
        the number of mistakes, and the intervals (a, b], open at a, where it is reached.

    Raises:
        TypeError: a sample holds no floats, or their dtypes differ.
        ValueError: a sample is empty or not finite.
    """
    require_vector(low, "low")
    require_vector(high, "high")
    require_same_dtype(low, high, "low and high")
    values = torch.cat([low, high]).unique()  # sorted
    infinity = values.new_tensor([torch.inf])
    starts, ends = torch.cat([-infinity, values]), torch.cat([values, infinity])
    counts = mistakes(ends, low, high)  # constant on each (start, end]
    least = counts.min()
    intervals = zip(starts[counts == least], ends[counts == least], strict=True)
    return least.item(), [(start.item(), end.item()) for start, end in intervals]
