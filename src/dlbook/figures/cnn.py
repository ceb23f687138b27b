"""Figures of the chapter on training a convolutional net; see their docstrings."""

import math

import torch
from matplotlib.figure import Figure
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
from dlbook.data import digits
from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of


def budget(theme: Theme) -> Figure:
    """Three bar charts over the ten layers of the net.

    The numbers that must be stored are almost all the first convolution's, the parameters
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

    Two bands, single precision and bfloat16, fall together: from about 2 % after one
    epoch to about 1 % at the fourth. The one of bfloat16 ends after five epochs, the other
    creeps on to ten. A dotted line marks the published 1 %.
    """
    record = claims_of("cnn") | claims_of("acceleration")
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    for name, label, color, marker in zip(
        ("mnist", "bfloat16"),
        ("float32, median of seeds", "bfloat16, median of seeds"),
        theme.classes,
        theme.markers,
        strict=False,
    ):
        median, least, largest = (
            record[f"{name}_{which}_by_epoch"].value
            for which in ("median", "least", "largest")
        )
        epochs = range(1, len(median) + 1)
        axes.fill_between(epochs, least, largest, color=color, alpha=0.2, linewidth=0)
        axes.plot(epochs, median, marker=marker, color=color, label=label)
    axes.axhline(1, color=theme.muted, linestyle=":", label="about 1 %, as published")
    axes.set(xlabel="epochs done", ylabel="test error (%)", xticks=range(1, 11))
    axes.set_ylim(bottom=0)
    axes.legend()
    return drawing
