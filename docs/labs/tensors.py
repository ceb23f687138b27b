# %% [markdown]
# # Tensors: a matrix at work
#
# Chapter: [Tensors](../chapters/tensors.md).
# Change a matrix, multiply, and watch where vectors go.

# %%
import torch

from dlbook.figures import tensors as figures
from dlbook.figures.style import show
from dlbook.tensors import IDIOMS, outcome, power_iteration, solve

show(figures.power, steps=2)

# %% [markdown]
# ## How fast does it turn?
#
# The angle shrinks by the ratio of the two largest eigenvalues. Bring them together
# (0.9 to 2.0, say) and count the steps to one degree.

# %%
second = 1.0
m = torch.tensor([[2.0, 0.0], [0.0, second]])
path = power_iteration(m, torch.tensor([0.1, 1.0]), steps=8)
for step, vector in enumerate(path):
    angle = torch.atan2(vector[1], vector[0]).rad2deg()
    print(f"step {step}: {angle:6.2f} degrees from the eigenvector")

# %% [markdown]
# ## When is an equation nearly unsolvable?
#
# Two rows become more and more alike. The equation is solved each time, but a change of
# one thousandth in y moves the answer farther and farther. How far at `gap = 1e-4`?

# %%
for gap in (1.0, 0.1, 0.01, 0.001):
    m = torch.tensor([[1.0, 1.0], [1.0, 1.0 + gap]], dtype=torch.float64)
    y = torch.tensor([2.0, 2.0 + gap], dtype=torch.float64)
    moved = solve(m, y + torch.tensor([0.0, 0.001], dtype=torch.float64)) - solve(m, y)
    print(f"gap {gap:5}: the answer moves by {moved.norm():.4f}")

# %% [markdown]
# ## Then and now, on your own finds
#
# Add a line from an old tutorial. Does it still run?

# %%
names = {"torch": torch, "m": torch.eye(3), "x": torch.ones(3, 1), "y": torch.ones(3, 1)}
for old in (
    "torch.potrf(m)",
    "torch.ger(x[0], y[0])",
    "torch.btrifact(m)",
    "x.abs().sqrt()",
):
    print(f"{old:24}{outcome(old, names)}")
print(f"the table of the chapter has {len(IDIOMS)} lines")
