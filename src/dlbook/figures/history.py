"""Figures of the chapter on history; docstrings are alternative texts."""

import math
from textwrap import fill

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from dlbook.data import horse, imagenet, timeline
from dlbook.figures.narrow import WIDE
from dlbook.figures.style import Theme, mixes_colors
from dlbook.history import c_cells, operator_graph, s_cells, tc_images
from dlbook.runs.record import claims_of

LABELS = {
    "alexnet": "AlexNet",
    "vgg19": "VGG-19",
    "googlenet": "GoogLeNet",
    "resnet18": "ResNet-18",
    "resnet34": "ResNet-34",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
    "resnet152": "ResNet-152",
}
PLACES = {  # of crowded labels, in points
    "googlenet": (-6, -3, "right"),
    "resnet18": (7, 3, "left"),
    "resnet50": (9, -2, "left"),
    "resnet101": (0, -24, "center"),
    "resnet152": (11, 6, "left"),
}


@mixes_colors
def horse_corner(theme: Theme) -> Figure:
    """First, 4 by 8 colored squares, all nearly the same light blue: a corner of a photograph.

    Then, the same 32 places as three tables of numbers, red, green and blue. Red runs from
    98 to 120, green from 164 to 178, blue from 194 to 204.
    """
    corner = horse.load()
    drawing = Figure(figsize=(7, 2.9), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1, 1.25))
    left.imshow(corner.permute(1, 2, 0).numpy())
    left.set_title("what you see")
    _frame(left, theme)
    names = ("red", "green", "blue")
    for channel, name in enumerate(names):
        top = 5.2 * channel
        right.text(-0.9, top + 1.5, name, ha="right", va="center")
        for row in range(4):
            for column in range(8):
                number = str(corner[channel, row, column].item())
                look = {"ha": "center", "va": "center", "fontsize": 8}
                right.text(column, top + row, number, **look)
    right.set(xlim=(-2.4, 7.6), ylim=(14.2, -0.8), title="what a program sees")
    right.set_axis_off()
    return drawing


def ancestors(theme: Theme, inches: float = WIDE) -> Figure:
    """A vertical axis of time from 1943 to 2024 with one line of text for each event.

    It begins with the threshold logic unit of McCulloch and Pitts and ends with Llama 3.
    The events lie far apart until 1980 and crowd together after 2009.
    """
    events = timeline.load()
    is_wide = inches >= WIDE
    drawing = Figure(figsize=(inches, 8.2 if is_wide else 11.5), layout="constrained")
    axes = drawing.subplots()
    first, last = events[0].year, events[-1].year
    axes.plot([0, 0], [first, last], color=theme.ink, linewidth=2)
    step = (last - first) / (len(events) - 1)
    for row, event in enumerate(events):
        y = first + row * step
        axes.plot([0, 0.35, 0.5], [event.year, y, y], color=theme.muted, linewidth=0.8)
        axes.plot(0, event.year, marker="o", markersize=4, color=theme.classes[0])
        axes.text(0.55, y, str(event.year), va="center", color=theme.classes[0])
        both = fill(f"{event.what} ({event.who})", 42)
        text, size = (event.what, 9) if is_wide else (both, 8)
        axes.text(1.12, y, text, va="center", fontsize=size)
        if is_wide:
            axes.text(6.6, y, event.who, va="center", ha="right", fontsize=8)
    axes.set(
        xlim=(-0.05, 6.9 if is_wide else 3.6),
        ylim=(last + 1.5, first - 1.5),
        ylabel="year",
    )
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    return drawing


@mixes_colors
def mouth_detector(theme: Theme, inches: float = WIDE) -> Figure:
    """First: a learned detector. Then: its answers to T and C in four rotations.

    Its weights are high at the four corners and low at the middles of the sides. Each bar
    stands above its letter, of five pixels: about 0.3 for every T, about 1.1 for every C.
    """
    claims = claims_of("history")
    kernel = torch.tensor(claims["tc_w"].value[9:]).reshape(3, 3)
    bias = claims["tc_b"].value[1]
    is_row = inches >= WIDE
    drawing = Figure(figsize=(inches, 2.9 if is_row else 5), layout="constrained")
    ratios = {"width_ratios": (1, 2)} if is_row else {"height_ratios": (2, 3)}
    left, right = drawing.subfigures(*((1, 2) if is_row else (2, 1)), **ratios)
    axes = left.subplots()
    _kernel(axes, kernel, theme)
    axes.set_title("weights of one hidden unit")
    above, below = right.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    images, labels = tc_images(5)
    letters, classes = _one_of_each(images, labels)
    _answers(above, letters, classes, kernel, bias, theme)
    for place, letter in enumerate(letters):
        extent = (place - 0.35, place + 0.35, 0.7, 0)
        below.imshow(letter, cmap="Greys", vmin=0, vmax=1.4, extent=extent)
        corner = Rectangle((place - 0.35, 0), 0.7, 0.7, fill=False, ec=theme.muted)
        below.add_patch(corner)
    below.set(xlim=(-0.5, 7.5), ylim=(0.8, -0.1), aspect="equal")
    below.set_axis_off()
    return drawing


def _one_of_each(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Take the eight turned letters from the top left corner."""
    corner = images[:, 0].any(dim=1) & images[:, :, 0].any(dim=1)
    return images[corner], labels[corner]


def _frame(axes: Axes, theme: Theme) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=theme.muted)


def _kernel(axes: Axes, kernel: Tensor, theme: Theme) -> None:
    largest = kernel.abs().max().item()
    axes.imshow(kernel, cmap=theme.diverging, vmin=-largest, vmax=largest)
    for row in range(3):
        for column in range(3):
            number = f"{kernel[row, column]:.1f}".replace("-", "−")
            strong = abs(kernel[row, column]) > 0.5 * largest
            ink = "#ffffff" if strong else "#24292f"
            axes.text(column, row, number, ha="center", va="center", color=ink)
    _frame(axes, theme)


def _answers(
    axes: Axes,
    letters: Tensor,
    classes: Tensor,
    kernel: Tensor,
    bias: float,
    theme: Theme,
) -> None:
    patches = torch.nn.functional.unfold(letters[:, None].float(), 3, padding=2)
    sums = (patches.transpose(1, 2) @ kernel.flatten() + bias).sigmoid().sum(dim=1)
    for label, name in ((1, "T"), (0, "C")):
        chosen = classes == label
        place = torch.arange(8)[chosen]
        look = {"color": theme.classes[label], "hatch": "//" if label else ""}
        axes.bar(
            place, sums[chosen], width=0.7, edgecolor=theme.paper, label=name, **look
        )
    axes.set(ylabel="sum of its answers", ylim=(0, 1.35))
    axes.set_xticks([])
    axes.legend(ncols=2, loc="upper left")


def shift_tolerance(theme: Theme) -> Figure:
    """A vertical bar in columns 5, 6, 3 and 4 of a retina of 8 by 8, one case a column.

    In the second row the answers of the S-cells move with the bar. In the third, four
    C-cells watch 4 by 4 S-cells each: they answer alike to 5 and 6, both in the right half.
    From 3 to 4 the bar crosses into that half, and all four C-cells change their answer.
    """
    drawing = Figure(figsize=(7, 4.6), layout="constrained")
    panels = drawing.subplots(3, 4)
    vertical = torch.tensor([[[0.0, 1, 0], [0, 1, 0], [0, 1, 0]]])
    for place, column in enumerate((5, 6, 3, 4)):
        image = torch.zeros(8, 8)
        image[1:7, column] = 1
        seen = s_cells(image, vertical, selectivity=0.8)
        planes = (image, seen[0], c_cells(seen, reach=4)[0])
        for axes, plane in zip(panels[:, place], planes, strict=True):
            axes.imshow(plane, cmap=theme.sequence, vmin=0, vmax=1)
            _frame(axes, theme)
        panels[0, place].set_title(f"bar in column {column}")
    for axes, name in zip(panels[:, 0], ("image", "S-cells", "C-cells"), strict=True):
        axes.set_ylabel(name)
    return drawing


def error_against_operations(theme: Theme) -> Figure:
    """Top-1 error on ImageNet against billions of multiply-adds, on a logarithmic axis.

    Areas grow with the number of parameters. From ResNet-18 to ResNet-152 the error falls
    from 30 to 22 per cent. VGG-19 lies at the far right, with the largest area and an error
    of about 28. AlexNet lies at the top left, at 43. Filled points are what torchvision states
    for its weights, open squares ten-crop errors of He et al., lower by up to two points.
    """
    claims = claims_of("history")
    drawing = Figure(figsize=(7, 4), layout="constrained")
    axes = drawing.subplots()
    errors = dict(zip(imagenet.NETWORKS[1:], claims["stated_errors"].value, strict=True))
    sizes, costs = (_counted(name) for name in ("sizes", "costs"))
    for name, label in LABELS.items():
        x, y, area = costs[name], errors[name], 6 * sizes[name]
        residual = name.startswith("resnet")
        marker, color = ("o", theme.classes[0]) if residual else ("^", theme.classes[1])
        axes.scatter(x, y, s=area, marker=marker, color=color, alpha=0.45)
        axes.scatter(x, y, s=4, color=theme.ink)
        right, up, side = PLACES.get(name, (0, 8 + math.sqrt(area) / 2.6, "center"))
        place = {"xytext": (right, up), "textcoords": "offset points", "ha": side}
        axes.annotate(label, (x, y), fontsize=9, **place)
    _published(axes, theme)
    axes.set(
        xscale="log", xlim=(0.45, 40), ylim=(19, 48),
        xlabel="multiply-adds per image (billions, counted)",
        ylabel="top-1 error (%)",
    )  # fmt: skip
    axes.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.legend(loc="upper right")
    return drawing


def _counted(what: str) -> dict[str, float]:
    """Look up one count of every network, by the name of the network."""
    return dict(zip(imagenet.NETWORKS, claims_of("history")[what].value, strict=True))


def _published(axes: Axes, theme: Theme) -> None:
    tens = {row.model: row.top1 for row in imagenet.load() if row.protocol == "ten crops"}
    names = {
        "vgg16": "VGG-16",
        "resnet34": "ResNet-34 B",
        "resnet50": "ResNet-50",
        "resnet101": "ResNet-101",
        "resnet152": "ResNet-152",
    }
    costs = _counted("costs")
    x = [costs[name] for name in names]
    y = [tens[label] for label in names.values()]
    look = {"marker": "s", "linestyle": "none", "mfc": "none", "color": theme.accent}
    axes.plot(x, y, label="ten crops, He et al. 2016", **look)
    look = {"xytext": (-7, -3), "textcoords": "offset points", "ha": "right"}
    axes.annotate("VGG-16", (x[0], y[0]), fontsize=9, **look)
    axes.plot(
        [], [], marker="o", ls="none", color=theme.classes[0], label="one crop, residual"
    )
    axes.plot(
        [], [], marker="^", ls="none", color=theme.classes[1], label="one crop, others"
    )


def graph_of_operators(theme: Theme) -> Figure:
    """The graph that autograd keeps for a network with one hidden layer and its loss.

    Boxes with shapes are parameters: 2 x 3, 3, 3 x 1, 1. Arrows lead through matrix
    product, sum and tanh, then product, sum, and the cross-entropy at the right.
    """
    operators = operator_graph(_small_loss())
    depth = max(each.level for each in operators)
    drawing = Figure(figsize=(7, 1.7), layout="constrained")
    axes = drawing.subplots()
    places = {}
    for level in range(depth + 1):
        column = [i for i, each in enumerate(operators) if each.level == level]
        column.sort(key=lambda index: not operators[index].inputs)
        for row, index in enumerate(column):
            places[index] = (depth - level, -row)
    for index, each in enumerate(operators):
        for source in each.inputs:
            arrow = {
                "arrowstyle": "-|>",
                "color": theme.muted,
                "shrinkA": 13,
                "shrinkB": 17,
            }
            axes.annotate("", places[index], places[source], arrowprops=arrow)
    for index, each in enumerate(operators):
        color = theme.classes[0] if each.inputs else theme.classes[1]
        box = {"boxstyle": "round" if each.inputs else "square", "fc": theme.paper}
        name = _readable(each.name)
        look = {"ha": "center", "va": "center", "fontsize": 8}
        axes.text(*places[index], name, bbox=box | {"ec": color}, **look)
    axes.set(xlim=(-0.6, depth + 0.6), ylim=(-1.3, 0.35))
    axes.set_axis_off()
    return drawing


def _small_loss() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shapes = ((2, 3), (3,), (3, 1), (1,))
    w1, b1, w2, b2 = (
        torch.randn(s, generator=generator).requires_grad_() for s in shapes
    )
    x, y = torch.randn(5, 2, generator=generator), torch.ones(5, 1)
    output = (x @ w1 + b1).tanh() @ w2 + b2
    return torch.nn.functional.binary_cross_entropy_with_logits(output, y)


def _readable(name: str) -> str:
    return name if len(name) < 12 else "cross-\nentropy"
