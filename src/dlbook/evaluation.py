"""Evaluation: measure what a model will do on data that nobody has looked at.

Sources: M. Stone, "Cross-validatory choice and assessment of statistical predictions",
Journal of the Royal Statistical Society B 36(2), 1974,
doi:10.1111/j.2517-6161.1974.tb00994.x; Y. Bengio and Y. Grandvalet, "No unbiased
estimator of the variance of k-fold cross-validation", Journal of Machine Learning
Research 5, 2004; Q. McNemar, "Note on the sampling error of the difference between
correlated proportions or percentages", Psychometrika 12(2), 1947, doi:10.1007/BF02295996;
L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and Regression Trees",
Wadsworth, 1984 (the rule of one standard error).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.func import grad
from torch.nn.functional import cross_entropy

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_classes,
    require_finite,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)
from dlbook.linear_regression import leverages


def draw_networks(sizes: Sequence[int], generators: Sequence[Generator]) -> list[Tensor]:
    """Draw the starting weights of many networks; each network has its own generator.

    Args:
        sizes: the width of each layer, from the input to the output, such as (64, 20, 10).
        generators: one for each of the M networks, at least one; they advance.

    Returns:
        weight (M, a, b) and bias (M, 1, b) of each layer in turn, float32: normal with
        variance 2/a, and zero.

    Raises:
        ValueError: there are no generators, no layers, or a width below 1.
    """
    require_at_least(len(generators), 1, "the number of networks")
    require_at_least(len(sizes), 2, "the number of widths")
    require_at_least(min(sizes), 1, "a width")
    parameters = []
    for a, b in pairwise(sizes):
        weights = [torch.randn(a, b, generator=generator) for generator in generators]
        parameters += [torch.stack(weights) * (2 / a) ** 0.5]
        parameters += [torch.zeros(len(weights), 1, b)]
    return parameters


def forward(parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """Run M networks side by side: one batched matrix product for each layer.

    Between two layers stands `relu`, which cuts off what is below zero.

    Args:
        parameters: weight (M, a, b) and bias (M, 1, b) of each layer in turn.
        x: (N, a) floats, the same inputs for all, or (M, N, a), a batch for each network.

    Returns:
        (M, N, C) floats, the scores of the last layer.

    Raises:
        ValueError: x is empty or not finite.
        TypeError: x does not hold floats.
    """
    require_finite(x, "x")
    *hidden, weight, bias = parameters
    for w, b in zip(hidden[::2], hidden[1::2], strict=True):
        x = (x @ w + b).relu()
    return x @ weight + bias


def train_many(
    x: Tensor,
    y: Tensor,
    sizes: Sequence[int],
    seeds: Sequence[int],
    epochs: int,
    step: float = 0.1,
    batch: int = 100,
) -> Iterator[list[Tensor]]:
    """Train one network per seed, all at once, and hand them over after every epoch.

    A network does not notice its neighbors: it ends where it would have ended alone.
    Being a generator, it checks what it was given when the first epoch is asked for.

    Args:
        x: (N, D) floats, the training inputs; the networks take their type and device.
        y: (N,) int64, their classes, counted from 0.
        sizes: the width of each layer, from D to the number of classes, at least 2; with
            one score, cross-entropy would be zero whatever the weights.
        seeds: one for each network; fixes its first weights and its order of samples.
        epochs: how often to look at all samples, at least 1.
        step: how far a step of gradient descent goes, above 0.
        batch: how many samples each step looks at, from 1 to N.

    Yields:
        the parameters as in `forward`, after each epoch.

    Raises:
        ValueError: there is no seed, x and y do not fit each other or the sizes, a number
            is out of range, x is not finite, or the weights overflow, as with a large step.
        TypeError: x does not hold floats, or y not int64.
    """
    require_table(x, "x", columns=sizes[0])
    require_classes(y, len(x), sizes[-1], name="y")
    require_at_least(epochs, 1, "epochs")
    require_above_zero(step, "step")
    require_between(batch, 1, len(x), "batch")
    require_at_least(sizes[-1], 2, "the number of classes")
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    parameters = [p.to(x) for p in draw_networks(sizes, generators)]
    for _ in range(epochs):
        orders = [torch.randperm(len(x), generator=g) for g in generators]
        for chosen in torch.stack(orders).to(x.device).split(batch, dim=1):
            parameters = take_steps(parameters, x[chosen], y[chosen], step)
        for parameter in parameters:
            require_finite(parameter, "the weights after an epoch")
        yield parameters


def take_steps(
    parameters: Sequence[Tensor], x: Tensor, y: Tensor, step: float
) -> list[Tensor]:
    """Take one step of gradient descent with each of M networks.

    Args:
        parameters: as in `forward`; they stay as they are.
        x: (M, N, D) floats, a batch for each network.
        y: (M, N) int64, their classes.
        step: how far to go, above 0.

    Returns:
        the parameters after the step.

    Raises:
        ValueError: y does not fit x, there are fewer than two scores to a sample, or a value
            is out of range or not finite.
        TypeError: x does not hold floats, or y not int64.
    """
    require_above_zero(step, "step")
    if x.ndim != 3:
        raise ValueError(f"x must be (M, N, D), got {tuple(x.shape)}")
    require_same_shape(x[..., 0], y, "the samples of x and y")
    require_at_least(parameters[-1].shape[-1], 2, "the number of classes")
    require_classes(y.flatten(), y.numel(), parameters[-1].shape[-1], name="y")

    def loss_of(parameters: list[Tensor]) -> Tensor:
        scores = forward(parameters, x).flatten(0, 1)
        return cross_entropy(scores, y.flatten(), reduction="sum") / x.shape[1]

    # No weight occurs in two networks, so the gradient of the sum holds each one's own.
    slopes = grad(loss_of)(list(parameters))
    return [p - step * slope for p, slope in zip(parameters, slopes, strict=True)]


def error_rates(parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Measure the share of mistakes of each network.

    Args:
        parameters: M networks, as in `forward`.
        x: (N, D) floats of their type.
        y: (N,) int64, the true classes.

    Returns:
        (M,) float64, from 0 to 1.

    Raises:
        ValueError: there is no sample, x and y do not fit, or a score is not finite.
        TypeError: x does not hold floats, or y not int64.
    """
    require_table(x, "x")
    require_classes(y, len(x), parameters[-1].shape[-1], name="y")
    scores = forward(parameters, x)
    require_finite(scores, "scores")  # the largest of NaN would be class 0
    return (scores.argmax(dim=2) != y).double().mean(dim=1)


def folds(n: int, parts: int, seed: int) -> list[Tensor]:
    """Deal n samples at random into parts of nearly equal size.

    Args:
        n: how many samples.
        parts: how many parts, from 2 to n.
        seed: equal seeds give equal parts.

    Returns:
        int64 indices, a tensor for each part; every index from 0 to n - 1 occurs once.

    Raises:
        ValueError: parts is out of range.
    """
    require_between(parts, 2, n, "parts")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return list(order.tensor_split(parts))


def stratified_folds(labels: Tensor, parts: int, seed: int) -> list[Tensor]:
    """Deal samples into parts class by class, so that each part has its share of each.

    Args:
        labels: (n,) int64, the class of each sample, counted from 0.
        parts: how many parts, from 2 to n.
        seed: equal seeds give equal parts.

    Returns:
        int64 indices, a tensor for each part; every index from 0 to n - 1 occurs once, and
        the numbers of a class in two parts differ by 1 at most.

    Raises:
        ValueError: parts is out of range, or labels is no vector of classes.
        TypeError: labels are not int64.
    """
    require_classes(labels, labels.numel())
    require_between(parts, 2, len(labels), "parts")
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    order = order.to(labels.device)
    order = order[labels[order].argsort(stable=True)]  # class after class, each shuffled
    return [order[first::parts] for first in range(parts)]


def grouped_folds(groups: Tensor, parts: int, seed: int) -> list[Tensor]:
    """Deal whole groups into parts, so that nobody sits on both sides of a split.

    Args:
        groups: (n,) int64, for each sample whom or what it was measured on.
        parts: how many parts, from 2 to the number of groups.
        seed: equal seeds give equal parts.

    Returns:
        int64 indices, a tensor for each part; every index from 0 to n - 1 occurs once.

    Raises:
        ValueError: parts is out of range, or groups is no vector.
        TypeError: groups are not int64; a NaN would be nobody.
    """
    if groups.dtype != torch.int64:
        raise TypeError(f"groups must be int64, got {groups.dtype}")
    if groups.ndim != 1:
        raise ValueError(f"groups must be (n,), got {tuple(groups.shape)}")
    members = groups.unique()
    dealt = folds(len(members), parts, seed)
    return [
        torch.isin(groups, members[part.to(members.device)]).nonzero()[:, 0]
        for part in dealt
    ]


def cross_validate(
    parts: Sequence[Tensor], losses_of: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Let every sample be held out once, and measure its loss there.

    Args:
        parts: indices of the samples in each part, as `folds` deals them.
        losses_of: trains on the samples of its first argument, and returns the loss of
            each sample of its second; both are int64 indices.

    Returns:
        (n,) float64, sample by sample the loss under the model that never saw it.

    Raises:
        ValueError: parts does not hold each of the n samples once, in two parts or more, or
            there is not one finite loss for each sample.
    """
    everyone = torch.cat(list(parts)).sort().values
    if len(parts) < 2 or not everyone.equal(torch.arange(len(everyone)).to(everyone)):
        raise ValueError("parts must be 2 or more, and hold each of 0..n - 1 once")
    losses = torch.empty(len(everyone), dtype=torch.float64, device=everyone.device)
    for number, held_out in enumerate(parts):
        training = torch.cat([*parts[:number], *parts[number + 1 :]])
        found = losses_of(training, held_out).double()
        require_vector(found, "losses", len(held_out))  # their mean would pass for each
        losses[held_out] = found.to(losses.device)
    return losses


def choose_inside(
    settings: Sequence,
    losses_of: Callable,
    deal: Callable[[Tensor], Sequence[Tensor]],
) -> Callable[[Tensor, Tensor], Tensor]:
    """Make the choice of a setting a part of the training, for `cross_validate`.

    Args:
        settings: what to choose from, such as numbers of neighbors; at least one.
        losses_of: of a setting, indices to train on, and indices to judge, the loss of
            each of the latter.
        deal: of the (n,) indices of the training samples, parts of 0..n - 1 to choose by,
            dealt as outside: `lambda rows: grouped_folds(groups[rows], 5, seed=0)`, say.

    Returns:
        a function of training and held-out indices: it cross-validates each setting on the
        training samples alone, trains with the best (the first of equals) on all of them,
        and returns the losses of the held-out samples.

    Raises:
        ValueError: there are no settings. The function returned raises as `cross_validate`.
    """
    require_at_least(len(settings), 1, "the number of settings")

    def chosen_losses(training: Tensor, held_out: Tensor) -> Tensor:
        inner = deal(training)
        means = []
        for setting in settings:
            losses = cross_validate(
                inner,
                lambda some, others, setting=setting: losses_of(
                    setting, training[some], training[others]
                ),
            )
            means.append(losses.mean())
        best = settings[int(torch.stack(means).argmin())]
        return losses_of(best, training, held_out)

    return chosen_losses


def simplest_within_one_error(losses: Tensor) -> int:
    """Choose the simplest setting that is at most one standard error above the best.

    Args:
        losses: (S, n) floats, a row for each setting, the simplest first, and a column for
            each of n samples, at least 2: what `cross_validate` returns.

    Returns:
        the number of the row chosen, from 0.

    Raises:
        ValueError: losses is no such table, or not finite.
        TypeError: they are not floats.
    """
    require_table(losses, "losses")
    require_at_least(losses.shape[1], 2, "the number of samples")
    means = losses.mean(dim=1)
    best = means.argmin()
    bar = losses[best].std() / math.sqrt(losses.shape[1])
    return int((means <= means[best] + bar).nonzero()[0])


def paired_test(first: Tensor, second: Tensor) -> float:
    """Tell how likely two equally good classifiers differ so much on the same samples.

    McNemar's test in its exact form: where just one of the two is wrong, a coin decides
    which. (His paper has the approximation by chi-squared.)

    Args:
        first: (n,) booleans, whether the first classifier is wrong.
        second: (n,) booleans, whether the second is.

    Returns:
        the probability of a split of their differences at least as uneven, from 0 to 1.

    Raises:
        ValueError: the shapes differ, or there is no sample.
        TypeError: they are not booleans; an answer is no mistake.
    """
    for wrong in (first, second):
        if wrong.dtype != torch.bool:
            raise TypeError(f"mistakes must be booleans, got {wrong.dtype}")
    require_same_shape(first, second, "first and second")
    if first.ndim != 1 or len(first) == 0:
        raise ValueError(f"mistakes must be (n,), n > 0, got {tuple(first.shape)}")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    n, fewer = only_first + only_second, min(only_first, only_second)
    tail, ways = 0, 1  # ways to get so many of n coins heads: whole numbers, exact
    for heads in range(fewer + 1):
        tail += ways
        ways = ways * (n - heads) // (heads + 1)
    return min(1.0, 2 * tail / 2**n)


def leave_one_out(X: Tensor, y: Tensor) -> Tensor:
    """Give each residual of least squares with its own sample left out, by one fit.

    Args:
        X: (N, D) floats, the design matrix, with independent columns and N above D.
        y: (N,) floats, the targets.

    Returns:
        (N,) floats, target minus the answer of the model fitted to the other N - 1.

    Raises:
        ValueError: shapes differ, a value is not finite, the columns depend on each other,
            or without one sample the others do not fix the weights, or not with the digits
            of the dtype.
        TypeError: they are not both float32 or both float64.
    """
    require_wide(X, "X")
    if y.dtype != X.dtype:
        raise TypeError(f"X and y must have one dtype, got {X.dtype} and {y.dtype}")
    require_table(X, "X")
    require_vector(y, "y", len(X))
    lengths = X.norm(dim=0).clamp(min=torch.finfo(X.dtype).tiny)
    rank = int(torch.linalg.matrix_rank(X / lengths))
    if rank < X.shape[1]:
        raise ValueError(f"the columns of X must be {X.shape[1]} independent, got {rank}")
    influence = leverages(X)
    most = 1 - torch.finfo(X.dtype).eps ** 0.5
    if (influence > most).any():
        raise ValueError(
            f"every leverage must be at most {most:.8f}, for the others must fix the "
            f"weights, got {influence.max():.8f} at sample {int(influence.argmax())}"
        )
    residuals = y - X @ torch.linalg.lstsq(X, y[:, None], driver="gels").solution[:, 0]
    return residuals / (1 - influence)


def pick_best(visible: Tensor, sealed: Tensor) -> tuple[Tensor, Tensor]:
    """Choose by the errors you can see; then break the seal.

    Args:
        visible: (T, M) floats, in each of T repetitions the errors of M candidates on the
            data that you choose by.
        sealed: (T, M) floats, the errors of the same candidates on data nobody has seen.

    Returns:
        (T,) the visible error of the candidate whose visible error is least, the first of
        equals, which is what you would report; and (T,) its sealed error.

    Raises:
        ValueError: the shapes differ, there is no candidate, or an error is not finite.
        TypeError: they are not floats.
    """
    require_same_shape(visible, sealed, "visible and sealed errors")
    require_table(visible, "visible errors")
    require_table(sealed, "sealed errors")
    chosen = visible.argmin(dim=1, keepdim=True)
    return visible.gather(1, chosen)[:, 0], sealed.gather(1, chosen)[:, 0]
