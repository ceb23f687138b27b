"""Figures of the chapter on convolution; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from dlbook.acceleration import keep_freed_memory
from dlbook.cnn import (
    Recipe,
    begin,
    convolutional_network,
    standardize,
    train_epoch,
)
from dlbook.convolution import (
    convolve,
    max_pool,
    output_side,
    receptive_field,
    shift,
)
from dlbook.data import digits
from dlbook.figures.narrow import WIDE
from dlbook.figures.style import Theme

PLACES = 4  # per side, where a kernel of 3 fits into 6 pixels


def sliding(theme: Theme, place: int = 5) -> Figure:
    """A window of 3 by 3 numbers slides over an image of 6 by 6, at place {place} of 0 to 15.

    In the image, 0 is paper and 16 is ink. The window is outlined in it; kernel and window
    are multiplied number by number, and the sum is written at the outlined place of the 4
    by 4 output. It is positive where there is more ink on the right of the window than on
    its left, and negative where there is less.
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


def places(theme: Theme) -> Figure:
    """Three pictures of where a window of 3 by 3 can stand on an image of 6 by 6 pixels.

    With stride 1 there are four by four places, with stride 2 only two by two. With one
    ring of zeros around the image and stride 1 there are six by six, as many as pixels.
    A dot marks the middle of each window, and one window is outlined.
    """
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    settings = ((1, 0), (2, 0), (1, 1))
    for axes, (stride, padding) in zip(drawing.subplots(1, 3), settings, strict=True):
        side = 6 + 2 * padding
        for row in range(side):
            for column in range(side):
                inside = padding <= min(row, column) and max(row, column) < 6 + padding
                axes.add_patch(
                    Rectangle(
                        (column - padding, row - padding),
                        *(1, 1),
                        facecolor="none",
                        edgecolor=theme.ink if inside else theme.muted,
                        linestyle="-" if inside else ":",
                        linewidth=0.6,
                    )
                )
        count = output_side(6, 3, stride, padding)
        middles = [stride * n - padding + 1.5 for n in range(count)]
        axes.plot(
            *zip(*[(x, y) for y in middles for x in middles], strict=True),
            linestyle="none",
            marker=theme.markers[0],
            color=theme.classes[0],
            markersize=4,
        )
        axes.add_patch(_outline(-padding, -padding, 3, theme))
        axes.set(xlim=(-1.1, 7.1), ylim=(7.1, -1.1), aspect="equal")
        axes.set_title(f"stride {stride}, padding {padding}:\n{count} x {count} places")
        axes.set_axis_off()
    return drawing


def pooling(theme: Theme) -> Figure:
    """A row of eight numbers with a bump, moved right by 0, 1 and 2, and what is left of it.

    Beside each row stand its four largest numbers of windows of two, which are outlined,
    and every second number. By 2 the bump moves both by one place. By 1 the four numbers
    are others: pooled, 1 and 2 in place of 2; with a stride, 2 in place of 1.
    """
    bump = torch.tensor([0.0, 0, 1, 2, 0, 0, 0, 0]).view(1, 1, 1, 8).repeat(1, 1, 2, 1)
    drawing = Figure(figsize=(7, 1.9), layout="constrained")
    axes = drawing.subplots()
    for right in (0, 1, 2):
        moved, row = shift(bump, 0, right), 1.5 * right
        strips = (moved, max_pool(moved, 2), moved[..., ::2])
        for strip, left in zip(strips, (0, 9.5, 15), strict=True):
            _write_strip(axes, strip[0, 0, 0], left, row, theme)
        for window in range(0, 8, 2):
            look = {"fill": False, "edgecolor": theme.ink, "linewidth": 1.8}
            axes.add_patch(Rectangle((window, row), 2, 1, **look))
        axes.text(-0.4, row + 0.5, f"right by {right}", ha="right", va="center")
    for left, title in ((4, "a bump"), (11.5, "pooled by 2"), (17, "stride 2")):
        axes.text(left, -0.35, title, ha="center")
    axes.set(xlim=(-3.2, 19.1), ylim=(4.1, -1.1), aspect="equal")
    axes.set_axis_off()
    return drawing


def _write_strip(
    axes: Axes, values: Tensor, left: float, row: float, theme: Theme
) -> None:
    for place, value in enumerate(values.int().tolist()):
        fill = {"facecolor": theme.classes[0], "alpha": 0.3 * value}
        for look in (fill, {"fill": False, "edgecolor": theme.muted, "linewidth": 0.8}):
            axes.add_patch(Rectangle((left + place, row), 1, 1, **look))
        middle = (left + place + 0.5, row + 0.5)
        axes.text(*middle, str(value), ha="center", va="center")


def equivariance(theme: Theme) -> Figure:
    """Two rows of three pictures: both ways from a digit to a moved map of its edges.

    Above: the digit, its map, and that map moved by 5 pixels down and right. Below: the
    moved digit, its map, and the difference of the two maps at the right end of the ways,
    which is blank. Left edges of a stroke answer with one sign, right edges with the other.
    """
    image = interpolate(digits.load()[2][None, 3:4], size=16, mode="bilinear")
    image = nn.functional.pad(image, (2, 8, 2, 8))
    kernel = torch.tensor([[[[-1.0, 0.0, 1.0]] * 3]])
    moved = shift(image, 5, 5)
    maps, moved_first = (convolve(x, kernel, torch.zeros(1)) for x in (image, moved))
    moved_last = shift(maps, 5, 5)
    rows = (
        ((image, "the image x"), (maps, "its map f(x)"), (moved_last, "the map, moved")),
        (
            (moved, "the image, moved"),
            (moved_first, "its map"),
            (moved_last - moved_first, "difference of the two"),
        ),
    )
    drawing = Figure(figsize=(7, 5.4), layout="constrained")
    panels = drawing.subplots(2, 3)
    for axes, (table, title) in zip(panels.flat, rows[0] + rows[1], strict=True):
        if "image" in title:
            axes.imshow(table[0, 0].numpy(), cmap="gray_r")
        else:
            edges = axes.imshow(
                table[0, 0].numpy(), cmap=theme.diverging, vmin=-3, vmax=3
            )
        axes.set(title=title, xticks=[0, 10, 20], yticks=[0, 10, 20])
    drawing.supxlabel("column (pixels)", fontsize=10)
    drawing.supylabel("row (pixels)", fontsize=10)
    place = {"location": "top", "shrink": 0.6, "aspect": 30}
    drawing.colorbar(edges, ax=panels, label="response", **place)
    return drawing


def fields(theme: Theme) -> Figure:
    """A digit of 28 by 28 pixels with four nested squares that share their top left corner.

    They are what the first number of each map sees after the first convolution, 5 pixels;
    the first pooling, 7; the second convolution, 19; and the second pooling, 22, which is
    most of the image.
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
        axes.add_patch(
            Rectangle(
                (-0.5, -0.5),  # the corner of pixel 0, whose middle lies at 0
                *(side, side),
                fill=False,
                edgecolor=color,
                linestyle=style,
                linewidth=2.2,
                clip_on=False,
                label=f"{name}: sees {side}, moves by {jump}",
            )
        )
    axes.set(xlabel="column (pixels)", ylabel="row (pixels)")
    drawing.legend(loc="outside right center", fontsize=9)
    return drawing


def feature_maps(theme: Theme, inches: float = WIDE) -> Figure:
    """A digit, and below it eight maps of three layers of a trained net, a layer to a row.

    The first convolution answers to strokes and edges of certain directions and keeps the
    shape readable. Pooling coarsens the maps and the ReLU blanks what is negative. The
    maps of the second convolution, 4 by 4, no longer look like the digit at all.
    """
    model, images = _trained_on_enlarged_digits()
    outputs, rows = images[3:4], [("image", images[3])]
    names = {0: "convolution", 2: "pooling,\nReLU", 3: "convolution"}
    with torch.no_grad():
        for n, layer in enumerate(model[:4]):
            outputs = layer(outputs)
            if n in names:
                rows.append((names[n], outputs[0, :8]))
    each = 8 if inches >= WIDE else 4  # maps in a line
    lines = [0, *range(1, 1 + 3 * 8 // each, 8 // each)]
    drawing = Figure(figsize=(inches, 4.3 if inches >= WIDE else 5.6))
    grid = drawing.add_gridspec(
        *(1 + 3 * 8 // each, 1 + each),
        **{"left": 0.0, "right": 0.99, "top": 0.98, "bottom": 0.02},
        **{"width_ratios": (1.7, *(1,) * each), "wspace": 0.08, "hspace": 0.12},
    )
    for line, (name, maps) in zip(lines, rows, strict=True):
        label = drawing.add_subplot(grid[line, 0])
        label.set_axis_off()
        text = f"{name}\n{maps.shape[1]} x {maps.shape[2]}"
        label.text(0.95, 0.5, text, ha="right", va="center", fontsize=10)
        limit = maps.abs().max().item()
        for number, values in enumerate(maps.numpy()):
            place = grid[line + number // each, 1 + number % each]
            axes = drawing.add_subplot(place)
            gray = {"cmap": "gray_r"}
            signed = {"cmap": theme.diverging, "vmin": -limit, "vmax": limit}
            axes.imshow(values, **(gray if name == "image" else signed))
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(visible=True, color=theme.muted)
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
