# %% [markdown]
# # Loss and risk: how good is the best of many?
#
# Chapter: [Loss and risk](../chapters/risk.md).
# Candidates toss coins; you keep the one with the best score. Change `candidates`.

# %%
import torch

from dlbook.data import heights
from dlbook.figures.risk import best_of
from dlbook.figures.style import show
from dlbook.risk import (
    best_thresholds,
    confidence_interval,
    exact_interval,
    expected_best,
    margin,
    zero_one_loss,
)

show(best_of, candidates=50)

# %% [markdown]
# **Try:** how many candidates does it take until the mean of the best is 0.35?
# Guess first; the axis is logarithmic.

# %%
for candidates in (10, 100, 1_000, 10_000):
    mean, bound = expected_best(100, candidates, 0.5), 0.5 - margin(100, candidates)
    print(f"{candidates:6}: mean of the best {mean:.3f}, safe bound {bound:.3f}")

# %% [markdown]
# ## Your own threshold
#
# Fix a threshold *before* you look at the heights. What can 24 players tell you about it?

# %%
threshold = 186.0
women, men = heights.load()
labels = torch.tensor([0] * 12 + [1] * 12)
losses = zero_one_loss((torch.cat([women, men]) >= threshold).long(), labels)
low, high = confidence_interval(losses)
print(f"{losses.sum():.0f} mistakes; risk between {low:.2f} and {high:.2f}")
low, high = exact_interval(int(losses.sum()), 24)
print(f"counted exactly: between {low:.2f} and {high:.2f}")

# %% [markdown]
# **Try:** leave one player out, and look for the best threshold again. Does it move?

# %%
for index in range(0, 12, 3):
    rest = torch.cat([women[:index], women[index + 1 :]])
    print(f"without the woman of {women[index]:.0f} cm:", best_thresholds(rest, men))
