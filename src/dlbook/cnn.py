"""A convolutional network for digits: built, trained, looked into when it fails.

Source of the kind of net: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based
learning applied to document recognition", Proceedings of the IEEE 86(11), 1998,
doi:10.1109/5.726791.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_classes,
    require_finite,
)


def convolutional_network(generator: Generator, channels: int = 1) -> nn.Sequential:
    """Build the net for images of 28 x 28 pixels and ten classes, with drawn parameters.

    Args:
        generator: draws the parameters.
        channels: planes of an image, 1 for gray (105 506 parameters), 3 for color.

    Returns:
        (n, channels, 28, 28) images to (n, 10) scores; float32, on the CPU.
    """
    # Shapes alone, without numbers: layers would draw from the global generator.
    with torch.device("meta"):
        layers = nn.Sequential(
            nn.Conv2d(channels, 32, kernel_size=5),
            nn.MaxPool2d(3),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(256, 200),
            nn.ReLU(),
            nn.Linear(200, 10),
        )
    return draw_parameters(layers, generator)


def small_network(generator: Generator) -> nn.Sequential:
    """Build a net of 1610 parameters for images of 8 x 8 pixels and ten classes.

    Args:
        generator: draws the parameters.

    Returns:
        (n, 1, 8, 8) images to (n, 10) scores; float32, on the CPU.
    """
    with torch.device("meta"):
        layers = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(144, 10),
        )
    return draw_parameters(layers, generator)


def draw_parameters(layers: nn.Sequential, generator: Generator) -> nn.Sequential:
    """Draw weights and biases uniformly within 1 / sqrt(inputs of the unit) of zero.

    Args:
        layers: layers on the device `meta`, which have shapes and no numbers.
        generator: a generator of the CPU.

    Returns:
        the same layers on the CPU, with numbers.

    Raises:
        ValueError: a layer keeps numbers that are not learned, and would stay undrawn, or
            its weights have no inputs, such as those of a normalization.
    """
    if any(True for _ in layers.buffers()):
        raise ValueError(f"layers must hold parameters and nothing else, got {layers}")
    layers = layers.to_empty(device="cpu")
    for layer in layers.modules():
        for parameter in layer.parameters(recurse=False):
            if layer.weight.ndim < 2:
                raise ValueError(f"weights must have inputs to draw by, got {layer}")
            bound = layer.weight[0].numel() ** -0.5
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
    return layers


class Cost(NamedTuple):
    """What one layer takes for one image.

    Attributes:
        layer: its kind.
        shape: of its output for one image, without the batch.
        parameters: how many numbers it learns.
        products: how many multiplications its forward pass makes.
    """

    layer: str
    shape: tuple[int, ...]
    parameters: int
    products: int


@torch.no_grad()
def costs(model: nn.Sequential, images: Tensor) -> list[Cost]:
    """Count, layer by layer, what one image costs.

    Args:
        model: layers whose weights, if any, have the outputs on axis 0; asked in its mode
            for evaluation, and left in its own.
        images: (n, channels, height, width) floats, n at least 1.

    Returns:
        one entry per layer, in order.

    Raises:
        TypeError: the images are no floats.
        ValueError: there are none, one is not finite, or a layer is a net itself.
    """
    require_finite(images, "images")
    table, outputs = [], images[:1]
    for layer in model:
        with evaluating(layer):
            outputs = layer(outputs)
        weights = getattr(layer, "weight", torch.empty(0))
        # Each weight of a layer works once at each position of its map.
        positions = outputs[0].numel() // max(1, len(weights))
        parameters = sum(parameter.numel() for parameter in layer.parameters())
        if parameters and not len(weights):
            raise ValueError(f"each layer must own its weights, got {layer}")
        name, shape = type(layer).__name__, tuple(outputs.shape[1:])
        table.append(Cost(name, shape, parameters, weights.numel() * positions))
    return table


def standardize(images: Tensor, training_images: Tensor) -> Tensor:
    """Shift and scale by the mean and the deviation of the training set.

    Args:
        images: (n, height, width) or (n, channels, height, width) numbers.
        training_images: the same of m images, m at least 1, in the same unit.

    Returns:
        (n, channels, height, width) float32, or float64 if the images are; a gray image
        has 1 channel.

    Raises:
        TypeError: bytes beside floats, which cannot be in the same unit.
        ValueError: images of either kind are none or not finite, or all training pixels are
            of one gray.
    """
    if images.is_floating_point() != training_images.is_floating_point():
        kinds = f"{images.dtype} and {training_images.dtype}"
        raise TypeError(f"images must be in one unit, got {kinds}")
    floats = torch.promote_types(images.dtype, torch.float32)
    pixels, known = images.to(floats), training_images.to(floats)
    require_finite(pixels, "images")
    require_finite(known, "training_images")
    if known.min() == known.max():  # the deviation of rounded numbers may not be 0
        raise ValueError(f"the training pixels must vary, all are {known.max():g}")
    channels = 1 if images.ndim == 3 else images.shape[1]
    scaled = (pixels - known.mean()) / known.std()
    return scaled.reshape(len(images), channels, *images.shape[-2:])


@dataclass(frozen=True)
class Recipe:
    """How to descend.

    Attributes:
        step: the step size, above 0.
        momentum: the share of the velocity that stays, from 0 (plain SGD) to below 1.
        batch_size: images per step, at least 1.
        precision: bfloat16 for products of fewer bits; float32 leaves them as exact as
            the parameters, which keep their dtype in any case.

    Raises:
        ValueError: a number is out of range, or another precision is asked for.
    """

    step: float = 0.1
    momentum: float = 0.0
    batch_size: int = 100
    precision: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        require_above_zero(self.step, "step")
        require_at_least(self.batch_size, 1, "batch_size")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be from 0 to below 1, got {self.momentum}")
        if self.precision not in (torch.float32, torch.bfloat16):
            # float16 would need its losses scaled, or small gradients vanish
            raise ValueError(
                f"precision must be float32 or bfloat16, got {self.precision}"
            )


@dataclass
class Training:
    """Everything that the next epoch depends on, and what the epochs so far have shown.

    Attributes:
        model: the parameters.
        velocities: the state of the optimizer, one tensor per parameter, of its shape.
        generator: draws the order of the images; its state moves on with every epoch.
        recipe: how to descend.
        epoch: how many epochs are done.
        errors: the test error after each of them, as a share from 0 to 1.
    """

    model: nn.Sequential
    velocities: list[Tensor]
    generator: Generator
    recipe: Recipe
    epoch: int = 0
    errors: list[float] = field(default_factory=list)


def begin(model: nn.Sequential, generator: Generator, recipe: Recipe) -> Training:
    """Stand at the start of a training run.

    Args:
        model: with its first parameters, on the device where the images are.
        generator: a generator of the CPU, so that every device sees the same order.
        recipe: how to descend.

    Returns:
        epoch 0, at rest.

    Raises:
        TypeError: bfloat16 products for a model in float64, which torch leaves alone.
    """
    wide = any(parameter.dtype == torch.float64 for parameter in model.parameters())
    if wide and recipe.precision != torch.float32:
        raise TypeError(f"{recipe.precision} products need float32, got a float64 model")
    velocities = [torch.zeros_like(parameter) for parameter in model.parameters()]
    return Training(model, velocities, generator, recipe)


def descend(training: Training, images: Tensor, labels: Tensor) -> Tensor:
    """Take one step downhill on one batch; changes parameters and velocities in place.

    Args:
        training: where the run stands.
        images: (n, channels, height, width) floats, on the device of the model.
        labels: (n,) int64, on the same device; their values are not looked at here, and
            torch leaves an image with the label -100 out (`train_epoch` refuses it).

    Returns:
        the mean cross-entropy of the batch before the step, a scalar in nats.

    Raises:
        TypeError: images that are no floats, or labels that are not int64.
        ValueError: there are no images, or not one label for each.
    """
    _require_batch(images, labels)
    recipe, parameters = training.recipe, list(training.model.parameters())
    lower = recipe.precision != torch.float32
    with torch.autocast(images.device.type, recipe.precision, enabled=lower):
        loss = cross_entropy(training.model(images), labels)
    gradients = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for w, v, gradient in zip(
            parameters, training.velocities, gradients, strict=True
        ):
            v.mul_(recipe.momentum).add_(gradient)
            w.sub_(recipe.step * v)
    return loss.detach()


def _require_batch(images: Tensor, labels: Tensor) -> None:
    """Refuse by shape and dtype alone: to look at values would make a GPU wait."""
    if not images.is_floating_point() or labels.dtype != torch.int64:
        raise TypeError(
            f"need floats and int64 labels, got {images.dtype} and {labels.dtype}"
        )
    if len(images) == 0 or labels.shape != (len(images),):
        raise ValueError(
            f"need one label per image, got labels {tuple(labels.shape)} "
            f"for {len(images)} images"
        )


def train_epoch(
    training: Training,
    images: Tensor,
    labels: Tensor,
    step: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> None:
    """Show every image once, in a fresh order.

    Args:
        training: where the run stands; moves on by one epoch.
        images: (n, channels, height, width) floats, n at least 1, on the model's device.
        labels: (n,) int64, on the same device.
        step: takes a batch and its labels one step down and gives the loss; `descend`,
            where left out.

    Raises:
        TypeError: images that are no floats, or labels that are not int64.
        ValueError: there are no images, one is not finite, there is not one label each,
            a label is negative, or the loss diverged.
    """
    require_finite(images, "images")
    require_classes(labels, len(images))
    step = step or partial(descend, training)
    order = torch.randperm(len(images), generator=training.generator).to(images.device)
    for batch in order.split(training.recipe.batch_size):
        loss = step(images[batch], labels[batch])
    if not loss.isfinite():
        raise ValueError(f"loss is {loss.item()}: lower the step {training.recipe.step}")
    training.epoch += 1


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a net into its mode for evaluation, and each of its parts back afterwards.

    Args:
        model: with parts such as dropout, which behave otherwise while they learn.

    Yields:
        nothing; the mode holds inside the block.
    """
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@torch.no_grad()
def error_rate(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the images whose highest score is not that of their label.

    Args:
        model: images to scores; asked in its mode for evaluation, and left in its own.
        images: (n, channels, height, width) floats, n at least 1.
        labels: (n,) int64, numbers of classes.

    Returns:
        the share of mistakes, from 0 to 1.

    Raises:
        TypeError: images that are no floats, or labels that are not int64.
        ValueError: there are no images, not one label for each, a label that is no class,
            or a score that is NaN.
    """
    _require_batch(images, labels)
    with evaluating(model):
        parts = [model(part) for part in images.split(500)]  # bounds the memory
    scores = torch.cat(parts)
    require_classes(labels, len(images), scores.shape[1])
    if scores.isnan().any():
        raise ValueError("scores must be numbers, got NaN")
    return (scores.argmax(dim=1) != labels).double().mean().item()


class Sight(NamedTuple):
    """What one layer shows of itself on a batch.

    Attributes:
        layer: its kind.
        deviation: of the numbers that it puts out.
        zeros: the share of them that are 0, from 0 to 1.
        gradient: the length of the gradient of its weights; None where it has none.
    """

    layer: str
    deviation: float
    zeros: float
    gradient: float | None


def look_inside(model: nn.Sequential, images: Tensor, labels: Tensor) -> list[Sight]:
    """Look at the activations and gradients of every layer, without taking a step.

    Args:
        model: images to scores, layer after layer; asked in its mode for evaluation, and
            left in its own.
        images: (n, channels, height, width) floats, n at least 1, on the model's device.
        labels: (n,) int64, numbers of classes, on the same device.

    Returns:
        one entry per layer, in order.

    Raises:
        TypeError: images that are no floats, or labels that are not int64.
        ValueError: there are no images, not one label for each, or a label that is no
            class.
    """
    _require_batch(images, labels)
    outputs, shown = images, []
    with evaluating(model):
        for layer in model:
            outputs = layer(outputs)  # looked at now: the next may write into it
            zeros = (outputs == 0).double().mean().item()
            shown.append((type(layer).__name__, outputs.std().item(), zeros))
    require_classes(labels, len(images), outputs.shape[1])
    weights = [layer.weight for layer in model if hasattr(layer, "weight")]
    found = iter(torch.autograd.grad(cross_entropy(outputs, labels), weights))
    return [
        Sight(*seen, next(found).norm().item() if hasattr(layer, "weight") else None)
        for layer, seen in zip(model, shown, strict=True)
    ]
