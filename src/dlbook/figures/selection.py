"""Figures of the chapter on choosing a model; docstrings are alternative texts."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.figures.style import Theme, mixes_colors
from dlbook.runs.record import claims_of
from dlbook.runs.selection import DRAWS, EPOCHS, PENALTIES, SIDES, WIDTHS, grid_places

NAMES = {
    "mean": "nearest mean",
    "lines": "lines",
    "neighbor": "1 neighbor",
    "kernel": "kernel machine",
}


def promises(theme: Theme) -> Figure:
    """Errors of four models on a logarithmic scale: by two kinds of folds, and sealed.

    Random folds promise 9 percent for the nearest mean, 5 for lines, 1.5 for one neighbor
    and 0.6 for the kernel machine. Folds of consecutive images say 13, 10, 5 and 3, and the
    sealed digits of other writers 13, 11, 4 and 3: the last two lie close together, and
    random folds lie the further below them the better the model is.
    """
    claims = claims_of("selection")
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    axes = drawing.subplots()
    kinds = {"mixed": "random folds", "apart": "consecutive folds", "sealed": "sealed"}
    for place, (kind, label) in enumerate(kinds.items()):
        values = [claims[f"promise_{kind}_{name}"].value for name in NAMES]
        rows = [3 - row + 0.18 * (1 - place) for row in range(4)]
        look = {"color": theme.classes[place], "marker": theme.markers[place]}
        axes.scatter(values, rows, s=55, label=label, **look)
        for value, row in zip(values, rows, strict=True):
            axes.annotate(
                f"{value:.1f}", (value, row), xytext=(7, 0), va="center", fontsize=8,
                textcoords="offset points",
            )  # fmt: skip
    axes.set(xscale="log", xlim=(0.4, 20), ylim=(-0.5, 3.5))
    axes.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.set_yticks(range(4), list(reversed(NAMES.values())))
    axes.set(xlabel="error, %", ylabel="model")
    axes.legend(loc="upper left", fontsize=9)
    return drawing


@mixes_colors
def trials(theme: Theme, side: int = 3) -> Figure:
    """The error over width and penalty as a map, with a grid and random trials, {side} squared.

    Left, the grid of {side} by {side}; right, as many random points. Triangles below and
    beside each map are the values tried of either setting: the grid repeats {side} values,
    the random points have more of them and leave holes. A valley of
    small errors runs along small penalties and medium widths.
    """
    errors = torch.tensor(claims_of("selection")["table_errors"].value)
    errors = errors.view(len(WIDTHS), len(PENALTIES))
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    generator = torch.Generator().manual_seed(4)
    lines = grid_places(side, len(WIDTHS))[20]
    regular = torch.cartesian_prod(lines, lines)
    loose = torch.randint(len(WIDTHS), (side**2, 2), generator=generator)
    x, y = PENALTIES.log10(), WIDTHS.log10()
    for axes, name, points in zip(
        panels, ("grid", "random"), (regular, loose), strict=True
    ):
        levels = [5, 6.5, 8, 12, 20, 40, 95]
        shades = range(len(levels) - 1)
        steps = torch.bucketize(errors, torch.tensor(levels[1:]))
        axes.contourf(
            x, y, steps, levels=[s - 0.5 for s in (*shades, len(shades))],
            cmap=theme.sequence,
        )  # fmt: skip
        found = errors[points[:, 0], points[:, 1]]
        best = int(found.argmin())
        at = torch.stack([x[points[:, 1]], y[points[:, 0]]], dim=1)
        axes.scatter(*at.T, s=26, color="white", edgecolor="black", zorder=3)
        axes.scatter(
            *at[best], s=130, marker="*", color="white", edgecolor="black", zorder=4
        )
        shadow = {"color": theme.ink, "s": 14, "clip_on": False, "zorder": 5}
        axes.scatter(at[:, 0], torch.full_like(at[:, 0], -0.56), marker="^", **shadow)
        axes.scatter(torch.full_like(at[:, 1], -10.3), at[:, 1], marker=">", **shadow)
        axes.set(xlabel="penalty, exponent of 10", xlim=(-10.4, 0), ylim=(-0.6, 1.5))
        axes.set_title(f"{name}: {side**2} trials, best {found[best]:.1f} %")
    panels[0].set_ylabel("width, exponent of 10")
    return drawing


def budgets(theme: Theme) -> Figure:
    """Two panels of errors against trials: grid and random search; reported and true.

    Left, the mean of the least error found: with 4 trials the grid finds 7.0 percent and
    random search 7.6; from 16 on both are within a tenth of each other. Right, with 100
    digits to validate on, the error that the winner reports goes on falling with the number
    of random trials, from 20 to 6.2, while its error on other digits stops at 7.1.
    """
    claims = claims_of("selection")
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    counts = [side**2 for side in SIDES][1:]
    for place, (name, label) in enumerate((("grid", "grid"), ("random", "random"))):
        look = {"color": theme.classes[place], "marker": theme.markers[place]}
        left.plot(counts, claims[f"{name}_both"].value[1:], label=label, **look)
    for place, (name, label) in enumerate(
        (("search_reported", "reported"), ("search_true", "on other digits"))
    ):
        look = {"color": theme.classes[place + 2], "marker": theme.markers[place + 2]}
        right.plot(DRAWS, claims[name].value, label=label, **look)
    left.set(xscale="log", xlabel="trials", ylabel="least error found, %", ylim=(6, 8))
    left.set_xticks([4, 9, 16, 36, 64], ["4", "9", "16", "36", "64"])
    right.set(xscale="log", xlabel="random trials", ylabel="error of the winner, %")
    right.set(ylim=(5.5, 9.5))
    right.set_xticks(DRAWS, [str(draws) for draws in DRAWS])
    for axes in (left, right):
        axes.minorticks_off()
        axes.legend()
    return drawing


def halved(theme: Theme) -> Figure:
    """Error against epochs of 27 candidates; halving keeps nine after one, three after three.

    The axes are logarithmic. Thin gray lines end where halving stops them, and go on dotted
    as they would have gone on; the three that are trained to the end are thick. A star marks
    the one that is chosen, a ring the best of all 27 after nine epochs.
    """
    curves = torch.tensor(claims_of("selection")["halving_curves"].value).view(-1, EPOCHS)
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    epochs = torch.arange(1, 10)
    last, winner = _rounds_survived(curves)
    for curve, stop in zip(curves, last, strict=True):
        kept = stop == 9
        look = {
            "color": theme.classes[0] if kept else theme.muted,
            "lw": 2 if kept else 0.8,
        }
        axes.plot(epochs, curve, ls=":", color=theme.muted, lw=0.8)
        axes.plot(epochs[:stop], curve[:stop], **look)
        axes.plot([stop], curve[stop - 1], marker="o", ms=3, color=look["color"])
    best = int(curves[:, -1].argmin())
    ring = {"marker": "o", "ms": 12, "mfc": "none", "color": theme.classes[1], "ls": ""}
    star = {"marker": "*", "ms": 11, "color": theme.accent, "ls": ""}
    axes.plot([9], curves[best, -1], label="best of all", **ring)
    axes.plot([9], curves[winner, -1], label="chosen", **star)
    axes.set(xscale="log", yscale="log", ylim=(0.8, 100), xlim=(0.95, 10))
    axes.set_xticks([1, 3, 9], ["1", "3", "9"])
    axes.set_yticks([1, 3, 10, 30, 90], ["1", "3", "10", "30", "90"])
    axes.minorticks_off()
    axes.set(xlabel="epochs", ylabel="error on validation digits, %")
    axes.legend(loc="lower left")
    return drawing


def _rounds_survived(curves: Tensor) -> tuple[list[int], int]:
    """Tell after how many epochs halving stops each curve, and which is chosen."""
    last = [1] * len(curves)
    left = list(range(len(curves)))
    for epochs, keep in ((1, 9), (3, 3), (9, 1)):
        for candidate in left:
            last[candidate] = epochs
        left = sorted(left, key=lambda c, e=epochs: (curves[c, e - 1].item(), c))[:keep]
    return last, left[0]
