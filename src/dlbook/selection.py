"""Model selection, end to end: search, drop the hopeless, and open the test once.

Sources: J. Bergstra and Y. Bengio, "Random search for hyper-parameter optimization", Journal
of Machine Learning Research 13, 2012; successive halving: K. Jamieson and A. Talwalkar,
"Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016,
arXiv:1502.07943; the expected best against the budget: J. Dodge et al., "Show your work:
improved reporting of experimental results", EMNLP 2019, arXiv:1909.03004.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_classes,
    require_count,
    require_finite,
    require_same_dtype,
    require_same_shape,
    require_table,
    require_vector,
    require_wide,
)
from dlbook.knn import squared_distances


def consecutive_folds(n: int, parts: int) -> list[Tensor]:
    """Cut n samples into parts of nearly equal size, in the order of their collection.

    Args:
        n: how many samples.
        parts: how many parts, from 2 to n.

    Returns:
        int64 indices, a tensor for each part: neighbors stay together.

    Raises:
        TypeError: n or parts is not whole.
        ValueError: parts is out of range.
    """
    require_count(n, 2, "n")
    require_count(parts, 2, "parts")
    require_between(parts, 2, n, "parts")
    return list(torch.arange(n).tensor_split(parts))


def nearest_mean(queries: Tensor, points: Tensor, labels: Tensor) -> Tensor:
    """Answer with the class whose mean is nearest: a baseline without any setting.

    Args:
        queries: (m, d) floats.
        points: (n, d) floats like the queries, the training samples.
        labels: (n,) int64, their classes, counted from 0; a class between 0 and the largest
            that has no sample is never answered.

    Returns:
        (m,) int64, a class for each query; of two equally near, the lower.

    Raises:
        TypeError: the points are no floats, the dtypes differ, or labels are not int64.
        ValueError: the shapes do not fit, or a number is not finite.
    """
    require_table(points, "points")
    require_table(queries, "queries", points.shape[1])
    require_same_dtype(queries, points, "queries and points")
    require_classes(labels, len(points))
    classes = labels.unique()
    means = torch.stack([points[labels == label].mean(dim=0) for label in classes])
    return classes[squared_distances(queries, means).argmin(dim=1)]


def fit_kernels(gram: Tensor, labels: Tensor, penalties: Tensor) -> Tensor:
    """Fit a kernel machine by least squares for many penalties, for the price of one.

    The targets are +1 for the class of a sample and -1 for the others; the weights solve
    (K + n λ I) A = Y. With K = U E Uᵀ that is A = U (E + n λ)⁻¹ Uᵀ Y, and U does not
    depend on the penalty.

    Args:
        gram: (n, n) float32 or float64, the kernel of all pairs of samples: symmetric, and
            without negative eigenvalues. For small penalties take float64.
        labels: (n,) int64, the classes, counted from 0, at least two.
        penalties: (p,) floats λ above 0, of the dtype of the kernel.

    Returns:
        (p, n, C) floats: score a new point by its kernel with the n samples, times these.

    Raises:
        TypeError: a dtype is another one, or two differ.
        ValueError: the kernel is not square and symmetric, the labels do not fit it or are
            all 0, a penalty is not above 0, or an eigenvalue plus n λ is not.
    """
    require_table(gram, "gram", columns=len(gram))
    require_wide(gram, "gram")
    require_classes(labels, len(gram))
    require_at_least(int(labels.max()), 1, "the largest class")
    require_vector(penalties, "penalties")
    require_same_dtype(gram, penalties, "gram and penalties")
    require_above_zero(penalties.min().item(), "penalties")
    if not torch.allclose(gram, gram.T, rtol=1e-5, atol=1e-6 * gram.abs().max().item()):
        raise ValueError("gram must be symmetric, got another table")
    eigenvalues, U = torch.linalg.eigh(gram)
    shifted = eigenvalues + len(gram) * penalties[:, None]
    require_above_zero(shifted.min().item(), "an eigenvalue plus n times the penalty")
    targets = 2 * one_hot(labels).to(gram) - 1
    return U @ ((U.T @ targets) / shifted[:, :, None])


def grid(axes: Sequence[Tensor]) -> Tensor:
    """List all combinations of the values of several settings.

    Args:
        axes: for each of d settings the values to try, (k,) floats of one dtype.

    Returns:
        (n, d) floats, n the product of the numbers of values; the last setting varies
        fastest.

    Raises:
        TypeError: values are no floats, or the dtypes differ.
        ValueError: there is no axis, one is empty or no vector, or a value is not finite.
    """
    require_at_least(len(axes), 1, "the number of axes")
    for axis in axes:
        require_vector(axis, "axis")
        require_same_dtype(axis, axes[0], "axes")
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)


def log_uniform(low: float, high: float, n: int, generator: Generator) -> Tensor:
    """Draw values whose logarithms are spread evenly: for step sizes, penalties, widths.

    Args:
        low: the smallest value, above 0.
        high: the largest, above `low`.
        n: how many, at least 1.
        generator: draws, on the CPU.

    Returns:
        (n,) float64 from low to high.

    Raises:
        TypeError: n is not whole.
        ValueError: a number is out of range.
    """
    require_count(n, 1, "n")
    require_above_zero(low, "low")
    require_above_zero(high, "high")
    if not low < high:
        raise ValueError(f"high must be above low, got {high} and {low}")
    u = torch.rand(n, generator=generator, dtype=torch.float64)
    return (math.log(low) + u * math.log(high / low)).exp().clamp(low, high)


def chance_of_a_good_draw(share: float, draws: int) -> float:
    """Compute how likely at least one of several draws is among the best share.

    Args:
        share: q, which part of all settings counts as good, from 0 to 1.
        draws: n, how many are drawn, independently, at least 1.

    Returns:
        1 - (1 - q)ⁿ, in any number of dimensions.

    Raises:
        TypeError: draws is not whole.
        ValueError: a number is out of range.
    """
    require_between(share, 0, 1, "share")
    require_count(draws, 1, "draws")
    return 1 - (1 - share) ** draws


def draws_needed(share: float, chance: float) -> int:
    """Count the draws after which one of the best share was found with a given chance.

    Args:
        share: q, which part of all settings counts as good, between 0 and 1.
        chance: how likely a good one must be among them, between 0 and 1.

    Returns:
        the least n with 1 - (1 - q)ⁿ >= chance.

    Raises:
        ValueError: a number is 0 or less, or 1 or more.
    """
    for name, value in (("share", share), ("chance", chance)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1, got {value}")
    n = max(1, math.floor(math.log1p(-chance) / math.log1p(-share)))
    while chance_of_a_good_draw(share, n) < chance:  # rounding, by one at the most
        n += 1
    return n


def expected_of_best(criterion: Tensor, values: Tensor, draws: int) -> float:
    """Compute what random search ends with on average, exactly, from a table.

    Each trial takes one of N settings at random, and the one of least criterion is kept.
    The setting of rank i from below is kept with probability
    ((N - i + 1) / N)ⁿ - ((N - i) / N)ⁿ; equals share theirs.

    Args:
        criterion: (N,) floats, such as the validation error of each setting.
        values: (N,) floats of the same dtype, what is asked of the setting kept: the same
            tensor, for the error that one reports, or the error on fresh data.
        draws: n, how many trials, at least 1.

    Returns:
        the mean of the value kept, in its unit.

    Raises:
        TypeError: they are no floats, the dtypes differ, or draws is not whole.
        ValueError: the shapes differ, a number is not finite, or draws is below 1.
    """
    require_vector(criterion, "criterion")
    require_same_shape(criterion, values, "criterion and values")
    require_same_dtype(criterion, values, "criterion and values")
    require_finite(values, "values")
    require_count(draws, 1, "draws")
    levels, level, sizes = criterion.unique(return_inverse=True, return_counts=True)
    sums = torch.zeros_like(levels, dtype=torch.float64)
    sums.index_add_(0, level, values.double())
    left = 1 - sizes.double().cumsum(0) / len(criterion)  # the share that is worse
    before = torch.cat([torch.ones_like(left[:1]), left[:-1]])
    return ((before**draws - left.clamp(min=0) ** draws) @ (sums / sizes)).item()


def on_border(errors: Tensor) -> list[int]:
    """Name the settings whose best value is the first or the last that was tried.

    Args:
        errors: floats with one axis for each setting, its values in rising order.

    Returns:
        the numbers of the axes along which the least error lies at an end, while there is
        more than one value; empty if it lies inside.

    Raises:
        TypeError: they are no floats.
        ValueError: there is none, or one is not finite.
    """
    require_finite(errors, "errors")
    place = torch.unravel_index(errors.argmin(), errors.shape)
    return [
        axis
        for axis, (index, size) in enumerate(zip(place, errors.shape, strict=True))
        if size > 1 and index.item() in (0, size - 1)
    ]


def halving(
    candidates: int,
    rounds: int,
    first_budget: int,
    keep_one_in: int,
    error_of: Callable[[int, int], float],
) -> tuple[int, int]:
    """Try all candidates briefly, keep the best part, give it more, and so on.

    Args:
        candidates: n, how many.
        rounds: r, at least 1.
        first_budget: b, what each gets in the first round, such as one epoch, at least 1.
        keep_one_in: η, at least 2: one in so many stays, and gets η times as much; n is at
            least η to the power r - 1, so that the last round has somebody to try.
        error_of: of the number of a candidate, from 0, and a budget, its validation error,
            a finite number.

    Returns:
        the number of the best candidate of the last round, and the budget spent in all if
        every round begins anew; of equals the first stays.

    Raises:
        TypeError: a number is not whole.
        ValueError: a number is out of range, or an error is not finite.
    """
    require_count(rounds, 1, "rounds")
    require_count(first_budget, 1, "first_budget")
    require_count(keep_one_in, 2, "keep_one_in")
    require_count(candidates, keep_one_in ** (rounds - 1), "candidates")
    left, budget, spent = list(range(candidates)), first_budget, 0
    for number in range(rounds):
        if number > 0:
            left, budget = left[: len(left) // keep_one_in], budget * keep_one_in
        errors = [error_of(candidate, budget) for candidate in left]
        require_finite(torch.tensor(errors, dtype=torch.float64), "errors")
        spent += budget * len(left)
        left = [c for _, c in sorted(zip(errors, left, strict=True))]
    return left[0], spent


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Compare two orders of the same candidates: +1 for the same, -1 for the reverse.

    Args:
        first: (n,) floats, such as errors after one epoch, at least two different ones.
        second: (n,) floats, such as errors at the end, alike.

    Returns:
        Spearman's coefficient from -1 to 1: the correlation of the ranks, where equals
        share the mean of theirs.

    Raises:
        TypeError: they are no floats.
        ValueError: the shapes differ, a number is not finite, or all of one are equal.
    """
    require_vector(first, "first")
    require_same_shape(first, second, "first and second")
    ranks = []
    for values in (first, second):
        require_finite(values, "values")
        _, place, sizes = values.unique(return_inverse=True, return_counts=True)
        require_at_least(len(sizes), 2, "the number of different values")
        rank = (sizes.cumsum(0) - (sizes - 1) / 2).double()[place]
        ranks.append(rank - rank.mean())
    a, b = ranks
    return ((a @ b) / (a.norm() * b.norm())).clamp(-1, 1).item()


class SealedTest:
    """Samples that answer once: whoever asks again gets an error instead of a number.

    Python hides nothing from those who want to look. The seal is for honest people who are
    in a hurry.

    Attributes:
        opened_for: the names of the predictors that were judged; empty while it is sealed.
    """

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        """Seal samples.

        Args:
            inputs: (n, ...) floats.
            labels: (n,) int64, their classes, counted from 0.

        Raises:
            TypeError: inputs are no floats, or labels not int64.
            ValueError: there are none, one is not finite, or there is not one label each.
        """
        require_finite(inputs, "inputs")
        require_classes(labels, len(inputs))
        self._inputs, self._labels = inputs, labels
        self.opened_for: tuple[str, ...] = ()

    def open(
        self, predictors: dict[str, Callable[[Tensor], Tensor]]
    ) -> dict[str, Tensor]:
        """Judge all predictors in the one call that there is.

        Args:
            predictors: by name, of (n, ...) inputs the (n,) int64 classes; at least one.
                The seal is broken before they see the inputs, whatever comes of it.

        Returns:
            by name, (n,) booleans: where that predictor is wrong.

        Raises:
            RuntimeError: the test was opened before.
            TypeError: answers are not int64.
            ValueError: there is no predictor, or not one answer to each sample.
        """
        if self.opened_for:
            raise RuntimeError(f"the test was opened for {', '.join(self.opened_for)}")
        require_at_least(len(predictors), 1, "the number of predictors")
        self.opened_for = tuple(predictors)
        mistakes = {}
        for name, predict in predictors.items():
            answers = predict(self._inputs)
            require_classes(answers, len(self._labels), name=f"answers of {name}")
            mistakes[name] = answers != self._labels
        return mistakes
