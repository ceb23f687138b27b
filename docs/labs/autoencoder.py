# %% [markdown]
# # Autoencoders: what gets through?
#
# Chapter: [Autoencoders](../chapters/autoencoder.md).
# Change a number, run the cell again, and see what is lost.

# %%
import contextlib
import io

import torch

from dlbook.autoencoder import (
    add_noise,
    alternate,
    angle_between,
    decode,
    denoise_exactly,
    denoise_linear,
    encode,
    principal_components,
    reconstruct,
    reconstruction_error,
)
from dlbook.figures.autoencoder import arrows, plane
from dlbook.figures.style import show
from dlbook.runs.autoencoder import lost, per_pixel, tables, trained

training, test, labels, test_labels = tables(torch.device("cpu"))
parts = principal_components(training)

# %% [markdown]
# ## Lose a tenth
#
# How many components keep nine tenths of the variance of the digits? Predict, then try `k`.

# %%
k = 8
kept = (parts.variances[:k].sum() / parts.variances.sum()).item()
print(f"{k} components keep {100 * kept:.1f} % on training digits")
print(f"and lose {lost(test, parts, k):.3f} of a test digit")

# %% [markdown]
# ## Two directions that are nearly alike
#
# With 8 numbers the space is found slowly, since the variances 8 and 9 are close. For which
# `k` below 12 should it be found fastest? Look at the variances first.

# %%
k, rounds = 8, 20
x = (training - parts.mean).double()
network = alternate(x, k, rounds, torch.Generator().manual_seed(0))
angle = angle_between(network.decoder, parts.directions[:k].T.double())
print("variances:", [round(v, 3) for v in parts.variances[:13].tolist()])
print(f"loss {reconstruction_error(x, reconstruct(x, network)):.4f}, angle {angle:.3f}")

# %% [markdown]
# ## Train it
#
# Find the smallest code with which 500 steps of the network beat 16 components.

# %%
k, steps = 4, 500
with contextlib.redirect_stderr(io.StringIO()):  # without the bar of progress
    (network,) = trained(training, k, [0], steps)
error = reconstruction_error(test, decode(encode(test, network), network))
print(f"{k} numbers lose {error:.3f}, 16 components {lost(test, parts, 16):.3f}")

# %% [markdown]
# ## Walk across the map
#
# `at` goes from 1 to 9. Where is the decoded image farthest from every training digit?

# %%
show(plane, at=5)

# %% [markdown]
# ## Remove noise
#
# For which `sigma` are the linear map and the exact mean over training digits equally good
# on test digits? Then tell both a wrong `sigma`, and see which of them minds more.

# %%
sigma, told = 0.3, 0.3
noisy = add_noise(test, sigma, torch.Generator().manual_seed(0))
print(f"linear {per_pixel(test, denoise_linear(noisy, parts, told)):.4f}")
print(f"exact  {per_pixel(test, denoise_exactly(noisy, training, told)):.4f}")

# %% [markdown]
# ## Where does it lead?

# %%
show(arrows, sigma=0.4)
