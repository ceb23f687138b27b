# %% [markdown]
# # Nearest neighbors: move the border
#
# Change the numbers, run again, and watch the border between the classes. The chapter
# [Nearest neighbors](../chapters/knn.md) explains what you see.

# %%
import torch
from matplotlib.figure import Figure

from dlbook.data.toy import noisy_wave
from dlbook.figures.style import Theme, show
from dlbook.knn import errors_of_every_k, k_nearest_neighbors

# %% [markdown]
# ## The border
#
# `n` is the number of training points, `noise` the share of labels that were turned
# around, and `stretch` multiplies the first coordinate, as a change of its unit would.


# %%
def border(
    theme: Theme, k: int = 5, n: int = 300, noise: float = 0.1, stretch: float = 1.0
) -> Figure:
    """The decision of {k} neighbors among {n} points of a wave, in the unit square.

    {noise} of the labels were turned around; x_1 counts {stretch} times.
    """
    points, labels = noisy_wave(n, noise=noise, seed=0)
    scale = torch.tensor([stretch, 1.0], dtype=torch.float64)
    side = torch.linspace(0, 1, 100, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    decision = k_nearest_neighbors(scale * grid, scale * points, labels, k)
    drawing = Figure(figsize=(4, 3.8), layout="constrained")
    axes = drawing.subplots()
    axes.contourf(
        side,
        side,
        decision.reshape(100, 100).T,
        levels=[-0.5, 0.5, 1.5],
        colors=theme.classes[:2],
        alpha=0.35,
    )
    for label in (0, 1):
        x, y = points[labels == label].T
        marker, color = theme.markers[label], theme.classes[label]
        axes.scatter(x, y, s=12, marker=marker, color=color, linewidth=0)
    axes.set(title=f"K = {k}", xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    return drawing


show(border, k=5, n=300, noise=0.1, stretch=1.0)

# %% [markdown]
# Try `k=1`, then `k=299`. Then put `k` back to 5 and set `stretch` to 0.01: which
# coordinate is now ignored, and how does the border run?

# %%
show(border, k=5, n=300, noise=0.1, stretch=0.01)

# %% [markdown]
# ## The best number of neighbors
#
# How does it move when the labels get noisier, or when there are more points?

# %%
for noise in (0.0, 0.1, 0.3):
    for n in (100, 1000):
        points, labels = noisy_wave(n, noise=noise, seed=0)
        queries, truth = noisy_wave(1000, noise=noise, seed=1)
        errors = errors_of_every_k(queries, truth, points, labels)
        best = int(errors.argmin())
        print(
            f"noise {noise:.1f}, n = {n:4d}: best K = {best + 1:3d}, "
            f"error {errors[best]:.3f}, one neighbor {errors[0]:.3f}"
        )

# %% [markdown]
# Without noise one neighbor, or a few, do best: nobody tells a lie. The noisier the
# labels and the more points there are, the more neighbors should be asked.
