"""What the chapter on training fast measures."""

import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy
from torch.profiler import profile, supported_activities

from dlbook.acceleration import (
    Operators,
    capture_step,
    choose_float32_products,
    keep_freed_memory,
)
from dlbook.cnn import (
    Recipe,
    Training,
    begin,
    convolutional_network,
    costs,
    descend,
)
from dlbook.data import mnist as gray_images
from dlbook.runs.cnn import train_seeds, wait
from dlbook.runs.record import Claim, Findings

BATCH = 100
ROUNDS, BLOCKS, STEPS = 3, 3, 20  # on a CPU
ROUNDS_ON_CUDA, SECONDS = 5, 0.5  # a GPU needs longer blocks to reach its clock
BATCHES = (100, 200, 400, 800, 1600, 3200)
PROFILED = ("default", "fused", "last_half_graph")
SIDE = 8192  # of the matrices that show a GPU's peak
LAUNCHES = (
    *("cudaLaunch", "cuLaunch", "cudaGraphLaunch"),
    *("cudaMemcpyAsync", "cudaMemsetAsync"),
)

Step = Callable[[Tensor, Tensor], Tensor]


def quick(device: torch.device) -> Findings:
    """Count what one step of 100 images takes.

    Args:
        device: where to compute.

    Returns:
        its arithmetic, the bytes of the first maps, and its operators by kind.
    """
    generator = Generator().manual_seed(0)
    model = convolutional_network(generator)
    table = costs(model, torch.zeros(1, 1, 28, 28))
    products = sum(cost.products for cost in table)
    # Backward makes as many products for the weights and as many for the inputs of a
    # layer; the images themselves need no gradient.
    a_step = BATCH * (3 * products - table[0].products)
    training = begin(model.to(device), generator, Recipe())
    images, labels = _batches(BATCH, device)
    own = _operators(partial(descend, training), images, labels)
    library = torch.optim.SGD(model.parameters(), 0.1, foreach=True)
    theirs = _operators(_step_of_the_library(training, library), images, labels)
    return Findings(
        {
            "products": Claim(products, tolerance=0),
            "step_gigaflop": Claim(2 * a_step / 1e9, "GFLOP"),
            "first_output": Claim(4 * BATCH * 32 * 24 * 24 / 1e6, "MB"),
            "operators": Claim(own.total(), tolerance=3),
            "optimizer_operators": Claim(
                sum(own[name] for name in ("mul_", "add_", "mul", "sub_")), tolerance=0
            ),
            "library_operators": Claim(theirs.total(), tolerance=6),
        }
    )


def _batches(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw images and labels; what they show does not change the time they take."""
    generator = Generator().manual_seed(0)
    images = torch.randn(count, 1, 28, 28, generator=generator).to(device)
    return images, torch.randint(10, (count,), generator=generator).to(device)


def _operators(step: Step, images: Tensor, labels: Tensor):
    with Operators() as operators:
        step(images, labels)
    return operators.counts


def _step_of_the_library(training: Training, optimizer: torch.optim.Optimizer) -> Step:
    def step(images: Tensor, labels: Tensor) -> Tensor:
        loss = cross_entropy(training.model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    return step


class Variant(NamedTuple):
    """One way to take the same step.

    Attributes:
        layout: how the numbers of a picture lie in memory.
        precision: of the products.
        products: how a GPU multiplies float32, "ieee" or "tf32".
        keep: whether freed memory is kept, on a CPU.
        optimizer: "ours", or "fused": the library's, all parameters in one launch.
        way: "launched" operator by operator, "compiled" first, or "replayed" as a graph.
    """

    layout: torch.memory_format = torch.contiguous_format
    precision: torch.dtype = torch.float32
    products: str = "ieee"
    keep: bool = False
    optimizer: str = "ours"
    way: str = "launched"


LAST, HALF = torch.channels_last, torch.bfloat16
VARIANTS = {
    "default": Variant(),
    "keep": Variant(keep=True),
    "last": Variant(LAST),
    "last_keep": Variant(LAST, keep=True),
    "half": Variant(precision=HALF),
    "last_keep_half": Variant(LAST, HALF, keep=True),
    "compiled": Variant(way="compiled"),
}
ON_CUDA = {
    "default": Variant(),
    "tf32": Variant(products="tf32"),
    "last": Variant(LAST),
    "half": Variant(precision=HALF),
    "last_half": Variant(LAST, HALF),
    "fused": Variant(optimizer="fused"),
    "graph": Variant(way="replayed"),
    "tf32_graph": Variant(products="tf32", way="replayed"),
    "last_tf32_graph": Variant(LAST, products="tf32", way="replayed"),
    "last_half_graph": Variant(LAST, HALF, way="replayed"),
    "compiled": Variant(way="compiled"),
}


def steps(device: torch.device) -> Findings:
    """Time one step of 100 images in every variant.

    On the CPU each has a process of its own, one thread computes, and its processor time
    counts, not the wall's. On a GPU all share one process. Rounds interleave the variants,
    so that a busy minute of the machine hits all alike.

    Args:
        device: where to compute.

    Returns:
        milliseconds per step and gains over the default; page faults on a CPU, kernels,
        launches and larger batches on a GPU; time to compile.
    """
    return Findings(_on_cpu() if device.type == "cpu" else _on_cuda(device))


def _on_cpu() -> dict[str, Claim]:
    measured: dict[str, list[tuple[float, float, float]]] = {
        name: [] for name in VARIANTS
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # a compiler that starts afresh
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1, maxtasksperchild=1) as pool:
            for _ in range(ROUNDS):
                for name, variant in VARIANTS.items():
                    measured[name].append(pool.apply(_measure, (variant,)))
            peaks = [pool.apply(_peak_of_a_core) for _ in range(ROUNDS)]
    claims = {"peak": _over_rounds(peaks, "GFLOP/s")}
    # Later rounds find the compiled code on the disk.
    claims["compile"] = Claim(measured["compiled"][0][2], "s", tolerance=1e9)
    for name, rows in measured.items():
        claims[f"{name}_faults"] = _over_rounds([row[1] for row in rows])
    return claims | _gains({k: [row[0] for row in v] for k, v in measured.items()})


def _measure(variant: Variant) -> tuple[float, float, float]:
    """Give milliseconds and page faults per step, and seconds until the first is done."""
    torch.set_num_threads(1)
    if variant.keep:
        keep_freed_memory()
    images, labels = _batches(6 * BATCH, torch.device("cpu"))
    started = time.perf_counter()
    step = _step_of(variant, images[:BATCH], labels[:BATCH])
    first = time.perf_counter() - started
    take = _taker(step, images, labels)
    for i in range(6):  # caches fill
        take(i)
    faults, blocks = _faults(), []
    for _ in range(BLOCKS):
        started = time.process_time()
        for i in range(STEPS):
            take(i)
        blocks.append(time.process_time() - started)
    spent = 1000 * statistics.median(blocks) / STEPS
    return spent, (_faults() - faults) / (BLOCKS * STEPS), first


def _step_of(variant: Variant, images: Tensor, labels: Tensor) -> Step:
    """Build a net for a variant, and take its first step: libraries are set up by it."""
    generator = Generator().manual_seed(0)
    model = convolutional_network(generator)
    model = model.to(images.device, memory_format=variant.layout)
    training = begin(model, generator, Recipe(precision=variant.precision))
    if variant.way == "compiled":
        model.compile()
    if variant.way == "replayed":
        step = capture_step(training, images, labels)
    elif variant.optimizer == "fused":
        library = torch.optim.SGD(model.parameters(), training.recipe.step, fused=True)
        step = _step_of_the_library(training, library)
    else:
        step = partial(descend, training)
    step(images, labels)
    wait(images.device)
    return step


def _taker(step: Step, images: Tensor, labels: Tensor) -> Callable[[int], Tensor]:
    """Give a function that takes step i, on a batch gathered as an epoch gathers it."""
    batches = torch.arange(len(images), device=images.device).split(BATCH)

    def take(i: int) -> Tensor:
        batch = batches[i % len(batches)]
        return step(images[batch], labels[batch])

    return take


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _peak_of_a_core() -> float:
    """Measure the arithmetic of matrix products, in 1e9 operations a second."""
    torch.set_num_threads(1)
    a = torch.rand(1024, 1024, generator=Generator().manual_seed(0))
    a @ a
    started = time.process_time()
    for _ in range(10):
        a @ a
    return 10 * 2 * 1024**3 / (time.process_time() - started) / 1e9


def _on_cuda(device: torch.device) -> dict[str, Claim]:
    images, labels = _batches(6 * BATCH, device)
    claims, ways = {}, {}
    for name, variant in ON_CUDA.items():
        choose_float32_products(variant.products)
        started = time.perf_counter()
        try:
            ways[name] = _step_of(variant, images[:BATCH], labels[:BATCH])
        except Exception as error:
            if variant.way != "compiled":
                raise
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            print(f"torch.compile does not work here, it is left out ({reason})")
            continue
        if variant.way == "compiled":
            claims["compile"] = Claim(time.perf_counter() - started, "s", tolerance=1e9)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS_ON_CUDA):
        for name, step in ways.items():
            choose_float32_products(ON_CUDA[name].products)
            take = _taker(step, images, labels)
            times[name].append(1000 * _seconds(take, device))
    claims |= _gains(times) | _larger_batches(device) | _peaks(device)
    for name in PROFILED:  # last, since a profiler may slow what follows
        choose_float32_products(ON_CUDA[name].products)
        take = _taker(ways[name], images, labels)
        claims |= {
            f"{name}_{what}": claim for what, claim in _profiled(take, device).items()
        }
    choose_float32_products("ieee")
    return claims


def _seconds(take: Callable[[int], Tensor], device: torch.device) -> float:
    """Time one call among as many as fill half a second, after some to warm up."""
    count = 20
    for _ in range(2):  # the first block warms up, and says how many fill the second
        wait(device)
        started = time.perf_counter()
        for i in range(count):
            take(i)
        wait(device)
        spent = (time.perf_counter() - started) / count
        count = max(20, int(SECONDS / spent))
    return spent


def _larger_batches(device: torch.device) -> dict[str, Claim]:
    """Time the default step with more and more images, in milliseconds."""
    choose_float32_products("ieee")
    times = []
    for count in BATCHES:
        images, labels = _batches(count, device)
        step = _step_of(Variant(), images, labels)
        times.append(
            1000 * _seconds(lambda i, s=step, x=images, y=labels: s(x, y), device)
        )
    return {
        "batches": Claim(list(map(float, BATCHES)), tolerance=0),
        "step_by_batch": Claim(times, "ms", tolerance=1e9),
    }


def _peaks(device: torch.device) -> dict[str, Claim]:
    """Measure the arithmetic of large matrix products, in 1e12 a second."""
    claims = {}
    for name, kind, dtype in (
        ("peak", "ieee", torch.float32),
        ("peak_tf32", "tf32", torch.float32),
        ("peak_half", "ieee", HALF),
    ):
        choose_float32_products(kind)
        a = torch.randn(SIDE, SIDE, generator=Generator().manual_seed(0)).to(
            device, dtype
        )
        spent = _seconds(lambda i, a=a: a @ a, device)
        claims[name] = Claim(2 * SIDE**3 / spent / 1e12, "TFLOP/s", tolerance=1e9)
    return claims


def _profiled(take: Callable[[int], Tensor], device: torch.device) -> dict[str, Claim]:
    """Ask the profiler for kernels and launches per step, and for how long the GPU works."""
    count = 10
    try:
        with profile(activities=supported_activities()) as trace:
            for i in range(count):
                take(i)
            wait(device)
        events = list(trace.events())
    except RuntimeError as error:
        print(f"the profiler does not work here, it is left out ({error})")
        return {}
    kernels = [event for event in events if event.device_type.name == "CUDA"]
    launches = [event for event in events if event.name.startswith(LAUNCHES)]
    if not kernels or not launches:
        print("the profiler sees no kernels here, it is left out")
        return {}
    busy = sum(event.time_range.elapsed_us() for event in kernels) / 1000
    return {
        "kernels": Claim(len(kernels) / count, tolerance=1e9),
        "launches": Claim(len(launches) / count, tolerance=1e9),
        "busy": Claim(busy / count, "ms", tolerance=1e9),
    }


def _gains(times: dict[str, list[float]]) -> dict[str, Claim]:
    """Compare milliseconds per step, round by round, with the default of the same round."""
    claims = {}
    for name, values in times.items():
        gains = [base / own for base, own in zip(times["default"], values, strict=True)]
        claims[f"{name}_step"] = _over_rounds(values, "ms")
        claims[f"{name}_gain"] = _over_rounds(gains)
    return claims


def _over_rounds(values: list[float], unit: str = "") -> Claim:
    spread = {"rounds": len(values), "least": min(values), "largest": max(values)}
    return Claim(statistics.median(values), unit, spread, tolerance=1e9)


def mnist_bfloat16(device: torch.device) -> Findings:
    """Train five epochs on MNIST as chapter `cnn` does, with products in bfloat16.

    Args:
        device: where to train; the same code for all. On a CPU one core computes.

    Returns:
        test errors after each epoch, the last ones, and seconds of one training.
    """
    claims = train_seeds(device, Recipe(precision=HALF), 5, "bfloat16", gray_images)
    return Findings(claims, {"MNIST": gray_images.checksum()})


def mnist_graph(device: torch.device) -> Findings:
    """Train ten epochs on MNIST with a CUDA graph: in float32, and with bfloat16 products.

    Args:
        device: a CUDA device.

    Returns:
        test errors after each epoch, the last ones, and seconds of one training, for each.

    Raises:
        ValueError: another device.
    """
    if device.type != "cuda":
        raise ValueError(f"a CUDA graph needs a CUDA device, got {device}")
    claims = {}
    for name, precision in (("mnist_graph", torch.float32), ("mnist_half_graph", HALF)):
        recipe = Recipe(precision=precision)
        claims |= train_seeds(device, recipe, 10, name, gray_images, replayed=True)
    return Findings(claims, {"MNIST": gray_images.checksum()})
