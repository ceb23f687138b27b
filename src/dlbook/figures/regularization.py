"""Figures of the chapter on regularization; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Generator

from dlbook.data import digits
from dlbook.figures.style import Theme
from dlbook.regularization import share_after_steps, share_of_ridge
from dlbook.runs.record import claims_of
from dlbook.runs.regularization import COMPARED, SHARES, moved_a_little

NAMES = {
    "plain": "plain",
    "stopping": "stopping early",
    "decay": "weight decay",
    "dropout": "dropout",
    "augmentation": "augmentation",
    "batch_norm": "batch norm",
    "layer_norm": "layer norm",
}
ETA = 0.05


def by_share(theme: Theme) -> Figure:
    """Test error of seven methods against the share of wrong labels, medians of ten seeds.

    With right labels all seven lie between 6 and 9 %. Plain training and the two norms then
    rise together, nearly as fast as the share, to about 40 %. Stopping, weight decay and
    dropout rise to about 26 %, and augmentation, the lowest line, to 17 %.
    """
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("regularization")
    for index, (name, shown) in enumerate(NAMES.items()):
        medians = [claims[f"error_{name}_{share}"].value for share in SHARES]
        if name == "plain":
            look = {"color": theme.ink, "marker": "x", "ls": "--"}
        elif name == "layer_norm":
            look = {"color": theme.muted, "marker": "P"}
        else:
            kind = index - 1
            look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.plot(SHARES, medians, label=shown, ms=6, **look)
    axes.set(xlabel="wrong labels among the training digits, %", ylabel="test error, %")
    axes.set(ylim=(0, 45), xticks=SHARES)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def ranking(theme: Theme, share: int = 20) -> Figure:
    """Test errors of ten seeds with {share} % of the training labels wrong, method by method.

    Each thin line joins the error of plain training, a small circle, to the error of the
    method with the same seed. With right labels the lines are short and point both ways.
    The more labels are wrong, the farther the lines of stopping, weight decay, dropout and
    above all augmentation reach to the left, to smaller errors; those of the two norms stay
    a tangle.
    """
    drawing = Figure(figsize=(7, 4.2), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("regularization")
    plain = claims[f"seeds_plain_{share}"].value
    for row, name in enumerate(COMPARED):
        errors = claims[f"seeds_{name}_{share}"].value
        kind = row % len(theme.classes)
        mark = {"color": theme.classes[kind], "marker": "P" if row == 5 else None}
        mark["marker"] = mark["marker"] or theme.markers[kind]
        if row == 5:
            mark["color"] = theme.muted
        heights = row + torch.linspace(-0.32, 0.32, len(plain))
        axes.hlines(heights, plain, errors, color=mark["color"], lw=0.8)
        axes.scatter(plain, heights, s=12, color=theme.ink, marker="o", zorder=3)
        axes.scatter(errors, heights, s=26, zorder=4, **mark)
    axes.set_yticks(range(len(COMPARED)), [NAMES[name] for name in COMPARED])
    axes.set(xlabel="test error, %", ylabel="method", xlim=(0, 50), ylim=(5.6, -0.6))
    axes.set_title(f"{share} % of the labels wrong; small circles: plain")
    return drawing


def filters(theme: Theme, steps: int = 200) -> Figure:
    """Share of the minimizer reached after {steps} steps, and left by the ridge that matches.

    Both curves rise from 0 at small curvatures to 1 at large ones, on a logarithmic axis.
    They touch where little is learned, and rise in the same place, that of the curvature
    1 over eta times steps; the curve of stopping is the steeper one. With more steps both
    move to the left.
    """
    h = torch.logspace(-3, 1.3, 200, dtype=torch.float64)
    penalty = 1 / (ETA * steps)
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    axes = drawing.subplots()
    for kind, (name, share) in enumerate(
        {
            f"{steps} steps": share_after_steps(h, ETA, steps),
            f"ridge, penalty {penalty:.3g}": share_of_ridge(h, penalty),
        }.items()
    ):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.semilogx(h, share, label=name, markevery=20, ms=5, **look)
    axes.axvline(penalty, color=theme.muted, lw=1, ls=":")
    axes.set(xlabel="curvature $h$", ylabel="share of the minimizer", ylim=(-0.03, 1.05))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def stopping(theme: Theme) -> Figure:
    """Loss on the training and on the validation digits, epoch by epoch, of one training.

    The training loss falls from 2 nats toward 0 with every fifth label wrong. The
    validation loss falls with it at first, is least after some 35 epochs, and rises, with
    jumps, while the wrong labels are learned by heart. A mark shows the best epoch.
    """
    claims = claims_of("regularization")
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    axes = drawing.subplots()
    for kind, name in enumerate(("training", "validation")):
        losses = claims[f"stop_{name}"].value
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        epochs = range(1, len(losses) + 1)
        axes.plot(epochs, losses, label=name, markevery=10, ms=5, lw=1.4, **look)
    best = claims["stop_best_epoch"].value
    axes.axvline(best, color=theme.accent, lw=1, ls="--")
    axes.text(best + 1, 1.7, "least validation loss", color=theme.accent)
    axes.set(xlabel="epoch", ylabel="loss, nats", ylim=(0, 2.2))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def warps(theme: Theme) -> Figure:
    """Six small warps of two digits, and two changes that are too large.

    Each of the two upper rows shows a digit of 8 by 8 pixels and three copies, turned, stretched
    and shifted a little: all can still be read. Below, a 6 turned by half a turn reads as a
    9, and a mirrored 2 is no digit.
    """
    images, labels, _, _ = digits.load()
    generator = Generator().manual_seed(3)
    drawing = Figure(figsize=(7, 4.6), layout="constrained")
    grid = drawing.subplots(3, 4)
    two, six = (images[labels == digit][:1] for digit in (2, 6))
    for row, first in enumerate((two, six)):
        copies = moved_a_little(first.flatten(1).expand(3, -1), generator)
        _digit(grid[row, 0], first, theme, "as written")
        for place, copy in enumerate(copies, start=1):
            _digit(grid[row, place], copy, theme, "warped a little")
    _digit(grid[2, 0], six, theme, "a 6")
    _digit(grid[2, 1], six.flip(1, 2), theme, "turned by 180°")
    _digit(grid[2, 2], two, theme, "a 2")
    _digit(grid[2, 3], two.flip(2), theme, "mirrored")
    return drawing


def _digit(axes: Axes, image: torch.Tensor, theme: Theme, title: str) -> None:
    axes.imshow(image.view(8, 8), cmap=theme.sequence, vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
