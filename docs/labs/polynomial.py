# %% [markdown]
# # Polynomials: turn the dial
#
# Chapter: [Polynomials](../chapters/polynomial.md).
# Predict which way the bars move before you run a cell.

# %%
import math

import torch

from dlbook.data.toy import noisy_sine
from dlbook.figures.polynomial import fits, penalties
from dlbook.figures.style import show
from dlbook.polynomial import (
    bias_and_variance,
    evaluate,
    fit_polynomial,
    fit_ridge,
    half_planes,
)

show(fits, degree=4)

# %% [markdown]
# **Try:** degrees 0 to 10. Where do two neighboring degrees have nearly the same bias,
# and why?
#
# ## More data, less noise
#
# The table splits the error of each degree for your own number of points and noise.

# %%
points, noise = 24, 0.3

x, y = noisy_sine(sets=1000, n=points, noise=noise, seed=0)
u = torch.linspace(-1, 1, 201, dtype=torch.float64)
truth = (math.pi * u).sin()
for degree in range(11):
    answers = evaluate(fit_polynomial(x / math.pi, y, degree), u)
    bias, variance = (part.mean().item() for part in bias_and_variance(answers, truth))
    print(f"degree {degree:2}: {bias:.4f} + {variance:.4f} = {bias + variance:.4f}")

# %% [markdown]
# **Try:** 12, 24, 48, 200 points. Which degree wins? Then set the noise to 0.05 and to 1.
# Does the best degree belong to the sine, or to the data?
#
# ## A penalty in place of a degree

# %%
show(penalties, penalty=0.003)

# %%
for penalty in (1e-4, 1e-3, 1e-2, 1e-1):
    answers = evaluate(fit_ridge(x / math.pi, y, 9, penalty), u)
    bias, variance = (part.mean().item() for part in bias_and_variance(answers, truth))
    print(f"penalty {penalty:6}: {bias:.4f} + {variance:.4f} = {bias + variance:.4f}")

# %% [markdown]
# **Try:** more points at the same penalty. Should the best penalty grow with the number
# of points, or shrink? (The sum of squared errors grows with it; a price does not.)
#
# ## How many labelings can a line make?

# %%
generator = torch.Generator().manual_seed(0)
for n in range(1, 9):
    cut = len(half_planes(torch.randn(n, 2, generator=generator)).unique(dim=0))
    print(f"{n} points: {cut:3} of {2**n:3}")

# %% [markdown]
# **Try:** put three points on one line, such as (0, 0), (1, 1) and (2, 2), whose differences
# have no rounding. Which labelings get lost?
