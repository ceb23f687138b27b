"""Numbers of the chapter on recurrent networks."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from dlbook.initialization import orthogonal
from dlbook.recurrent import (
    Weights,
    draw_weights,
    gru_step,
    lstm_step,
    rnn_step,
    set_forget_bias,
    unroll,
)
from dlbook.runs.record import Claim, Findings, over_seeds
from dlbook.runs.regularization import spread_of

SEEDS = range(5)
LENGTH = 40  # steps of a sequence
SYMBOLS = 4  # of which the first is to be remembered
FORGET = (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0)  # forget biases, the frames of the slider
UNITS, STEPS, BATCH, TESTS = 32, 300, 32, 500
Start = Callable[[int, int, Generator], Weights]  # of inputs, units and a generator


def plain(inputs: int, units: int, generator: Generator) -> Weights:
    """Start a plain cell as the library does."""
    return draw_weights(inputs, units, 1, generator, torch.float32)


def turning(inputs: int, units: int, generator: Generator) -> Weights:
    """Start a plain cell whose matrix turns the state, without biases."""
    weights = plain(inputs, units, generator)
    turn = orthogonal(units, generator, torch.float32)
    zeros = torch.zeros(units)
    return weights._replace(along_h=turn, bias_x=zeros, bias_h=zeros)


def gated(inputs: int, units: int, generator: Generator) -> Weights:
    """Start a GRU as the library does."""
    return draw_weights(inputs, units, 3, generator, torch.float32)


def opened(inputs: int, units: int, generator: Generator) -> Weights:
    """Start a GRU whose valve z is open: a bias of 3, so that it keeps 0.95 a step."""
    weights = gated(inputs, units, generator)
    weights.bias_x[units : 2 * units] = 0
    weights.bias_h[units : 2 * units] = 3
    return weights


def untouched(inputs: int, units: int, generator: Generator) -> Weights:
    """Start an LSTM as the library does."""
    return draw_weights(inputs, units, 4, generator, torch.float32)


def forgetting(bias: float, inputs: int, units: int, generator: Generator) -> Weights:
    """Start an LSTM with a forget bias."""
    weights = draw_weights(inputs, units, 4, generator, torch.float32)
    return set_forget_bias(weights, bias)


STARTS: dict[str, tuple[str, Start]] = {
    "plain": ("RNN", plain),
    "orthogonal": ("RNN", turning),
    "gru": ("GRU", gated),
    "gru_open": ("GRU", opened),
    "lstm": ("LSTM", untouched),
} | {f"lstm_{bias:g}": ("LSTM", partial(forgetting, bias)) for bias in FORGET}


def quick(device: torch.device) -> Findings:
    """Measure the gradient through time before any training, for twelve starts."""
    claims = sizes_of_the_matrix()
    for name in STARTS:
        sizes = torch.stack([gradient_through_time(name, seed, device) for seed in SEEDS])
        decades = (sizes / sizes[:, -1:]).log10()
        middle = decades.median(dim=0).values
        claims[f"gradient_{name}"] = Claim(middle.tolist(), "decades", tolerance=0.01)
        first = decades[:, 0].tolist()
        claims[f"first_{name}"] = over_seeds(first, "decades", tolerance=0.01)
        claims[f"least_first_{name}"] = Claim(min(first), "decades", tolerance=0.01)
        claims[f"largest_first_{name}"] = Claim(max(first), "decades", tolerance=0.01)
    return Findings(claims)


def remember(device: torch.device) -> Findings:
    """Train twelve starts to tell the first of 40 symbols at the end, five seeds each."""
    claims = {}
    for name in tqdm(STARTS, desc="starts"):
        trained = [train(name, LENGTH, seed, device) for seed in SEEDS]
        claims |= spread_of(f"error_{name}", [e for _, e in trained], tolerance=30.0)
        curves = torch.tensor([losses for losses, _ in trained])
        middle = curves.median(dim=0).values.tolist()
        claims[f"curve_{name}"] = Claim(middle, "nats", tolerance=1.0)
        learned = sum(error < 5 for _, error in trained)
        claims[f"learned_{name}"] = Claim(float(learned), tolerance=2.0)
    return Findings(claims)


def short(device: torch.device) -> Findings:
    """Ask for the first of ten symbols only: is it the length that beats the others?"""
    claims = {}
    for name in ("plain", "gru", "lstm_0", "lstm_1"):
        errors = [train(name, 10, seed, device)[1] for seed in tqdm(SEEDS, desc=name)]
        claims |= spread_of(f"short_{name}", errors, tolerance=40.0)
        learned = sum(error < 5 for error in errors)
        claims[f"short_learned_{name}"] = Claim(float(learned), tolerance=3.0)
    return Findings(claims)


def sizes_of_the_matrix() -> dict[str, Claim]:
    """Measure the library's matrix along the state: how far it stretches, and its eigenvalues."""
    stretches, radii = [], []
    for seed in SEEDS:
        matrix = plain(SYMBOLS, 16, Generator().manual_seed(seed)).along_h.double()
        stretches.append(torch.linalg.matrix_norm(matrix, 2).item())
        radii.append(torch.linalg.eigvals(matrix).abs().max().item())
    return {
        "stretch": over_seeds(stretches, tolerance=1e-4),
        "largest_stretch": Claim(max(stretches), tolerance=1e-4),
        "radius": over_seeds(radii, tolerance=1e-4),
    }


def gradient_through_time(name: str, seed: int, device: torch.device) -> Tensor:
    """Measure how the last state depends on each one before, at the start.

    Args:
        name: of the start; the cell of an LSTM is meant, not what it shows.
        seed: draws the weights, the inputs and the slope along the last state.
        device: where to compute.

    Returns:
        (LENGTH,) float64: the length of the gradient along the state behind each step, for
        16 units and inputs of deviation 0.5.
    """
    kind, start = STARTS[name]
    generator = Generator().manual_seed(seed)
    weights = start(SYMBOLS, 16, generator)
    weights = Weights(*(part.to(device, torch.float64) for part in weights))
    x = 0.5 * torch.randn(1, LENGTH, SYMBOLS, generator=generator, dtype=torch.float64)
    along = torch.randn(1, 16, generator=generator, dtype=torch.float64).to(device)
    zeros = torch.zeros(1, 16, dtype=torch.float64, device=device, requires_grad=True)
    step = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}[kind]
    first = (zeros, zeros) if kind == "LSTM" else zeros
    states = unroll(x.to(device), first, partial(step, weights=weights))
    kept = [state[1] if kind == "LSTM" else state for state in states]
    slopes = torch.autograd.grad((kept[-1] * along).sum(), kept)
    return torch.stack([slope.norm() for slope in slopes]).cpu()


def draw_sequences(
    n: int, length: int, generator: Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Draw sequences whose first symbol is to be remembered, and noise behind it.

    Args:
        n: how many.
        length: steps, at least 1.
        generator: draws, on the CPU.
        device: where they are to be.

    Returns:
        (n, length, SYMBOLS) floats, the first one-hot times 2 less 0.5, the others noise of
        deviation 0.5; and (n,) int64, the first symbol.
    """
    labels = torch.randint(SYMBOLS, (n,), generator=generator)
    x = 0.5 * torch.randn(n, length, SYMBOLS, generator=generator)
    x[:, 0] = 2 * torch.eye(SYMBOLS)[labels] - 0.5
    return x.to(device), labels.to(device)


class Reader(nn.Module):
    """A recurrent layer of the library, and scores from its last state.

    Attributes:
        layer: nn.RNN, nn.LSTM or nn.GRU.
        scores: nn.Linear.
    """

    def __init__(self, kind: str, weights: Weights) -> None:
        """Take a cell of our own, so that every start is drawn in one way.

        Args:
            kind: "RNN", "LSTM" or "GRU".
            weights: of the cell.
        """
        super().__init__()
        inputs, units = weights.along_x.shape[1], weights.along_h.shape[1]
        self.layer = getattr(nn, kind)(inputs, units, batch_first=True)
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        self.layer.load_state_dict(dict(zip(names, weights, strict=True)))
        self.scores = nn.Linear(units, SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        """Read (n, T, D) floats and give (n, SYMBOLS) scores."""
        return self.scores(self.layer(x)[0][:, -1])


def train(
    name: str, length: int, seed: int, device: torch.device
) -> tuple[list[float], float]:
    """Train one start on fresh sequences, 300 steps of Adam, and test it on 500 others.

    Returns:
        the losses, means of ten steps, in nats; and the error in percent; chance is 75.
    """
    kind, start = STARTS[name]
    generator = Generator().manual_seed(seed)
    weights = start(SYMBOLS, UNITS, generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # the scores know no generator
        network = Reader(kind, weights).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, STEPS)
    losses = []
    for _ in tqdm(range(STEPS), desc=f"{name}, seed {seed}", leave=False):
        x, labels = draw_sequences(BATCH, length, generator, device)
        optimizer.zero_grad()
        loss = cross_entropy(network(x), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    x, labels = draw_sequences(TESTS, length, generator, device)
    with torch.no_grad():
        wrong = (network(x).argmax(dim=1) != labels).double().mean().item()
    points = torch.tensor(losses).view(-1, 10).mean(dim=1)
    return points.tolist(), 100 * wrong
