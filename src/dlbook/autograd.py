"""Autograd: how torch remembers a computation, and the loop that everybody writes.

Sources: reverse and forward mode: A. Griewank and A. Walther, "Evaluating Derivatives", SIAM,
2008, doi:10.1137/1.9780898717761; the engine and the loop: A. Paszke et al., "PyTorch: an
imperative style, high-performance deep learning library", 2019, arXiv:1912.01703.
"""

import math
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from dlbook import backprop
from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_classes,
    require_count,
    require_finite,
    require_same_dtype,
    require_table,
    require_vector,
)
from dlbook.mlp import Layer, relu, relu_derivative

Pull = Callable[[Tensor], Tensor]  # of the slopes along a result, those along a source


@dataclass(eq=False)
class Node:
    """A tensor that remembers what it was computed from.

    Attributes:
        value: floats of any shape.
        parents: pairs of a node that entered and its pull: a function of the slopes of a
            later result along this value, which gives those along the value that entered.
        gradient: of a leaf, a node without parents: the sum of all slopes that arrived.

    Raises:
        TypeError: the value holds no floats.
        ValueError: the value is empty or not finite.
    """

    value: Tensor
    parents: tuple[tuple["Node", Pull], ...] = ()

    def __post_init__(self) -> None:
        require_finite(self.value, "value")
        self.depth = 1 + max((parent.depth for parent, _ in self.parents), default=-1)
        self.gradient = torch.zeros_like(self.value)


def add(a: Node, b: Node) -> Node:
    """Add two tensors; where one is expanded, its slopes are summed.

    Args:
        a: of any shape.
        b: of the same dtype, of a shape that broadcasts with that of a.

    Returns:
        a + b.

    Raises:
        TypeError: the dtypes differ.
    """
    require_same_dtype(a.value, b.value, "a and b")
    return Node(
        a.value + b.value,
        (
            (a, lambda slopes: sum_to(slopes, a.value.shape)),
            (b, lambda slopes: sum_to(slopes, b.value.shape)),
        ),
    )


def multiply(a: Node, b: Node) -> Node:
    """Multiply two tensors, number by number.

    Args:
        a: of any shape.
        b: of the same dtype, of a shape that broadcasts with that of a.

    Returns:
        a b.

    Raises:
        TypeError: the dtypes differ.
    """
    require_same_dtype(a.value, b.value, "a and b")
    return Node(
        a.value * b.value,
        (
            (a, lambda slopes: sum_to(slopes * b.value, a.value.shape)),
            (b, lambda slopes: sum_to(slopes * a.value, b.value.shape)),
        ),
    )


def matrix_product(a: Node, b: Node) -> Node:
    """Multiply two matrices.

    Args:
        a: (n, d).
        b: (d, k), of the same dtype.

    Returns:
        (n, k), the product a b.

    Raises:
        TypeError: the dtypes differ.
        ValueError: they are no matrices, or do not fit.
    """
    require_same_dtype(a.value, b.value, "a and b")
    require_table(a.value, "a")
    require_table(b.value, "b")
    if a.value.shape[1] != len(b.value):
        shapes = f"{tuple(a.value.shape)} and {tuple(b.value.shape)}"
        raise ValueError(f"a product needs (n, d) and (d, k), got {shapes}")
    return Node(
        a.value @ b.value,
        (
            (a, lambda slopes: slopes @ b.value.T),
            (b, lambda slopes: a.value.T @ slopes),
        ),
    )


def tanh(a: Node) -> Node:
    """Squash every number into the range from -1 to 1.

    Args:
        a: of any shape.

    Returns:
        the same shape.
    """
    value = torch.tanh(a.value)
    return Node(value, ((a, lambda slopes: slopes * (1 - value**2)),))


def mean(a: Node) -> Node:
    """Average all numbers.

    Args:
        a: of any shape.

    Returns:
        (), the mean.
    """
    shape, count = a.value.shape, a.value.numel()
    return Node(a.value.mean(), ((a, lambda slopes: (slopes / count).expand(shape)),))


def sum_to(slopes: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum slopes over the axes along which a tensor was expanded.

    Args:
        slopes: floats, along the expanded tensor.
        shape: the tensor had before it was expanded.

    Returns:
        floats of that shape: each number moved all of its copies, so their slopes add up.

    Raises:
        TypeError: the slopes are no floats.
        ValueError: a tensor of that shape does not expand to that of the slopes, or a slope
            is not finite.
    """
    require_finite(slopes, "slopes")
    ahead = slopes.ndim - len(shape)
    pairs = zip(shape, slopes.shape[max(ahead, 0) :], strict=False)
    if ahead < 0 or any(old not in (1, new) for old, new in pairs):
        raise ValueError(
            f"{tuple(shape)} must expand to the shape of slopes, got {tuple(slopes.shape)}"
        )
    for _ in range(ahead):
        slopes = slopes.sum(dim=0)
    for axis, length in enumerate(shape):
        if length == 1:
            slopes = slopes.sum(dim=axis, keepdim=True)
    return slopes


def backward(result: Node) -> None:
    """Add the slopes of a result to the gradient of every leaf that it was computed from.

    The deepest node that waits is complete, for what it went into lies deeper still; so each
    node hands its slopes on once.

    Args:
        result: a single number, the end of a computation; the gradients of its leaves change.

    Raises:
        ValueError: the result is not a single number.
    """
    if result.value.numel() != 1:
        raise ValueError(f"result must be one number, got {tuple(result.value.shape)}")
    waiting = {result: torch.ones_like(result.value)}
    while waiting:
        node = max(waiting, key=lambda node: node.depth)
        slopes = waiting.pop(node)
        if not node.parents:
            node.gradient = node.gradient + slopes
        for parent, pull in node.parents:
            waiting[parent] = waiting.get(parent, 0) + pull(slopes)


def nodes_of(result: Tensor) -> list[torch.autograd.graph.Node]:
    """List the nodes of torch's graph behind a result.

    Args:
        result: computed from a tensor that requires its gradient.

    Returns:
        each node once, that of the result first, every node after one that it feeds.

    Raises:
        ValueError: the result has no graph.
    """
    if result.grad_fn is None:
        raise ValueError("result must have a graph, got grad_fn None")
    found = {result.grad_fn: None}
    waiting = [result.grad_fn]
    while waiting:
        for source, _ in waiting.pop(0).next_functions:
            if source is not None and source not in found:  # None: needs no gradient
                found[source] = None
                waiting.append(source)
    return list(found)


def saved_at(node: torch.autograd.graph.Node) -> dict[str, Tensor]:
    """Tell which tensors a node of torch's graph keeps for the way back.

    Args:
        node: of a graph that no way back has gone through yet.

    Returns:
        the tensors by the names that torch gives them, such as `self` or `result`.

    Raises:
        RuntimeError: torch has freed them.
    """
    names = [name for name in dir(node) if name.startswith("_saved_")]
    values = {name.removeprefix("_saved_"): getattr(node, name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def jacobian_by_rows(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Find all slopes in reverse mode: one way back for each output.

    Args:
        function: gives a vector for a vector.
        x: (d,) floats, where to find the slopes.

    Returns:
        (k, d) floats: in row i the slopes of output i.

    Raises:
        TypeError: x holds no floats.
        ValueError: x is no finite vector, or the function gives none.
    """
    require_vector(x, "x")
    y, pull = torch.func.vjp(function, x)
    require_vector(y, "function(x)")
    rows = torch.eye(len(y), dtype=y.dtype, device=y.device)
    return torch.stack([pull(row)[0] for row in rows])


def jacobian_by_columns(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Find all slopes in forward mode: one way forward for each input.

    Args:
        function: gives a vector for a vector.
        x: (d,) floats, where to find the slopes.

    Returns:
        (k, d) floats: in column j the slopes along input j.

    Raises:
        TypeError: x holds no floats.
        ValueError: x is no finite vector, or the function gives none.
    """
    require_vector(x, "x")
    directions = torch.eye(len(x), dtype=x.dtype, device=x.device)
    columns = [torch.func.jvp(function, (x,), (d,))[1] for d in directions]
    require_vector(columns[0], "slopes of function(x)")
    return torch.stack(columns, dim=1)


class Softplus(torch.autograd.Function):
    """The rectifier with a round corner, log(1 + exp x), with a way back of its own.

    Call it as `Softplus.apply(x)`.
    """

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        """Go forward; log(exp x + exp 0) does not overflow.

        Args:
            x: floats of any shape.

        Returns:
            floats of the same shape, never below 0.
        """
        return torch.logaddexp(x, torch.zeros_like(x))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        """Save what the way back needs.

        Args:
            ctx: remembers it.
            inputs: what `forward` got.
            output: what it gave.
        """
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> Tensor:
        """Multiply slopes by the Jacobian: it is diagonal, and holds the logistic function.

        Args:
            ctx: has saved x.
            slopes: along the output, floats of its shape.

        Returns:
            slopes along x.
        """
        (x,) = ctx.saved_tensors
        return slopes * torch.sigmoid(x)


class _Kept:
    """A tensor in the hands of a graph; it goes when the graph lets go."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class SavedMemory(saved_tensors_hooks):
    """Watch what the graphs that are built in a `with` block keep for the way back."""

    def __init__(self) -> None:
        kept = weakref.WeakSet()

        def pack(tensor: Tensor) -> _Kept:
            parcel = _Kept(tensor.detach())  # else an output would hold its own graph
            kept.add(parcel)
            return parcel

        super().__init__(pack, lambda parcel: parcel.tensor)
        self._kept = kept

    def __enter__(self) -> "SavedMemory":
        super().__enter__()
        return self

    def bytes(self) -> int:
        """Count what is kept now, parameters too; memory that is kept twice counts once."""
        storages = [parcel.tensor.untyped_storage() for parcel in self._kept]
        return sum({s.data_ptr(): s.nbytes() for s in storages}.values())


class Images(Dataset):
    """Images with their labels: how many there are, and one of them.

    Raises:
        TypeError: the images are no floats, or the labels not int64.
        ValueError: there are no images, one is not finite, or there is not one label to each.
    """

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        require_finite(images, "images")
        require_classes(labels, len(images))
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


class Network(nn.Module):
    """A hidden layer of rectifiers, dropout, and a layer of scores.

    The parameters are drawn from torch's global generator, as in other people's code.

    Raises:
        ValueError: a width is below 1, or dropout outside 0..1.
    """

    def __init__(self, widths: tuple[int, int, int], dropout: float = 0.0) -> None:
        super().__init__()
        for width in widths:
            require_count(width, 1, "each width")
        self.hidden = nn.Linear(*widths[:2])
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(*widths[1:])

    def forward(self, x: Tensor) -> Tensor:
        """Compute the scores of a batch.

        Args:
            x: (n, inputs) floats.

        Returns:
            (n, classes) floats.
        """
        return self.output(self.dropout(functional.relu(self.hidden(x))))


def state_of(layers: list[Layer]) -> dict[str, Tensor]:
    """Name the parameters of two layers as a `Network` does.

    Args:
        layers: weights (k, d) and biases (k,) of the hidden layer and of the output.

    Returns:
        what `Network.load_state_dict` copies from.

    Raises:
        ValueError: there are not two layers.
    """
    if len(layers) != 2:
        raise ValueError(f"a Network has 2 layers, got {len(layers)}")
    named = zip(("hidden", "output"), layers, strict=True)
    return {
        f"{name}.{part}": values
        for name, layer in named
        for part, values in zip(("weight", "bias"), layer, strict=True)
    }


def train_epoch(
    network: nn.Module,
    loader: DataLoader,
    optimizer: Optimizer,
    longest: float = math.inf,
) -> float:
    """Visit every sample once, one step for each batch.

    Args:
        network: gives scores (n, classes) for inputs; its parameters change.
        loader: gives batches of inputs and labels (n,) int64, at least one.
        optimizer: of the parameters of the network.
        longest: the norm to which a longer gradient is shortened, above 0.

    Returns:
        the mean of the cross-entropies that the steps met, in nats.

    Raises:
        ValueError: there is no batch, a loss is not finite, or longest is not above 0.
    """
    _require_batches(loader)
    if longest != math.inf:
        require_above_zero(longest, "longest")
    network.train()
    total, seen = 0.0, 0
    for x, labels in loader:
        loss = functional.cross_entropy(network(x), labels)
        require_finite(loss.detach(), "loss")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), longest)
        optimizer.step()
        total, seen = total + loss.item() * len(x), seen + len(x)
    return total / seen


@torch.no_grad()
def error_rate(network: nn.Module, loader: DataLoader) -> float:
    """Tell how many labels the largest score misses.

    Args:
        network: gives scores (n, classes) for inputs; it is left in the mode `eval`.
        loader: gives batches of inputs and labels (n,) int64, at least one.

    Returns:
        the share of mistakes, from 0 to 1.

    Raises:
        TypeError: the labels of a batch are no int64.
        ValueError: there is no batch, a score is not finite, or the labels are not one class
            number for each.
    """
    _require_batches(loader)
    network.eval()
    wrong, seen = 0, 0
    for x, labels in loader:
        scores = network(x)
        require_finite(scores, "scores")
        require_classes(labels, len(scores), scores.shape[1])
        wrong += (scores.argmax(dim=1) != labels).sum().item()
        seen += len(x)
    return wrong / seen


class Rule(Protocol):
    """What `gradient_descent` offers for one tensor: `Descent`, `Momentum`, `Adam`."""

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights.

        Args:
            w: floats of any shape.
            gradient: floats of the same shape.

        Returns:
            floats of the same shape.
        """


def train_epoch_by_hand(
    layers: list[Layer],
    batches: Iterable[tuple[Tensor, Tensor]],
    rules: list[tuple[Rule, Rule]],
) -> list[Layer]:
    """Do by hand what `train_epoch` lets torch do.

    Args:
        layers: weights (k, d) and biases (k,), rectifiers between them; not changed.
        batches: inputs (n, d) floats and labels (n,) int64.
        rules: one for each weight and each bias; each remembers its own past.

    Returns:
        the layers after the last step.

    Raises:
        TypeError, ValueError: as in `backprop.trace`, `backprop.cross_entropy` and the rules.
    """
    for x, labels in batches:
        entered, sums = backprop.trace(x, layers, relu)
        along = backprop.cross_entropy_gradient(sums[-1], labels)
        slopes = backprop.backward(layers, entered, sums, along, relu_derivative)
        layers = [
            (weight_rule.step(w, along_w), bias_rule.step(b, along_b))
            for (weight_rule, bias_rule), (w, b), (along_w, along_b) in zip(
                rules, layers, slopes, strict=True
            )
        ]
    return layers


def _require_batches(loader: DataLoader) -> None:
    require_at_least(len(loader), 1, "number of batches")
