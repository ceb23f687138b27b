# %% [markdown]
# # Training fast: find the brake
#
# Chapter: [Training fast](../chapters/acceleration.md). Guess first what limits a step on your
# machine, then measure. Every time below is processor time of one thread, in milliseconds;
# yours will differ from the chapter's, and that is the point.

# %%
import statistics
import time

import torch
from matplotlib.figure import Figure
from torch import Generator

from dlbook.acceleration import Operators
from dlbook.cnn import Recipe, Training, begin, convolutional_network, descend
from dlbook.figures.style import Theme, show

LAYOUTS = {"default": torch.contiguous_format, "channels-last": torch.channels_last}


def fresh(layout: str, precision: torch.dtype) -> Training:
    generator = Generator().manual_seed(0)
    model = convolutional_network(generator).to(memory_format=LAYOUTS[layout])
    return begin(model, generator, Recipe(precision=precision))


def milliseconds(
    layout: str, precision: torch.dtype, images: int, steps: int = 3
) -> float:
    """Time a step of so many images: the median of a few, after one to warm up."""
    training = fresh(layout, precision)
    x = torch.randn(images, 1, 28, 28, generator=Generator().manual_seed(0))
    labels = torch.arange(images) % 10
    spent = []
    for _ in range(steps + 1):
        started = time.process_time()
        descend(training, x, labels)
        spent.append(1000 * (time.process_time() - started))
    return statistics.median(spent[1:])


# %% [markdown]
# ## Operators
#
# How many operators does a step call, and which? Change the recipe: does momentum cost any
# operators? Does bfloat16?


# %%
def operators(theme: Theme, momentum: float, precision: torch.dtype) -> Figure:
    """Bars: how often a step calls each operator, momentum {momentum}, products in {precision}."""
    generator = Generator().manual_seed(0)
    recipe = Recipe(momentum=momentum, precision=precision)
    training = begin(convolutional_network(generator), generator, recipe)
    with Operators() as seen:
        descend(training, torch.zeros(10, 1, 28, 28), torch.arange(10))
    names, counts = zip(*seen.counts.most_common(12), strict=True)
    drawing = Figure(figsize=(6, 3.2), layout="constrained")
    axes = drawing.subplots()
    bars = axes.barh(range(len(names)), counts, color=theme.classes[0])
    axes.bar_label(bars, padding=3, color=theme.ink, fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="calls in one step", ylabel="operator")
    axes.set_title(f"{seen.counts.total()} operators in all")
    return drawing


show(operators, momentum=0.0, precision=torch.float32)

# %%
show(operators, momentum=0.0, precision=torch.bfloat16)

# %% [markdown]
# The casts of bfloat16 show up as `_to_copy`. On a GPU that waits for launches, each of them
# costs time; on a CPU they cost next to nothing.
#
# ## Batches
#
# A step has a part that grows with the batch and a part that does not. Where do the two meet
# on your machine?


# %%
def batches(theme: Theme, layout: str, largest: int) -> Figure:
    """Time per image against the number of images in a step, up to {largest}, layout {layout}."""
    counts = [2**n for n in range(11) if 2**n <= largest]
    times = [milliseconds(layout, torch.float32, count) / count for count in counts]
    drawing = Figure(figsize=(6, 2.8), layout="constrained")
    axes = drawing.subplots()
    axes.plot(counts, times, marker=theme.markers[0], color=theme.classes[0])
    axes.set(xscale="log", yscale="log", xlabel="images in a step")
    axes.set_ylabel("time per image (ms)")
    axes.set_title(f"layout: {layout}")
    return drawing


show(batches, layout="default", largest=16)

# %%
show(batches, layout="channels-last", largest=16)

# %% [markdown]
# ## The remedies
#
# Which pays here? Does bfloat16 help where the processor has no instructions for it?


# %%
def remedies(theme: Theme, images: int) -> Figure:
    """Bars: the time of a step of {images} images, for two layouts and two precisions."""
    choices = [(a, b) for a in LAYOUTS for b in (torch.float32, torch.bfloat16)]
    times = [milliseconds(*choice, images) for choice in choices]
    drawing = Figure(figsize=(6, 2.4), layout="constrained")
    axes = drawing.subplots()
    bars = axes.barh(range(len(choices)), times, color=theme.classes[0])
    axes.bar_label(bars, fmt=" %.1f", color=theme.ink, fontsize=8)
    names = [f"{a}, {str(b).removeprefix('torch.')}" for a, b in choices]
    axes.set_yticks(range(len(choices)), names)
    axes.invert_yaxis()
    axes.set(xlabel="processor time of a step (ms)", ylabel="remedy")
    return drawing


show(remedies, images=16)
