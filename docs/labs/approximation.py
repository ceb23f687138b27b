# %% [markdown]
# # Universal approximation: order an error
#
# Chapter: [Universal approximation](../chapters/approximation.md).
# Choose a function and a tolerance, and let the construction deliver.

# %%
import torch

from dlbook.approximation import (
    evaluate,
    grid,
    log_log_slope,
    network_of,
    relu_interpolation,
    waves_within,
)
from dlbook.figures.approximation import bricks, cosines, interpolation, square
from dlbook.figures.style import show

# %%
show(bricks)

# %%
show(interpolation, pieces=16)

# %% [markdown]
# ## Your own curve
#
# **Try:** `torch.exp`, `lambda x: (3 * x).round()`, `lambda x: (x - 1).abs() ** 1.5`.
# Guess the slope first.


# %%
def psi(x):
    return torch.sin(5 * x) / (1 + x)


x = torch.linspace(0, 3, 20_001, dtype=torch.float64)
sizes, errors = [8, 16, 32, 64, 128, 256], []
for pieces in sizes:
    network = relu_interpolation(
        psi, torch.linspace(0, 3, pieces + 1, dtype=torch.float64)
    )
    errors.append((evaluate(x[:, None], network) - psi(x)).abs().max().item())
    print(f"{pieces:4} pieces: error {errors[-1]:.6f}")
print(f"slope {log_log_slope(torch.tensor(sizes), torch.tensor(errors)):.2f}")

# %% [markdown]
# ## Waves

# %%
show(cosines, degree=5)

# %% [markdown]
# ## A hill to order
#
# **Try:** a steeper hill (30 instead of 10), a smaller tolerance, another place. What
# happens to the number of units when the hill touches the border of the square?

# %%
steepness, place, tolerance = 10, 0.4, 0.2


def hill(x):
    return torch.exp(-steepness * (x - place).square().sum(dim=1))


waves = waves_within(hill, dimensions=2, delta=tolerance / 2)
network = network_of(waves, tolerance / 2)
points = grid(2, 51)
error = (evaluate(points, network) - hill(points)).abs().max()
print(f"{len(waves.phases)} waves, {len(network[0][1])} units, error {error:.3f}")

# %%
show(square)
