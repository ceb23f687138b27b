"""Figures of the chapter on risk; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data import heights
from dlbook.figures.style import Theme
from dlbook.risk import (
    best_thresholds,
    fit_gaussian,
    gaussian_threshold,
    log_density,
    margin,
    mistakes,
    mistakes_at_least,
)
from dlbook.runs.record import claims_of
from dlbook.runs.risk import CANDIDATES, QUESTIONS, chosen_risks, maximal_gap, risk_of


def losses(theme: Theme) -> Figure:
    """Three losses. The 0-1 loss is 0 for the right class and 1 for any wrong one.

    The quadratic loss is a parabola of the difference. The loss -log q grows without bound
    as q goes to 0, is 0 where q is 1, and negative where a density is above 1.
    """
    drawing = Figure(figsize=(7, 2.3), layout="constrained")
    left, middle, right = drawing.subplots(1, 3)
    left.bar(["right", "wrong"], [0, 1], width=0.5, color=theme.classes[0])
    left.set(xlabel="class predicted", ylabel="loss", title="0-1", ylim=(-0.05, 1.1))
    difference = torch.linspace(-2, 2, 100)
    middle.plot(difference, difference.square(), color=theme.classes[1])
    middle.set(xlabel="prediction − target", ylabel="loss", title="quadratic")
    promised = torch.linspace(0.01, 4, 400)
    right.plot(promised, -promised.log(), color=theme.classes[2])
    right.axhline(0, color=theme.muted, linewidth=0.8)
    right.set(xlabel="q(z), as promised", ylabel="loss (nats)", title="−log q")
    right.set(xlim=(0, 4), ylim=(-1.6, 4.7), xticks=[0, 1, 2, 3, 4])
    return drawing


def two_ways(theme: Theme) -> Figure:
    """Heights of 12 women and 12 men, with a Gaussian fitted to each group.

    The densities cross near 188.9 cm. Below, the number of mistakes of every threshold: a
    staircase that falls from 12 to 5 between 188 and 190 cm and rises again.
    The published threshold 187.5 stands one step higher, at 6.
    """
    females, males = heights.load()
    drawing = Figure(figsize=(7, 4.2), layout="constrained")
    top, bottom = drawing.subplots(2, 1, sharex=True, height_ratios=(1.2, 1))
    grid = torch.linspace(165, 209, 400, dtype=torch.float64)
    groups = ((females, "women", 0), (males, "men", 1))
    for sample, name, group in groups:
        color, marker = theme.classes[group], theme.markers[group]
        fitted = fit_gaussian(sample)
        top.plot(grid, log_density(grid, fitted).exp(), color=color)
        rows = [-0.005 - 0.013 * group - 0.004 * rank for rank in _ranks(sample)]
        top.scatter(sample, rows, s=16, marker=marker, color=color, label=name)
    crossing = gaussian_threshold(fit_gaussian(females), fit_gaussian(males)).item()
    top.axvline(crossing, color=theme.ink, linestyle="--", linewidth=1)
    top.annotate(
        f"equally likely\nat {crossing:.2f} cm",
        (crossing, 0.062),
        (6, 2),
        textcoords="offset points",
    )
    top.set_yticks([0, 0.02, 0.04, 0.06])
    top.set(ylabel="density (per cm)", ylim=(-0.031, 0.077))
    top.legend(loc="upper left")
    _staircase(bottom, females, males, theme)
    return drawing


def _ranks(sample: Tensor) -> list[int]:
    """Count for each value how often it occurred before, to stack equal heights."""
    values = sample.tolist()
    return [values[:place].count(value) for place, value in enumerate(values)]


def _staircase(axes: Axes, females: Tensor, males: Tensor, theme: Theme) -> None:
    grid = torch.linspace(165, 209, 2201, dtype=torch.float64)
    counts = mistakes(grid, females, males)
    axes.plot(grid, counts, color=theme.ink, drawstyle="steps-mid", linewidth=1.2)
    least, ((start, end),) = best_thresholds(females, males)
    axes.plot([start, end], [least, least], color=theme.accent, linewidth=5)
    axes.annotate(
        f"{least} mistakes, from {start:.0f} to {end:.0f} cm",
        (start + 1, least),
        (0, -14),
        textcoords="offset points",
        ha="center",
        color=theme.accent,
    )
    axes.plot([187.5], [6], marker="s", color=theme.classes[2], linestyle="none")
    axes.annotate(
        "published: 187.5 cm",
        (187.5, 6),
        (-10, -8),
        textcoords="offset points",
        ha="right",
        color=theme.classes[2],
    )
    axes.set_yticks([4, 6, 8, 10, 12])
    axes.set(
        xlabel="threshold, or height (cm)", ylabel="mistakes among 24", ylim=(2.5, 12.8)
    )


def fixed_and_chosen(theme: Theme) -> Figure:
    """Two histograms of risks of thresholds, over 1000 samples of 24 players.

    The empirical risk of the threshold chosen on the sample lies mostly left of the
    smallest possible risk, about 23 %; its true risk lies right of it, always.
    """
    females, males = heights.load()
    low, high = fit_gaussian(females), fit_gaussian(males)
    apparent, true = (100 * chosen_risks(24, 1000, low, high, seed=1)).tolist()
    least = 100 * risk_of(gaussian_threshold(low, high), low, high).item()
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    bins = (torch.arange(14) - 0.5) * 100 / 24
    edge = {"edgecolor": theme.paper, "linewidth": 0.5}
    blue, orange = theme.classes[:2]
    axes.hist(apparent, bins, color=blue, label="on the sample it was chosen on", **edge)
    fine = torch.arange(least, 52, 100 / 48)
    axes.hist(
        true, fine, color=orange, alpha=0.75, hatch="//", label="on new players", **edge
    )
    axes.axvline(least, color=theme.ink, linestyle="--", linewidth=1.2)
    axes.annotate(
        "least possible", (least, 0.97), (-5, 0), ha="right", textcoords="offset points",
        xycoords=("data", "axes fraction"), va="top",
    )  # fmt: skip
    axes.set(xlabel="risk of the chosen threshold (%)", ylabel="samples", xlim=(-2.1, 52))
    drawing.legend(loc="outside lower center", ncols=2)
    return drawing


def best_of(theme: Theme, candidates: int = 100) -> Figure:
    """Bars: how likely each empirical risk is for the best of {candidates} coin tossers.

    Each is judged on the same 100 questions. The more candidates there are, the farther
    the bars lie to the left of the true risk, 50 %, which is marked by a dashed line.
    """
    at_least = mistakes_at_least(QUESTIONS, 0.5) ** candidates
    chances = at_least - torch.cat([at_least[1:], at_least.new_zeros(1)])
    share = 100 * torch.arange(QUESTIONS + 1) / QUESTIONS
    mean = (share * chances).sum().item()
    drawing = Figure(figsize=(7, 2.5), layout="constrained")
    axes = drawing.subplots()
    axes.bar(share[20:66], 100 * chances[20:66], width=0.8, color=theme.classes[0])
    axes.axvline(50, color=theme.ink, linestyle="--", linewidth=1.2)
    axes.text(50.5, 23.5, "true risk, 50 %", va="top")
    axes.axvline(mean, color=theme.accent, linewidth=1.2)
    if candidates > 1:
        axes.text(mean - 0.5, 23.5, f"mean, {mean:.1f} %", va="top", ha="right",
                  color=theme.accent)  # fmt: skip
    axes.set(
        xlabel="empirical risk of the best (%)", ylabel="probability (%)",
        xlim=(20, 66), ylim=(0, 27), title=f"best of {candidates}",
    )  # fmt: skip
    return drawing


def bias_against_candidates(theme: Theme) -> Figure:
    """Empirical risk of the best of |F| coin tossers, against |F| on a logarithmic axis.

    The exact mean falls from 50 % for one to about 34 % for 1000, nearly along a line.
    Two simulations lie on it. A dashed bound runs a few per cent below.
    """
    claims = claims_of("risk")
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    exact = [100 * value for value in claims["best_exact"].value]
    bound = [100 * (0.5 - maximal_gap(count)) for count in CANDIDATES]
    axes.axhline(50, color=theme.muted, linewidth=1)
    axes.text(1000, 50.4, "true risk of every candidate", ha="right")
    axes.plot(
        CANDIDATES, exact, color=theme.classes[0], marker="o", ms=4, label="exact mean"
    )
    axes.plot(CANDIDATES, bound, color=theme.ink, ls="--", lw=1, label="bound")
    simulated = [100 * claims[f"best_of_{count}"].value for count in (10, 1000)]
    look = {"marker": "s", "ms": 9, "mfc": "none", "ls": "none"}
    axes.plot([10, 1000], simulated, color=theme.accent, label="simulated", **look)
    axes.set(
        xscale="log", ylim=(30, 53), xlabel="number of candidates |F|",
        ylabel="empirical risk of the best (%)",
    )  # fmt: skip
    axes.legend(loc="lower left")
    return drawing


def margins(theme: Theme) -> Figure:
    """Half-width of the interval that holds all risks with 95 % confidence, against N.

    Both axes are logarithmic. Three parallel falling lines, for 1, 1000 and a million
    candidates: hundred times the samples make them ten times narrower, and a million
    candidates widen them by less than a factor of three.
    """
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    sizes = [24, 100, 1000, 10_000, 100_000]
    for group, count in enumerate((1, 1000, 1_000_000)):
        widths = [100 * margin(n, count) for n in sizes]
        look = {"color": theme.classes[group], "marker": theme.markers[group], "ms": 5}
        axes.plot(sizes, widths, label=f"|F| = {count:,}".replace(",", " "), **look)
    axes.set(
        xscale="log", yscale="log", xlabel="sample size N", ylabel="margin (% points)"
    )
    axes.legend(loc="upper right")
    return drawing
