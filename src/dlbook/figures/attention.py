"""Figures of the chapter on attention; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import Tensor

from dlbook.attention import count_products, sinusoids, smooth
from dlbook.figures.style import Theme
from dlbook.runs.attention import LENGTH, LENGTHS, SYMBOLS, WIDTHS
from dlbook.runs.record import claims_of


def condensing(theme: Theme, step: int = 35) -> Figure:
    """The map of the reversing network after {step} steps of training, and its loss.

    Each row of the map belongs to a place that is written; bright cells are the places that
    it looks at. At the start the light is spread over all cells. By and by it gathers on the
    diagonal from the lower left to the upper right, where each place looks at its mirror,
    while the loss falls from 2.8 nats to nearly 0.
    """
    claims = claims_of("attention")
    seen = torch.tensor(claims[f"map_{step}"].value).view(LENGTH, LENGTH)
    losses = claims["losses"].value
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    picture = left.imshow(seen, cmap=theme.sequence, vmin=0, vmax=1)
    left.set(xticks=range(LENGTH), yticks=range(LENGTH), title=f"after {step} steps")
    left.set(xlabel="place that is looked at", ylabel="place that is written")
    drawing.colorbar(picture, ax=left, label="share", shrink=0.9)
    right.plot(range(1, len(losses) + 1), losses, color=theme.muted, lw=1)
    here = max(step - 1, 0)
    right.plot(here + 1, losses[here], color=theme.accent, marker="o", ms=8)
    right.axhline(math.log(SYMBOLS), color=theme.ink, lw=0.8, ls=":")
    right.text(len(losses), 2.35, "guessing", ha="right", va="bottom", color=theme.ink)
    right.set(xlabel="steps of training", ylabel="loss, nats", ylim=(-0.1, 3))
    return drawing


def soft(theme: Theme) -> Figure:
    """Nine measured points, smoothed with three widths, and the shares of one query.

    With a small width the curve is a staircase: the nearest point decides alone, and has
    nearly all of the share. With a middle one it follows the points smoothly. With a large
    one it is nearly level at the mean, and the shares are almost alike.
    """
    points, values, queries = _points()
    drawing = Figure(figsize=(7, 3), layout="constrained")
    curve, bars = drawing.subplots(1, 2)
    curve.plot(points, values, ls="", marker="o", color=theme.ink, ms=5, zorder=3)
    curve.axvline(0.3, color=theme.muted, lw=1, ls=":")
    for kind, tau in enumerate((0.0005, 0.02, 1.0)):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        ours = smooth(queries, points, values, tau)
        curve.plot(
            queries[:, 0], ours[:, 0], label=f"$\\tau = {tau:g}$", markevery=50, **look
        )
        each = smooth(torch.tensor([[0.3]]).double(), points, torch.eye(9).double(), tau)
        bars.plot(points[:, 0], each[0], ls="--", lw=1, ms=6, **look)
    curve.set(xlabel="place of the query", ylabel="value", title="what is answered")
    curve.set_ylim(0, 2.9)
    bars.set(
        xlabel="place of the key", ylabel="share", title="shares of the query at 0.3"
    )
    curve.legend(fontsize=9, loc="upper right")
    return drawing


def saturation(theme: Theme) -> Figure:
    """The largest of eight shares against the width of a head, with and without division.

    Without division by the root of the width it climbs from 0.53 at width 4 to 0.97 at
    1024: nearly everything goes to one key. With it, it stays near 0.36. Equal shares would
    be at 0.125.
    """
    claims = claims_of("attention")
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    named = (
        ("largest_share_plain", "softmax of $q \\cdot k$"),
        ("largest_share_scaled", "softmax of $q \\cdot k / \\sqrt{d}$"),
    )
    for kind, (name, label) in enumerate(named):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.plot(WIDTHS, claims[name].value, label=label, **look)
    axes.axhline(1 / 8, color=theme.ink, lw=0.8, ls=":")
    axes.text(WIDTHS[-1], 0.14, "equal shares", ha="right", va="bottom", color=theme.ink)
    axes.set(xscale="log", xticks=WIDTHS, xticklabels=WIDTHS, ylim=(0, 1.02))
    axes.minorticks_off()
    axes.set(xlabel="width $d$ of queries and keys", ylabel="largest of 8 shares, mean")
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.66))
    return drawing


def block(theme: Theme) -> Figure:
    """One block of a Transformer, from bottom to top, and its attention drawn large.

    On the left, a signal passes a layer norm and the attention, whose answer is added to it;
    then a layer norm, two layers with a rectifier between, and again a sum. On the right, three
    layers make queries, keys and values; queries and keys give shares, these mix the values,
    the heads are laid together, and a last layer mixes them.
    """
    drawing = Figure(figsize=(7, 4.6), layout="constrained")
    whole, inside = drawing.subplots(1, 2)
    rows = ("layer_norm", "multi_head", "+", "layer_norm", "linear, relu, linear", "+")
    for height, name in enumerate(rows):
        _box(whole, (5, height), name, theme, 3 if name == "multi_head" else None)
        if height:
            _arrow(whole, (5, height - 0.72), (5, height - 0.28), theme)
    for below in (-0.62, 2.36):
        _way_around(whole, below, below + (2.62 if below < 0 else 2.64), theme)
    _arrow(whole, (5, -0.9), (5, -0.28), theme)
    _arrow(whole, (5, 5.28), (5, 5.85), theme)
    whole.set(xlim=(-0.5, 9), ylim=(-1, 5.95), title="encoder_block")
    _inside(inside, theme)
    for axes in (whole, inside):
        axes.set_axis_off()
    return drawing


def places(theme: Theme) -> Figure:
    """A table of sinusoids, and inner products of its rows against their distance.

    The table is striped: its first columns change from row to row, its last ones hardly at
    all. The inner products of the rows 10, 40 and 70 with all others, drawn against the
    distance, lie on one curve: highest at distance 0, falling to both sides in waves.
    """
    table = sinusoids(torch.arange(100.0, dtype=torch.float64), 32)
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    left, right = drawing.subplots(1, 2)
    picture = left.imshow(table, cmap=theme.diverging, vmin=-1, vmax=1, aspect="auto")
    left.set(xlabel="feature", ylabel="place", title="sinusoids")
    drawing.colorbar(picture, ax=left, label="value", shrink=0.9)
    for kind, place in enumerate((10, 40, 70)):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        distances = torch.arange(100) - place
        products = table @ table[place]
        right.plot(
            distances, products, ms=4, markevery=9, label=f"from place {place}", **look
        )
    right.set(xlabel="distance", ylabel="inner product", ylim=(0, 23))
    right.legend(loc="upper right", fontsize=9)
    return drawing


def sorting(theme: Theme) -> Figure:
    """Where the sorting network looks: by distance from the answer, and by place.

    A key whose symbol is the answer gets 0.24 of the light, nearly twice an equal share; the
    farther its symbol is from the answer, the less, down to 0.01. The first place looks at
    small symbols, 1.1 in the mean, the last at large ones, 8.0; the six between rise
    slowly from 3.3 to 5.7.
    """
    claims = claims_of("attention")
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    near = claims["sort_by_distance"].value
    left.plot(range(SYMBOLS), near, color=theme.classes[0], marker=theme.markers[0])
    left.axhline(1 / LENGTH, color=theme.ink, lw=0.8, ls=":")
    left.text(9, 0.128, "equal shares", ha="right", va="bottom", color=theme.ink)
    left.set(
        xlabel="distance of the key's symbol from the answer", ylabel="share of a key"
    )
    left.set_ylim(0, 0.27)
    seen = claims["sort_by_place"].value
    right.plot(range(LENGTH), seen, color=theme.classes[1], marker=theme.markers[1])
    right.set(xlabel="place that is written", ylabel="mean symbol looked at", ylim=(0, 9))
    return drawing


def costs(theme: Theme) -> Figure:
    """Products of a block against the length, and memory that attention keeps.

    Logarithmic axes. For width 512, what is computed within the places rises as a line of
    slope 1, what is computed between them as one of slope 2; they cross at a length of
    3072. The memory of attention by hand grows from 1.3 to 40 megabytes when the length
    grows eightfold, that of the library from 1.1 to 8.4.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    left, right = drawing.subplots(1, 2)
    sizes = [2**exponent for exponent in range(7, 16)]
    parts = [count_products(length, 512, 2048) for length in sizes]
    curves = (
        ("within places", [first + last for first, _, last in parts]),
        ("between places", [middle for _, middle, _ in parts]),
    )
    for kind, (label, values) in enumerate(curves):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        left.loglog(sizes, values, label=label, ms=5, **look)
    left.axvline(6 * 512, color=theme.ink, lw=0.8, ls=":")
    left.text(3400, 5e8, "$T = 6 d$", color=theme.ink)
    left.set(xlabel="length $T$", ylabel="products", title="one block, $d = 512$")
    left.legend(loc="upper left", fontsize=9)
    claims = claims_of("attention")
    for kind, (label, name) in enumerate(
        (("library", "kept_by_library"), ("by hand", "kept_by_hand"))
    ):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        right.loglog(LENGTHS, claims[name].value, label=label, ms=5, **look)
    right.set(xlabel="length $T$", ylabel="MB", title="kept, 8 heads")
    right.set(xticks=LENGTHS, xticklabels=LENGTHS)
    right.minorticks_off()
    right.legend(loc="upper left", fontsize=9)
    return drawing


def _points() -> tuple[Tensor, Tensor, Tensor]:
    points = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
    values = torch.tensor([0.2, 0.5, 1.4, 1.9, 1.5, 1.2, 0.5, 0.9, 1.6]).double()[:, None]
    queries = torch.linspace(-0.05, 1.05, 441, dtype=torch.float64)[:, None]
    return points, values, queries


def _box(
    axes: Axes, at: tuple[float, float], name: str, theme: Theme, kind: int | None = None
) -> None:
    x, y = at
    half = 0.55 if name == "+" else 2.9
    box = FancyBboxPatch(
        (x - half, y - 0.22),
        2 * half,
        0.44,
        boxstyle="round,pad=0.05",
        facecolor="none",
        edgecolor=theme.ink if kind is None else theme.classes[kind],
        linewidth=1 if kind is None else 2,
    )
    axes.add_patch(box)
    axes.text(x, y, name, ha="center", va="center", fontsize=9, color=theme.ink)


def _arrow(
    axes: Axes, tail: tuple[float, float], tip: tuple[float, float], theme: Theme
) -> None:
    look = {"arrowstyle": "->", "color": theme.muted, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", tip, tail, arrowprops=look)


def _way_around(axes: Axes, below: float, above: float, theme: Theme) -> None:
    axes.plot(
        [5, 0.6, 0.6, 4.2], [below, below, above, above], color=theme.accent, lw=1.5
    )
    _arrow(axes, (4.2, above), (4.4, above), theme)


def _inside(axes: Axes, theme: Theme) -> None:
    thirds = (1, 4.5, 8)
    for x, name in zip(thirds, ("query", "key", "value"), strict=True):
        axes.text(
            x, 0, f"linear\n{name}", ha="center", va="center", fontsize=9, color=theme.ink
        )
        _arrow(axes, (4.5, -0.9), (x, -0.4), theme)
        _arrow(axes, (x, 0.35), (x, 0.85), theme)
        axes.text(
            x, 1.1, "heads_apart", ha="center", va="center", fontsize=9, color=theme.ink
        )
    for x in thirds[:2]:
        _arrow(axes, (x, 1.35), (2.75, 2.0), theme)
    named = ((2.75, 2.25, "shares"), (4.5, 3.3, "attention"))
    for x, y, name in named:
        axes.text(x, y, name, ha="center", va="center", fontsize=9, color=theme.ink)
    _arrow(axes, (2.75, 2.5), (4.3, 3.05), theme)
    _arrow(axes, (8, 1.35), (4.8, 3.05), theme)
    for height, name in ((4.2, "heads_together"), (5.1, "linear output")):
        _arrow(axes, (4.5, height - 0.65), (4.5, height - 0.25), theme)
        axes.text(
            4.5, height, name, ha="center", va="center", fontsize=9, color=theme.ink
        )
    _arrow(axes, (4.5, 5.35), (4.5, 5.85), theme)
    axes.set(xlim=(-0.8, 9.8), ylim=(-1, 5.95), title="multi_head")
