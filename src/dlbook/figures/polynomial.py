"""Figures of the chapter on polynomials; docstrings are alternative texts."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data.toy import noisy_sine
from dlbook.figures.narrow import WIDE
from dlbook.figures.style import Theme
from dlbook.polynomial import evaluate, fit_polynomial, fit_ridge, powers
from dlbook.runs.record import claims_of

SETS, SHOWN, POINTS, NOISE = 1000, 20, 12, 0.3
TICKS = {"xticks": [-math.pi, 0, math.pi], "xticklabels": ["−π", "0", "π"]}


def dial(theme: Theme, degree: int = 3) -> Figure:
    """Twelve noisy points, the sine that they come from, and the fit of degree {degree}.

    Degree 0 is a level line and degree 1 a slanted one. Degree 3 bends twice and runs close
    to the sine. Degree 11 passes through every point and swings wildly near the ends.
    """
    x, y = (part[0] for part in noisy_sine(1, POINTS, NOISE, seed=0))
    fit = fit_polynomial(x, y, degree)
    places = torch.linspace(-math.pi, math.pi, 201, dtype=x.dtype)
    drawing = Figure(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    axes.plot(places, places.sin(), color=theme.muted, linestyle="--", label="sine")
    axes.plot(places, evaluate(fit, places), color=theme.accent, label="fit")
    style = {"marker": theme.markers[0], "s": 30, "zorder": 3}
    axes.scatter(x, y, color=theme.classes[0], label="training points", **style)
    measures = "1 number" if degree == 0 else f"{degree + 1} numbers"
    axes.set(title=f"degree {degree}: {measures} for {POINTS} points")
    axes.set(xlabel="x (radians)", ylabel="y", ylim=(-2.6, 3.6), **TICKS)
    axes.legend(loc="lower right")
    return drawing


def fits(theme: Theme, degree: int = 3) -> Figure:
    """First: fits of degree {degree} to 20 noisy training sets, their mean, and the sine.

    Then: stacked bars of squared bias and variance for the degrees 0 to 10. Bias falls
    in steps and is nearly gone from degree 5; variance grows, fast beyond degree 8. Their
    sum is least at degree 3. The bar of degree {degree} is outlined.
    """
    x, y = noisy_sine(SETS, POINTS, NOISE, seed=0)
    alpha = fit_polynomial(x / math.pi, y, degree)
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1.1, 1))
    _draw_fits(left, alpha, (x[0], y[0]), theme)
    left.set_title(f"degree {degree}: 20 of 1000 fits")
    _stack_bars(right, degree, theme)
    return drawing


def penalties(theme: Theme, penalty: float = 0.01) -> Figure:
    """First: 20 fits of degree 9 with penalty {penalty}, their mean, and the sine.

    Then: squared bias and variance, stacked, over the penalty from 0.00001 to 1 on a
    logarithmic scale. Variance falls to the right, bias rises; their sum is least near
    0.01. A vertical line marks {penalty}.
    """
    x, y = noisy_sine(SETS, POINTS, NOISE, seed=0)
    alpha = fit_ridge(x / math.pi, y, 9, penalty)
    drawing = Figure(figsize=(7, 3.1), layout="constrained")
    left, right = drawing.subplots(1, 2, width_ratios=(1.1, 1))
    _draw_fits(left, alpha, (x[0], y[0]), theme)
    left.set_title(f"degree 9, penalty {penalty}: 20 of 1000 fits")
    _stack_areas(right, penalty, theme)
    return drawing


def float32_trap(theme: Theme) -> Figure:
    """Training error of one sine against the degree, 0 to 10, in three panels.

    The panels differ in x alone: radians from −π to π, centimeters from 150 to 200, years
    from 2000 to 2020. Scaled to [−1, 1], the error falls to 1e-11 in all three. The
    default driver in float32 leaves that curve and rises: at degree 10, at degree 3, and at
    degree 1. Driver gels in float32 follows to the end in radians only, and in float64 in
    radians and centimeters, but not in years.
    """
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    panels = drawing.subplots(1, 3, sharey=True)
    ends = {"radians": (-math.pi, math.pi), "centimeters": (150, 200)}
    ends["years"] = (2000, 2020)
    settings = {
        "scaled inside the fit": (torch.float32, "scaled"),
        "float64, driver gels": (torch.float64, "gels"),
        "float32, driver gels": (torch.float32, "gels"),
        "float32, default driver": (torch.float32, None),
    }
    colors = (theme.muted, *theme.classes[:2], theme.accent)
    for axes, (unit, span) in zip(panels, ends.items(), strict=True):
        for number, (name, setting) in enumerate(settings.items()):
            errors = [_training_error(degree, span, *setting) for degree in range(11)]
            axes.plot(
                errors, color=colors[number], marker=theme.markers[number], label=name,
                markersize=9 - 2 * number, linewidth=4 - number,
            )  # fmt: skip
        axes.set(yscale="log", title=unit, xlabel="degree", xticks=range(0, 11, 2))
    panels[0].set(ylabel="training error (mean squared)", ylim=(1e-12, 100))
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=2)
    return drawing


def beyond(theme: Theme) -> Figure:
    """Error against the number of coefficients, from 1 to 101, for 12 points; two curves.

    Up to 12 coefficients both are one curve: it falls to 0.03 at 4 coefficients and rises to
    a peak above 3 at 12. Beyond, with powers, it goes on rising to the thousands; with
    Legendre polynomials it falls again, below 0.1 from 20 coefficients on.
    """
    claims = claims_of("polynomial")
    drawing = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawing.subplots()
    counts = [degree + 1 for degree in claims["beyond_degrees"].value]
    names = {"powers": "powers of u", "legendre": "Legendre polynomials"}
    for number, (name, label) in enumerate(names.items()):
        axes.plot(
            counts, claims[f"beyond_{name}"].value, color=theme.classes[number],
            marker=theme.markers[number], markersize=7 - 2 * number, label=label,
        )  # fmt: skip
    axes.axvline(POINTS, color=theme.muted, linestyle="--", linewidth=1)
    axes.annotate(
        "as many coefficients\nas points", (POINTS, 3e3), xytext=(-6, 0), ha="right",
        va="center", textcoords="offset points", color=theme.ink, fontsize=9,
    )  # fmt: skip
    ticks = [1, 2, 4, 12, 30, 100]
    axes.set(xscale="log", yscale="log", xticks=ticks, xticklabels=ticks)
    axes.minorticks_off()
    axes.set(xlabel="coefficients", ylabel="mean squared error", ylim=(0.02, 1e4))
    drawing.legend(loc="outside lower center", ncols=2)
    return drawing


def shattering(theme: Theme, inches: float = WIDE) -> Figure:
    """Eight small panels and a large one.

    The eight show three points at the corners of a triangle with all eight labelings; in
    each, a line has the triangles on one side and the circles on the other. The large one
    shows four corners of a square with equal labels across the diagonals: two lines cross
    between them, and no single one will do.
    """
    is_row = inches >= WIDE
    drawing = Figure(figsize=(inches, 3 if is_row else 4.6), layout="constrained")
    ratios = {"width_ratios": (2, 1.1)} if is_row else {"height_ratios": (1, 1)}
    small, large = drawing.subfigures(*((1, 2) if is_row else (2, 1)), **ratios)
    corners = torch.tensor([[0.0, 0.8], [-0.8, -0.6], [0.8, -0.6]])
    for number, axes in enumerate(small.subplots(2, 4).flat):
        labels = torch.tensor([number >> bit & 1 for bit in range(3)])
        _mark(axes, corners, labels, theme, size=45)
        _separate(axes, corners, labels, theme)
    axes = large.subplots()
    square = torch.tensor([[-0.7, -0.7], [0.7, 0.7], [-0.7, 0.7], [0.7, -0.7]])
    _mark(axes, square, torch.tensor([0, 0, 1, 1]), theme, size=70)
    for pair in (square[:2], square[2:]):
        axes.plot(*pair.T, color=theme.muted, linestyle=":", zorder=0)
    small.suptitle("3 points: a line for each of 8 labelings", fontsize=10)
    large.suptitle("4 points: no line for this one", fontsize=10)
    return drawing


def _draw_fits(
    axes: Axes, alpha: Tensor, points: tuple[Tensor, Tensor], theme: Theme
) -> None:
    u = torch.linspace(-1, 1, 101, dtype=torch.float64)
    answers = evaluate(alpha, u)
    x = u * math.pi
    for number, answer in enumerate(answers[:SHOWN]):
        label = "a training set's fit" if number == 0 else None
        style = {"color": theme.classes[4], "linewidth": 0.8, "alpha": 0.7}
        axes.plot(x, answer, label=label, **style)
    axes.plot(x, x.sin(), color=theme.ink, linestyle="--", label="sine")
    axes.plot(x, answers.mean(dim=0), color=theme.accent, label="mean of 1000 fits")
    outline = {"edgecolor": theme.ink, "linewidth": 0.5, "zorder": 3}
    axes.scatter(
        *points, s=16, color=theme.classes[0], label="one training set", **outline
    )
    axes.set(xlabel="x (radians)", ylabel="y", ylim=(-3.2, 1.9), **TICKS)
    axes.legend(loc="lower center", fontsize=8, ncols=2)


def _stack_bars(axes: Axes, degree: int, theme: Theme) -> None:
    claims = claims_of("polynomial")
    bias = claims["squared_biases"].value[:11]
    variance = claims["variances"].value[:11]
    blue, orange = theme.classes[:2]
    axes.bar(range(11), bias, color=blue, label="squared bias")
    axes.bar(
        range(11), variance, bottom=bias, color=orange, hatch="//", label="variance",
        edgecolor=theme.paper, linewidth=0,
    )  # fmt: skip
    here = bias[degree], variance[degree], bias[degree] + variance[degree]
    axes.bar([degree], here[2:], color="none", edgecolor=theme.accent, linewidth=2)
    axes.set(xlabel="degree", ylabel="mean squared error", xticks=range(11))
    axes.set(title="{:.3f} + {:.3f} = {:.3f}".format(*here), ylim=(0, 0.58))
    axes.legend(loc="upper center")


def _stack_areas(axes: Axes, penalty: float, theme: Theme) -> None:
    claims = claims_of("polynomial")
    parts = ("penalty_squared_biases", "penalty_variances")
    bias, variance = (torch.tensor(claims[name].value) for name in parts)
    at, (blue, orange) = claims["penalties"].value, theme.classes[:2]
    axes.fill_between(at, bias, color=blue, label="squared bias", linewidth=0)
    axes.fill_between(
        at, bias, bias + variance, facecolor=orange, hatch="//", label="variance",
        edgecolor=theme.paper, linewidth=0,
    )  # fmt: skip
    axes.axvline(penalty, ymax=0.7, color=theme.ink, linewidth=2.5)
    axes.set(xscale="log", xlabel="penalty ρ", ylabel="mean squared error")
    axes.set(title="bias and variance add up", ylim=(0, 0.23), xlim=(at[0], 1.2))
    axes.legend(loc="upper center")


def _training_error(
    degree: int, span: tuple[float, float], dtype: torch.dtype, way: str | None
) -> float:
    u = torch.linspace(-1, 1, 100, dtype=torch.float64)
    x = ((span[1] + span[0]) / 2 + (span[1] - span[0]) / 2 * u).to(dtype)
    y = (math.pi * u).sin().to(dtype)
    if way == "scaled":
        return (evaluate(fit_polynomial(x, y, degree), x) - y).square().mean().item()
    X = powers(x, degree)
    alpha = torch.linalg.lstsq(X, y[:, None], driver=way).solution
    return ((X @ alpha)[:, 0] - y).square().mean().item()


def _mark(axes: Axes, points: Tensor, labels: Tensor, theme: Theme, size: int) -> None:
    for label, marker in enumerate(theme.markers[:2]):
        own = points[labels == label].T
        axes.scatter(*own, s=size, marker=marker, color=theme.classes[label], zorder=3)
    axes.set(xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=theme.muted)


def _separate(axes: Axes, points: Tensor, labels: Tensor, theme: Theme) -> None:
    """Draw a line at a right angle to the way between the middles of the two groups."""
    if labels.min() == labels.max():
        axes.axhline(-1.1, color=theme.accent)
        return
    first, second = points[labels == 0].mean(dim=0), points[labels == 1].mean(dim=0)
    along = torch.stack([first[1] - second[1], second[0] - first[0]])
    axes.axline(
        ((first + second) / 2).tolist(),
        slope=(along[1] / along[0]).item(),
        color=theme.accent,
    )
