"""Figures of the chapter on back-propagation; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from dlbook import engine
from dlbook.backprop import (
    backward,
    count_products,
    cross_entropy,
    cross_entropy_gradient,
    finite_differences,
    trace,
)
from dlbook.data import digits
from dlbook.engine import Number, ancestors
from dlbook.figures.style import Theme
from dlbook.mlp import draw_layers, forward, tanh, tanh_derivative
from dlbook.runs.record import claims_of

SYMBOLS = {"*": "×", "-": "−", "^2": "( )²"}
TIMED = (1, 2, 3, 4, 6, 8)  # layers of the networks in the record


def graph(theme: Theme, step: int = 13) -> Figure:
    """The loss of one neuron as a graph of boxes, at step {step} of 13.

    Weights and inputs stand on the left, the squared error on the right. Boxes reached on
    the way forward show their value. Boxes reached on the way back show their gradient
    too, and arrows along which it traveled point back.
    """
    loss = _loss_of_one_neuron()
    engine.backward(loss)
    places = _places(loss)
    drawing = Figure(figsize=(7, 3.9), layout="constrained")
    axes = drawing.add_subplot()
    for number, (x, y) in places.items():
        shown = number.depth <= step
        returned = step > loss.depth and x >= 2 * loss.depth + 1 - step
        for source, _ in number.sources:
            _edge(axes, places[source], (x, y), returned, theme)
        _box(axes, x, y, number, shown, returned, theme)
    axes.set(xlim=(-0.55, 6.55), ylim=(5.5, -0.5))
    axes.axis("off")
    return drawing


def difference_error(theme: Theme) -> Figure:
    """Largest error of a gradient measured by finite differences, over the distance h.

    On logarithmic axes both curves are a V. To the right the error falls with the square
    of h; to the left rounding makes it grow again. In float64 the lowest point lies near
    h = 0.00003; in float32 near h = 0.03, and almost a millionfold higher.
    """
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.add_subplot()
    for index, dtype in enumerate((torch.float32, torch.float64)):
        distances, errors = _errors_of_differences(dtype)
        axes.loglog(
            distances,
            errors,
            color=theme.classes[index],
            marker=theme.markers[index],
            markersize=5,
            label=str(dtype).removeprefix("torch."),
        )
    guide = torch.tensor([1e-4, 1e-1])
    axes.loglog(guide, 3e-3 * guide**2, color=theme.muted, linestyle="--", linewidth=1)
    axes.text(3e-3, 3e-10, "slope 2:\nthe loss\nbends", color=theme.muted, fontsize=9)
    axes.text(1.2e-11, 3e-9, "slope −1:\nrounding", color=theme.muted, fontsize=9)
    axes.set(xlabel="distance $h$", ylabel="largest error of a slope")
    axes.legend(loc="upper right")
    return drawing


def cost(theme: Theme) -> Figure:
    """What the way back costs, in ways forward, over the number of layers of equal width.

    The counted products begin at 1 for one layer and come close to 2, which a dashed line
    marks. The measured times scatter about the count.
    """
    recorded = claims_of("backprop")
    layers = range(1, 9)
    counted = [count_products([512] * (depth + 1)) for depth in layers]
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.add_subplot()
    axes.axhline(2, color=theme.muted, linestyle="--", linewidth=1)
    axes.plot(
        layers,
        [back / there for there, back in counted],
        color=theme.classes[0],
        marker=theme.markers[0],
        label="products, counted",
    )
    axes.plot(
        TIMED,
        recorded["measured_ratio"].value,
        color=theme.classes[1],
        marker=theme.markers[1],
        linestyle="",
        label="time, measured",
    )
    axes.set(xlabel="layers $L$, all of the same width", ylabel="backward / forward")
    axes.set_ylim(0, max(2.5, 1.1 * max(recorded["measured_ratio"].value)))
    axes.legend(loc="lower right")
    return drawing


def training(theme: Theme) -> Figure:
    """Test error on the small digits over 30 epochs of training by hand.

    It begins above a third, falls steeply for five epochs, then slowly, jumping up and
    down by a percent or more from one epoch to the next, and ends below a tenth.
    """
    curve = claims_of("backprop")["digits_curve"].value
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.add_subplot()
    axes.plot(
        range(1, len(curve) + 1), curve, color=theme.classes[0], marker="o", markersize=4
    )
    axes.set(xlabel="epochs", ylabel="test error, %", ylim=(0, None))
    return drawing


def _loss_of_one_neuron() -> Number:
    w, x = (
        (Number(1.0, "w_1"), Number(-0.5, "w_2")),
        (Number(2.0, "x_1"), Number(3.0, "x_2")),
    )
    s = w[0] * x[0] + w[1] * x[1] + Number(0.3, "b")
    return (engine.tanh(s) - Number(1.0, "t")) ** 2


def _places(result: Number) -> dict[Number, tuple[float, float]]:
    """Give every number a column and a row.

    Inputs get rows of their own, in reading order, and stand one column before the first
    operation that uses them. An operation stands in the column of its depth, on the mean
    row of its sources.
    """
    places, rows = {}, iter(range(len(ancestors(result))))

    def place(number: Number, column: float) -> float:
        if number not in places:
            below = [place(source, number.depth - 1) for source, _ in number.sources]
            row = sum(below) / len(below) if below else float(next(rows))
            places[number] = (number.depth if below else column, row)
        return places[number][1]

    place(result, result.depth)
    return places


def _box(
    axes: Axes,
    x: float,
    y: float,
    number: Number,
    shown: bool,
    returned: bool,
    theme: Theme,
) -> None:
    color = theme.classes[0] if number.sources else theme.classes[2]
    box = FancyBboxPatch(
        (x - 0.36, y - 0.36),
        0.72,
        0.72,
        boxstyle="round,pad=0.02",
        facecolor=theme.paper,
        edgecolor=color if shown else theme.muted,
        linewidth=2 if number.depth == 0 else 1.2,
    )
    axes.add_patch(box)
    name = SYMBOLS.get(number.operation, number.operation)
    name = f"${name}$" if not number.sources else name
    value = f"{number.value:.2f}".replace("-", "−") if shown else ""
    slope = f"{number.gradient:.2f}".replace("-", "−") if returned else ""
    middle = {"ha": "center", "va": "center"}
    axes.text(x, y - 0.21, name, fontsize=9, color=theme.ink, **middle)
    axes.text(x, y + 0.02, value, fontsize=9, color=color, **middle)
    axes.text(x, y + 0.24, slope, fontsize=9, color=theme.accent, weight="bold", **middle)


def _edge(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    returned: bool,
    theme: Theme,
) -> None:
    left, right = (start[0] + 0.39, start[1]), (end[0] - 0.39, end[1])
    color = theme.accent if returned else theme.muted
    arrow = {"arrowstyle": "->", "color": color, "linewidth": 1.2}
    tip, tail = (left, right) if returned else (right, left)
    axes.annotate("", tip, tail, arrowprops=arrow)


def _errors_of_differences(dtype: torch.dtype) -> tuple[list[float], list[float]]:
    images, labels, _, _ = digits.load()
    x, labels = images[:20].flatten(1)[:, 20:28].to(dtype), labels[:20]
    layers = draw_layers([8, 4, 10], 0, dtype)
    entered, sums = trace(x, layers, tanh)
    along_scores = cross_entropy_gradient(sums[-1], labels)
    (slopes, _), _ = backward(layers, entered, sums, along_scores, tanh_derivative)
    finest = 22 if dtype == torch.float64 else 14  # below, float32 loses h itself
    distances = [10.0 ** (-power / 2) for power in range(1, finest + 1)]
    errors = []
    for h in distances:
        measured = finite_differences(
            lambda: cross_entropy(forward(x, layers, tanh), labels), layers[0][0], h
        )
        errors.append((measured - slopes).abs().max().item())
    return distances, errors
