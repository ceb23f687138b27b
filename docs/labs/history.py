# %% [markdown]
# # From neural networks to deep learning: train your own T-C network
#
# Chapter: [From neural networks to deep learning](../chapters/history.md).
# Choose how many kinds of hidden units there are, and where training starts.

# %%
import torch

from dlbook.figures.history import shift_tolerance
from dlbook.figures.style import show
from dlbook.history import forward, hebbian_weights, patches_of, tc_images, train_tc

kinds, seed = 2, 0
images, labels = tc_images(6)
in_corner = images[:, 0].any(dim=1) & images[:, :, 0].any(dim=1)
network = train_tc(images[in_corner], labels[in_corner], kinds, steps=3000, seed=seed)
hidden, output = forward(network, patches_of(images))
right = (output > 0.5) == (labels == 1)
print(f"{right.sum()} of {len(right)} right")

# %% [markdown]
# What does each kind of hidden unit look for? A large sum means that it answers often.

# %%
for kind in range(kinds):
    answers = hidden[:, :, kind].sum(dim=1)
    t, c = answers[labels == 1].mean(), answers[labels == 0].mean()
    print(f"kind {kind}: answers to T {t:.2f}, to C {c:.2f}")
    print(network.w[:, kind].reshape(3, 3).round(decimals=1), "\n")

# %% [markdown]
# **Try:** one kind of hidden unit with seeds 0 to 9: which succeed? Then four kinds.
#
# ## How much does a Hebbian memory hold?

# %%
size = 50
generator = torch.Generator().manual_seed(0)
for pairs in (2, 5, 10, 20, 40):
    x, y = torch.randn(2, pairs, size, generator=generator).sign()
    wrong = ((x @ hebbian_weights(x, y).T).sign() != y).float().mean()
    print(f"{pairs:3} pairs in {size} cells: {100 * wrong:5.1f} % of the signs wrong")

# %% [markdown]
# **Try:** double `size`. How many pairs now give the same share of errors?
#
# ## S-cells and C-cells

# %%
show(shift_tolerance)
