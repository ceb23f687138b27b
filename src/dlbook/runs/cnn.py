"""What the chapter on training a convolutional network measures."""

import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from dlbook.checkout import ROOT
from dlbook.cnn import (
    Recipe,
    Training,
    begin,
    capture_step,
    convolutional_network,
    costs,
    descend,
    error_rate,
    keep_freed_memory,
    small_network,
    standardize,
    train,
    train_epoch,
)
from dlbook.data import cifar10 as color_images
from dlbook.data import digits
from dlbook.data import mnist as gray_images
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = (0, 1, 2)
CHECKPOINTS = ROOT / ".cache" / "checkpoints"
ROUNDS, BLOCKS, STEPS = 3, 3, 20
VIEWS = ("t", "view", "detach", "expand", "transpose", "_unsafe_view", "as_strided")


def quick(device: torch.device) -> Findings:
    """Count the net's costs and train the small net on scikit-learn's digits.

    Args:
        device: where to compute; double precision, so that machines agree.

    Returns:
        parameters, products and bytes of the net, operators per step, errors on digits.
    """
    model = convolutional_network(Generator().manual_seed(0))
    table = costs(model, torch.zeros(1, 1, 28, 28))
    products = sum(cost.products for cost in table)
    # Backward makes as many products for the weights and as many for the inputs of a
    # layer; the images themselves need no gradient.
    a_step = 100 * (3 * products - table[0].products)
    errors = [100 * _digits_error(seed, device) for seed in range(5)]
    return Findings(
        {
            "parameters": Claim(sum(cost.parameters for cost in table), tolerance=0),
            "products": Claim(products, tolerance=0),
            "step_gigaflop": Claim(2 * a_step / 1e9, "GFLOP"),
            "first_output": Claim(400 * 32 * 24 * 24 / 1e6, "MB"),
            "operators": Claim(_count_operators(model), tolerance=25),
            "digits_error": over_seeds(errors, "%", tolerance=1.0),
        },
        {"digits": digits.checksum()},
    )


def _digits_error(seed: int, device: torch.device) -> float:
    images, labels, test_images, test_labels = (part.to(device) for part in digits.load())
    generator = Generator().manual_seed(seed)
    model = small_network(generator).to(device, torch.float64)
    training = begin(model, generator, Recipe(step=0.3, batch_size=20))
    for _ in range(5):
        train_epoch(training, standardize(images.double(), images), labels)
    return error_rate(model, standardize(test_images.double(), images), test_labels)


class _Operators(TorchDispatchMode):
    """Counts the operators that compute: on a GPU, each is at least one launch."""

    count = 0

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        self.count += operator.overloadpacket.__name__ not in VIEWS
        return operator(*args, **(kwargs or {}))


def _count_operators(model: torch.nn.Sequential) -> int:
    training = begin(model, Generator(), Recipe())
    with _Operators() as operators:
        descend(training, torch.zeros(100, 1, 28, 28), torch.zeros(100).long())
    return operators.count


def mnist(device: torch.device) -> Findings:
    """Train ten epochs on MNIST for each seed, in single precision, on the fast path.

    Args:
        device: where to train; the same code for all.

    Returns:
        test errors after each epoch, the last ones, and seconds of one training.
    """
    return _train_seeds(device, Recipe(), 10, "mnist", gray_images)


def mnist_bfloat16(device: torch.device) -> Findings:
    """Train five epochs as `mnist` does, with products in bfloat16.

    Args:
        device: where to train; the same code for all.

    Returns:
        the same claims, named apart.
    """
    recipe = Recipe(precision=torch.bfloat16)
    return _train_seeds(device, recipe, 5, "bfloat16", gray_images)


def cifar10(device: torch.device) -> Findings:
    """Train ten epochs on the color images of CIFAR-10, as `mnist` does on its own.

    Args:
        device: where to train; the same code for all.

    Returns:
        the same claims, named apart.
    """
    return _train_seeds(device, Recipe(), 10, "cifar10", color_images)


def _train_seeds(
    device: torch.device, recipe: Recipe, epochs: int, name: str, source: ModuleType
) -> Findings:
    """Train every seed; interrupted runs go on from their checkpoints."""
    keep_freed_memory()
    images, labels, test_images, test_labels = source.load()
    data = tuple(
        part.to(device)
        for part in (
            standardize(images, images),
            labels,
            standardize(test_images, images),
            test_labels,
        )
    )
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    paths, errors, seconds = [], [], []
    for seed in SEEDS:
        paths.append(CHECKPOINTS / f"cnn-{name}-{device.type}-{seed}.safetensors")
        fresh, started = not paths[-1].is_file(), clock()
        training = _fast_training(seed, recipe, device, channels=data[0].shape[1])
        errors.append(train(training, data, epochs, paths[-1]))
        seconds += [clock() - started] if fresh else []
    claims = _errors_by_epoch(errors, name) | {
        f"{name}_threads": Claim(torch.get_num_threads(), tolerance=0)
    }
    if len(seconds) > 1:  # what was resumed does not know its time
        claims[f"{name}_seconds"] = over_seeds(seconds, "s", tolerance=1e9)
    for path in paths:
        path.unlink()
    data_set = "MNIST" if source is gray_images else "CIFAR-10"
    return Findings(claims, {data_set: source.checksum()})


def _fast_training(
    seed: int, recipe: Recipe, device: torch.device, channels: int
) -> Training:
    generator = Generator().manual_seed(seed)
    model = convolutional_network(generator, channels)
    return begin(model.to(device, memory_format=torch.channels_last), generator, recipe)


def _errors_by_epoch(errors: list[list[float]], name: str) -> dict[str, Claim]:
    percent = torch.tensor(errors, dtype=torch.float64) * 100  # (seeds, epochs)
    series = {"least": percent.amin(0), "largest": percent.amax(0)}
    series["median"] = percent.median(dim=0).values
    claims = {
        f"{name}_{which}_by_epoch": Claim(values.tolist(), "%", tolerance=0.5)
        for which, values in series.items()
    }
    return claims | {f"{name}_error": over_seeds(percent[:, -1].tolist(), "%", 0.3)}


class Variant(NamedTuple):
    """One way to take the same step.

    Attributes:
        layout: how the numbers of a picture lie in memory.
        precision: of the products.
        keep: whether freed memory is kept.
        compiled: whether `torch.compile` translates the net first.
        graph: whether a CUDA graph replays the step.
    """

    layout: torch.memory_format = torch.contiguous_format
    precision: torch.dtype = torch.float32
    keep: bool = False
    compiled: bool = False
    graph: bool = False


LAST, HALF = torch.channels_last, torch.bfloat16
VARIANTS = {
    "default": Variant(),
    "keep": Variant(keep=True),
    "last": Variant(LAST),
    "last_keep": Variant(LAST, keep=True),
    "half": Variant(precision=HALF),
    "last_keep_half": Variant(LAST, HALF, keep=True),
    "compiled": Variant(compiled=True),
}
ON_CUDA = {
    "default": Variant(),
    "last": Variant(LAST),
    "half": Variant(LAST, HALF),
    "compiled": Variant(compiled=True),
    "graph": Variant(graph=True),
    "last_half_graph": Variant(LAST, HALF, graph=True),
}


def acceleration(device: torch.device) -> Findings:
    """Time one step of 100 images in every variant, each in a process of its own.

    Rounds interleave the variants, so that a busy minute of the machine hits all alike.
    On the CPU one thread computes and its processor time counts, not the wall's.

    Args:
        device: where to compute.

    Returns:
        milliseconds per step, gains over the default, page faults, time to compile.
    """
    variants = VARIANTS if device.type == "cpu" else ON_CUDA
    measured: dict[str, list[tuple[float, float, float]]] = {
        name: [] for name in variants
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # a compiler that starts afresh
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(1, maxtasksperchild=1) as pool:
            for _ in range(ROUNDS):
                for name, variant in variants.items():
                    measured[name].append(pool.apply(_measure, (variant, device.type)))
            peaks = [pool.apply(_peak, (device.type,)) for _ in range(ROUNDS)]
    return Findings(_compare(measured) | {"peak": _over_rounds(peaks, "GFLOP/s")})


def _measure(variant: Variant, kind: str) -> tuple[float, float, float]:
    """Give milliseconds and page faults per step, and seconds until the first is done."""
    torch.set_num_threads(1)
    if variant.keep:
        keep_freed_memory()
    device = torch.device(kind)
    generator = Generator().manual_seed(0)
    images = torch.randn(600, 1, 28, 28, generator=generator).to(device)
    labels = torch.randint(10, (600,), generator=generator).to(device)
    model = convolutional_network(generator).to(device, memory_format=variant.layout)
    training = begin(model, generator, Recipe(precision=variant.precision))
    if variant.compiled:
        model.compile()
    started = time.perf_counter()
    step = _step_of(training, variant, images[:100], labels[:100])
    batches = torch.arange(600, device=device).split(100)
    _seconds(step, images, labels, batches, 1, time.perf_counter)
    first = time.perf_counter() - started
    _seconds(step, images, labels, batches, 6, time.perf_counter)  # caches fill
    faults = _faults()
    clock = time.process_time if kind == "cpu" else time.perf_counter
    blocks = [
        _seconds(step, images, labels, batches, STEPS, clock) for _ in range(BLOCKS)
    ]
    spent = 1000 * statistics.median(blocks) / STEPS
    return spent, (_faults() - faults) / (BLOCKS * STEPS), first


def _step_of(
    training: Training, variant: Variant, images: Tensor, labels: Tensor
) -> Callable[[Tensor, Tensor], object]:
    if variant.graph:
        return capture_step(training, images, labels)
    return lambda images, labels: descend(training, images, labels)


def _seconds(
    step: Callable[[Tensor, Tensor], object],
    images: Tensor,
    labels: Tensor,
    batches: tuple[Tensor, ...],
    count: int,
    clock: Callable[[], float],
) -> float:
    _wait(images)
    started = clock()
    for i in range(count):
        batch = batches[i % len(batches)]
        step(images[batch], labels[batch])
    _wait(images)
    return clock() - started


def _wait(images: Tensor) -> None:
    if images.is_cuda:
        torch.cuda.synchronize()


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _peak(kind: str) -> float:
    """Measure the arithmetic of matrix products, in 1e9 operations a second."""
    torch.set_num_threads(1)
    a = torch.rand(1024, 1024, generator=Generator().manual_seed(0)).to(kind)
    a @ a
    _wait(a)
    clock = time.process_time if kind == "cpu" else time.perf_counter
    started = clock()
    for _ in range(10):
        a @ a
    _wait(a)
    return 10 * 2 * 1024**3 / (clock() - started) / 1e9


def _compare(measured: dict[str, list[tuple[float, float, float]]]) -> dict[str, Claim]:
    claims = {}
    default = [row[0] for row in measured["default"]]
    for name, rows in measured.items():
        milliseconds, faults, first = (list(column) for column in zip(*rows, strict=True))
        gains = [base / own for base, own in zip(default, milliseconds, strict=True)]
        claims[f"{name}_step"] = _over_rounds(milliseconds, "ms")
        claims[f"{name}_gain"] = _over_rounds(gains)
        claims[f"{name}_faults"] = _over_rounds(faults)
        if name == "compiled":  # later rounds find the compiled code on the disk
            claims["compile"] = Claim(first[0], "s", tolerance=1e9)
    return claims


def _over_rounds(values: list[float], unit: str = "") -> Claim:
    spread = {"rounds": len(values), "least": min(values), "largest": max(values)}
    return Claim(statistics.median(values), unit, spread, tolerance=1e9)
