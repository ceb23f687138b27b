"""Segmentation and detection: an answer at every pixel, and a frame for every object.

Sources: J. Long, E. Shelhamer and T. Darrell, "Fully convolutional networks for semantic
segmentation", CVPR 2015, arXiv:1411.4038; skips by concatenation: O. Ronneberger, P. Fischer
and T. Brox, "U-Net", MICCAI 2015, arXiv:1505.04597; the transpose of a convolution: V. Dumoulin
and F. Visin, 2016, arXiv:1603.07285; a frame from every pixel: Z. Tian et al., "FCOS", ICCV
2019, arXiv:1904.01355; average precision: M. Everingham et al., "The PASCAL visual object
classes (VOC) challenge", IJCV 88, 2010, doi:10.1007/s11263-009-0275-4.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from dlbook.backprop import cross_entropy
from dlbook.contract import (
    require_above_zero,
    require_between,
    require_classes,
    require_count,
    require_finite,
    require_same_dtype,
    require_same_shape,
    require_vector,
    require_wide,
)

INK = 0.35  # a pixel of a digit with more ink than this belongs to it
SIDES = (8, 11)  # pixels, least and largest side of a digit before it is cut out
WAYS = ("nearest", "bilinear", "transposed_2", "transposed_3", "transposed_4")


class Scenes(NamedTuple):
    """Drawings with several digits, and what each pixel shows.

    Attributes:
        images: (n, 1, side, side) floats, 0 for paper and 1 for ink, with noise.
        masks: (n, side, side) int64, 0 for paper, 1 + d for ink of a digit d.
        owners: (n, side, side) int64, 0 for paper, k from 1 for ink of object k.
        digits: (n, m) int64 from 0 to 9, those of the objects 1 to m.
    """

    images: Tensor
    masks: Tensor
    owners: Tensor
    digits: Tensor


class Detections(NamedTuple):
    """Frames that were found in one image.

    Attributes:
        boxes: (k, 4) floats: left, top, right, bottom, in pixels from the upper left corner.
        scores: (k,) floats from 0 to 1, how sure the network is.
        kinds: (k,) int64, classes from 1; 0 is paper, which has no frame.
    """

    boxes: Tensor
    scores: Tensor
    kinds: Tensor


def cut_out(image: Tensor) -> Tensor:
    """Cut the frame of the ink out of an image.

    Args:
        image: (h, w) floats from 0 for paper to 1 for ink.

    Returns:
        (h', w') floats: the least rectangle with all pixels above 0.35.

    Raises:
        TypeError: it holds no floats.
        ValueError: it is no image, is empty or not finite, or no pixel is above 0.35.
    """
    require_finite(image, "image")
    if image.ndim != 2 or not (image > INK).any():
        raise ValueError(f"image must be (h, w) with ink, got {tuple(image.shape)}")
    left, top, right, bottom = boxes_of((image > INK).long())[0].int().tolist()
    return image[top:bottom, left:right]


def draw_corners(
    shapes: list[tuple[int, int]], side: int, gap: int, generator: Generator
) -> list[tuple[int, int]]:
    """Find places for rectangles in a square, at random, none near another.

    Args:
        shapes: height and width of each rectangle, in pixels, at least 1 and at most side.
        side: of the square, in pixels.
        gap: pixels that must lie between two rectangles, at least 0.
        generator: draws the places, on the CPU.

    Returns:
        row and column of the upper left corner of each.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is out of range, or 1000 draws found no place for all.
    """
    require_count(gap, 0, "gap")
    for length in (length for shape in shapes for length in shape):
        require_count(length, 1, "length")
        require_between(length, 1, side, "length")
    room = torch.tensor([(side - h + 1, side - w + 1) for h, w in shapes])
    sizes = torch.tensor(shapes)
    for _ in range(1000):
        shares = torch.rand(len(shapes), 2, generator=generator)
        corners = (shares * room).long()
        ends = corners + sizes + gap
        apart = (corners[:, None] >= ends).any(dim=2)
        if (apart | apart.T).sum() == len(shapes) * (len(shapes) - 1):
            return [tuple(corner) for corner in corners.tolist()]
    raise ValueError(f"shapes must fit into a side of {side}, got {shapes}")


def compose(
    glyphs: list[Tensor], corners: list[tuple[int, int]], side: int
) -> tuple[Tensor, Tensor]:
    """Lay digits on one sheet of paper.

    Args:
        glyphs: (h, w) floats from 0 for paper to 1 for ink, at least one.
        corners: row and column of the upper left corner of each.
        side: of the sheet, in pixels.

    Returns:
        (side, side) floats, where digits overlap the darker one; and (side, side) int64, the
        number of the digit that a pixel belongs to, from 1, or 0 for ink up to 0.35.

    Raises:
        TypeError: a glyph holds no floats, or the dtypes differ.
        ValueError: there is no glyph, one is no image or leaves the sheet, or there are not
            as many corners.
    """
    if not glyphs or len(glyphs) != len(corners):
        raise ValueError(f"need a corner for each glyph, got {len(glyphs)} glyphs")
    ink = glyphs[0].new_zeros(len(glyphs), side, side)
    for number, (glyph, (top, left)) in enumerate(zip(glyphs, corners, strict=True)):
        require_finite(glyph, "glyph")
        require_same_dtype(glyph, ink, "glyphs")
        require_count(min(top, left), 0, "corners")
        place = ink[number, top:, left:][: len(glyph)]
        if glyph.ndim != 2 or place[:, : glyph.shape[1]].shape != glyph.shape:
            raise ValueError(f"glyph must fit on the sheet, got {tuple(glyph.shape)}")
        place[:, : glyph.shape[1]] = glyph
    darkest = ink.max(dim=0)
    return darkest.values, (darkest.indices + 1) * (darkest.values > INK)


def draw_glyph(image: Tensor, generator: Generator) -> Tensor:
    """Give a digit another size, at random, and cut it out.

    Args:
        image: (h, w) floats from 0 for paper to 1 for ink.
        generator: draws the side, from 8 to 11 pixels; on the CPU.

    Returns:
        (h', w') floats, at most 11 a side.

    Raises:
        TypeError, ValueError: as in `cut_out`.
    """
    require_finite(image, "image")
    size = int(torch.randint(SIDES[0], SIDES[1] + 1, (), generator=generator))
    if image.ndim != 2:
        raise ValueError(f"image must be (h, w), got {tuple(image.shape)}")
    return cut_out(interpolate(image[None, None], size=size, mode="bilinear")[0, 0])


def draw_scenes(
    images: Tensor, labels: Tensor, count: int, objects: int, generator: Generator
) -> Scenes:
    """Compose drawings of 24 x 24 pixels: digits at random places, none touching another.

    Args:
        images: (n, h, w) float32 or float64 from 0 for paper to 1 for ink, the digits.
        labels: (n,) int64 from 0 to 9.
        count: how many scenes, at least 1.
        objects: digits in each, from 1 to 3.
        generator: draws digits, sizes, places, and noise of deviation 0.1; on the CPU.

    Returns:
        the scenes, on the CPU.

    Raises:
        TypeError: images are no floats, labels no int64, or a number is not whole.
        ValueError: a shape or a number is another.
    """
    require_finite(images, "images")
    require_wide(images, "images")
    require_classes(labels, len(images), 10)
    require_count(count, 1, "count")
    require_between(objects, 1, 3, "objects")
    chosen = torch.randint(len(images), (count, objects), generator=generator)
    pairs = [_draw_scene(images[row], generator) for row in chosen]
    sheets, owners = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    noise = torch.randn(sheets.shape, generator=generator, dtype=sheets.dtype)
    digits = labels[chosen]
    return Scenes(
        (sheets + 0.1 * noise)[:, None], masks_of(owners, digits), owners, digits
    )


def masks_of(owners: Tensor, digits: Tensor) -> Tensor:
    """Tell for each pixel which digit it shows, from which object it belongs to.

    Args:
        owners: (n, h, w) int64, 0 for paper, k from 1 for object k.
        digits: (n, m) int64 from 0 to 9, of the objects 1 to m.

    Returns:
        (n, h, w) int64: 0 for paper, 1 + d for a digit d.

    Raises:
        TypeError: they are not int64.
        ValueError: shapes do not fit, or a number is out of range.
    """
    if owners.ndim != 3 or digits.ndim != 2 or len(owners) != len(digits):
        shapes = f"{tuple(owners.shape)} and {tuple(digits.shape)}"
        raise ValueError(f"owners and digits must be (n, h, w) and (n, m), got {shapes}")
    require_classes(digits.flatten(), digits.numel(), 10, "digits")
    require_classes(owners.flatten(), owners.numel(), digits.shape[1] + 1, "owners")
    kinds = torch.cat([torch.zeros_like(digits[:, :1]), 1 + digits], dim=1)
    return kinds.gather(1, owners.flatten(1)).view_as(owners)


def confusion(predicted: Tensor, masks: Tensor, classes: int) -> Tensor:
    """Count the pixels of each true class that were given to each class.

    Args:
        predicted: (...) int64 from 0 to classes - 1.
        masks: int64 alike, the truth.
        classes: how many, at least 1.

    Returns:
        (classes, classes) int64: row for the truth, column for the prediction.

    Raises:
        TypeError: they are not int64, or classes is no whole number.
        ValueError: shapes differ, there is no pixel, or a class is out of range.
    """
    require_count(classes, 1, "classes")
    require_same_shape(predicted, masks, "predicted and masks")
    for values, name in ((predicted, "predicted"), (masks, "masks")):
        require_classes(values.flatten(), values.numel(), classes, name)
    cells = (classes * masks + predicted).flatten()
    return torch.bincount(cells, minlength=classes**2).view(classes, classes)


def ious(table: Tensor) -> Tensor:
    """Divide, for each class, the pixels in both by the pixels in truth or prediction.

    Args:
        table: (C, C) int64 counts, as `confusion` gives them, none below 0.

    Returns:
        (C,) float64 from 0 to 1; NaN for a class that neither holds.

    Raises:
        TypeError: the counts are not int64.
        ValueError: the table is not square or empty, or a count is below 0.
    """
    _require_counts(table)
    both = table.diagonal()
    return both.double() / (table.sum(dim=0) + table.sum(dim=1) - both)


def dice(table: Tensor) -> Tensor:
    """Divide, for each class, twice the pixels in both by the sum of those in each.

    Args:
        table: (C, C) int64 counts, as `confusion` gives them, none below 0.

    Returns:
        (C,) float64 from 0 to 1; NaN for a class that neither holds.

    Raises:
        TypeError, ValueError: as in `ious`.
    """
    _require_counts(table)
    both = table.diagonal()
    return 2 * both.double() / (table.sum(dim=0) + table.sum(dim=1))


def mean_iou(table: Tensor, first: int = 0) -> float:
    """Average the intersection over union over the classes that occur.

    Args:
        table: (C, C) int64 counts over a whole set, as `confusion` gives them.
        first: leave out the classes below this one; 1 leaves out paper.

    Returns:
        from 0 to 1; classes that neither truth nor prediction holds are left out.

    Raises:
        TypeError, ValueError: as in `ious`; or no class is left.
    """
    require_count(first, 0, "first")
    found = ious(table)[first:]
    found = found[~found.isnan()]
    if len(found) == 0:
        raise ValueError(f"a class from {first} up must occur, got none")
    return found.mean().item()


def rim(ink: Tensor) -> Tensor:
    """Mark the pixels whose neighborhood of 3 x 3 holds both ink and paper.

    Args:
        ink: (n, h, w) bool.

    Returns:
        (n, h, w) bool.

    Raises:
        TypeError: ink is not bool.
        ValueError: it has other axes, or is empty.
    """
    if ink.dtype != torch.bool:
        raise TypeError(f"ink must be bool, got {ink.dtype}")
    if ink.ndim != 3 or ink.numel() == 0:
        raise ValueError(f"ink must be (n, h, w), got {tuple(ink.shape)}")
    spread = max_pool2d(ink[:, None].float(), 3, stride=1, padding=1)
    shrunk = -max_pool2d(-ink[:, None].float(), 3, stride=1, padding=1)
    return (spread != shrunk)[:, 0]


def transposed_side(
    side: int, kernel: int, stride: int, padding: int = 0, extra: int = 0
) -> int:
    """Count the pixels that a transposed convolution makes of one side.

    Args:
        side: pixels that go in, at least 1.
        kernel: pixels of the kernel, at least 1.
        stride: pixels between the copies of the kernel, at least 1.
        padding: pixels cut off at either end, at least 0.
        extra: pixels added at the far end, from 0 to stride - 1.

    Returns:
        the side of the output, at least 1.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is out of range, or nothing is left.
    """
    named = {"side": side, "kernel": kernel, "stride": stride}
    for name, value in named.items():
        require_count(value, 1, name)
    require_count(padding, 0, "padding")
    require_between(extra, 0, stride - 1, "extra")
    output = (side - 1) * stride - 2 * padding + kernel + extra
    if output < 1:
        raise ValueError(f"padding must leave a pixel, got {padding}")
    return output


def transposed_by_scatter(
    images: Tensor, kernels: Tensor, stride: int = 1, padding: int = 0, extra: int = 0
) -> Tensor:
    """Let each pixel lay down a copy of the kernel, times its number, and add the copies.

    Args:
        images: (n, inputs, h, w) float32 or float64.
        kernels: (inputs, outputs, k, l) floats alike.
        stride: pixels between the copies, at least 1.
        padding: rows and columns cut off at each border, at least 0.
        extra: rows and columns added at the lower and right border, below stride.

    Returns:
        (n, outputs, rows, columns) floats, sized as `transposed_side` says.

    Raises:
        TypeError: they are no such floats, or the dtypes differ.
        ValueError: shapes do not fit, a tensor is empty or not finite, or a number is out
            of range.
    """
    _require_maps(images, kernels)
    _, _, rows, columns = images.shape
    size = [
        transposed_side(side, kernel, stride, padding, extra)
        for side, kernel in zip((rows, columns), kernels.shape[2:], strict=True)
    ]
    sheet = images.new_zeros(
        len(images), kernels.shape[1], *(s + 2 * padding for s in size)
    )
    for row in range(rows):
        for column in range(columns):
            copies = torch.einsum("ni,iokl->nokl", images[:, :, row, column], kernels)
            top, left = row * stride, column * stride
            height, width = copies.shape[2:]
            sheet[:, :, top : top + height, left : left + width] += copies
    return sheet[:, :, padding : padding + size[0], padding : padding + size[1]]


def contributions(side: int, kernel: int, stride: int) -> Tensor:
    """Count how many pixels write into each pixel of a transposed convolution.

    Args:
        side: pixels a side that go in, at least 1.
        kernel: pixels a side of the kernel, at least 1.
        stride: pixels between the copies, at least 1.

    Returns:
        (output, output) int64, the side as `transposed_side` says.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is below 1.
    """
    transposed_side(side, kernel, stride)
    ones = torch.ones(1, 1, side, side)
    copies = transposed_by_scatter(ones, torch.ones(1, 1, kernel, kernel), stride)
    return copies[0, 0].long()


class Segmenter(nn.Module):
    """Three levels down, two up: maps for every pixel, on images of any size.

    Attributes:
        fine: 3 x 3 convolution on all pixels.
        middle: the same behind a maximum over 2 x 2 pixels.
        coarse: two of them behind another maximum.
        larger: two ways to double the sides, coarse to middle and middle to fine.
        join_middle: 3 x 3 convolution of what comes up, and of the middle maps with skips.
        join_fine: the same on all pixels.
        scores: 1 x 1 convolution to the maps that are asked for.
        skips: whether the maps of the way down are handed across.
    """

    def __init__(self, width: int, maps: int, skips: bool, way: str) -> None:
        """Build it; parameters are drawn by `segmenter`.

        Args:
            width: maps of the finest level, at least 1; the next have twice as many each.
            maps: how many to give for every pixel, at least 1.
            skips: hand the maps of the way down across.
            way: how to double the sides, one of `WAYS`.
        """
        super().__init__()
        across = int(skips)
        self.skips = skips
        self.fine = convolution(1, width)
        self.middle = convolution(width, 2 * width)
        self.coarse = nn.Sequential(
            convolution(2 * width, 4 * width), convolution(4 * width, 4 * width)
        )
        self.larger = nn.ModuleList([doubled(c * width, way) for c in (4, 2)])
        self.join_middle = convolution((4 + 2 * across) * width, 2 * width)
        self.join_fine = convolution((2 + across) * width, width)
        self.scores = nn.Conv2d(width, maps, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Give maps for every pixel.

        Args:
            images: (n, 1, h, w) floats, h and w multiples of 4.

        Returns:
            (n, maps, h, w) floats.

        Raises:
            ValueError: a side is no multiple of 4.
        """
        if images.ndim != 4 or images.shape[2] % 4 or images.shape[3] % 4:
            raise ValueError(f"sides must be multiples of 4, got {tuple(images.shape)}")
        fine = self.fine(images)
        middle = self.middle(max_pool2d(fine, 2))
        coarse = self.coarse(max_pool2d(middle, 2))
        up = self.join_middle(self._beside(self.larger[0](coarse), middle))
        return self.scores(self.join_fine(self._beside(self.larger[1](up), fine)))

    def _beside(self, above: Tensor, across: Tensor) -> Tensor:
        return torch.cat([above, across], dim=1) if self.skips else above


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Build a 3 x 3 convolution that keeps the sides, a batch normalization, a rectifier.

    Args:
        inputs: maps that come in, at least 1.
        outputs: maps that go out, at least 1.

    Returns:
        (n, inputs, h, w) to (n, outputs, h, w).

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is below 1.
    """
    require_count(inputs, 1, "inputs")
    require_count(outputs, 1, "outputs")
    kernels = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(kernels, nn.BatchNorm2d(outputs), nn.ReLU())


def doubled(channels: int, way: str) -> nn.Module:
    """Build what doubles the sides of maps.

    Args:
        channels: how many maps, at least 1.
        way: "nearest" repeats pixels, "bilinear" blends them, "transposed_k" learns a
            transposed convolution of stride 2 with a kernel of k = 2, 3 or 4 pixels.

    Returns:
        (n, channels, h, w) to (n, channels, 2h, 2w).

    Raises:
        TypeError: channels is not whole.
        ValueError: channels is below 1, or the way is another.
    """
    require_count(channels, 1, "channels")
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}")
    if not way.startswith("transposed"):
        return nn.Upsample(scale_factor=2, mode=way)
    k = int(way[-1])
    return nn.ConvTranspose2d(channels, channels, k, 2, (k - 1) // 2, k % 2, bias=False)


def segmenter(
    width: int, maps: int, generator: Generator, skips: bool = True, way: str = "bilinear"
) -> Segmenter:
    """Build a network for every pixel, its kernels drawn with the gain of rectifiers.

    Args:
        width: maps of the finest level, at least 1.
        maps: how many to give for every pixel, at least 1.
        generator: draws the kernels, on the CPU.
        skips: hand the maps of the way down across.
        way: how to double the sides, as in `doubled`.

    Returns:
        (n, 1, h, w) images to (n, maps, h, w); float32, on the CPU.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is too small, or there is no such way.
    """
    require_count(width, 1, "width")
    require_count(maps, 1, "maps")
    with torch.device("meta"):  # else layers would draw from the global generator
        network = Segmenter(width, maps, skips, way)
    network = network.to_empty(device="cpu")
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            up = isinstance(layer, nn.ConvTranspose2d)
            inputs = layer.weight[0].numel() / (layer.stride[0] ** 2 if up else 1)
            nn.init.normal_(layer.weight, 0, (2 / inputs) ** 0.5, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def pixel_loss(scores: Tensor, masks: Tensor) -> Tensor:
    """Average the cross-entropy over all pixels of all images.

    Args:
        scores: (n, C, h, w) float32 or float64.
        masks: (n, h, w) int64 from 0 to C - 1.

    Returns:
        a 0d tensor, in nats.

    Raises:
        TypeError: scores are no such floats, or masks are not int64.
        ValueError: shapes do not fit, a score is not finite, or a class is out of range.
    """
    _require_pixels(scores, masks)
    return cross_entropy(scores.movedim(1, 3).flatten(0, 2), masks.flatten())


def train(
    network: nn.Module,
    images: Tensor,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    generator: Generator,
) -> Iterator[float]:
    """Train by Adam on 16 images a step, with steps that fall from 0.01 to 0.

    Args:
        network: it is changed.
        images: (n, 1, h, w) floats on the network's device, at least 16.
        loss_of: from the maps of chosen images and their (16,) numbers to a 0d loss.
        steps: how many, at least 1.
        generator: chooses the images, on the CPU.

    Yields:
        the loss of each step.

    Raises:
        TypeError: images are no floats, or steps is not whole.
        ValueError: there are fewer than 16 images, one is not finite, or steps is below 1.
    """
    require_finite(images, "images")
    require_count(steps, 1, "steps")
    require_count(len(images), 16, "number of images")
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 1 / steps, steps)
    for _ in range(steps):
        chosen = torch.randperm(len(images), generator=generator)[:16].to(images.device)
        loss = loss_of(network(images[chosen]), chosen)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.item()


def components(ink: Tensor) -> Tensor:
    """Number the pieces of ink that hang together, corners included.

    Args:
        ink: (h, w) bool.

    Returns:
        (h, w) int64: 0 for paper, and 1, 2, ... in the order of their first pixels, row by row.

    Raises:
        TypeError: ink is not bool.
        ValueError: it is no image, or empty.
    """
    if ink.ndim != 2:
        raise ValueError(f"ink must be (h, w), got {tuple(ink.shape)}")
    rim(ink[None])
    count = ink.numel()
    names = torch.arange(count, 0, -1, device=ink.device).view_as(ink).double() * ink
    while True:  # every pixel takes the largest name among its neighbors
        spread = max_pool2d(names[None, None], 3, stride=1, padding=1)[0, 0] * ink
        if spread.equal(names):
            break
        names = spread
    order = (count + 1 - names) * ink  # now the first pixel has the least name
    used, numbers = order.unique(return_inverse=True)
    return numbers if used[0] == 0 else numbers + 1


def boxes_of(owners: Tensor) -> Tensor:
    """Frame each object: the least rectangle that holds all its pixels.

    Args:
        owners: (h, w) int64, 0 for paper, 1 to k for the objects.

    Returns:
        (k, 4) float32: left, top, right and bottom in pixels; the frame of one pixel in the
        upper left corner is 0, 0, 1, 1.

    Raises:
        TypeError: owners are not int64.
        ValueError: they are no image, or a number from 1 to the largest is missing.
    """
    if owners.ndim != 2:
        raise ValueError(f"owners must be (h, w), got {tuple(owners.shape)}")
    require_classes(owners.flatten(), owners.numel(), name="owners")
    frames = []
    for number in range(1, int(owners.max()) + 1):
        rows, columns = (owners == number).nonzero(as_tuple=True)
        if len(rows) == 0:
            raise ValueError(f"owners must hold all numbers, got no {number}")
        last = (columns.max() + 1, rows.max() + 1)
        frames.append(torch.stack([columns.min(), rows.min(), *last]))
    return torch.stack(frames).float() if frames else torch.empty(0, 4)


def box_ious(first: Tensor, second: Tensor) -> Tensor:
    """Divide, for each pair of boxes, the area in both by the area in either.

    Args:
        first: (m, 4) float32 or float64: left, top, right, bottom.
        second: (n, 4) floats alike.

    Returns:
        (m, n) floats from 0 to 1.

    Raises:
        TypeError: they are no such floats, or the dtypes differ.
        ValueError: a shape is another, a number is not finite, or a box has no area.
    """
    _require_boxes(first, "first")
    _require_boxes(second, "second")
    require_same_dtype(first, second, "first and second")
    near = torch.maximum(first[:, None, :2], second[:, :2])
    far = torch.minimum(first[:, None, 2:], second[:, 2:])
    both = (far - near).clamp(min=0).prod(dim=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (first, second)]
    return both / (areas[0][:, None] + areas[1] - both)


def suppress(boxes: Tensor, scores: Tensor, tau: float) -> Tensor:
    """Keep the best box, drop what overlaps it too much, and go on with the rest.

    Args:
        boxes: (n, 4) float32 or float64: left, top, right, bottom.
        scores: (n,) floats alike.
        tau: the largest intersection over union that two kept boxes may have, from 0 to 1.

    Returns:
        (k,) int64, the numbers of the boxes that are kept, best first.

    Raises:
        TypeError: they are no such floats, or the dtypes differ.
        ValueError: a shape is another, a number is not finite, a box has no area, or tau is
            out of range.
    """
    _require_boxes(boxes, "boxes")
    require_between(tau, 0, 1, "tau")
    _require_scores(scores, boxes)
    order, kept = scores.argsort(descending=True, stable=True), []
    while len(order):
        kept.append(order[0])
        overlaps = box_ious(boxes[order[:1]], boxes[order[1:]])[0]
        order = order[1:][overlaps <= tau]
    return torch.stack(kept) if kept else scores.argsort()


def side_distances(owners: Tensor) -> Tensor:
    """Measure from each pixel of an object to the four sides of its frame.

    Args:
        owners: (h, w) int64, 0 for paper, 1 to k for the objects.

    Returns:
        (4, h, w) float32: pixels from the middle of the pixel to the left, upper, right and
        lower side; 0 on paper.

    Raises:
        TypeError, ValueError: as in `boxes_of`.
    """
    frames = boxes_of(owners).to(owners.device)
    blank = torch.zeros(1, 4, device=owners.device)
    sides = torch.cat([blank, frames])[owners].permute(2, 0, 1)
    signs = sides.new_tensor([1, 1, -1, -1]).view(4, 1, 1)
    return signs * (_middles(owners) - sides) * (owners > 0)


def proposals(maps: Tensor, classes: int) -> Detections:
    """Let each pixel that takes itself for ink propose a frame.

    Args:
        maps: (classes + 4, h, w) float32 or float64: scores of the classes, 0 for paper, then
            pixels to the left, upper, right and lower side.
        classes: how many, with paper, at least 2.

    Returns:
        one frame for each pixel whose best class is not paper, row by row; its score is the
        softmax of that class. A side nearer than a half pixel is set to a half.

    Raises:
        TypeError: maps are no such floats, or classes is no whole number.
        ValueError: there are not as many maps, or one is empty or not finite.
    """
    require_count(classes, 2, "classes")
    if maps.ndim != 3 or len(maps) != classes + 4:
        wanted = f"({classes + 4}, h, w)"
        raise ValueError(f"maps must be {wanted}, got {tuple(maps.shape)}")
    require_finite(maps, "maps")
    require_wide(maps, "maps")
    scores, kinds = maps[:classes].softmax(dim=0).max(dim=0)
    signs = maps.new_tensor([-1, -1, 1, 1]).view(4, 1, 1)
    boxes = _middles(maps[0]).to(maps.dtype) + signs * maps[classes:].clamp(min=0.5)
    ink = kinds > 0
    return Detections(boxes[:, ink].T, scores[ink], kinds[ink])


def best_of(found: Detections, tau: float) -> Detections:
    """Keep one of the proposals for each object, whatever the class.

    Args:
        found: proposals.
        tau: as in `suppress`.

    Returns:
        those that are kept, best first.

    Raises:
        TypeError, ValueError: as in `suppress`.
    """
    kept = suppress(found.boxes, found.scores, tau)
    return Detections(*(part[kept] for part in found))


def frames_by_components(scores: Tensor, least: int) -> Detections:
    """Frame the pieces of ink in the answer of a network for pixels.

    Args:
        scores: (C, h, w) float32 or float64, class 0 for paper, C at least 2.
        least: pixels that a piece must have, at least 1; smaller ones are dropped.

    Returns:
        a frame for each piece; its class is the one with the largest mean softmax over the
        piece, its score that mean.

    Raises:
        TypeError: scores are no such floats, or least is no whole number.
        ValueError: scores have another shape, are empty or not finite, or least is below 1.
    """
    require_count(least, 1, "least")
    require_finite(scores, "scores")
    require_wide(scores, "scores")
    if scores.ndim != 3 or len(scores) < 2:
        raise ValueError(f"scores must be (C, h, w), got {tuple(scores.shape)}")
    pieces = components(scores.argmax(dim=0) > 0)
    boxes, shares = boxes_of(pieces).to(scores), scores.softmax(dim=0)
    large = [k for k in range(len(boxes)) if (pieces == k + 1).sum() >= least]
    means = [shares[1:, pieces == k + 1].mean(dim=1).max(dim=0) for k in large]
    sure = torch.tensor([mean.values.item() for mean in means]).to(scores)
    kinds = torch.tensor([mean.indices.item() + 1 for mean in means], dtype=torch.int64)
    return Detections(boxes[large], sure, kinds.to(scores.device))


def match(boxes: Tensor, scores: Tensor, truth: Tensor, tau: float = 0.5) -> Tensor:
    """Tell which boxes found an object: best first, each object once.

    Args:
        boxes: (n, 4) float32 or float64: left, top, right, bottom.
        scores: (n,) floats alike.
        truth: (m, 4) floats alike, the frames of the objects, m at least 1.
        tau: the least intersection over union with its object, above 0 and up to 1.

    Returns:
        (n,) bool, in the order of the boxes. A second box on the same object is a mistake.

    Raises:
        TypeError: they are no such floats, or the dtypes differ.
        ValueError: a shape is another, a number is not finite, or out of range.
    """
    require_above_zero(tau, "tau")
    require_between(tau, 0, 1, "tau")
    _require_scores(scores, boxes)
    if len(truth) == 0:
        raise ValueError(f"truth must not be empty, got {tuple(truth.shape)}")
    overlaps = box_ious(boxes, truth)
    hits = torch.zeros_like(scores, dtype=torch.bool)
    free = torch.ones(len(truth), dtype=torch.bool, device=truth.device)
    for number in scores.argsort(descending=True, stable=True).tolist():
        best, nearest = overlaps[number].max(dim=0)
        hits[number] = (best >= tau) & free[nearest]
        free[nearest] &= ~hits[number]
    return hits


def average_precision(scores: Tensor, hits: Tensor, objects: int) -> float:
    """Measure the area under precision against recall, over all detections of a set.

    Args:
        scores: (n,) floats.
        hits: (n,) bool, as `match` tells, of all images.
        objects: how many there were to be found, at least 1 and at least the hits.

    Returns:
        from 0 to 1; at each recall the best precision at that recall or a larger one counts.

    Raises:
        TypeError: scores are no floats, hits are not bool, or objects is no whole number.
        ValueError: shapes differ, a score is not finite, or there are more hits than objects.
    """
    require_count(objects, 1, "objects")
    require_vector(scores, "scores")
    require_same_shape(scores, hits, "scores and hits")
    if hits.dtype != torch.bool:
        raise TypeError(f"hits must be bool, got {hits.dtype}")
    if hits.sum() > objects:
        raise ValueError(f"hits must be at most {objects}, got {hits.sum()}")
    hits = hits[scores.argsort(descending=True, stable=True)].double()
    seen = torch.arange(1, len(hits) + 1, device=hits.device)
    precision = hits.cumsum(dim=0) / seen
    reached = precision.flip(0).cummax(dim=0).values.flip(0)
    return ((reached * hits).sum() / objects).item()


def _draw_scene(images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    while True:  # seldom, three large digits find no place
        glyphs = [draw_glyph(image, generator) for image in images]
        shapes = [tuple(glyph.shape) for glyph in glyphs]
        try:
            corners = draw_corners(shapes, 24, 1, generator)
        except ValueError:
            continue
        return compose(glyphs, corners, 24)


def _middles(like: Tensor) -> Tensor:
    """Give the middles of the pixels twice: (4, h, w), columns, rows, columns, rows."""
    rows, columns = (torch.arange(n, device=like.device) + 0.5 for n in like.shape)
    down, right = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([right, down, right, down])


def _require_counts(table: Tensor) -> None:
    if table.ndim != 2 or table.shape != (len(table), len(table)):
        raise ValueError(f"table must be (C, C), got {tuple(table.shape)}")
    require_classes(table.flatten(), table.numel(), name="counts")


def _require_maps(images: Tensor, kernels: Tensor) -> None:
    for values, name in ((images, "images"), (kernels, "kernels")):
        if values.ndim != 4:
            raise ValueError(f"{name} must have 4 axes, got {tuple(values.shape)}")
        require_finite(values, name)
        require_wide(values, name)
    require_same_dtype(images, kernels, "images and kernels")
    if images.shape[1] != len(kernels):
        raise ValueError(
            f"kernels must be for {images.shape[1]} maps, got {len(kernels)}"
        )


def _require_pixels(scores: Tensor, masks: Tensor) -> None:
    if scores.ndim != 4 or masks.shape != (len(scores), *scores.shape[2:]):
        shapes = f"{tuple(scores.shape)} and {tuple(masks.shape)}"
        raise ValueError(f"scores and masks must be of the same pixels, got {shapes}")
    require_wide(scores, "scores")


def _require_boxes(boxes: Tensor, name: str) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{name} must be (n, 4), got {tuple(boxes.shape)}")
    require_wide(boxes, name)
    if len(boxes):
        require_finite(boxes, name)
        if not (boxes[:, 2:] > boxes[:, :2]).all():
            raise ValueError(f"{name} must have right > left and bottom > top")


def _require_scores(scores: Tensor, boxes: Tensor) -> None:
    if scores.shape != boxes.shape[:1]:
        raise ValueError(f"scores must be ({len(boxes)},), got {tuple(scores.shape)}")
    require_same_dtype(scores, boxes, "scores and boxes")
    if len(scores):
        require_finite(scores, "scores")
