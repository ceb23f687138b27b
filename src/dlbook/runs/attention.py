"""Numbers of the chapter on attention, and the network that its page runs in the browser.

The tables and matrices of that network are stored with 8 bits a number and one scale for each
row. The script `docs/assets/js/live/attention.js` reads the same bytes as `decoded` does here.
"""

import base64
import math
import statistics
from collections import deque
from collections.abc import Callable
from itertools import islice

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot, scaled_dot_product_attention
from tqdm import tqdm

from dlbook.attention import (
    Transformer,
    attention,
    draw_sequences,
    draw_transformer,
    embed,
    head_shares,
    least_error_without_places,
    shares,
    sinusoids,
    smooth,
    tensors_of,
    train,
    transformer,
)
from dlbook.autograd import SavedMemory
from dlbook.checkout import DOCS, write_atomically
from dlbook.data import digits
from dlbook.knn import k_nearest_neighbors
from dlbook.regularization import layer_norm
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = range(5)
SYMBOLS, LENGTH, WIDTH, HIDDEN = 10, 8, 32, 64
STEPS = 150
FRAMES = (0, 15, 25, 35, 50, 80, 150)  # steps whose map is told: those of the slider
WIDTHS = (4, 16, 64, 256, 1024)  # of a head, where scores are told
TAUS = (0.01, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0)
LENGTHS = (128, 256, 512, 1024)  # where memory is told
WIDE = torch.float64  # so that other machines find the same networks

WEIGHTS = DOCS / "assets" / "live" / "attention_weights.js"
LARGEST = 127  # the largest of the whole numbers that a weight is rounded to
BEFORE, AFTER = '(window.dlbookLive ??= {}).attentionWeights = "', '"\n'

Answer = Callable[[Tensor], Tensor]


def quick(device: torch.device) -> Findings:
    """Learn to reverse with five seeds; measure scores, memory and soft votes."""
    claims = reversed_by_five(device)
    claims |= scores_of_keys(device)
    claims |= kept_memory(device)
    claims |= soft_votes(device)
    least = 100 * least_error_without_places(LENGTH, SYMBOLS)
    claims["least_error_without_places"] = Claim(least, "%", tolerance=1e-9)
    return Findings(claims, {"digits": digits.checksum()})


def without_places(device: torch.device) -> Findings:
    """Learn to reverse without places, for two times, and with places but an even map."""
    symbols, sequences, mirrored = [], [], []
    longer, even = [], []
    for seed in tqdm(SEEDS, desc="seeds"):
        network, generator = started(seed, device)
        network = network._replace(places=torch.zeros_like(network.places).detach())
        steps = train(network, 1, reverse, 1000, generator)
        deque(islice(steps, STEPS), maxlen=0)
        wrong = mistakes(network, reverse, 20_000)  # a thousand scatter by half a percent
        symbols.append(share_of(wrong))
        sequences.append(share_of(wrong.any(dim=1)))
        mirrored.append(on_the_mirror(mean_map(network)))
        deque(steps, maxlen=0)
        longer.append(share_of(mistakes(network, reverse, 20_000)))
        network, generator = started(seed, device)
        network = with_even_map(network)
        learn(network, reverse, STEPS, generator)
        even.append(share_of(mistakes(network, reverse, 20_000)))
    claims = {
        **spread_of("blind_symbols", symbols, "%", 1.0),
        "blind_sequences": over_seeds(sequences, "%", tolerance=1.0),
        "blind_mirror": over_seeds(mirrored, tolerance=0.05),
        **spread_of("blind_symbols_1000", longer, "%", 1.0),
        **spread_of("even_symbols", even, "%", 1.0),
        "named_commonest": Claim(
            commonest_wrong(unseen(network, 20_000)), "%", tolerance=0.2
        ),
    }
    return Findings(claims)


def taken_away(device: torch.device) -> Findings:
    """Take the map from trained networks, and train without it for longer."""
    sorted_without, reversed_without, right, ends, slow = [], [], [], [], []
    for seed in tqdm(SEEDS, desc="seeds"):
        network, generator = started(seed, device)
        learn(network, in_order, 600, generator)
        sorted_without.append(share_of(mistakes(with_even_map(network), in_order)))
        by_place = on_the_right_keys(network)
        right.append(statistics.mean(by_place))
        ends.append((by_place[0] + by_place[-1]) / 2)
        network, generator = started(seed, device)
        learn(network, reverse, STEPS, generator)
        reversed_without.append(share_of(mistakes(with_even_map(network), reverse)))
        network, generator = started(seed, device)
        network, curve = with_even_map(network), []
        steps = train(network, 1, reverse, 3000, generator)
        for _ in range(6):
            deque(islice(steps, 500), maxlen=0)
            curve.append(share_of(mistakes(network, reverse)))
        slow.append(curve)
    symbols = unseen(network)
    carried = (in_order(symbols)[:, :, None] == symbols[:, None]).sum(dim=2).double()
    return Findings(
        {
            **spread_of("sort_taken_away", sorted_without, "%", 5.0),
            **spread_of("reverse_taken_away", reversed_without, "%", 5.0),
            "sort_right": over_seeds(right, tolerance=0.05),
            "sort_right_ends": over_seeds(ends, tolerance=0.1),
            "sort_right_even": Claim(carried.mean().item() / LENGTH, tolerance=1e-6),
            "sort_right_keys": Claim(carried.mean().item(), tolerance=1e-6),
            "even_symbols_by_500": Claim(middle(slow), "%", tolerance=10.0),
            **spread_of("even_symbols_3000", [c[-1] for c in slow], "%", 15.0),
        }
    )


def sort(device: torch.device) -> Findings:
    """Learn to sort with five seeds, tell where the map looks, and do without it."""
    wrong, curves, near, seen, even = [], [], [], [], []
    for seed in tqdm(SEEDS, desc="seeds"):
        network, generator = started(seed, device)
        losses = learn(network, in_order, 600, generator)
        curves.append([losses[step - 1] for step in range(100, 601, 100)])
        wrong.append(mistakes(network, in_order))
        by_distance, by_place = where_sorting_looks(network)
        near.append(by_distance)
        seen.append(by_place)
        network, generator = started(seed, device)
        network = with_even_map(network)
        learn(network, in_order, 600, generator)
        even.append(mistakes(network, in_order))
    claims = {
        **spread_of("sort_symbols", [share_of(w) for w in wrong], "%", 0.5),
        **spread_of("sort_sequences", [share_of(w.any(1)) for w in wrong], "%", 3.0),
        **spread_of("sort_even_symbols", [share_of(w) for w in even], "%", 0.5),
        **spread_of("sort_even_sequences", [share_of(w.any(1)) for w in even], "%", 3.0),
        "sort_losses": Claim(middle(curves), "nats", tolerance=0.1),
        "sort_by_distance": Claim(middle(near), tolerance=0.05),
        "sort_by_place": Claim(middle(seen), tolerance=0.5),
    }
    return Findings(claims)


def lengths(device: torch.device) -> Findings:
    """Learn to reverse eight symbols with sinusoids, and try other lengths."""
    found = {length: [] for length in (6, 7, 8, 9, 10)}
    by_place = {7: [], 9: []}
    for seed in tqdm(SEEDS, desc="seeds"):
        network, generator = started(seed, device)
        network = network._replace(places=told(LENGTH, device))
        learn(network, reverse, 400, generator)
        for length, errors in found.items():
            other = network._replace(places=told(length, device))
            wrong = mistakes(other, reverse)
            errors.append(share_of(wrong))
            if length in by_place:
                by_place[length].append((100 * wrong.double().mean(dim=0)).tolist())
    claims = {
        f"length_{length}": over_seeds(errors, "%", tolerance=5.0)
        for length, errors in found.items()
    }
    for length, rows in by_place.items():
        claims[f"places_{length}"] = Claim(middle(rows), "%", tolerance=5.0)
    return Findings(claims)


def widget(device: torch.device) -> Findings:
    """Train the network that the page runs, round its weights to 8 bits, and store them."""
    network, generator = started(0, device)
    learn(network, reverse, 400, generator)
    write_atomically(WEIGHTS, encoded(network))
    rounded = decoded(WEIGHTS.read_text(encoding="utf-8"))
    claims = {
        "widget_symbols": Claim(share_of(mistakes(rounded, reverse)), "%", tolerance=0.1),
        "widget_mirror": Claim(on_the_mirror(mean_map(rounded)), tolerance=0.02),
        "widget_size": Claim(WEIGHTS.stat().st_size / 1e3, "kB", tolerance=1.0),
    }
    return Findings(claims)


def reverse(symbols: Tensor) -> Tensor:
    """Write each sequence from its end to its beginning."""
    return symbols.flip(1)


def in_order(symbols: Tensor) -> Tensor:
    """Write each sequence from its smallest symbol to its largest."""
    return symbols.sort(dim=1).values


def started(seed: int, device: torch.device) -> tuple[Transformer, Generator]:
    """Draw the network of all tasks; the generator goes on to draw its sequences."""
    generator = Generator().manual_seed(seed)
    widths = WIDTH, HIDDEN
    network = draw_transformer(SYMBOLS, LENGTH, widths, 1, generator, WIDE)
    return moved(network, device), generator


def with_even_map(network: Transformer) -> Transformer:
    """Let every place look at all places alike: queries of 0, which nothing is learned of."""
    (block,) = network.blocks
    still = tuple(torch.zeros_like(part).detach() for part in block.attention.query)
    layers = block.attention._replace(query=still)
    return network._replace(blocks=[block._replace(attention=layers)])


def spread_of(
    name: str, values: list[float], unit: str, tolerance: float
) -> dict[str, Claim]:
    """Tell the median over the seeds, the least and the largest, each as a claim."""
    return {
        name: over_seeds(values, unit, tolerance),
        f"{name}_least": Claim(min(values), unit, tolerance=tolerance),
        f"{name}_largest": Claim(max(values), unit, tolerance=tolerance),
    }


def moved(network: Transformer, device: torch.device) -> Transformer:
    """Bring a network to a device."""
    for part in tensors_of(network):
        part.data = part.data.to(device)
    return network


def told(length: int, device: torch.device) -> Tensor:
    """Give sinusoids for a length, which nothing is learned of."""
    return sinusoids(torch.arange(length, dtype=WIDE, device=device), WIDTH)


def learn(
    network: Transformer, answer: Answer, steps: int, generator: Generator
) -> list[float]:
    """Train with one head, to the end."""
    return list(train(network, 1, answer, steps, generator))


def unseen(network: Transformer, n: int = 1000) -> Tensor:
    """Draw the sequences that every network is tested on."""
    return draw_sequences(n, network, Generator().manual_seed(99))


@torch.no_grad()
def mistakes(network: Transformer, answer: Answer, n: int = 1000) -> Tensor:
    """Tell which symbols of n test sequences are wrong, (n, T) bool."""
    symbols = unseen(network, n)
    return transformer(symbols, network, 1).argmax(dim=2) != answer(symbols)


@torch.no_grad()
def maps(network: Transformer, symbols: Tensor) -> Tensor:
    """Give the map of the only head of the first block, (n, T, T)."""
    block = network.blocks[0]
    x = layer_norm(embed(symbols, network), *block.norm_1)
    return head_shares(x, x, block.attention, 1)[:, 0]


def mean_map(network: Transformer) -> Tensor:
    """Average the map over the test sequences."""
    return maps(network, unseen(network)).mean(dim=0)


def on_the_mirror(mean: Tensor) -> float:
    """Average the share that a place gives to its mirror."""
    return mean.flip(1).diagonal().mean().item()


def share_of(wrong: Tensor) -> float:
    """Give the share of what is true, in %."""
    return 100 * wrong.double().mean().item()


def middle(rows: list[list[float]]) -> list[float]:
    """Take the median over the seeds, number by number."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def reversed_by_five(device: torch.device) -> dict[str, Claim]:
    """Learn to reverse with five seeds; of the first, keep maps and losses."""
    claims, symbols, sequences, mirrored = {}, [], [], []
    for seed in tqdm(SEEDS, desc="seeds", leave=False):
        network, generator = started(seed, device)
        if seed == 0:
            claims = frames_of(network, generator)
        else:
            learn(network, reverse, STEPS, generator)
        wrong = mistakes(network, reverse)
        symbols.append(share_of(wrong))
        sequences.append(share_of(wrong.any(dim=1)))
        mirrored.append(on_the_mirror(mean_map(network)))
    claims |= spread_of("reverse_symbols", symbols, "%", 0.05)
    claims["reverse_sequences"] = over_seeds(sequences, "%", tolerance=0.3)
    return claims | spread_of("reverse_mirror", mirrored, "", 0.01)


def frames_of(network: Transformer, generator: Generator) -> dict[str, Claim]:
    """Train, and keep the mean map at the steps of the slider, and every loss."""
    claims = {"map_0": Claim(mean_map(network).flatten().tolist(), tolerance=0.01)}
    losses, steps = [], train(network, 1, reverse, STEPS, generator)
    for step, loss in enumerate(steps, start=1):
        losses.append(loss)
        if step in FRAMES:
            seen = mean_map(network).flatten().tolist()
            claims[f"map_{step}"] = Claim(seen, tolerance=0.02)
    claims["losses"] = Claim(losses, "nats", tolerance=0.05)
    return claims


@torch.no_grad()
def where_sorting_looks(network: Transformer) -> tuple[list[float], list[float]]:
    """Tell the mean share of a key by how far its symbol lies from the right answer.

    And, for each place, the mean symbol that it looks at.
    """
    symbols = unseen(network)
    seen = maps(network, symbols)
    distances = (in_order(symbols)[:, :, None] - symbols[:, None]).abs()
    near = [seen[distances == distance].mean().item() for distance in range(SYMBOLS)]
    looked_at = (seen @ symbols.to(seen.dtype)[:, :, None]).mean(dim=(0, 2))
    return near, looked_at.tolist()


@torch.no_grad()
def on_the_right_keys(network: Transformer) -> list[float]:
    """Tell, for each place, what all keys with the symbol to be written get together."""
    symbols = unseen(network)
    right = in_order(symbols)[:, :, None] == symbols[:, None]
    return (maps(network, symbols) * right).sum(dim=2).mean(dim=0).tolist()


def commonest_wrong(symbols: Tensor) -> float:
    """Tell how often the commonest symbol of the other places is wrong, in %; ties: the least."""
    counts = one_hot(symbols, SYMBOLS)
    others = counts.sum(dim=1, keepdim=True) - counts
    return share_of(others.argmax(dim=2) != reverse(symbols))


def scores_of_keys(device: torch.device) -> dict[str, Claim]:
    """Measure scores of Gaussian queries and keys, and the largest of eight shares."""
    generator, claims = Generator().manual_seed(0), {}
    variances, plain, scaled = [], [], []
    for d in WIDTHS:
        q = torch.randn(1000, 1, d, generator=generator, dtype=WIDE).to(device)
        k = torch.randn(1000, 8, d, generator=generator, dtype=WIDE).to(device)
        variances.append((q @ k.mT).square().mean().item())
        scaled.append(shares(q, k).amax(dim=2).mean().item())
        plain.append(shares(math.sqrt(d) * q, k).amax(dim=2).mean().item())
    claims["score_variances"] = Claim(variances, tolerance=1e-6)
    claims["largest_share_plain"] = Claim(plain, tolerance=1e-6)
    claims["largest_share_scaled"] = Claim(scaled, tolerance=1e-6)
    return claims


def kept_memory(device: torch.device) -> dict[str, Claim]:
    """Count what eight heads of width 64 keep for the way back, by hand and in the library."""
    by_hand, library = [], []
    for length in LENGTHS:
        generator = Generator().manual_seed(0)
        drawn = torch.randn(3, 1, 8, length, 64, generator=generator)
        q, k, v = (part.clone().to(device).requires_grad_() for part in drawn)
        for function, found in (
            (attention, by_hand),
            (scaled_dot_product_attention, library),
        ):
            with SavedMemory() as kept:
                answer = function(q, k, v)
            found.append(kept.bytes() / 1e6)
            del answer
    return {
        "kept_by_hand": Claim(by_hand, "MB", tolerance=0.1),
        "kept_by_library": Claim(library, "MB", tolerance=1.0),
    }


def soft_votes(device: torch.device) -> dict[str, Claim]:
    """Read the digits by soft votes of several widths, and by one and three neighbors."""
    x, labels, others, truth = (part.to(device) for part in digits.load())
    x, others = x.flatten(1).double(), others.flatten(1).double()
    values, errors = one_hot(labels).double(), []
    for tau in TAUS:
        answers = smooth(others, x, values, tau).argmax(dim=1)
        errors.append(share_of(answers != truth))
    claims = {"soft_vote_errors": Claim(errors, "%", tolerance=0.3)}
    for k in (1, 3):
        answers = k_nearest_neighbors(others, x, labels, k)
        claims[f"neighbors_{k}"] = Claim(share_of(answers != truth), "%", tolerance=1e-6)
    return claims


@torch.no_grad()
def encoded(network: Transformer) -> str:
    """Write a network as a script that hands its bytes to the page.

    Args:
        network: of one block.

    Returns:
        a script with, in base 85: in the order of `tensors_of`, the scales of the rows of each
        table or matrix, and the vectors, as float32; then the tables and matrices as int8.
    """
    floats, integers = [], []
    for part in tensors_of(network):
        scales = part.abs().amax(dim=1) / LARGEST if part.ndim == 2 else part
        floats.append(scales.float().cpu())
        if part.ndim == 2:
            rounded = (part / scales[:, None]).round().to(torch.int8)
            integers.append(rounded.flatten().cpu())
    stored = torch.cat(floats).numpy().tobytes() + torch.cat(integers).numpy().tobytes()
    return BEFORE + base64.b85encode(stored).decode() + AFTER


@torch.no_grad()
def decoded(script: str) -> Transformer:
    """Read the network back, as the script of the page does.

    Args:
        script: what `encoded` wrote.

    Returns:
        the network with its rounded weights, in float64.
    """
    stored = bytearray(base64.b85decode(script.removeprefix(BEFORE).removesuffix(AFTER)))
    network, _ = started(0, torch.device("cpu"))
    parts = tensors_of(network)
    count = sum(len(part) for part in parts)
    floats = torch.frombuffer(stored, dtype=torch.float32, count=count).to(WIDE)
    sizes = [part.numel() for part in parts if part.ndim == 2]
    whole = torch.frombuffer(stored, dtype=torch.int8, offset=4 * count)[: sum(sizes)]
    integers = iter(whole.split(sizes))
    for part, values in zip(parts, floats.split([len(p) for p in parts]), strict=True):
        if part.ndim == 2:
            part.copy_(next(integers).view_as(part) * values[:, None])
        else:
            part.copy_(values)
    return network
