# %% [markdown]
# # Initialization: thirty factors
#
# Chapter: [Initialization](../chapters/initialization.md).
# Change a number, run the cell again, and see what arrives.

# %%
import math

import torch

from dlbook.backprop import error_rate, train_epoch
from dlbook.data import digits
from dlbook.figures.initialization import window
from dlbook.figures.style import show
from dlbook.initialization import (
    draw,
    mean_square_map,
    mean_squares,
    rescale,
    variances_over_inputs,
)
from dlbook.mlp import relu, tanh

images, labels, test_images, test_labels = digits.load()
x = images.flatten(1).double()

# %% [markdown]
# ## What arrives?
#
# Set `activation = tanh`, and find from which gain on the size comes to rest instead of dying.
# Does the variance over the inputs stay with it? Then go back to `relu`, and make the layers
# narrow.

# %%
activation, gain, units, depth = relu, math.sqrt(2), 100, 30
generator = torch.Generator().manual_seed(0)
layers = draw([64] + [units] * depth, gain, generator, x.dtype)
sizes = mean_squares(x, layers, activation)
changing = variances_over_inputs(x, layers, activation)
for layer in (0, 1, depth // 2, depth):
    share = 100 * changing[layer] / sizes[layer]
    print(f"layer {layer:2}: mean square {sizes[layer]:.1e}, {share:.1e} % of it changes")

# %% [markdown]
# ## The window, as a picture
#
# `square` is one of 0.5, 1, 1.5, 1.75, 2, 2.25, 2.5, 3 and 4.

# %%
show(window, square=1.5)

# %% [markdown]
# ## A map instead of a network
#
# Where does the map come to rest for tanh with gains from 0.9 to 3? And from which gain on
# does it not go to 0?

# %%
gain = 1.5
q = torch.ones(1, dtype=torch.float64)
for layer in range(1, 31):
    q = mean_square_map(q, gain, tanh)
    if layer in (1, 5, 10, 20, 30):
        print(f"layer {layer:2}: mean square {q.item():.4f}")

# %% [markdown]
# ## Train from it
#
# Find the deepest network that still learns in five epochs, with a gain of your choice. Does
# `rescale` take you deeper?

# %%
gain, units, depth, eta = math.sqrt(2), 64, 8, 0.05
generator = torch.Generator().manual_seed(0)
hidden = draw([64] + [units] * depth, gain, generator, torch.float32)
hidden = rescale(images.flatten(1)[:200], hidden, relu)  # try it without this line
network = hidden + draw([units, 10], 1.0, generator, torch.float32)
for epoch in range(1, 6):
    train_epoch(network, images.flatten(1), labels, eta, 50, generator)
    error = error_rate(network, test_images.flatten(1), test_labels)
    print(f"epoch {epoch}: {100 * error:4.1f} % of the test digits wrong")
