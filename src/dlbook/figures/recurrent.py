"""Figures of the chapter on recurrent networks; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from dlbook.figures.style import Theme
from dlbook.recurrent import kept_by_gate
from dlbook.runs.record import claims_of
from dlbook.runs.recurrent import FORGET, LENGTH

NAMES = {
    "plain": "plain, library",
    "orthogonal": "plain, orthogonal",
    "gru": "GRU, library",
    "lstm_0": "LSTM, $b_f = 0$",
    "lstm_1": "LSTM, $b_f = 1$",
    "lstm_3": "LSTM, $b_f = 3$",
}


def gradients(theme: Theme) -> Figure:
    """Gradient along the state behind each of 40 steps, in powers of ten, for six starts.

    All six lines begin at 0 behind the last step. Going back in time, those of the plain
    cell and the GRU fall straight down to about -9, that of the LSTM with forget bias 0 to
    -8, that with bias 1 to -3, that of the orthogonal cell to -1.4; that with bias 3 stays
    near 0. Dashed lines show what the forget gates alone would let through.
    """
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.subplots()
    claims, steps = claims_of("recurrent"), range(1, LENGTH + 1)
    for index, (name, shown) in enumerate(NAMES.items()):
        kind = index % len(theme.classes)
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        if index == len(theme.classes):
            look = {"color": theme.ink, "marker": "P"}
        line = claims[f"gradient_{name}"].value
        axes.plot(steps, line, label=shown, markevery=(index, 6), ms=6, lw=1.4, **look)
        if name.startswith("lstm"):
            kept = kept_by_gate(float(name[5:]), LENGTH - 1).log10().flip(0)
            axes.plot(steps, kept, color=look["color"], ls="--", lw=1)
    axes.set(xlabel="step", ylabel="gradient, decades", ylim=(-13, 1.5))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def forgetting(theme: Theme, bias: float = 1) -> Figure:
    """Gradient through time and training of an LSTM whose forget bias is {bias}.

    Gray lines are the other biases, from -1 to 5. For small ones the gradient falls by many
    powers of ten on its way back, and the loss stays at that of guessing among four symbols,
    1.39 nats. From a bias of about 3 on the gradient reaches the first step in its full
    size, and the loss falls to nearly 0.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    through, loss = drawing.subplots(1, 2)
    claims = claims_of("recurrent")
    for other in sorted(FORGET, key=lambda each: each == bias):
        chosen = other == bias
        look = {"color": theme.accent if chosen else theme.muted}
        look["lw"] = 2 if chosen else 0.7
        line = claims[f"gradient_lstm_{other:g}"].value
        curve = claims[f"curve_lstm_{other:g}"].value
        marked = {"marker": "o" if chosen else "", "markevery": 5}
        through.plot(range(1, LENGTH + 1), line, **marked, **look)
        loss.plot(10 * (torch.arange(len(curve)) + 0.5), curve, **marked, **look)
    loss.axhline(math.log(4), color=theme.ink, lw=0.8, ls=":")
    through.set(xlabel="step", ylabel="gradient, decades", ylim=(-16, 1.5))
    through.set_title(f"before training, $b_f = {bias:g}$")
    error = claims[f"error_lstm_{bias:g}"].value
    loss.set(xlabel="steps of training", ylabel="loss, nats", ylim=(0, 1.8))
    loss.set_title(f"error {error:.0f} %")
    return drawing


def unrolled(theme: Theme) -> Figure:
    """A cell with a loop on the left; on the right the same cell four times in a row.

    In the row each cell takes its symbol from below and the state from its left, and hands
    its own state to the right. All four boxes bear the same name.
    """
    drawing = Figure(figsize=(7, 2), layout="constrained")
    axes = drawing.subplots()
    axes.set(xlim=(-1, 9.6), ylim=(-1.3, 1.3))
    axes.set_axis_off()
    _cell(axes, theme, 0, "$x_t$")
    turn = ([0.4, 0.8, 0.8, -0.8, -0.8], [0, 0, 0.75, 0.75, 0])
    axes.plot(*turn, color=theme.ink, lw=1.2)
    _arrow(axes, theme, (-0.8, 0), (-0.42, 0))
    axes.text(0, 1.0, "$h$", ha="center", va="center")
    axes.text(1.4, 0, "=", ha="center", va="center", fontsize=14)
    for t in range(1, 5):
        place = 1.4 + 1.7 * t
        _cell(axes, theme, place, f"$x_{t}$")
        _arrow(axes, theme, (place - 1.25, 0), (place - 0.42, 0))
        axes.text(place - 0.85, 0.3, f"$h_{t - 1}$", ha="center", va="center")
    _arrow(axes, theme, (place + 0.42, 0), (place + 1.2, 0))
    axes.text(place + 0.8, 0.3, "$h_4$", ha="center", va="center")
    return drawing


def conveyor(theme: Theme) -> Figure:
    """An LSTM step: the cell runs straight through, times a forget gate, plus what is new.

    On the upper line c comes in, is multiplied by f, gets i times the new value added, and
    goes out. Below, the four parts i, f, new and o are made from h and x. What is shown, h,
    is o times the tanh of the cell.
    """
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.subplots()
    axes.set(xlim=(-1.0, 8.6), ylim=(-1.9, 1.7))
    axes.set_axis_off()
    top = 1.2
    axes.text(-0.3, top, "$c_{t-1}$", ha="center", va="center")
    _arrow(axes, theme, (0.1, top), (1.5, top))
    _sign(axes, theme, 1.8, top, "×")
    _arrow(axes, theme, (2.1, top), (3.7, top))
    _sign(axes, theme, 4.0, top, "+")
    _arrow(axes, theme, (4.3, top), (7.8, top))
    axes.text(8.1, top, "$c_t$", ha="center", va="center")
    for place, name in ((1.8, "$f$"), (3.4, "$i$"), (4.6, "new"), (5.9, "$o$")):
        box = {"boxstyle": "round,pad=0.35", "fc": theme.paper, "ec": theme.classes[0]}
        axes.text(place, -0.7, name, ha="center", va="center", bbox=box)
        _arrow(axes, theme, (place, -1.45), (place, -1.05))
    axes.plot([0.3, 5.9], [-1.45, -1.45], color=theme.ink, lw=1.2)
    axes.text(-0.45, -1.45, "$h_{t-1}, x_t$", ha="center", va="center")
    _arrow(axes, theme, (1.8, -0.35), (1.8, top - 0.3))
    _sign(axes, theme, 4.0, 0.2, "×")
    _arrow(axes, theme, (3.4, -0.35), (3.8, 0.0))
    _arrow(axes, theme, (4.6, -0.35), (4.2, 0.0))
    _arrow(axes, theme, (4.0, 0.5), (4.0, top - 0.3))
    _sign(axes, theme, 6.9, 0.0, "×")
    _arrow(axes, theme, (6.2, -0.55), (6.65, -0.15))
    _arrow(axes, theme, (6.9, top), (6.9, 0.3))
    axes.text(7.05, 0.75, "tanh", ha="left", va="center", fontsize=9)
    _arrow(axes, theme, (7.2, 0.0), (7.8, 0.0))
    axes.text(8.1, 0.0, "$h_t$", ha="center", va="center")
    return drawing


def _arrow(
    axes: Axes, theme: Theme, start: tuple[float, float], stop: tuple[float, float]
) -> None:
    look = {"arrowstyle": "-|>", "mutation_scale": 11, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, stop, color=theme.ink, lw=1.2, **look))


def _sign(axes: Axes, theme: Theme, x: float, y: float, sign: str) -> None:
    look = {"facecolor": theme.paper, "edgecolor": theme.classes[1], "zorder": 3}
    axes.scatter([x], [y], s=230, **look)
    axes.text(x, y, sign, ha="center", va="center", zorder=4)


def _cell(axes: Axes, theme: Theme, place: float, symbol: str) -> None:
    box = {"boxstyle": "round,pad=0.4", "fc": theme.paper, "ec": theme.classes[0]}
    axes.text(place, 0, "cell", ha="center", va="center", bbox=box)
    _arrow(axes, theme, (place, -0.85), (place, -0.3))
    axes.text(place, -1.08, symbol, ha="center", va="center")
