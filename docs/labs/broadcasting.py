# %% [markdown]
# # Broadcasting: which axis expands?
#
# Chapter: [Broadcasting](../chapters/broadcasting.md).
# Change the two shapes, run the cell, and predict the picture before you see it.

# %%
import torch

from dlbook.broadcasting import explain, tell
from dlbook.figures.broadcasting import aligned_shapes
from dlbook.figures.style import show

first, second = (16, 3, 32, 32), (3, 1, 1)
print(tell(explain(first, second)))

# %%
show(aligned_shapes, first=first, second=second)

# %% [markdown]
# **Try:** drop the two ones of the second shape. Which axis fails? Put a one in front
# instead of behind: does it help?

# %%
show(aligned_shapes, first=(16, 3, 32, 32), second=(3,))

# %% [markdown]
# ## The bug, at your own size
#
# Predictions are a column, targets a vector, and every prediction is right.
# The loss should be zero. How does it depend on the spread of the targets?

# %%
for spread in (1.0, 10.0, 100.0):
    targets = torch.randn(500, generator=torch.Generator().manual_seed(0)) * spread
    broken = (targets[:, None] - targets).square().mean()
    variance = targets.var(correction=0)
    print(f"spread {spread:5.0f}: loss {broken:9.1f} = 2 x variance {variance:9.1f}")

# %% [markdown]
# **Try:** shift all predictions by 3. By how much does the broken loss grow, and why?
