# %% [markdown]
# # Training a convolutional network: watch a small net learn
#
# Change the numbers, run again, and watch a small net learn to read 8 x 8 digits. The chapter
# [Training a convolutional network](../chapters/cnn.md) explains the recipe.

# %%
import tempfile
from functools import cache
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from dlbook.acceleration import load, save
from dlbook.cnn import (
    Recipe,
    Training,
    begin,
    error_rate,
    small_network,
    standardize,
    train_epoch,
)
from dlbook.data import digits
from dlbook.figures.style import Theme, show

images, labels, test_images, test_labels = digits.load()
inputs, test_inputs = (standardize(part, images) for part in (images, test_images))


FOLDER = tempfile.TemporaryDirectory()


def fresh(step: float, momentum: float, batch_size: int) -> Training:
    generator = Generator().manual_seed(0)
    recipe = Recipe(step=step, momentum=momentum, batch_size=batch_size)
    return begin(small_network(generator), generator, recipe)


def checkpoint(recipe: Recipe, epoch: int) -> Path:
    return (
        Path(FOLDER.name) / f"{recipe.step}-{recipe.momentum}-{recipe.batch_size}-{epoch}"
    )


@cache
def train(step: float, momentum: float, batch_size: int, epochs: int) -> Training:
    """Train, and keep a checkpoint of every epoch."""
    training = fresh(step, momentum, batch_size)
    save(training, checkpoint(training.recipe, 0))
    for epoch in range(1, epochs + 1):
        train_epoch(training, inputs, labels)
        training.errors.append(error_rate(training.model, test_inputs, test_labels))
        save(training, checkpoint(training.recipe, epoch))
    return training


# %% [markdown]
# ## The recipe
#
# `step` is the step size, `momentum` the share of the velocity that stays, `batch_size` the
# number of images per step.


# %%
def errors(
    theme: Theme, step: float, momentum: float, batch_size: int, epochs: int = 10
) -> Figure:
    """Test error against epoch with step {step}, momentum {momentum}, batches of {batch_size}."""
    training = train(step, momentum, batch_size, epochs)
    drawing = Figure(figsize=(6, 3), layout="constrained")
    axes = drawing.subplots()
    percent = [100 * error for error in training.errors]
    axes.plot(range(1, epochs + 1), percent, marker="o", color=theme.classes[0])
    axes.set(xlabel="epochs done", ylabel="test error (%)", ylim=(0, None))
    axes.set_title(f"step {step}, momentum {momentum}, batches of {batch_size}")
    return drawing


show(errors, step=0.1, momentum=0.0, batch_size=100)

# %% [markdown]
# Batches of 100 make only 13 steps per epoch. Smaller batches make more steps of the same
# size; momentum makes each step count several times.

# %%
show(errors, step=0.1, momentum=0.0, batch_size=20)

# %%
show(errors, step=0.1, momentum=0.9, batch_size=100)

# %% [markdown]
# Now provoke a failure: `step=2.0` with `momentum=0.9`. Does the error stay at about 90 %, as
# bad as guessing, or does `train_epoch` refuse to go on?

# %%
try:
    failed = train(2.0, 0.9, batch_size=20, epochs=3)
    print(f"error after 3 epochs: {failed.errors[-1]:.0%}")
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# ## One digit, by checkpoint
#
# Choose a test image by its number, and see how sure the net is after each of these epochs.
# Every panel loads a checkpoint, as you would after an interrupt.


# %%
def opinions(theme: Theme, number: int) -> Figure:
    """What the net believes of test image {number} after 0, 1, 3 and 10 epochs, as bars."""
    drawing = Figure(figsize=(7, 2.4), layout="constrained")
    first, *panels = drawing.subplots(1, 5)
    first.imshow(test_images[number].numpy(), cmap="gray_r", rasterized=True)
    first.set(xticks=[], yticks=[], title=f"a {test_labels[number]}")
    trained = train(0.1, 0.9, batch_size=100, epochs=10)
    training = fresh(0.1, 0.9, batch_size=100)
    for axes, epoch in zip(panels, (0, 1, 3, 10), strict=True):
        load(training, checkpoint(trained.recipe, epoch))
        shares = _shares(training.model, test_inputs[number : number + 1])
        colors = [theme.classes[0]] * 10
        colors[test_labels[number]] = theme.classes[1]
        axes.barh(range(10), shares, color=colors)
        axes.set(title=f"epoch {epoch}", xlim=(0, 1), yticks=range(10))
        axes.set_xlabel("share")
    panels[0].set_ylabel("digit")
    return drawing


@torch.no_grad()
def _shares(model: nn.Sequential, image: Tensor) -> list[float]:
    return model(image).softmax(dim=1)[0].tolist()


show(opinions, number=5)

# %% [markdown]
# The bar of the truth is orange. Look for images on which the net changes its mind.

# %%
show(opinions, number=9)

# %% [markdown]
# ## What the kernels look for


# %%
def kernels(theme: Theme, epochs: int) -> Figure:
    """The sixteen kernels of 3 by 3 weights after {epochs} epochs, in a diverging color map."""
    training = train(0.1, 0.9, batch_size=100, epochs=epochs)
    weights = training.model[0].weight.detach()[:, 0].numpy()
    limit = abs(weights).max()
    drawing = Figure(figsize=(6, 1.8), layout="constrained")
    for axes, kernel in zip(drawing.subplots(2, 8).flat, weights, strict=True):
        axes.imshow(
            kernel, cmap=theme.diverging, vmin=-limit, vmax=limit, rasterized=True
        )
        axes.set(xticks=[], yticks=[])
    return drawing


show(kernels, epochs=0)

# %% [markdown]
# Before training they are noise. After twenty epochs many have a light and a dark side: they
# look for edges and ends of strokes.

# %%
show(kernels, epochs=20)
