"""Figures of the chapter on evaluation; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.evaluation import folds, grouped_folds
from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of

PUBLISHED = {"best": 0.82, "median": 1.0, "worst": 1.3}  # of a hundred, on the slides


def hundred_networks(theme: Theme) -> Figure:
    """A dot for each of 100 convolutional networks, stacked by MNIST test error in percent.

    The dots form a heap from 0.69 to 1.28 with most of them between 0.75 and 0.95. In a
    strip below, dots mark our best, median and worst, 0.69, 0.84 and 1.28, and triangles the
    published ones, 0.82, 1.0 and 1.3.
    """
    errors = torch.tensor(claims_of("evaluation")["convolutional_errors_cuda"].value)
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    heap, strip = drawing.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _heap(heap, errors, 0.02, theme)
    heap.set(ylabel="networks", ylim=(0, None))
    ours = (errors.min(), errors.median(), errors.max())
    for row, values in enumerate((PUBLISHED.values(), ours)):
        style = {"marker": theme.markers[1 - row], "color": theme.classes[1 - row]}
        strip.scatter([float(value) for value in values], [row] * 3, s=50, **style)
    for name, value in zip(PUBLISHED, ours, strict=True):
        strip.annotate(
            name, (float(value), 1), xytext=(0, 8), textcoords="offset points",
            ha="center", fontsize=8, color=theme.ink,
        )  # fmt: skip
    strip.set(yticks=[0, 1], yticklabels=["published", "ours"], ylim=(-0.6, 2))
    strip.set(xlabel="test error on MNIST (%)", xlim=(0.6, 1.4), ylabel="whose")
    return drawing


def sealed_test(theme: Theme, candidates: int = 100) -> Figure:
    """Two rows of dots: {candidates} networks by their error on two halves of a test set.

    Above lie the errors on the half that was looked at, and the best of the {candidates} is
    marked; below, their errors on the sealed half. A line leads from the marked network
    above to the same network below; the best of 100 rises from 0.64 percent to 0.74.
    """
    claims = claims_of("evaluation")
    visible, sealed = (
        torch.tensor(claims[f"convolutional_{name}_half_cuda"].value)[:candidates]
        for name in ("visible", "sealed")
    )
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.subplots()
    best, heights = int(visible.argmin()), []
    for row, values in ((1, visible), (0, sealed)):
        style = {"s": 16, "color": theme.classes[row], "linewidth": 0}
        lifts = 0.07 * _stacked(values)
        axes.scatter(values, row + lifts, marker=theme.markers[row], **style)
        axes.axvline(values.mean(), ymin=0.13 + 0.454 * row, ymax=0.41 + 0.454 * row,
                     color=theme.muted, linestyle=":", zorder=0)  # fmt: skip
        heights.append(row + lifts[best].item())
    ends = [visible[best].item(), sealed[best].item()]
    axes.plot(ends, heights, color=theme.accent, marker="*", markersize=13, linewidth=2)
    for name, end, height in zip(
        ("reported", "sealed"), ends, (1.42, -0.45), strict=True
    ):
        look = {"color": theme.accent, "ha": "center", "va": "center"}
        axes.text(end, height, f"{name}: {end:.2f} %", **look)
    axes.set(yticks=[0, 1], yticklabels=["sealed", "visible"])
    axes.set(ylabel="half of the test set")
    axes.set(xlim=(0.5, 1.5), ylim=(-0.6, 1.6), xlabel="error (%); dotted: mean")
    axes.set_title(f"the best of {candidates}" if candidates > 1 else "no choice")
    return drawing


def _stacked(values: Tensor) -> Tensor:
    """Give equal values places one above the other, around 0."""
    same = values[:, None] == values
    return same.tril(-1).sum(dim=1) - (same.sum(dim=1) - 1) / 2


def cheats(theme: Theme) -> Figure:
    """Four pairs of dots on a scale of error in percent: reported, and on fresh images.

    The second lies to the right of the first in every row: best of 30 settings by 1.3
    points, best of 6 epochs by 0.9, best of 100 seeds by 2.3, and best seed and epoch
    together by 2.7.
    """
    claims = claims_of("evaluation")
    rows = {
        "best K of 30": "tuning",
        "best epoch of 6": "epochs",
        "best seed of 100": "seeds",
        "best seed\nand epoch": "seeds_and_epochs",
    }
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.subplots()
    for row, name in enumerate(reversed(rows.values())):
        ends = [claims[f"{name}_{end}"].value for end in ("reported", "true")]
        axes.plot(ends, [row, row], color=theme.muted, linewidth=3, zorder=0)
        for end, value, place in zip((0, 1), ends, (-1, 1), strict=True):
            axes.scatter(
                value, row, s=60, color=theme.classes[end], marker=theme.markers[end],
                label=("reported", "on fresh images")[end] if row == 0 else None,
            )  # fmt: skip
            axes.annotate(
                f"{value:.1f}", (value, row), xytext=(10 * place, 0), va="center",
                ha="left" if place > 0 else "right", textcoords="offset points",
            )  # fmt: skip
    axes.set(yticks=range(4), yticklabels=list(reversed(rows)), ylim=(-0.6, 3.6))
    axes.set(ylabel="what you choose")
    axes.set(xlabel="error on handwritten digits (%)", xlim=(5, 14.4))
    drawing.legend(loc="outside lower center", ncols=2)
    return drawing


def hyper_parameter(theme: Theme) -> Figure:
    """Error against the number of neighbors K, odd from 1 to 29: three curves.

    The training error starts at zero for k = 1 and only rises. Validation and test error
    start at 14 percent, fall to 12 at k = 5, and rise again, close to each other. A marker
    shows where each of training and validation error is least.
    """
    claims = claims_of("evaluation")
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    k = torch.tensor(claims["curve_k"].value)
    styles = {"training": "--", "validation": "-", "test": ":"}
    for number, (name, line) in enumerate(styles.items()):
        error = torch.tensor(claims[f"curve_{name}"].value)
        color, marker = theme.classes[number], theme.markers[number]
        axes.plot(k, error, line, color=color, marker=marker, markersize=5, label=name)
        if name != "test":
            least = int(error.argmin())
            axes.annotate(
                f"least at K = {int(k[least])}", (k[least], error[least]),
                xytext=(14, 2) if name == "training" else (-8, 24), color=theme.accent,
                textcoords="offset points",
            )  # fmt: skip
            ring = {"facecolor": "none", "edgecolor": theme.accent, "linewidth": 2}
            axes.scatter(k[least], error[least], s=130, zorder=3, **ring)
    axes.set(
        xlabel="number of neighbors K", ylabel="error (%)", xticks=k, ylim=(-1.5, 25)
    )
    axes.legend(loc="lower right")
    return drawing


def turns(theme: Theme) -> Figure:
    """Five rows, one for each turn, of 20 samples in the order in which they were dealt.

    In each row another block of four is held out, marked and of another color; the other 16
    train. Below each other the five blocks form a staircase: every sample is held out once.
    """
    drawing = Figure(figsize=(7, 2.4), layout="constrained")
    axes = drawing.subplots()
    samples = torch.arange(20)
    for turn, part in enumerate(samples.tensor_split(5)):
        inside = torch.isin(samples, part)
        for chosen, number, label in ((~inside, 0, "training"), (inside, 1, "held out")):
            at = samples[chosen] + 1
            axes.scatter(
                at, torch.full_like(at, turn + 1), s=70, marker=theme.markers[number],
                color=theme.classes[number], alpha=1 if number else 0.6, linewidth=0,
                label=label if turn == 0 else None,
            )  # fmt: skip
    axes.set(xlabel="sample, in the order dealt", ylabel="turn", yticks=range(1, 6))
    axes.set(xticks=[1, 5, 10, 15, 20], xlim=(0.4, 20.6), ylim=(5.6, 0.4))
    drawing.legend(loc="outside lower center", ncols=2)
    return drawing


def splits(theme: Theme) -> Figure:
    """Two grids of 6 people with 8 measurements each; filled cells are held out.

    First, dealt measurement by measurement: the held-out cells are strewn over all rows, so
    every person is on both sides. Then, dealt person by person: two whole rows are held
    out, and nobody is on both sides.
    """
    who = torch.arange(6).repeat_interleave(8)
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    ways = {
        "measurement by measurement": folds(48, 3, seed=0)[0],
        "person by person": grouped_folds(who, 3, seed=0)[0],
    }
    for axes, (name, held_out) in zip(panels, ways.items(), strict=True):
        inside = torch.isin(torch.arange(48), held_out)
        for chosen, number, label in ((~inside, 0, "training"), (inside, 1, "held out")):
            at = chosen.nonzero()[:, 0]
            axes.scatter(
                at % 8 + 1, at // 8 + 1, s=70, marker=theme.markers[number], label=label,
                color=theme.classes[number], alpha=1 if number else 0.6, linewidth=0,
            )  # fmt: skip
        axes.set(title=name, xlabel="measurement", xticks=range(1, 9))
        axes.set(xlim=(0.4, 8.6), ylim=(6.6, 0.4), yticks=range(1, 7))
    panels[0].set_ylabel("person")
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=2)
    return drawing


def _heap(axes: Axes, values: Tensor, width: float, theme: Theme) -> None:
    """Stack a dot for each value over the middle of its bin."""
    bins = (values / width).floor()
    height = torch.tensor([int((bins[:i] == each).sum()) for i, each in enumerate(bins)])
    axes.scatter(
        (bins + 0.5) * width, height + 0.7, s=20, color=theme.classes[0],
    )  # fmt: skip
