"""A convolutional network for digits: trained, interrupted, resumed, accelerated.

Source of the kind of net: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based
learning applied to document recognition", Proceedings of the IEEE 86(11), 1998,
doi:10.1109/5.726791.
"""

import ctypes
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm


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
    """
    layers = layers.to_empty(device="cpu")
    for layer in layers:
        for parameter in layer.parameters():
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
        model: layers whose weights, if any, have the outputs on axis 0.
        images: (n, channels, height, width) floats, n at least 1.

    Returns:
        one entry per layer, in order.
    """
    table, outputs = [], images[:1]
    for layer in model:
        outputs = layer(outputs)
        weights = getattr(layer, "weight", torch.empty(0))
        # Each weight of a layer works once at each position of its map.
        positions = outputs[0].numel() // max(1, len(weights))
        parameters = sum(parameter.numel() for parameter in layer.parameters())
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
        ValueError: the training images are empty, not finite, or all of one gray.
    """
    floats = torch.promote_types(images.dtype, torch.float32)
    pixels = training_images.to(floats)
    mean, deviation = pixels.mean(), pixels.std()
    if not deviation > 0 or not deviation.isfinite():
        raise ValueError(f"the training pixels must vary, their deviation is {deviation}")
    channels = 1 if images.ndim == 3 else images.shape[1]
    scaled = (images.to(floats) - mean) / deviation
    return scaled.reshape(len(images), channels, *images.shape[-2:])


@dataclass(frozen=True)
class Recipe:
    """How to descend.

    Attributes:
        step: the step size, above 0.
        momentum: the share of the velocity that stays, from 0 (plain SGD) to below 1.
        batch_size: images per step, at least 1.
        precision: the dtype of the products; parameters keep their own.
    """

    step: float = 0.1
    momentum: float = 0.0
    batch_size: int = 100
    precision: torch.dtype = torch.float32


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
    """
    velocities = [torch.zeros_like(parameter) for parameter in model.parameters()]
    return Training(model, velocities, generator, recipe)


def descend(training: Training, images: Tensor, labels: Tensor) -> Tensor:
    """Take one step downhill on one batch; changes parameters and velocities in place.

    Args:
        training: where the run stands.
        images: (n, channels, height, width) floats, on the device of the model.
        labels: (n,) int64, on the same device.

    Returns:
        the mean cross-entropy of the batch before the step, a scalar in nats.
    """
    recipe, parameters = training.recipe, list(training.model.parameters())
    lower = recipe.precision not in (torch.float32, torch.float64)
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


def train_epoch(training: Training, images: Tensor, labels: Tensor) -> None:
    """Show every image once, in a fresh order.

    Args:
        training: where the run stands; moves on by one epoch.
        images: (n, channels, height, width) floats, n at least 1, on the model's device.
        labels: (n,) int64, on the same device.

    Raises:
        ValueError: there are no images, or not one label each, or the loss diverged.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"need one label per image, got {len(labels)} for {len(images)}")
    order = torch.randperm(len(images), generator=training.generator).to(images.device)
    for batch in order.split(training.recipe.batch_size):
        loss = descend(training, images[batch], labels[batch])
    if not loss.isfinite():
        raise ValueError(f"loss is {loss.item()}: lower the step {training.recipe.step}")
    training.epoch += 1


@torch.no_grad()
def error_rate(model: nn.Sequential, images: Tensor, labels: Tensor) -> float:
    """Count the images whose highest score is not that of their label.

    Args:
        model: images to scores.
        images: (n, channels, height, width) floats, n at least 1.
        labels: (n,) int64.

    Returns:
        the share of mistakes, from 0 to 1.

    Raises:
        ValueError: there are no images, or not one label for each.
    """
    if len(images) == 0 or len(images) != len(labels):
        raise ValueError(f"need one label per image, got {len(labels)} for {len(images)}")
    parts = zip(images.split(500), labels.split(500), strict=True)  # bounds the memory
    wrong = [(model(part).argmax(dim=1) != truth).sum() for part, truth in parts]
    return torch.stack(wrong).sum().item() / len(images)


def tensors_of(training: Training) -> dict[str, Tensor]:
    """Name the tensors that training changes in place: parameters and velocities.

    Args:
        training: where the run stands.

    Returns:
        the tensors themselves, not copies, by name.
    """
    parts = {
        f"model.{name}": value for name, value in training.model.state_dict().items()
    }
    return parts | {f"velocity.{i}": v for i, v in enumerate(training.velocities)}


def save(training: Training, path: Path) -> None:
    """Write a checkpoint that holds all the next epoch depends on, or leave the old one.

    Args:
        training: where the run stands.
        path: the checkpoint; its folder is made if it is missing.

    Raises:
        OSError: the folder cannot be written, or is full.
    """
    parts = {
        name: value.cpu().contiguous() for name, value in tensors_of(training).items()
    }
    parts["generator"] = training.generator.get_state()
    parts["epoch"] = torch.tensor(training.epoch)
    parts["errors"] = torch.tensor(training.errors, dtype=torch.float64)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        file.write(to_bytes(parts, {"recipe": repr(training.recipe)}))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)  # readers see the old file or the new one, never a part


def load(training: Training, path: Path) -> None:
    """Go on where a checkpoint was written; changes the training in place.

    Args:
        training: a fresh start with the same model and the same recipe.
        path: a file that `save` has written.

    Raises:
        OSError: the file cannot be read.
        safetensors.SafetensorError: the file is not a whole checkpoint.
        ValueError: it belongs to another model or to another recipe.
    """
    with safe_open(path, "pt") as file:
        recipe = file.metadata()["recipe"]
        parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    own = tensors_of(training)
    if recipe != repr(training.recipe):
        raise ValueError(f"{path} must hold {training.recipe}, got {recipe}")
    if any(name not in parts or parts[name].shape != own[name].shape for name in own):
        raise ValueError(f"{path} must hold {list(own)}, got other names or shapes")
    for name, value in own.items():
        value.detach().copy_(parts[name])
    training.generator.set_state(parts["generator"])
    training.epoch = int(parts["epoch"])
    training.errors = parts["errors"].tolist()


def train(
    training: Training,
    data: tuple[Tensor, Tensor, Tensor, Tensor],
    epochs: int,
    path: Path,
) -> list[float]:
    """Train up to a number of epochs; interrupt it at will, call it again to go on.

    Args:
        training: a fresh start; if there is a checkpoint, it moves there first.
        data: training images and labels, test images and labels, on the model's device.
        epochs: how many in all, those of the checkpoint counted in.
        path: the checkpoint, written after every epoch.

    Returns:
        the test error after each epoch, as a share from 0 to 1.

    Raises:
        ValueError: the checkpoint does not fit, has more epochs, or the loss diverged.
    """
    images, labels, test_images, test_labels = data
    if path.is_file():
        load(training, path)
    if training.epoch > epochs:
        raise ValueError(f"{path} has {training.epoch} epochs already, got {epochs}")
    with tqdm(total=epochs, initial=training.epoch, unit="epoch") as progress:
        while training.epoch < epochs:
            train_epoch(training, images, labels)
            training.errors.append(error_rate(training.model, test_images, test_labels))
            save(training, path)
            progress.set_postfix_str(f"test error {training.errors[-1]:.2%}")
            progress.update()
    return training.errors


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory for the next step.

    Large blocks otherwise go back to the system, and every step pays again for having
    each of their pages cleared. Holds for the whole process, until it ends.

    Returns:
        whether it did; only the GNU C library knows the request.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    largest_block, trim = (-3, 32 * 2**20), (-1, 2**31 - 1)  # M_MMAP_, M_TRIM_THRESHOLD
    library = ctypes.CDLL(None)
    return all(library.mallopt(*setting) == 1 for setting in (largest_block, trim))


def capture_step(
    training: Training, images: Tensor, labels: Tensor
) -> Callable[[Tensor, Tensor], None]:
    """Record one step as a CUDA graph: hundreds of launches become one.

    Args:
        training: where the run stands, with its model on a CUDA device; not moved.
        images: (n, channels, height, width) floats on that device, a batch to try with.
        labels: (n,) int64 on that device.

    Returns:
        a function of a batch of the same shapes, which takes the recorded step on it.

    Raises:
        ValueError: the images are not on a CUDA device.
    """
    if images.device.type != "cuda":
        raise ValueError(f"a CUDA graph needs images on cuda, got {images.device}")
    images, labels = images.clone(), labels.clone()  # the graph reads these addresses
    before = [value.clone() for value in tensors_of(training).values()]
    stream = torch.cuda.Stream(images.device)
    stream.wait_stream(torch.cuda.current_stream(images.device))
    with torch.cuda.stream(stream):  # libraries choose and set up their kernels first
        for _ in range(3):
            descend(training, images, labels)
    torch.cuda.current_stream(images.device).wait_stream(stream)
    for value, old in zip(tensors_of(training).values(), before, strict=True):
        value.detach().copy_(old)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):  # records, does not compute
        descend(training, images, labels)

    def step(next_images: Tensor, next_labels: Tensor) -> None:
        images.copy_(next_images)
        labels.copy_(next_labels)
        graph.replay()

    return step
