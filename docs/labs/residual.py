# %% [markdown]
# # Residual networks: how deep does it go?
#
# Chapter: [Residual networks](../chapters/residual.md).
# Change a number, run the cell again, and see what a shortcut does.

# %%
import contextlib
import io
import math

import torch

from dlbook.figures.residual import shortcut as picture
from dlbook.figures.style import show
from dlbook.residual import (
    bottleneck,
    count_parameters,
    forward_in_front,
    padding_where_needed,
    residual_network,
    shares_by_length,
    start_at_nothing,
)
from dlbook.runs.residual import trained_at

# %% [markdown]
# ## Train it
#
# Find the depth at which the plain network (`shortcut = 0`) misreads a tenth of its training
# digits, and the same for `shortcut = 1`. Is there a value above or below 1 that is better?

# %%
depth, shortcut = 10, 1.0
with contextlib.redirect_stderr(io.StringIO()):  # without the bar of progress
    found = trained_at(depth, shortcut, "yours", torch.device("cpu"))
for kind in ("fitted", "error"):
    claim = found[f"{kind}_yours"]
    least, largest = claim.spread["least"], claim.spread["largest"]
    print(f"{kind}: {claim.value:.1f} % [{least:.1f}, {largest:.1f}], five seeds")

# %% [markdown]
# ## The same as a picture
#
# `alpha` is one of 0, 0.25, 0.5, 0.75 and 1.

# %%
show(picture, alpha=0.75)

# %% [markdown]
# ## Does the sum stay of one size?
#
# Blocks in front form double the mean square each. Find a number `shrink` that keeps it below
# 3 for any depth. Is `shrink = 1 / math.sqrt(depth)` enough?

# %%
depth, shrink = 30, 1.0
generator = torch.Generator().manual_seed(0)
x = torch.randn(50, 40, generator=generator, dtype=torch.float64)
blocks = []
for w1, w2 in start_at_nothing(40, 40, depth, generator, x.dtype):
    drawn = torch.randn(w2.shape, generator=generator, dtype=x.dtype)
    blocks.append((w1, shrink * math.sqrt(2 / 40) * drawn))
size = forward_in_front(x, blocks).square().mean() / x.square().mean()
print(f"behind {depth} blocks the mean square is {size:.3g} times as large")

# %% [markdown]
# ## Which paths carry the gradient?
#
# Predict the commonest length for 54 blocks, then let each block pass on a tenth only.

# %%
shares = shares_by_length(54, 0.5)
print(f"most is carried by paths through {shares.argmax().item()} blocks")

# %% [markdown]
# ## Count
#
# How deep must a network of the paper be to have more than ten million parameters? How many
# channels may a bottleneck have for a hundred thousand?

# %%
print(f"{count_parameters(residual_network(20, padding_where_needed)):,}")
print(f"{count_parameters(bottleneck(256, 64)):,}")
