"""Figures of the chapter on segmentation and detection; docstrings are alternative texts."""

from functools import cache

import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of
from dlbook.runs.segmentation import (
    GAPS,
    THRESHOLDS,
    answers,
    held_out,
    ink_network,
)
from dlbook.segmentation import contributions

CPU = torch.device("cpu")


def scene(theme: Theme) -> Figure:
    """A drawing of two digits, its ink, and the ink that two small networks find.

    From left to right: the noisy drawing, a nine and a three, the truth, the answer of a
    network with skips, which looks like the truth, and that of one without, where strokes are
    blunt, the bay of the nine is filled and the foot of the three is missing. Crosses mark
    wrong pixels: single ones with skips, many along the strokes without.
    """
    image, truth, answered = _found()
    drawing = Figure(figsize=(7, 2.2), layout="constrained")
    shown = [image, truth, *answered]
    titles = ("drawing", "ink", "with skips", "without skips")
    for axes, picture, title in zip(drawing.subplots(1, 4), shown, titles, strict=True):
        axes.imshow(picture, cmap=theme.sequence, vmin=0, vmax=1)
        rows, columns = (picture != truth).nonzero(as_tuple=True)
        if title.endswith("skips"):
            axes.scatter(columns, rows, marker="x", s=14, lw=1.4, color=theme.accent)
            title = f"{title}: {len(rows)} wrong"
        axes.set_title(title)
        axes.set_axis_off()
    return drawing


def rims(theme: Theme) -> Figure:
    """Shares of wrong pixels, on the rim of the ink and off it, with and without skips.

    On the rim about 5 % of the pixels are wrong with skips and 20 % without; off the rim
    hardly any with either. Whiskers reach from the least to the largest of five seeds.
    """
    claims = claims_of("segmentation")
    drawing = Figure(figsize=(7, 2.7), layout="constrained")
    axes = drawing.subplots()
    for kind, (name, label) in enumerate((("skips", "with skips"), ("plain", "without"))):
        found = [claims[f"{place}_{name}"] for place in ("on_rim", "off_rim")]
        middle = torch.tensor([claim.value for claim in found])
        below = middle - torch.tensor([claim.spread["least"] for claim in found])
        above = torch.tensor([claim.spread["largest"] for claim in found]) - middle
        look = {"color": theme.classes[kind], "marker": theme.markers[kind], "ls": ""}
        places = torch.arange(2) + 0.1 * (2 * kind - 1)
        whiskers = torch.stack([below, above]).clamp(min=0)
        axes.errorbar(places, middle, whiskers, capsize=4, label=label, **look)
    axes.set(yscale="log", xlim=(-0.5, 1.5), ylim=(0.001, 60))
    axes.set_xticks([0, 1], ["on the rim of the ink", "elsewhere"])
    axes.set_yticks([0.001, 0.01, 0.1, 1, 10], ["0.001", "0.01", "0.1", "1", "10"])
    axes.set(xlabel="where", ylabel="wrong pixels, %")
    axes.legend(loc="upper right")
    return drawing


def copies(theme: Theme, kernel: int = 3) -> Figure:
    """How many copies of a kernel of {kernel} pixels a side, 2 apart, cover each pixel.

    For sides that 2 divides the middle is even; for the others it is a checkerboard.
    """
    counted = contributions(7, kernel, 2)
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    picture = left.imshow(counted, cmap=theme.sequence, vmin=0, vmax=9)
    left.set(
        xlabel="column, pixels", ylabel="row, pixels", title=f"$k = {kernel}$, $s = 2$"
    )
    drawing.colorbar(picture, ax=left, label="copies", shrink=0.9)
    ticks = range(0, len(counted), 4)
    left.set(xticks=ticks, yticks=ticks)
    row = counted[len(counted) // 2]
    mark = {"color": theme.classes[0], "marker": theme.markers[0]}
    right.plot(range(len(row)), row, drawstyle="steps-mid", **mark)
    right.set(xlabel="column, pixels", ylabel="copies", ylim=(0, 9.8), title="middle row")
    right.set_xticks(ticks)
    return drawing


def thresholds(theme: Theme) -> Figure:
    """Precision and recall of frames against the threshold of the suppression.

    Medians of five seeds. Precision stays high up to a threshold of 0.3 or so and falls
    steeply behind 0.5, when frames of one digit are kept twice and more; recall hardly moves.
    """
    claims = claims_of("segmentation")
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    for kind, name in enumerate(("precision", "recall")):
        numbers = range(len(THRESHOLDS))
        values = [claims[f"{name}_tau_{number}_skips"].value for number in numbers]
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.plot(THRESHOLDS, values, label=name, **look)
    axes.set(
        xlabel="largest overlap of two kept frames, $\\tau$", ylabel="%", ylim=(0, 105)
    )
    axes.set_ylabel("precision, recall, %")
    axes.legend(loc="lower left")
    return drawing


def gaps(theme: Theme) -> Figure:
    """Scenes in which two neighbors are counted as two, against the gap between them.

    With a pixel or more between the frames both ways count right nearly always. Where the
    frames meet or overlap, connected pieces merge the digits in most scenes, and
    frames proposed by the pixels still count two in many more.
    """
    claims = claims_of("segmentation")
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    for kind, (how, label) in enumerate(
        (("pieces", "connected pieces"), ("proposals", "frames from pixels"))
    ):
        found = [claims[f"count_{how}_gap_{n}_skips"] for n in range(len(GAPS))]
        middle = torch.tensor([claim.value for claim in found])
        below = middle - torch.tensor([claim.spread["least"] for claim in found])
        above = torch.tensor([claim.spread["largest"] for claim in found]) - middle
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        whiskers = torch.stack([below, above]).clamp(min=0)
        axes.errorbar(GAPS, middle, whiskers, capsize=3, label=label, **look)
    axes.set(xlabel="pixels between the frames of two digits", ylim=(-3, 105))
    axes.set(ylabel="counted as two, %")
    axes.legend(loc="lower right")
    return drawing


@cache
def _found() -> tuple[Tensor, Tensor, list[Tensor]]:
    """Train both networks, and give one drawing, its ink and the ink that they find."""
    scenes = held_out()
    images, truth = scenes.images[:1], (scenes.masks[0] > 0).float()
    answered = []
    for across in (True, False):
        network, _ = ink_network(0, across, 100, CPU)
        answered.append(answers(network, images)[0].argmax(dim=0).float())
    return images[0, 0], truth, answered
