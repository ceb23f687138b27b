"""Figures of the chapter on tensors; docstrings are alternative texts."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sklearn.datasets import load_sample_image
from torch import Tensor

from dlbook.data import digits
from dlbook.figures.style import Theme
from dlbook.tensors import power_iteration

M = torch.tensor([[2.0, 1.0], [1.0, 1.5]])  # symmetric, with eigenvalues 2.78 and 0.72


def dimensions(theme: Theme) -> Figure:
    """Five tensors side by side, from no dimension to four.

    One gray cell; a row of eight cells; an 8 by 8 picture of a handwritten zero; a color
    photograph of a flower, seen as three shifted sheets in red, green and blue; and a
    batch of nine handwritten digits.
    """
    images = digits.load()[0].numpy()
    drawing = Figure(figsize=(7, 2.2), layout="constrained")
    panels = drawing.subplots(1, 5, width_ratios=(0.5, 1.2, 1.2, 1.6, 1.5))
    gray = {"cmap": "gray_r", "vmin": 0, "vmax": 1}
    panels[0].imshow(images[0, 2:3, 2:3], **gray)
    panels[1].imshow(images[0, 2:3], **gray)
    panels[2].imshow(images[0], **gray)
    _draw_sheets(panels[3], load_sample_image("flower.jpg"))
    panels[4].imshow(
        images[:9].reshape(3, 3, 8, 8).swapaxes(1, 2).reshape(24, 24), **gray
    )
    for line in (7.5, 15.5):
        panels[4].axhline(line, color=theme.paper, linewidth=2)
        panels[4].axvline(line, color=theme.paper, linewidth=2)
    labels = (
        "0d\na pixel",
        "1d\n8",
        "2d\n8 x 8",
        "3d\n3 x 80 x 80",
        "4d\n9 x 1 x 8 x 8",
    )
    for axes, label in zip(panels, labels, strict=True):
        axes.set(xlabel=label, xticks=[], yticks=[], anchor="S")
        axes.spines[:].set(visible=axes is not panels[3], color=theme.muted)
    return drawing


def slices(theme: Theme) -> Figure:
    """Four copies of a table of 4 rows and 5 columns, holding 0 to 19, with cells shaded.

    `m[1]` shades the second row, `m[:, 2]` the third column, `m[1:3, 2:]` a block of two
    rows and three columns, `m[:, ::2]` every other column.
    """
    m = torch.arange(20).view(4, 5)
    drawing = Figure(figsize=(7, 2.1), layout="constrained")
    chosen = {
        "m[1]": m[1],
        "m[:, 2]": m[:, 2],
        "m[1:3, 2:]": m[1:3, 2:],
        "m[:, ::2]": m[:, ::2],
    }
    panels = drawing.subplots(1, len(chosen))
    for axes, (title, part) in zip(panels, chosen.items(), strict=True):
        _draw_table(axes, m, torch.isin(m, part.reshape(-1)), theme)
        axes.set_title(f"{title}\n{' x '.join(map(str, part.shape))}", family="monospace")
    return drawing


def joining(theme: Theme) -> Figure:
    """Two tables of 2 rows and 3 columns, one blue and one orange, joined in three ways.

    `cat` along dimension 0 puts one below the other, 4 by 3. `cat` along dimension 1 puts
    them side by side, 2 by 6. `stack` lays one behind the other on a new axis, which
    makes 2 by 2 by 3.
    """
    drawing = Figure(figsize=(7, 2.2), layout="constrained")
    panels = drawing.subplots(1, 3)
    titles = ("cat, dim=0\n4 x 3", "cat, dim=1\n2 x 6", "stack, dim=0\n2 x 2 x 3")
    corners = (((0, 2), (0, 0)), ((0, 0), (3, 0)), ((1, 1), (0, 0)))
    for axes, title, places in zip(panels, titles, corners, strict=True):
        for number, (x, y) in enumerate(places):
            for cell in range(6):
                corner = (x + cell % 3, y + 1 - cell // 3)
                look = {"facecolor": theme.classes[number], "edgecolor": theme.paper}
                layer = 2 * number + 1  # the second table covers the first, text and all
                axes.add_patch(Rectangle(corner, 1, 1, linewidth=2, zorder=layer, **look))
                name, row, column = "ab"[number], cell // 3, cell % 3
                middle = (corner[0] + 0.5, corner[1] + 0.5)
                text = f"${name}_{{{row}{column}}}$"
                ink = {"color": theme.paper, "zorder": layer + 0.5}
                axes.annotate(text, middle, ha="center", va="center", **ink)
        middle = max(x for x, _ in places) / 2 + 1.5
        window = {"xlim": (middle - 3.1, middle + 3.1), "ylim": (-0.1, 4.1)}
        axes.set(title=title, aspect="equal", **window)
        axes.axis("off")
    return drawing


def power(theme: Theme, steps: int = 3) -> Figure:
    """A circle, the ellipse a matrix makes of it, and an arrow after {steps} products.

    The dashed line is the long axis of the ellipse, the direction of the largest
    eigenvalue. The arrow starts almost across it and turns toward it with every product.
    """
    angle = torch.linspace(0, 2 * torch.pi, 121)
    circle = torch.stack([angle.cos(), angle.sin()])
    path = power_iteration(M, torch.tensor([0.4, -1.0]), steps)
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    axes.plot(*circle, color=theme.muted, label="length one")
    axes.plot(*(M @ circle), color=theme.classes[0], label="times m")
    long_axis = torch.linalg.eigh(M).eigenvectors[:, -1]
    ends = torch.stack([-3 * long_axis, 3 * long_axis])
    axes.plot(*ends.T, "--", color=theme.classes[1], label="eigenvector")
    for step, (x, y) in enumerate(path):
        last = step == steps
        color, width = (theme.accent, 2.5) if last else (theme.muted, 1)
        look = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0}
        axes.annotate("", (x, y), (0, 0), arrowprops=look | {"shrinkB": 0})
    axes.set(xlabel="$q_1$", ylabel="$q_2$", xlim=(-3.4, 3.4), ylim=(-2.2, 2.2))
    axes.set_aspect("equal")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return drawing


def _draw_sheets(axes: Axes, photograph: np.ndarray) -> None:
    """Draw the channels of a (height, width, 3) photograph as three shifted sheets."""
    square = photograph[100:420:4, 160:480:4]  # (80, 80, 3)
    for channel in (2, 1, 0):  # the farthest first
        sheet = np.zeros_like(square)
        sheet[..., channel] = square[..., channel]
        left, top = 20 * channel, -20 * channel
        axes.imshow(sheet, extent=(left, left + 80, top + 80, top), zorder=3 - channel)
    axes.set(xlim=(0, 120), ylim=(80, -40), aspect="equal")


def _draw_table(axes: Axes, m: Tensor, chosen: Tensor, theme: Theme) -> None:
    rows, columns = m.shape
    for row in range(rows):
        for column in range(columns):
            picked = bool(chosen[row, column])
            color = theme.classes[0] if picked else "none"
            look = {"facecolor": color, "edgecolor": theme.muted, "linewidth": 1}
            axes.add_patch(Rectangle((column, row), 1, 1, **look))
            middle = (column + 0.5, row + 0.5)
            ink = {"color": theme.paper if picked else theme.ink, "fontsize": 8}
            axes.annotate(
                str(m[row, column].item()), middle, ha="center", va="center", **ink
            )
    axes.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal")
    axes.axis("off")
