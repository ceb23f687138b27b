"""Figures of the chapter on multi-layer perceptrons; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data.toy import two_moons
from dlbook.figures.style import Theme
from dlbook.mlp import (
    count_pieces,
    draw_layers,
    forward,
    layer,
    relu,
    relu_derivative,
    sawtooth,
    tanh,
    tanh_derivative,
)
from dlbook.runs.mlp import SHAPES, fit_moons, path_pieces


def xor(theme: Theme) -> Figure:
    """First: the corners of a square, two of each class on the diagonals; no line parts them.

    Two parallel dashed lines, one through the lower left corner and one through the two
    corners in the middle, show where the hidden units switch on. Then: the corners in the
    coordinates h1 and h2. The two of class 1 have become one point at (1, 0); a bold line
    parts it from (0, 0) and (2, 1).
    """
    corners = torch.cartesian_prod(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]))
    hidden = layer(corners, torch.ones(2, 2), torch.tensor([0.0, -1.0]), relu)
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    panels = drawing.subplots(1, 2)
    span = torch.tensor([-1.0, 3.0])
    for total, name in ((0, "h$_1$"), (1, "h$_2$")):
        panels[0].plot(span, total - span, color=theme.ink, lw=0.9, ls="--")
        text = f"{name} switches on"
        look = {"rotation": -45, "rotation_mode": "anchor", "fontsize": 9}
        panels[0].text(total - 0.42 + 0.06, 0.42 + 0.06, text, ha="center", **look)
    panels[1].plot(span, span / 2 - 0.25, color=theme.accent, lw=2.2)
    panels[1].text(1.95, 0.56, "h$_1$ − 2 h$_2$ = ½", color=theme.accent, va="top")
    labels = (corners.sum(dim=1) == 1).long()
    for axes, places in zip(panels, (corners, hidden), strict=True):
        for label in (0, 1):
            look = {"marker": theme.markers[label], "color": theme.classes[label]}
            kept = places[labels == label]
            name = f"xor is {label}"
            axes.scatter(*kept.T, s=90, edgecolor=theme.ink, label=name, zorder=3, **look)
    both = {"textcoords": "offset points", "fontsize": 9}
    panels[1].annotate("two corners in one place", (1, 0), (6, -15), **both)
    panels[0].set(xlim=(-0.75, 1.5), ylim=(-0.45, 1.4), aspect="equal")
    panels[1].set(xlim=(-0.4, 3), ylim=(-0.5, 1.4), aspect="equal")
    panels[0].set(xlabel="$x_1$", ylabel="$x_2$", xticks=[0, 1], yticks=[0, 1])
    panels[1].set(xlabel="hidden unit $h_1$", ylabel="hidden unit $h_2$")
    panels[1].set(xticks=[0, 1, 2], yticks=[0, 1])
    panels[1].legend(loc="upper left", fontsize=9)
    return drawing


def network(theme: Theme, widths: tuple[int, ...] = (2, 4, 3, 1)) -> Figure:
    """A network with widths {widths}, drawn from left to right in columns of circles.

    Every circle of a column is tied to every circle of the next. Under each gap stands
    the shape of the weight: as many rows as units, as many columns as inputs.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    tallest = max(widths)
    for column, width in enumerate(widths):
        color = theme.classes[min(column, 1) if column < len(widths) - 1 else 2]
        marker = theme.markers[0] if column else theme.markers[2]
        heights = _heights(width)
        if column:
            for left in _heights(widths[column - 1]):
                for right in heights:
                    ends = [left, right]
                    axes.plot(
                        [column - 1, column], ends, color=theme.muted, lw=0.8, zorder=1
                    )
            weight = f"w$^{{({column})}}$: {width} × {widths[column - 1]}"
            bias = f"b$^{{({column})}}$: {width}"
            under = (column - 0.5, -tallest / 2 - 0.45)
            axes.text(*under, f"{weight}\n{bias}", ha="center", va="center")
        look = {"s": 260, "marker": marker, "color": color, "edgecolor": theme.ink}
        axes.scatter([column] * width, heights, zorder=2, **look)
        name = "input x" if column == 0 else f"x$^{{({column})}}$"
        title = f"{name}\nN × {width}"
        axes.text(column, tallest / 2 + 0.35, title, ha="center", va="center")
    axes.set(ylim=(-tallest / 2 - 0.9, tallest / 2 + 0.8), xlim=(-0.4, len(widths) - 0.6))
    axes.set_axis_off()
    return drawing


def _heights(width: int) -> list[float]:
    return [(width - 1) / 2 - unit for unit in range(width)]


def activations(theme: Theme) -> Figure:
    """First: tanh rises in an S from -1 to 1; the rectifier is 0, then the line s.

    Then: the slope of tanh is a bell of height 1 at 0 that has almost vanished at 3;
    the slope of the rectifier jumps from 0 to 1 and stays there.
    """
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    panels = drawing.subplots(1, 2, sharex=True)
    s = torch.linspace(-4, 4, 401)
    curves = (
        (tanh, relu, "response σ(s)"),
        (tanh_derivative, relu_derivative, "slope σ′(s)"),
    )
    for axes, (smooth, bent, label) in zip(panels, curves, strict=True):
        axes.axhline(0, color=theme.muted, lw=0.6)
        axes.plot(s, smooth(s), color=theme.classes[0], label="tanh")
        axes.plot(s, bent(s), color=theme.classes[1], ls="--", label="ReLU")
        axes.set(xlabel="sum s", ylabel=label)
        axes.legend(loc="upper left")
    panels[0].set_ylim(-1.2, 2.2)
    panels[1].set_ylim(-0.1, 1.35)
    return drawing


def moons(theme: Theme, width: int = 4) -> Figure:
    """Two interleaved moons of 200 points; a network of width {width} trained on them.

    First: the two regions that it decides for. Then: its hidden units, each a border line
    along which its sum is zero. More units give more lines to bend the border with.
    """
    points, labels = two_moons(n=200, noise=0.15, seed=0)
    layers = fit_moons(width, seed=0, device=torch.device("cpu"))
    x, y = (torch.linspace(-1.8, 2.8, 120), torch.linspace(-1.4, 1.9, 90))
    grid = torch.cartesian_prod(x, y).double()
    scores = forward(grid, layers, tanh).reshape(len(x), len(y)).T
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    panels = drawing.subplots(1, 2, sharex=True, sharey=True)
    colors = [theme.classes[0], theme.classes[1]]
    borders = [-1e9, 0, 1e9]
    panels[0].contourf(x, y, scores, levels=borders, colors=colors, alpha=0.25)
    panels[1].contour(x, y, scores, levels=[0], colors=[theme.accent], linewidths=2.2)
    for w, b in zip(*layers[0], strict=True):
        _border(panels[1], w, b, theme)
    plural = "unit" if width == 1 else "units"
    titles = (f"{width} hidden {plural}", "lines of the units, border in bold")
    for axes, title in zip(panels, titles, strict=True):
        _mark(axes, points, labels, theme)
        limits = {"xlim": (-1.8, 2.8), "ylim": (-1.4, 1.9)}
        axes.set(title=title, xlabel="$x_1$", aspect="equal", **limits)
    panels[0].set_ylabel("$x_2$")
    return drawing


def _border(axes: Axes, w: Tensor, b: Tensor, theme: Theme) -> None:
    foot = -b * w / w.square().sum()
    along = torch.stack([-w[1], w[0]]) / w.norm()
    ends = torch.stack([foot - 9 * along, foot + 9 * along])
    axes.plot(*ends.T, color=theme.ink, lw=0.9, ls="--")


def _mark(axes: Axes, points: Tensor, labels: Tensor, theme: Theme) -> None:
    outline = {"edgecolor": theme.ink, "linewidth": 0.4}
    for label in (0, 1):
        look = {"marker": theme.markers[label], "color": theme.classes[label]}
        axes.scatter(*points[labels == label].T, s=11, **look, **outline)


def folding(theme: Theme, depth: int = 3) -> Figure:
    """The output of the folding network with depth {depth}: a zigzag between 0 and 1.

    Each layer of two units folds the line once more and doubles the number of straight
    pieces: 2, 4, 8, 16, 32. Drawn on [0, 1].
    """
    x = torch.linspace(0, 1, 2**8 + 1, dtype=torch.float64)
    drawing = Figure(figsize=(7, 2.2), layout="constrained")
    axes = drawing.subplots()
    axes.plot(x, forward(x[:, None], sawtooth(depth), relu), color=theme.classes[0])
    middles = (torch.arange(2**8, dtype=torch.float64) + 0.5) / 2**8
    pieces = count_pieces(middles[:, None], sawtooth(depth))
    layers = "layer" if depth == 1 else "layers"
    axes.set(title=f"{depth} hidden {layers}, {2 * depth} units, {pieces} pieces")
    axes.set(xlabel="input x", ylabel="output", ylim=(-0.05, 1.05))
    return drawing


def pieces(theme: Theme) -> Figure:
    """Number of straight pieces against number of hidden units, both on logarithmic axes.

    The folding network doubles its pieces with every two units. One hidden layer
    stays at or below its units plus one. Networks with random weights have about as many
    pieces as units, or fewer: the deep and narrow ones fewest, and least with the small
    weights that the library draws, on the short path.
    """
    drawing = Figure(figsize=(7, 3.9), layout="constrained")
    axes = drawing.subplots()
    units = [2 * depth for depth in range(1, 7)]
    folds = [2**depth for depth in range(1, 7)]
    blue, orange, green, pink = theme.classes[:4]
    axes.plot(units, folds, color=blue, marker="o", label="folding, two units per layer")
    span = torch.tensor([2, 64])
    axes.plot(span, span + 1, color=theme.muted, ls="--", label="bound for one layer")
    names = (
        ("one_layer", orange, "^", "one layer", {}),
        (
            "eight_layers",
            pink,
            "D",
            "eight layers, weights\ntimes √6, ten times the path",
            {"gain": 6**0.5, "reach": 30},
        ),
        ("eight_layers", green, "s", "eight layers", {}),
    )
    shifts = (0.93, 1, 1.07)
    for shift, (name, color, marker, says, drawn) in zip(shifts, names, strict=True):
        counts = sorted(path_pieces(SHAPES[name], seed, **drawn) for seed in range(20))
        middle = (counts[9] + counts[10]) / 2
        reach = [[middle - counts[0]], [counts[-1] - middle]]
        label = f"random, {says}"
        look = {"color": color, "marker": marker, "ls": "", "capsize": 3, "label": label}
        axes.errorbar([32 * shift], [middle], yerr=reach, **look)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:.0f}")
    axes.set(xlabel="hidden units", ylabel="straight pieces")
    drawing.legend(loc="outside lower center", ncols=2, fontsize=9)
    return drawing


def drawn_border(
    theme: Theme, widths: tuple[int, ...] = (2, 8, 8, 1), seed: int = 0
) -> Figure:
    """The plane as a rectifier network with random weights and widths {widths} sees it.

    Its output is drawn in levels of color, with edges that are straight, because the
    network is flat between the lines along which a unit switches. Zero is drawn in bold.
    """
    x = torch.linspace(-3, 3, 121)
    grid = torch.cartesian_prod(x, x)
    output = (
        forward(grid, draw_layers(list(widths), seed), relu)[:, 0].reshape(121, 121).T
    )
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    shades = axes.contourf(x, x, output, levels=12, cmap=theme.sequence)
    axes.contour(x, x, output, levels=[0], colors=[theme.accent], linewidths=2)
    drawing.colorbar(shades, ax=axes, label="output")
    axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    return drawing
