"""Figures of the chapter on gradient descent; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data.toy import slanted_gaussians
from dlbook.features import linear_discriminant
from dlbook.figures.style import Theme
from dlbook.gradient_descent import (
    Adam,
    Descent,
    Momentum,
    gradient_descent,
    local_parabola,
    logistic_gradient,
    logistic_loss,
)
from dlbook.perceptron import with_constant
from dlbook.runs.gradient_descent import CONTESTANTS, START, STOPS, bumpy_slope
from dlbook.runs.record import claims_of


def local_parabolas(theme: Theme, step_size: float = 0.125) -> Figure:
    """A curve with two valleys, and twelve points w0 to w11 for step size {step_size}.

    In every point a dashed parabola touches the curve; the next point lies where that
    parabola is lowest. Wide parabolas mean long steps, narrow ones short steps.
    Then: the weight after each step, and the bottom of the valley.
    """
    start = torch.tensor([-2.2], dtype=torch.float64)
    path = gradient_descent(bumpy_slope, start, step_size, 11).flatten()
    w = torch.linspace(-2.7, 2.2, 400, dtype=torch.float64)
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1.7, 1))
    left.plot(w, _bumpy(w), color=theme.ink, lw=1.2)
    for w0 in path[:-1]:
        value, slope = _bumpy(w0), bumpy_slope(w0)
        reach = 1.15 * max((step_size * slope).abs().item(), 0.5 * step_size**0.5)
        arms = torch.linspace(-reach, reach, 61) + w0 - step_size * slope
        parabola = local_parabola(arms, w0, value, slope, step_size)
        left.plot(arms[30], parabola[30], marker="_", ms=9, color=theme.classes[4])
        left.plot(arms, parabola, color=theme.classes[4], lw=0.8, ls="--")
    shades = {"c": torch.arange(12), "cmap": theme.sequence, "edgecolor": theme.ink}
    left.scatter(path, _bumpy(path), s=34, zorder=3, linewidth=0.6, **shades)
    for step in (0, 11):
        place = (path[step].item(), _bumpy(path[step]).item())
        shift = (4, -15) if path[step] > -1 else (-18, -14)
        left.annotate(f"$w_{{{step}}}$", place, shift, textcoords="offset points")
    left.set(xlabel="weight w", ylabel="loss", xlim=(-2.7, 2.2), ylim=(-0.95, 3))
    left.set_title(f"step size {step_size:g}")
    right.axhline(-0.4273, color=theme.accent, lw=1, ls=":")
    right.plot(path, color=theme.muted, lw=0.8, zorder=1)
    right.scatter(range(12), path, s=26, zorder=2, linewidth=0.6, **shades)
    right.set_xticks([0, 3, 6, 9, 11])
    right.set(xlabel="step t", ylabel="weight $w_t$", ylim=(-2.7, 2.2))
    return drawing


def _bumpy(w: Tensor) -> Tensor:
    return w**2 / 2 + torch.sin(3 * w) / 2


def wall(theme: Theme) -> Figure:
    """Distance to the minimum after 30 steps against the step size, logarithmic axis.

    On a bowl with curvatures 1 and 4 it falls as steps grow, is least at step size 0.4,
    and climbs steeply from there. Near the wall at 2/L = 0.5 it passes 1, the distance at
    the start.
    """
    curvatures = torch.tensor([1.0, 4.0], dtype=torch.float64)
    sizes = torch.linspace(0.01, 0.62, 245, dtype=torch.float64)
    start = torch.full((2,), 0.5**0.5, dtype=torch.float64)
    ends = [gradient_descent(lambda w: curvatures * w, start, s, 30)[-1] for s in sizes]
    distances = torch.stack(ends).norm(dim=1)
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    axes.axvspan(0.5, 0.62, color=theme.accent, alpha=0.12, lw=0)
    axes.axvline(0.5, color=theme.accent)
    axes.axhline(1, color=theme.muted, lw=0.8, ls=":")
    axes.semilogy(sizes, distances, color=theme.classes[0])
    for size in (0.125, 0.4):
        end = gradient_descent(lambda w: curvatures * w, start, size, 30)[-1].norm()
        axes.plot(size, end, color=theme.classes[1], marker="^", ms=8)
        axes.annotate(f"{size:g}", (size, end), (8, 4), textcoords="offset points")
    axes.text(0.506, 1e-5, "diverges", color=theme.accent)
    axes.text(0.494, 1e4, "2 / L", color=theme.accent, ha="right")
    axes.set(xlabel="step size η", ylabel="distance after 30 steps", xlim=(0, 0.62))
    return drawing


def borders(theme: Theme) -> Figure:
    """Two slanted clouds of 50 points, and the border after 0, 10, 100 and more steps.

    The first border cuts through both clouds. After 10 steps it is still wrong, after 100
    it separates them; those of 1000 and 10000 steps lie within one degree of the dashed
    border of LDA. Then: the loss falls, ever more slowly, below that of LDA.
    """
    points, signs = slanted_gaussians(n=100, seed=1)
    inputs, start = with_constant(points), torch.tensor(START, dtype=torch.float64)
    path = gradient_descent(
        lambda w: logistic_gradient(inputs, signs, w), start, 0.1, STOPS[-1]
    )
    rival = linear_discriminant(points, signs)
    drawing = Figure(figsize=(7, 3.3), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1.15, 1))
    for sign, kind in ((-1, 0), (1, 1)):
        look = {"marker": theme.markers[kind], "color": theme.classes[kind], "s": 14}
        left.scatter(*points[signs == sign].T, edgecolor=theme.ink, linewidth=0.4, **look)
    styles = (":", (0, (1, 1)), "-.", (0, (6, 1)), "-")
    shades = (
        theme.muted,
        theme.classes[3],
        theme.classes[2],
        theme.classes[4],
        theme.ink,
    )
    for stop, style, shade in zip(STOPS, styles, shades, strict=True):
        label = f"n = {stop}"
        _line(left, path[stop], color=shade, ls=style, lw=1.6, label=label)
        loss = logistic_loss(inputs, signs, path[stop])
        right.plot(max(stop, 1), loss, color=shade, marker="o", ls="", zorder=3)
    _line(left, rival, color=theme.accent, ls="--", lw=1.6, label="LDA")
    left.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-3.6, 3.6), ylim=(-3, 4.3))
    left.legend(loc="upper center", ncols=3, fontsize=8, handlelength=2.6)
    steps = torch.logspace(0, 4, 120).long().unique()
    losses = [logistic_loss(inputs, signs, path[step]) for step in steps]
    right.loglog(steps, losses, color=theme.ink, lw=1)
    level = logistic_loss(inputs, signs, rival)
    right.axhline(level, color=theme.accent, ls="--", lw=1, label="LDA")
    right.set(xlabel="step n (the first point: n = 0)", ylabel="mean log-loss (nats)")
    right.set_yticks([0.1, 0.2, 0.4, 0.8], ["0.1", "0.2", "0.4", "0.8"])
    right.minorticks_off()
    right.legend(loc="upper right")
    return drawing


def _line(axes: Axes, w: Tensor, **look: object) -> None:
    x = torch.tensor([-4.0, 4.0], dtype=w.dtype)
    axes.plot(x, -(w[0] * x + w[2]) / w[1], **look)


def ravine(theme: Theme) -> Figure:
    """The first 40 steps of three rules in a long valley, from the same start, in rings.

    Plain descent zigzags from wall to wall and is still on its way. Momentum swings less
    and less and ends at the bottom, a star. Adam walks in steps of about equal length and
    passes the bottom in a wide curve.
    """
    curvatures = torch.tensor([1.0, 49.0], dtype=torch.float64)
    x, y = torch.linspace(-1.2, 0.5, 80), torch.linspace(-0.4, 0.4, 60)
    bowl = (x[None] ** 2 + 49 * y[:, None] ** 2) / 2
    rules = {
        "descent, η = 0.04": Descent(0.04),
        "momentum, η = 0.02": Momentum(0.02, 0.8),
        "Adam, η = 0.05": Adam(0.05),
    }
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    panels = drawing.subplots(1, 3, sharex=True, sharey=True)
    for number, (axes, (name, rule)) in enumerate(
        zip(panels, rules.items(), strict=True)
    ):
        path = [torch.tensor([-1.0, 0.25], dtype=torch.float64)]
        for _ in range(40):
            path.append(rule.step(path[-1], curvatures * path[-1]))
        levels = [0.02, 0.1, 0.3, 0.7, 1.3, 2.1]
        axes.contour(x, y, bowl, levels=levels, colors=[theme.muted], linewidths=0.7)
        look = {"color": theme.classes[number], "marker": theme.markers[number]}
        axes.plot(*torch.stack(path).T, ms=3.5, lw=1, **look)
        axes.plot(0, 0, marker="*", color=theme.accent, ms=10, zorder=4)
        axes.set(title=name, xlabel="$w_1$")
    panels[0].set_ylabel("$w_2$")
    return drawing


def contest(theme: Theme) -> Figure:
    """Loss above the minimum against passes over the data: five rules at step 0.1.

    Plain descent on all 100 points falls slowest. Batches of 10 take ten times the steps
    and fall faster, single points faster still; momentum and Adam on batches of 10 fall as
    fast, then jitter. Each line is the median of three shuffles.
    """
    names = {
        "full": "all 100",
        "sgd_10": "batches of 10",
        "sgd_1": "single points",
        "momentum_10": "batches of 10, momentum",
        "adam_10": "batches of 10, Adam",
    }
    drawing = Figure(figsize=(7, 3.7), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("gradient_descent")
    for number, name in enumerate(CONTESTANTS):
        curve = claims[f"curve_{name}"].value
        look = {"color": theme.classes[number], "marker": theme.markers[number], "ms": 5}
        look |= {"markevery": (5 + 2 * number, 20), "label": names[name]}
        axes.semilogy(curve, **look)
    axes.set(xlabel="passes over the data", ylabel="loss above the minimum (nats)")
    axes.set(xlim=(0, 100))
    drawing.legend(loc="outside lower center", ncols=2)
    return drawing
