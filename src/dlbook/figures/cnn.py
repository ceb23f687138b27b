"""Figures of the chapter on training a convolutional net; see their docstrings."""

import math

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Generator

from dlbook.cnn import (
    Recipe,
    begin,
    convolutional_network,
    costs,
    small_network,
    standardize,
    train_epoch,
)
from dlbook.convolution import convolve, max_pool
from dlbook.data import digits
from dlbook.figures.narrow import WIDE
from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of

KERNELS = {
    "vertical": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "horizontal": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "rising": [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
    "falling": [[1, 1, 0], [1, 0, -1], [0, -1, -1]],
}


def filters(theme: Theme) -> Figure:
    """A handwritten 4 of 8 by 8 pixels and, below each other, what four kernels make of it.

    A column for each kernel: its nine weights, the map of its responses with the negative
    ones set to 0, and that map pooled to 3 by 3 numbers. Each kernel lights up where the
    stroke has an edge in its direction, and the pooled maps still say where, roughly.
    """
    image = digits.load()[0][4]
    kernels = torch.tensor(list(KERNELS.values()), dtype=torch.float32)[:, None]
    maps = convolve(image[None, None], kernels, torch.zeros(4)).relu()
    pooled = max_pool(maps, 2)
    drawing = Figure(figsize=(7, 4.6), layout="constrained")
    grid = drawing.add_gridspec(3, 5)
    shown = drawing.add_subplot(grid[:, 0])
    shown.imshow(image.numpy(), cmap="gray_r")
    shown.set(title="a digit", xticks=[], yticks=[])
    rows = (kernels[:, 0], maps[0], pooled[0])
    names = ("kernel", "response,\nReLU", "pooled")
    for row, (name, tables) in enumerate(zip(names, rows, strict=True)):
        limit = tables.abs().max().item()
        for column, (kind, table) in enumerate(
            zip(KERNELS, tables, strict=True), start=1
        ):
            axes = drawing.add_subplot(grid[row, column])
            axes.imshow(table.numpy(), cmap=theme.diverging, vmin=-limit, vmax=limit)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=theme.muted)
            if row == 0:
                axes.set_title(kind)
            if column == 1:
                axes.set_ylabel(name)
    return drawing


def net(theme: Theme, inches: float = WIDE) -> Figure:
    """The net as a row of stacked squares that shrink from left to right, then three bars.

    An image of 28 by 28 becomes 32 maps of 24 by 24, pooled to 8 by 8; then 64 maps of 4 by
    4, pooled to 2 by 2; then rows of 256, 200 and 10 numbers. The operation stands below
    each arrow.
    """
    stacks = [(1, 28), (32, 24), (32, 8), (64, 4), (64, 2)]
    steps = ("convolve 5", "pool 3", "convolve 5", "pool 2", "flatten", "dense", "dense")
    sizes, steps_size = (9, 8) if inches >= WIDE else (7.5, 7)
    drawing = Figure(figsize=(inches, 0.37 * inches), layout="constrained")
    axes = drawing.subplots()
    left, middles = 0.0, []
    for n, (maps, side) in enumerate(stacks):
        depth = min(4, maps)
        for sheet in reversed(range(depth)):
            corner = (left + 1.2 * sheet, 15 - side / 2 + 1.2 * sheet)
            style = {"facecolor": theme.paper, "edgecolor": theme.classes[n % 2]}
            axes.add_patch(Rectangle(corner, side, side, linewidth=1.4, **style))
        width = side + 1.2 * (depth - 1)
        top = f"{maps} x\n{side} x {side}" if maps > 1 else f"{side} x {side}"
        axes.text(left + width / 2, 34, top, ha="center", va="bottom", fontsize=sizes)
        middles.append((left, left + width))
        left += width + 17
    for count, height in ((256, 26), (200, 20), (10, 6)):
        bar = {"facecolor": theme.classes[2], "edgecolor": theme.paper}
        axes.add_patch(Rectangle((left, 15 - height / 2), 2.5, height, **bar))
        axes.text(left + 1.2, 34, f"{count}", ha="center", va="bottom", fontsize=sizes)
        middles.append((left, left + 2.5))
        left += 22
    for step, (_, start), (end, _) in zip(steps, middles, middles[1:], strict=False):
        arrow = {"arrowstyle": "->", "color": theme.muted}
        axes.annotate("", (end - 1, 15), (start + 1, 15), arrowprops=arrow)
        words = step.replace(" ", "\n")
        axes.text(
            (start + end) / 2, -4, words, ha="center", va="top", fontsize=steps_size
        )
    axes.set(xlim=(-2, left - 17), ylim=(-15, 44), aspect="equal")
    axes.set_axis_off()
    return drawing


def budget(theme: Theme) -> Figure:
    """Three bar charts over the ten layers of the net.

    Three quarters of the numbers that must be stored are the first convolution's, the parameters
    are split evenly between the second convolution and the first dense layer, and the
    multiplications are nearly all in the two convolutions.
    """
    table = costs(
        convolutional_network(Generator().manual_seed(0)), torch.zeros(1, 1, 28, 28)
    )
    columns = {
        "numbers put out\n(thousands)": [math.prod(cost.shape) / 1e3 for cost in table],
        "parameters\n(thousands)": [cost.parameters / 1e3 for cost in table],
        "multiplications\n(thousands)": [cost.products / 1e3 for cost in table],
    }
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    panels = drawing.subplots(1, 3, sharey=True)
    names = [cost.layer for cost in table]
    for axes, (label, values), color in zip(
        panels, columns.items(), theme.classes, strict=False
    ):
        bars = axes.barh(range(len(table)), values, color=color)
        texts = [f"{value:.3g}" if value else "" for value in values]
        axes.bar_label(bars, texts, padding=2, color=theme.ink, fontsize=8)
        axes.set(xlabel=label, xlim=(0, 1.3 * max(values)))
    panels[0].set_yticks(range(len(table)), names)
    panels[0].set_ylabel("layer, from the image down")
    panels[0].invert_yaxis()
    return drawing


def mistakes(theme: Theme) -> Figure:
    """Twelve digits of 8 by 8 pixels that the small net reads wrongly, in two rows.

    Above each stand what was written and what the net reads. Several are broken, slanted
    or closed where they should be open; a person would hesitate over some of them too.
    """
    images, labels, test_images, test_labels = digits.load()
    generator = Generator().manual_seed(0)
    model = small_network(generator).double()
    training = begin(model, generator, Recipe(step=0.3, batch_size=20))
    for _ in range(5):
        train_epoch(training, standardize(images.double(), images), labels)
    with torch.no_grad():
        shares = model(standardize(test_images.double(), images)).softmax(dim=1)
    chances = shares[torch.arange(len(test_labels)), test_labels]
    worst = chances.argsort()[:12].tolist()  # the truth was believed least
    drawing = Figure(figsize=(7, 3), layout="constrained")
    for axes, i in zip(drawing.subplots(2, 6).flat, worst, strict=True):
        axes.imshow(test_images[i].numpy(), cmap="gray_r")
        axes.set_title(f"{test_labels[i]}, read as {shares[i].argmax()}", fontsize=9)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=theme.muted)
    return drawing


def error_by_epoch(theme: Theme) -> Figure:
    """Test error on MNIST in percent against the epoch, from 1 to 10.

    The median of three seeds falls from about 2 % after one epoch to about 1 % at the
    fourth, and then wanders about 1 % inside a band of a tenth to half of it. A dotted line
    marks the published 1 %.
    """
    record = claims_of("cnn")
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    median, least, largest = (
        record[f"mnist_{which}_by_epoch"].value
        for which in ("median", "least", "largest")
    )
    epochs, color = range(1, len(median) + 1), theme.classes[0]
    axes.fill_between(epochs, least, largest, color=color, alpha=0.2, linewidth=0)
    axes.plot(
        *(epochs, median), marker=theme.markers[0], color=color, label="median of seeds"
    )
    axes.axhline(1, color=theme.muted, linestyle=":", label="about 1 %, as published")
    axes.set(xlabel="epochs done", ylabel="test error (%)", xticks=range(1, 11))
    axes.set_ylim(bottom=0)
    axes.legend()
    return drawing
