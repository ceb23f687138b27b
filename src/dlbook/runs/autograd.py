"""Numbers of the chapter on autograd and the usual loop."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from dlbook.autograd import (
    Images,
    Network,
    SavedMemory,
    error_rate,
    jacobian_by_columns,
    jacobian_by_rows,
    state_of,
    train_epoch,
    train_epoch_by_hand,
)
from dlbook.data import digits
from dlbook.gradient_descent import Adam, Descent, Momentum
from dlbook.mlp import draw_layers
from dlbook.runs.record import Claim, Findings, over_seeds

WIDTHS = (64, 32, 10)
EPOCHS, ETA = 8, 0.5  # of every training of the mistakes
SEEDS = range(5)
SIZES = (1, 4, 16, 64, 256)  # inputs, and outputs, of the functions that are timed
HIDDEN = 256
RULES = {
    "plain": (Descent, lambda p: torch.optim.SGD(p, lr=0.1), 0.1),
    "momentum": (Momentum, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 0.1),
    "adam": (Adam, lambda p: torch.optim.Adam(p, lr=0.01), 0.01),
}


def quick(device: torch.device) -> Findings:
    """Compare the loop with the hand, and make the five mistakes."""
    training, test = _digits(device, torch.float64)
    laws = {
        f"law_{name}": Claim(_off_the_hand(name, training, device), tolerance=1e-9)
        for name in RULES
    }
    findings = laws | _steps_and_losses(training, test, device)
    findings |= _modes(training, test, device)
    findings |= _columns(device) | _kept(_digits(device, torch.float32)[0], device)
    return Findings(findings, {"digits": digits.checksum()})


def timing(device: torch.device) -> Findings:
    """Time both modes on functions from few or many inputs to few or many outputs.

    It counts processor time, on one thread where OMP_NUM_THREADS is 1.
    """
    pairs = {
        (inputs, outputs): _both_modes(inputs, outputs, device)
        for outputs in SIZES
        for inputs in SIZES
    }
    series = {
        f"{name}_{outputs}": [1000 * pairs[inputs, outputs][mode] for inputs in SIZES]
        for mode, name in enumerate(("reverse", "forward"))
        for outputs in SIZES
    }
    few, many = SIZES[0], SIZES[-1]
    gains = {
        "gain_reverse": pairs[many, few][1] / pairs[many, few][0],
        "gain_forward": pairs[few, many][0] / pairs[few, many][1],
    }
    return Findings(
        {name: Claim(times, "ms", tolerance=1000.0) for name, times in series.items()}
        | {name: Claim(gain, tolerance=1000.0) for name, gain in gains.items()}
    )


def _digits(device: torch.device, dtype: torch.dtype) -> tuple[Images, Images]:
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    return (
        Images(images.flatten(1).to(dtype), labels),
        Images(test_images.flatten(1).to(dtype), test_labels),
    )


def _shuffled(data: Images, seed: int) -> DataLoader:
    generator = torch.Generator().manual_seed(seed)
    order = BatchSampler(RandomSampler(data, generator=generator), 100, drop_last=False)
    return DataLoader(
        data, sampler=order, batch_size=None
    )  # a batch is asked for at once


def _network(
    seed: int,
    device: torch.device,
    dtype: torch.dtype = torch.float64,
    dropout: float = 0,
) -> Network:
    with torch.random.fork_rng(devices=[]):
        network = Network(WIDTHS, dropout)
    network.load_state_dict(state_of(draw_layers([*WIDTHS], seed)))
    return network.to(device, dtype)


def _off_the_hand(name: str, data: Images, device: torch.device) -> float:
    """Train two epochs twice, and give the largest difference of a parameter."""
    rule, optimizer_of, eta = RULES[name]
    layers = draw_layers([*WIDTHS], 0, torch.float64)
    layers = [(w.to(device), b.to(device)) for w, b in layers]
    network = _network(0, device)
    network.load_state_dict(state_of(layers))
    optimizer = optimizer_of(network.parameters())
    rules = [(rule(eta), rule(eta)) for _ in layers]
    one, other = _shuffled(data, 1), _shuffled(data, 1)
    for _ in range(2):
        train_epoch(network, one, optimizer)
        layers = train_epoch_by_hand(layers, other, rules)
    pairs = zip(state_of(layers).values(), network.state_dict().values(), strict=True)
    return max((mine - theirs).abs().max().item() for mine, theirs in pairs)


class _WithSoftmax(nn.Module):
    """A network that makes probabilities, as if the loss did not."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x).softmax(dim=1)


class _Hoarder(torch.optim.SGD):
    """The optimizer of somebody who forgets `zero_grad`."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Do nothing.

        Args:
            set_to_none: as in torch.
        """


def _trained(
    network: nn.Module, optimizer: Optimizer, data: Images, test: Images, seed: int
) -> tuple[list[float], float]:
    """Give the loss of each epoch, and the test error at the end, in percent."""
    loader = _shuffled(data, seed)
    losses = [train_epoch(network, loader, optimizer) for _ in range(EPOCHS)]
    return losses, 100 * error_rate(network, DataLoader(test, batch_size=500))


def _steps_and_losses(
    data: Images, test: Images, device: torch.device
) -> dict[str, Claim]:
    curves, errors = {}, {"right": [], "hoarded": [], "softmax": []}
    for seed in SEEDS:
        for name in errors:
            network = _network(seed, device)
            if name == "softmax":
                network = _WithSoftmax(network)
            kind = _Hoarder if name == "hoarded" else torch.optim.SGD
            optimizer = kind(network.parameters(), lr=ETA)
            losses, error = _trained(network, optimizer, data, test, seed)
            curves.setdefault(name, losses)
            errors[name].append(error)
    wide = {"hoarded": (2.0, 30.0)}  # steps that grow make much of a rounding
    found = {}
    for name, values in errors.items():
        of_loss, of_error = wide.get(name, (0.02, 1.5))
        found[f"curve_{name}"] = Claim(curves[name], "nats", tolerance=of_loss)
        found[f"error_{name}"] = over_seeds(values, "%", tolerance=of_error)
        found[f"least_error_{name}"] = Claim(min(values), "%", tolerance=of_error)
        found[f"largest_error_{name}"] = Claim(max(values), "%", tolerance=of_error)
    return found


def _modes(data: Images, test: Images, device: torch.device) -> dict[str, Claim]:
    """Train with dropout, and measure in both modes."""
    quiet, noisy = [], []
    loader = DataLoader(test, batch_size=500)
    for seed in SEEDS:
        network = _network(seed, device, dropout=0.5)
        optimizer = torch.optim.SGD(network.parameters(), lr=ETA)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            _, error = _trained(network, optimizer, data, test, seed)
            network.train()
            x, labels = next(iter(loader))
            wrong = (network(x).argmax(dim=1) != labels).double().mean().item()
        quiet.append(error)
        noisy.append(100 * wrong)
    return {
        "error_eval": over_seeds(quiet, "%", tolerance=2.0),
        "error_train": over_seeds(noisy, "%", tolerance=4.0),
    }


def _columns(device: torch.device) -> dict[str, Claim]:
    """Fit a line to labels of shape (n,) and (n, 1); the outputs are (n, 1)."""
    x = torch.linspace(-1, 1, 50, dtype=torch.float64, device=device)[:, None]
    y = 3 * x[:, 0] + 1
    found = {}
    for name, target in (("column", y[:, None]), ("vector", y)):
        line = nn.Linear(1, 1, dtype=torch.float64, device=device)
        nn.init.zeros_(line.weight)
        nn.init.zeros_(line.bias)
        optimizer = torch.optim.SGD(line.parameters(), lr=0.2)
        losses = []
        for _ in range(30):
            loss = ((line(x) - target) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        found[f"line_{name}"] = Claim(losses, tolerance=1e-6)
        found[f"slope_{name}"] = Claim(line.weight.item(), tolerance=1e-6)
    return found


def _kept(data: Images, device: torch.device) -> dict[str, Claim]:
    """Ask for the loss of ten batches, and keep each loss, or its number."""
    network = _network(0, device, torch.float32)
    batches = list(_shuffled(data, 0))[:10]
    kept, grown = {}, {"loss": [], "number": []}
    for name, sizes in grown.items():
        kept[name] = []
        with SavedMemory() as memory:
            for x, labels in batches:
                loss = functional.cross_entropy(network(x), labels)
                kept[name].append(loss if name == "loss" else loss.item())
                del loss
                sizes.append(memory.bytes() / 1000)
    return {f"kept_{name}": Claim(sizes, "kB") for name, sizes in grown.items()}


def _both_modes(inputs: int, outputs: int, device: torch.device) -> tuple[float, float]:
    """Give the processor seconds that each mode needs for the Jacobian of a small network."""
    (w1, b1), (w2, b2) = (
        (w.to(device), b.to(device))
        for w, b in draw_layers([inputs, HIDDEN, outputs], 0, torch.float64)
    )
    x = torch.linspace(-1, 1, inputs, dtype=torch.float64, device=device)

    def function(x: Tensor) -> Tensor:
        return w2 @ torch.tanh(w1 @ x + b1) + b2

    return tuple(
        _seconds(lambda mode=mode: mode(function, x), device)
        for mode in (jacobian_by_rows, jacobian_by_columns)
    )


def _seconds(call: Callable[[], Tensor], device: torch.device) -> float:
    """Time a call by the clock of the processor, which stands still while others compute."""
    seconds = []
    for turn in range(6):
        started = time.process_time()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if turn >= 1:  # the first call warms up
            seconds.append(time.process_time() - started)
    return min(seconds)
