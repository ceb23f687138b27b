"""Figures of the chapter on applications; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from dlbook.applications import MAZE, MOVES, imagine, q_learning, similarity_map
from dlbook.data import digit_strips, digits, growth
from dlbook.figures.style import Theme, mixes_colors


@mixes_colors
def detection(theme: Theme) -> Figure:
    """Above, a strip of ten handwritten digits with a frame around the 3.

    Below, the similarity of every window with a mean 3, over the column where the window
    begins. It peaks near 0.9 where the 3 stands, marked by a triangle. Over some other
    digits it comes close to that, and between digits it is negative.
    """
    images, labels, test_images, test_labels = digits.load()
    strip, _ = digit_strips.draw(test_images, test_labels, seed=1)
    similarities = similarity_map(strip, images[labels == 3].mean(dim=0))[0]
    best = int(similarities.argmax())
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(1, 1.6))
    above.imshow(
        strip.numpy(),
        cmap=_ink(theme),
        aspect="auto",
        extent=(0, 80, 8, 0),
    )
    frame = {"fill": False, "edgecolor": theme.accent, "linewidth": 2}
    above.add_patch(Rectangle((best, 0.1), 8, 7.8, **frame))
    above.set_yticks([])
    below.plot(similarities, color=theme.classes[0])
    below.plot(best, similarities[best], "^", color=theme.accent, markersize=8)
    below.set(xlabel="column of the window, pixels", ylabel="similarity", ylim=(-1, 1.1))
    return drawing


@mixes_colors
def imagined(theme: Theme) -> Figure:
    """Two rows of ten small images. Above, handwritten digits from 0 to 9.

    Below, one imagined digit under each. They are gray and blurred, but most can be read.
    What lies outside of the range from 0 to 1 is drawn as 0 or 1.
    """
    images, labels, _, _ = digits.load()
    generator = torch.Generator().manual_seed(2)
    drawing = Figure(figsize=(7, 1.7), layout="constrained")
    panels = drawing.subplots(2, 10)
    for digit in range(10):
        examples = images[labels == digit]
        drawn = imagine(examples, 1, generator)[0].clamp(0, 1)
        for axes, image in zip(panels[:, digit], (examples[0], drawn), strict=True):
            axes.imshow(image.numpy(), cmap=_ink(theme), vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
    panels[0, 0].set_ylabel("real")
    panels[1, 0].set_ylabel("imagined")
    return drawing


@mixes_colors
def maze(theme: Theme, episodes: int = 100) -> Figure:
    """A maze after {episodes} walks. Each free cell shows by color what the agent expects.

    An arrow in a cell points to the action it believes best; cells it knows nothing about
    have no arrow. Walls are hatched, and the goal G is at the lower right. With more walks,
    value spreads from the goal back to the start at the upper left.
    """
    q, _ = q_learning(MAZE, episodes, seed=0)
    drawing = Figure(figsize=(6, 3.9), layout="constrained")
    axes = drawing.add_subplot()
    values = q.amax(dim=2)
    picture = axes.imshow(values.numpy(), cmap=theme.sequence, vmin=0, vmax=1)
    for row, line in enumerate(MAZE):
        for column, cell in enumerate(line):
            _cell(axes, row, column, cell, q[row, column], theme)
    axes.set(xlabel="column", ylabel="row")
    drawing.colorbar(picture, label="expected reward, discounted")
    return drawing


def prices(theme: Theme) -> Figure:
    """Peak operations for a dollar against the year, eight processors on a logarithmic axis.

    CPUs: 1.5 GFLOPS per dollar in 2015 and 3.3 in 2022. GPUs: from 9 in 2013 over 22 in 2016
    to 52 in 2022 and 2025. They lie six to sixteen times higher than the CPU of their time.
    """
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.add_subplot()
    for index, kind in enumerate(("CPU", "GPU")):
        rows = [row for row in growth.processors() if row["kind"] == kind]
        years = [row["year"] for row in rows]
        ratios = [row["peak_gflops"] / row["dollars"] for row in rows]
        look = {"color": theme.classes[index], "marker": theme.markers[index]}
        axes.plot(years, ratios, linestyle="none", markersize=7, label=kind, **look)
        for row, year, ratio in zip(rows, years, ratios, strict=True):
            # beside them stands the next card
            above = row["name"] in ("GTX 750 Ti", "RTX 4090")
            place = {"xytext": (0, 9), "ha": "center"} if above else {"xytext": (7, 0)}
            place |= {"textcoords": "offset points", "va": "center", "fontsize": 9}
            axes.annotate(row["name"], (year, ratio), **place)
    axes.set(yscale="log", xlim=(2012.5, 2027.2), ylim=(1, 110))
    axes.set(xlabel="year of launch", ylabel="peak GFLOPS per dollar")
    axes.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    axes.minorticks_off()
    axes.legend(loc="upper left")
    return drawing


def image_sets(theme: Theme) -> Figure:
    """Number of images in eleven data sets, over the year, on a logarithmic axis.

    Most lie between nine thousand and sixty thousand, from 1998 to 2016. MS-COCO of 2015
    has two hundred thousand, ImageNet 14 million, and LAION-5B, of 2022, 5.85 billion.
    """
    rows = growth.image_sets()
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.add_subplot()
    years, images = [row["year"] for row in rows], [row["images"] for row in rows]
    axes.semilogy(years, images, "o", color=theme.classes[0])
    for row in rows:
        under = row["name"] in ("PASCAL VOC", "Caltech-101")
        place = {"xytext": (-6, -10)} if under else {"xytext": (6, 0), "va": "center"}
        if row["name"] == "NORB":
            place = {"xytext": (0, 7), "ha": "center"}
        place |= {"textcoords": "offset points", "fontsize": 9}
        axes.annotate(row["name"], (row["year"], row["images"]), **place)
    axes.set(xlabel="year", ylabel="images", xlim=(1997, 2026), ylim=(3e3, 2e10))
    axes.set_xticks(range(1998, 2025, 4))
    return drawing


def transistors_and_synapses(theme: Theme) -> Figure:
    """Dots on one logarithmic axis, from a thousand to 10 to the 16, in two groups of rows.

    Chips: transistors from 2.6 billion in 2014 to 208 billion in 2024, colored by kind.
    Animals: synapses from 7500 in a roundworm over 54.5 million in a fly, a hundred billion
    in a mouse to 10 to the 15 in a human. The newest chip lies between mouse and rat.
    """
    chips = growth.chips()
    animals = [r for r in growth.nervous_systems() if not math.isnan(r["synapses"])]
    drawing = Figure(figsize=(7, 4.2), layout="constrained")
    axes = drawing.add_subplot()
    names = [f"{row['name']}, {row['year']:.0f}" for row in chips]
    names += [row["name"] for row in animals]
    for index, kind in enumerate(("CPU", "GPU")):
        rows = [n for n, row in enumerate(chips) if row["kind"] == kind]
        counts = [chips[n]["transistors"] for n in rows]
        look = {"color": theme.classes[index], "marker": theme.markers[index]}
        axes.plot(counts, rows, linestyle="none", label=f"transistors, {kind}", **look)
    rows = range(len(chips), len(names))
    look = {"color": theme.classes[2], "marker": theme.markers[2]}
    counts = [row["synapses"] for row in animals]
    axes.plot(counts, rows, linestyle="none", label="synapses", **look)
    axes.axvline(chips[-1]["transistors"], color=theme.muted, linestyle=":", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlim=(1e3, 1e16), xlabel="number", ylabel="chip or animal")
    axes.grid(axis="y", color=theme.muted, alpha=0.25)
    drawing.legend(loc="outside lower center", ncols=3)
    return drawing


def _ink(theme: Theme) -> str:
    return {"light": "Greys", "dark": "Greys_r"}[theme.name]


def _cell(
    axes: Axes, row: int, column: int, cell: str, values: torch.Tensor, theme: Theme
) -> None:
    if cell == "#":
        corner = (column - 0.5, row - 0.5)
        wall = {"facecolor": theme.paper, "edgecolor": theme.muted, "hatch": "////"}
        axes.add_patch(Rectangle(corner, 1, 1, linewidth=0, **wall))
    elif cell == "G":
        white = {"color": "#ffffff", "weight": "bold"}
        axes.text(column, row, "G", ha="center", va="center", **white)
    elif values.max() > 0:
        down, right = MOVES[int(values.argmax())]
        tip, tail = (
            (column + 0.3 * sign * right, row + 0.3 * sign * down) for sign in (1, -1)
        )
        color = "#ffffff" if values.max() < 0.6 else "#000000"
        axes.annotate("", tip, tail, arrowprops={"arrowstyle": "->", "color": color})
