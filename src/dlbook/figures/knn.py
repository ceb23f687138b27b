"""Figures of the chapter on nearest neighbors; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data import digits
from dlbook.data.toy import noisy_wave
from dlbook.figures.style import Theme, mixes_colors
from dlbook.knn import nearest_points
from dlbook.runs.record import claims_of

TRAINING, NOISE, SIDE = 1000, 0.1, 96  # the grid of the maps has SIDE x SIDE places
QUESTIONS = (0, 2, 365)  # test digits: two that are recognized, one that is not


@mixes_colors
def votes_and_decisions(theme: Theme) -> Figure:
    """Four maps of the unit square with the same 1000 points, a wave across its middle.

    Top, 1 neighbor: the vote is all or nothing, and islands surround every stray point.
    Bottom, 51 neighbors: the vote passes gradually from 0 to 1, and the decision follows
    the wave closely, with small errors at its crest.
    """
    points, labels = noisy_wave(TRAINING, noise=NOISE, seed=0)
    drawing = Figure(figsize=(7, 6.2), layout="constrained")
    panels = drawing.subplots(2, 2, sharex=True, sharey=True)
    for (left, right), k in zip(panels, (1, 51), strict=True):
        share = _share_of_votes(points, labels, k)
        extent, scale = (
            (0, 1, 0, 1),
            {
                "cmap": f"{theme.diverging}_r",
                "vmin": 0,
                "vmax": 1,
            },
        )
        colors = left.imshow(share, origin="lower", extent=extent, **scale)
        left.set(title=f"votes, K = {k}", ylabel="$x_2$", aspect="equal")
        _shade_decision(right, share, theme)
        _mark_points(right, points, labels, theme)
        _draw_wave(right, theme)
        right.set(title=f"decision, K = {k}", aspect="equal")
    for axes in panels[1]:
        axes.set_xlabel("$x_1$")
    place = {"ax": panels[:, 0], "location": "bottom", "ticks": [0, 0.5, 1]}
    drawing.colorbar(colors, label="share of votes for class 1", **place)
    return drawing


@mixes_colors
def map_on_the_curve(theme: Theme, k: int = 21) -> Figure:
    """First: the decision of {k} neighbors among 1000 points, and the true wave, dashed.

    Then: training and test error against K from 1 to 1000, on a logarithmic axis, over
    the floor of 10 %, the Bayes error. The training error starts at 0. The test error
    starts near 20 %, is least between 10 and 30, and ends near 50 %. K = {k} is marked.
    """
    points, labels = noisy_wave(TRAINING, noise=NOISE, seed=0)
    drawing = Figure(figsize=(7, 3.3), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1, 1.25))
    _shade_decision(left, _share_of_votes(points, labels, k), theme)
    _mark_points(left, points, labels, theme)
    _draw_wave(left, theme)
    left.set(title=f"K = {k}", xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    _draw_curve(right, k, theme)
    return drawing


def convergence(theme: Theme) -> Figure:
    """Test error against the number of training points, from 10 to 10 000, log axis.

    One neighbor settles near 18 %, the bound of Cover and Hart, and stays there. As many
    neighbors as the root of the number of points begin a little lower, soon fall below
    the bound, and approach the floor, the Bayes error of 10 %.
    """
    claims = claims_of("knn")
    sizes = claims["sizes"].value
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    rules = (("one_neighbor", "1 neighbor"), ("root_neighbors", "√N neighbors"))
    for mark, (name, label) in enumerate(rules):
        axes.plot(
            sizes,
            claims[f"{name}_errors"].value,
            color=theme.classes[mark],
            marker=theme.markers[mark],
            label=label,
        )
    for name, label in (
        ("bound", "bound of Cover and Hart"),
        ("bayes_error", "Bayes error"),
    ):
        level = claims[name].value
        axes.axhline(level, color=theme.muted, linestyle="--", linewidth=1)
        axes.text(1e4, level - 0.6, label, ha="right", va="top", size=9)
    axes.set(
        xscale="log", xlabel="training points N", ylabel="test error (%)", ylim=(0, 30)
    )
    axes.legend()
    return drawing


def neighbors_of_digits(theme: Theme) -> Figure:
    """Three rows of handwritten digits: on the left a test image, then its five nearest.

    The neighbors of the first two questions all carry the label of the question. The
    third question is a 9 that four of its five neighbors call a 5.
    """
    images, labels, test_images, truth = digits.load()
    queries = test_images[list(QUESTIONS)]
    nearest = nearest_points(queries.flatten(1), images.flatten(1), 5)
    drawing = Figure(figsize=(7, 4), layout="constrained")
    panels = drawing.subplots(3, 6)
    for row, question in enumerate(QUESTIONS):
        shown = [test_images[question], *images[nearest[row]]]
        names = [truth[question], *labels[nearest[row]]]
        for column, (axes, image, name) in enumerate(
            zip(panels[row], shown, names, strict=True)
        ):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            color = theme.ink if name == truth[question] else theme.accent
            kind = "question" if column == 0 else f"neighbor {column}"
            axes.set_title(f"{kind}: {name}", color=color)
    return drawing


def _share_of_votes(points: Tensor, labels: Tensor, k: int) -> Tensor:
    side = torch.linspace(0, 1, SIDE, dtype=points.dtype)
    grid = torch.cartesian_prod(side, side)  # x_2 runs fastest
    shares = labels[nearest_points(grid, points, k)].double().mean(dim=1)
    return shares.reshape(SIDE, SIDE).T


def _shade_decision(axes: Axes, share: Tensor, theme: Theme) -> None:
    side = torch.linspace(0, 1, SIDE)
    decision = (share > 0.5).double()
    borders, colors = [-0.5, 0.5, 1.5], theme.classes[:2]
    axes.contourf(side, side, decision, levels=borders, colors=colors, alpha=0.35)


def _draw_wave(axes: Axes, theme: Theme) -> None:
    x = torch.linspace(0, 1, 100)
    wave = 0.5 + 0.25 * (2 * torch.pi * x).sin()
    axes.plot(x, wave, color=theme.ink, linestyle="--", linewidth=1.2)


def _mark_points(axes: Axes, points: Tensor, labels: Tensor, theme: Theme) -> None:
    for label, marker in enumerate(theme.markers[:2]):
        x, y = points[labels == label].T
        color = theme.classes[label]
        axes.scatter(x, y, s=5, marker=marker, color=color, linewidth=0, rasterized=True)


def _draw_curve(axes: Axes, k: int, theme: Theme) -> None:
    claims = claims_of("knn")
    numbers = claims["shown_k"].value
    floor = claims["bayes_error"].value
    lines = (("training_errors", "training", ":"), ("test_errors", "test", "-"))
    for color, (name, label, style) in zip(theme.classes, lines, strict=False):
        errors = claims[name].value
        axes.plot(numbers, errors, style, color=color, label=f"{label} error")
    least, largest = (claims[f"test_errors_{end}"].value for end in ("least", "largest"))
    axes.fill_between(
        numbers, least, largest, color=theme.classes[1], alpha=0.2, linewidth=0
    )
    axes.axhline(
        floor, color=theme.muted, linestyle="--", linewidth=1, label="Bayes error"
    )
    axes.axvline(k, color=theme.accent, linewidth=1.2)
    axes.set(xscale="log", xlabel="neighbors K", ylabel="error (%)", ylim=(0, 53))
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.99), "ncols": 3}
    axes.legend(**above, fontsize=9, handlelength=1.4, columnspacing=1)
