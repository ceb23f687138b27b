"""Figures of the chapter on convolution; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from dlbook.cnn import (
    Recipe,
    begin,
    convolutional_network,
    keep_freed_memory,
    standardize,
    train_epoch,
)
from dlbook.convolution import convolve, receptive_field, shift
from dlbook.data import digits
from dlbook.figures.style import Theme

PLACES = 4  # per side, where a kernel of 3 fits into 6 pixels


def sliding(theme: Theme, place: int = 5) -> Figure:
    """A window of 3 by 3 numbers slides over an image of 6 by 6, at place {place} of 0 to 15.

    The window is outlined in the image; kernel and window are multiplied number by number,
    and the sum is written at the outlined place of the 4 by 4 output, as large and positive
    where the image gets darker from left to right.
    """
    image = (16 * digits.load()[2][0, 1:7, 1:7]).round()
    kernel = torch.tensor([[-1.0, 0.0, 1.0]] * 3)
    output = convolve(image[None, None], kernel[None, None], torch.zeros(1))[0, 0]
    row, column = divmod(place, PLACES)
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    panels = drawing.subplots(1, 3, width_ratios=(6, 3, 4))
    shown = torch.full_like(output, torch.nan)
    shown.view(-1)[: place + 1] = output.view(-1)[: place + 1]
    for axes, table, title in zip(
        panels, (image, kernel, shown), ("image", "kernel", "output so far"), strict=True
    ):
        _write_table(axes, table, theme)
        axes.set_title(title)
    panels[0].add_patch(_outline(column, row, 3, theme))
    panels[2].add_patch(_outline(column, row, 1, theme))
    return drawing


def _write_table(axes: Axes, table: Tensor, theme: Theme) -> None:
    rows, columns = table.shape
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    axes.set_axis_off()
    for row in range(rows):
        for column in range(columns):
            cell = Rectangle(
                (column, row), 1, 1, fill=False, edgecolor=theme.muted, lw=0.6
            )
            axes.add_patch(cell)
            value = table[row, column].item()
            text = "" if value != value else f"{value:.0f}"
            axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=9)


def _outline(column: int, row: int, side: int, theme: Theme) -> Rectangle:
    return Rectangle(
        (column, row), side, side, fill=False, edgecolor=theme.accent, linewidth=2.5
    )


def equivariance(theme: Theme) -> Figure:
    """A digit and its map of vertical edges, above; both moved down and right, below.

    The lower map is the upper map, moved as far as the digit was. Left edges of a stroke
    answer with one sign and right edges with the other, at both positions alike.
    """
    image = interpolate(digits.load()[2][None, 3:4], size=16, mode="bilinear")
    image = nn.functional.pad(image, (2, 8, 2, 8))
    kernel = torch.tensor([[[[-1.0, 0.0, 1.0]] * 3]])
    drawing = Figure(figsize=(7, 5.6), layout="constrained")
    panels = drawing.subplots(2, 2)
    for (left, right), moved, by in zip(
        panels, (image, shift(image, 5, 5)), ("", ", moved by (5, 5)"), strict=True
    ):
        response = convolve(moved, kernel, torch.zeros(1))[0, 0]
        left.imshow(moved[0, 0].numpy(), cmap="gray_r")
        edges = right.imshow(response.numpy(), cmap=theme.diverging, vmin=-3, vmax=3)
        left.set_title("image" + by)
        right.set_title("convolution of that image")
    drawing.supxlabel("column (pixels)", fontsize=10)
    drawing.supylabel("row (pixels)", fontsize=10)
    drawing.colorbar(edges, ax=panels, label="response", shrink=0.5)
    return drawing


def fields(theme: Theme) -> Figure:
    """A digit of 28 by 28 pixels with four nested squares, centered.

    They are what one number sees after the first convolution, 5 pixels; the first pooling,
    7; the second convolution, 19; and the second pooling, 22, which is most of the image.
    """
    layers = [(5, 1), (3, 3), (5, 1), (2, 2)]
    names = ("convolution 5", "pooling 3", "convolution 5", "pooling 2")
    image = interpolate(digits.load()[2][None, 3:4], size=28, mode="bilinear")[0, 0]
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.subplots()
    axes.imshow(image.numpy(), cmap="gray_r", alpha=0.5)
    for depth, (name, color, style) in enumerate(
        zip(names, theme.classes, ("-", "--", ":", "-."), strict=False), start=1
    ):
        side, jump = receptive_field(layers[:depth])
        corner = 13.5 - side / 2
        axes.add_patch(
            Rectangle(
                (corner, corner),
                *(side, side),
                fill=False,
                edgecolor=color,
                linestyle=style,
                linewidth=2.2,
                label=f"{name}: sees {side}, moves by {jump}",
            )
        )
    axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    drawing.legend(loc="outside right center", fontsize=9)
    return drawing


def feature_maps(theme: Theme) -> Figure:
    """A digit and eight maps of each layer of a trained net, one layer to a row.

    The first convolution answers to strokes and edges of certain directions and keeps the
    shape readable. Pooling coarsens the maps, the ReLU blanks what is negative, and the
    maps of the second convolution, 4 by 4, no longer look like the digit at all.
    """
    model, images = _trained_on_enlarged_digits()
    outputs, rows = images[3:4], []
    names = (
        "convolution 1",
        "pooling 1",
        "ReLU 1",
        "convolution 2",
        "pooling 2",
        "ReLU 2",
    )
    with torch.no_grad():
        for name, layer in zip(names, model, strict=False):
            outputs = layer(outputs)
            rows.append((name, outputs[0, :8]))
    drawing = Figure(figsize=(7, 5.4))
    widths = (1, 0.5, *(1,) * 8)
    grid = drawing.add_gridspec(
        *(6, 10), left=0.01, right=0.99, top=0.99, bottom=0.01, width_ratios=widths
    )
    shown = drawing.add_subplot(grid[0, 0])
    shown.imshow(images[3, 0].numpy(), cmap="gray_r")
    shown.set(xticks=[], yticks=[], xlabel="image\n28 x 28")
    for row, (name, maps) in enumerate(rows):
        limit = maps.abs().max().item()
        for column, values in enumerate(maps.numpy(), start=2):
            axes = drawing.add_subplot(grid[row, column])
            axes.imshow(values, cmap=theme.diverging, vmin=-limit, vmax=limit)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=theme.muted)
            if column == 2:
                axes.set_ylabel(f"{name}\n{maps.shape[1]} x {maps.shape[2]}", fontsize=7)
    return drawing


def _trained_on_enlarged_digits() -> tuple[nn.Sequential, Tensor]:
    """Train the net of the next chapter for a moment; give it with its test images."""
    images, labels, test_images, _ = digits.load()
    enlarged, test_enlarged = (
        interpolate(part[:, None], size=28, mode="bilinear")[:, 0]
        for part in (images, test_images)
    )
    keep_freed_memory()
    generator = Generator().manual_seed(0)
    model = convolutional_network(generator).to(memory_format=torch.channels_last)
    training = begin(model, generator, Recipe())
    for _ in range(4):
        train_epoch(training, standardize(enlarged, enlarged), labels)
    return model, standardize(test_enlarged, enlarged)
