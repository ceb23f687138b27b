"""Numbers of the chapter on language models."""

import bz2
import lzma
import math
import time
import zlib
from functools import partial

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from dlbook.data import prose
from dlbook.language import (
    Writer,
    add_constant,
    bits_per_symbol,
    count,
    decode,
    draw_writer,
    encode,
    learn_merges,
    number,
    read,
    witten_bell,
    write,
)
from dlbook.regularization import draw_mask, dropout
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = range(5)
ORDERS = range(1, 9)  # of the counting models on characters
MERGES, CONTEXT = 256, 64  # byte pairs, and the tokens that the network sees at once
WIDTH, DEPTH, HEADS = 96, 3, 4
STEPS, BATCH, WARM, ETA, DECAY, DROP = 1000, 16, 30, 0.005, 0.1, 0.1
TOLD = 125  # steps from one point of a curve to the next
SENTENCE = 240  # characters of the held-out text whose surprise is shown


def quick(device: torch.device) -> Findings:
    """Count: bits per character of the held-out text for each order, smoothed in two ways."""
    training, test = _numbered(device)
    symbols = len(alphabet())
    claims = {"uniform": Claim(math.log2(symbols), "bits", tolerance=1e-9)}
    tables = [count(training, n, symbols) for n in ORDERS]
    bits = [bits_per_symbol(witten_bell(tables[:n], test, symbols)) for n in ORDERS]
    claims["witten_bell"] = Claim(bits, "bits", tolerance=1e-6)
    for name, k in (("1", 1.0), ("0_01", 0.01)):
        added = [
            bits_per_symbol(add_constant(table, test, n, symbols, k))
            for n, table in zip(ORDERS, tables, strict=True)
        ]
        claims[f"add_{name}"] = Claim(added, "bits", tolerance=1e-6)
    text = "".join(prose.load()).encode()
    for compressor in (zlib, bz2, lzma):
        name = compressor.__name__
        packed = 8 * len(compressor.compress(text)) / len("".join(prose.load()))
        claims[name] = Claim(packed, "bits", tolerance=0.05)
    sizes = [len(part) for part in prose.load()]
    claims["characters"] = Claim([float(size) for size in sizes])
    return Findings(claims, {"prose": prose.checksum()})


def tokens(device: torch.device) -> Findings:
    """Learn byte pairs, and count on them: shorter texts, and the same unit in the end."""
    training, held_out = prose.load()
    merges, claims = list(tqdm(learn_merges(training, 1024), total=1024)), {}
    for few in (0, 64, 256, 1024):
        shorter = len(held_out) / len(encode(held_out, merges[:few]))
        claims[f"characters_per_token_{few}"] = Claim(shorter, tolerance=1e-9)
    learned, test = (
        encode(text, merges[:MERGES]).to(device) for text in (training, held_out)
    )
    symbols, bits = 256 + MERGES, []
    for order in range(1, 6):
        tables = [count(learned, n, symbols) for n in range(1, order + 1)]
        surprise = bits_per_symbol(witten_bell(tables, test, symbols))
        bits.append(surprise * len(test) / len(held_out))
    claims["tokens_witten_bell"] = Claim(bits, "bits", tolerance=1e-6)
    return Findings(claims, {"prose": prose.checksum()})


def writer(device: torch.device) -> Findings:
    """Train the Transformer on byte pairs, five seeds, and let it write."""
    training, held_out = prose.load()
    merges = list(learn_merges(training, MERGES))
    learned, test = (encode(text, merges).to(device) for text in (training, held_out))
    curves, seconds = [], []
    for seed in SEEDS:
        started = time.process_time()
        network, curve = train(learned, test, len(held_out), seed, device)
        seconds.append(time.process_time() - started)
        curves.append(curve)
        if seed == SEEDS[0]:
            first = network
    claims = {
        f"writer_after_{step}": over_seeds(list(points), "bits", tolerance=0.1)
        for step, points in zip(
            range(TOLD, STEPS + 1, TOLD), zip(*curves, strict=True), strict=True
        )
    }
    ends = [curve[-1] for curve in curves]
    claims |= {
        "writer": over_seeds(ends, "bits", tolerance=0.1),
        "least_writer": Claim(min(ends), "bits", tolerance=0.1),
        "largest_writer": Claim(max(ends), "bits", tolerance=0.1),
        "writer_seconds": over_seeds(seconds, "s", tolerance=1000.0),
        "writer_parameters": Claim(float(sum(p.numel() for p in parameters_of(first)))),
    }
    claims |= cached(first, learned[:CONTEXT])
    claims |= surprises(first, test, len(held_out))
    return Findings(claims, {"prose": prose.checksum()})


def train(
    learned: Tensor, test: Tensor, characters: int, seed: int, device: torch.device
) -> tuple[Writer, list[float]]:
    """Train one network by AdamW, with steps that rise for a while and then fall.

    Args:
        learned: (n,) int64, the tokens to train on.
        test: (m,) int64, those that are held out.
        characters: how many characters the held-out tokens stand for.
        seed: draws the start, the batches and the masks.
        device: where to compute.

    Returns:
        the network, and the held-out bits per character after each `TOLD` steps.
    """
    generator = Generator().manual_seed(seed)
    network = on(
        draw_writer(256 + MERGES, WIDTH, DEPTH, generator, torch.float32), device
    )
    parameters = [p.requires_grad_() for p in parameters_of(network)]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=ETA, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share_of_step)
    thinned = partial(_thinned, generator=generator)
    curve = []
    for step in tqdm(range(1, STEPS + 1), desc=f"seed {seed}"):
        starts = torch.randint(len(learned) - CONTEXT, (BATCH,), generator=generator)
        window = starts[:, None] + torch.arange(CONTEXT + 1)
        seen = learned[window.to(device)]
        scores, _ = read(seen[:, :-1], network, HEADS, thinned=thinned)
        loss = cross_entropy(scores.flatten(0, 1), seen[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % TOLD == 0:
            nats = surprise_of(network, test).sum().item()
            curve.append(nats / math.log(2) / characters)
    return network, curve


def share_of_step(step: int) -> float:
    """Give the step size at a step, as a share of the largest: up, then half a cosine."""
    if step < WARM:
        return (step + 1) / WARM
    done = (step - WARM) / max(1, STEPS - WARM)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


@torch.no_grad()
def surprise_of(network: Writer, test: Tensor) -> Tensor:
    """Give the surprise of each token but the first, in nats.

    Windows overlap by half, and of each only the new half counts, so that every token but
    those of the first window has at least half a window in front of it.
    """
    half, found = CONTEXT // 2, []
    for start in range(0, len(test) - 1, half):
        begin = max(0, start - half)
        window = test[begin : start + half + 1]
        scores, _ = read(window[None, :-1], network, HEADS)
        each = cross_entropy(scores[0], window[1:], reduction="none")
        found.append(each[start - begin :])
    return torch.cat(found)


def cached(network: Writer, prompt: Tensor) -> dict[str, Claim]:
    """Write 200 symbols with and without a cache, and compare the scores and the times."""
    wide = on(network, prompt.device, torch.float64)
    generator = Generator().manual_seed(0)
    started = time.process_time()
    symbols = 256 + MERGES
    written = list(write(wide, HEADS, prompt[:8], 200, 1.0, symbols, generator))
    with_cache = time.process_time() - started
    text = torch.cat([prompt[:8], prompt.new_tensor(written)])
    started, largest, cache = time.process_time(), 0.0, None
    with torch.no_grad():
        for end in range(8, len(text)):
            whole, _ = read(text[None, :end], wide, HEADS)
            new = text[None, :8] if cache is None else text[None, end - 1 : end]
            last, cache = read(new, wide, HEADS, cache)
            largest = max(largest, (whole[0, -1] - last[0, -1]).abs().max().item())
    both = time.process_time() - started
    return {
        "cache_off": Claim(largest, tolerance=1e-9),
        "cache_seconds": Claim(with_cache, "s", tolerance=1000.0),
        "cache_gain": Claim((both - with_cache) / with_cache, tolerance=1000.0),
    }


def surprises(network: Writer, test: Tensor, characters: int) -> dict[str, Claim]:
    """Tell the surprise of the first held-out characters, by counting and by the network.

    A token's surprise is spread evenly over its characters.
    """
    held_out = prose.load()[1]
    training, numbers = _numbered(test.device)
    symbols = len(alphabet())
    tables = [count(training, n, symbols) for n in range(1, 6)]
    counted = -witten_bell(tables, numbers[:SENTENCE], symbols).log2()
    merges = list(learn_merges(prose.load()[0], MERGES))
    nats = torch.cat([torch.zeros(1), surprise_of(network, test[:200]).cpu()])
    spread: list[float] = []
    for token, surprise in zip(test[:200].cpu(), nats.tolist(), strict=True):
        piece = decode(token[None], merges)
        spread += [surprise / math.log(2) / len(piece)] * len(piece)
    assert held_out[:SENTENCE].isascii(), "a token may end within a character otherwise"
    return {
        "surprise_counted": Claim(counted.tolist(), "bits", tolerance=0.01),
        "surprise_writer": Claim(spread[:SENTENCE], "bits", tolerance=6.0),
    }


def alphabet() -> str:
    """Give all characters of the text, in order."""
    return "".join(sorted(set("".join(prose.load()))))


def parameters_of(network: Writer) -> list[Tensor]:
    """List all numbers of a network, the table of symbols first."""
    found = [network.symbols, *network.norm]
    for block in network.blocks:
        pairs = [block.norm_1, *block.attention, block.norm_2, block.wide, block.narrow]
        found += [part for pair in pairs for part in pair]
    return found


def on(
    network: Writer, device: torch.device, dtype: torch.dtype = torch.float32
) -> Writer:
    """Bring a network to a device and a dtype."""

    def moved(part):
        if isinstance(part, Tensor):
            return part.detach().to(device, dtype)
        if hasattr(part, "_fields"):
            return type(part)(*map(moved, part))
        return type(part)(map(moved, part))

    return moved(network)


def _thinned(x: Tensor, generator: Generator) -> Tensor:
    return dropout(x, draw_mask(x, DROP, generator), DROP)


def _numbered(device: torch.device) -> tuple[Tensor, Tensor]:
    training, test = (number(text, alphabet()).to(device) for text in prose.load())
    return training, test
