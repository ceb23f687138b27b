"""Residual networks: layers that learn a change, beside a way that hands on the input.

Sources: K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition",
CVPR 2016, arXiv:1512.03385; activations in front: the same, ECCV 2016, arXiv:1603.05027; paths:
A. Veit, M. Wilber and S. Belongie, 2016, arXiv:1605.06431; side by side: C. Szegedy et al.,
"Going deeper with convolutions", CVPR 2015, arXiv:1409.4842.
"""

import math
from collections.abc import Callable
from functools import partial
from itertools import combinations

import torch
from torch import Generator, Tensor, nn

from dlbook.contract import (
    require_above_zero,
    require_between,
    require_count,
    require_finite,
    require_same_dtype,
    require_table,
    require_wide,
)

Block = tuple[Tensor, Tensor]  # the weights w1 (inner, d) and w2 (d, inner)


def change(x: Tensor, block: Block) -> Tensor:
    """Compute what a block adds: F(x) = w2 relu(w1 x), without biases.

    Args:
        x: (n, d) float32 or float64, one sample per row.
        block: w1 (inner, d) and w2 (d, inner), floats like x.

    Returns:
        (n, d) floats.

    Raises:
        TypeError: x or a weight holds other numbers, or the dtypes differ.
        ValueError: two shapes do not fit, or a number is not finite.
    """
    _require_block(x, block)
    w1, w2 = block
    return (x @ w1.T).relu() @ w2.T


def forward(x: Tensor, blocks: list[Block], shortcut: float = 1) -> Tensor:
    """Go through blocks with activations behind the sum, as in the first paper.

    Args:
        x: (n, d) float32 or float64, one sample per row.
        blocks: weights, first block first; none hands x on.
        shortcut: what the input of each block is multiplied by before it is added; 0 makes
            the network plain.

    Returns:
        (n, d) floats.

    Raises:
        TypeError, ValueError: as in `change`; or shortcut lies outside -1..1.
    """
    require_table(x, "x")
    require_between(shortcut, -1, 1, "shortcut")
    for block in blocks:
        x = (shortcut * x + change(x, block)).relu()
    return x


def forward_in_front(x: Tensor, blocks: list[Block]) -> Tensor:
    """Go through blocks with activations in front: the way of the input is a pure sum.

    Args:
        x: (n, d) float32 or float64, one sample per row.
        blocks: weights, first block first; none hands x on.

    Returns:
        (n, d) floats: x, plus what each block adds.

    Raises:
        TypeError, ValueError: as in `change`.
    """
    require_table(x, "x")
    for block in blocks:
        x = x + change(x.relu(), block)
    return x


def start_at_nothing(
    width: int, inner: int, depth: int, generator: Generator, dtype: torch.dtype
) -> list[Block]:
    """Draw blocks that add nothing yet: w1 with the gain of rectifiers, w2 of zeros.

    Args:
        width: d, at least 1.
        inner: units between w1 and w2, at least 1.
        depth: how many blocks, at least 0.
        generator: draws w1, on the CPU.
        dtype: float32 or float64.

    Returns:
        one pair of weights for each block.

    Raises:
        TypeError: dtype is another type, or a number is not whole.
        ValueError: a number is too small.
    """
    require_count(width, 1, "width")
    require_count(inner, 1, "inner")
    require_count(depth, 0, "depth")
    require_wide(torch.empty(0, dtype=dtype), "weights")
    root = math.sqrt(2 / width)
    return [
        (
            root * torch.randn(inner, width, generator=generator, dtype=dtype),
            torch.zeros(width, inner, dtype=dtype),
        )
        for _ in range(depth)
    ]


def sum_over_paths(matrices: list[Tensor]) -> Tensor:
    """Add up the products along all paths through linear blocks I + W.

    Args:
        matrices: W of each block, all (d, d) floats, first block first, at most 16 of them.

    Returns:
        (d, d) floats: the sum over all subsets of the blocks of the product of their W; the
        empty subset gives the identity.

    Raises:
        TypeError: a matrix holds no floats, or the dtypes differ.
        ValueError: there is no matrix or more than 16, one is not square or not finite, or
            the sizes differ.
    """
    require_between(len(matrices), 1, 16, "number of matrices")
    for w in matrices:
        require_table(w, "matrix", len(matrices[0]))
        require_same_dtype(w, matrices[0], "matrices")
        if w.shape != (len(w), len(w)):
            raise ValueError(f"matrices must be square, got {tuple(w.shape)}")
    total = torch.zeros_like(matrices[0])
    for length in range(len(matrices) + 1):
        for chosen in combinations(matrices, length):
            path = torch.eye(len(total), dtype=total.dtype, device=total.device)
            for w in chosen:
                path = w @ path
            total = total + path
    return total


def shares_by_length(blocks: int, factor: float) -> Tensor:
    """Tell what the paths of each length carry, if each block on a path passes on a part.

    Args:
        blocks: how many there are, at least 1.
        factor: what a block multiplies by, above 0; 1 counts the paths.

    Returns:
        (blocks + 1,) float64, one for each length from 0 to blocks: their number times
        factor**length, as a share of the sum over all lengths.

    Raises:
        TypeError: blocks is no whole number.
        ValueError: a number is too small.
    """
    require_count(blocks, 1, "blocks")
    require_above_zero(factor, "factor")
    carried = [math.comb(blocks, k) * factor**k for k in range(blocks + 1)]
    return torch.tensor(carried, dtype=torch.float64) / (1 + factor) ** blocks


def subsample_and_pad(images: Tensor, channels: int) -> Tensor:
    """Fit the input of a block to its output without a parameter: shortcut A.

    Args:
        images: (n, c, h, w) floats.
        channels: how many there must be, at least c.

    Returns:
        (n, channels, h', w') floats: every second pixel of each row and column, the first one
        included, and channels of zeros behind those of the images.

    Raises:
        TypeError: the images are no floats, or channels is no whole number.
        ValueError: images have another number of axes, are empty or not finite, or channels
            is below c.
    """
    if images.ndim != 4:
        raise ValueError(f"images must be (n, c, h, w), got {tuple(images.shape)}")
    require_finite(images, "images")
    require_count(channels, images.shape[1], "channels")
    halved = images[:, :, ::2, ::2]
    zeros = halved.new_zeros(len(halved), channels - halved.shape[1], *halved.shape[2:])
    return torch.cat([halved, zeros], dim=1)


class ConvolutionalBlock(nn.Module):
    """Two convolutions with norms, and the input beside them.

    Attributes:
        change: what is learned, F of the text.
        shortcut: makes the input fit what F gives; the identity where it fits already.
    """

    def __init__(
        self, inputs: int, outputs: int, shortcut: nn.Module | Callable[[Tensor], Tensor]
    ) -> None:
        """Build F with 3 x 3 kernels; where channels are added, it halves the sides.

        Args:
            inputs: channels that come in, at least 1.
            outputs: channels that go out, at least inputs.
            shortcut: a module, or a function of the images.

        Raises:
            TypeError: a number is not whole.
            ValueError: a number is too small.
        """
        require_count(inputs, 1, "inputs")
        require_count(outputs, inputs, "outputs")
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.change = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = shortcut

    def forward(self, images: Tensor) -> Tensor:
        """Add what was learned to what came in.

        Args:
            images: (n, inputs, h, w) floats.

        Returns:
            (n, outputs, h, w) floats, or half the sides where channels were added.
        """
        return (self.shortcut(images) + self.change(images)).relu()


def projection(inputs: int, outputs: int) -> nn.Sequential:
    """Build shortcut C: one weight for each pair of channels, and a norm.

    Args:
        inputs: channels that come in, at least 1.
        outputs: channels that go out, at least inputs; where they are more, the sides are
            halved.

    Returns:
        a 1 x 1 convolution without biases, and a batch normalization.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is too small.
    """
    require_count(inputs, 1, "inputs")
    require_count(outputs, inputs, "outputs")
    stride = 1 if inputs == outputs else 2
    convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


def projection_where_needed(inputs: int, outputs: int) -> nn.Module:
    """Build shortcut B: a projection where channels are added, else nothing.

    Args:
        inputs: channels that come in, at least 1.
        outputs: channels that go out, at least inputs.

    Returns:
        the projection, or the identity.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is too small.
    """
    fitting = projection(inputs, outputs)
    return nn.Identity() if inputs == outputs else fitting


def padding_where_needed(
    inputs: int, outputs: int
) -> nn.Module | Callable[[Tensor], Tensor]:
    """Build shortcut A: zeros for the channels that are added, else nothing.

    Args:
        inputs: channels that come in, at least 1.
        outputs: channels that go out, at least inputs.

    Returns:
        a function of the images, or the identity.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is too small.
    """
    require_count(inputs, 1, "inputs")
    require_count(outputs, inputs, "outputs")
    if inputs == outputs:
        return nn.Identity()
    return partial(subsample_and_pad, channels=outputs)


def residual_network(
    n: int, shortcut: Callable[[int, int], nn.Module | Callable[[Tensor], Tensor]]
) -> nn.Sequential:
    """Build the network of 6n + 2 layers for color images of 32 x 32 pixels.

    Args:
        n: blocks for each of the three sizes, at least 1.
        shortcut: builds a shortcut from the channels that come in and go out, such as
            `padding_where_needed`.

    Returns:
        3 channels in, blocks of 16, 32 and 64 channels, and ten scores.

    Raises:
        TypeError: n is not whole.
        ValueError: n is below 1.
    """
    require_count(n, 1, "n")
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for _ in range(n):
            fitting = shortcut(inputs, outputs)
            layers.append(ConvolutionalBlock(inputs, outputs, fitting))
            inputs = outputs
    average = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(*layers, average, nn.Flatten(), nn.Linear(64, 10))


def bottleneck(channels: int, inner: int) -> nn.Sequential:
    """Build a change that works on few channels: down, across, and up again.

    Args:
        channels: that come in and go out, at least 1.
        inner: channels between, at least 1.

    Returns:
        three convolutions without biases, 1 x 1, 3 x 3 and 1 x 1, each with its norm, and
        rectifiers between.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is below 1.
    """
    require_count(channels, 1, "channels")
    require_count(inner, 1, "inner")
    return nn.Sequential(
        nn.Conv2d(channels, inner, 1, bias=False),
        nn.BatchNorm2d(inner),
        nn.ReLU(),
        nn.Conv2d(inner, inner, 3, padding=1, bias=False),
        nn.BatchNorm2d(inner),
        nn.ReLU(),
        nn.Conv2d(inner, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    )


class Inception(nn.Module):
    """Four ways through one module, their channels side by side.

    Attributes:
        ways: 1 x 1; 1 x 1 and 3 x 3; 1 x 1 and 5 x 5; a maximum and 1 x 1.
    """

    def __init__(
        self,
        inputs: int,
        direct: int,
        three: tuple[int, int],
        five: tuple[int, int],
        pooled: int,
    ) -> None:
        """Build the ways without biases, which the paper does not count.

        Args:
            inputs: channels that come in.
            direct: channels of the first way.
            three: channels of the second way, between its kernels and behind them.
            five: the same for the third way.
            pooled: channels of the fourth way.

        Raises:
            TypeError: a number is not whole.
            ValueError: a number is below 1.
        """
        for channels in (inputs, direct, *three, *five, pooled):
            require_count(channels, 1, "channels")
        super().__init__()
        self.ways = nn.ModuleList(
            [
                nn.Conv2d(inputs, direct, 1, bias=False),
                _narrow_then(inputs, *three, 3),
                _narrow_then(inputs, *five, 5),
                nn.Sequential(
                    nn.MaxPool2d(3, 1, padding=1),
                    nn.Conv2d(inputs, pooled, 1, bias=False),
                ),
            ]
        )

    def forward(self, images: Tensor) -> Tensor:
        """Go all four ways.

        Args:
            images: (n, inputs, h, w) floats.

        Returns:
            (n, direct + three[1] + five[1] + pooled, h, w) floats.
        """
        return torch.cat([way(images).relu() for way in self.ways], dim=1)


def count_parameters(network: nn.Module) -> int:
    """Count the numbers that a network learns.

    Args:
        network: any module; running means are not learned, and not counted.

    Returns:
        how many there are; a tensor that two parts share counts once.
    """
    return sum(parameter.numel() for parameter in network.parameters())


def _narrow_then(inputs: int, between: int, outputs: int, side: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, between, 1, bias=False),
        nn.ReLU(),
        nn.Conv2d(between, outputs, side, padding=side // 2, bias=False),
    )


def _require_block(x: Tensor, block: Block) -> None:
    w1, w2 = block
    require_table(x, "x")
    require_wide(x, "x")
    require_table(w1, "w1", x.shape[1])
    require_table(w2, "w2", len(w1))
    for weight in block:
        require_same_dtype(x, weight, "x and weights")
    if len(w2) != x.shape[1]:
        raise ValueError(f"w2 must give {x.shape[1]} numbers, got {len(w2)}")
