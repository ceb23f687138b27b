"""Figures of the chapter on universal approximation; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.approximation import (
    as_waves,
    cosine_coefficients,
    evaluate,
    grid,
    network_of,
    relu_interpolation,
    wave_sum,
    waves_within,
)
from dlbook.figures.style import Theme
from dlbook.mlp import layer, relu
from dlbook.runs.approximation import PIECES, TOLERANCES, WIDTHS, bump, chirp
from dlbook.runs.record import claims_of


def interpolation(theme: Theme, pieces: int = 8) -> Figure:
    """First: the curve sin(x²) on [0, 3] and a network of {pieces} rectifiers through knots.

    Then: the largest error against the number of pieces, both axes logarithmic. From
    16 pieces on it follows a straight line of slope -2, close to the dashed bound.
    The case on the left is marked by a large star.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1.25, 1))
    x = torch.linspace(0, 3, 601, dtype=torch.float64)
    knots = torch.linspace(0, 3, pieces + 1, dtype=torch.float64)
    network = relu_interpolation(chirp, knots)
    left.plot(x, chirp(x), color=theme.muted, lw=3, alpha=0.6, label="sin x²")
    left.plot(x, evaluate(x[:, None], network), color=theme.classes[0], label="network")
    dots = {"marker": "o", "s": 14, "color": theme.classes[0], "zorder": 3}
    left.scatter(knots, chirp(knots), **(dots if pieces <= 64 else dots | {"s": 4}))
    left.set(xlabel="x", ylabel="output", ylim=(-1.15, 1.7))
    left.set_title(f"{pieces} piece{'s' if pieces > 1 else ''}")
    left.legend(loc="upper left", ncols=2)
    claims = claims_of("approximation")
    errors = claims["errors_chirp"].value
    right.loglog(PIECES, claims["bound_chirp"].value, color=theme.muted, ls="--")
    right.loglog(PIECES, errors, color=theme.classes[0], marker="o", ms=4)
    here = errors[PIECES.index(pieces)]
    right.plot(pieces, here, marker="*", ms=15, color=theme.accent, zorder=4)
    right.text(2.4, 14, "bound", color=theme.muted)
    right.set(xlabel="pieces K", ylabel="largest error", ylim=(1e-5, 60))
    return drawing


def bricks(theme: Theme) -> Figure:
    """First: five bent lines, the weighted rectifiers, each starting at its own knot.

    Then: their sum added up one by one, in ever stronger color. Each new rectifier
    leaves everything to its left alone and bends the line from its knot on.
    """
    knots = torch.linspace(0, 3, 6, dtype=torch.float64)
    (weight, bias), (bends, height) = relu_interpolation(chirp, knots)
    x = torch.linspace(0, 3, 301, dtype=torch.float64)
    parts = layer(x[:, None], weight, bias, relu) * bends
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    left, right = drawing.subplots(1, 2, sharex=True)
    for number, part in enumerate(parts.T):
        color, marker = theme.classes[number], theme.markers[number]
        left.plot(x, part, color=color)
        left.plot(knots[number], 0, color=color, marker=marker)
        strength = 0.25 + 0.75 * number / 4
        total = height + parts[:, : number + 1].sum(dim=1)
        right.plot(x, total, color=theme.classes[0], alpha=strength)
    right.plot(x, chirp(x), color=theme.muted, lw=3, alpha=0.6, label="sin x²")
    left.set(xlabel="x", ylabel="one term", ylim=(-6.2, 6.2))
    right.set(xlabel="x", ylabel="sum of the first terms", ylim=(-3, 3.5))
    right.legend(loc="lower left")
    return drawing


def laws(theme: Theme) -> Figure:
    """Largest error against the number of pieces for three functions, logarithmic axes.

    The smooth sin(x²) falls with slope -2, the kinked |x - 1| with slope -1, and the
    root, which starts vertically, with slope -1/2. All fall, at very different speeds.
    """
    claims = claims_of("approximation")
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    axes = drawing.subplots()
    names = {"root": "$\\sqrt{x}$", "kink": "|x − 1|", "chirp": "sin x²"}
    for number, (name, label) in enumerate(names.items()):
        look = {"color": theme.classes[number], "marker": theme.markers[number], "ms": 5}
        errors = claims[f"errors_{name}"].value
        slope = f"{claims[f'slope_{name}'].value:.2f}".replace("-", "−")
        axes.loglog(PIECES, errors, label=f"{label}, slope {slope}", **look)
    axes.set(xlabel="pieces K", ylabel="largest error on [0, 3]")
    axes.legend(loc="lower left")
    return drawing


def cosines(theme: Theme, degree: int = 4) -> Figure:
    """A hill on [0, 1], drawn thick, and the sum of its first cosines, degree {degree}.

    With degree 0 the sum is the mean; more cosines follow the hill more closely. Then:
    the weight of each cosine as a bar; they shrink quickly as the frequency grows.
    """
    x = grid(1, 301)
    coefficients = cosine_coefficients(bump, 1, 12)
    waves = as_waves(coefficients[: degree + 1])
    drawing = Figure(figsize=(7, 2.7), layout="constrained")
    left, right = drawing.subplots(1, 2)
    left.plot(x, bump(x), color=theme.muted, lw=3, alpha=0.6, label="ψ")
    left.plot(x, wave_sum(x, waves), color=theme.classes[0], label="sum of cosines")
    left.set(xlabel="x", ylabel="value", ylim=(-0.25, 1.35), title=f"degree {degree}")
    left.legend(loc="upper right", ncols=2)
    for k, weight in enumerate(coefficients.tolist()):
        color = theme.classes[0] if k <= degree else theme.muted
        right.bar(k, weight, color=color, width=0.7)
    right.axhline(0, color=theme.ink, lw=0.6)
    right.set_xticks(range(0, 13, 2))
    right.set(xlabel="half-waves k", ylabel="weight of cos πkx")
    return drawing


def square(theme: Theme) -> Figure:
    """First: a cut through a hill on the unit square, and the network that was built.

    The two curves cross and stay close, inside a band of half-width 0.2, the tolerance that
    was ordered. Then: the error over the whole square, in waves of both signs, nowhere
    larger than 0.08.
    """
    tolerance, side = 0.2, 61
    network = network_of(waves_within(bump, 2, tolerance / 2), tolerance / 2)
    axis = torch.linspace(0, 1, 201, dtype=torch.float64)
    cut = torch.stack([axis, torch.full_like(axis, 0.4)], dim=1)
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    band = (bump(cut) - tolerance, bump(cut) + tolerance)
    left.fill_between(axis, *band, color=theme.muted, alpha=0.18, lw=0)
    left.plot(axis, bump(cut), color=theme.muted, lw=3, alpha=0.7, label="the hill ψ")
    label = f"network, {len(network[0][1])} units"
    left.plot(axis, evaluate(cut, network), color=theme.classes[0], label=label)
    left.set(xlabel="$x_1$, along $x_2 = 0.4$", ylabel="value", ylim=(-0.35, 1.75))
    left.legend(loc="upper left", ncols=1)
    x, line = grid(2, side), torch.linspace(0, 1, side)
    error = (evaluate(x, network) - bump(x)).view(side, side).T
    shade = {"levels": torch.linspace(-0.1, 0.1, 11), "cmap": theme.diverging}
    strip = right.contourf(line, line, error, **shade)
    ticks = [-0.1, -0.05, 0, 0.05, 0.1]
    drawing.colorbar(strip, ax=right, ticks=ticks, label="network − ψ")
    right.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    right.set(xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    return drawing


def sizes(theme: Theme) -> Figure:
    """Units that the construction needs against the tolerance, for 1, 2 and 3 dimensions.

    Both axes are logarithmic. Every line climbs steeply as the tolerance shrinks to the
    right, and each dimension lies more than a factor of ten above the one before.
    """
    claims = claims_of("approximation")
    counts = (
        claims["units_1d"].value,
        claims["units_2d"].value + claims["units_2d_fine"].value,
        claims["units_3d"].value + claims["units_3d_fine"].value,
    )
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    axes = drawing.subplots()
    for number, units in enumerate(counts):
        look = {"color": theme.classes[number], "marker": theme.markers[number]}
        plural = "s" if number else ""
        label = f"{number + 1} dimension{plural}"
        axes.loglog(TOLERANCES[: len(units)], units, label=label, **look)
    axes.set_xlim(0.5, 0.04)
    axes.set_xticks(TOLERANCES, [str(tolerance) for tolerance in TOLERANCES])
    axes.minorticks_off()
    axes.set(xlabel="tolerance ξ", ylabel="hidden units")
    axes.legend(loc="upper left")
    axes.set_ylim(20, 4e6)
    return drawing


def built_and_trained(theme: Theme) -> Figure:
    """Error to sin(x²) against hidden units, logarithmic axes, for three ways to a network.

    The built networks fall ever faster. The median of those trained from random weights
    stops improving at 8 units, with bars from the best to the worst of ten that span a
    factor of ten. Those trained from the built ones lie lowest from 8 units on.
    """
    claims = claims_of("approximation")
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    best, worst = (torch.tensor(claims[end].value) for end in ("best", "worst"))
    median = torch.tensor([claims[f"trained_{width}"].value for width in WIDTHS])
    series = (("constructed", "built"), ("improved", "built, then trained"))
    for number, (name, label) in enumerate(series):
        _series(axes, claims[name].value, 2 * number, label, theme)
    reach = torch.stack([median - best, worst - median])
    look = {"color": theme.classes[1], "marker": theme.markers[1], "capsize": 3}
    label = "trained from random weights"
    axes.errorbar(WIDTHS, median, yerr=reach, ls=":", label=label, **look)
    axes.set(xscale="log", yscale="log", xlim=(3.5, 36), ylim=(1e-3, 3))
    axes.set_xticks(WIDTHS, [str(width) for width in WIDTHS])
    axes.minorticks_off()
    axes.set(xlabel="hidden units", ylabel="root mean square error")
    axes.legend(loc="lower left", fontsize=9)
    return drawing


def _series(
    axes: Axes, values: list[float], number: int, label: str, theme: Theme
) -> None:
    look = {"color": theme.classes[number], "marker": theme.markers[number]}
    axes.plot(WIDTHS, Tensor(values), label=label, **look)
