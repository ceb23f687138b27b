# %% [markdown]
# # Convolution: slide a kernel
#
# Chapter: [Convolution](../chapters/convolution.md).
# Choose a kernel, a stride, a padding and a dilation. Predict the response, then look.

# %%
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from dlbook.convolution import convolve, max_pool, output_side, receptive_field, shift
from dlbook.data import digits
from dlbook.figures.style import Theme, show

images, labels, *_ = digits.load()
SIDE = 20  # pixels: a digit of 16 x 16 with 2 pixels of ground around it


def digit(number: int) -> Tensor:
    """Enlarge training image `number` to (1, 1, 20, 20) floats."""
    enlarged = interpolate(images[number][None, None], size=16, mode="bilinear")
    return pad(enlarged, (2,) * 4)


KERNELS = {
    "vertical edges": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "horizontal edges": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "blur": [[1 / 9] * 3] * 3,
    "spots": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "yours": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
}

# %% [markdown]
# ## The kernel
#
# Each number of the response is one place of the window: purple where the digit agrees
# with the kernel, orange where it says the opposite. Try every kernel in `KERNELS`. What
# does the one called "yours" do? Change one of its numbers, then all.


# %%
def spread(kernel: Tensor, dilation: int) -> Tensor:
    """Put dilation - 1 rows and columns of zeros between the numbers of a kernel."""
    rows, columns = kernel.shape
    wide = kernel.new_zeros((rows - 1) * dilation + 1, (columns - 1) * dilation + 1)
    wide[::dilation, ::dilation] = kernel
    return wide


def response(
    theme: Theme,
    kernel: str = "vertical edges",
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    number: int = 3,
) -> Figure:
    """Training digit {number}, the kernel for {kernel}, and the map of its responses.

    The window moves by {stride}, {padding} zeros surround the digit, and the numbers of
    the kernel lie {dilation} pixels apart.
    """
    image, zero = digit(number), torch.zeros(1)
    window = spread(torch.tensor(KERNELS[kernel], dtype=torch.float32), dilation)
    output = convolve(image, window[None, None], zero, stride, padding)
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    panels = drawing.subplots(1, 3, width_ratios=(4, 2, 4))
    tables = {f"a {labels[number]}": image[0, 0], kernel: window, "map": output[0, 0]}
    for axes, (title, table) in zip(panels, tables.items(), strict=True):
        limit = table.abs().max().item()
        scale = {"cmap": theme.diverging, "vmin": -limit, "vmax": limit}
        if axes is panels[0]:
            scale = {"cmap": "gray_r"}
        axes.imshow(table.numpy(), rasterized=True, **scale)
        axes.set(xticks=[], yticks=[], title=title)
        axes.set_xlabel(f"{table.shape[0]} x {table.shape[1]}")
    return drawing


show(response, kernel="vertical edges")

# %%
show(response, kernel="horizontal edges", number=7)

# %% [markdown]
# ## Stride, padding, dilation
#
# *Dilation* pulls the numbers of a kernel apart and leaves zeros between them: a kernel of
# 3 by 3 with dilation 2 looks at 5 by 5 pixels and still has nine weights. Before you run
# the cell, work out the side of the map: the kernel counts with its zeros.

# %%
show(response, kernel="vertical edges", stride=2, padding=1, dilation=2)

# %% [markdown]
# The library has an argument for each of the three. Are the results equal, whatever you
# choose?

# %%
kernel = torch.tensor(KERNELS["vertical edges"], dtype=torch.float32)[None, None]
for stride, padding, dilation in ((1, 0, 1), (1, 1, 1), (2, 1, 1), (1, 2, 2), (3, 4, 4)):
    window = spread(kernel[0, 0], dilation)[None, None]
    ours = convolve(digit(3), window, torch.zeros(1), stride, padding)
    library = conv2d(digit(3), kernel, None, stride, padding, dilation)
    side = output_side(SIDE, window.shape[2], stride, padding)
    print(
        f"stride {stride}, padding {padding}, dilation {dilation}: side {side:2d}, "
        f"equal {torch.allclose(ours, library, atol=1e-5)}"
    )

# %% [markdown]
# Which padding keeps the side at 20 for stride 1 and a kernel of 3? Of 5? Of 3 with
# dilation 4?
#
# ## What is left of the law
#
# Move the digit to the right and look for a move of the map that makes the two equal. With
# stride 1 there always is one. When is there one with stride 2, and with pooling?

# %%
wide = pad(digit(3), (6,) * 4)


def moves(before: Tensor, after: Tensor) -> str:
    """Say by how many columns the map `before` must move to become `after`."""
    found = [by for by in range(5) if torch.allclose(shift(before, 0, by), after)]
    return f"moves by {found[0]}" if found else "another map"


for right in (1, 2, 3, 4):
    maps = [convolve(x, kernel, torch.zeros(1)) for x in (wide, shift(wide, 0, right))]
    strided = [x[:, :, ::2, ::2] for x in maps]
    pooled = [max_pool(x, 2) for x in maps]
    print(
        f"digit moved by {right}: stride 1 {moves(*maps)}, "
        f"stride 2 {moves(*strided)}, pooled {moves(*pooled)}"
    )

# %% [markdown]
# ## Design what one number sees
#
# Each pair is the kernel side and the stride of a layer. Let one number of the last layer
# see all 28 pixels of an MNIST image with as few weights per pair of maps as you can.
# (Pooling has a side and a stride, too, and no weights: enter it in `pools`.)

# %%
layers = [(5, 1), (3, 3), (5, 1), (2, 2)]
pools = {1, 3}  # the places of the poolings in the list
side = 28
for place, (kernel_side, stride) in enumerate(layers):
    side = output_side(side, kernel_side, stride)
    sees, jump = receptive_field(layers[: place + 1])
    print(f"layer {place}: map {side:2d}, one number sees {sees:2d}, moves by {jump}")
weights = sum(k * k for place, (k, _) in enumerate(layers) if place not in pools)
print(f"{weights} weights")

# %% [markdown]
# ## A piece of a digit as a kernel
#
# Cut a window out of one digit, subtract its mean, so that plain ink earns nothing, and
# look where it answers most in others. Here it is the place where the pen begins a 3. Does
# it find where other digits begin? Change `number`, then cut another piece.

# %%
top, left, size = 2, 4, 6
piece = digit(3)[0, 0, top : top + size, left : left + size]
KERNELS["yours"] = (piece - piece.mean()).tolist()
show(response, kernel="yours", number=13)
