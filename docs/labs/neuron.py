# %% [markdown]
# # One neuron: endings to choose
#
# Chapter: [One neuron](../chapters/neuron.md).
# Change an ending, run the cell again, and predict where the border goes.

# %%
import torch

from dlbook import neuron
from dlbook.data import iris
from dlbook.data.toy import two_moons
from dlbook.figures.neuron import features, five_fits
from dlbook.figures.style import show

x, y = iris.load()
x = (x - x.mean(dim=0)) / x.std(dim=0, correction=0)

# %% [markdown]
# ## Shrink until nothing is left
#
# From which `rho` on does the lasso turn off the petal, too? Does ridge ever do so?

# %%
for rho in (0.0, 0.1, 0.2, 0.5, 0.9):
    lasso, _ = neuron.fit(
        x, y, neuron.squared_slope, neuron.absolute_penalty(rho), 0.3, 2000
    )
    ridge, _ = neuron.fit(
        x, y, neuron.squared_slope, neuron.squares_penalty(rho), 0.3, 2000
    )
    shown = [f"{weight:6.3f}" for weight in (*lasso.tolist(), *ridge.tolist())]
    print(f"rho = {rho}: lasso {shown[0]} {shown[1]}, ridge {shown[2]} {shown[3]}")

# %%
show(five_fits)

# %% [markdown]
# ## An ending of your own
#
# Write the slope of a loss of yours along the sum `s`. What does a loss do to the border
# that blames only mistakes, and all of them alike?


# %%
def my_slope(s, y):
    side = 2 * y - 1
    return torch.where(side * s <= 0, -side, torch.zeros_like(y))


w, b = neuron.fit(x, y, my_slope, neuron.squares_penalty(0.01), 1.0, 2000)
wrong = ((neuron.neuron(x, w, b) > 0) != y.bool()).sum()
print(f"weights {w.tolist()}, {wrong} of 100 wrong")

# %% [markdown]
# ## Learn features
#
# How many hidden neurons do the moons need? Try `k` from 1 to 8, and several seeds. Where
# many are wrong, double `steps`: was it stuck, or only on a plateau?

# %%
k, seed, steps = 4, 3, 2000
points, labels = (part.double() for part in two_moons(200, 0.15, seed=0))
network = neuron.train_hidden_layer(points, labels, k, eta=3.0, steps=steps, seed=seed)
_, s = neuron.hidden_layer(points, network)
print(f"{((s > 0) != labels.bool()).sum()} of 200 wrong")

# %%
show(features, steps=2000)
