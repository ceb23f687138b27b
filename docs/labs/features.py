# %% [markdown]
# # Features: let the plane see more
#
# The classifier stays a plane. You change what it sees. The chapter
# [Features](../chapters/features.md) explains the parts.

# %%
import torch

from dlbook.data import digits
from dlbook.features import (
    draw_pairs,
    fit_logistic,
    hog,
    monomials,
    pair_scores,
    pair_step,
    train_on_pairs,
    with_pixels,
)
from dlbook.figures.features import xor_lift
from dlbook.figures.style import show
from dlbook.perceptron import with_constant

# %% [markdown]
# ## The lift
#
# What does a negative height do? And is a very small one enough for a plane?

# %%
show(xor_lift, height=-1.0)

# %% [markdown]
# ## A border of any degree
#
# The classes lie inside and outside a heart. Which degree begins to see it?

# %%
generator = torch.Generator().manual_seed(0)
points = 3 * torch.rand(2000, 2, generator=generator, dtype=torch.float64) - 1.5
u, v = points.T
inside = (u**2 + v**2 - 1) ** 3 - u**2 * v**3 < 0
signs = torch.where(inside, 1.0, -1.0).double()
for degree in (1, 2, 3, 4, 6):
    x = monomials(points, degree)[:, 1:]  # without the constant, which the bias replaces
    w = fit_logistic(x[:1000], signs[:1000])
    wrong = (x[1000:] @ w[:-1] + w[-1]) * signs[1000:] <= 0
    print(
        f"degree {degree}: {x.shape[1]:2d} features, test error {wrong.double().mean():.3f}"
    )

# %% [markdown]
# ## Products beside the pixels
#
# Change `digit` and `count`. Which digit is hardest to tell from the rest? With a `count` of 0
# only the pixels are left: how much do the products help?

# %%
digit, count = 8, 300
images, labels, test_images, truth = digits.load()
x, z = with_constant(images.flatten(1)), with_constant(test_images.flatten(1))
signs, test_signs = (torch.where(t == digit, 1.0, -1.0) for t in (labels, truth))
for seed in range(3):
    drawn = draw_pairs(64, count, torch.Generator().manual_seed(seed))
    pairs = with_pixels(drawn, 64)
    step = pair_step(x, pairs)
    w, b = train_on_pairs(x, pairs, signs, step, epochs=10, batch=50, seed=seed)
    error = ((pair_scores(z, pairs, w) + b) * test_signs <= 0).double().mean()
    print(f"draw {seed}: test error {error:.3f}")

# %% [markdown]
# ## Edges
#
# How long is the description for other cells and other numbers of bins?

# %%
for cell in (1, 2, 4):
    for bins in (4, 9):
        print(
            f"cell {cell}, {bins} bins: {hog(images[:1], cell, bins).shape[1]} features"
        )
