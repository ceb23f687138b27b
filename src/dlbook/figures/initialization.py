"""Figures of the chapter on initialization; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Generator, Tensor

from dlbook.data import digits
from dlbook.figures.style import Theme
from dlbook.initialization import (
    draw,
    gradient_mean_squares,
    mean_squares,
    orthogonal,
    variances_over_inputs,
)
from dlbook.mlp import draw_layers, relu, relu_derivative
from dlbook.runs.initialization import DEPTH, POINTS, SQUARES, WIDTH, drawn
from dlbook.runs.record import claims_of

LAYERS = 30


def bundles(theme: Theme) -> Figure:
    """Size of signal and gradient in 30 layers of rectifiers, 12 draws for each of 3 gains.

    On logarithmic axes each bundle of thin lines follows a straight dashed law and spreads
    out from it. The signal travels to the right: for a squared gain of 1 it falls to
    about a billionth, for 2 it stays within a factor of 15 of 1, for 3 it passes ten
    thousand. The gradient travels to the left, and does the same.
    """
    drawing = Figure(figsize=(7, 3.3), layout="constrained")
    there, back = drawing.subplots(1, 2, sharey=True)
    for index, square in enumerate((1.0, 2.0, 3.0)):
        look = {"color": theme.classes[index], "lw": 0.7, "alpha": 0.8}
        for seed in range(12):
            sizes, slopes = _sizes(square, seed)
            there.semilogy(sizes, **look)
            back.semilogy(slopes, **look)
        ends = {"color": theme.classes[index], "marker": theme.markers[index]}
        law = (square / 2) ** torch.arange(LAYERS + 1.0)
        there.plot(LAYERS, law[-1], ms=7, label=f"$g^2 = {square:g}$", ls="", **ends)
        back.plot(0, law[-1] * square / (square / 2), ms=7, **ends)
        there.plot(law, color=theme.ink, lw=1, ls="--")
        back.plot(law[:-1].flip(0) * square, color=theme.ink, lw=1, ls="--")
    there.set(xlabel="layer", ylabel="mean square", title="signal, going right")
    back.set(xlabel="layer", title="gradient, going left")
    there.legend(loc="lower left")
    return drawing


def default(theme: Theme) -> Figure:
    """Mean square of the signal, and its variance over the digits, for two starts.

    With the default of the library both fall for three layers. Then the mean square stays
    near two thousandths, and the variance goes on falling by a factor of 5 to 8 a layer,
    to less than a billionth of a billionth. With a squared gain of 2 the mean square
    stays near 1, and the variance falls slowly, to a twentieth of it.
    """
    x = _standardized()
    starts = {
        "default of the library": draw_layers([64] + [100] * LAYERS, 0, torch.float64),
        "$g^2 = 2$, biases 0": drawn([64] + [100] * LAYERS, 2.0, 0, torch.float64),
    }
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    for axes, (name, layers) in zip(
        drawing.subplots(1, 2, sharey=True), starts.items(), strict=True
    ):
        sizes = mean_squares(x, layers, relu)
        changing = variances_over_inputs(x, layers, relu)
        _line(axes, sizes, 0, "mean square", theme)
        _line(axes, changing, 1, "variance over inputs", theme)
        axes.set(xlabel="layer", title=name)
        axes.set_yscale("log")
    drawing.axes[0].set_ylabel("size")
    drawing.axes[0].legend(loc="lower left")
    return drawing


def window(theme: Theme, square: float = 2) -> Figure:
    """Signal, gradient and training loss of a 20-layer network for a squared gain of {square}.

    Gray lines are the other gains. Where signal and gradient lose many powers of ten, the
    loss stays at that of guessing, 2.3 nats. For squared gains from 1.5 to 2.5 it falls.
    Where they grow by several powers of ten, it ends at once: the network diverges.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    there, back, loss = drawing.subplots(1, 3)
    for other in sorted(SQUARES, key=lambda each: each == square):
        chosen = other == square
        look = {
            "color": theme.accent if chosen else theme.muted,
            "lw": 2 if chosen else 0.6,
        }
        sizes, slopes = (torch.stack(p).median(dim=0).values for p in _five(other))
        there.semilogy(sizes, **look)
        back.semilogy(slopes, **look)
        curve = claims_of("initialization")[f"curve_{other:g}".replace(".", "_")].value
        steps = POINTS * (torch.arange(len(curve)) + 0.5)
        loss.plot(steps, curve, **look)
        if chosen and len(curve) < 20:
            at = (steps[-1], curve[-1]) if curve else (0, math.log(10))
            loss.plot(*at, color=theme.accent, marker="x", ms=9, mew=2)
    loss.axhline(math.log(10), color=theme.ink, lw=0.8, ls=":")
    there.set(xlabel="layer", ylabel="mean square", title=f"signal, $g^2 = {square:g}$")
    back.set(xlabel="layer", ylabel="mean square", title="gradient")
    loss.set(
        xlabel="steps of training", ylabel="loss, nats", ylim=(0.5, 4), xlim=(-8, 268)
    )
    return drawing


def scatter(theme: Theme) -> Figure:
    """Mean square behind 30 layers of rectifiers of the right gain, for four widths.

    One dot is one draw, on a logarithmic axis. The dots of widths 25 and 50 reach over
    more than four powers of ten, those of width 200 over less than two. The bar of the
    median lies below 1, the mean of the law, the farther the narrower the layers are.
    """
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    for row, width in enumerate((25, 50, 100, 200)):
        sizes = torch.stack([_behind(width, seed) for seed in range(50)])
        heights = row + 0.25 * torch.linspace(-1, 1, 50)
        mark = {"marker": theme.markers[row], "color": theme.classes[row]}
        axes.scatter(sizes, heights, s=14, alpha=0.8, linewidth=0, **mark)
        middle = sizes.quantile(0.5)
        axes.plot([middle, middle], [row - 0.4, row + 0.4], color=theme.ink, lw=2)
    axes.axvline(1, color=theme.accent, lw=1, ls="--")
    axes.text(1.1, 3.45, "mean of the law", color=theme.accent, va="bottom")
    axes.set(xscale="log", xlabel="mean square behind 30 layers", ylim=(-0.6, 3.9))
    axes.set_yticks(range(4), ["25", "50", "100", "200"])
    axes.set_ylabel("units a layer")
    return drawing


def ranks(theme: Theme) -> Figure:
    """Singular values of a product of matrices of size 50, the largest set to 1.

    One Gaussian matrix lets most directions through. With 5, 10, 30 and 100 factors the
    curve falls ever more steeply, until a single direction is left. The product of 100
    orthogonal matrices is a level line at 1.
    """
    generator, product = Generator().manual_seed(0), torch.eye(50, dtype=torch.float64)
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    places = torch.arange(1, 51)
    for factors in range(1, 101):
        ((weight, _),) = draw([50, 50], 1.0, generator, torch.float64)
        product = weight @ product
        if factors in (1, 5, 10, 30, 100):
            s = torch.linalg.svdvals(product)
            kind = (1, 5, 10, 30, 100).index(factors)
            mark = {"color": theme.classes[kind], "marker": theme.markers[kind]}
            name = f"{factors} Gaussian" + " factors" * (factors > 1)
            axes.semilogy(places, s / s[0], ms=4, lw=1, label=name, **mark)
    turned = torch.eye(50, dtype=torch.float64)
    for _ in range(100):
        turned = orthogonal(50, generator, torch.float64) @ turned
    level = torch.linalg.svdvals(turned)
    axes.semilogy(places, level, color=theme.ink, ls="--", label="100 orthogonal factors")
    axes.set(xlabel="singular value, by size", ylabel="share of the largest")
    axes.set(ylim=(1e-8, 3))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def _standardized() -> Tensor:
    images = digits.load()[0].flatten(1).double()
    return (images - images.mean()) / images.std()


def _sizes(
    square: float, seed: int, units: int = 100, depth: int = LAYERS
) -> tuple[Tensor, Tensor]:
    """Measure one stack on ten inputs, with a random gradient along its scores."""
    layers = drawn([units] * (depth + 1), square, seed, torch.float64)
    generator = Generator().manual_seed(100 + seed)
    x, along = torch.randn(2, 10, units, generator=generator, dtype=torch.float64)
    slopes = gradient_mean_squares(x, layers, along, relu, relu_derivative)
    return mean_squares(x, layers, relu), slopes


def _five(square: float) -> tuple[list[Tensor], list[Tensor]]:
    measured = [_sizes(square, seed, WIDTH, DEPTH) for seed in range(5)]
    sizes, slopes = zip(*measured, strict=True)
    return list(sizes), list(slopes)


def _behind(width: int, seed: int) -> Tensor:
    layers = drawn([width] * (LAYERS + 1), 2.0, seed, torch.float64)
    return mean_squares(torch.ones(1, width, dtype=torch.float64), layers, relu)[-1]


def _line(axes: Axes, sizes: Tensor, kind: int, name: str, theme: Theme) -> None:
    mark = {"color": theme.classes[kind], "marker": theme.markers[kind]}
    axes.plot(sizes, ms=4, lw=1.2, label=name, **mark)
