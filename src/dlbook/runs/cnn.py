"""What the chapter on training a convolutional network measures."""

import copy
import time
from collections.abc import Callable
from functools import partial
from types import ModuleType

import torch
from torch import Generator, Tensor

from dlbook.acceleration import (
    capture_step,
    choose_float32_products,
    keep_freed_memory,
    train,
)
from dlbook.checkout import ROOT
from dlbook.cnn import (
    Recipe,
    Training,
    begin,
    convolutional_network,
    costs,
    descend,
    error_rate,
    small_network,
    standardize,
    train_epoch,
)
from dlbook.data import cifar10 as color_images
from dlbook.data import digits
from dlbook.data import mnist as gray_images
from dlbook.runs.record import Claim, Findings, over_seeds

SEEDS = (0, 1, 2)
BATCH = 100
CHECKPOINTS = ROOT / ".cache" / "checkpoints"


def quick(device: torch.device) -> Findings:
    """Count the net's costs and train the small net on scikit-learn's digits.

    Args:
        device: where to compute; double precision, so that machines agree.

    Returns:
        parameters and products of the net, errors on digits, prepared and raw, and how many
        of five seeds stay as bad as guessing on raw pixels with the prepared ones' step.
    """
    table = costs(convolutional_network(Generator()), torch.zeros(1, 1, 28, 28))
    errors, raw, wild = (
        [100 * error_of(seed, device) for seed in range(5)]
        for error_of in (_digits_error, _raw_error, partial(_raw_error, step=0.3))
    )
    return Findings(
        {
            "parameters": Claim(sum(cost.parameters for cost in table), tolerance=0),
            "products": Claim(sum(cost.products for cost in table), tolerance=0),
            "digits_error": over_seeds(errors, "%", tolerance=1.0),
            "raw_error": over_seeds(raw, "%", tolerance=1.5),
            "raw_failures": Claim(sum(error > 85 for error in wild), tolerance=1),
            "raw_survivor": Claim(min(wild), "%", tolerance=10),
        },
        {"digits": digits.checksum()},
    )


def _digits_error(seed: int, device: torch.device) -> float:
    images, _, test_images, _ = digits.load()
    inputs, test_inputs = (
        standardize(part.double(), images) for part in (images, test_images)
    )
    return _small_error(inputs, test_inputs, seed, Recipe(0.3, batch_size=20), device)


def _raw_error(seed: int, device: torch.device, step: float = 0.03) -> float:
    """Train on pixels from 0 to 16, with steps that are small enough for them, or not."""
    inputs, test_inputs = (16 * digits.load()[part][:, None].double() for part in (0, 2))
    return _small_error(inputs, test_inputs, seed, Recipe(step, batch_size=20), device)


def _small_error(
    inputs: Tensor, test_inputs: Tensor, seed: int, recipe: Recipe, device: torch.device
) -> float:
    _, labels, _, test_labels = (part.to(device) for part in digits.load())
    generator = Generator().manual_seed(seed)
    model = small_network(generator).to(device, torch.float64)
    training = begin(model, generator, recipe)
    inputs, test_inputs = inputs.to(device), test_inputs.to(device)
    for _ in range(5):
        train_epoch(training, inputs, labels)
    return error_rate(model, test_inputs, test_labels)


def mnist(device: torch.device) -> Findings:
    """Train ten epochs on MNIST for each seed, in single precision.

    Args:
        device: where to train; the same code for all. On a CPU one core computes.

    Returns:
        test errors after each epoch, the last ones, and seconds of one training.
    """
    claims = train_seeds(device, Recipe(), 10, "mnist", gray_images)
    return Findings(claims, {"MNIST": gray_images.checksum()})


def cifar10(device: torch.device) -> Findings:
    """Train ten epochs on the color images of CIFAR-10, as `mnist` does on its own.

    Args:
        device: where to train; the same code for all.

    Returns:
        the same claims, named apart.
    """
    claims = train_seeds(device, Recipe(), 10, "cifar10", color_images)
    return Findings(claims, {"CIFAR-10": color_images.checksum()})


def train_seeds(
    device: torch.device,
    recipe: Recipe,
    epochs: int,
    name: str,
    source: ModuleType,
    replayed: bool = False,
) -> dict[str, Claim]:
    """Train every seed; interrupted runs go on from their checkpoints.

    Args:
        device: where to train.
        recipe: how to descend.
        epochs: how many.
        name: the first word of every claim.
        source: the module of the data set.
        replayed: whether a CUDA graph takes the steps.

    Returns:
        test errors after each epoch, the last ones, and seconds of one training.
    """
    if device.type == "cpu":
        torch.set_num_threads(1)
        keep_freed_memory()
    choose_float32_products("ieee")
    data = _prepared(source, device)
    paths, errors, seconds = [], [], []
    for seed in SEEDS:
        paths.append(CHECKPOINTS / f"cnn-{name}-{device.type}-{seed}.safetensors")
        training = _start(seed, recipe, device, channels=data[0].shape[1])
        watch = Stopwatch(device, replayed)
        errors.append(train(training, data, epochs, paths[-1], watch.run_epoch))
        seconds += [sum(watch.seconds)] if len(watch.seconds) == epochs else []
    claims = _errors_by_epoch(errors, name) | {
        f"{name}_threads": Claim(torch.get_num_threads(), tolerance=0)
    }
    if len(seconds) > 1:  # what was resumed does not know its time
        claims[f"{name}_seconds"] = over_seeds(seconds, "s", tolerance=1e9)
    for path in paths:
        path.unlink()
    return claims


class Stopwatch:
    """Runs epochs and takes the time of their steps, without tests and checkpoints.

    Attributes:
        seconds: of each epoch: processor time on a CPU, else what the wall clock says.
    """

    def __init__(self, device: torch.device, replayed: bool) -> None:
        self.device, self.replayed = device, replayed
        self.clock = time.process_time if device.type == "cpu" else time.perf_counter
        self.step: Callable[[Tensor, Tensor], Tensor] | None = None
        self.seconds: list[float] = []

    def run_epoch(self, training: Training, images: Tensor, labels: Tensor) -> None:
        """Run one epoch; libraries are set up, and a step is recorded, before the clock."""
        if self.step is None:
            self.step = self._prepared(training, images[:BATCH], labels[:BATCH])
        wait(self.device)
        started = self.clock()
        train_epoch(training, images, labels, self.step)
        wait(self.device)
        self.seconds.append(self.clock() - started)

    def _prepared(
        self, training: Training, images: Tensor, labels: Tensor
    ) -> Callable[[Tensor, Tensor], Tensor]:
        if self.replayed:
            return capture_step(training, images, labels)
        # A twin pays for what a library does at its first step.
        twin = begin(copy.deepcopy(training.model), Generator(), training.recipe)
        descend(twin, images, labels)
        return partial(descend, training)


def wait(device: torch.device) -> None:
    """Wait until a GPU has done all that it was told; a CPU has already."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _prepared(source: ModuleType, device: torch.device) -> tuple[Tensor, ...]:
    images, labels, test_images, test_labels = source.load()
    parts = (
        standardize(images, images),
        labels,
        standardize(test_images, images),
        test_labels,
    )
    return tuple(part.to(device) for part in parts)


def _start(seed: int, recipe: Recipe, device: torch.device, channels: int) -> Training:
    generator = Generator().manual_seed(seed)
    model = convolutional_network(generator, channels)
    # On a GPU the other layout pays for products of 16 bits only.
    whole = device.type != "cpu" and recipe.precision == torch.float32
    layout = torch.contiguous_format if whole else torch.channels_last
    return begin(model.to(device, memory_format=layout), generator, recipe)


def _errors_by_epoch(errors: list[list[float]], name: str) -> dict[str, Claim]:
    percent = torch.tensor(errors, dtype=torch.float64) * 100  # (seeds, epochs)
    series = {"least": percent.amin(0), "largest": percent.amax(0)}
    series["median"] = percent.median(dim=0).values
    claims = {
        f"{name}_{which}_by_epoch": Claim(values.tolist(), "%", tolerance=0.5)
        for which, values in series.items()
    }
    return claims | {f"{name}_error": over_seeds(percent[:, -1].tolist(), "%", 0.3)}
