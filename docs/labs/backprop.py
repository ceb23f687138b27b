# %% [markdown]
# # Back-propagation: blame, step by step
#
# Chapter: [Back-propagation](../chapters/backprop.md).
# Change a number, run the cell again, and see what the gradient does.

# %%
import torch

from dlbook import backprop
from dlbook.data import digits
from dlbook.engine import Number, backward, tanh
from dlbook.figures.backprop import graph
from dlbook.figures.style import show
from dlbook.mlp import draw_layers, forward, relu, relu_derivative

# %% [markdown]
# ## A neuron of your own
#
# The gradient of an input says how fast the loss grows with it. Make `b` so large that
# $\tanh$ is flat: what happens to all gradients before it?

# %%
b = 0.3
w1, w2, bias = Number(1.0, "w1"), Number(-0.5, "w2"), Number(b, "b")
loss = (tanh(w1 * 2 + w2 * 3 + bias) - 1) ** 2
backward(loss)
for number in (w1, w2, bias):
    print(f"{number.operation}: {number}")
print(f"loss: {loss.value:.4f}")

# %% [markdown]
# ## The walk, as a picture
#
# `step` runs from 0 to 13. Up to 6 the values travel forward; from 7 on the gradients
# travel back.

# %%
show(graph, step=9)

# %% [markdown]
# ## Check a gradient, and break it
#
# Nothing is wrong below, and yet the second layer seems to be. The smallest sum of that
# layer says why: it lies so close to the kink of the rectifier that a move by `h` crosses
# it. Choose `h = 1e-6`. Then replace `relu_derivative` by `torch.ones_like`: which layers
# are off now, and what does that tell about the place of the mistake?

# %%
h = 1e-5
layers = draw_layers([5, 6, 6, 3], seed=0, dtype=torch.float64)
x = torch.randn(8, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
labels = torch.arange(8) % 3
entered, sums = backprop.trace(x, layers, relu)
along_scores = backprop.cross_entropy_gradient(sums[-1], labels)
gradients = backprop.backward(layers, entered, sums, along_scores, relu_derivative)


def loss_now():
    return backprop.cross_entropy(forward(x, layers, relu), labels)


for number, ((w, _), (slope, _)) in enumerate(zip(layers, gradients, strict=True), 1):
    off = (slope - backprop.finite_differences(loss_now, w, h)).abs().max()
    nearest = sums[number - 1].abs().min()
    print(f"layer {number}: off by {off:.0e}, smallest sum {nearest:.0e}")

# %% [markdown]
# ## Train without `backward()`
#
# Try `eta` from 0.01 to 5, and 2 to 200 hidden units. Where does training break down?

# %%
hidden, eta = 32, 0.5
images, labels, test_images, test_labels = digits.load()
layers = draw_layers([64, hidden, 10], seed=0)
generator = torch.Generator().manual_seed(0)
for epoch in range(1, 11):
    backprop.train_epoch(layers, images.flatten(1), labels, eta, 100, generator)
    error = backprop.error_rate(layers, test_images.flatten(1), test_labels)
    print(f"epoch {epoch:2d}: {100 * error:4.1f} % of the test digits wrong")
