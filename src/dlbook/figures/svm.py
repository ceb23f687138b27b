"""Figures of the chapter on the support vector machine; docstrings are alternative texts."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.figures.style import Theme
from dlbook.perceptron import with_constant
from dlbook.svm import (
    dual_objective,
    hinge_loss,
    primal_objective,
    subgradient_descent,
    train,
)


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


def closing_gap(theme: Theme) -> Figure:
    """Primal and dual objective against rounds of dual coordinate descent.

    The primal comes down from above with small setbacks, the dual rises from below, and
    after six rounds the two meet: between them lies the optimum. Subgradient steps lag behind.
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
    gap = [high - low for high, low in zip(primal, dual, strict=True)]
    right.plot(rounds, gap, color=theme.accent, label="coordinate descent: gap")
    floor = max(dual)
    steps = [1, 2, 4, 8, 16, 30]
    excess = [
        primal_objective(
            subgradient_descent(points, labels, penalty, k), points, labels, penalty
        )
        - floor
        for k in steps
    ]
    right.plot(
        *(steps, excess, "s:"),
        color=theme.classes[2],
        markersize=4,
        label="subgradient: excess",
    )
    right.set(yscale="log", xlabel="rounds, or steps", ylabel="distance to the optimum")
    right.legend(fontsize=8)
    return drawing


def _history(
    points: Tensor, labels: Tensor, penalty: float, rounds: int
) -> tuple[list[float], list[float]]:
    """Trace both objectives through rounds of coordinate descent, in the listing's steps."""
    z = points * labels[:, None]
    scale = 1 / (2 * penalty * len(z))
    curvature = scale * z.square().sum(dim=1)
    alpha = torch.zeros_like(labels)
    w = torch.zeros_like(z[0])
    generator = torch.Generator().manual_seed(0)
    primal, dual = [], []
    for _ in range(rounds):
        for n in torch.randperm(len(z), generator=generator).tolist():
            best = (alpha[n] + (1 - w @ z[n]) / curvature[n]).clamp(0, 1)
            w += scale * (best - alpha[n]) * z[n]
            alpha[n] = best
        primal.append(primal_objective(w, points, labels, penalty))
        dual.append(dual_objective(alpha, points, labels, penalty))
    return primal, dual


def corner(theme: Theme) -> Figure:
    """The hinge with its corner rounded over widths 1, one half and 0.1, and its slope.

    Left, the rounded curves lie below the hinge and approach it. Right, their slope climbs from
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
