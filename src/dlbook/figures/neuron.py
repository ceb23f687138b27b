"""Figures of the chapter on one neuron; docstrings are alternative texts."""

from functools import cache

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from dlbook.data import iris
from dlbook.data.toy import two_moons
from dlbook.figures.style import Theme
from dlbook.neuron import (
    absolute_penalty,
    cross_entropy,
    cross_entropy_slope,
    draw_network,
    fit,
    hidden_layer,
    hinge_loss,
    hinge_slope,
    neuron,
    no_penalty,
    squared_loss,
    squared_slope,
    squares_penalty,
    train_hidden_layer,
)

MODELS = {  # title: slopes of loss and penalty, first step size, threshold
    "linear": (squared_slope, no_penalty, 0.3, 0.5),
    "ridge, ρ = 0.1": (squared_slope, squares_penalty(0.1), 0.3, 0.5),
    "lasso, ρ = 0.2": (squared_slope, absolute_penalty(0.2), 0.3, 0.5),
    "logistic": (cross_entropy_slope, no_penalty, 4.0, 0.0),
    "linear SVM, λ = 0.01": (hinge_slope, squares_penalty(0.01), 1.0, 0.0),
}


def diagram(theme: Theme) -> Figure:
    """First, one neuron: two inputs and a constant 1 lead by arrows to one circle, s.

    Then, a hidden layer: two inputs lead to four circles, the features h, and all four lead
    to one circle, s. Every arrow carries a weight.
    """
    drawing = Figure(figsize=(7, 2.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    inputs = [(0, 0.9), (0, 0), (0, -0.9)]
    _nodes(left, inputs, ("$x_1$", "$x_2$", "1"), theme.classes[2], theme)
    _nodes(left, [(2, 0)], ("$s$",), theme.classes[1], theme)
    _arrows(left, inputs, [(2, 0)], theme)
    for name, x, y in (("$w_1$", 1, 0.68), ("$w_2$", 1, 0.14), ("$b$", 1, -0.68)):
        left.text(x, y, name, ha="center", va="center", color=theme.ink)
    left.set_title("one neuron")
    hidden = [(1.5, y) for y in (1.05, 0.35, -0.35, -1.05)]
    _nodes(right, [(0, 0.5), (0, -0.5)], ("$x_1$", "$x_2$"), theme.classes[2], theme)
    _nodes(right, hidden, ("$h_1$", "$h_2$", "$h_3$", "$h_4$"), theme.classes[0], theme)
    _nodes(right, [(3, 0)], ("$s$",), theme.classes[1], theme)
    _arrows(right, [(0, 0.5), (0, -0.5)], hidden, theme)
    _arrows(right, hidden, [(3, 0)], theme)
    right.set_title("a hidden layer")
    for axes, end in ((left, 2), (right, 3)):
        axes.set(xlim=(-0.4, end + 0.4), ylim=(-1.45, 1.45), aspect="equal")
        axes.axis("off")
    return drawing


def five_fits(theme: Theme) -> Figure:
    """First, two kinds of iris in the plane, and five borders, named in the upper left corner.

    All five cross the same gap. Linear, logistic and SVM borders lean most, ridge less, and
    the border of the lasso stands vertical: it ignores sepal width. Then, three losses
    over the sum s for the label 1: a parabola around 1, and two that fall toward the right.
    """
    x, y = iris.load()
    center, scale = x.mean(dim=0), x.std(dim=0, correction=0)
    drawing = Figure(figsize=(7, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(2, 1))
    _mark(left, x, y, 14, theme)
    heights = torch.tensor([1.75, 4.0]).double()
    looks = zip(theme.classes, ("-", "--", ":", "-.", (0, (5, 1, 1, 1))), strict=True)
    for (title, (loss, penalty, eta, threshold)), (color, dashes) in zip(
        MODELS.items(), looks, strict=True
    ):
        w, b = fit((x - center) / scale, y, loss, penalty, eta, 2000)
        w, b = w / scale, b - (w * center / scale).sum() - threshold
        lengths = -(w[1] * heights + b) / w[0]
        left.plot(lengths, heights, color=color, linestyle=dashes, label=title)
    left.set(xlim=(2.8, 7.1), ylim=(1.75, 4.4))
    left.set(xlabel="petal length, cm", ylabel="sepal width, cm")
    left.legend(fontsize=8, loc="upper left")
    _losses(right, theme)
    return drawing


def geometry(theme: Theme) -> Figure:
    """Flowers as points, a slanting border, and three dashed lines parallel to it.

    An arrow, w, stands perpendicular on the border. On the border the sum s is 0; on the
    lines beside it s is -2, 2 and 4, at equal distances.
    """
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.subplots()
    w, b = torch.tensor([2.0, -1.0]), torch.tensor(-7.0)
    x, y = iris.load()
    _mark(axes, x, y, 12, theme)
    heights = torch.tensor([1.9, 4.0])
    for level in (-2, 0, 2, 4):
        lengths = (level - b - w[1] * heights) / w[0]
        look = {"color": theme.ink, "linestyle": "--", "linewidth": 0.9}
        if level == 0:
            look = {"color": theme.accent, "linestyle": "-", "linewidth": 2}
        axes.plot(lengths, heights, **look)
        label = f"$s = {level}$" if level else "border: $s = 0$"
        axes.text(lengths[1], 4.03, label, ha="center", va="bottom")
    foot = torch.tensor([4.75, 2.5])
    tip = foot + 0.4 * w
    arrow = {"arrowstyle": "-|>", "color": theme.accent, "linewidth": 2}
    axes.annotate("", tip.tolist(), foot.tolist(), arrowprops=arrow)
    axes.text(tip[0] + 0.05, tip[1], "direction of $w$", va="center", color=theme.accent)
    axes.set(xlim=(2.8, 7.4), ylim=(1.9, 4.0), aspect="equal")
    axes.set(xlabel="petal length, cm", ylabel="sepal width, cm")
    return drawing


def wrong_sign(theme: Theme) -> Figure:
    """First, the cross-entropy over 200 steps: with the right sign it falls and settles.

    With the sign lost it rises without end. Then, the share of mistakes: with the right
    sign it falls below a tenth, with the sign lost it jumps above four fifths.
    """
    x, t = iris.load()
    x = (x - x.mean(dim=0)) / x.std(dim=0, correction=0)
    drawing = Figure(figsize=(7, 2.7), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for index, (name, sign) in enumerate((("right sign", 1), ("sign lost", -1))):
        losses, mistakes = _descend(x, t, sign)
        style = {
            "color": theme.classes[index],
            "marker": theme.markers[index],
            "markevery": 25,
            "markersize": 5,
        }
        left.plot(losses, label=name, **style)
        right.plot(mistakes, label=name, **style)
    left.set(xlabel="steps", ylabel="cross-entropy, nats")
    left.legend()
    right.set(xlabel="steps", ylabel="mistakes, %", ylim=(0, 100))
    return drawing


def plateau(theme: Theme) -> Figure:
    """Training cross-entropy of five networks over 4000 steps, with a logarithmic axis.

    All fall to about 0.25 at once. Four are below 0.1 by step 1500. Seed 3 stays between
    0.27 and 0.2, almost flat, until step 2700, then falls like the others, to 0.02.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    for seed in range(5):
        losses = _learning_curve(seed)
        look = {"color": theme.muted, "linewidth": 1.2}
        if seed == 3:
            look = {"color": theme.accent, "linewidth": 2.2, "label": "seed 3"}
        axes.plot(range(0, 4001, 50), losses, **look)
    axes.plot([], [], color=theme.muted, label="four other seeds")
    axes.axvline(2000, color=theme.ink, linestyle=":", linewidth=1)
    axes.set(xlabel="steps", ylabel="cross-entropy, nats", yscale="log")
    axes.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    axes.minorticks_off()
    axes.legend()
    return drawing


@cache
def _learning_curve(seed: int) -> list[float]:
    """Descend 4000 steps from the weights of a seed; give the loss before every 50th."""
    x, y = (part.double() for part in two_moons(200, 0.15, seed=0))
    network = [each.requires_grad_() for each in draw_network(x, 4, seed)]
    losses = []
    for step in range(4001):
        loss = cross_entropy(hidden_layer(x, network)[1], y).mean()
        if step % 50 == 0:
            losses.append(loss.item())
        slopes = torch.autograd.grad(loss, network)
        with torch.no_grad():
            for weights, slope in zip(network, slopes, strict=True):
                weights -= 3.0 * slope
    return losses


def features(theme: Theme, steps: int = 2000) -> Figure:
    """Two interleaved half-moons and four hidden neurons after {steps} training steps.

    First, the plane: shading shows the decided class, four dashed lines show where each
    hidden neuron turns from off to on. Then, the same points drawn by the two features of
    largest outgoing weight: with training the two classes move apart.
    """
    x, t = (part.double() for part in two_moons(200, 0.15, seed=0))
    network = train_hidden_layer(x, t, 4, 3.0, steps, seed=0)
    h, _ = hidden_layer(x, network)
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1.5, 1))
    grid = torch.cartesian_prod(
        torch.linspace(-1.6, 2.6, 90), torch.linspace(-1.2, 1.7, 70)
    ).double()
    sides = (hidden_layer(grid, network)[1] > 0).double().reshape(90, 70).T.numpy()
    left.contourf(
        torch.linspace(-1.6, 2.6, 90),
        torch.linspace(-1.2, 1.7, 70),
        sides,
        levels=[-0.5, 0.5, 1.5],
        colors=theme.classes[:2],
        alpha=0.25,
    )
    _turning_lines(left, network, theme)
    _mark(left, x, t, 12, theme)
    left.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-1.6, 2.6), ylim=(-1.2, 1.7))
    first, second = network[2].abs().argsort(descending=True)[:2].tolist()
    _mark(right, h[:, [first, second]], t, 12, theme)
    right.set(xlabel=f"feature $h_{first + 1}$", ylabel=f"feature $h_{second + 1}$")
    right.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), aspect="equal")
    return drawing


def _nodes(
    axes: Axes, places: list, names: tuple[str, ...], color: str, theme: Theme
) -> None:
    for (x, y), name in zip(places, names, strict=True):
        axes.add_patch(
            Circle((x, y), 0.28, facecolor=theme.paper, edgecolor=color, linewidth=2)
        )
        axes.text(x, y, name, ha="center", va="center", color=theme.ink)


def _arrows(axes: Axes, starts: list, ends: list, theme: Theme) -> None:
    for start in starts:
        for end in ends:
            arrow = {
                "arrowstyle": "->",
                "color": theme.muted,
                "shrinkA": 15,
                "shrinkB": 15,
            }
            axes.annotate("", end, start, arrowprops=arrow, zorder=0)


def _mark(axes: Axes, x: Tensor, t: Tensor, size: float, theme: Theme) -> None:
    for label in (0, 1):
        axes.scatter(
            *x[t == label].T,
            s=size,
            marker=theme.markers[label],
            color=theme.classes[label],
            edgecolor=theme.ink,
            linewidth=0.4,
        )


def _losses(axes: Axes, theme: Theme) -> None:
    s = torch.linspace(-2, 3, 101).double()
    lines = (
        ("squared", squared_loss),
        ("cross-entropy", cross_entropy),
        ("hinge", hinge_loss),
    )
    for index, (name, loss) in enumerate(lines):
        color, dashes = theme.classes[(0, 3, 4)[index]], ("-", "-.", "--")[index]
        axes.plot(
            s, loss(s, torch.ones_like(s)), color=color, linestyle=dashes, label=name
        )
    axes.set(
        title="losses for label 1", xlabel="sum $s$", ylabel="loss", ylim=(-0.2, 8.5)
    )
    axes.legend(fontsize=8)


def _descend(x: Tensor, t: Tensor, sign: int) -> tuple[list[float], list[float]]:
    w, b = x.new_zeros(2), x.new_zeros(())
    losses, mistakes = [], []
    for _ in range(201):
        y = neuron(x, w, b)
        losses.append(cross_entropy(y, t).mean().item())
        mistakes.append(100 * ((y > 0) != t.bool()).double().mean().item())
        blame = sign * cross_entropy_slope(y, t)
        w, b = w - 0.5 * x.T @ blame / len(x), b - 0.5 * blame.mean()
    return losses, mistakes


def _turning_lines(axes: Axes, network: tuple[Tensor, ...], theme: Theme) -> None:
    w1, b1, _, _ = network
    ends = torch.tensor([-1.6, 2.6]).double()
    for (across, up), b in zip(w1.tolist(), b1.tolist(), strict=True):
        axes.plot(
            ends, -(across * ends + b) / up, color=theme.ink, linestyle="--", linewidth=1
        )
