"""Figures of the chapter on autoencoders; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlbook.autoencoder import (
    along,
    denoise_exactly,
    denoise_linear,
    principal_components,
    reconstruct,
)
from dlbook.data import digits
from dlbook.figures.narrow import WIDE
from dlbook.figures.style import Theme
from dlbook.runs.autoencoder import (
    CODES,
    LINEAR_STEPS,
    MAP,
    SHOWN,
    SIGMA,
    SIGMAS,
    TOLD,
    WALK,
    firsts,
)
from dlbook.runs.record import claims_of


def two_numbers(theme: Theme) -> Figure:
    """Ten test digits, and what comes back through two numbers.

    Top: one 8 by 8 digit of each class. Middle: from two principal components come gray
    blurs, many alike. Bottom: from two numbers of a trained autoencoder come digits with
    sharper strokes, several of them recognizable.
    """
    images, test = _ten()
    parts = principal_components(images)
    linear = reconstruct(test - parts.mean, along(parts, range(2))) + parts.mean
    learned = torch.tensor(claims_of("autoencoder")["plane_ten"].value).view(-1, 64)
    rows = {"digits": test, "components": linear, "network": learned}
    return _rows(theme, rows)


def learning(theme: Theme) -> Figure:
    """Excess loss in percent, and angle in degrees, while a linear autoencoder learns.

    One logarithmic axis, medians of five seeds, Adam. The loss comes within 1 % of the best
    while the space is still tens of degrees off; the angle falls later, and the excess
    falls about as its square.
    """
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("autoencoder")
    steps = torch.arange(0, LINEAR_STEPS + 1, TOLD)
    seen = steps <= 800
    for kind, (name, factor, label) in enumerate(
        (("excess", 100, "excess loss, %"), ("angle", 1, "angle, degrees"))
    ):
        curve = factor * torch.tensor(claims[f"adam_{name}_curve"].value)
        look = {"color": theme.classes[kind], "marker": theme.markers[kind], "ms": 4}
        axes.semilogy(steps[seen], curve[seen], label=label, markevery=2, **look)
    axes.set(xlabel="steps of Adam", ylabel="percent, or degrees", ylim=(1e-6, 1e3))
    axes.legend(loc="upper right")
    return drawing


def errors(theme: Theme) -> Figure:
    """Reconstruction error against numbers in the code, on training and on test digits.

    Both axes logarithmic. For components the two lines nearly coincide. The autoencoder is
    lower on test digits up to 16 numbers, with a gap to its training digits. With 32
    numbers the components lose less, on training digits as well.
    """
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("autoencoder")
    lines = (
        (
            "components",
            [claims[f"components_on_{k}"].value for k in ("test", "training")],
        ),
        (
            "autoencoder",
            [[claims[f"{k}_{c}"].value for c in CODES] for k in ("error", "fitted")],
        ),
    )
    for kind, (name, (test, training)) in enumerate(lines):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.loglog(CODES, test, label=f"{name}, test", **look)
        axes.loglog(CODES, training, ls="--", label=f"{name}, training", **look)
    axes.set_xticks(CODES, [str(k) for k in CODES])
    axes.set_yticks([0.2, 0.5, 1, 2, 4], ["0.2", "0.5", "1", "2", "4"])
    axes.minorticks_off()
    axes.set(xlabel="numbers in the code", ylabel="squared error of an image")
    axes.legend(loc="lower left")
    return drawing


def plane(theme: Theme, at: int = 5, inches: float = WIDE) -> Figure:
    """The plane of codes, a walk from a 0 to a 7 at place {at} of 1 to 9, and its pictures.

    Left, or on top: codes of 1297 training digits as colored numerals, in patches that touch and
    overlap, with empty places between; a line crosses them, and a star marks place {at}.
    Beside it: the image decoded there, the training image nearest to it, and the plain mixture
    of the pixels of both ends as a control. Their distances stand above.
    """
    claims = claims_of("autoencoder")
    images, labels, _, _ = digits.load()
    codes = torch.tensor(claims["plane_codes"].value).view(-1, 2)
    way = torch.tensor(claims["plane_way"].value).view(WALK, 2)
    wide = inches == WIDE
    drawing = Figure(figsize=(inches, 3.4 if wide else 4.6), layout="constrained")
    if wide:
        grid = drawing.add_gridspec(3, 2, width_ratios=(2.6, 1))
        axes, places = drawing.add_subplot(grid[:, 0]), [grid[row, 1] for row in range(3)]
    else:  # the pictures below the map
        grid = drawing.add_gridspec(2, 3, height_ratios=(2.4, 1))
        axes, places = drawing.add_subplot(grid[0, :]), [grid[1, i] for i in range(3)]
    for digit in range(10):
        x, y = codes[labels == digit].T
        color = theme.classes[digit % 5]
        axes.scatter(x, y, s=16, marker=f"${digit}$", color=color, lw=0.2)
    axes.plot(*way.T, color=theme.ink, lw=1)
    axes.scatter(*way[at - 1], marker="*", s=160, color=theme.accent, zorder=3)
    axes.set(xlabel="first number of the code", ylabel="second number")
    shown = {
        name: torch.tensor(claims[f"plane_{name}"].value) for name in ("decoded", "mixed")
    }
    near = int(claims["walk_nearest"].value[at - 1])
    gap = {name: claims[f"walk_{name}"].value[at - 1] for name in shown}
    pictures = (
        (shown["decoded"].view(WALK, 8, 8)[at - 1], "decoded here"),
        (images[near], f"nearest: {gap['decoded']:.2f}"),
        (shown["mixed"].view(WALK, 8, 8)[at - 1], f"mixed: {gap['mixed']:.2f}"),
    )
    for place, (image, title) in zip(places, pictures, strict=True):
        _digit(drawing.add_subplot(place), image, theme, title)
    return drawing


def decoded(theme: Theme) -> Figure:
    """What the decoder draws at 81 places of the plane of codes, in a grid of 9 by 9.

    Neighbors are alike, and most places show a digit or something between two digits.
    Some, toward the corners, show strokes that are no digit.
    """
    pictures = torch.tensor(claims_of("autoencoder")["plane_map"].value)
    tiles = pictures.view(MAP, MAP, 8, 8).flip(0)  # the second number rises upward
    drawing = Figure(figsize=(4.6, 4.6), layout="constrained")
    axes = drawing.subplots()
    sheet = tiles.permute(0, 2, 1, 3).reshape(8 * MAP, 8 * MAP).clamp(0, 1)
    low, high = torch.tensor(claims_of("autoencoder")["plane_corners"].value).view(2, 2)
    half = (high - low) / (MAP - 1) / 2
    (left, below), (right, above) = (low - half).tolist(), (high + half).tolist()
    extent = (left, right, below, above)
    axes.imshow(sheet, cmap=theme.sequence, vmin=0, vmax=1, extent=extent, aspect="auto")
    axes.set(xlabel="first number of the code", ylabel="second number")
    return drawing


def denoised(theme: Theme) -> Figure:
    """Ten test digits with noise of 0.3, and three ways to remove it.

    From the top: the digits, the noisy ones, the best linear map, the exact mean over
    training digits, and a trained network. The linear map leaves gray clouds around the
    strokes; the exact mean is clean, and some digits are other people's; the network's
    strokes are smooth and mostly right.
    """
    images, test = _ten()
    claims = claims_of("autoencoder")
    noisy, learned = (
        torch.tensor(claims[f"shown_{name}"].value).view(-1, 64)
        for name in ("noisy", "net")
    )
    parts = principal_components(images)
    rows = {
        "digits": test,
        "noisy": noisy,
        "linear": denoise_linear(noisy, parts, SIGMA),
        "exact": denoise_exactly(noisy, images, SIGMA),
        "network": learned,
    }
    return _rows(theme, rows)


def cleaning(theme: Theme) -> Figure:
    """Error of a pixel against the size of the noise, for three ways to remove it.

    Both axes logarithmic. The linear map, told the noise, follows it from small to large.
    The exact mean over training digits stays above 0.02 even for little noise. The network,
    trained at 0.3, is the best from 0.2 to 0.4, and at 0.1 and below leaves more error
    than the noise itself has.
    """
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    axes = drawing.subplots()
    claims = claims_of("autoencoder")
    found = {
        "linear": claims["linear_by_sigma"].value,
        "exact, of training digits": claims["exact_by_sigma"].value,
        "network": [claims[f"net_at_{s:g}".replace(".", "_")].value for s in SIGMAS],
    }
    for kind, (name, values) in enumerate(found.items()):
        look = {"color": theme.classes[kind], "marker": theme.markers[kind]}
        axes.loglog(SIGMAS, values, label=name, **look)
    noise = claims["noisy_by_sigma"].value
    axes.loglog(SIGMAS, noise, color=theme.muted, ls=":", label="nothing done")
    axes.axvline(SIGMA, color=theme.muted, lw=0.7)
    axes.set_xticks(SIGMAS, [f"{s:g}" for s in SIGMAS])
    axes.minorticks_off()
    axes.set(xlabel="standard deviation of the noise", ylabel="squared error of a pixel")
    axes.legend(loc="upper left")
    return drawing


def arrows(theme: Theme, sigma: float = 0.2) -> Figure:
    """Sixty points on a ring, and where the exact answer for noise of {sigma} leads.

    Arrows from the places of a grid to the mean of what is possible there. With noise of
    0.1 they lead to the ring from nearby; with 0.8 all lead toward its middle.
    """
    turns = torch.linspace(0, 2 * torch.pi, 61)[:-1]
    ring = torch.stack([turns.cos(), turns.sin()], dim=1)
    ticks = torch.linspace(-1.8, 1.8, 13)
    grid = torch.cartesian_prod(ticks, ticks)
    moves = denoise_exactly(grid, ring, sigma) - grid
    drawing = Figure(figsize=(4.2, 3.9), layout="constrained")
    axes = drawing.subplots()
    axes.scatter(*ring.T, s=14, color=theme.classes[1], marker=theme.markers[1])
    scale = {"angles": "xy", "scale_units": "xy", "scale": 1}
    axes.quiver(*grid.T, *moves.T, color=theme.classes[0], width=0.004, **scale)
    axes.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal")
    axes.set(xlabel="first pixel", ylabel="second pixel")
    axes.set_title(f"noise of {sigma:g}")
    return drawing


def _ten() -> tuple[torch.Tensor, torch.Tensor]:
    images, _, test_images, test_labels = digits.load()
    chosen = firsts(test_labels)
    return images.flatten(1), test_images.flatten(1)[chosen]


def _rows(theme: Theme, rows: dict[str, torch.Tensor]) -> Figure:
    """Draw one row of ten small images for each name."""
    drawing = Figure(figsize=(7, 0.75 * len(rows)), layout="constrained")
    panels = drawing.subplots(len(rows), SHOWN)
    for line, (name, images) in zip(panels, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=True):
            _digit(axes, image, theme, "")
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return drawing


def _digit(axes: Axes, image: torch.Tensor, theme: Theme, title: str) -> None:
    look = {"cmap": theme.sequence, "vmin": 0, "vmax": 1}
    axes.imshow(image.view(8, 8).clamp(0, 1), **look)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=9)
