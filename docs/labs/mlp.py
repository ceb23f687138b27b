# %% [markdown]
# # Multi-layer perceptrons: a playground for small networks
#
# Chapter: [Multi-layer perceptrons](../chapters/mlp.md).
# Train a small network on two moons, look at its border, and change one thing at a time.

# %%
import torch
from torch.nn.functional import softplus

from dlbook.data.toy import two_moons
from dlbook.figures.mlp import drawn_border, folding, moons
from dlbook.figures.style import show
from dlbook.gradient_descent import minimize
from dlbook.mlp import count_pieces, draw_layers, forward, parameter_count, tanh

# %%
show(moons, width=3)

# %% [markdown]
# **Try:** 1, 2, 3, 4, 20 hidden units. From how many on does a further unit gain nothing?
#
# ## The same, opened up
#
# This is all that happens behind the picture.

# %%
widths, activation, noise, seed = [2, 4, 4, 1], tanh, 0.15, 0

points, labels = two_moons(n=200, noise=noise, seed=0)
x, signs = points.double(), (2.0 * labels - 1).double()


def as_layers(parameters):
    return list(zip(parameters[::2], parameters[1::2], strict=True))


def loss(parameters):
    scores = forward(x, as_layers(parameters), activation).flatten()
    return softplus(-signs * scores).mean()


start = [values for pair in draw_layers(widths, seed, torch.float64) for values in pair]
trained = minimize(loss, start, step_size=0.05, steps=300)
test_points, test_labels = two_moons(n=2000, noise=noise, seed=99)
scores = forward(test_points.double(), as_layers(trained), activation).flatten()
wrong = ((scores > 0).long() != test_labels).double().mean()
print(f"{parameter_count(as_layers(start))} parameters, loss {loss(trained):.3f}")
print(f"wrong on fresh points: {100 * wrong:.1f} %")

# %% [markdown]
# **Try:** `relu` instead of `tanh`; `lambda s: s` (what border must come out?);
# ten seeds with 2 units: does training always end at the same border?
#
# ## Folding

# %%
show(folding, depth=4)

# %% [markdown]
# ## What random weights look like
#
# **Try:** `(2, 64, 1)`, `(2, 4, 4, 4, 4, 4, 1)`. Which one is the more intricate?

# %%
show(drawn_border, widths=(2, 16, 16, 1), seed=1)

# %%
line = torch.linspace(-3, 3, 5001)[:, None]
for shape in ([1, 64, 1], [1, 16, 16, 16, 16, 1]):
    counts = [count_pieces(line, draw_layers(shape, seed=seed)) for seed in range(10)]
    print(shape, counts)
