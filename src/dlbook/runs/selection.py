"""Numbers of the chapter on choosing a model."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from dlbook.cnn import Recipe, begin, error_rate, small_network, train_epoch
from dlbook.data import digits
from dlbook.evaluation import choose_inside, cross_validate, folds, paired_test
from dlbook.knn import k_nearest_neighbors
from dlbook.risk import exact_interval
from dlbook.runs.record import Claim, Findings, over_seeds
from dlbook.selection import (
    SealedTest,
    consecutive_folds,
    expected_of_best,
    fit_kernels,
    halving,
    log_uniform,
    nearest_mean,
    rank_correlation,
)
from dlbook.svm import gaussian_kernel

Predictor = Callable[[Tensor, Tensor, Tensor], Tensor]  # of queries, points, labels
FEW = 400  # the digits that the table trains on; the 897 after them validate
WIDTHS = torch.logspace(-0.5, 1.5, 21, dtype=torch.float64)
PENALTIES = torch.logspace(-10, 0, 21, dtype=torch.float64)
HARMLESS = 11  # of the penalties, from the smallest: there they hardly matter
SIDES = range(1, 9)  # of a grid of trials
OFFSETS = 40  # a grid is laid on the table in so many ways along each axis
DRAWS = (1, 3, 10, 30, 100, 300)
VALIDATION = 100  # of the 897, to see what a small set does
SPLITS = 100
CURVES = range(10)  # sets of candidates
CANDIDATES, EPOCHS, TRAINED = 27, 9, 1000
PARTS, INNER = 5, 4
DRAWN_WIDTHS = 22  # one of the best tenth is among them with a chance of 90 %


def by_kernel(width: float, penalty: float) -> Predictor:
    """Make a predictor of a kernel machine; a constant is added to the kernel for a bias."""

    def predict(queries: Tensor, points: Tensor, labels: Tensor) -> Tensor:
        chosen = torch.tensor([penalty]).to(points)
        (weights,) = fit_kernels(
            gaussian_kernel(points, points, width) + 1, labels, chosen
        )
        return ((gaussian_kernel(queries, points, width) + 1) @ weights).argmax(dim=1)

    return predict


def by_lines(penalty: float) -> Predictor:
    """Make a predictor of one line for each class, by least squares."""

    def predict(queries: Tensor, points: Tensor, labels: Tensor) -> Tensor:
        chosen = torch.tensor([penalty]).to(points)
        (weights,) = fit_kernels(points @ points.T + 1, labels, chosen)
        return ((queries @ points.T + 1) @ weights).argmax(dim=1)

    return predict


def by_neighbors(k: int) -> Predictor:
    """Make a predictor of the k nearest neighbors."""
    return lambda queries, points, labels: k_nearest_neighbors(queries, points, labels, k)


MODELS = {
    "mean": nearest_mean,
    "lines": by_lines(0.01),
    "neighbor": by_neighbors(1),
    "kernel": by_kernel(3.0, 1e-6),
}


def quick(device: torch.device) -> Findings:
    """Search a table of errors at random and by grids."""
    return Findings(searches(device), {"digits": digits.checksum()})


def flat_digits(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Give training images (1297, 64) float64 and labels, and those of the test alike."""
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    x, test_x = (part.flatten(1).double() for part in (images, test_images))
    return x, labels, test_x, test_labels


def promises(device: torch.device) -> Findings:
    """Cross-validate each model by random and by consecutive folds, and open the test."""
    x, y, test_x, test_y = flat_digits(device)
    claims = {}
    for name, predict in MODELS.items():

        def mistakes(training: Tensor, held_out: Tensor, predict: Predictor = predict):
            return predict(x[held_out], x[training], y[training]) != y[held_out]

        mixed = [
            100 * cross_validate(folds(len(x), PARTS, seed), mistakes).mean().item()
            for seed in range(5)
        ]
        apart = cross_validate(consecutive_folds(len(x), PARTS), mistakes).mean().item()
        sealed = (predict(test_x, x, y) != test_y).double().mean().item()
        claims[f"promise_mixed_{name}"] = over_seeds(mixed, "%", tolerance=0.2)
        claims[f"promise_apart_{name}"] = Claim(100 * apart, "%", tolerance=0.2)
        claims[f"promise_sealed_{name}"] = Claim(100 * sealed, "%", tolerance=0.5)
        claims[f"promise_factor_{name}"] = Claim(
            100 * sealed / torch.tensor(mixed).median().item(), tolerance=0.7
        )
    return Findings(claims, {"digits": digits.checksum()})


def table_of_mistakes(device: torch.device) -> Tensor:
    """Mark the mistakes of each width and penalty on the digits after the first 400.

    Args:
        device: where to compute.

    Returns:
        (21, 21, 897) booleans: widths, penalties, digits.
    """
    x, y, _, _ = flat_digits(device)
    rows = []
    for width in WIDTHS.tolist():
        gram = gaussian_kernel(x, x[:FEW], width) + 1
        weights = fit_kernels(gram[:FEW], y[:FEW], PENALTIES.to(device))
        rows.append((gram[FEW:] @ weights).argmax(dim=2) != y[FEW:])
    return torch.stack(rows)


def grid_places(side: int, size: int) -> Tensor:
    """Lay a grid on one axis of a table in many ways, all with the same spacing.

    Args:
        side: how many values of this axis the grid tries.
        size: how many the table has.

    Returns:
        (40, side) int64, the places tried for each of 40 offsets.
    """
    offsets = (torch.arange(OFFSETS, dtype=torch.float64) + 0.5) / OFFSETS
    places = (offsets[:, None] + torch.arange(side)) * size / side
    return places.floor().long()


def mean_of_grids(errors: Tensor, side: int) -> float:
    """Average the least error that a square grid finds over all ways to lay it."""
    rows, columns = (grid_places(side, size).to(errors.device) for size in errors.shape)
    tried = errors[rows][:, :, columns]  # (ways, side, ways, side)
    return tried.amin(dim=(1, 3)).mean().item()


def searches(device: torch.device) -> dict[str, Claim]:
    """Search the table at random and by grids; see how kind a small validation set is."""
    mistakes = table_of_mistakes(device)
    errors = 100 * mistakes.double().mean(dim=2)
    best = errors.min().item()
    width, penalty = torch.unravel_index(errors.argmin(), errors.shape)
    near = (errors <= best + 0.5).double().mean().item()
    claims = {
        "table_best": Claim(best, "%", tolerance=0.3),
        "table_near": Claim(100 * near, "%", tolerance=3),
        "table_width": Claim(WIDTHS[width].item(), tolerance=1.5),
        "table_penalty_exponent": Claim(PENALTIES[penalty].log10().item(), tolerance=2),
        "table_errors": Claim(errors.flatten().tolist(), "%", tolerance=3),
    }
    for name, part in (("both", errors), ("one", errors[:, :HARMLESS])):
        flat = part.flatten()
        found = [expected_of_best(flat, flat, side**2) for side in SIDES]
        claims[f"random_{name}"] = Claim(found, "%", tolerance=1)
        found = [mean_of_grids(part, side) for side in SIDES]
        claims[f"grid_{name}"] = Claim(found, "%", tolerance=1)
    return claims | optimism(mistakes.flatten(0, 1))


def optimism(mistakes: Tensor) -> dict[str, Claim]:
    """Compare what the winner of a search reports with its error on the other digits."""
    generator = Generator().manual_seed(0)
    reported, true = [], []
    for _ in range(SPLITS):
        order = torch.randperm(mistakes.shape[1], generator=generator).to(mistakes.device)
        seen, fresh = (
            100 * mistakes[:, part].double().mean(dim=1)
            for part in (order[:VALIDATION], order[VALIDATION:])
        )
        reported.append([expected_of_best(seen, seen, draws) for draws in DRAWS])
        true.append([expected_of_best(seen, fresh, draws) for draws in DRAWS])
    return {
        "search_reported": Claim(torch.tensor(reported).mean(dim=0).tolist(), "%", {}, 1),
        "search_true": Claim(torch.tensor(true).mean(dim=0).tolist(), "%", {}, 1),
    }


class Candidate(NamedTuple):
    """A setting of the small convolutional network."""

    step: float
    batch: int
    momentum: float


def draw_candidates(generator: Generator) -> list[Candidate]:
    """Draw 27 settings: steps from 0.001 to 2, batches from 8 to 256, three momenta."""
    steps = log_uniform(1e-3, 2, CANDIDATES, generator).tolist()
    batches = torch.randint(3, 9, (CANDIDATES,), generator=generator).tolist()
    momenta = torch.randint(3, (CANDIDATES,), generator=generator).tolist()
    return [
        Candidate(step, 2**batch, (0.0, 0.5, 0.9)[momentum])
        for step, batch, momentum in zip(steps, batches, momenta, strict=True)
    ]


def curve_of(candidate: Candidate, seed: int, device: torch.device) -> list[float]:
    """Train a candidate; a diverged one errs like a constant answer.

    Args:
        candidate: what to train with.
        seed: of the first weights and the orders; the same for all candidates of a set.
        device: where to train.

    Returns:
        the error on the 297 last training digits after each of 9 epochs, in %.
    """
    images, labels, _, _ = (part.to(device) for part in digits.load())
    x = images[:, None] - images[:TRAINED].mean()
    generator = Generator().manual_seed(seed)
    recipe = Recipe(candidate.step, candidate.momentum, candidate.batch)
    training = begin(small_network(generator).to(device), generator, recipe)
    errors = []
    for _ in range(EPOCHS):
        try:
            train_epoch(training, x[:TRAINED], labels[:TRAINED])
            error = error_rate(training.model, x[TRAINED:], labels[TRAINED:])
            errors.append(100 * error)
        except ValueError:
            return errors + [90.0] * (EPOCHS - len(errors))
    return errors


def halved(device: torch.device) -> Findings:
    """Train ten sets of 27 candidates to the end, then look up what halving would keep."""
    found = {name: [] for name in ("halving", "best", "nine", "order_1", "order_3")}
    first = []
    for seed in tqdm(CURVES, "sets", disable=None):
        drawn = draw_candidates(Generator().manual_seed(seed))
        curves = torch.tensor([curve_of(each, seed, device) for each in drawn]).double()
        winner, _ = halving(
            CANDIDATES, 3, 1, 3, lambda c, b, curves=curves: curves[c, b - 1].item()
        )
        end = curves[:, -1]
        found["halving"].append(end[winner].item())
        found["best"].append(end.min().item())
        found["nine"].append(expected_of_best(end, end, CANDIDATES // 3))
        for epochs in (1, 3):
            found[f"order_{epochs}"].append(rank_correlation(curves[:, epochs - 1], end))
        first = first or curves.flatten().tolist()
    claims = {"halving_curves": Claim(first, "%", tolerance=90)}
    for name, values in found.items():
        unit, tolerance = ("", 0.1) if name.startswith("order") else ("%", 1.0)
        claims[f"halving_{name}"] = over_seeds(values, unit, tolerance)
        claims[f"halving_{name}_each"] = Claim(values, unit, tolerance=30)
    gains = [n - h for n, h in zip(found["nine"], found["halving"], strict=True)]
    claims["halving_wins"] = Claim(sum(gain > 0 for gain in gains), tolerance=3)
    claims["halving_exact"] = Claim(
        sum(h == b for h, b in zip(found["halving"], found["best"], strict=True)),
        tolerance=3,
    )
    claims["halving_gain"] = Claim(sum(gains) / len(gains), "points", {}, 1)
    return Findings(claims, {"digits": digits.checksum()})


def nothing(device: torch.device) -> Findings:
    """Choose among 16 kernel machines where labels are coins: the least, and nested."""
    settings = [(h, p) for h in (1.0, 3.0, 9.0, 27.0) for p in (1e-4, 1e-3, 1e-2, 1e-1)]
    least, nested = [], []
    for seed in tqdm(range(100), "sets", disable=None):
        generator = Generator().manual_seed(seed)
        x = torch.randn(40, 20, generator=generator, dtype=torch.float64).to(device)
        y = torch.randint(2, (40,), generator=generator).to(device)

        def losses_of(setting: tuple, training: Tensor, held: Tensor, x=x, y=y) -> Tensor:
            predict = by_kernel(*setting)
            return predict(x[held], x[training], y[training]) != y[held]

        parts = folds(40, PARTS, seed)
        means = [
            cross_validate(parts, lambda t, h, s=s: losses_of(s, t, h)).mean().item()
            for s in settings
        ]
        procedure = choose_inside(
            settings, losses_of, lambda rows, seed=seed: folds(len(rows), INNER, seed)
        )
        least.append(100 * min(means))
        nested.append(100 * cross_validate(parts, procedure).mean().item())
    claims = {}
    for name, values in (("least", least), ("nested", nested)):
        found = torch.tensor(values, dtype=torch.float64)
        spread = {"seeds": len(values), "standard_deviation": found.std().item()}
        claims[f"nothing_{name}"] = Claim(found.mean().item(), "%", spread, 3)
        claims[f"nothing_{name}_each"] = Claim(values, "%", tolerance=30)
        claims[f"nothing_{name}_below_30"] = Claim(
            100 * (found < 30).double().mean().item(), "%", tolerance=8
        )
    return Findings(claims)


class Procedure:
    """The whole way from digits to one chosen predictor, as it was written down before.

    Attributes:
        settings: in the order of their simplicity; of equals the first is chosen.
    """

    def __init__(self, x: Tensor, y: Tensor) -> None:
        """Draw the widths, and list all settings.

        Args:
            x: (n, 64) float64, the training images.
            y: (n,) int64, their labels.
        """
        widths = log_uniform(0.3, 30, DRAWN_WIDTHS, Generator().manual_seed(0)).tolist()
        self.penalties = torch.logspace(-10, 0, 11, dtype=x.dtype, device=x.device)
        self.settings: list[tuple] = [("mean",)]
        self.settings += [("lines", 0.0, i) for i in range(11)]
        self.settings += [("neighbors", k) for k in range(1, 16, 2)]
        self.settings += [("network", 0)]
        self.settings += [("kernel", w, i) for w in widths for i in range(11)]
        self.x, self.y = x, y
        self._fits = lru_cache(maxsize=1)(self._fit)

    def predict(self, setting: tuple, training: Tensor, queries: Tensor) -> Tensor:
        """Train with one setting on some rows, and answer.

        Args:
            setting: one of `settings`.
            training: (n,) int64, the rows to train on.
            queries: (m, 64) floats.

        Returns:
            (m,) int64, the classes.
        """
        kind, *values = setting
        points, labels = self.x[training], self.y[training]
        if kind == "mean":
            return nearest_mean(queries, points, labels)
        if kind == "neighbors":
            return by_neighbors(*values)(queries, points, labels)
        if kind == "network":
            return _network_answers(queries, points, labels, *values)
        width, place = values
        weights = self._fits(width, tuple(training.tolist()))[place]
        return (_with_bias(queries, points, width) @ weights).argmax(dim=1)

    def _fit(self, width: float, training: tuple[int, ...]) -> Tensor:
        rows = torch.tensor(training, device=self.x.device)
        points = self.x[rows]
        gram = _with_bias(points, points, width)
        return fit_kernels(gram, self.y[rows], self.penalties)

    def losses_of(self, setting: tuple, training: Tensor, held_out: Tensor) -> Tensor:
        """Mark the mistakes on the samples held out."""
        return self.predict(setting, training, self.x[held_out]) != self.y[held_out]

    def means(self, parts: Sequence[Tensor]) -> list[float]:
        """Cross-validate every setting, part after part: a kernel is factored once.

        Args:
            parts: rows of each part.

        Returns:
            the error of each setting, in %.
        """
        wrong = torch.zeros(len(self.settings), dtype=torch.float64)
        for number, held in enumerate(parts):
            training = torch.cat([*parts[:number], *parts[number + 1 :]])
            for place, setting in enumerate(self.settings):
                wrong[place] += self.losses_of(setting, training, held).sum().item()
        return (100 * wrong / sum(map(len, parts))).tolist()

    def nested(self, parts: Sequence[Tensor], deal: Callable) -> tuple[float, list]:
        """Judge the procedure: in each turn choose inside, then judge on the part held out.

        Args:
            parts: rows of each outer part.
            deal: of a number n of samples, the inner parts of 0..n - 1.

        Returns:
            the error in %, and the setting that each turn chose.
        """
        wrong, chosen = 0, []
        for number, held in enumerate(tqdm(parts, "turns", disable=None)):
            training = torch.cat([*parts[:number], *parts[number + 1 :]])
            means = self.means([training[part] for part in deal(len(training))])
            chosen.append(self.settings[means.index(min(means))])
            wrong += self.losses_of(chosen[-1], training, held).sum().item()
        return 100 * wrong / sum(map(len, parts)), chosen


def _with_bias(x: Tensor, z: Tensor, width: float) -> Tensor:
    """Compute the kernel of a width, or of lines where it is 0, plus 1 for a bias."""
    return (gaussian_kernel(x, z, width) if width else x @ z.T) + 1


def _network_answers(
    queries: Tensor, points: Tensor, labels: Tensor, seed: int
) -> Tensor:
    """Train the small network for five epochs, as its chapter does, and answer."""
    generator = Generator().manual_seed(seed)
    model = small_network(generator).to(points.device, points.dtype)
    training = begin(model, generator, Recipe(0.3, batch_size=20))
    middle, scale = points.mean(), points.std()
    x, z = (((each - middle) / scale).view(-1, 1, 8, 8) for each in (points, queries))
    for _ in range(5):
        train_epoch(training, x, labels)
    with torch.no_grad():
        return model(z).argmax(dim=1)


def procedure(device: torch.device) -> Findings:
    """Follow the protocol: baselines, search, nested folds, and one look at the test."""
    x, y, test_x, test_y = flat_digits(device)
    test, way, n = SealedTest(test_x, test_y), Procedure(x, y), len(x)
    claims = {"settings": Claim(len(way.settings), tolerance=0)}
    outer = {"apart": consecutive_folds(n, PARTS), "mixed": folds(n, PARTS, 0)}
    inner = {
        "apart": lambda size: consecutive_folds(size, INNER),
        "mixed": lambda size: folds(size, INNER, 0),
    }
    best = {}
    for name, parts in outer.items():
        parts = [part.to(device) for part in parts]
        means = way.means(parts)
        best[name] = way.settings[means.index(min(means))]
        claims[f"chosen_least_{name}"] = Claim(min(means), "%", tolerance=0.4)
        for kind in ("mean", "lines", "neighbors", "network", "kernel"):
            of_kind = [
                m for m, s in zip(means, way.settings, strict=True) if s[0] == kind
            ]
            claims[f"chosen_{kind}_{name}"] = Claim(min(of_kind), "%", tolerance=1)
        error, settings = way.nested(parts, inner[name])
        claims[f"nested_{name}"] = Claim(error, "%", tolerance=0.6)
        of_kernel = sum(setting[0] == "kernel" for setting in settings)
        claims[f"nested_kernels_{name}"] = Claim(of_kernel, tolerance=2)
    everyone = torch.arange(n, device=device)
    mistakes = test.open(
        {
            "chosen": lambda z: way.predict(best["apart"], everyone, z),
            "neighbor": lambda z: way.predict(("neighbors", 1), everyone, z),
            "mean": lambda z: way.predict(("mean",), everyone, z),
        }
    )
    claims |= _opened(mistakes)
    kind, *values = best["apart"]
    claims["chosen_is_kernel"] = Claim(float(kind == "kernel"), tolerance=0)
    if kind == "kernel":
        claims["chosen_width"] = Claim(values[0], tolerance=1.5)
        exponent = way.penalties[values[1]].log10().item()
        claims["chosen_penalty_exponent"] = Claim(exponent, tolerance=2)
    return Findings(claims, {"digits": digits.checksum()})


def _opened(mistakes: dict[str, Tensor]) -> dict[str, Claim]:
    claims = {}
    for name, wrong in mistakes.items():
        count, n = int(wrong.sum()), len(wrong)
        low, high = exact_interval(count, n)
        claims[f"sealed_wrong_{name}"] = Claim(count, "images", tolerance=3)
        claims[f"sealed_{name}"] = Claim(100 * count / n, "%", tolerance=0.6)
        claims[f"sealed_low_{name}"] = Claim(100 * low, "%", tolerance=0.6)
        claims[f"sealed_high_{name}"] = Claim(100 * high, "%", tolerance=0.8)
    chosen = mistakes["chosen"]
    for name in ("neighbor", "mean"):
        other = mistakes[name]
        alone = int((chosen & ~other).sum()), int((other & ~chosen).sum())
        claims[f"alone_against_{name}"] = Claim(alone[0], "images", tolerance=3)
        claims[f"alone_{name}"] = Claim(alone[1], "images", tolerance=3)
        claims[f"paired_{name}"] = Claim(paired_test(chosen, other), tolerance=0.3)
    return claims
