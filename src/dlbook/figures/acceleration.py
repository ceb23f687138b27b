"""Figures of the chapter on training fast; see their docstrings."""

from matplotlib.figure import Figure

from dlbook.figures.style import Theme
from dlbook.runs.record import claims_of


def gains(theme: Theme) -> Figure:
    """Bars of the time that one training step of 100 images takes on one CPU core.

    The default is the slowest or close to it. Keeping freed memory and the channels-last
    layout each help, together more, and with bfloat16 products as well the step is
    shortest by far. Beside each bar stands its gain, the median of the ratios of each round.
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


def idle_card(theme: Theme) -> Figure:
    """Bars of the time that one training step of 100 images takes on a GPU, in three ways.

    As everybody writes it the step takes two milliseconds, and a hatched part of the bar, a
    fifth, shows when the card computes. Replayed as a graph the step takes no longer than
    that. Then fewer bits shorten it further.
    """
    names = {
        "default": "as everybody\nwrites it",
        "graph": "replayed\nas a graph",
        "last_half_graph": "replayed,\nwith fewer bits",
    }
    return _steps(theme, names, height=2.2)


def on_a_gpu(theme: Theme) -> Figure:
    """Bars of the time that one training step of 100 images takes on a GPU, in nine ways.

    Launched operator by operator, all variants take about two milliseconds, of which the
    GPU works for a fifth: a second, hatched bar inside shows that part. Replayed as a graph,
    the step takes as long as the GPU works, and only then do fewer bits make it shorter.
    """
    names = {
        "default": "default",
        "tf32": "TF32",
        "half": "bfloat16",
        "last_half": "channels-last,\nbfloat16",
        "compiled": "torch.compile",
        "fused": "the library's\noptimizer",
        "graph": "graph",
        "tf32_graph": "graph, TF32",
        "last_half_graph": "graph, channels-\nlast, bfloat16",
    }
    return _steps(theme, names, height=3.8)


def _steps(theme: Theme, names: dict[str, str], height: float) -> Figure:
    """Draw the recorded steps on the GPU, orange where they are replayed as a graph."""
    record = claims_of("acceleration")
    steps = [record[f"{name}_step_cuda"].value for name in names]
    drawing = Figure(figsize=(7, height), layout="constrained")
    axes = drawing.subplots()
    replayed = ["graph" in name for name in names]
    bars = axes.barh(
        range(len(names)),
        steps,
        color=[theme.classes[1] if graph else theme.classes[0] for graph in replayed],
    )
    for row, name in enumerate(names):
        busy = record.get(f"{name}_busy_cuda")
        if busy is not None:
            hatched = {"facecolor": "none", "edgecolor": theme.paper, "hatch": "///"}
            axes.barh(row, busy.value, linewidth=0, **hatched)
    gained = [record[f"{name}_gain_cuda"].value for name in names]
    texts = [
        f"{own:.2f} ms, {gain:.2f} x" for own, gain in zip(steps, gained, strict=True)
    ]
    axes.bar_label(bars, texts, padding=4, color=theme.ink, fontsize=8)
    axes.set_yticks(range(len(names)), names.values())
    axes.set(xlabel="time of one step (ms), median of five rounds")
    axes.set_xlim(0, 1.35 * max(steps))
    axes.set_ylabel("variant")
    axes.invert_yaxis()
    return drawing


def larger_batches(theme: Theme) -> Figure:
    """The time of a step on a GPU against the number of images in it, on two log axes.

    From 100 to 800 images the time hardly changes, about two milliseconds: launches fill
    it. Then it bends, and twice the images take nearly twice the time.
    """
    record = claims_of("acceleration")
    batches = record["batches_cuda"].value
    times = record["step_by_batch_cuda"].value
    drawing = Figure(figsize=(7, 2.8), layout="constrained")
    axes = drawing.subplots()
    axes.plot(batches, times, marker=theme.markers[0], color=theme.classes[0])
    axes.axhline(times[0], color=theme.muted, linestyle=":", label="as 100 images")
    axes.set(xscale="log", yscale="log", xlabel="images in a step")
    axes.set(ylabel="time of a step (ms)", ylim=(1, 6))
    axes.set_xticks(batches, [f"{count:.0f}" for count in batches])
    axes.set_yticks([1, 2, 4], ["1", "2", "4"])
    axes.minorticks_off()
    axes.legend()
    return drawing
