"""Figures of the chapter on linear regression; docstrings are alternative texts."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlbook.data import blood_pressure
from dlbook.figures.style import Theme
from dlbook.linear_regression import (
    descend,
    design_matrix,
    fastest_step_size,
    leverages,
    mean_squared_error,
    prediction_interval,
    solve_by_qr,
    solve_normal_equations,
)

OUTLIER = 1  # the place of the person of 47 years with 220 mmHg
AGE, PRESSURE = "age (years)", "systolic pressure (mmHg)"


def outlier(theme: Theme) -> Figure:
    """Thirty people as dots, age against blood pressure, rising from 17 to 69 years.

    One person of 47 years stands far above all others at 220 mmHg. The line fitted with
    that person runs a few mmHg above the line fitted without, almost parallel to it, and
    its band of 95 percent prediction is nearly twice as wide.
    """
    ages, pressures = blood_pressure.load()
    keep = torch.arange(len(ages)) != OUTLIER
    grid = torch.linspace(15, 71, 57, dtype=torch.float64)
    drawing = Figure(figsize=(7, 3.8), layout="constrained")
    axes = drawing.subplots()
    fits = (
        (ages, pressures, theme.classes[1], "--", "all 30 people"),
        (ages[keep], pressures[keep], theme.classes[0], "-", "without the outlier"),
    )
    for x, y, color, style, label in fits:
        X, X_grid = design_matrix(x), design_matrix(grid)
        low, high = prediction_interval(X, y, X_grid)
        axes.fill_between(grid, low, high, color=color, alpha=0.18, linewidth=0)
        axes.plot(grid, X_grid @ solve_by_qr(X, y), style, color=color, label=label)
    axes.plot(ages[keep], pressures[keep], "o", color=theme.ink, markersize=4)
    _mark_outlier(axes, ages[OUTLIER], pressures[OUTLIER], theme)
    axes.annotate("47 years, 220 mmHg", (48.5, 219), va="center", color=theme.accent)
    axes.set(xlabel=AGE, ylabel=PRESSURE, xlim=(15, 71))
    axes.legend(loc="upper left")
    return drawing


def projection(theme: Theme) -> Figure:
    """A plane seen from the side, and a point above it with its foot on the plane.

    In the plane lie three arrows from the corner 0: the column of inputs (0, 1, 2), the
    column of ones (1, 1, 1), and the predictions (0.5, 3, 5.5). An arrow leads out of the
    plane to the measurements (1, 2, 6). The short red gap between the two ends, the
    residuals (0.5, -1, 0.5), meets the plane at a right angle.
    """
    X = design_matrix(torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64))
    y = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    foot = X @ solve_by_qr(X, y)
    along, across = torch.linalg.qr(torch.stack([foot, X[:, 1]], dim=1)).Q.T
    along, across = along * along.sum().sign(), across * (X[:, 1] @ across).sign()
    out = (y - foot) / (y - foot).norm()

    def seen(point: Tensor) -> tuple[float, float]:
        """Look at the plane from low down; across it leads to the right and upward."""
        depth = point @ across
        return (
            (point @ along + 0.45 * depth).item(),
            (point @ out + 0.8 * depth).item(),
        )

    drawing = Figure(figsize=(7, 2.3), layout="constrained")
    axes = drawing.subplots()
    corners = [
        seen(a * along + b * across)
        for a, b in ((-0.5, -0.7), (7.4, -0.7), (7.4, 1.4), (-0.5, 1.4))
    ]
    axes.fill(*zip(*corners, strict=True), color=theme.muted, alpha=0.15, linewidth=0)
    arrows = (
        (X[:, 0], theme.classes[0], "inputs (0, 1, 2)", (6, -12)),
        (X[:, 1], theme.classes[2], "ones (1, 1, 1)", (-10, 8)),
        (foot, theme.classes[1], "predictions (0.5, 3, 5.5)", (8, -12)),
        (y, theme.ink, "measurements (1, 2, 6)", (8, 4)),
    )
    for tip, color, label, shift in arrows:
        look = {"arrowstyle": "-|>", "color": color, "linewidth": 1.8}
        axes.annotate(
            "", seen(tip), (0, 0), arrowprops=look | {"shrinkA": 0, "shrinkB": 0}
        )
        axes.annotate(
            label, seen(tip), shift, textcoords="offset points", color=theme.ink
        )
    gap = seen(foot), seen(y)
    axes.plot(*zip(*gap, strict=True), color=theme.accent, linewidth=2.5)
    axes.annotate(
        "residuals (0.5, −1, 0.5)",
        ((gap[0][0] + gap[1][0]) / 2, (gap[0][1] + gap[1][1]) / 2),
        (8, 0),
        textcoords="offset points",
        va="center",
        color=theme.accent,
    )
    side = 0.22
    square = [foot - side * along, foot - side * along + side * out, foot + side * out]
    axes.plot(*zip(*map(seen, square), strict=True), color=theme.ink, linewidth=1)
    axes.annotate("0", (-0.12, -0.05), ha="right", va="center")
    axes.set(xlim=(-1.2, 10.2), ylim=(-0.7, 1.5), aspect="equal")
    axes.axis("off")
    return drawing


def diagnosis(theme: Theme) -> Figure:
    """Two panels over age that judge the fit point by point.

    First, residuals: 29 people scatter within 25 mmHg of zero without a pattern, and one
    lies at 76 mmHg. Then, leverage: a parabola with its lowest value near the mean age
    of 45 years and its highest at 17 years; the outlier sits at the bottom.
    """
    ages, pressures = blood_pressure.load()
    X = design_matrix(ages)
    residuals = pressures - X @ solve_by_qr(X, pressures)
    influence = leverages(X)
    drawing = Figure(figsize=(7, 3), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for axes, values in ((left, residuals), (right, influence)):
        keep = torch.arange(len(ages)) != OUTLIER
        axes.plot(ages[keep], values[keep], "o", color=theme.classes[0], markersize=4)
        _mark_outlier(axes, ages[OUTLIER], values[OUTLIER], theme)
        axes.set_xlabel(AGE)
    left.axhline(0, color=theme.muted, linewidth=1)
    left.set_ylabel("residual (mmHg)")
    right.axvline(ages.mean(), color=theme.muted, linewidth=1)
    right.annotate("mean age", (46, 0.145), color=theme.ink)
    right.set(ylabel="leverage", ylim=(0, 0.16))
    return drawing


def line_and_loss(theme: Theme, pressure: int = 220) -> Figure:
    """The line and its loss surface when the person of 47 years has {pressure} mmHg.

    First, 30 people, that person as a star, and the line of least squares. Then, rings of
    equal error over slope and height, a cross at the lowest point, and the straight track
    on which the cross moves with the star: upright, while that of a person of 17 slants.
    """
    ages, pressures = blood_pressure.load()
    pressures[OUTLIER] = pressure
    X = design_matrix(ages - ages.mean())
    w = solve_by_qr(X, pressures)
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _draw_line(left, ages, pressures, w, theme)
    _draw_rings(right, X, pressures, (0.4, 1.5), (132, 154), theme)
    youngest = int(ages.argmin())
    moves = (
        (OUTLIER, "-", "best line as the star moves"),
        (youngest, ":", "as the person of 17 moves"),
    )
    for person, style, label in moves:
        track = _track_of_minimum(X, pressures, person)
        right.plot(*track.T, style, color=theme.classes[1], label=label)
    right.plot(*w, "X", color=theme.accent, markersize=9)
    drawing.legend(loc="outside upper right", ncols=2)
    return drawing


def descent(theme: Theme, steps: int = 3) -> Figure:
    """The line and the way down the loss surface after {steps} steps of gradient descent.

    First, 30 people and the line that the weights draw at this moment, flat on the ground
    at the start. Then, rings of equal error over slope and height, and the straight path
    from zero toward the middle, in steps that get shorter on the way.
    """
    ages, pressures = blood_pressure.load()
    X = design_matrix(ages - ages.mean())
    X[:, 0] /= ages.std()
    path = descend(X, pressures, step_size=0.2, steps=steps)
    path[:, 0] /= ages.std()  # from mmHg per standard deviation to mmHg per year
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    _draw_line(left, ages, pressures, path[-1], theme)
    left.set_ylim(-8, 235)
    centered = design_matrix(ages - ages.mean())
    _draw_rings(right, centered, pressures, (-0.5, 2.5), (-10, 200), theme)
    right.plot(*path.T, "o-", color=theme.accent, markersize=4, linewidth=1)
    right.plot(*path[-1], "X", color=theme.accent, markersize=9)
    return drawing


def valleys(theme: Theme) -> Figure:
    """Two loss surfaces over slope and intercept, with 200 steps of descent on each.

    First, from ages in years: long thin tilted rings, and a path that jumps to the floor
    of the valley and then hardly moves, far below the cross. Then, from standardized
    ages: round rings, and a path that ends on the cross after a handful of steps.
    """
    ages, pressures = blood_pressure.load()
    scaled = (ages - ages.mean()) / ages.std()
    drawing = Figure(figsize=(7, 3.4), layout="constrained")
    cases = (
        ("age in years", design_matrix(ages), (-0.5, 4.5), (-20, 140), "mmHg per year"),
        (
            "standardized age",
            design_matrix(scaled),
            (-60, 90),
            (-10, 200),
            "mmHg per $s_x$",
        ),
    )
    for axes, case in zip(drawing.subplots(1, 2), cases, strict=True):
        title, X, slopes, heights, unit = case
        _draw_rings(axes, X, pressures, slopes, heights, theme)
        path = descend(X, pressures, 0.5 * fastest_step_size(X), steps=200)
        axes.plot(*path.T, "o-", color=theme.accent, markersize=3, linewidth=1)
        w = solve_by_qr(X, pressures)
        axes.plot(*w, "X", color=theme.classes[0], markersize=9)
        axes.set(title=title, xlabel=f"slope ({unit})", ylabel="intercept (mmHg)")
    return drawing


def digits_lost(theme: Theme) -> Figure:
    """Relative error of the slope against the shift of the age axis, both logarithmic.

    In float32 the normal equations climb first, twice as steeply as QR, and their line
    ends near 20 000 years, where they refuse to answer; that of QR goes on to 100 000
    years. In float64 both stay below one in a million, and QR again is better by
    several digits.
    """
    ages, pressures = blood_pressure.load()
    exact = solve_by_qr(design_matrix(ages - ages.mean()), pressures)[0]
    shifts = torch.logspace(1, 5, 33, dtype=torch.float64).round()
    cases = (
        ("normal equations, float32", solve_normal_equations, torch.float32),
        ("QR, float32", solve_by_qr, torch.float32),
        ("normal equations, float64", solve_normal_equations, torch.float64),
        ("QR, float64", solve_by_qr, torch.float64),
    )
    drawing = Figure(figsize=(7, 3.6), layout="constrained")
    axes = drawing.subplots()
    for number, (label, solve, dtype) in enumerate(cases):
        errors = []
        for shift in shifts:
            X = design_matrix((ages + shift).to(dtype))
            try:
                slope = solve(X, pressures.to(dtype))[0].double()
            except ValueError:  # too few digits are left: the line ends here
                slope = torch.full_like(exact, torch.nan)
            errors.append(((slope - exact) / exact).abs().clamp(min=1e-16).item())
        look = {"color": theme.classes[number], "marker": theme.markers[number]}
        axes.loglog(shifts, errors, label=label, markersize=3.5, linewidth=1, **look)
    axes.axhline(1, color=theme.muted, linewidth=1)
    axes.set(xlabel="years added to every age", ylabel="relative error of the slope")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return drawing


def _draw_line(
    axes: Axes, ages: Tensor, pressures: Tensor, w: Tensor, theme: Theme
) -> None:
    """Draw the people and the line with slope w[0] and height w[1] at the mean age."""
    keep = torch.arange(len(ages)) != OUTLIER
    axes.plot(ages[keep], pressures[keep], "o", color=theme.ink, markersize=3.5)
    _mark_outlier(axes, ages[OUTLIER], pressures[OUTLIER], theme)
    ends = torch.tensor([15.0, 71.0], dtype=torch.float64)
    axes.plot(ends, w[0] * (ends - ages.mean()) + w[1], color=theme.classes[0])
    axes.set(xlabel=AGE, ylabel=PRESSURE, xlim=(15, 71), ylim=(95, 268))


def _draw_rings(
    axes: Axes, X: Tensor, y: Tensor, slopes: tuple, heights: tuple, theme: Theme
) -> None:
    """Draw lines of equal root mean squared error, in mmHg."""
    a = torch.linspace(*slopes, 120, dtype=torch.float64)
    b = torch.linspace(*heights, 120, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(a, b, indexing="xy"), dim=-1)
    errors = mean_squared_error(X, y, grid).sqrt()
    best = solve_by_qr(X, y)
    least = mean_squared_error(X, y, best).sqrt().item()
    # The square spreads the rings: far out the error grows like the distance.
    levels = least + (errors.max().item() - least) * torch.linspace(0.1, 1, 10) ** 2
    rings = axes.contour(
        a, b, errors, levels=levels.tolist(), colors=theme.muted, linewidths=1
    )
    # Labels stand on the way to the lower right corner, where no path runs.
    corner = torch.tensor([slopes[1], heights[0]], dtype=torch.float64)
    way = best + torch.linspace(0, 0.95, 96).double().unsqueeze(1) * (corner - best)
    reached = mean_squared_error(X, y, way).sqrt()
    spots = [way[reached >= level][:1] for level in levels[2:-1:2]]
    spots = [spot[0].tolist() for spot in spots if len(spot)]
    axes.clabel(rings, fmt="%.0f", fontsize=8, colors=theme.ink, manual=spots)
    axes.set(xlabel="slope (mmHg per year)", ylabel="height at the mean age (mmHg)")
    axes.set(xlim=slopes, ylim=heights)


def _track_of_minimum(X: Tensor, pressures: Tensor, person: int) -> Tensor:
    """Follow the best weights while one person's pressure goes from 60 to 300 mmHg."""
    track = []
    for pressure in (60.0, 300.0):  # two are enough: the weights are linear in y
        moved = pressures.clone()
        moved[person] = pressure
        track.append(solve_by_qr(X, moved))
    return torch.stack(track)


def _mark_outlier(axes: Axes, x: Tensor, y: Tensor, theme: Theme) -> None:
    axes.plot(x, y, "*", color=theme.accent, markersize=12, zorder=3)
