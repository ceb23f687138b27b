"""Figures of the chapter on autograd and the usual loop; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator
from torch.nn import functional

from dlbook.autograd import Network, nodes_of, saved_at
from dlbook.figures.style import Theme
from dlbook.runs.autograd import SIZES
from dlbook.runs.record import claims_of

PLACES = {"a": (0, 0), "b": (0, 2), "p": (1.5, 1.5), "s": (3, 0.75), "loss": (4.5, 0.75)}
FORMULAS = {"a": "$a$", "b": "$b$", "p": "$p = ab$", "s": "$s = p+a$", "loss": "$s^2$"}
ARROWS = (("a", "p"), ("b", "p"), ("p", "s"), ("a", "s"), ("s", "loss"))
SHOWN_AT = {"a": 0, "b": 0, "p": 1, "s": 2, "loss": 3}  # the step of a value
PASSED_AT = {"loss": 4, "s": 5, "p": 6}  # the step at which a node hands its slopes on
KINDS = ("made on the way", "the batch", "a parameter")
PARTS = {
    "AddmmBackward0": "layer",
    "ReluBackward0": "rectifier",
    "MulBackward0": "dropout",
    "LogSoftmaxBackward0": "log-softmax",
    "NllLossBackward0": "loss",
}


def small_graph(theme: Theme, step: int = 6) -> Figure:
    """Five boxes, a and b on the left, p = ab, s = p + a, and s squared, at step {step} of 6.

    Steps 1 to 3 compute the values 6, 8 and 64. Steps 4 to 6 go back: s gets the slope 16, then
    p gets 16 and a gets 16, then b gets 32 and a gets 48 more, which makes 64. The two parts of
    a stand at its two arrows.
    """
    values, slopes = _values_and_slopes()
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    axes = drawing.add_subplot()
    for source, target in ARROWS:
        _arrow(axes, source, target, step >= PASSED_AT[target], theme)
    parts = {"s": slopes["s"], "p": slopes["a"] - slopes["s"]}
    for source, (x, y) in {"s": (1.5, 0.1), "p": (0.9, 0.85)}.items():
        part = f"{parts[source]:g}" if step >= PASSED_AT[source] else ""
        axes.text(x, y, part, color=theme.accent, weight="bold", fontsize=9)
    for name in PLACES:
        value = f"{values[name]:g}" if step >= SHOWN_AT[name] else ""
        _box(axes, name, value, _slope_at(name, step, slopes), theme)
    axes.set(xlim=(-0.6, 5.1), ylim=(2.5, -0.5))
    axes.axis("off")
    return drawing


def saved(theme: Theme) -> Figure:
    """The nodes of the graph of one loss from top to bottom, each with a bar of what it keeps.

    The hidden layer keeps the batch, the rectifier its result, dropout its mask, the output
    layer its input and its weights, the log-softmax its result, which the loss keeps as well.
    The bar of the hidden layer is by far the longest.
    """
    rows = _kept_by_nodes()
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.add_subplot()
    for row, (name, parts) in enumerate(rows):
        box = FancyBboxPatch(
            (-14.5, row - 0.3),
            13,
            0.6,
            boxstyle="round,pad=0.02,rounding_size=0.15",
            mutation_aspect=1 / 20,
            facecolor=theme.paper,
            edgecolor=theme.ink,
        )
        axes.add_patch(box)
        axes.text(-8, row, name, ha="center", va="center", color=theme.ink, fontsize=9)
        if row:
            arrow = {"arrowstyle": "->", "color": theme.muted}
            axes.annotate("", (-8, row - 0.33), (-8, row - 0.67), arrowprops=arrow)
        start = 0.0
        for kind, size in parts:
            axes.barh(
                row,
                size,
                left=start,
                height=0.55,
                color=theme.classes[kind],
                hatch=("", "//", "xx")[kind],
                edgecolor=theme.paper,
            )
            start += size
        axes.text(start + 0.4, row, f"{start:.1f}", va="center", color=theme.ink)
    for kind, label in enumerate(KINDS):
        look = {"color": theme.classes[kind], "hatch": ("", "//", "xx")[kind]}
        axes.barh(0, 0, label=label, edgecolor=theme.paper, **look)
    axes.set(xlim=(-15, 31), ylim=(len(rows) - 0.5, -0.5), xlabel="kept, kB")
    axes.set_xticks([0, 10, 20, 30])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.legend(loc="lower right")
    return drawing


def modes(theme: Theme, outputs: int = 16) -> Figure:
    """Processor time of the Jacobian of a function with {outputs} outputs, over its inputs.

    On logarithmic axes forward mode rises in proportion to the inputs. Reverse mode stays
    nearly level, and the higher the more outputs there are. With as many inputs as outputs,
    reverse mode is faster.
    """
    recorded = claims_of("autograd")
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.add_subplot()
    for index, name in enumerate(("reverse", "forward")):
        axes.loglog(
            SIZES,
            recorded[f"{name}_{outputs}"].value,
            color=theme.classes[index],
            marker=theme.markers[index],
            label=f"{name} mode",
        )
    axes.axvline(outputs, color=theme.muted, linestyle="--", linewidth=1)
    names = [f"{mode}_{size}" for mode in ("reverse", "forward") for size in SIZES]
    every = [time for name in names for time in recorded[name].value]
    axes.set(
        xlabel="inputs $d$",
        ylabel="processor time, ms",
        ylim=(min(every) / 2, 2 * max(every)),
    )
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.minorticks_off()
    axes.set_title(f"{outputs} output{'s' * (outputs > 1)} (dashed: as many inputs)")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def mistakes(theme: Theme) -> Figure:
    """Five panels, one for each mistake, beside the right training.

    Without zero_grad the loss falls fast and then rises and jumps. Without eval the test
    error is more than twice as high. With two softmax the loss hardly leaves log 10, far
    above the dashed line at 1.46 that it can never cross. A column against a vector stops
    at the variance of the labels. Kept losses fill memory at the same rate batch after batch.
    """
    recorded = claims_of("autograd")
    drawing = Figure(figsize=(7, 4.4), layout="constrained")
    panels = drawing.subplots(2, 3).flat
    curves = {
        "1 no zero_grad": ("curve_right", "curve_hoarded", "epoch", "loss, nats"),
        "2 no eval": ("error_eval", "error_train", "mode", "test error, %"),
        "3 softmax twice": ("curve_right", "curve_softmax", "epoch", "loss, nats"),
        "4 column, vector": ("line_column", "line_vector", "step", "squared error"),
        "5 loss kept": ("kept_number", "kept_loss", "batch", "kept, kB"),
    }
    for axes, (title, (right, wrong, x, y)) in zip(panels, curves.items(), strict=False):
        for index, name in enumerate((right, wrong)):
            _panel(axes, recorded[name].value, index, theme)
        axes.set(title=title, xlabel=x, ylabel=y)
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    drawing.axes[2].axhline(1.461, color=theme.muted, linestyle="--", linewidth=1)
    drawing.axes[1].set_xticks([0, 1], ["eval", "train"])
    last = drawing.axes[5]
    for index, label in enumerate(("right", "mistaken")):
        _panel(last, [], index, theme, label)
    last.axis("off")
    last.legend(loc="center")
    return drawing


def _values_and_slopes() -> tuple[dict[str, float], dict[str, float]]:
    a, b = (torch.tensor(value, requires_grad=True) for value in (2.0, 3.0))
    p = a * b
    s = p + a
    tensors = {"a": a, "b": b, "p": p, "s": s, "loss": s**2}
    for tensor in tensors.values():
        tensor.retain_grad()
    tensors["loss"].backward()
    values = {name: tensor.item() for name, tensor in tensors.items()}
    return values, {name: tensor.grad.item() for name, tensor in tensors.items()}


def _slope_at(name: str, step: int, slopes: dict[str, float]) -> str:
    """Write the slope that has arrived; that of `a` arrives in two parts."""
    arrives = {"loss": 4, "s": 4, "p": 5, "a": 5, "b": 6}[name]
    if step < arrives:
        return ""
    return f"{slopes['s' if name == 'a' and step == 5 else name]:g}"


def _box(axes: Axes, name: str, value: str, slope: str, theme: Theme) -> None:
    x, y = PLACES[name]
    leaf = name in ("a", "b")
    color = theme.classes[2] if leaf else theme.classes[0]
    box = FancyBboxPatch(
        (x - 0.48, y - 0.38),
        0.96,
        0.76,
        boxstyle="round,pad=0.02",
        facecolor=theme.paper,
        edgecolor=color,
        linewidth=2 if leaf else 1.2,
    )
    axes.add_patch(box)
    middle = {"ha": "center", "va": "center", "fontsize": 9}
    axes.text(x, y - 0.24, FORMULAS[name], color=theme.ink, **middle)
    axes.text(x, y, value, color=color, **middle)
    axes.text(x, y + 0.24, slope, color=theme.accent, weight="bold", **middle)


def _arrow(axes: Axes, source: str, target: str, returned: bool, theme: Theme) -> None:
    (x, y), (end, row) = PLACES[source], PLACES[target]
    aside = 0.2 if source == "a" and target == "s" else 0.0
    left, right = (x + 0.52, y), (end - 0.52, row - aside)
    color = theme.accent if returned else theme.muted
    arrow = {"arrowstyle": "->", "color": color, "linewidth": 1.4}
    tip, tail = (left, right) if returned else (right, left)
    axes.annotate("", tip, tail, arrowprops=arrow)


def _kept_by_nodes() -> list[tuple[str, list[tuple[int, float]]]]:
    """Ask torch what each node of the loss of one batch keeps: the kind, and the kB."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network((64, 32, 10), dropout=0.5)
        x, labels = torch.rand(100, 64), torch.arange(100) % 10
        loss = functional.cross_entropy(network(x), labels)
    kinds = {part.data_ptr(): 1 for part in (x, labels)}
    kinds |= {p.data_ptr(): 2 for p in network.parameters()}
    rows = []
    layers = iter(("hidden layer", "output layer"))
    for node in reversed(nodes_of(loss)):
        if node.name() not in PARTS:
            continue
        kept = [t for t in saved_at(node).values() if t.ndim]
        parts = [(kinds.get(t.data_ptr(), 0), t.nbytes / 1000) for t in kept]
        name = PARTS[node.name()]
        rows.append((next(layers) if name == "layer" else name, sorted(parts)))
    return rows


def _panel(
    axes: Axes, values: float | list[float], index: int, theme: Theme, label: str = ""
) -> None:
    look = {"color": theme.classes[index], "label": label}
    if isinstance(values, float):
        axes.bar(index, values, hatch=("", "//")[index], edgecolor=theme.paper, **look)
        return
    marker = {"marker": theme.markers[index], "markersize": 4}
    marks = max(1, len(values) // 10)
    axes.plot(range(1, len(values) + 1), values, markevery=marks, **marker, **look)
