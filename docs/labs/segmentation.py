# %% [markdown]
# # Segmentation and detection: where are the digits?
#
# Chapter: [Segmentation and detection](../chapters/segmentation.md).
# Change a number, run the cell again, and see what it does to pixels and frames.

# %%
import torch

from dlbook.data import digits
from dlbook.figures.segmentation import copies as picture
from dlbook.figures.style import show
from dlbook.runs.segmentation import held_out, ink_found, ink_network
from dlbook.segmentation import (
    boxes_of,
    components,
    compose,
    draw_glyph,
    suppress,
    transposed_side,
)

# %% [markdown]
# ## With and without skips
#
# How many steps does the network without skips need to reach the rim of the one with skips?
# Does it ever?

# %%
skips, steps = True, 60
network, losses = ink_network(0, skips, steps, torch.device("cpu"))
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f} nats")
for name, value in ink_found(network, held_out()).items():
    print(f"{name}: {value:.2f} %")

# %% [markdown]
# ## The checkerboard
#
# Which kernels between 2 and 6 are even in the middle? Predict, then look.

# %%
show(picture, kernel=5)
print("6 pixels become", transposed_side(6, kernel=5, stride=2))

# %% [markdown]
# ## Two that touch
#
# At which gap do the two digits become one piece? Take other digits: numbers up to 499.

# %%
first, second, gap = 3, 8, 0
images = digits.load()[2]
generator = torch.Generator().manual_seed(0)
left, right = (draw_glyph(images[number], generator) for number in (first, second))
sheet, owners = compose([left, right], [(6, 1), (6, 1 + left.shape[1] + gap)], 24)
pieces = components(owners > 0)
print(len(boxes_of(owners)), "digits,", int(pieces.max()), "pieces")

# %% [markdown]
# ## One frame of many
#
# The first two frames show one object, the last another. Which `tau` keeps two of them? What
# happens at 0.9, and what if the third moves nearer?

# %%
tau = 0.5
frames = torch.tensor([[0.0, 0, 8, 10], [1, 0, 9, 10], [6, 0, 14, 10]])
print("kept:", suppress(frames, torch.tensor([0.9, 0.8, 0.7]), tau).tolist())
