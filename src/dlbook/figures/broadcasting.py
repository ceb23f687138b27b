"""Figures of the chapter on broadcasting; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from dlbook.broadcasting import expand, explain
from dlbook.data import blood_pressure
from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of

COLUMN = torch.tensor([[1], [2], [3], [4]])
ROW = torch.tensor([[5, -5, 5, -5, 5]])


def column_plus_row(theme: Theme) -> Figure:
    """Three grids of 4 rows and 5 columns.

    The column 1, 2, 3, 4 is repeated to the right in pale dashed cells. The row 5, -5, 5,
    -5, 5 is repeated downward, pale and dashed. Their sum fills the third grid:
    its first row reads 6, -4, 6, -4, 6, and its last 9, -1, 9, -1, 9.
    """
    drawing = Figure(figsize=(7, 2.1), layout="constrained")
    panels = drawing.subplots(1, 3)
    blue, orange, green = theme.classes[:3]
    own_column, own_row, all_cells = torch.zeros(3, 4, 5, dtype=torch.bool)
    own_column[:, 0], own_row[0], all_cells[:] = True, True, True
    _grid(panels[0], expand(COLUMN, (4, 5)), own_column, blue, theme)
    _grid(panels[1], expand(ROW, (4, 5)), own_row, orange, theme)
    _grid(panels[2], COLUMN + ROW, all_cells, green, theme)
    for axes, title in zip(panels, ("A, 4 × 1", "B, 1 × 5", "A + B, 4 × 5"), strict=True):
        axes.set_title(title)
    for axes, sign in zip(panels[1:], "+=", strict=True):
        axes.text(-0.1, 0.5, sign, transform=axes.transAxes, ha="center", va="center")
    return drawing


def _grid(axes: Axes, values: Tensor, stored: Tensor, color: str, theme: Theme) -> None:
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            kept = bool(stored[row, column])
            look = (
                {"linestyle": "-", "alpha": 0.3} if kept else {"linestyle": (0, (2, 2))}
            )
            fill = color if kept else "none"
            edge = theme.ink if kept else theme.muted
            box = Rectangle((column, row), 1, 1, facecolor=fill, edgecolor="none", **look)
            axes.add_patch(box)
            look.pop("alpha", None)
            axes.add_patch(
                Rectangle(
                    (column, row), 1, 1, facecolor="none", edgecolor=edge, lw=0.8, **look
                )
            )
            number = str(values[row, column].item()).replace("-", "−")
            ink = theme.ink if kept else theme.muted
            axes.text(
                column + 0.5, row + 0.5, number, ha="center", va="center", color=ink
            )
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    axes.set_axis_off()


def aligned_shapes(
    theme: Theme,
    first: tuple[int, ...] = (8, 1, 6, 1),
    second: tuple[int, ...] = (7, 1, 5),
) -> Figure:
    """Two shapes in two rows of boxes, aligned at the right; the result in a third row.

    Sizes of 1 that broadcasting expands, or puts in front and expands, have dashed boxes.
    Under every axis stands its verdict: equal, first expands, second expands, or fails.
    Drawn here: {first} and {second}.
    """
    found = explain(first, second)
    blue, orange, green = theme.classes[:3]
    drawing = Figure(figsize=(7, 2.2), layout="constrained")
    axes = drawing.subplots()
    for column, verdict in enumerate(found.axes):
        sizes = (found.first[column], found.second[column])
        result = "?" if verdict == "fails" else str(max(sizes) if min(sizes) else 0)
        _size(axes, column, 0, str(sizes[0]), verdict == "first expands", blue, theme)
        _size(axes, column, 1, str(sizes[1]), verdict == "second expands", orange, theme)
        color = theme.accent if verdict == "fails" else green
        _size(axes, column, 2, result, False, color, theme)
        words = verdict.replace(" ", "\n")
        axes.text(column + 0.5, 3.1, words, ha="center", va="top", color=theme.ink)
    for row, name in enumerate(("first", "second", "result")):
        axes.text(-0.15, row + 0.5, name, ha="right", va="center")
    axes.set(xlim=(-0.8, max(4, len(found.axes)) + 0.1), ylim=(4, -0.1))
    axes.set_axis_off()
    return drawing


def _size(
    axes: Axes, column: int, row: int, text: str, dashed: bool, color: str, theme: Theme
) -> None:
    line = (0, (3, 2)) if dashed else "-"
    corner = (column + 0.06, row + 0.08)
    box = Rectangle(
        corner, 0.88, 0.84, facecolor="none", edgecolor=color, linestyle=line, lw=1.6
    )
    axes.add_patch(box)
    axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=theme.ink)


def table_of_differences(theme: Theme) -> Figure:
    """First: six predictions minus six targets, a 6 by 6 table; the diagonal was wanted.

    The predictions are those of the rising line on the right, in whole mmHg.

    Then: systolic pressure against age of 30 people. The line fitted with the right loss
    rises with age. The line fitted with the table is level, at the mean pressure.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(0.8, 1))
    _differences(left, theme)
    ages, pressures = blood_pressure.load()
    claims = claims_of("broadcasting")
    right.scatter(ages, pressures, s=14, marker="o", color=theme.classes[0])
    ends = torch.tensor([17.0, 69.0])
    slope, level = claims["slope"].value, claims["broken_intercept"].value
    line = pressures.mean() + slope * (ends - ages.mean())
    right.plot(ends, line, color=theme.ink, label="(N, 1) − (N, 1)")
    flat = [level, level]
    right.plot(ends, flat, color=theme.accent, linestyle="--", label="(N, 1) − (N,)")
    right.set(xlabel="age (years)", ylabel="systolic pressure (mmHg)", ylim=(100, 228))
    right.legend(loc="upper left")
    return drawing


def _differences(axes: Axes, theme: Theme) -> None:
    ages, pressures = blood_pressure.load()
    targets = pressures[5:11]
    slope = claims_of("broadcasting")["slope"].value
    predictions = (pressures.mean() + slope * (ages[5:11] - ages.mean())).round()
    table = predictions[:, None] - targets
    for row in range(6):
        for column in range(6):
            wanted = row == column
            number = f"{table[row, column]:.0f}".replace("-", "−")
            ink = theme.ink if wanted else theme.muted
            place = (column, row)
            if wanted:
                fill = {"facecolor": theme.accent, "alpha": 0.3, "edgecolor": "none"}
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **fill))
            axes.text(*place, number, ha="center", va="center", color=ink)
    axes.set(xlim=(-0.5, 5.5), ylim=(5.5, -0.5), aspect="equal")
    axes.set_xticks(range(6), [f"{t:.0f}" for t in targets])
    axes.set_yticks(range(6), [f"{p:.0f}" for p in predictions])
    axes.set(xlabel="target (mmHg)", ylabel="prediction (mmHg)")
