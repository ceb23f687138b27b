"""Figures of the chapter on features; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data import digits
from dlbook.data.toy import noisy_rings, slanted_gaussians
from dlbook.features import (
    fit_logistic,
    linear_discriminant,
    orientation_histograms,
)
from dlbook.figures.style import Theme
from dlbook.knn import nearest_points
from dlbook.runs.record import claims_of

SIDE = 120  # the grid of the maps has SIDE x SIDE places
OUTLIERS = 10  # of 100 points


def xor_lift(theme: Theme, height: float = 1.0) -> Figure:
    """Four clouds of points at the corners of a square, two classes on the diagonals.

    First: seen from above, no line separates them. Then: each point raised to {height}
    times the product of its coordinates. At 0 all lie in one plane. As the height grows,
    one class rises above the drawn level plane at 0 and the other sinks below it.
    """
    generator = torch.Generator().manual_seed(0)
    corners = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    points = corners.repeat(15, 1) + 0.22 * torch.randn(60, 2, generator=generator)
    labels = torch.tensor([0, 0, 1, 1]).repeat(15)
    drawing = Figure(figsize=(7, 3.9), layout="constrained")
    grid = drawing.add_gridspec(1, 2, width_ratios=(1, 1.9))
    left = drawing.add_subplot(grid[0], aspect="equal", xlabel="u", ylabel="v")
    right = drawing.add_subplot(grid[1], projection="3d", xlabel="u", ylabel="v")
    right.set(zlabel="height · uv", zlim=(-2, 2), xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
    right.view_init(elev=18, azim=-68)
    ends = torch.tensor([-1.6, 1.6])
    u, v = torch.meshgrid(ends, ends, indexing="xy")
    look = {"color": theme.muted, "alpha": 0.3, "shade": False}
    right.plot_surface(u.numpy(), v.numpy(), (0 * u).numpy(), **look)
    for label in (0, 1):
        x, y = points[labels == label].T
        look = {"color": theme.classes[label], "marker": theme.markers[label], "s": 16}
        left.scatter(x, y, **look)
        right.scatter(x, y, height * x * y, depthshade=False, **look)
    for axis in (right.xaxis, right.yaxis, right.zaxis):
        axis.pane.set(facecolor=theme.paper, edgecolor=theme.muted, alpha=0)
        axis.set_tick_params(colors=theme.ink)
        axis.line.set_color(theme.ink)
    right.grid(False)
    right.set_box_aspect((1, 1, 0.85), zoom=0.92)
    right.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), zticks=(-1, 0, 1))
    left.set_title("from above")
    right.set_title(f"raised, height = {height}", y=0.97)
    return drawing


def rings(theme: Theme) -> Figure:
    """Four maps of a square with rings around its center: votes above, decisions below.

    First, the 11 neighbors are near in the plane: the outer rings break up into patches.
    Then, they are near in radius: complete circles, close to the truth, drawn dashed.
    """
    points, labels = noisy_rings(400, rings=4, noise=0.1, seed=0)
    drawing = Figure(figsize=(7, 6.4), layout="constrained")
    panels = drawing.subplots(2, 2, sharex=True, sharey=True)
    panels[0, 0].set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    side = torch.linspace(-1, 1, SIDE, dtype=points.dtype)
    grid = torch.cartesian_prod(side, side)  # x_2 runs fastest
    named = (
        ("near in the plane", lambda x: x),
        ("near in radius", lambda x: x.norm(dim=1)[:, None]),
    )
    for (above, below), (title, describe) in zip(panels.T, named, strict=True):
        nearest = nearest_points(describe(grid), describe(points), k=11)
        share = labels[nearest].double().mean(dim=1).reshape(SIDE, SIDE).T
        look = {"cmap": theme.sequence, "vmin": 0, "vmax": 1, "origin": "lower"}
        votes = above.imshow(share, extent=(-1, 1, -1, 1), **look)
        _shade(below, (side, side), share > 0.5, theme)
        for axes in (above, below):
            _circles(axes, theme.paper if axes is above else theme.ink)
            axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
        _mark(below, points, labels, theme, size=6)
        above.set_title(title)
        below.set_xlabel("$x_1$")
    place = {"location": "bottom", "shrink": 0.6, "aspect": 30}
    drawing.colorbar(votes, ax=panels[0], label="share of votes for 1", **place)
    for axes in panels[:, 0]:
        axes.set_ylabel("$x_2$")
    return drawing


def _circles(axes: Axes, color: str) -> None:
    angle = torch.linspace(0, 2 * math.pi, 100)
    for radius in (0.25, 0.5, 0.75, 1.0, 1.25):
        x, y = radius * angle.cos(), radius * angle.sin()
        axes.plot(x, y, color=color, linestyle="--", linewidth=0.8)


def error_by_products(theme: Theme) -> Figure:
    """Error on 8 against the rest, over the number of random products beside the pixels.

    First, 1297 small digits, 10 to 1000 products: the training error falls from 30 on, the
    test error stays near that of the pixels alone, within the scatter of three draws. Then,
    MNIST, 1000 to 10 000 products: both errors fall together, far below the dotted line of
    the pixels alone.
    """
    claims = claims_of("features")
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    panels = drawing.subplots(1, 2)
    for axes, data, title in zip(
        panels, ("digits", "mnist"), ("digits, 8 × 8 pixels", "MNIST"), strict=True
    ):
        counts = claims[f"{data}_counts"].value
        for mark, part in enumerate(("training", "test")):
            name, color = f"{data}_{part}_errors", theme.classes[mark]
            least, largest = (
                claims[f"{name}_{end}"].value for end in ("least", "largest")
            )
            marker = theme.markers[mark]
            axes.plot(counts, claims[name].value, color=color, marker=marker, label=part)
            axes.fill_between(counts, least, largest, color=color, alpha=0.2, linewidth=0)
        pixels = claims[f"{data}_error_pixels"].value
        axes.axhline(pixels, color=theme.muted, linestyle=":", label="test, pixels alone")
        axes.set(
            xscale="log",
            xlabel="products of two pixels, beside the pixels",
            ylabel="error (%)",
        )
        axes.set_title(title)
        axes.set_ylim(bottom=0)
    panels[0].legend()
    return drawing


def edges(theme: Theme) -> Figure:
    """Four handwritten digits, and below each its histograms of oriented gradients.

    Each of 4 x 4 cells shows a star of nine strokes, drawn along the edges; a stroke is
    as long as the gradient across it is strong. The stars trace the outlines of the digit.
    """
    images = digits.load()[0][[8, 3, 4, 7]]
    histograms = orientation_histograms(images, cell=2)
    strongest = histograms.max()
    drawing = Figure(figsize=(7, 3.7), layout="constrained")
    panels = drawing.subplots(2, 4)
    for column, (image, histogram) in enumerate(zip(images, histograms, strict=True)):
        above, below = panels[:, column]
        above.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        for row in range(4):
            for place in range(4):
                _draw_star(below, place, row, histogram[:, row, place] / strongest, theme)
        below.set(xlim=(-0.5, 3.5), ylim=(3.5, -0.5), aspect="equal")
        for axes in (above, below):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(True)
    panels[0, 0].set_ylabel("pixels")
    panels[1, 0].set_ylabel("orientations")
    return drawing


def two_linear_rules(theme: Theme) -> Figure:
    """Two slanted clouds and the lines of logistic regression and discriminant analysis.

    First, clean data: the two lines nearly agree. Then, ten points of one class were
    moved far to the right, on their own side. The logistic line stays; the line of
    discriminant analysis has turned, and cuts through both clouds.
    """
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    panels = drawing.subplots(1, 2, sharey=True, width_ratios=(1, 2))
    for axes, title in zip(panels, ("clean", "with ten far points"), strict=True):
        points, signs = slanted_gaussians(100, seed=0)
        if axes is panels[1]:
            points[1 : 2 * OUTLIERS : 2] += torch.tensor([12.0, 0.0])
        _mark(axes, points, (signs > 0).long(), theme, size=14)
        for fit, style, name in (
            (fit_logistic, "-", "logistic"),
            (linear_discriminant, "--", "discriminant analysis"),
        ):
            a, b, c = fit(points, signs).tolist()
            y = torch.tensor([-3.0, 2.5])
            axes.plot(-(b * y + c) / a, y, style, color=theme.ink, label=name)
        right = 4 if axes is panels[0] else 16
        axes.set(title=title, xlabel="$x_1$", xlim=(-4, right), ylim=(-3, 2.5))
    panels[0].set_ylabel("$x_2$")
    panels[1].legend(loc="lower right")
    return drawing


def _shade(
    axes: Axes, sides: tuple[Tensor, Tensor], decision: Tensor, theme: Theme
) -> None:
    borders, colors = [-0.5, 0.5, 1.5], theme.classes[:2]
    axes.contourf(*sides, decision, levels=borders, colors=colors, alpha=0.35)


def _mark(axes: Axes, points: Tensor, labels: Tensor, theme: Theme, size: float) -> None:
    for label, marker in enumerate(theme.markers[:2]):
        x, y = points[labels == label].T
        axes.scatter(x, y, s=size, marker=marker, color=theme.classes[label], linewidth=0)


def _draw_star(axes: Axes, x: int, y: int, strength: Tensor, theme: Theme) -> None:
    for b, length in enumerate(strength.tolist()):
        angle = math.pi * (b + 0.5) / len(strength) + math.pi / 2  # along the edge
        across, down = 0.48 * length * math.cos(angle), 0.48 * length * math.sin(angle)
        axes.plot(
            [x - across, x + across],
            [y - down, y + down],
            color=theme.classes[0],
            linewidth=2,
        )
