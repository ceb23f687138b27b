"""Training fast: what limits a step is counted, then removed; and nothing is lost.

Source of mixed precision: P. Micikevicius et al., "Mixed precision training",
International Conference on Learning Representations, 2018, arXiv:1710.03740.
"""

import ctypes
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from tqdm import tqdm

from dlbook.cnn import Training, descend, error_rate, train_epoch


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

    All but the data, and but torch's global generator: a net with parts that draw while it
    learns, such as dropout, does not go on bit by bit.

    Args:
        training: where the run stands.
        path: the checkpoint; its folder is made if it is missing.

    Raises:
        OSError: the folder cannot be written, or is full; the old file stays as it was.
    """
    parts = {
        name: value.cpu().contiguous() for name, value in tensors_of(training).items()
    }
    parts["generator"] = training.generator.get_state()
    parts["epoch"] = torch.tensor(training.epoch)
    parts["errors"] = torch.tensor(training.errors, dtype=torch.float64)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, to_bytes(parts, {"recipe": repr(training.recipe)}))


def replace(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part.

    Args:
        path: of the file, in a folder that exists.
        content: what it shall hold.

    Raises:
        OSError: the folder cannot be written, or is full; nothing is left behind.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on the disk, before the name points to it
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Force the new name to the disk, too, where the system can do that to a folder."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(training: Training, path: Path) -> None:
    """Go on where a checkpoint was written; changes the training in place.

    Args:
        training: a fresh start with the same model and the same recipe. What has no
            parameters is not in the file: a ReLU in place of a tanh is not noticed.
        path: a file that `save` has written.

    Raises:
        OSError: the file cannot be read.
        safetensors.SafetensorError: the file is not a whole checkpoint.
        ValueError: it is none, or belongs to another model, dtype or recipe.
    """
    with safe_open(path, "pt") as file:
        recipe = (file.metadata() or {}).get("recipe")
        parts = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if recipe != repr(training.recipe):
        raise ValueError(f"{path} must hold {training.recipe}, got {recipe}")
    own = tensors_of(training)
    expected, found = (_kinds(tensors) for tensors in (own, parts))
    whole = found.keys() == own.keys() | {"generator", "epoch", "errors"}
    if not whole or not expected.items() <= found.items():
        raise ValueError(f"{path} must hold {expected}, got {found}")
    for name, value in own.items():
        value.detach().copy_(parts[name])
    training.generator.set_state(parts["generator"])
    training.epoch = int(parts["epoch"])
    training.errors = parts["errors"].tolist()


def _kinds(tensors: dict[str, Tensor]) -> dict[str, tuple]:
    return {name: (tuple(part.shape), part.dtype) for name, part in tensors.items()}


def train(
    training: Training,
    data: tuple[Tensor, Tensor, Tensor, Tensor],
    epochs: int,
    path: Path,
    run_epoch: Callable[[Training, Tensor, Tensor], None] = train_epoch,
) -> list[float]:
    """Train up to a number of epochs; interrupt it at will, call it again to go on.

    Args:
        training: a fresh start; if there is a checkpoint, it moves there first.
        data: training images and labels, test images and labels, on the model's device;
            to go on, give the same as before.
        epochs: how many in all, those of the checkpoint counted in; at least 0.
        path: the checkpoint, written at the start and after every epoch.
        run_epoch: how to run through one epoch.

    Returns:
        the test error after each epoch that `train` has run, as a share from 0 to 1.

    Raises:
        ValueError: the checkpoint does not fit, has more epochs, or the loss diverged.
    """
    images, labels, test_images, test_labels = data
    if path.is_file():
        load(training, path)
    if training.epoch > epochs:
        raise ValueError(f"{path} has {training.epoch} epochs already, got {epochs}")
    save(training, path)  # an interrupt in the first epoch finds its start again
    with tqdm(total=epochs, initial=training.epoch, unit="epoch") as progress:
        while training.epoch < epochs:
            run_epoch(training, images, labels)
            training.errors.append(error_rate(training.model, test_images, test_labels))
            save(training, path)
            progress.set_postfix_str(f"test error {training.errors[-1]:.2%}")
            progress.update()
    return training.errors


SILENT = ("_unsafe_view", "_record_function_enter_new", "_record_function_exit")


class Operators(TorchDispatchMode):
    """Counts, by name, the operators that compute inside a `with` block.

    Attributes:
        counts: how often each was called, `empty` too, which asks for memory. Views and
            the profiler's marks are left out: they move no number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        name = operator.overloadpacket.__name__
        if not operator.is_view and name not in SILENT:
            self.counts[name] += 1
        return operator(*args, **(kwargs or {}))


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


def choose_float32_products(kind: str) -> None:
    """Say how a GPU multiplies float32 numbers, for the whole process.

    Args:
        kind: "ieee" keeps all 24 bits of each factor, "tf32" rounds them to 11 bits; sums
            are float32 in both. Without a choice torch takes "tf32" in convolutions and
            "ieee" in matrix products.

    Raises:
        ValueError: another kind.
        RuntimeError: somebody has set torch's newer `fp32_precision`, which overrules it.
    """
    if kind not in ("ieee", "tf32"):
        raise ValueError(f'kind must be "ieee" or "tf32", got {kind!r}')
    torch.backends.cudnn.allow_tf32 = kind == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = kind == "tf32"
    chosen = torch.backends.cudnn.conv.fp32_precision  # "none" is ieee
    if (chosen == "tf32") != (kind == "tf32"):
        raise RuntimeError(f"products must be {kind}, fp32_precision keeps them {chosen}")


def capture_step(
    training: Training, images: Tensor, labels: Tensor
) -> Callable[[Tensor, Tensor], Tensor]:
    """Record one step as a CUDA graph, which one call replays.

    Args:
        training: where the run stands, with its model on a CUDA device; not moved.
        images: (n, channels, height, width) floats on that device, a batch to try with.
        labels: (n,) int64 on that device.

    Returns:
        a function of a batch of the same shapes and dtypes, which takes the recorded step
        on it, with the step size as it is now, and gives the loss.

    Raises:
        TypeError: images that are no floats, or labels that are not int64.
        ValueError: the images are not on a CUDA device, or there is not one label each;
            the function: a batch of other shapes or dtypes.
    """
    if images.device.type != "cuda":
        raise ValueError(f"a CUDA graph needs images on cuda, got {images.device}")
    images, labels = images.clone(), labels.clone()  # the graph reads these addresses
    expected = _kinds({"images": images, "labels": labels})
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(images.device), _unmoved(training):
        _warm_up(training, images, labels)
        with torch.cuda.graph(graph):  # records, does not compute
            loss = descend(training, images, labels)

    def step(next_images: Tensor, next_labels: Tensor) -> Tensor:
        found = _kinds({"images": next_images, "labels": next_labels})
        if found != expected:  # copy_ would broadcast, and cut floats
            raise ValueError(f"the graph takes {expected}, got {found}")
        images.copy_(next_images)
        labels.copy_(next_labels)
        graph.replay()
        return loss.clone()  # the next replay writes to the same place

    step.training = training  # the graph knows addresses only: keep what lies there
    return step


def _warm_up(training: Training, images: Tensor, labels: Tensor) -> None:
    """Take steps on a stream of their own, where libraries choose and set up kernels."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            descend(training, images, labels)
    torch.cuda.current_stream().wait_stream(stream)


@contextmanager
def _unmoved(training: Training) -> Iterator[None]:
    """Put parameters and velocities back, into the same places in memory."""
    before = {name: value.clone() for name, value in tensors_of(training).items()}
    try:
        yield
    finally:
        for name, value in tensors_of(training).items():
            value.detach().copy_(before[name])
