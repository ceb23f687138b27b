"""Figures of the chapter on views; docstrings are alternative texts."""

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor
from torch.nn.functional import avg_pool2d

from dlbook.data import photographs
from dlbook.figures.style import Theme, mixes_colors
from dlbook.views import addresses, cut, grid, silence

MATRIX = torch.tensor([[1, 3, 0], [2, 4, 6]])
BLOCK = torch.tensor([[[1, 2, 1], [2, 1, 2]], [[3, 0, 3], [0, 3, 0]]])


def _view_of(call: str) -> Tensor:
    """Make a view of the matrix `x` or of the block `z` from text such as `x.t()`."""
    return eval(call, {"x": MATRIX, "z": BLOCK})


@mixes_colors
def worked(theme: Theme, call: str = "x.t()") -> Figure:
    """The tensor {call} as a table of colored cells above the storage that it reads.

    Each cell shows a value; its color and the small number in its corner say from which
    place of the storage it comes. Places that are not read are pale. The title gives shape,
    stride and offset.
    """
    return cells(theme, _view_of(call), call)


@mixes_colors
def cells(theme: Theme, view: Tensor = MATRIX, name: str = "x") -> Figure:
    """A tensor of up to three dimensions as colored cells above its storage.

    Each cell shows a value; its color and the small number in its corner say from which
    place of the storage it comes. Places that are not read are pale. The title gives shape,
    stride and offset.
    """
    storage = torch.empty(0, dtype=view.dtype).set_(view.untyped_storage())
    places = addresses(view)
    sheets = (
        places.reshape(-1, *places.shape[-2:]) if view.ndim > 1 else places.view(1, 1, -1)
    )
    rows, columns = sheets.shape[1:]
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    bottom = max(rows, 3) + 0.7  # the storage stays in its place from frame to frame
    width = len(sheets) * (columns + 1) - 1
    for number, sheet in enumerate(sheets):
        left = number * (columns + 1) - width / 2
        for row in range(rows):
            for column in range(columns):
                place = sheet[row, column].item()
                _draw_cell(axes, left + column, row, place, storage, theme)
                corner = (left + column + 0.94, row + 0.96)
                _write_place(axes, corner, place, storage, theme)
    read, left = set(places.flatten().tolist()), -len(storage) / 2
    for place in range(len(storage)):
        pale = place not in read
        _draw_cell(axes, left + place, bottom, place, storage, theme, pale)
        label = (left + place + 0.5, bottom + 1.3)
        axes.annotate(
            str(place), label, ha="center", va="center", fontsize=9, color=theme.ink
        )
    axes.annotate(
        "storage", (left - 0.3, bottom + 0.5), ha="right", va="center", color=theme.ink
    )
    title = f"shape {tuple(view.shape)}   stride {view.stride()}"
    axes.set_title(
        f"{name}\n{title}   offset {view.storage_offset()}", family="monospace"
    )
    axes.set(xlim=(-8.5, 8.5), ylim=(bottom + 1.6, -0.2), aspect="equal")
    axes.axis("off")
    return drawing


def batch(theme: Theme) -> Figure:
    """Forty-eight color tiles of 32 by 32 pixels in a grid of 4 rows and 12 columns.

    Put together in reading order they show two photographs: a Chinese temple on the left,
    six tiles wide, and an orange flower on the right. Thin lines mark the tiles.
    """
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.subplots()
    _show(axes, grid(_tiles(), rows=4))
    for line in range(32, 384, 32):
        axes.axvline(line - 0.5, color=theme.paper, linewidth=0.8)
        if line < 128:
            axes.axhline(line - 0.5, color=theme.paper, linewidth=0.8)
    return drawing


def reordered(theme: Theme) -> Figure:
    """The same sixteen tiles of an orange flower, shown in three ways.

    First, as they are: a whole flower. Middle, rows and columns exchanged within each tile:
    every tile is mirrored along its diagonal and the flower falls apart. Then, green and
    blue set to zero: the flower in shades of red on black.
    """
    images = _tiles().view(4, 12, 3, 32, 32)[:, 7:11].reshape(16, 3, 32, 32)
    versions = {
        "as stored": images,
        "transpose(2, 3)": images.transpose(2, 3),
        "silence, [1, 2]": silence(images, [1, 2]),
    }
    drawing = Figure(figsize=(7, 2.7), layout="constrained")
    panels = drawing.subplots(1, len(versions))
    for axes, (title, version) in zip(panels, versions.items(), strict=True):
        _show(axes, grid(version, rows=4))
        axes.set_title(title, color=theme.ink, family="monospace")
    return drawing


def _tiles() -> Tensor:
    """Cut both photographs into 48 tiles, (48, 3, 32, 32) uint8, in reading order."""
    small = avg_pool2d(photographs.load()[:, :, :384, :576].float(), 3).byte()
    # 16 levels a channel give the same picture in far fewer bytes.
    few = small // 16 * 16 + 8
    return cut(torch.cat(list(few), dim=2), size=32)


def _show(axes: Axes, image: Tensor) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy())
    axes.axis("off")


def _draw_cell(
    axes: Axes,
    x: float,
    y: float,
    place: int,
    storage: Tensor,
    theme: Theme,
    pale: bool = False,
) -> None:
    color = _color_of(place, storage, theme)
    look = {"facecolor": color, "alpha": 0.25 if pale else 1, "edgecolor": theme.muted}
    axes.add_patch(Rectangle((x, y), 1, 1, linewidth=0.8, **look))
    ink = theme.ink if pale else _ink_on(place, storage, theme)
    text = str(storage[place].item())
    axes.annotate(text, (x + 0.5, y + 0.5), ha="center", va="center", color=ink)


def _write_place(
    axes: Axes, corner: tuple[float, float], place: int, storage: Tensor, theme: Theme
) -> None:
    ink = _ink_on(place, storage, theme)
    axes.annotate(str(place), corner, ha="right", va="bottom", color=ink, fontsize=8)


def _color_of(place: int, storage: Tensor, theme: Theme) -> tuple[float, ...]:
    return matplotlib.colormaps[theme.sequence](place / max(len(storage) - 1, 1))


def _ink_on(place: int, storage: Tensor, theme: Theme) -> str:
    red, green, blue, _ = _color_of(place, storage, theme)
    return "#000000" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "#ffffff"
