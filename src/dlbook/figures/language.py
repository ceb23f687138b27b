"""Figures of the chapter on language models; docstrings are alternative texts."""

from functools import cache

import torch
from matplotlib.figure import Figure

from dlbook.data import prose
from dlbook.figures.style import Theme, mixes_colors
from dlbook.language import Counts, count, next_shares, number, sharpened
from dlbook.runs.language import ORDERS, STEPS, TOLD, alphabet
from dlbook.runs.record import claims_of

PROMPT = "the dist"


def orders(theme: Theme) -> Figure:
    """Bits per held-out character against the order of counting models, smoothed three ways.

    All three lines fall steeply from 4.7 bits at order 1 to order 3. The one that adds 1
    turns upward there, at 3.1 bits, the one that adds a hundredth at order 4, at 2.4. The
    mixture of Witten and Bell is least at order 5, with 2.09, and rises slowly afterwards.
    """
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("language")
    names = {
        "add_1": "add 1",
        "add_0_01": "add 0.01",
        "witten_bell": "Witten and Bell",
    }
    for kind, (name, shown) in enumerate(names.items()):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.plot(ORDERS, claims[name].value, label=shown, ms=6, **look)
    axes.set(xlabel="order of the model, in characters")
    axes.set(ylabel="bits per character", ylim=(1.8, 5.6), xticks=ORDERS)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return drawing


def learning(theme: Theme) -> Figure:
    """Bits per held-out character of a small Transformer against its steps of training.

    The curve, the median of five seeds in a narrow band, falls through horizontal lines: the
    single characters at 4.7, the pairs at 3.7, the triples at 2.8, the compressors between
    3.0 and 2.6. It passes that of the best counting model, 2.07, behind 600 steps, and ends
    at 1.98.
    """
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("language")
    steps = range(TOLD, STEPS + 1, TOLD)
    found = [claims[f"writer_after_{step}"] for step in steps]
    least, largest = ([c.spread[end] for c in found] for end in ("least", "largest"))
    axes.fill_between(steps, least, largest, color=theme.accent, alpha=0.3, lw=0)
    middle = [claim.value for claim in found]
    axes.plot(steps, middle, color=theme.accent, marker="o")
    counted = claims["witten_bell"].value
    lines = {
        "characters": counted[0],
        "pairs": counted[1],
        "zlib": claims["zlib"].value,
        "triples": counted[2],
        "lzma": claims["lzma"].value,
        "best n-gram": min(*counted, *claims["tokens_witten_bell"].value),
    }
    for name, bits in lines.items():
        axes.hlines(bits, 0, STEPS, color=theme.muted, lw=1, ls="--")
        axes.text(STEPS * 1.02, bits, name, color=theme.ink, va="center", fontsize=9)
    axes.set(xlabel="steps of training", ylabel="bits per character")
    axes.set(xlim=(0, STEPS * 1.22), ylim=(1.8, 5))
    axes.text(190, 2.8, "Transformer", color=theme.accent, va="bottom")
    return drawing


@mixes_colors
def surprise(theme: Theme) -> Figure:
    """A held-out sentence, each character shaded by the surprise of two models.

    Above counting, below the Transformer. Dark are mostly the first letters of words, and
    the signs of a new beginning; endings of words are light. Where a word was to be expected
    from what stands farther back, the lower line is the lighter one.
    """
    claims = claims_of("language")
    text = prose.load()[1]
    rows = {"n-gram": "surprise_counted", "Transformer": "surprise_writer"}
    length, width = len(claims["surprise_counted"].value), 48
    lines = length // width
    drawing = Figure(figsize=(7, 0.36 * 2 * lines + 0.9), layout="constrained")
    axes = drawing.subplots(lines, 1)
    for line, part in enumerate(axes):
        chosen = slice(line * width, (line + 1) * width)
        shades = torch.tensor([claims[name].value[chosen] for name in rows.values()])
        image = part.imshow(shades, aspect="auto", cmap=theme.sequence, vmin=0, vmax=8)
        for place, character in enumerate(text[chosen]):
            for row in range(2):
                ink = "black" if shades[row, place] > 4 else "white"
                part.text(place, row, character, color=ink, ha="center", va="center")
        part.set(xticks=[], yticks=[])
        part.set_ylabel("\n".join(("n", "T")), rotation=0, va="center", labelpad=8)
    axes[-1].set_xlabel("n: n-gram, T: Transformer")
    drawing.colorbar(image, ax=list(axes), label="surprise, bits", shrink=0.8)
    return drawing


def temperature(theme: Theme, value: float = 1) -> Figure:
    """Shares of the twelve likeliest characters after a prompt, at temperature {value}.

    The bars stand for the probabilities of a counting model of order 5 after "the dist", as
    in "the distance" or "the distribution". At low temperatures one bar takes nearly all; at
    high ones the bars become more and more alike.
    """
    shares = _counted(PROMPT)
    scores = shares.log()
    best = shares.topk(12).indices
    drawing = Figure(figsize=(7, 2.6), layout="constrained")
    axes = drawing.subplots()
    heights = sharpened(scores, value, len(scores))[best]
    axes.bar(range(12), heights, color=theme.classes[0])
    axes.scatter(range(12), shares[best], color=theme.accent, marker="D", s=22, zorder=3)
    axes.set_xticks(range(12), [alphabet()[place].replace(" ", "␣") for place in best])
    axes.set(xlabel=f'next character after "{PROMPT}"', ylabel="share", ylim=(0, 1))
    axes.set_title(f"temperature {value:g}; diamonds: temperature 1")
    return drawing


@cache
def _tables() -> list[Counts]:
    training = number(prose.load()[0], alphabet())
    return [count(training, n, len(alphabet())) for n in range(1, 6)]


def _counted(prompt: str) -> torch.Tensor:
    return next_shares(_tables(), number(prompt, alphabet()), len(alphabet()))
