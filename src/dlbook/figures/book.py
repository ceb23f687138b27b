"""Figures of the book about itself, drawn from its own source."""

import ast
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from dlbook.checkout import PACKAGE, parts
from dlbook.figures.style import Theme

READS = ("mkdocs.yml", "src/dlbook/*.py")  # what the drawing depends on beside this file


def chapter_map(theme: Theme) -> Figure:
    """Map of the chapters, in rows by part and in reading order from left to right.

    An arrow leads from a chapter to each later chapter whose code imports it, as found in the
    source. Every arrow leads forward: no chapter needs one that comes later.
    """
    rows = _parts()
    drawing = Figure(figsize=(7, 0.62 + 0.82 * len(rows)), layout="constrained")
    axes = drawing.subplots()
    places = {}
    for row, (part, words) in enumerate(rows):
        axes.text(-0.62, -row + 0.36, part, color=theme.muted, fontsize=8, ha="left")
        for column, word in enumerate(words):
            places[word] = (column * 7 / max(len(words), 5), -row)
    for word, (x, y) in places.items():
        label = word.replace("_", " ").replace(" ", "\n", 1) if len(word) > 12 else word
        box = {
            "boxstyle": "round,pad=0.35",
            "facecolor": theme.paper,
            "edgecolor": theme.ink,
        }
        axes.text(x, y, label, ha="center", va="center", fontsize=8, bbox=box, zorder=3)
        for earlier in sorted(_imports(word) & places.keys()):  # a set has no order
            arrow = FancyArrowPatch(
                places[earlier],
                (x, y),
                arrowstyle="-|>",
                mutation_scale=9,
                shrinkA=22,
                shrinkB=30,
                color=theme.accent,
                linewidth=1,
                connectionstyle="arc3,rad=0.12",
                zorder=2,
            )
            axes.add_patch(arrow)
    axes.set(xlim=(-0.7, 7), ylim=(-len(rows) + 0.4, 0.62))
    axes.axis("off")
    return drawing


def _parts() -> list[tuple[str, list[str]]]:
    """List the parts of the book that have chapters, and their words."""
    found = []
    for part, sources in parts():
        words = [Path(place).stem for place in sources if place.startswith("chapters/")]
        if words:
            found.append((part, words))
    return found


def _imports(word: str) -> set[str]:
    """Name the concepts that the module of a chapter imports."""
    path = PACKAGE / f"{word}.py"
    nodes = (
        ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if path.is_file() else ()
    )
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dlbook"):
            found.add(node.module.removeprefix("dlbook").removeprefix("."))
            found |= {alias.name for alias in node.names}
    return found
