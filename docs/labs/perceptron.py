# %% [markdown]
# # The perceptron: mistakes, counted
#
# Chapter: [The perceptron](../chapters/perceptron.md).
# Change a number, run the cell again, and see how many mistakes it takes to learn.

# %%
import torch

from dlbook.data import separable
from dlbook.figures.perceptron import updates
from dlbook.figures.style import show
from dlbook.perceptron import average_weights, train_by_blocks, update_bound

# %% [markdown]
# ## Step through the updates
#
# `step` runs from 0 to 6. Which update moves the line most, and why an early one?

# %%
show(updates, step=3)

# %% [markdown]
# ## The gap
#
# Halve `gap` a few times. The bound grows fourfold each time. What does the count do?
# Then raise `dimension` to 100: does the bound notice?

# %%
gap, dimension = 0.1, 2
for seed in range(5):
    points, labels, normal = separable.draw(1000, dimension, gap, seed)
    _, steps = train_by_blocks(points, labels, epochs=10_000)
    print(f"{len(steps):4} updates of {update_bound(points, labels, normal)} allowed")

# %% [markdown]
# ## The order
#
# The same examples, in other orders. Then sort them by difficulty, the hardest first:
# `order = (labels * (points @ normal)).argsort()`. Is that a good or a bad teacher?

# %%
for seed in range(5):
    order = torch.randperm(1000, generator=torch.Generator().manual_seed(seed))
    weights, steps = train_by_blocks(points[order], labels[order], epochs=10_000)
    cosine = (weights @ normal / weights.norm()).item()
    print(f"{len(steps):4} updates, cosine to the true normal {cosine:.4f}")

# %% [markdown]
# ## A single liar
#
# Turn one label around. Now no line separates the examples: how many updates are made in
# 100 epochs, and how many mistakes are left? Try other examples for `liar`.

# %%
liar = 0
flipped = labels.clone()
flipped[liar] *= -1
weights, steps = train_by_blocks(points, flipped, epochs=100)
mistakes = int((flipped * (points @ weights) <= 0).sum())
print(f"{len(steps)} updates, {mistakes} mistakes left")

# %% [markdown]
# ## The average
#
# With 100 labels turned around, compare the last weights with the average over all steps: which
# one is nearer to the true normal? Change the number of `epochs`.

# %%
epochs = 10
noisy = labels.clone()
noisy[:100] *= -1
order = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
last, steps = train_by_blocks(points[order], noisy[order], epochs)
mean = average_weights(points[order], noisy[order], steps, epochs)
for name, w in (("last", last), ("average", mean)):
    print(f"{name:8}cosine to the true normal {(w @ normal / w.norm()).item():.4f}")
