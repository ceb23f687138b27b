"""Lay a drawing out for a phone, where the wide one would be too small to read.

A wide drawing keeps its parts and their type. It is made as wide as a phone shows it, and
its panels, which stand side by side, are stacked.
"""

from math import ceil
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec, SubplotSpec
    from matplotlib.legend import Legend
    from matplotlib.text import Text

WIDE = 7.0  # inches, of a drawing for a desk and for paper
NARROW = 4.2  # inches; in a window of 390 pixels type of 10 points is 12 pixels high
MARGINS = (0.75, 0.65)  # inches beside and above a panel, for what is written there
GROWTH = 1.25  # of a panel of a fixed shape, at most
TALLEST = 3.4  # inches, of a panel that others follow
GAP = 0.1  # inches above and below a panel
LETTER = 0.55  # mean width of a letter, of the size of its type


def narrowed(figure: "Figure") -> "Figure":
    """Lay out a wide drawing anew, `NARROW` inches wide.

    A row of panels becomes several rows, of as many panels as the width has room for; a grid
    that is wider than high is turned. What is drawn in each panel stays as it is. A legend
    beside its panel moves below the drawing, and long titles get a second line.

    Args:
        figure: with a layout that finds its margins by itself. It is changed. Panels that
            are not in one grid stay where they are.

    Returns:
        the same figure.
    """
    panels = [axes for axes in figure.axes if axes.get_subplotspec()]
    figure.set_size_inches(NARROW, figure.get_figheight())
    grids = {id(axes.get_gridspec()): axes.get_gridspec() for axes in panels}
    if len(grids) == 1 and not figure.subfigs:
        _stack(figure, panels, *grids.values())
    for axes in panels:
        _wrap_texts(axes)
    legends = [axes.get_legend() for axes in panels]
    for legend in [*figure.legends, *filter(_is_beside, legends)]:
        _move_below(figure, legend)
    if any(_is_rigid(axes) for axes in panels):
        _trim(figure, panels)
    return figure


def place_of(row: int, column: int, shape: tuple[int, int], room: int) -> tuple[int, int]:
    """Tell where a panel of a wide grid stands in the narrow one.

    Args:
        row: of the panel in the wide grid, counted from 0.
        column: of the panel in the wide grid.
        shape: rows and columns of the wide grid.
        room: panels that fit side by side, at least 1.

    Returns:
        row and column in the narrow grid; the rows that are made of one are equally full.
    """
    if _is_turned(shape):
        return column, row
    lines = ceil(shape[1] / room)
    each = ceil(shape[1] / lines)
    return row * lines + column // each, column % each


def _is_turned(shape: tuple[int, int]) -> bool:
    return 1 < shape[0] < shape[1] <= 5


def _room(panels: list["Axes"], shape: tuple[int, int]) -> int:
    """Count the panels that fit side by side; those without ticks may shrink a little."""
    if shape[0] > 1 and shape[1] == 2:
        return 2
    room = shape[1] * NARROW / WIDE
    return max(1, int(room) if any(map(_has_ticks, panels)) else round(room))


def _stack(figure: "Figure", panels: list["Axes"], old: "GridSpec") -> None:
    """Give each panel its place in a grid of fewer columns and more rows."""
    from matplotlib.gridspec import GridSpec

    shape = old.nrows, old.ncols
    room = _room(panels, shape)
    places = {axes: _places(axes.get_subplotspec(), shape, room) for axes in panels}
    columns = max(column.stop for _, column in places.values())
    heights = _heights(places, columns)
    figure.set_figheight(sum(heights))
    if len(heights) > old.nrows:
        figure.get_layout_engine().set(h_pad=GAP)
    new = GridSpec(len(heights), columns, figure=figure, height_ratios=heights)
    for axes, place in places.items():
        axes.set_subplotspec(new[place])
        if _is_turned(shape):
            _turn_names(axes)
        elif columns < old.ncols and place[1].start == 0:
            _label(axes)


def _places(
    spec: "SubplotSpec", shape: tuple[int, int], room: int
) -> tuple[slice, slice]:
    """Give the rows and the columns of a panel in the narrow grid."""
    first = place_of(spec.rowspan.start, spec.colspan.start, shape, room)
    last = place_of(spec.rowspan.stop - 1, spec.colspan.stop - 1, shape, room)
    return tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))


def _heights(places: dict["Axes", tuple[slice, slice]], columns: int) -> list[float]:
    """Give each row of the narrow grid the height that its highest panel needs, in inches."""
    heights = [0.2] * max(row.stop for row, _ in places.values())
    for axes, (row, column) in places.items():
        width = NARROW * (column.stop - column.start) / columns
        share = _height(axes, width) / (row.stop - row.start)
        for line in range(row.start, row.stop):
            heights[line] = max(heights[line], share)
    return heights


def _height(axes: "Axes", width: float) -> float:
    """Give the height of a panel in a column of some width, in inches."""
    height = _row_height(axes)
    if not _is_rigid(axes):
        return height if axes.get_gridspec().ncols == 1 else min(height, TALLEST)
    beside, above = MARGINS if _has_ticks(axes) else (0.1, 0.3)
    beside = beside if width > 0.6 * NARROW else min(beside, 0.3)
    fitting = (width - beside) * axes.get_data_ratio() * axes.get_aspect() + above
    return min(fitting, GROWTH * height)


def _row_height(axes: "Axes") -> float:
    """Give the height of the row of a panel in its present grid, in inches."""
    grid = axes.get_gridspec()
    shares = grid.get_height_ratios() or [1] * grid.nrows
    share = shares[axes.get_subplotspec().rowspan.start] / sum(shares)
    return share * axes.get_figure().get_figheight()


def _is_rigid(axes: "Axes") -> bool:
    return axes.name == "rectilinear" and axes.get_aspect() != "auto"


def _has_ticks(axes: "Axes") -> bool:
    return axes.axison and bool(len(axes.get_xticks()) or len(axes.get_yticks()))


def _turn_names(axes: "Axes") -> None:
    """Let the name of a row, beside it, and that of a column, above it, change places."""
    spec = axes.get_subplotspec()
    if _has_ticks(axes) or len(spec.colspan) > 1 or len(spec.rowspan) > 1:
        return
    above, beside = axes.get_title(), axes.get_ylabel()
    axes.set_title(beside)
    axes.set_ylabel(above)


def _label(axes: "Axes") -> None:
    """Write at a panel what it has read off its neighbor in the wide drawing."""
    sharing = axes.get_shared_y_axes().get_siblings(axes)
    if len(sharing) < 2:
        return
    axes.tick_params(labelleft=True)
    labels = [label for label in (a.get_ylabel() for a in sharing) if label]
    if labels and not axes.get_ylabel():
        axes.set_ylabel(labels[0])


def _wrap_texts(axes: "Axes") -> None:
    """Let what is written around a panel be no longer than its sides."""
    grid = axes.get_gridspec()
    lines = [line for t in axes.get_yticklabels() for line in t.get_text().split("\n")]
    names = LETTER * 10 / 72 * max(map(len, lines), default=0)
    is_alone = grid.ncols == 1 and _has_ticks(axes)
    beside = max(MARGINS[0], 0.4 + names) if is_alone else 0.1
    width = NARROW / grid.ncols - beside
    _wrap(axes.title, width)
    _wrap(axes.xaxis.label, width)
    _wrap(axes.yaxis.label, _row_height(axes) - 0.4 * _has_ticks(axes))


def _wrap(text: "Text", room: float) -> None:
    """Break the line of a text that is longer than the room, in inches."""
    letters = int(room * 72 / (LETTER * text.get_fontsize()))
    words = text.get_text()
    if "$" not in words and "\n" not in words and len(words) > letters:
        text.set_text(fill(words, letters, break_long_words=False))


def _is_beside(legend: "Legend | None") -> bool:
    """Tell whether a legend stands at the right of its panel."""
    if not legend:
        return False
    anchor = legend.get_bbox_to_anchor().p0
    return legend.axes.transAxes.inverted().transform(anchor)[0] >= 1


def _move_below(figure: "Figure", legend: "Legend") -> None:
    """Put a legend below the drawing, in as many columns as there is room for."""
    texts = [text.get_text() for text in legend.get_texts()]
    size = legend.get_texts()[0].get_fontsize()
    entry = (5 + LETTER * max(map(len, texts))) * size / 72
    lines = ceil(len(texts) / max(1, int(NARROW / entry)))
    look = {"loc": "outside lower center", "fontsize": size}
    handles = _handles(legend, texts)
    figure.legend(handles, texts, ncols=ceil(len(texts) / lines), **look)
    figure.set_figheight(figure.get_figheight() + 1.5 * lines * size / 72)
    legend.remove()


def _handles(legend: "Legend", texts: list[str]) -> list["Artist"]:
    """Give what a legend explains; what it shows of a bar of errors is only a part of it."""
    if legend.axes:
        handles, labels = legend.axes.get_legend_handles_labels()
        if labels == texts:
            return handles
    return legend.legend_handles


def _trim(figure: "Figure", panels: list["Axes"]) -> None:
    """Cut the paper that panels of a fixed shape leave above and below them."""
    figure.set_dpi(72)  # as an SVG file is drawn: what is measured here is known there
    figure.get_layout_engine().execute(figure)
    grid = panels[0].get_gridspec()
    slots, heights = [0.0] * grid.nrows, [0.0] * grid.nrows
    for axes in panels:
        axes.apply_aspect()
        row = axes.get_subplotspec().rowspan.start
        slots[row] = axes.get_position(original=True).height
        heights[row] = max(heights[row], axes.get_position().height)
    figure.set_figheight(figure.get_figheight() * (1 - sum(slots) + sum(heights)))
    grid.set_height_ratios(heights)
