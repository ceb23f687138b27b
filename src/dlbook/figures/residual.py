"""Figures of the chapter on residual networks; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from dlbook.figures.style import Theme
from dlbook.residual import shares_by_length
from dlbook.runs.record import claims_of
from dlbook.runs.residual import DEPTHS, LABELS, POINTS, SHORTCUTS


def depths(theme: Theme) -> Figure:
    """Error on the training digits against depth, for plain and residual networks.

    The axes are logarithmic. Medians of five seeds, with bars from the least to the largest.
    With 2 layers behind the first both misread about 1 %. Then the plain networks rise
    steeply, to nearly half of the digits at 20 layers and four fifths at 40; the residual
    ones rise to 3 %.
    """
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("residual")
    for kind, name in enumerate(("plain", "residual")):
        found = [claims[f"fitted_{name}_of_{depth}"] for depth in DEPTHS]
        middle = torch.tensor([claim.value for claim in found])
        below = middle - torch.tensor([claim.spread["least"] for claim in found])
        above = torch.tensor([claim.spread["largest"] for claim in found]) - middle
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.errorbar(
            DEPTHS, middle, torch.stack([below, above]), capsize=4, label=name, **look
        )
    axes.set(xscale="log", yscale="log", ylim=(0.15, 110))
    axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
    axes.minorticks_off()
    axes.set_yticks([0.3, 1, 3, 10, 30, 100], ["0.3", "1", "3", "10", "30", "100"])
    axes.set(xlabel="layers behind the first", ylabel="error on training digits, %")
    axes.legend(loc="upper left")
    return drawing


def shortcut(theme: Theme, alpha: float = 0.5) -> Figure:
    """Gradients before, and loss during training, of 20 layers with shortcuts times {alpha}.

    Gray lines are the other factors. Without shortcuts the gradient grows from the last
    block to the first by a factor of more than a hundred, and the loss hardly falls. With
    larger factors the line of the gradients becomes flatter, and the loss falls faster.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    slopes, loss = drawing.subplots(1, 2)
    claims = claims_of("residual")
    for other in sorted(SHORTCUTS, key=lambda each: each == alpha):
        chosen = other == alpha
        look = {"color": theme.accent if chosen else theme.muted}
        look["lw"] = 2 if chosen else 0.7
        name = f"shortcut_{other:g}".replace(".", "_")
        sizes, curve = (claims[f"{k}_{name}"].value for k in ("gradients", "curve"))
        slopes.semilogy(range(len(sizes)), sizes, marker="o" if chosen else "", **look)
        steps = POINTS * (torch.arange(len(curve)) + 0.5)
        loss.plot(steps, curve, marker="o" if chosen else "", **look)
    loss.axhline(math.log(10), color=theme.ink, lw=0.8, ls=":")
    slopes.set(xlabel="blocks in front", ylabel="size of the gradient")
    slopes.set_title(f"before training, $\\alpha = {alpha:g}$")
    loss.set(xlabel="steps of training", ylabel="loss, nats", ylim=(0, 2.6))
    return drawing


def paths(theme: Theme) -> Figure:
    """Paths through 20 blocks by their length, as shares, and what those of a length carry.

    Bars: of the million paths, most pass through 8 to 12 blocks, and hardly any through all
    20 or none. Triangles: where each block passes on a half of a gradient, the paths of
    length 6 and 7 together carry the most.
    """
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    lengths = range(21)
    counted = shares_by_length(20, 1)
    axes.bar(lengths, counted, color=theme.classes[0], label="paths")
    mark = {"color": theme.classes[1], "marker": theme.markers[1]}
    axes.plot(lengths, shares_by_length(20, 0.5), label="what they carry", **mark)
    axes.set(xlabel="blocks on the path", ylabel="share", xticks=range(0, 21, 5))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def blocks(theme: Theme) -> Figure:
    """Two drawings of a block: input, two weights with a rectifier between, and a sum.

    Left, as in the first paper: the input goes straight ahead and beside it through w1, a
    rectifier and w2; both are added, and a rectifier comes behind the sum. Right, with the
    rectifier in front of w1: nothing stands on the straight way but the sum.
    """
    drawing = Figure(figsize=(7, 2.1), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _block(left, theme, ["$w_1$", "$\\sigma$", "$w_2$"], "$\\sigma$")
    left.set_title("behind the sum")
    _block(right, theme, ["$\\sigma$", "$w_1$", "$\\sigma$", "$w_2$"], "")
    right.set_title("in front")
    return drawing


def transfer(theme: Theme) -> Figure:
    """Error on small digits against labels of each class, for five ways to train.

    With one label of each class the whole learned network, its scores included, errs on
    22 %; with fresh scores the learned filters err like a network from scratch and like
    frozen random filters, on 36 to 39 %. All fall with more labels; with ten, the whole
    network and the one from scratch are at 8 to 9 %, frozen filters at 11 to 14 %.
    """
    names = {
        "scratch": "from scratch",
        "random": "random, frozen",
        "frozen": "learned, frozen",
        "tuned": "learned, tuned",
        "whole": "with its scores, tuned",
    }
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("residual")
    for kind, (way, name) in enumerate(names.items()):
        found = [claims[f"transfer_{way}_{count}"] for count in LABELS]
        middle = torch.tensor([claim.value for claim in found])
        below = middle - torch.tensor([claim.spread["least"] for claim in found])
        above = torch.tensor([claim.spread["largest"] for claim in found]) - middle
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        places = torch.tensor(LABELS) * 1.03 ** (kind - 2)
        axes.errorbar(
            places, middle, torch.stack([below, above]), capsize=3, label=name, **look
        )
    axes.set(xscale="log", ylim=(0, 45))
    axes.set_xticks(LABELS, [str(count) for count in LABELS])
    axes.minorticks_off()
    axes.set(xlabel="labels of each class", ylabel="error on the other digits, %")
    axes.legend(loc="upper right")
    return drawing


def _block(axes: Axes, theme: Theme, parts: list[str], behind: str) -> None:
    """Draw the straight way on top, the change below, and the sum at the right."""
    axes.set(xlim=(-0.5, 6.5), ylim=(-0.6, 2.4))
    axes.set_axis_off()
    top, below, end = 1.8, 0.4, 5.0

    def arrow(start: tuple[float, float], stop: tuple[float, float]) -> None:
        look = {"arrowstyle": "-|>", "mutation_scale": 12, "shrinkA": 0, "shrinkB": 0}
        axes.add_patch(FancyArrowPatch(start, stop, color=theme.ink, lw=1.2, **look))

    axes.text(-0.4, top, "$x$", va="center", ha="center")
    arrow((-0.2, top), (end - 0.25, top))
    axes.plot([0.2, 0.2, 0.4], [top, below, below], color=theme.ink, lw=1.2)
    places = torch.linspace(0.9, end - 0.9, len(parts)).tolist()
    box = {"boxstyle": "round,pad=0.35", "fc": theme.paper, "ec": theme.classes[0]}
    axes.plot([0.4, end, end], [below, below, below], color=theme.ink, lw=1.2)
    for place, part in zip(places, parts, strict=True):
        axes.text(place, below, part, va="center", ha="center", bbox=box)
    arrow((end, below), (end, top - 0.25))
    axes.text(end, top, "+", va="center", ha="center", fontsize=14)
    axes.scatter([end], [top], s=260, facecolor="none", edgecolor=theme.ink)
    if behind:
        arrow((end + 0.25, top), (end + 0.75, top))
        box = box | {"ec": theme.classes[1]}
        axes.text(end + 1.0, top, behind, va="center", ha="center", bbox=box)
    else:
        arrow((end + 0.25, top), (end + 1.3, top))
