# %% [markdown]
# # Views: one storage, many tensors
#
# Chapter: [Views](../chapters/views.md).
# Write a view, predict its stride and offset, then run the cell and look.

# %%
import torch

from dlbook.data import photographs
from dlbook.figures.style import show
from dlbook.figures.views import cells
from dlbook.views import addresses, cut, grid, layout, shares_storage, silence

x = torch.arange(12).view(3, 4)
view = x[:, 1::2].t()
print(layout(view))
print(addresses(view))
show(cells, view=view, name="x[:, 1::2].t()")

# %% [markdown]
# **Try:** `x[1]`, `x[1:2]`, `x.diagonal()`, `x.view(2, 2, 3).transpose(0, 2)`. Which of them
# drops a dimension, and what happens to its stride?

# %%
show(cells, view=x.diagonal(), name="x.diagonal()")

# %% [markdown]
# ## Windows without copying
#
# Five windows of length three lie on seven numbers. Change the strides: what does (2, 1)
# give, and what does (0, 1)?

# %%
windows = torch.arange(7).as_strided((5, 3), (1, 1))
show(cells, view=windows, name="as_strided((5, 3), (1, 1))")

# %% [markdown]
# ## View or copy?
#
# Guess first. Then add operations of your own to the list.

# %%
for name, result in {
    "x.reshape(4, 3)": x.reshape(4, 3),
    "x.t().reshape(12)": x.t().reshape(12),
    "x.t().contiguous()": x.t().contiguous(),
    "x.contiguous()": x.contiguous(),
    "x.float()": x.float(),
    "x.long()": x.long(),
    "x.flatten()": x.flatten(),
    "x.flip(0)": x.flip(0),
}.items():
    print(f"{name:20}{'view' if shares_storage(x, result) else 'copy'}")

# %% [markdown]
# ## A photograph, cut and shuffled
#
# The tiles are images of a batch. Shuffle the batch, silence a channel, glue it again.

# %%
flower = photographs.load()[1, :, :384:3, :576:3]
tiles = cut(flower, size=32)
order = torch.randperm(len(tiles), generator=torch.Generator().manual_seed(0))
shuffled = grid(silence(tiles[order], [2]), rows=4)
print("shuffled:", tuple(shuffled.shape), "same pixels in red:", end=" ")
print(torch.equal(shuffled[0].flatten().sort().values, flower[0].flatten().sort().values))

# %%
restored = torch.empty_like(tiles)
restored[order] = cut(shuffled, size=32)
print("red restored:", torch.equal(grid(restored, rows=4)[0], flower[0]))
