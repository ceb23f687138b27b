"""The measured numbers of the chapter on risk."""

import math

import torch
from torch import Tensor

from dlbook.data import heights
from dlbook.risk import (
    Gaussian,
    best_thresholds,
    exact_interval,
    expected_best,
    fit_gaussian,
    gaussian_threshold,
    margin,
    mistakes,
    mistakes_at_least,
)
from dlbook.runs.record import Claim, Findings, over_seeds

CANDIDATES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # |F|
QUESTIONS = 100  # samples on which every candidate is judged
SEEDS = 10


def quick(device: torch.device) -> Findings:
    """Separate the heights in two ways; then measure empirical risks, fixed and chosen.

    Args:
        device: where to compute.

    Returns:
        thresholds and their mistakes, and how far empirical risks lie from risks.
    """
    females, males = (values.to(device) for values in heights.load())
    claims = thresholds(females, males) | fixed(females, males) | chosen(females, males)
    exact = [expected_best(QUESTIONS, count, 0.5) for count in CANDIDATES]
    claims["best_exact"] = Claim(exact, tolerance=1e-9)
    claims["best_bound"] = Claim([0.5 - maximal_gap(count) for count in CANDIDATES])
    for count in (10, 1000):
        means = [best_of(count, seed, device) for seed in range(SEEDS)]
        claims[f"best_of_{count}"] = over_seeds(means, tolerance=0.01)
    claims["normal_coverage_1_in_100"] = Claim(100 * normal_coverage(100, 0.01), "%")
    claims["margin_1"] = Claim(margin(QUESTIONS, 1))
    claims["margin_1000"] = Claim(margin(QUESTIONS, 1000))
    return Findings(claims, {"heights": heights.checksum()})


def thresholds(females: Tensor, males: Tensor) -> dict[str, Claim]:
    """Fit the heights generatively and discriminatively.

    Args:
        females: (N,) floats in cm.
        males: (M,) floats in cm.

    Returns:
        thresholds in cm, and how many of the players each puts on the wrong side.
    """
    low, high = fit_gaussian(females), fit_gaussian(males)
    sampled = [Gaussian(sample.mean(), sample.std()) for sample in (females, males)]
    generative = gaussian_threshold(low, high)
    share = low.deviation / (low.deviation + high.deviation)
    equal_errors = low.mean + share * (high.mean - low.mean)
    tried = torch.stack([generative, *generative.new_tensor([187.5, 189.23])])
    counts = mistakes(tried, females, males)
    least, ((start, end),) = best_thresholds(females, males)
    return {
        "female_mean": Claim(low.mean.item(), "cm"),
        "female_deviation": Claim(low.deviation.item(), "cm"),
        "male_mean": Claim(high.mean.item(), "cm"),
        "male_deviation": Claim(high.deviation.item(), "cm"),
        "generative": Claim(generative.item(), "cm"),
        "generative_corrected": Claim(gaussian_threshold(*sampled).item(), "cm"),
        "midpoint": Claim(((low.mean + high.mean) / 2).item(), "cm"),
        "equal_errors": Claim(equal_errors.item(), "cm"),
        "second_crossing": Claim(other_crossing(low, high, generative).item(), "cm"),
        "generative_mistakes": Claim(counts[0].item()),
        "published_discriminative_mistakes": Claim(counts[1].item()),
        "published_generative_mistakes": Claim(counts[2].item()),
        "fewest_mistakes": Claim(least),
        "fewest_from": Claim(start, "cm"),
        "fewest_to": Claim(end, "cm"),
    }


def other_crossing(low: Gaussian, high: Gaussian, crossing: Tensor) -> Tensor:
    """Find where two normal densities of unequal width cross a second time.

    Args:
        low: one density.
        high: the other, of another deviation.
        crossing: 0d, where they cross first.

    Returns:
        a 0d tensor: the log odds are a parabola, and the sum of its roots is known.
    """
    precisions = [1 / density.deviation.square() for density in (low, high)]
    slope = low.mean * precisions[0] - high.mean * precisions[1]
    return 2 * slope / (precisions[0] - precisions[1]) - crossing


def risk_of(threshold: Tensor, low: Gaussian, high: Gaussian) -> Tensor:
    """Compute the true risk of a threshold where both densities are known.

    Args:
        threshold: floats of any shape, in cm.
        low: the density of one class, which has probability 1/2.
        high: the density of the other.

    Returns:
        floats of the shape of the threshold, from 0 to 1.
    """
    above = torch.special.ndtr((low.mean - threshold) / low.deviation)
    below = torch.special.ndtr((threshold - high.mean) / high.deviation)
    return (above + below) / 2


def draw(n: int, repeats: int, low: Gaussian, high: Gaussian, seed: int) -> Tensor:
    """Draw samples from a population in which both classes are equally frequent.

    Args:
        n: players per sample.
        repeats: how many samples.
        low: the density of class 0.
        high: the density of class 1.
        seed: equal seeds give equal samples.

    Returns:
        (2, repeats, n) float64: heights in cm, and classes 0 or 1.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (repeats, n), generator=generator).double()
    noise = torch.randn(repeats, n, generator=generator, dtype=torch.float64)
    mean = torch.where(labels == 1, high.mean.cpu(), low.mean.cpu())
    deviation = torch.where(labels == 1, high.deviation.cpu(), low.deviation.cpu())
    return torch.stack([mean + deviation * noise, labels]).to(low.mean.device)


def fixed(females: Tensor, males: Tensor) -> dict[str, Claim]:
    """Measure one fixed threshold on many samples: mean, spread, and coverage.

    Args:
        females: (N,) floats in cm, from which the population is fitted.
        males: (M,) floats in cm.

    Returns:
        risk, average and deviation of empirical risks, and how often intervals hold it.
    """
    low, high = fit_gaussian(females), fit_gaussian(males)
    threshold = gaussian_threshold(low, high)
    true = risk_of(threshold, low, high)
    claims = {"risk": Claim(100 * true.item(), "%")}
    for n in (24, 1000):
        seen, labels = draw(n, 4000, low, high, seed=0)
        losses = ((seen >= threshold) != (labels == 1)).double()
        risks = losses.mean(dim=1)
        half = 1.959964 * losses.std(dim=1) / math.sqrt(n)
        held = ((risks - true).abs() <= half).double()
        counts, places = losses.sum(dim=1).int().unique(return_inverse=True)
        bounds = torch.tensor([exact_interval(count, n) for count in counts.tolist()])
        low_ends, high_ends = bounds.to(true)[places].T
        exact = ((low_ends <= true) & (true <= high_ends)).double()
        predicted = math.sqrt(true * (1 - true) / n)
        claims |= {
            f"mean_{n}": Claim(100 * risks.mean().item(), "%", tolerance=0.01),
            f"deviation_{n}": Claim(100 * risks.std().item(), "%", tolerance=0.01),
            f"deviation_{n}_predicted": Claim(100 * predicted, "%"),
            f"coverage_{n}": Claim(100 * held.mean().item(), "%", tolerance=0.1),
            f"exact_coverage_{n}": Claim(100 * exact.mean().item(), "%", tolerance=0.1),
        }
    return claims


def normal_coverage(n: int, risk: float) -> float:
    """Compute exactly how often the normal interval for a count of mistakes holds the risk.

    Args:
        n: size of the sample, at least 2.
        risk: the probability of a mistake.

    Returns:
        the probability, nominally 0.95.
    """
    at_least = mistakes_at_least(n, risk)
    chances = at_least - torch.cat([at_least[1:], at_least.new_zeros(1)])
    seen = torch.arange(n + 1, dtype=torch.float64) / n
    half = 1.959964 * (seen * (1 - seen) / (n - 1)).sqrt()
    return chances[(seen - risk).abs() <= half].sum().item()


def chosen(females: Tensor, males: Tensor) -> dict[str, Claim]:
    """Choose the best threshold on each of many samples, and compare its two risks.

    Args:
        females: (N,) floats in cm, from which the population is fitted.
        males: (M,) floats in cm.

    Returns:
        averages of the empirical and of the true risk of the chosen threshold.
    """
    low, high = fit_gaussian(females), fit_gaussian(males)
    risks = 100 * chosen_risks(24, 1000, low, high, seed=1)
    means, deviations = risks.mean(dim=1).tolist(), risks.std(dim=1).tolist()
    spreads = [{"samples": 1000, "standard_deviation": each} for each in deviations]
    least = risk_of(gaussian_threshold(low, high), low, high).item()
    return {
        "chosen_apparent": Claim(means[0], "%", spreads[0], tolerance=0.05),
        "chosen_true": Claim(means[1], "%", spreads[1], tolerance=0.05),
        "least_risk": Claim(100 * least, "%"),
    }


def chosen_risks(
    n: int, repeats: int, low: Gaussian, high: Gaussian, seed: int
) -> Tensor:
    """Choose a threshold with the fewest mistakes on each of many samples.

    Args:
        n: players per sample.
        repeats: how many samples.
        low: the density of class 0.
        high: the density of class 1.
        seed: equal seeds give equal samples.

    Returns:
        (2, repeats) float64: the empirical and the true risk of each choice.
    """
    seen, labels = draw(n, repeats, low, high, seed)
    tried = seen.sort(dim=1).values[:, :, None]  # one threshold for each player
    wrong = (seen[:, None] >= tried) != (labels[:, None] == 1)  # (repeats, n, n)
    fewest, which = wrong.double().mean(dim=2).min(dim=1)
    picked = tried.squeeze(2).gather(1, which[:, None]).squeeze(1)
    return torch.stack([fewest, risk_of(picked, low, high)])


def best_of(candidates: int, seed: int, device: torch.device) -> float:
    """Let candidates toss coins on the same questions, and keep the best score.

    Args:
        candidates: |F|, how many of them.
        seed: equal seeds give equal scores.
        device: where to compute.

    Returns:
        the smallest empirical risk, averaged over 200 repetitions.
    """
    generator = torch.Generator().manual_seed(seed)
    chance = torch.full((200, candidates), 0.5)
    wrong = torch.binomial(
        torch.full_like(chance, QUESTIONS), chance, generator=generator
    )
    return (wrong.to(device).min(dim=1).values / QUESTIONS).mean().item()


def maximal_gap(candidates: int) -> float:
    """Bound the mean gap between risk and empirical risk of the best of several.

    Args:
        candidates: |F|, at least 1.

    Returns:
        the square root of ln|F| / 2N.
    """
    return math.sqrt(math.log(candidates) / (2 * QUESTIONS))
