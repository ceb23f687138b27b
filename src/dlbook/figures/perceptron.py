"""Figures of the chapter on the perceptron; docstrings are alternative texts."""

from itertools import product

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data import digits, separable
from dlbook.figures.style import Theme
from dlbook.perceptron import CORNERS, one_unit_tables, train_by_blocks, update_bound
from dlbook.runs.record import claims_of

NAMES = ("never", "and", "x₁, not x₂", "x₁", "x₂, not x₁", "x₂", "xor", "or")
NAMES += (
    "nor",
    "equal",
    "not x₂",
    "x₁ or not x₂",
    "not x₁",
    "x₂ or not x₁",
    "nand",
    "always",
)
SEED = 39  # a set that takes six updates


def gates(theme: Theme) -> Figure:
    """Sixteen small squares, one for each function of two bits, corners marked 0 or 1.

    In fourteen of them a straight line parts the ones from the zeros, or all corners agree.
    In the other two, xor and equal, the ones lie on a diagonal and the panel says: no line.
    """
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    panels = drawing.subplots(2, 8, sharex=True, sharey=True)
    settings = one_unit_tables()
    tables = sorted(product((0.0, 1.0), repeat=4), key=_number)
    for axes, table, name in zip(panels.flat, tables, NAMES, strict=True):
        _corners(axes, table, theme)
        if table in settings:
            _border(axes, *settings[table], theme)
        else:
            axes.text(0.5, 0.5, "no line", color=theme.accent, ha="center", va="center")
        color = theme.ink if table in settings else theme.accent
        axes.set_title(name, fontsize=8, color=color)
        axes.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), aspect="equal")
        axes.set(xticks=(0, 1), yticks=(0, 1))
    drawing.supxlabel("first bit $x_1$", fontsize=10)
    drawing.supylabel("second bit $x_2$", fontsize=10)
    return drawing


def _number(table: tuple[float, ...]) -> int:
    """Order truth tables so that the halves of the figure mirror each other."""
    zero_zero, zero_one, one_zero, one_one = (int(answer) for answer in table)
    code = one_one + 2 * one_zero + 4 * zero_one
    return code + 8 * zero_zero


def _corners(axes: Axes, table: tuple[float, ...], theme: Theme) -> None:
    answers = torch.tensor(table)
    for answer in (0, 1):
        x, y = CORNERS[answers == answer].T
        marker, color = theme.markers[answer], theme.classes[answer]
        axes.scatter(x, y, s=26, marker=marker, color=color, zorder=3)


def _border(axes: Axes, first: float, second: float, bias: float, theme: Theme) -> None:
    reach = torch.tensor([-0.4, 1.4])
    if second:
        axes.plot(reach, -(first * reach + bias) / second, color=theme.ink, linewidth=1)
    elif first:
        axes.axvline(-bias / first, color=theme.ink, linewidth=1)


def _example() -> tuple[Tensor, Tensor, Tensor]:
    """Draw the small data set whose updates the slider walks through.

    Returns:
        points, (24, 2) float64, labels, (24,), and a separator, (2,) of length 1.
    """
    return separable.draw(24, dimension=2, gap=0.12, seed=SEED)


def updates(theme: Theme, step: int = 3) -> Figure:
    """The perceptron after update {step}: left the line it has reached, right the proof.

    First, circles and triangles around the origin, the arrow w and the line across it; a ring
    marks the example just added. Then, the length of w stays below the square root of the
    updates times R while its part along the separator stays above a straight line.
    """
    points, labels, separator = _example()
    _, steps = train_by_blocks(points, labels, epochs=100)
    chosen = (steps % len(points)).tolist()
    path = torch.zeros(len(chosen) + 1, 2, dtype=torch.float64)
    path[1:] = (labels[chosen, None] * points[chosen]).cumsum(dim=0)
    drawing = Figure(figsize=(7, 3.3), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _plane(left, points, labels, path, chosen, step, theme)
    _race(right, points, labels, separator, path, step, theme)
    return drawing


def _plane(
    axes: Axes,
    points: Tensor,
    labels: Tensor,
    path: Tensor,
    chosen: list[int],
    step: int,
    theme: Theme,
) -> None:
    w = path[step]
    for kind, label in enumerate((-1, 1)):
        x, y = points[labels == label].T
        marker, color = theme.markers[kind], theme.classes[kind]
        axes.scatter(x, y, s=24, marker=marker, color=color, label=f"$y = {label:+d}$")
    if step > 0:
        across = torch.stack([-w[1], w[0]]) / w.norm() * 2
        axes.plot(*torch.stack([-across, across]).T, color=theme.ink, linewidth=1.4)
        x, y = points[chosen[step - 1]]
        axes.scatter(
            x, y, s=120, facecolors="none", edgecolors=theme.accent, linewidth=1.8
        )
        arrow = {"arrowstyle": "-|>", "color": theme.accent, "linewidth": 1.6}
        axes.annotate("", xy=tuple(w.tolist()), xytext=(0, 0), arrowprops=arrow)
        axes.text(*(w * 1.12).tolist(), "w", color=theme.accent, ha="center", va="center")
    wrong = int((labels * (points @ w) <= 0).sum())
    axes.set_title(f"after update {step}: {wrong} of {len(points)} wrong")
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.legend(loc="upper left", fontsize=8, handletextpad=0.1, borderpad=0)


def _race(
    axes: Axes,
    points: Tensor,
    labels: Tensor,
    separator: Tensor,
    path: Tensor,
    step: int,
    theme: Theme,
) -> None:
    half_gap = (labels * (points @ separator)).min().item()
    radius = points.norm(dim=1).max().item()
    last = update_bound(points, labels, separator)
    k = torch.linspace(0, min(last, 3 * (len(path) - 1)), 200)
    axes.plot(k, radius * k.sqrt(), color=theme.muted, linestyle="--")
    axes.plot(k, half_gap * k, color=theme.muted, linestyle=":")
    seen = torch.arange(step + 1)
    length, along = path[: step + 1].norm(dim=1), path[: step + 1] @ separator
    marker = {"markersize": 4}
    axes.plot(seen, length, "o-", color=theme.classes[0], label="length ‖w‖", **marker)
    axes.plot(seen, along, "^-", color=theme.classes[1], label="$w\\cdot w^*$", **marker)
    axes.text(
        k[-1], radius * k[-1].sqrt() + 0.05, "$R\\sqrt{k}$", ha="right", va="bottom"
    )
    axes.text(k[-1], half_gap * k[-1] - 0.35, "$k\\,\\gamma/2$", ha="right", va="top")
    axes.set(xlabel="updates $k$", ylabel="length, in units of $R$")
    axes.set_title(f"at most {last} updates fit between")
    axes.legend(loc="upper left", fontsize=8)
    axes.set_ylim(bottom=-0.25, top=radius * k[-1].sqrt() * 1.25)


def bound(theme: Theme) -> Figure:
    """Number of updates against the width of the gap, both on logarithmic scales.

    For each of five gaps ten circles, one for each random data set, lie far below the line
    4R²/γ². The line climbs by four whenever the gap is halved; the circles climb more slowly.
    """
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    gaps = claims_of("perceptron")["gaps"].value
    for gap in gaps:
        for seed in range(10):
            points, labels, _ = separable.draw(1000, 2, gap, seed)
            _, steps = train_by_blocks(points, labels, epochs=10**6)
            shift = 1.02 ** (seed - 4.5)  # apart, so that equal counts can be told
            axes.scatter(gap * shift, len(steps), s=16, color=theme.classes[0], alpha=0.7)
    line = torch.tensor([gaps[-1] / 1.3, gaps[0] * 1.3])
    axes.plot(line, 4 / line.square(), color=theme.accent)
    axes.text(0.1, 520, "at most $4R^2/\\gamma^2$", color=theme.accent)
    axes.text(0.021, 110, "counted, 10 data\nsets for each gap", color=theme.classes[0])
    axes.set(
        xscale="log", yscale="log", xlabel="gap γ, in units of $R$", ylabel="updates"
    )
    axes.set_xticks(gaps, [f"{gap:g}" for gap in gaps])
    axes.minorticks_off()
    return drawing


def ingredients(theme: Theme) -> Figure:
    """The weights of a perceptron on digits are a sum of few images, each with its sign.

    Images of handwritten zeros, with a minus sign, and ones, with a plus sign, in the order in
    which they were got wrong; last their sum: high along a vertical stroke, low along a ring.
    """
    images, labels, *_ = digits.load()
    pair = labels < 2
    images, y = images[pair], labels[pair] * 2.0 - 1
    _, steps = train_by_blocks(images.flatten(1), y, epochs=100)
    chosen = (steps % len(images)).tolist()
    signed = y[chosen, None, None] * images[chosen]
    drawing = Figure(figsize=(7, 1.9), layout="constrained")
    panels = drawing.subplots(1, len(chosen) + 1)
    for axes, image, n in zip(panels, signed, chosen, strict=False):
        _image(axes, image, f"{'+' if y[n] > 0 else '−'} example {n}", theme)
    _image(panels[-1], signed.sum(dim=0), "= weights", theme)
    return drawing


def _image(axes: Axes, image: Tensor, title: str, theme: Theme) -> None:
    limit = float(image.abs().max())
    axes.imshow(image, cmap=theme.diverging, vmin=-limit, vmax=limit)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def geometry(theme: Theme) -> Figure:
    """Two drawings of weights as arrows that stand upright on the border.

    First, the border of the weights (3, 4) with bias -5: the arrow w is perpendicular to it,
    the origin lies at distance 1 on the side of -1, the point (3, 4) at distance 4 on the
    side of +1. Then, one update: the arrow (1, 2) minus the example (3, -1) is the arrow
    (-2, 3), and its border has turned until the example lies on the side of -1.
    """
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _distances(left, theme)
    _turn(right, theme)
    for axes in (left, right):
        axes.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
        axes.axhline(0, color=theme.muted, linewidth=0.5, zorder=0)
        axes.axvline(0, color=theme.muted, linewidth=0.5, zorder=0)
    return drawing


def _distances(axes: Axes, theme: Theme) -> None:
    foot = torch.tensor([0.6, 0.8])  # the point of the border nearest to the origin
    along = torch.tensor([-0.8, 0.6])
    axes.plot(*torch.stack([foot - 4 * along, foot + 4 * along]).T, color=theme.ink)
    axes.plot([0, 0.6], [0, 0.8], color=theme.classes[0], linewidth=2.2)
    axes.plot([0.6, 3], [0.8, 4], ":", color=theme.classes[1], linewidth=2.2)
    _arrow(axes, foot, foot + torch.tensor([0.6, 0.8]), theme.accent)
    axes.scatter(3, 4, s=40, marker="^", color=theme.classes[1], zorder=3)
    axes.text(3, 4.35, "(3, 4): score 20", ha="center")
    axes.text(2.3, 2.3, "20 / 5 = 4", color=theme.classes[1])
    axes.text(-0.2, 0.55, "5 / 5 = 1", ha="right", color=theme.classes[0])
    axes.text(1.35, 1.45, "w / ‖w‖", color=theme.accent)
    axes.text(-1.95, 2.25, "score 0", rotation=-36.9, rotation_mode="anchor")
    axes.set(xlim=(-2.4, 6), ylim=(-1.6, 5), title="w = (3, 4), b = −5")


def _turn(axes: Axes, theme: Theme) -> None:
    old, example = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0])
    new = old - example
    for w, dash, color in ((old, "--", theme.muted), (new, "-", theme.ink)):
        border = torch.stack([-w[1], w[0]]) / w.norm() * 6
        axes.plot(*torch.stack([-border, border]).T, dash, color=color)
    _arrow(axes, torch.zeros(2), old, theme.muted)
    _arrow(axes, torch.zeros(2), new, theme.accent)
    _arrow(axes, old, new, theme.classes[0])
    axes.scatter(*example, s=40, color=theme.classes[0], zorder=3)
    axes.text(3.0, -0.75, "x, y = −1", ha="center", color=theme.classes[0])
    axes.text(1.15, 2.0, "old w", color=theme.ink)
    axes.text(-2.0, 3.15, "new w", color=theme.accent, ha="center")
    axes.text(-0.9, 2.85, "− x", color=theme.classes[0])
    axes.set(xlim=(-3.6, 4.2), ylim=(-2.6, 4.0), title="one update: w − (3, −1)")


def _arrow(axes: Axes, tail: Tensor, tip: Tensor, color: str) -> None:
    look = {"arrowstyle": "-|>", "color": color, "linewidth": 1.6}
    ends = {"xy": tuple(tip.tolist()), "xytext": tuple(tail.tolist())}
    axes.annotate("", **ends, arrowprops={**look, "shrinkA": 0, "shrinkB": 0})
