"""Numbers of the chapter on evaluation: one hundred networks, and ways to cheat."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from sklearn.semi_supervised import LabelSpreading
from torch import Generator, Tensor
from torch.func import grad, vmap
from torch.nn.functional import cross_entropy, max_pool2d, softplus
from tqdm import tqdm

from dlbook.checkout import ROOT
from dlbook.cnn import convolutional_network
from dlbook.data import digits, subjects
from dlbook.data import mnist as mnist_data
from dlbook.data.toy import noisy_sine, two_moons
from dlbook.evaluation import (
    choose_inside,
    cross_validate,
    draw_networks,
    folds,
    forward,
    grouped_folds,
    leave_one_out,
    paired_test,
    pick_best,
    simplest_within_one_error,
    train_many,
)
from dlbook.knn import errors_of_every_k, k_nearest_neighbors
from dlbook.polynomial import evaluate, fit_polynomial, powers
from dlbook.risk import expected_best
from dlbook.runs.race import over_rounds, quotients, race
from dlbook.runs.record import Claim, Findings, over_seeds

NETWORKS, EPOCHS = 100, 10
CACHE = ROOT / ".cache" / "evaluation"
Trainer = Callable[..., Iterator[Tensor]]  # data and seeds to mistakes, by epoch
SPREADS = ((7, 0.8), (3, 0.8), (15, 0.8), (7, 0.2), (7, 0.99))  # neighbors, alpha
SPLITS = 300  # of the 500 test digits into a visible and a sealed half


def quick(device: torch.device) -> Findings:
    """Fool oneself in five ways on real digits, and measure by how much."""
    claims = _cheats(_digit_mistakes(device)) | _coins()
    claims |= _curve() | _bars_of_cross_validation() | _few_people()
    claims |= _numbers_of_parts() | _pairs()
    return Findings(claims, {"digits": digits.checksum()})


def _digit_mistakes(device: torch.device) -> Tensor:
    """Train 100 networks on digits: (6 epochs, 100, 500) booleans, true for a mistake."""
    x, y, test_x, test_y = (part.to(device) for part in digits.load())
    x, test_x = x.flatten(1).double(), test_x.flatten(1).double()
    seeds = range(NETWORKS)
    nets = train_many(x, y, (64, 20, 10), seeds, epochs=6, step=0.3, batch=20)
    return torch.stack(
        [(forward(each, test_x).argmax(dim=2) != test_y).cpu() for each in nets]
    )


def _cheats(mistakes: Tensor) -> dict[str, Claim]:
    percent = mistakes[-1].double().mean(dim=1) * 100
    claims = {
        "digits_errors": Claim(percent.tolist(), "%", tolerance=2.0),
        "digits_worst": Claim(percent.max().item(), "%", tolerance=1.0),
        "digits_median": Claim(percent.median().item(), "%", tolerance=0.5),
        "digits_best": Claim(percent.min().item(), "%", tolerance=1.0),
    }
    claims |= _cheat("seeds", *_seen_and_sealed(mistakes[-1], SPLITS))
    claims |= _cheat("epochs", *_over_epochs(mistakes))
    claims |= _cheat("tuning", *_seen_and_sealed(_mistakes_of_every_k(), SPLITS))
    reported, true = (
        part.mean().item() for part in pick_best(*_over_classes(mistakes[-1]))
    )
    claims["sets_lead_reported"] = Claim(-reported, "%", tolerance=0.5)
    claims["sets_lead_true"] = Claim(-true, "%", tolerance=0.5)
    claims["sets_lead_retrained"] = _lead_of_other_pairs(mistakes[-1])
    every = mistakes.flatten(0, 1)  # each seed after each epoch is a candidate
    return claims | _cheat("seeds_and_epochs", *_seen_and_sealed(every, SPLITS))


def _cheat(name: str, visible: Tensor, sealed: Tensor) -> dict[str, Claim]:
    """Summarize many repetitions of picking the best: percent, (R, M) each."""
    reported, true = pick_best(visible, sealed)
    spread = {
        "repetitions": len(reported),
        "standard_deviation": (true - reported).std().item(),
    }
    return {
        f"{name}_reported": Claim(reported.mean().item(), "%", tolerance=0.5),
        f"{name}_true": Claim(true.mean().item(), "%", tolerance=0.5),
        f"{name}_gap": Claim((true - reported).mean().item(), "%", spread, tolerance=0.5),
    }


def _seen_and_sealed(mistakes: Tensor, splits: int) -> tuple[Tensor, Tensor]:
    """Split the n test samples at random, again and again.

    Args:
        mistakes: (M, n) booleans, or numbers to average.
        splits: R, how often.

    Returns:
        (R, M) percent on the visible half, and (R, M) percent on the sealed half.
    """
    seen = _random_halves(mistakes.shape[1], splits)
    half, percent = mistakes.shape[1] // 2, 100 * mistakes.double().T
    return seen @ percent / half, (1 - seen) @ percent / (len(percent) - half)


def _random_halves(n: int, splits: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    seen = torch.zeros(splits, n, dtype=torch.float64)
    for row in seen:
        row[torch.randperm(n, generator=generator)[: n // 2]] = 1
    return seen


def _over_epochs(mistakes: Tensor) -> tuple[Tensor, Tensor]:
    """Let the candidates be the epochs of one network: (splits x networks, epochs)."""
    epochs, networks, n = mistakes.shape
    halves = _seen_and_sealed(mistakes.reshape(-1, n), SPLITS)
    visible, sealed = (
        half.view(SPLITS, epochs, networks).mT.reshape(-1, epochs) for half in halves
    )
    return visible, sealed


def _over_classes(mistakes: Tensor) -> tuple[Tensor, Tensor]:
    """Let the candidates be ten data sets, on which network A is compared with network B.

    A data set holds the images of one digit. Both networks are of one make, so that A is
    better nowhere in truth: percent, A minus B, (splits x pairs, 10) each.
    """
    classes = torch.nn.functional.one_hot(digits.load()[3]).double()  # (500, 10)
    ahead = mistakes[::2].double() - mistakes[1::2].double()  # (50, 500)
    seen = _random_halves(len(classes), SPLITS)
    visible, sealed = (
        100
        * torch.einsum("rn,pn,nc->rpc", half, ahead, classes)
        / (half @ classes)[:, None]
        for half in (seen, 1 - seen)
    )
    return visible.flatten(0, 1), sealed.flatten(0, 1)


def _lead_of_other_pairs(mistakes: Tensor) -> Claim:
    """Choose the class where A beats B most; see there the 49 pairs of other seeds."""
    classes = torch.nn.functional.one_hot(digits.load()[3]).double()
    ahead = 100 * (mistakes[::2].double() - mistakes[1::2].double())
    table = ahead @ classes / classes.sum(dim=0)  # (50, 10)
    chosen = table.argmin(dim=1)
    others = (table.sum(dim=0) - table)[torch.arange(len(table)), chosen]
    return Claim(-(others / (len(table) - 1)).mean().item(), "%", tolerance=0.5)


def _mistakes_of_every_k() -> Tensor:
    """Tune the number of voters from 1 to 30, trained on 200 digits: (30, 500)."""
    x, y, test_x, test_y = digits.load()
    x, y, test_x = x.flatten(1)[:200], y[:200], test_x.flatten(1)
    votes = [k_nearest_neighbors(test_x, x, y, k) for k in range(1, 31)]
    return torch.stack(votes) != test_y


def _coins() -> dict[str, Claim]:
    counts = (1, 10, 100, 1000)
    guesses = [100 * expected_best(250, count, risk=0.5) for count in counts]
    return {"coins_best": Claim(guesses, "%")}


def _curve() -> dict[str, Claim]:
    """Vary k on 200 draws of 40 points; odd k only, so that no vote is tied."""
    curves = []
    for seed in range(200):
        x, y = two_moons(40, 0.3, seed)
        held_out = two_moons(40, 0.3, 10_000 + seed)
        fresh = two_moons(500, 0.3, 20_000 + seed)
        parts = ((x, y), held_out, fresh)
        curves.append(
            torch.stack([errors_of_every_k(*part, x, y)[:30:2] for part in parts])
        )
    training, validation, test = (100 * torch.stack(curves)).unbind(dim=1)
    picked = validation.argmin(dim=1)
    by_training, by_validation = test[:, 0], test.gather(1, picked[:, None])[:, 0]
    ks = torch.arange(1, 31, 2)
    return {
        "curve_k": Claim(ks.tolist()),
        "curve_training": Claim(training.mean(dim=0).tolist(), "%", tolerance=0.1),
        "curve_validation": Claim(validation.mean(dim=0).tolist(), "%", tolerance=0.1),
        "curve_test": Claim(test.mean(dim=0).tolist(), "%", tolerance=0.1),
        "k_by_training": Claim(ks[training.mean(dim=0).argmin()].item()),
        "k_by_validation": Claim(ks[validation.mean(dim=0).argmin()].item()),
        "k_by_test": Claim(ks[test.mean(dim=0).argmin()].item()),
        "test_by_training": Claim(by_training.mean().item(), "%", tolerance=0.1),
        "test_by_validation": Claim(by_validation.mean().item(), "%", tolerance=0.1),
        "k_of_one_draw_low": Claim(ks[picked].double().quantile(0.1).item(), tolerance=2),
        "k_of_one_draw_high": Claim(
            ks[picked].double().quantile(0.9).item(), tolerance=2
        ),
    }


def _bars_of_cross_validation() -> dict[str, Claim]:
    """Compare error bars with the true scatter of ten-fold cross-validation."""
    sets, n, k, repeats, degree = 1000, 40, 10, 10, 3
    generator = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(sets, n, generator=generator, dtype=torch.float64) - 1
    noise = torch.randn(sets, n, generator=generator, dtype=torch.float64)
    y = (math.pi * x).sin() + 0.3 * noise
    means = []  # of each part, in each repetition, for each set
    for repeat in range(repeats):
        parts = folds(n, k, repeat)
        for number, part in enumerate(parts):
            others = torch.cat([*parts[:number], *parts[number + 1 :]])
            alpha = fit_polynomial(x[:, others], y[:, others], degree)
            error = (evaluate(alpha, x[:, part]) - y[:, part]).square()
            means.append(error.mean(dim=1))
    once = torch.stack(means[:k], dim=1)
    often = torch.stack(means, dim=1)
    claims = {}
    for name, table in {"once": once, "often": often}.items():
        scatter = table.mean(dim=1).std()
        bar = (table.var(dim=1).mean() / table.shape[1]).sqrt()
        claims[f"scatter_{name}"] = Claim(scatter.item())
        claims[f"bar_{name}"] = Claim(bar.item())
        claims[f"bar_too_short_{name}"] = Claim((scatter / bar).item())
    return claims


def _numbers_of_parts() -> dict[str, Claim]:
    """Estimate the error of one recipe with 2, 5, 10 and 40 parts, 500 times."""
    sets, n, degree, counts = 500, 40, 3, (2, 5, 10, 40)
    generator = torch.Generator().manual_seed(1)
    x = 2 * torch.rand(sets, n, generator=generator, dtype=torch.float64) - 1
    noise = torch.randn(sets, n, generator=generator, dtype=torch.float64)
    y = (math.pi * x).sin() + 0.3 * noise
    u = torch.linspace(-1, 1, 401, dtype=torch.float64)
    answers = evaluate(fit_polynomial(x, y, degree), u)
    truth = (answers - (math.pi * u).sin()).square().mean() + 0.3**2
    means, scatters = [], []
    for count in counts:
        losses = torch.zeros_like(y)
        for part in folds(n, count, seed=0):
            others = torch.ones(n, dtype=torch.bool)
            others[part] = False
            fit = fit_polynomial(x[:, others], y[:, others], degree)
            losses[:, part] = (evaluate(fit, x[:, part]) - y[:, part]).square()
        estimates = losses.mean(dim=1)
        means.append(estimates.mean().item())
        scatters.append(estimates.std().item())
    return {
        "parts_counts": Claim(list(counts)),
        "parts_means": Claim(means),
        "parts_scatters": Claim(scatters),
        "parts_truth": Claim(truth.item()),
    }


def _nested() -> dict[str, Claim]:
    """Choose k of nearest neighbors on labels that are coins: plainly, and inside."""
    settings = tuple(range(1, 20, 2))
    plain, inside = [], []
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(40, 2, generator=generator, dtype=torch.float64)
        y = torch.randint(2, (40,), generator=generator)

        def losses_of(k: int, training: Tensor, held: Tensor, x: Tensor = x, y=y):
            return k_nearest_neighbors(x[held], x[training], y[training], k) != y[held]

        parts = folds(40, 5, seed)
        means = [
            cross_validate(parts, partial(losses_of, setting)).mean()
            for setting in settings
        ]
        plain.append(100 * min(means).item())
        deal = partial(_five_parts, seed=seed)
        chosen = choose_inside(settings, losses_of, deal)
        inside.append(100 * cross_validate(parts, chosen).mean().item())
    return {"nested_plain": _over_draws(plain), "nested_inside": _over_draws(inside)}


def _five_parts(rows: Tensor, seed: int) -> list[Tensor]:
    return folds(len(rows), 5, seed)


def _one_standard_error(points: int, suffix: str = "") -> dict[str, Claim]:
    """Choose a degree by leave-one-out on 300 sets: the best, or the simplest near it."""
    x, y = noisy_sine(300, points, 0.3, seed=0)
    u = torch.linspace(-1, 1, 201, dtype=torch.float64)
    tables = [powers(x[0] / math.pi, degree) for degree in range(10)]
    chosen = {"best": [], "simplest": []}
    for each in y:
        losses = torch.stack([leave_one_out(X, each).square() for X in tables])
        chosen["best"].append(int(losses.mean(dim=1).argmin()))
        chosen["simplest"].append(simplest_within_one_error(losses))
    errors = torch.stack(
        [
            (evaluate(fit_polynomial(x, y, degree), math.pi * u) - (math.pi * u).sin())
            .square()
            .mean(dim=1)
            for degree in range(10)
        ],
        dim=1,
    )
    claims = {}
    for name, degrees in chosen.items():
        degrees = torch.tensor(degrees)
        found = errors.gather(1, degrees[:, None]).mean()
        shares = 100 * degrees.bincount(minlength=10).double() / len(degrees)
        claims[f"rule_{name}_error{suffix}"] = Claim(found.item(), tolerance=1e-3)
        claims[f"rule_{name}_shares{suffix}"] = Claim(shares.tolist(), "%", tolerance=1.0)
    return claims


def _pairs() -> dict[str, Claim]:
    """Compare one neighbor with others on the digits, sample by sample."""
    x, y, test_x, test_y = digits.load()
    x, test_x = x.flatten(1), test_x.flatten(1)
    wrong = {k: k_nearest_neighbors(test_x, x, y, k) != test_y for k in (1, 15)}
    both = wrong[1] & wrong[15]
    return {
        "pair_first": Claim(int(wrong[1].sum())),
        "pair_second": Claim(int(wrong[15].sum())),
        "pair_both": Claim(int(both.sum())),
        "pair_chance": Claim(paired_test(wrong[1], wrong[15])),
    }


def _few_people() -> dict[str, Claim]:
    """Cross-validate 5 nearest neighbors on 20 people with random labels, 20 times."""
    mixed, apart = [], []
    for seed in range(20):
        x, y, who = subjects.draw(20, 30, seed)

        def losses_of(training: Tensor, held_out: Tensor, x: Tensor = x, y: Tensor = y):
            return (
                k_nearest_neighbors(x[held_out], x[training], y[training], 5)
                != y[held_out]
            )

        for found, parts in (
            (mixed, folds(len(x), 10, seed)),
            (apart, grouped_folds(who, 10, seed)),
        ):
            found.append(100 * cross_validate(parts, losses_of).mean().item())
    return {
        "people_mixed": _over_draws(mixed),
        "people_apart": _over_draws(apart),
    }


def _over_draws(percent: list[float]) -> Claim:
    values = torch.tensor(percent)
    spread = {"seeds": len(values), "standard_deviation": values.std().item()}
    return Claim(values.mean().item(), "%", spread, tolerance=0.5)


def choice(device: torch.device) -> Findings:
    """Choose settings by cross-validation: nested or not, and by the one-error rule."""
    rule = _one_standard_error(12) | _one_standard_error(40, suffix="_of_40")
    return Findings(_nested() | rule)


def few_labels(device: torch.device) -> Findings:
    """Borrow from other data: features of other digits, and images without labels."""
    x, y, test_x, test_y = (part.to(device) for part in digits.load())
    x, test_x = x.flatten(1), test_x.flatten(1)
    raw, borrowed, alone, spread = [], [], [], []
    for seed in range(10):
        w, b = _hidden_layer(x[y < 5], y[y < 5], seed)
        few = _few_of_each(y, range(5, 10), seed)
        asked = test_y >= 5
        answers = k_nearest_neighbors(test_x[asked], x[few], y[few], 1)
        raw.append(_percent(answers != test_y[asked]))
        queries, points = ((part @ w + b).relu() for part in (test_x[asked], x[few]))
        answers = k_nearest_neighbors(queries, points, y[few], 1)
        borrowed.append(_percent(answers != test_y[asked]))
        few = _few_of_each(y, range(10), seed)
        answers = k_nearest_neighbors(test_x, x[few], y[few], 1)
        alone.append(_percent(answers != test_y))
        known = torch.full_like(y, -1)
        known[few] = y[few]
        spread.append(
            [_percent(_spread(x, known, test_x, *s) != test_y.cpu()) for s in SPREADS]
        )
    claims = {
        "transfer_raw": over_seeds(raw, "%", tolerance=1.0),
        "transfer_borrowed": over_seeds(borrowed, "%", tolerance=1.0),
        "labels_alone": over_seeds(alone, "%", tolerance=1.0),
        "labels_spread": over_seeds([row[0] for row in spread], "%", tolerance=1.0),
    }
    medians = torch.tensor(spread, dtype=torch.float64).median(dim=0).values
    claims["labels_spread_medians"] = Claim(medians.tolist(), "%", tolerance=1.0)
    return Findings(claims, {"digits": digits.checksum()})


def _spread(
    x: Tensor, known: Tensor, test_x: Tensor, neighbors: int, alpha: float
) -> Tensor:
    """Let labels spread to neighbors; an unknown label is -1. Answers for test_x."""
    model = LabelSpreading(kernel="knn", n_neighbors=neighbors, alpha=alpha, max_iter=300)
    model.fit(x.cpu().numpy(), known.cpu().numpy())
    return torch.from_numpy(model.predict(test_x.cpu().numpy()))


def _hidden_layer(x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Train a network on the digits 0 to 4; give the weights of its hidden layer."""
    *_, parameters = train_many(x, y, (64, 50, 5), [seed], epochs=10, step=0.3, batch=20)
    return parameters[0][0], parameters[1][0]


def _few_of_each(y: Tensor, classes: range, seed: int) -> Tensor:
    """Choose 5 samples of each class at random: their indices."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=generator).to(y.device)
    return torch.cat([order[y[order] == each][:5] for each in classes])


def _percent(mistakes: Tensor) -> float:
    return 100 * mistakes.double().mean().item()


def speed(device: torch.device) -> Findings:
    """Race 32 networks 2-50-50-1, one after the other and mapped by PyTorch, five rounds.

    How `train_many` fares against the same peer is measured in `benchmarks/evaluation.py`.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 2, generator=generator).to(device)
    signs = (x[:, 0] * x[:, 1]).sign()
    orders = torch.randperm(1000, generator=generator).to(device).split(100)
    ways = {
        way.__name__: partial(way, x, signs, orders * 20, networks=32)
        for way in (_one_by_one, _by_vmap)
    }
    seconds = race(ways, rounds=5, check=_require_same)
    ratios = quotients(seconds["_one_by_one"], seconds["_by_vmap"])
    return Findings({"times_faster_vmap": over_rounds(ratios)})


LAYERS = (2, 50, 50, 1)


def _require_same(answers: dict[str, list[Tensor]]) -> None:
    """Refuse networks that end elsewhere."""
    for one, other in zip(*answers.values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)


def _one_by_one(x: Tensor, signs: Tensor, orders: tuple, networks: int) -> list[Tensor]:
    """Train each network with the library's own modules and optimizer."""
    trained = []
    for own in zip(*_many(networks, x), strict=True):
        layers = [torch.nn.Linear(a, b) for a, b in pairwise(LAYERS)]
        relu = torch.nn.ReLU()
        net = torch.nn.Sequential(layers[0], relu, layers[1], relu, layers[2]).to(x)
        with torch.no_grad():
            for layer, w, b in zip(layers, own[::2], own[1::2], strict=True):
                layer.weight.copy_(w.T)
                layer.bias.copy_(b[0])
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for chosen in orders:
            optimizer.zero_grad()
            loss = softplus(-signs[chosen] * net(x[chosen])[:, 0]).mean()
            loss.backward()
            optimizer.step()
        trained.append(
            [p.detach() for la in layers for p in (la.weight.T, la.bias[None])]
        )
    return [torch.stack(same).cpu() for same in zip(*trained, strict=True)]


def _by_vmap(x: Tensor, signs: Tensor, orders: tuple, networks: int) -> list[Tensor]:
    """Train all networks by mapping the gradient of one over a leading dimension."""

    def loss_of(parameters: tuple[Tensor, ...], x: Tensor, signs: Tensor) -> Tensor:
        *hidden, weight, bias = parameters
        for w, b in zip(hidden[::2], hidden[1::2], strict=True):
            x = (x @ w + b).relu()
        return softplus(-signs * (x @ weight + bias)[:, 0]).mean()

    slopes_of = vmap(grad(loss_of), in_dims=(0, None, None))
    parameters = tuple(_many(networks, x))
    for chosen in orders:
        slopes = slopes_of(parameters, x[chosen], signs[chosen])
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.sub_(slope, alpha=0.1)
    return [parameter.cpu() for parameter in parameters]


def _many(networks: int, x: Tensor) -> list[Tensor]:
    generators = [torch.Generator().manual_seed(seed) for seed in range(networks)]
    return [parameter.to(x) for parameter in draw_networks(LAYERS, generators)]


def convolutional(device: torch.device) -> Findings:
    """Train 100 networks on MNIST; see how the best of them fares on fresh images.

    Net and recipe are those of `dlbook.cnn`: seed by seed the same first weights and the
    same order of images, in float32.
    """
    return _hundred("convolutional", _train_convolutional, 25, device)


def _hundred(name: str, train: Trainer, at_once: int, device: torch.device) -> Findings:
    """Train 100 networks, `at_once` side by side; what is done survives an interruption."""
    groups = range(0, NETWORKS, at_once)
    parts = [
        _kept(name, train, range(first, first + at_once), device)
        for first in tqdm(groups, f"{at_once} networks each")
    ]
    claims = _distribution(name, torch.cat(parts, dim=1))
    for first in groups:
        _path(name, first, device).unlink()
    return Findings(claims, {"MNIST": mnist_data.checksum()})


def _path(name: str, first: int, device: torch.device) -> Path:
    return CACHE / f"{name}_{device.type}_{first}.pt"


def _kept(name: str, train: Trainer, seeds: range, device: torch.device) -> Tensor:
    """Tell which test images each network gets wrong after each epoch: (10, K, 10000)."""
    path = _path(name, seeds.start, device)
    if path.is_file():  # an earlier call was interrupted after this part
        return torch.load(path, weights_only=True)
    epochs = train(*standardized_mnist(device), seeds)
    bar = tqdm(epochs, "epochs", total=EPOCHS, leave=False)
    found = torch.stack([mistakes.cpu() for mistakes in bar])
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(found, path.with_suffix(".partial"))
    path.with_suffix(".partial").rename(path)
    return found


def _train_convolutional(
    x: Tensor, y: Tensor, test_x: Tensor, test_y: Tensor, seeds: range
) -> Iterator[Tensor]:
    """Yield the mistakes of each convolutional network after each epoch."""
    images, test_images = x.view(-1, 28, 28), test_x.view(-1, 28, 28)
    parameters, generators = _draw_convolutional(seeds, x)
    for _ in range(EPOCHS):
        orders = torch.stack([torch.randperm(len(x), generator=g) for g in generators])
        for chosen in orders.to(x.device).split(100, dim=1):
            _descend_convolutional(parameters, images[chosen], y[chosen], step=0.1)
        if not all(parameter.isfinite().all() for parameter in parameters):
            raise ValueError(f"a network of the seeds {seeds} diverged")
        yield torch.cat(
            [
                _convolutional_scores(parameters, part.expand(len(seeds), -1, -1, -1))
                .argmax(dim=2)
                .ne(truth)
                for part, truth in zip(
                    test_images.split(100), test_y.split(100), strict=True
                )
            ],
            dim=1,
        )


def _draw_convolutional(
    seeds: range, like: Tensor
) -> tuple[list[Tensor], list[Generator]]:
    """Draw the net of `dlbook.cnn` for each seed; stack its parameters, (K, ...) each."""
    generators = [Generator().manual_seed(seed) for seed in seeds]
    nets = [convolutional_network(generator).parameters() for generator in generators]
    stacked = [torch.stack(each).detach().to(like) for each in zip(*nets, strict=True)]
    return stacked, generators


def _descend_convolutional(
    parameters: list[Tensor], images: Tensor, labels: Tensor, step: float
) -> None:
    """Take one step with each of K networks, in place: images (K, B, 28, 28)."""
    for parameter in parameters:
        parameter.requires_grad_(True)
    scores = _convolutional_scores(parameters, images)
    loss = cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="sum")
    slopes = torch.autograd.grad(loss / images.shape[1], parameters)
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.requires_grad_(False).sub_(slope, alpha=step)


def _convolutional_scores(parameters: Sequence[Tensor], images: Tensor) -> Tensor:
    """Run K nets of `dlbook.cnn` on images (K, B, 28, 28): scores (K, B, 10)."""
    w1, b1, w2, b2, w3, b3, w4, b4 = parameters
    x = _pool(_convolve(images[..., None], w1, b1), 3).relu()
    x = _pool(_convolve(x, w2, b2), 2).relu()  # (K, B, 2, 2, 64)
    x = x.movedim(4, 2).flatten(2)  # channel, row, column, as torch.nn.Flatten has them
    x = torch.baddbmm(b3[:, None], x, w3.mT).relu()
    return torch.baddbmm(b4[:, None], x, w4.mT)


def _convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve images of K networks by batched products of patches.

    Args:
        x: (K, B, H, W, C).
        weight: (K, O, C, 5, 5).
        bias: (K, O).

    Returns:
        (K, B, H - 4, W - 4, O).
    """
    patches = x.unfold(2, 5, 1).unfold(3, 5, 1)  # (K, B, H - 4, W - 4, C, 5, 5)
    count, batch, height, width, channels = patches.shape[:5]
    # One channel makes few weights, each a sum over all places: sum them image by image.
    groups = batch if channels == 1 else 1
    rows = patches.reshape(count, groups, -1, channels * 25)
    maps = rows @ weight.flatten(2).mT[:, None] + bias[:, None, None]
    return maps.view(count, batch, height, width, -1)


def _pool(x: Tensor, size: int) -> Tensor:
    """Keep the largest of each size x size square: (K, B, H, W, C) to (K, B, h, w, C)."""
    pooled = max_pool2d(x.flatten(0, 1).permute(0, 3, 1, 2), size)
    return pooled.permute(0, 2, 3, 1).unflatten(0, x.shape[:2])


def _distribution(name: str, mistakes: Tensor) -> dict[str, Claim]:
    """Summarize (epochs, networks, images) mistakes: the spread, and the game of seals."""
    last = mistakes[-1]
    percent = last.double().mean(dim=1) * 100
    visible, sealed, average = _open_seals(last, splits=1000)
    early, fresh, _ = _open_seals(mistakes.movedim(0, 1).flatten(0, 1), splits=1000)
    game = _halves(last)
    best = int(game[0].argmin())
    claims = {
        "errors": Claim(percent.tolist(), "%", tolerance=0.3),
        "error": over_seeds(percent.tolist(), "%", tolerance=0.1),
        "worst": Claim(percent.max().item(), "%", tolerance=0.3),
        "best": Claim(percent.min().item(), "%", tolerance=0.3),
        "deviation": Claim(percent.std().item(), "%", tolerance=0.05),
        "after_one_epoch": Claim(
            (mistakes[0].double().mean(dim=1) * 100).tolist(), "%", tolerance=0.3
        ),
        "visible_half": Claim(game[0].tolist(), "%", tolerance=0.3),
        "sealed_half": Claim(game[1].tolist(), "%", tolerance=0.3),
        "game_reported": Claim(game[0][best].item(), "%", tolerance=0.3),
        "game_sealed": Claim(game[1][best].item(), "%", tolerance=0.3),
        "reported": _mean(visible, tolerance=0.1),
        "true": _mean(sealed, tolerance=0.1),
        "average": _mean(average, tolerance=0.1),
        "gap": _mean(sealed - visible, tolerance=0.1),
        "gap_with_epochs": _mean(fresh - early, tolerance=0.1),
    }
    return {f"{name}_{key}": claim for key, claim in claims.items()}


def _mean(values: Tensor, tolerance: float) -> Claim:
    """Average the outcomes of many random splits of one test set."""
    spread = {"splits": len(values), "standard_deviation": values.std().item()}
    return Claim(values.mean().item(), "%", spread, tolerance)


def standardized_mnist(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Load MNIST, shifted and scaled by the mean and deviation of the training set.

    Args:
        device: where the tensors go.

    Returns:
        training images, (60000, 784) float32, and labels; test images, (10000, 784), and
        labels.
    """
    images, labels, test_images, test_labels = mnist_data.load()
    scale, shift = torch.std_mean(images.float())
    x, test_x = ((part.float() - shift) / scale for part in (images, test_images))
    parts = (x.flatten(1), labels, test_x.flatten(1), test_labels)
    x, y, test_x, test_y = (part.to(device) for part in parts)
    return x, y, test_x, test_y


def _halves(mistakes: Tensor) -> tuple[Tensor, Tensor]:
    """Give the errors in percent on the images of even and of odd number: (K,) each."""
    percent = mistakes.double() * 100
    return percent[:, ::2].mean(dim=1), percent[:, 1::2].mean(dim=1)


def _open_seals(mistakes: Tensor, splits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pick the best on a random half, open the other half: percent, (splits,) each."""
    visible, sealed = _seen_and_sealed(mistakes, splits)
    reported, true = pick_best(visible, sealed)
    return reported, true, sealed.mean(dim=1)
