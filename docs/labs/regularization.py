# %% [markdown]
# # Regularization and normalization: what helps against wrong labels?
#
# Chapter: [Regularization and normalization](../chapters/regularization.md).
# Ten networks are trained side by side on 200 digits each. Change a number, and run again.

# %%
import contextlib
import io
import statistics

import torch

from dlbook.figures.regularization import filters, ranking
from dlbook.figures.style import show
from dlbook.regularization import batch_norm, draw_mask, dropout, layer_norm
from dlbook.runs.regularization import (
    WIDTHS,
    Method,
    draw,
    moved_a_little,
    split,
    test_errors,
    train,
)

device, seeds = torch.device("cpu"), range(10)

# %% [markdown]
# ## The table, with your own setting
#
# Which penalty is best with 20 % wrong labels? And with none? Then combine: does dropout add
# anything to augmentation?

# %%
wrong = 20  # % of the training labels: a whole number
methods = {
    "plain": Method(),
    "yours": Method(decay=0.01, drop=0.2, images=moved_a_little),
}
data, errors = split(wrong, seeds, device), {}
for name, method in methods.items():
    networks = draw(WIDTHS, seeds, device)
    with contextlib.redirect_stderr(io.StringIO()):  # without the bar of progress
        train(networks, data.x[0], data.labels[0], method, epochs=30)
    errors[name] = test_errors(networks, data, method)
    middle = statistics.median(errors[name])
    print(f"{name}: {middle:.1f} % [{min(errors[name]):.1f}, {max(errors[name]):.1f}]")
changes = [b - a for a, b in zip(errors["plain"], errors["yours"], strict=True)]
better = sum(change < 0 for change in changes)
print(f"changed by {statistics.median(changes):.1f} points, better in {better} of 10")

# %% [markdown]
# ## The ranking, as a picture
#
# `share` is one of 0, 10, 20, 30 and 40.

# %%
show(ranking, share=40)

# %% [markdown]
# ## Time against penalty
#
# At which curvature do the two filters differ most? Does that place move with `steps`?

# %%
show(filters, steps=500)

# %% [markdown]
# ## Who feels whom?
#
# Change one number of the first sample. Which rows of which result move? Predict first.

# %%
x = torch.tensor([[1.0, 2.0, 6.0], [2.0, 2.0, 2.5], [0.0, 8.0, 1.0], [3.0, 1.0, 1.0]])
changed = x.clone()
changed[0, 0] = 5
one, zero = torch.ones(3), torch.zeros(3)
for norm in (batch_norm, layer_norm):
    moved = (norm(changed, one, zero) - norm(x, one, zero)).abs().amax(dim=1) > 1e-6
    print(f"{norm.__name__}: rows that move {moved.nonzero().flatten().tolist()}")

# %% [markdown]
# ## Two dropouts
#
# Which single probability does the same as these two in a row?

# %%
p, q = 0.3, 0.5
generator = torch.Generator().manual_seed(0)
ones = torch.ones(1_000_000)
once = dropout(ones, draw_mask(ones, p, generator), p)
twice = dropout(once, draw_mask(once, q, generator), q)
print(f"dropped: {(twice == 0).float().mean():.2f}, mean {twice.mean():.2f}")
