"""Figures of the chapter on applications; docstrings are alternative texts."""

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
    """Bars of GFLOPS per dollar for five processors: one CPU and four GPUs.

    The CPU gives 0.6 and the GPUs from 9.1 to 21.8. Triangles mark the numbers printed on
    the slides: three agree with the bars, those of the GTX 750 Ti and the RX 480 are lower.
    """
    rows = growth.processors()
    ratios = [1000 * row["tflops"] / row["dollars"] for row in rows]
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.add_subplot()
    bars = axes.barh(
        [row["name"] for row in rows], ratios, color=theme.classes[0], height=0.6
    )
    axes.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], padding=12)
    printed = [row["printed_gflops_per_dollar"] for row in rows]
    axes.plot(printed, range(len(rows)), "^", color=theme.classes[1], label="as printed")
    axes.invert_yaxis()
    axes.set(xlabel="GFLOPS per dollar", ylabel="processor", xlim=(0, 26))
    axes.legend(loc="upper right")
    return drawing


def image_sets(theme: Theme) -> Figure:
    """Number of images in ten data sets, over the year, on a logarithmic axis.

    Most lie between nine thousand and sixty thousand, from 1998 to 2016. MS-COCO of 2015
    has two hundred thousand, and ImageNet stands alone above with 14 million.
    """
    rows = growth.image_sets()
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.add_subplot()
    years, images = [row["year"] for row in rows], [row["images"] for row in rows]
    axes.semilogy(years, images, "o", color=theme.classes[0])
    for row in rows:
        beside = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(row["name"], (row["year"], row["images"]), fontsize=9, **beside)
    axes.set(xlabel="year", ylabel="images", xlim=(1997, 2019), ylim=(5e3, 4e7))
    axes.set_xticks(range(1998, 2019, 4))
    return drawing


def transistors_and_neurons(theme: Theme) -> Figure:
    """Two bar charts with logarithmic axes. Left, transistors of six chips.

    They go from 2.6 to 21.1 billion; GPUs are hatched. Right, neurons of eleven animals,
    from 302 in a roundworm to 86 billion in a human, eight orders of magnitude more.
    """
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for index, kind in enumerate(("CPU", "GPU")):
        rows = [row for row in growth.chips() if row["kind"] == kind]
        left.barh(
            [row["name"] for row in rows],
            [row["transistors"] for row in rows],
            color=theme.classes[index],
            hatch=("", "//")[index],
            edgecolor=theme.paper,
            label=kind,
        )
    rows = growth.nervous_systems()
    right.barh(
        [row["name"] for row in rows],
        [row["neurons"] for row in rows],
        color=theme.classes[2],
    )
    left.set(xscale="log", xlabel="transistors", ylabel="chip", xlim=(1e9, 1e11))
    left.legend(loc="upper right")
    right.set(xscale="log", xlabel="neurons", ylabel="animal", xlim=(1e2, 1e12))
    for axes in (left, right):
        axes.invert_yaxis()
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
