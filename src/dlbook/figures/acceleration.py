"""Figures of the chapter on training fast; see their docstrings."""

from matplotlib.figure import Figure

from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of


def gains(theme: Theme) -> Figure:
    """Bars of the time that one training step of 100 images takes on one CPU core.

    The default is the slowest or close to it. Keeping freed memory and the channels-last
    layout each help, together more, and with bfloat16 products as well the step is
    shortest by far.
    """
    record = claims_of("acceleration")
    names = {
        "default": "default",
        "half": "bfloat16",
        "compiled": "torch.compile",
        "keep": "kept memory",
        "last": "channels-last",
        "last_keep": "channels-last,\nkept memory",
        "last_keep_half": "channels-last,\nkept memory, bfloat16",
    }
    steps = [record[f"{name}_step"] for name in names]
    values = [step.value for step in steps]
    least, largest = (
        [abs(step.spread[which] - step.value) for step in steps]
        for which in ("least", "largest")
    )
    half = ["half" in name for name in names]
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    bars = axes.barh(
        range(len(names)),
        values,
        xerr=[least, largest],
        color=[theme.classes[1] if low else theme.classes[0] for low in half],
        hatch=["//" if low else "" for low in half],
        edgecolor=theme.paper,
        ecolor=theme.muted,
    )
    gained = [record[f"{name}_gain"].value for name in names]
    texts = [f" {value:.1f} ms, {gain:.2f} x" for value, gain in zip(values, gained)]  # noqa: B905
    axes.bar_label(bars, texts, padding=4, color=theme.ink, fontsize=8)
    axes.set_yticks(range(len(names)), names.values())
    axes.set(
        xlabel="processor time of one step (ms), median and range of the rounds",
        xlim=(0, 1.3 * max(step.spread["largest"] for step in steps)),
    )
    axes.set_ylabel("variant")
    axes.invert_yaxis()
    return drawing
