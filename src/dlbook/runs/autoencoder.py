"""Numbers of the chapter on autoencoders."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.utils._pytree import tree_leaves, tree_map
from tqdm import tqdm

from dlbook.autoencoder import (
    Autoencoder,
    Components,
    Linear,
    add_noise,
    along,
    angle_between,
    decode,
    denoise_exactly,
    denoise_linear,
    draw_autoencoder,
    encode,
    principal_components,
    reconstruct,
    reconstruction_error,
)
from dlbook.data import digits, mnist, photographs
from dlbook.knn import k_nearest_neighbors, nearest_points, squared_distances
from dlbook.mlp import Layer, draw_layers, forward, relu
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = range(5)
CODES = (1, 2, 4, 8, 16, 32)  # numbers in a code
HIDDEN = (64, 32)  # units of the encoder between pixels and code
STEPS, BATCH, ETA = 3000, 64, 0.003
LINEAR_CODE, LINEAR_STEPS = 8, 3000
SHARES = ((0.01, "percent"), (0.0001, "hundredth"))  # of excess loss
TOLD = 20  # steps of the linear autoencoder from one point of a curve to the next
SIGMA = 0.3  # standard deviation of the noise in training
SIGMAS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
CLEANER = [64, 128, 128, 128, 64]
SHOWN = 10  # one test digit of each class, in pictures
MAP = 9  # pictures on a side of the map of codes
WALK = 9  # places on the way from one digit to another


def quick(device: torch.device) -> Findings:
    """Compare components of the digits with one autoencoder of 2 and one of 8 numbers."""
    training, test, _, _ = tables(device)
    parts, claims = principal_components(training), {}
    claims["variances"] = Claim(parts.variances.tolist(), tolerance=1e-4)
    claims["variance"] = Claim(parts.variances.sum().item(), tolerance=1e-4)
    left = [lost(test, parts, k) for k in CODES]
    claims["components_on_test"] = Claim(left, tolerance=1e-4)
    claims["components_2"] = Claim(lost(test, parts, 2), tolerance=1e-4)
    claims["components_8"] = Claim(lost(test, parts, 8), tolerance=1e-4)
    fitted = [parts.variances[k:].sum().item() for k in CODES]
    claims["components_on_training"] = Claim(fitted, tolerance=1e-4)
    for k in (2, 8):
        (network,) = trained(training, k, [0], 1000)
        error = reconstruction_error(test, decode(encode(test, network), network)).item()
        claims[f"early_{k}"] = Claim(error, tolerance=0.2)
    return Findings(claims, {"digits": digits.checksum()})


def linear(device: torch.device) -> Findings:
    """Train linear autoencoders by Adam and by plain descent: the loss, and the space."""
    x = tables(device)[0].double()
    x = x - x.mean(dim=0)
    claims = {}
    for name, curves in (("adam", by_adam(x)), ("descent", by_descent(x))):
        excess, angles, inner = curves
        for kind, curve in (("excess", excess), ("angle", angles)):
            middle = curve.median(dim=0).values
            claims[f"{name}_{kind}_curve"] = Claim(middle.tolist(), tolerance=100.0)
            ends = spread(f"{name}_{kind}", curve[:, -1].tolist(), tolerance=10.0)
            claims |= ends
        claims |= spread(f"{name}_mixed", inner, tolerance=10.0)
        for share, words in SHARES[
            : 2 if name == "adam" else 1
        ]:  # plain steps stop there
            first = [int((row < share).nonzero()[0]) for row in excess]
            rows = range(len(first))
            claims |= spread(f"{name}_steps_{words}", [TOLD * i for i in first], 200.0)
            found = [angles[row, first[row]].item() for row in rows]
            claims |= spread(f"{name}_angle_{words}", found, tolerance=60.0)
    return Findings(claims, {"digits": digits.checksum()})


def codes(device: torch.device) -> Findings:
    """Train autoencoders of every size of code: errors, neighbors, foreign images."""
    training, test, labels, test_labels = tables(device)
    parts, claims = principal_components(training), {}
    foreign = patches(test, device)
    for k in tqdm(CODES, desc="codes"):
        networks = trained(training, k, SEEDS, STEPS)
        fitted, errors, missed, areas = [], [], [], []
        for network in networks:
            answers = [decode(encode(x, network), network) for x in (training, test)]
            fitted.append(reconstruction_error(training, answers[0]).item())
            errors.append(reconstruction_error(test, answers[1]).item())
            pair = encode(training, network), encode(test, network)
            missed.append(misread(*pair, labels, test_labels))
            strange = (decode(encode(foreign, network), network) - foreign).square()
            usual = (answers[1] - test).square()
            areas.append(area(usual.sum(dim=1), strange.sum(dim=1)))
        claims |= spread(f"fitted_{k}", fitted, tolerance=0.5)
        claims |= spread(f"error_{k}", errors, tolerance=0.5)
        claims |= spread(f"missed_{k}", missed, tolerance=10.0, unit="%")
        claims |= spread(f"area_{k}", areas, tolerance=0.1)
        directions = parts.directions[:k].T
        places = [(x - parts.mean) @ directions for x in (training, test)]
        wrong = misread(*places, labels, test_labels)
        claims[f"missed_by_components_{k}"] = Claim(wrong, "%", tolerance=0.5)
        usual, strange = (_left(x, parts, k) for x in (test, foreign))
        claims[f"area_of_components_{k}"] = Claim(area(usual, strange), tolerance=0.01)
        if k == 2:
            claims |= seen(networks[0], training, test, test_labels)
    raw = misread(training, test, labels, test_labels)
    claims["missed_by_pixels"] = Claim(raw, "%", tolerance=0.5)
    data = {"digits": digits.checksum(), "photographs": photographs.checksum()}
    return Findings(claims, data)


def stuck(device: torch.device) -> Findings:
    """Rectify the code: how many of 8 numbers are 0 for every image?"""
    training, test, _, _ = tables(device)
    claims, dead, errors = {}, [], []
    for network in trained(training, 8, SEEDS, STEPS, code=relu):
        z = relu(encode(training, network))
        dead.append(float((z.amax(dim=0) == 0).sum()))
        answer = decode(relu(encode(test, network)), network)
        errors.append(reconstruction_error(test, answer).item())
    claims |= spread("stuck", dead, tolerance=8.0)
    claims |= spread("error_of_rectified", errors, tolerance=1.0)
    return Findings(claims, {"digits": digits.checksum()})


def denoising(device: torch.device) -> Findings:
    """Remove noise in three ways; then give the net images that have nothing to learn."""
    training, test, _, test_labels = tables(device)
    parts, claims = principal_components(training), {}
    noisy = {s: add_noise(test, s, Generator().manual_seed(99)) for s in SIGMAS}
    cleaners = cleaned_by(training, SIGMA)
    for name, clean in (
        ("noisy", lambda x, s: x),
        ("linear", lambda x, s: denoise_linear(x, parts, s)),
        ("exact", lambda x, s: denoise_exactly(x, training, s)),
    ):
        errors = [per_pixel(test, clean(noisy[s], s)) for s in SIGMAS]
        claims[f"{name}_by_sigma"] = Claim(errors, tolerance=1e-4)
        claims[name] = Claim(errors[SIGMAS.index(SIGMA)], tolerance=1e-4)
    for s in SIGMAS:
        errors = [per_pixel(test, forward(noisy[s], net, relu)) for net in cleaners]
        claims |= spread(f"net_at_{s:g}".replace(".", "_"), errors, tolerance=0.02)
    blurred = [per_pixel(test, forward(test, net, relu)) for net in cleaners]
    claims |= spread("net_on_clean", blurred, tolerance=0.02)
    same = cleaned_by(training, 0.0)
    errors = [per_pixel(test, forward(noisy[SIGMA], net, relu)) for net in same]
    claims |= spread("without_noise", errors, tolerance=0.05)
    kept = [per_pixel(test, forward(test, net, relu)) for net in same]
    claims |= spread("without_noise_on_clean", kept, tolerance=0.02)
    claims |= placebo(parts)
    chosen = firsts(test_labels)
    for name, images in (
        ("noisy", noisy[SIGMA]),
        ("net", forward(noisy[SIGMA], cleaners[0], relu)),
    ):
        claims[f"shown_{name}"] = Claim(rounded(images[chosen]), tolerance=10.0)
    return Findings(claims, {"digits": digits.checksum()})


def placebo(parts: Components) -> dict[str, Claim]:
    """Train the same net on a normal cloud with the mean and the covariance of the digits."""
    generator = Generator().manual_seed(7)

    def cloud(count: int) -> Tensor:
        drawn = torch.randn(count, len(parts.variances), generator=generator)
        stretched = drawn.to(parts.mean) * parts.variances.sqrt()
        return parts.mean + stretched @ parts.directions

    test = cloud(5000)
    noisy = add_noise(test, SIGMA, generator)
    linear_error = per_pixel(test, denoise_linear(noisy, parts, SIGMA))
    claims = {"placebo_linear": Claim(linear_error, tolerance=0.002)}
    cleaners = cleaned_by(cloud, SIGMA)
    errors = [per_pixel(test, forward(noisy, net, relu)) for net in cleaners]
    return claims | spread("placebo_net", errors, tolerance=0.01)


def mnist_components(device: torch.device) -> Findings:
    """Squeeze MNIST into 30 components, whose error was published."""
    training, test = (part.flatten(1).double() / 255 for part in mnist.load()[::2])
    training, test = training.to(device), test.to(device)
    mean = training.mean(dim=0)
    covariance = (training - mean).T @ (training - mean) / len(training)
    first = torch.linalg.eigh(covariance).eigenvectors[:, -30:]
    answer = mean + (test - mean) @ first @ first.T
    error = reconstruction_error(test, answer).item()
    return Findings({"mnist": Claim(error, tolerance=1e-3)}, {"mnist": mnist.checksum()})


def tables(device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Give the digits as rows of 64 floats, and their labels: training, test, and both."""
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    return images.flatten(1), test_images.flatten(1), labels, test_labels


def trained(
    training: Tensor,
    k: int,
    seeds: list[int] | range,
    steps: int,
    code: Callable[[Tensor], Tensor] = lambda z: z,
) -> list[Autoencoder]:
    """Train one autoencoder for each seed by Adam, with steps that fall to 0.

    Args:
        training: (n, 64) floats.
        k: numbers in a code.
        seeds: of the networks.
        steps: how many to take.
        code: what is applied to the code.

    Returns:
        the networks.
    """
    drawn = [draw_autoencoder((64, *HIDDEN, k), seed) for seed in seeds]
    start = tree_map(lambda part: part.to(training.device), side_by_side(drawn))

    def squeeze(x: Tensor, network: Autoencoder) -> Tensor:
        return decode(code(encode(x, network)), network)

    return descend(start, squeeze, training, 0.0, steps, BATCH, ETA)


def cleaned_by(
    training: Tensor | Callable[[int], Tensor], sigma: float
) -> list[list[Layer]]:
    """Train one net for each seed to remove noise that is drawn anew for each batch."""
    start = side_by_side([draw_layers(CLEANER, seed) for seed in SEEDS])
    if isinstance(training, Tensor):
        start = tree_map(lambda part: part.to(training.device), start)
    return descend(
        start, lambda x, net: forward(x, net, relu), training, sigma, STEPS, BATCH, ETA
    )


def side_by_side(networks: list) -> object:
    """Stack networks of one shape: each weight gets the seeds as its first axis."""
    return tree_map(lambda *parts: torch.stack(parts), *networks)


def descend(
    start: object,
    answer: Callable[[Tensor, object], Tensor],
    training: Tensor | Callable[[int], Tensor],
    sigma: float,
    steps: int,
    size: int,
    eta: float,
) -> list:
    """Train networks side by side by Adam; they share nothing but the clock.

    Args:
        start: weights of all networks, with the seeds as first axis.
        answer: gives (size, d) floats for a batch and one network.
        training: (n, d) floats, or a function that draws so many images.
        sigma: noise on the inputs; the goal is without.
        steps: how many, of a length that falls evenly to 0.
        size: images in a batch, for each network others.
        eta: the first length of a step.

    Returns:
        the trained networks, one after the other.
    """
    parameters = [p.requires_grad_() for p in tree_leaves(start)]
    count, device = len(parameters[0]), parameters[0].device
    optimizer = torch.optim.Adam(parameters, lr=eta)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, steps)
    generator, many = Generator().manual_seed(0), torch.vmap(answer)
    for _ in tqdm(range(steps), desc="steps", leave=False):
        if callable(training):
            batch = training(count * size).unflatten(0, (count, size))
        else:
            chosen = torch.randint(len(training), (count, size), generator=generator)
            batch = training[chosen.to(device)]
        given = add_noise(batch, sigma, generator) if sigma else batch
        found = many(given, start)
        loss = (found - batch).square().sum() / size
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return [
        tree_map(lambda part, seed=seed: part[seed].detach(), start)
        for seed in range(count)
    ]


def by_adam(x: Tensor) -> tuple[Tensor, Tensor, list[float]]:
    """Train the linear autoencoder of each seed by Adam, steps of 0.01, then of 0.001."""
    networks = [_linear_start(x, seed) for seed in SEEDS]
    parts = [part.requires_grad_() for network in networks for part in network]
    optimizer = torch.optim.Adam(parts, lr=0.01)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2 * LINEAR_STEPS // 3])

    def move(_: list[Linear]) -> list[Linear]:
        for network in networks:
            slopes = linear_slopes(x, network)
            for part, slope in zip(network, slopes, strict=True):
                part.grad = slope
        optimizer.step()
        schedule.step()
        return [Linear(*(part.detach() for part in network)) for network in networks]

    return _watched(x, networks, move)


def by_descent(x: Tensor) -> tuple[Tensor, Tensor, list[float]]:
    """Train the linear autoencoder of each seed by plain steps of 0.05."""

    def move(networks: list[Linear]) -> list[Linear]:
        return [
            Linear(*(p - 0.05 * s for p, s in zip(n, linear_slopes(x, n), strict=True)))
            for n in networks
        ]

    return _watched(x, [_linear_start(x, seed) for seed in SEEDS], move)


def linear_slopes(x: Tensor, network: Linear) -> Linear:
    """Compute what `linear_gradient` does from the covariance, which is small: (64, 64)."""
    covariance = x.T @ x / len(x)
    encoder, decoder = (part.detach() for part in network)
    missed = 2 * (decoder @ encoder @ covariance - covariance)
    return Linear(decoder.T @ missed, missed @ encoder.T)


def _linear_start(x: Tensor, seed: int) -> Linear:
    ((encoder, _),), ((decoder, _),) = draw_autoencoder(
        (x.shape[1], LINEAR_CODE), seed, x.dtype
    )
    return Linear(encoder.to(x.device), decoder.to(x.device))


def _watched(
    x: Tensor, networks: list[Linear], move: Callable[[list[Linear]], list[Linear]]
) -> tuple[Tensor, Tensor, list[float]]:
    """Move networks, and note the excess loss and the angle of each after every few steps."""
    parts = principal_components(x)
    best = parts.variances[LINEAR_CODE:].sum()
    space = parts.directions[:LINEAR_CODE].T
    excess, angles = [], []
    for step in tqdm(range(LINEAR_STEPS + 1), desc="steps"):
        if step % TOLD == 0:
            now = [Linear(*(part.detach() for part in network)) for network in networks]
            losses = [reconstruction_error(x, reconstruct(x, network)) for network in now]
            excess.append(torch.stack(losses) / best - 1)
            found = [angle_between(network.decoder, space) for network in now]
            angles.append(torch.stack(found))
        networks = move(networks)
    one = torch.eye(LINEAR_CODE, dtype=x.dtype, device=x.device)
    mixed = [(w.decoder.T @ w.decoder - one).abs().max().item() for w in networks]
    return torch.stack(excess, dim=1).abs(), torch.stack(angles, dim=1), mixed


def lost(x: Tensor, parts: Components, k: int) -> float:
    """Give the reconstruction error of images through their first k components."""
    return _left(x, parts, k).mean().item()


def _left(x: Tensor, parts: Components, k: int) -> Tensor:
    """Give (n,) floats: what is left of each image, squared and summed over pixels."""
    centered = x - parts.mean
    return (reconstruct(centered, along(parts, range(k))) - centered).square().sum(dim=1)


def per_pixel(x: Tensor, answer: Tensor) -> float:
    """Give the mean squared error of a pixel."""
    return reconstruction_error(x, answer).item() / x.shape[1]


def misread(codes: Tensor, test: Tensor, labels: Tensor, test_labels: Tensor) -> float:
    """Give the share of test images that five neighbors misread from codes, in percent."""
    answers = k_nearest_neighbors(test, codes, labels, 5)
    return 100 * (answers != test_labels).double().mean().item()


def patches(test: Tensor, device: torch.device) -> Tensor:
    """Cut foreign images from photographs, with the mean and the variance of the digits.

    Args:
        test: (n, 64) floats, the test digits.
        device: where to put them.

    Returns:
        (n, 64) floats, gray patches of 8 x 8 pixels.
    """
    gray = photographs.load().float().mean(dim=1).to(device) / 255
    cut = gray.unfold(1, 8, 8).unfold(2, 8, 8).flatten(0, 2).flatten(1)
    varied = cut[cut.var(dim=1) > 0.002]
    order = torch.randperm(len(varied), generator=Generator().manual_seed(0))
    chosen = varied[order[: len(test)].to(device)]
    middle, size = chosen.mean(dim=1, keepdim=True), chosen.std(dim=1, keepdim=True)
    means, sizes = test.mean(dim=1, keepdim=True), test.std(dim=1, keepdim=True)
    return means + sizes * (chosen - middle) / size


def area(usual: Tensor, strange: Tensor) -> float:
    """Give the chance that a foreign image has the larger error of a pair: area under ROC."""
    higher = (strange[:, None] > usual).double()
    return (higher + 0.5 * (strange[:, None] == usual)).mean().item()


def firsts(labels: Tensor) -> Tensor:
    """Find the first image of each class."""
    return torch.stack([(labels == c).nonzero()[0, 0] for c in range(SHOWN)])


def rounded(values: Tensor, digits: int = 3) -> list[float]:
    """List numbers with so many digits, for pictures."""
    return [round(value, digits) for value in values.flatten().double().tolist()]


def seen(
    network: Autoencoder, training: Tensor, test: Tensor, test_labels: Tensor
) -> dict[str, Claim]:
    """Note what pictures show of a network with codes of two numbers.

    Returns:
        the codes of the training images, reconstructions of ten test digits, a map of decoded
        codes, and a walk between two test digits with its distances.
    """
    z = encode(training, network)
    low, high = z.quantile(0.02, dim=0), z.quantile(0.98, dim=0)
    ticks = torch.linspace(0, 1, MAP, device=z.device)
    places = torch.cartesian_prod(ticks, ticks).flip(1) * (high - low) + low
    ten = test[firsts(test_labels)]
    ends = ten[[0, 7]]
    steps = torch.linspace(0, 1, WALK, device=z.device)[:, None]
    ways = {
        "decoded": (
            (1 - steps) * encode(ends[:1], network) + steps * encode(ends[1:], network)
        ),
        "mixed": (1 - steps) * ends[:1] + steps * ends[1:],
    }
    found = {
        "codes": z,
        "ten": decode(encode(ten, network), network),
        "corners": torch.stack([low, high]),
        "map": decode(places, network),
        "way": ways["decoded"],
        "decoded": decode(ways["decoded"], network),
        "mixed": ways["mixed"],
    }
    claims = {f"plane_{k}": Claim(rounded(v), tolerance=100.0) for k, v in found.items()}
    for name in ("decoded", "mixed"):
        distances = squared_distances(found[name], training).amin(dim=1).sqrt()
        claims[f"walk_{name}"] = Claim(rounded(distances), tolerance=2.0)
    nearest = nearest_points(found["decoded"], training, 1)[:, 0].tolist()
    claims["walk_nearest"] = Claim([float(i) for i in nearest], tolerance=2000.0)
    spacing = squared_distances(test, training).amin(dim=1).sqrt().median()
    claims["spacing"] = Claim(spacing.item(), tolerance=1e-3)
    return claims


def spread(
    name: str, values: list[float], tolerance: float, unit: str = ""
) -> dict[str, Claim]:
    """Claim the median over seeds, the least and the largest."""
    return {
        name: over_seeds(values, unit, tolerance),
        f"least_{name}": Claim(min(values), unit, tolerance=tolerance),
        f"largest_{name}": Claim(max(values), unit, tolerance=tolerance),
    }
