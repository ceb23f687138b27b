"""Figures of the chapter on the support vector machine; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data.toy import two_moons
from dlbook.figures.style import Theme
from dlbook.perceptron import train as train_perceptron
from dlbook.perceptron import update_bound, with_constant
from dlbook.svm import (
    coordinate_round,
    dual_objective,
    gaussian_kernel,
    hinge_loss,
    kernel_scores,
    primal_objective,
    subgradient_descent,
    train,
    train_on_kernel,
)

SIDE = 100  # the grid of the maps has SIDE x SIDE places


def losses(theme: Theme) -> Figure:
    """Four losses against y times the score, from minus 2 to 3.

    The 0-1 loss is a step at 0. The hinge is a ramp that reaches zero at 1 and stays there.
    The logistic loss is a smooth ramp that never reaches zero; the quadratic loss falls to zero
    at 1 and rises again for scores that are too right.
    """
    margin = torch.linspace(-2, 3, 501)
    curves = {
        "0-1": (margin <= 0).float(),
        "hinge": hinge_loss(margin, torch.ones_like(margin)),
        "logistic": torch.log2(1 + (-margin).exp()),
        "quadratic": (1 - margin).square(),
    }
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    dashes = ("--", "-", "-.", ":")
    colors = (theme.muted, theme.accent, theme.classes[0], theme.classes[2])
    for (name, loss), dash, color in zip(curves.items(), dashes, colors, strict=True):
        width = 2.4 if name == "hinge" else 1.6
        axes.plot(margin, loss, dash, color=color, label=name, linewidth=width)
    axes.set(xlabel="$y\\,(w \\cdot x)$", ylabel="loss", ylim=(-0.1, 3.5), xlim=(-2, 3))
    axes.legend(loc="upper center")
    return drawing


def _clouds() -> tuple[Tensor, Tensor]:
    """Draw two clouds of 30 points in the plane that overlap a little."""
    generator = torch.Generator().manual_seed(4)
    labels = torch.arange(60) % 2 * 2.0 - 1
    points = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    return points * 0.75 + labels[:, None] * torch.tensor([0.9, 0.6]), labels.double()


def margin(theme: Theme, penalty: float = 0.01) -> Figure:
    """Two overlapping clouds with the border and margin of an SVM for λ = {penalty}.

    Rings light the support vectors: all points inside the margin or on the wrong side, and
    those on its edge. The larger the penalty, the wider the margin, and the more rings.
    """
    points, labels = _clouds()
    w, alpha = train(with_constant(points), labels, penalty, tolerance=1e-6)
    drawing = Figure(figsize=(7, 4.2), layout="constrained")
    axes = drawing.subplots()
    x = torch.linspace(-3.4, 3.4, 2, dtype=torch.float64)
    for height, dash in ((-1, "--"), (0, "-"), (1, "--")):
        y = (height - w[2] - w[0] * x) / w[1]
        axes.plot(x, y, dash, color=theme.ink, linewidth=1.2)
    edge = ((c - w[2] - w[0] * x) / w[1] for c in (-1, 1))
    axes.fill_between(x, *edge, color=theme.muted, alpha=0.15, linewidth=0)
    for kind, label in enumerate((-1, 1)):
        u, v = points[labels == label].T
        marker, color = theme.markers[kind], theme.classes[kind]
        axes.scatter(u, v, s=24, marker=marker, color=color, label=f"$y = {label:+d}$")
    support = alpha > 1e-4
    ring = {"facecolors": "none", "edgecolors": theme.accent, "linewidth": 1.3}
    axes.scatter(*points[support].T, s=110, label="support vector", **ring)
    width = 2 / w[:2].norm().item()
    axes.set_title(
        f"λ = {penalty:g}: margin {width:.2f}, {int(support.sum())} support vectors"
    )
    axes.set(xlim=(-3.4, 3.4), ylim=(-2.4, 2.6), aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return drawing


def widest_gap(theme: Theme) -> Figure:
    """Three points and two lines through the origin that separate them, each with its slab.

    First, the line that the perceptron finds: its slab is bounded by one point alone. Then,
    the widest slab around a line through the origin: two points hold it, one on each edge; the
    third lies outside.
    """
    points = torch.tensor([[1.0, 2.0], [3.0, -1.0], [1.0, -1.0]]).double()
    labels = torch.tensor([1.0, -1.0, -1.0]).double()
    first, _ = train_perceptron(points, labels, epochs=10)
    widest, _ = train(points, labels, penalty=1e-6, tolerance=1e-9)
    drawing = Figure(figsize=(7, 3.5), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True)
    for axes, w, name in zip(
        panels, (first, widest), ("perceptron", "widest gap"), strict=True
    ):
        half = (labels * (points @ w)).min() / w.norm()
        limit = update_bound(points, labels, w)
        _slab(axes, w / w.norm(), half.item(), theme)
        for kind, label in enumerate((-1, 1)):
            x, y = points[labels == label].T
            look = {"marker": theme.markers[kind], "color": theme.classes[kind], "s": 40}
            axes.scatter(x, y, label=f"$y = {label:+d}$", zorder=3, **look)
        axes.set(xlim=(-3, 4), ylim=(-2.5, 3), aspect="equal", xlabel="$x_1$")
        axes.set_title(f"{name}: γ = {2 * half:.2f}, at most {limit} updates")
    panels[0].set_ylabel("$x_2$")
    panels[0].legend(loc="upper left", fontsize=8)
    return drawing


def _slab(axes: Axes, normal: Tensor, half: float, theme: Theme) -> None:
    along = 8 * torch.stack([-normal[1], normal[0]])
    for height, dash in ((-half, "--"), (0, "-"), (half, "--")):
        ends = torch.stack([height * normal - along, height * normal + along])
        axes.plot(*ends.T, dash, color=theme.ink, linewidth=1.2)
    low, high = -half * normal, half * normal
    corners = torch.stack([low - along, low + along, high + along, high - along])
    axes.fill(*corners.T, color=theme.muted, alpha=0.15, linewidth=0)


def closing_gap(theme: Theme) -> Figure:
    """Primal and dual objective against rounds of dual coordinate descent.

    First, the dual rises in every round; the primal first jumps up, then comes down, and after
    six rounds the two meet: between them lies the optimum. Then, how far above the optimum
    the objective is: coordinate descent falls by many powers of ten, rising now and then,
    subgradient steps lag behind.
    """
    points, labels = _clouds()
    points, penalty = with_constant(points), 0.01
    primal, dual = _history(points, labels, penalty, rounds=30)
    drawing = Figure(figsize=(7, 3), layout="constrained")
    left, right = drawing.subplots(1, 2)
    rounds = range(1, len(primal) + 1)
    left.plot(rounds, primal, color=theme.classes[0], label="primal: any weights")
    left.plot(rounds, dual, "--", color=theme.classes[1], label="dual: a floor")
    left.fill_between(rounds, dual, primal, color=theme.muted, alpha=0.2, linewidth=0)
    left.set(xlabel="rounds", ylabel="objective")
    left.legend()
    best, _ = train(points, labels, penalty, tolerance=1e-12)
    optimum = primal_objective(best, points, labels, penalty)
    excess = [max(value - optimum, 1e-12) for value in primal]
    right.plot(rounds, excess, color=theme.accent, label="coordinate descent")
    steps = [1, 2, 4, 8, 16, 30]
    slow = [
        primal_objective(
            subgradient_descent(points, labels, penalty, k), points, labels, penalty
        )
        - optimum
        for k in steps
    ]
    look = {"color": theme.classes[2], "markersize": 4, "label": "subgradient steps"}
    right.plot(steps, slow, "s:", **look)
    right.set(yscale="log", xlabel="rounds, or steps", ylabel="excess over the optimum")
    right.set_ylim(bottom=1e-10)
    right.legend(fontsize=8)
    return drawing


def _history(
    points: Tensor, labels: Tensor, penalty: float, rounds: int
) -> tuple[list[float], list[float]]:
    """Trace both objectives through rounds of coordinate descent."""
    generator = torch.Generator().manual_seed(0)
    w, alpha = torch.zeros_like(points[0]), torch.zeros_like(labels)
    primal, dual = [], []
    for _ in range(rounds):
        order = torch.randperm(len(points), generator=generator)
        w, alpha = coordinate_round(w, alpha, points, labels, penalty, order)
        primal.append(primal_objective(w, points, labels, penalty))
        dual.append(dual_objective(alpha, points, labels, penalty))
    return primal, dual


def kernel_border(theme: Theme, width: float = 0.5) -> Figure:
    """Two moons and the border of a machine with a Gaussian kernel of width {width}.

    At a width of 0.05 circles lie in small islands in a sea of the other class, and nearly all
    points are support vectors; at 0.5 the border follows the moons with few of them; at 5 it is
    almost a straight line.
    """
    points, labels = two_moons(n=80, noise=0.15, seed=0)
    x, y = points.double(), labels * 2.0 - 1
    gram = gaussian_kernel(x, x, width) + 1
    alpha = train_on_kernel(gram, y, penalty=0.001, tolerance=0.01, seed=0)
    across = torch.linspace(-1.8, 2.8, SIDE, dtype=x.dtype)
    up = torch.linspace(-1.3, 1.8, SIDE, dtype=x.dtype)
    grid = torch.cartesian_prod(up, across).flip(1)
    scores = kernel_scores(gaussian_kernel(grid, x, width) + 1, alpha, y, 0.001)
    scores = scores.reshape(SIDE, SIDE)
    drawing = Figure(figsize=(7, 4.2), layout="constrained")
    axes = drawing.subplots()
    shades = {"levels": [-1e9, 0, 1e9], "colors": theme.classes[:2], "alpha": 0.2}
    axes.contourf(across, up, scores, **shades)
    look = {"colors": theme.ink, "linewidths": 1.2, "linestyles": ("--", "-", "--")}
    axes.contour(across, up, scores, levels=[-1, 0, 1], **look)
    for kind, label in enumerate((-1, 1)):
        u, v = x[y == label].T
        marker, color = theme.markers[kind], theme.classes[kind]
        axes.scatter(u, v, s=24, marker=marker, color=color, label=f"$y = {label:+d}$")
    support = alpha > 0
    ring = {"facecolors": "none", "edgecolors": theme.accent, "linewidth": 1.3}
    axes.scatter(*x[support].T, s=100, label="support vector", **ring)
    axes.set_title(f"width {width:g}: {int(support.sum())} support vectors of {len(x)}")
    axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    return drawing


def corner(theme: Theme) -> Figure:
    """The hinge with its corner rounded over widths 1, one half and 0.1, and its slope.

    First, the rounded curves lie below the hinge and approach it. Then, their slope climbs from
    0 to 1 along a ramp whose width shrinks; on the ramp lie the examples that curve the loss.
    """
    slack = torch.linspace(-0.5, 1.5, 401)
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    left, right = drawing.subplots(1, 2, sharex=True)
    left.plot(slack, slack.clamp(min=0), color=theme.ink, linewidth=1, label="hinge")
    for kind, (width, dash) in enumerate(((1.0, "-"), (0.5, "--"), (0.1, ":"))):
        alpha = (slack / width).clamp(0, 1)
        style = {"color": theme.classes[kind], "linestyle": dash}
        rounded = alpha * slack - width * alpha.square() / 2
        left.plot(slack, rounded, label=f"width {width:g}", **style)
        right.plot(slack, alpha, **style)
    left.set(xlabel="slack $1 - y\\,(w \\cdot x)$", ylabel="loss")
    right.set(xlabel="slack $1 - y\\,(w \\cdot x)$", ylabel="multiplier α")
    left.legend(loc="upper left", fontsize=8)
    return drawing
