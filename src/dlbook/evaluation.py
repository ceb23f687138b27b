"""Evaluation: measure what a model will do on data that nobody has looked at.

Sources: M. Stone, "Cross-validatory choice and assessment of statistical predictions",
Journal of the Royal Statistical Society B 36(2), 1974,
doi:10.1111/j.2517-6161.1974.tb00994.x; Y. Bengio and Y. Grandvalet, "No unbiased
estimator of the variance of k-fold cross-validation", Journal of Machine Learning
Research 5, 2004.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy

from dlbook.linear_regression import leverages


def draw_networks(sizes: Sequence[int], generators: Sequence[Generator]) -> list[Tensor]:
    """Draw the starting weights of many networks; each network has its own generator.

    Args:
        sizes: the width of each layer, from the input to the output, such as (2, 50, 1).
        generators: one for each of the K networks; they advance.

    Returns:
        weight (K, a, b) and bias (K, 1, b) of each layer in turn, float32: normal with
        variance 2/a, and zero.
    """
    parameters = []
    for a, b in pairwise(sizes):
        weights = [torch.randn(a, b, generator=generator) for generator in generators]
        parameters += [torch.stack(weights) * (2 / a) ** 0.5]
        parameters += [torch.zeros(len(weights), 1, b)]
    return parameters


def forward(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """Run K networks side by side: one batched matrix product for each layer.

    Args:
        parameters: weight (K, a, b) and bias (K, 1, b) of each layer in turn.
        x: (N, a) floats, the same inputs for all, or (K, N, a), a batch for each network.

    Returns:
        (K, N, C) floats, the scores of the last layer.
    """
    *hidden, weight, bias = parameters
    for w, b in zip(hidden[::2], hidden[1::2], strict=True):
        x = (x @ w + b).relu()
    return x @ weight + bias


def train_many(
    x: Tensor,
    y: Tensor,
    sizes: Sequence[int],
    seeds: Sequence[int],
    step: float = 0.1,
    batch: int = 100,
) -> Iterator[list[Tensor]]:
    """Train one network per seed, all at once, and hand them over after every epoch.

    A network does not notice its neighbors: it ends where it would have ended alone.

    Args:
        x: (N, D) floats, the training inputs; the networks take their type and device.
        y: (N,) int64, their classes, counted from 0.
        sizes: the width of each layer, from D to the number of classes.
        seeds: one for each network; fixes its first weights and its order of samples.
        step: how far a step of gradient descent goes, above 0.
        batch: how many samples each step looks at, from 1 to N.

    Yields:
        the parameters as in `forward`, after epoch 1, 2, 3 and so on without an end; they
        are changed in place when the next epoch is asked for.

    Raises:
        ValueError: there is no seed, x and y do not fit, or batch is out of range.
    """
    if len(seeds) == 0 or x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            "train_many needs a seed, x (N, D) and y (N,), got "
            f"{len(seeds)} seeds, {tuple(x.shape)} and {tuple(y.shape)}"
        )
    if not 1 <= batch <= len(x):
        raise ValueError(f"batch must lie between 1 and {len(x)}, got {batch}")
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    parameters = [p.to(x) for p in draw_networks(sizes, generators)]
    while True:
        orders = [torch.randperm(len(x), generator=g) for g in generators]
        for chosen in torch.stack(orders).to(x.device).split(batch, dim=1):
            descend(parameters, x[chosen], y[chosen], step)
        yield parameters


def descend(parameters: list[Tensor], x: Tensor, y: Tensor, step: float) -> None:
    """Take one step of gradient descent with each of K networks, in place.

    Args:
        parameters: as in `forward`; they are moved.
        x: (K, N, D) floats, a batch for each network.
        y: (K, N) int64, their classes.
        step: how far to go, above 0.
    """
    for parameter in parameters:
        parameter.requires_grad_(True)
    scores = forward(parameters, x)
    # No weight occurs in two networks, so the gradient of the sum holds each one's own.
    loss = cross_entropy(scores.flatten(0, 1), y.flatten(), reduction="sum") / x.shape[1]
    slopes = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter.requires_grad_(False).sub_(slope, alpha=step)


def error_rates(parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Measure the share of mistakes of each network.

    Args:
        parameters: K networks, as in `forward`.
        x: (N, D) float32.
        y: (N,) int64, the true classes.

    Returns:
        (K,) float64, from 0 to 1.

    Raises:
        ValueError: there is no sample, or x and y do not fit.
    """
    if len(x) == 0 or y.shape != x.shape[:1]:
        raise ValueError(
            "x (N, D) and y (N,) must hold equally many samples, at least 1, got "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )
    mistakes = forward(parameters, x).argmax(dim=2) != y
    return mistakes.double().mean(dim=1)


def folds(n: int, k: int, seed: int) -> list[Tensor]:
    """Deal n samples at random into k parts of nearly equal size.

    Args:
        n: how many samples.
        k: how many parts, from 2 to n.
        seed: equal seeds give equal parts.

    Returns:
        k tensors of int64 indices; every index from 0 to n - 1 occurs once.

    Raises:
        ValueError: k is out of range.
    """
    if not 2 <= k <= n:
        raise ValueError(f"k must lie between 2 and {n}, got {k}")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return list(order.tensor_split(k))


def grouped_folds(groups: Tensor, k: int, seed: int) -> list[Tensor]:
    """Deal whole groups into k parts, so that nobody sits on both sides of a split.

    Args:
        groups: (n,) int64, for each sample whom or what it was measured on.
        k: how many parts, from 2 to the number of groups.
        seed: equal seeds give equal parts.

    Returns:
        k tensors of int64 indices; every index from 0 to n - 1 occurs once.

    Raises:
        ValueError: k is out of range.
    """
    members = groups.unique()
    parts = folds(len(members), k, seed)
    return [torch.isin(groups, members[part]).nonzero()[:, 0] for part in parts]


def cross_validate(
    parts: Sequence[Tensor], losses_of: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Let every sample be held out once, and measure its loss there.

    Args:
        parts: indices of the samples in each part, as `folds` deals them.
        losses_of: trains on the samples of its first argument, and returns the loss of
            each sample of its second; both are int64 indices.

    Returns:
        (n,) floats, sample by sample the loss under the model that never saw it.
    """
    losses = torch.empty(sum(len(part) for part in parts), dtype=torch.float64)
    for number, held_out in enumerate(parts):
        training = torch.cat([*parts[:number], *parts[number + 1 :]])
        losses[held_out] = losses_of(training, held_out).double()
    return losses


def leave_one_out(X: Tensor, y: Tensor) -> Tensor:
    """Give each residual of least squares with its own sample left out, by one fit.

    Args:
        X: (N, D) floats, the design matrix, with independent columns and N above D.
        y: (N,) floats, the targets.

    Returns:
        (N,) floats, target minus the answer of the model fitted to the other N - 1.

    Raises:
        ValueError: shapes differ, or without one sample the others do not fix the weights.
    """
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ValueError(
            f"X (N, D) and y (N,) must match, got {tuple(X.shape)} and {tuple(y.shape)}"
        )
    influence = leverages(X)
    if (influence > 1 - torch.finfo(X.dtype).eps ** 0.5).any():
        raise ValueError(
            "every leverage must lie below 1, for the others must fix the weights, "
            f"got 1 at sample {int(influence.argmax())}"
        )
    residuals = y - X @ torch.linalg.lstsq(X, y[:, None], driver="gels").solution[:, 0]
    return residuals / (1 - influence)


def pick_best(visible: Tensor, sealed: Tensor) -> tuple[Tensor, Tensor]:
    """Choose by the errors you can see; then break the seal.

    Args:
        visible: (R, M) floats, in each of R repetitions the errors of M candidates on the
            data that you choose by.
        sealed: (R, M) floats, the errors of the same candidates on data nobody has seen.

    Returns:
        (R,) the visible error of the candidate whose visible error is least, the first of
        equals, which is what you would report; and (R,) its sealed error.

    Raises:
        ValueError: the shapes differ, there is no candidate, or an error is not a number.
    """
    if visible.shape != sealed.shape or visible.ndim != 2 or visible.shape[1] == 0:
        raise ValueError(
            "visible and sealed errors must have one shape (R, M) with M at least 1, got "
            f"{tuple(visible.shape)} and {tuple(sealed.shape)}"
        )
    if visible.isnan().any() or sealed.isnan().any():
        raise ValueError("errors must be numbers, got NaN")
    chosen = visible.argmin(dim=1, keepdim=True)
    return visible.gather(1, chosen)[:, 0], sealed.gather(1, chosen)[:, 0]
