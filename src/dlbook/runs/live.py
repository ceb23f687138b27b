"""The net that the page of chapter `cnn` runs in the browser: trained, rounded, measured.

The weights are stored with 8 bits each and one scale for each unit. The script
`docs/assets/js/live/cnn.js` reads the same bytes as `decoded` does here.
"""

import base64

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from dlbook.acceleration import keep_freed_memory, train
from dlbook.checkout import DOCS, ROOT, write_atomically
from dlbook.cnn import Recipe, begin, convolutional_network, error_rate, standardize
from dlbook.data import digits
from dlbook.data.mnist import checksum as mnist_checksum
from dlbook.data.mnist import load as load_mnist
from dlbook.runs.record import Claim, Findings

WEIGHTS = DOCS / "assets" / "live" / "cnn_weights.js"
CHECKPOINT = ROOT / ".cache" / "checkpoints" / "live-mnist.safetensors"
LARGEST = 127  # the largest of the whole numbers that a weight is rounded to
BEFORE, AFTER = '(window.dlbookLive ??= {}).cnnWeights = "', '"\n'


def quick(device: torch.device) -> Findings:
    """Read the stored net and let it classify the digits of scikit-learn.

    Args:
        device: where to compute; double precision, so that machines agree.

    Returns:
        the size of the file, and the share of right answers on digits of other writers.
    """
    model, mean, deviation = decoded(WEIGHTS.read_text(encoding="utf-8"))
    images, labels, test_images, test_labels = digits.load()
    pictures = [centered(image) for image in [*images, *test_images]]
    inputs = (torch.stack(pictures).double() - mean) / deviation
    truth = torch.cat([labels, test_labels]).to(device)
    error = error_rate(model.double().to(device), inputs[:, None].to(device), truth)
    return Findings(
        {
            "weights_size": Claim(WEIGHTS.stat().st_size / 1e3, "kB"),
            "digits_accuracy": Claim(100 * (1 - error), "%", tolerance=0.2),
        },
        {"digits": digits.checksum()},
    )


def mnist(device: torch.device) -> Findings:
    """Train the net of chapter `cnn` once, round its weights to 8 bits, and store them.

    Args:
        device: where to train.

    Returns:
        the share of right answers on the test images, before rounding and after.
    """
    keep_freed_memory()
    images, labels, test_images, test_labels = load_mnist()
    inputs, test_inputs = (
        standardize(part, images).to(device) for part in (images, test_images)
    )
    data = (inputs, labels.to(device), test_inputs, test_labels.to(device))
    generator = Generator().manual_seed(0)
    model = convolutional_network(generator).to(device, memory_format=torch.channels_last)
    errors = train(begin(model, generator, Recipe()), data, 10, CHECKPOINT)
    pixels = images.float()
    write_atomically(WEIGHTS, encoded(model, pixels.mean(), pixels.std()))
    rounded, _, _ = decoded(WEIGHTS.read_text(encoding="utf-8"))
    lost = error_rate(rounded.to(device), test_inputs, data[3]) - errors[-1]
    CHECKPOINT.unlink()
    return Findings(
        {
            "accuracy": Claim(100 * (1 - errors[-1]), "%", tolerance=0.3),
            "rounded_accuracy": Claim(100 * (1 - errors[-1] - lost), "%", tolerance=0.3),
            "accuracy_lost": Claim(100 * lost, "%", tolerance=0.1),
        },
        {"MNIST": mnist_checksum()},
    )


def weighted(model: nn.Sequential) -> list[nn.Module]:
    """List the layers that have weights, in order."""
    return [layer for layer in model if hasattr(layer, "weight")]


@torch.no_grad()
def encoded(model: nn.Sequential, mean: Tensor, deviation: Tensor) -> str:
    """Write a net as a script that hands its bytes to the page.

    Args:
        model: the layers, each with the outputs on axis 0 of its weights.
        mean: of the training pixels, from 0 to 255.
        deviation: of the training pixels, in the same unit.

    Returns:
        a script with, in base 85: mean, deviation, then scales and biases of each layer as
        float32, then the weights of each layer as int8.
    """
    floats, integers = [torch.stack([mean, deviation]).cpu()], []
    for layer in weighted(model):
        weights = layer.weight.cpu().contiguous().flatten(1)
        scales = weights.abs().amax(dim=1) / LARGEST  # one for each output
        floats += [scales, layer.bias.cpu()]
        integers.append((weights / scales[:, None]).round().to(torch.int8).flatten())
    stored = torch.cat(floats).numpy().tobytes() + torch.cat(integers).numpy().tobytes()
    return BEFORE + base64.b85encode(stored).decode() + AFTER


@torch.no_grad()
def decoded(script: str) -> tuple[nn.Sequential, float, float]:
    """Read the net back, as the script of the page does.

    Args:
        script: what `encoded` wrote.

    Returns:
        the net with its rounded weights, and mean and deviation of the training pixels.
    """
    stored = bytearray(base64.b85decode(script.removeprefix(BEFORE).removesuffix(AFTER)))
    model = convolutional_network(Generator())
    outputs = [len(layer.weight) for layer in weighted(model)]
    sizes = [layer.weight.numel() for layer in weighted(model)]
    count = 2 + 2 * sum(outputs)
    floats = torch.frombuffer(stored, dtype=torch.float32, count=count)
    integers = torch.frombuffer(stored, dtype=torch.int8, offset=4 * count)
    mean, deviation = floats[:2].tolist()
    pairs = floats[2:].split([2 * n for n in outputs])  # scales, then biases
    for layer, pair, whole in zip(
        weighted(model), pairs, integers.split(sizes), strict=True
    ):
        scales, biases = pair.chunk(2)
        weights = whole.view(len(scales), -1) * scales[:, None]
        layer.weight.copy_(weights.view_as(layer.weight))
        layer.bias.copy_(biases)
    return model, mean, deviation


def centered(image: Tensor) -> Tensor:
    """Place a digit as MNIST does: 20 pixels long, its center of mass in the middle.

    Args:
        image: (height, width) floats from 0 (paper) to 1 (ink), not all 0.

    Returns:
        (28, 28) floats from 0 (paper) to 255 (ink).
    """
    rows, columns = image.sum(1).nonzero()[:, 0], image.sum(0).nonzero()[:, 0]
    box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].double()
    longest = max(box.shape)
    height, width = (max(1, (40 * side + longest) // (2 * longest)) for side in box.shape)
    box = interpolate(
        box[None, None],
        (height, width),
        mode="bilinear",
        antialias=True,
        align_corners=False,
    )[0, 0]
    place = torch.zeros(28, 28, dtype=torch.float64)
    (top, left) = (
        min(max(int(torch.floor(14.5 - center)), 0), 28 - side)
        for center, side in zip(_center_of_mass(box), box.shape, strict=True)
    )
    place[top : top + height, left : left + width] = 255 * box
    return place


def _center_of_mass(box: Tensor) -> tuple[Tensor, Tensor]:
    """Average the middles of the pixels, weighted by their ink."""
    vertical = torch.arange(box.shape[0], dtype=box.dtype) + 0.5
    horizontal = torch.arange(box.shape[1], dtype=box.dtype) + 0.5
    ink = box.sum()
    return box.sum(1) @ vertical / ink, box.sum(0) @ horizontal / ink
