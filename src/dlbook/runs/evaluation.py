"""Numbers of the chapter on evaluation: one hundred networks, and ways to cheat."""

import math
import time
from itertools import pairwise

import torch
from sklearn.semi_supervised import LabelSpreading
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import softplus
from tqdm import tqdm

from dlbook.checkout import ROOT
from dlbook.data import digits, subjects
from dlbook.data import mnist as mnist_data
from dlbook.data.toy import two_moons
from dlbook.evaluation import (
    cross_validate,
    draw_networks,
    folds,
    forward,
    grouped_folds,
    pick_best,
    train_many,
)
from dlbook.knn import errors_of_every_k, k_nearest_neighbors
from dlbook.polynomial import evaluate, fit_polynomial
from dlbook.risk import expected_best
from dlbook.runs.record import Claim, Findings, over_seeds

NETWORKS, EPOCHS, SIZES = 100, 10, (784, 100, 10)
AT_ONCE = 10  # more networks at once need more memory and save no more time
CACHE = ROOT / ".cache" / "evaluation"
SPLITS = 300  # of the 500 test digits into a visible and a sealed half


def quick(device: torch.device) -> Findings:
    """Fool oneself in five ways on real digits, and measure by how much."""
    claims = _cheats(_digit_mistakes(device)) | _coins()
    claims |= _curve() | _bars_of_cross_validation() | _few_people()
    return Findings(claims, {"digits": digits.checksum()})


def _digit_mistakes(device: torch.device) -> Tensor:
    """Train 100 networks on digits: (6 epochs, 100, 500) booleans, true for a mistake."""
    x, y, test_x, test_y = (part.to(device) for part in digits.load())
    x, test_x = x.flatten(1).double(), test_x.flatten(1).double()
    nets = train_many(x, y, (64, 20, 10), range(NETWORKS), step=0.3, batch=20)
    epochs = zip(range(6), nets, strict=False)
    return torch.stack(
        [(forward(each, test_x).argmax(dim=2) != test_y).cpu() for _, each in epochs]
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
        model = LabelSpreading(kernel="knn", n_neighbors=7, alpha=0.8, max_iter=300)
        model.fit(x.cpu().numpy(), known.cpu().numpy())
        answers = torch.from_numpy(model.predict(test_x.cpu().numpy()))
        spread.append(_percent(answers != test_y.cpu()))
    claims = {
        "transfer_raw": over_seeds(raw, "%", tolerance=1.0),
        "transfer_borrowed": over_seeds(borrowed, "%", tolerance=1.0),
        "labels_alone": over_seeds(alone, "%", tolerance=1.0),
        "labels_spread": over_seeds(spread, "%", tolerance=1.0),
    }
    return Findings(claims, {"digits": digits.checksum()})


def _hidden_layer(x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Train a network on the digits 0 to 4; give the weights of its hidden layer."""
    nets = train_many(x, y, (64, 50, 5), [seed], step=0.3, batch=20)
    *_, parameters = (each for _, each in zip(range(10), nets, strict=False))
    return parameters[0][0], parameters[1][0]


def _few_of_each(y: Tensor, classes: range, seed: int) -> Tensor:
    """Choose 5 samples of each class at random: their indices."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=generator).to(y.device)
    return torch.cat([order[y[order] == each][:5] for each in classes])


def _percent(mistakes: Tensor) -> float:
    return 100 * mistakes.double().mean().item()


def speed(device: torch.device) -> Findings:
    """Time 32 networks 2-50-50-1, one after the other and at once: ratios, five times."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1000, 2, generator=generator).to(device)
    signs = (x[:, 0] * x[:, 1]).sign()
    orders = torch.randperm(1000, generator=generator).to(device).split(100)
    ways = (_one_by_one, _by_products, _by_vmap)
    seconds = {way.__name__: [] for way in ways}
    for repeat in range(6):
        for way in ways:
            started = time.perf_counter()
            way(x, signs, orders * 20, networks=32)
            if device.type == "cuda":
                torch.cuda.synchronize()
            if repeat > 0:  # the first round loads code
                seconds[way.__name__].append(time.perf_counter() - started)
    slow = seconds["_one_by_one"]
    ratios = {
        name: [one / many for one, many in zip(slow, seconds[name], strict=True)]
        for name in ("_by_products", "_by_vmap")
    }
    return Findings(
        {
            "times_faster": over_seeds(ratios["_by_products"], tolerance=100.0),
            "times_faster_vmap": over_seeds(ratios["_by_vmap"], tolerance=100.0),
        }
    )


LAYERS = (2, 50, 50, 1)


def _one_by_one(x: Tensor, signs: Tensor, orders: tuple, networks: int) -> list:
    """Train each network with the library's own modules and optimizer."""
    trained = []
    for _ in range(networks):
        layers = [torch.nn.Linear(a, b) for a, b in pairwise(LAYERS)]
        relu = torch.nn.ReLU()
        net = torch.nn.Sequential(layers[0], relu, layers[1], relu, layers[2]).to(x)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for chosen in orders:
            optimizer.zero_grad()
            loss = softplus(-signs[chosen] * net(x[chosen])[:, 0]).mean()
            loss.backward()
            optimizer.step()
        trained.append(net)
    return trained


def _by_products(x: Tensor, signs: Tensor, orders: tuple, networks: int) -> list[Tensor]:
    """Train all networks with one batched matrix product for each layer."""
    parameters = _many(networks, x)
    for chosen in orders:
        for parameter in parameters:
            parameter.requires_grad_(True)
        scores = forward(parameters, x[chosen])[..., 0]
        loss = softplus(-signs[chosen] * scores).mean(dim=1).sum()
        slopes = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, slope in zip(parameters, slopes, strict=True):
                parameter.requires_grad_(False).sub_(slope, alpha=0.1)
    return parameters


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
    return list(parameters)


def _many(networks: int, x: Tensor) -> list[Tensor]:
    generators = [torch.Generator().manual_seed(seed) for seed in range(networks)]
    return [parameter.to(x) for parameter in draw_networks(LAYERS, generators)]


def mnist(device: torch.device) -> Findings:
    """Train 100 networks on MNIST; see how the best of them fares on fresh images."""
    mistakes = torch.cat(
        [
            _mistakes(range(first, first + AT_ONCE), device)
            for first in tqdm(range(0, NETWORKS, AT_ONCE), "10 networks each")
        ],
        dim=1,
    )
    last = mistakes[-1]
    percent = last.double().mean(dim=1) * 100
    visible, sealed, average = _open_seals(last, splits=1000)
    early, fresh, _ = _open_seals(mistakes.movedim(0, 1).flatten(0, 1), splits=1000)
    game = _halves(last)
    best = int(game[0].argmin())
    claims = {
        "mnist_errors": Claim(percent.tolist(), "%", tolerance=0.3),
        "mnist_error": over_seeds(percent.tolist(), "%", tolerance=0.1),
        "mnist_worst": Claim(percent.max().item(), "%", tolerance=0.3),
        "mnist_best": Claim(percent.min().item(), "%", tolerance=0.3),
        "mnist_deviation": Claim(percent.std().item(), "%", tolerance=0.05),
        "mnist_after_one_epoch": Claim(
            (mistakes[0].double().mean(dim=1) * 100).tolist(), "%", tolerance=0.3
        ),
        "mnist_visible_half": Claim(game[0].tolist(), "%", tolerance=0.3),
        "mnist_sealed_half": Claim(game[1].tolist(), "%", tolerance=0.3),
        "mnist_game_reported": Claim(game[0][best].item(), "%", tolerance=0.3),
        "mnist_game_sealed": Claim(game[1][best].item(), "%", tolerance=0.3),
        "mnist_reported": _mean(visible, tolerance=0.1),
        "mnist_true": _mean(sealed, tolerance=0.1),
        "mnist_average": _mean(average, tolerance=0.1),
        "mnist_gap": _mean(sealed - visible, tolerance=0.1),
        "mnist_gap_with_epochs": _mean(fresh - early, tolerance=0.1),
    }
    for path in CACHE.glob("*.pt"):
        path.unlink()
    return Findings(claims, {"MNIST": mnist_data.checksum()})


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


def _mistakes(seeds: range, device: torch.device) -> Tensor:
    """Tell which test images each network gets wrong after each epoch: (10, K, 10000)."""
    path = CACHE / f"{device.type}_{seeds.start}.pt"
    if path.is_file():  # an earlier call was interrupted after this part
        return torch.load(path, weights_only=True)
    x, y, test_x, test_y = standardized_mnist(device)
    epochs = zip(range(EPOCHS), train_many(x, y, SIZES, seeds), strict=False)
    found = torch.stack(
        [(forward(nets, test_x).argmax(dim=2) != test_y).cpu() for _, nets in epochs]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(found, path.with_suffix(".partial"))
    path.with_suffix(".partial").rename(path)
    return found


def _halves(mistakes: Tensor) -> tuple[Tensor, Tensor]:
    """Give the errors in percent on the images of even and of odd number: (K,) each."""
    percent = mistakes.double() * 100
    return percent[:, ::2].mean(dim=1), percent[:, 1::2].mean(dim=1)


def _open_seals(mistakes: Tensor, splits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pick the best on a random half, open the other half: percent, (splits,) each."""
    visible, sealed = _seen_and_sealed(mistakes, splits)
    reported, true = pick_best(visible, sealed)
    return reported, true, sealed.mean(dim=1)
