"""Evaluation: by hand, against the library, laws, edges, bad input, and the record."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from dlbook.cnn import (
    Recipe,
    begin,
    convolutional_network,
    error_rate,
    standardize,
    train_epoch,
)
from dlbook.data import digits, mnist, subjects
from dlbook.data.toy import noisy_sine, two_moons
from dlbook.evaluation import (
    choose_inside,
    cross_validate,
    draw_networks,
    error_rates,
    folds,
    forward,
    grouped_folds,
    leave_one_out,
    paired_test,
    pick_best,
    simplest_within_one_error,
    stratified_folds,
    take_steps,
    train_many,
)
from dlbook.polynomial import evaluate, fit_polynomial, powers
from dlbook.runs import evaluation as runs
from dlbook.runs.record import claims_of


def train(seeds, epochs=3, **options):
    x, y = two_moons(60, 0.2, seed=0)
    *_, last = train_many(x.double(), y, (2, 8, 2), seeds, epochs, batch=20, **options)
    return last


def as_library_network(parameters, number):
    """Copy one network into modules of the library."""
    layers = []
    for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
        layer = torch.nn.Linear(*weight.shape[1:]).to(weight)
        layer.weight.data.copy_(weight[number].T)
        layer.bias.data.copy_(bias[number, 0])
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def test_forward_matches_a_case_worked_by_hand():
    weight, bias = torch.tensor([[[1.0], [-1.0]]]), torch.tensor([[[0.5]]])
    out_weight, out_bias = torch.tensor([[[2.0]]]), torch.tensor([[[1.0]]])
    x = torch.tensor([[3.0, 1.0], [0.0, 4.0]])  # 2.5, and -3.5 which is cut to 0
    found = forward([weight, bias, out_weight, out_bias], x)
    assert found.tolist() == [[[6.0], [1.0]]]


def test_forward_agrees_with_the_modules_of_the_library():
    parameters = draw_networks(
        (4, 7, 6, 3), [torch.Generator().manual_seed(s) for s in (1, 2)]
    )
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(3))
    for number, scores in enumerate(forward(parameters, x)):
        expected = as_library_network(parameters, number)(x)
        torch.testing.assert_close(scores, expected)


def test_a_step_agrees_with_the_optimizer_of_the_library():
    x, y = two_moons(30, 0.2, seed=1)
    parameters = draw_networks(
        (2, 8, 2), [torch.Generator().manual_seed(s) for s in (4, 5)]
    )
    oracles = [as_library_network(parameters, number) for number in range(2)]
    before = [parameter.clone() for parameter in parameters]
    moved = take_steps(parameters, x.expand(2, -1, -1), y.expand(2, -1), step=0.3)
    assert all(torch.equal(*pair) for pair in zip(before, parameters, strict=True))
    for number, oracle in enumerate(oracles):
        optimizer = torch.optim.SGD(oracle.parameters(), lr=0.3)
        torch.nn.functional.cross_entropy(oracle(x), y).backward()
        optimizer.step()
        torch.testing.assert_close(forward(moved, x)[number], oracle(x))


def test_what_an_epoch_yields_stays_as_it_was():
    x, y = two_moons(60, 0.2, seed=0)
    arguments = (x, y, (2, 8, 2), [0], 4, 0.5, 20)
    kept = list(train_many(*arguments))
    seen = [nets[0].clone() for nets in train_many(*arguments)]
    assert all(torch.equal(nets[0], one) for nets, one in zip(kept, seen, strict=True))
    assert len({float(nets[0].sum()) for nets in kept}) == 4


def test_a_network_ends_where_it_would_have_ended_alone():
    together, alone = train(seeds=[3, 7, 11]), train(seeds=[7])
    for many, one in zip(together, alone, strict=True):
        torch.testing.assert_close(many[1], one[0], rtol=1e-9, atol=1e-12)


def test_scores_that_are_no_numbers_have_no_error_rate():
    parameters = [torch.full((1, 4, 2), math.nan), torch.zeros(1, 1, 2)]
    with pytest.raises(ValueError, match="scores must be finite"):
        error_rates(parameters, torch.ones(3, 4), torch.zeros(3, dtype=torch.int64))


def test_different_seeds_train_different_networks():
    weight = train(seeds=[0, 1], epochs=1)[0]
    assert not torch.allclose(weight[0], weight[1])


def test_training_lowers_the_error():
    x, y = two_moons(60, 0.2, seed=0)
    before = draw_networks((2, 8, 2), [torch.Generator().manual_seed(0)])
    after = train(seeds=[0], epochs=40, step=0.5)
    assert error_rates(after, x.double(), y) < error_rates(before, x, y)


def test_each_epoch_looks_at_every_sample_once():
    x, y = torch.arange(6.0)[:, None], torch.zeros(6, dtype=torch.int64)
    nets = train_many(x, y, (1, 2), [0], epochs=1, step=1e-12, batch=4)
    assert next(nets)[0].shape == (1, 1, 2)  # 6 samples in batches of 4 and 2


def test_error_rates_match_a_case_worked_by_hand():
    weight, bias = torch.tensor([[[1.0, -1.0]], [[-1.0, 1.0]]]), torch.zeros(2, 1, 2)
    x, y = torch.tensor([[1.0], [2.0], [-1.0], [3.0]]), torch.tensor([0, 0, 1, 1])
    assert error_rates([weight, bias], x, y).tolist() == [0.25, 0.75]


@pytest.mark.parametrize("way", [runs._one_by_one, runs._by_vmap])
def test_all_at_once_trains_as_one_by_one(way):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    signs, orders = x[:, 0].sign(), torch.arange(40).split(10) * 3
    together, alone = way(x, signs, orders, networks=3), way(x, signs, orders, networks=1)
    torch.testing.assert_close(together[0][0], alone[0][0], rtol=1e-9, atol=1e-12)
    expected = runs._one_by_one(x, signs, orders, networks=3)
    for found, wanted in zip(together, expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_convolutional_networks_side_by_side_end_where_each_ends_alone():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 28, 28, generator=generator, dtype=torch.float64)
    y = torch.randint(10, (60,), generator=generator)
    parameters, generators = runs._draw_convolutional(range(2), x)
    orders = torch.stack([torch.randperm(60, generator=g) for g in generators])
    for chosen in orders.split(20, dim=1):
        runs._descend_convolutional(parameters, x[chosen], y[chosen], step=0.1)
    scores = runs._convolutional_scores(parameters, x.expand(2, -1, -1, -1))
    for seed in range(2):
        generator = torch.Generator().manual_seed(seed)
        model = convolutional_network(generator).double()
        train_epoch(begin(model, generator, Recipe(batch_size=20)), x[:, None], y)
        for many, one in zip(parameters, model.parameters(), strict=True):
            torch.testing.assert_close(many[seed], one.detach(), rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(scores[seed], model(x[:, None]).detach())


def test_a_hundred_trainings_go_on_after_an_interruption(tmp_path, monkeypatch):
    """The second part fails once; the next call trains only what is missing."""
    monkeypatch.setattr(runs, "CACHE", tmp_path)
    monkeypatch.setattr(runs, "NETWORKS", 4)
    monkeypatch.setattr(runs, "standardized_mnist", lambda device: ())
    monkeypatch.setattr(runs, "_distribution", lambda name, mistakes: {name: mistakes})
    asked = []

    def train(seeds):
        asked.append(seeds.start)
        yield torch.eye(4, 6)[list(seeds)] > 0
        if asked == [0, 2]:
            raise KeyboardInterrupt

    device = torch.device("cpu")
    with pytest.raises(KeyboardInterrupt):
        runs._hundred("convolutional", train, 2, device)
    found = runs._hundred("convolutional", train, 2, device).claims["convolutional"]
    assert asked == [0, 2, 2]
    assert torch.equal(found, torch.eye(4, 6)[None] > 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batch", [0, 61])
def test_a_batch_outside_the_training_set_is_refused(batch):
    x, y = two_moons(60, 0.2, seed=0)
    with pytest.raises(ValueError, match=f"between 1 and 60, got {batch}"):
        next(train_many(x, y, (2, 2), [0], epochs=1, batch=batch))


@pytest.mark.parametrize(("seeds", "labels"), [([], 60), ([0], 59)])
def test_training_nothing_or_on_unlike_tables_is_refused(seeds, labels):
    x, y = two_moons(60, 0.2, seed=0)
    with pytest.raises(ValueError, match=r"number of networks|y must be \(60,\)"):
        next(train_many(x, y[:labels], (2, 2), seeds, epochs=1, batch=20))


def test_a_class_without_an_output_is_refused():
    x, y = two_moons(60, 0.2, seed=0)
    with pytest.raises(ValueError, match="y must lie between 0 and 1, got 2"):
        next(train_many(x, y + 1, (2, 2), [0], epochs=1))


@settings(derandomize=True, max_examples=50, deadline=None)
@given(n=st.integers(2, 60), seed=st.integers(0, 999), data=st.data())
def test_folds_deal_every_sample_once_and_evenly(n, seed, data):
    k = data.draw(st.integers(2, n))
    parts = folds(n, k, seed)
    assert sorted(torch.cat(parts).tolist()) == list(range(n))
    sizes = [len(part) for part in parts]
    assert len(sizes) == k
    assert max(sizes) - min(sizes) <= 1


@settings(derandomize=True, max_examples=50, deadline=None)
@given(
    groups=st.lists(st.integers(-3, 9), min_size=2, max_size=60), seed=st.integers(0, 999)
)
def test_grouped_folds_never_split_a_group(groups, seed):
    groups = torch.tensor(groups)
    if len(groups.unique()) < 2:
        return
    parts = grouped_folds(groups, 2, seed)
    assert sorted(torch.cat(parts).tolist()) == list(range(len(groups)))
    first, second = (set(groups[part].tolist()) for part in parts)
    assert not first & second


@settings(derandomize=True, max_examples=50, deadline=None)
@given(
    labels=st.lists(st.integers(0, 3), min_size=3, max_size=60), seed=st.integers(0, 999)
)
def test_stratified_folds_give_each_part_its_share_of_each_class(labels, seed):
    labels = torch.tensor(labels)
    parts = stratified_folds(labels, 3, seed)
    assert sorted(torch.cat(parts).tolist()) == list(range(len(labels)))
    for label in range(4):
        counts = [int((labels[part] == label).sum()) for part in parts]
        assert max(counts) - min(counts) <= 1


def test_stratified_folds_shuffle():
    labels = torch.arange(60) % 2
    first, second = (stratified_folds(labels, 3, seed)[0] for seed in (0, 1))
    assert not torch.equal(first.sort().values, second.sort().values)


@pytest.mark.parametrize("k", [0, 1, 6])
def test_a_number_of_parts_out_of_range_is_refused(k):
    with pytest.raises(ValueError, match=f"between 2 and 5, got {k}"):
        folds(5, k, seed=0)


def test_more_parts_than_groups_are_refused():
    with pytest.raises(ValueError, match="between 2 and 3, got 4"):
        grouped_folds(torch.tensor([0, 0, 1, 1, 2, 2]), 4, seed=0)


def test_cross_validation_matches_a_case_worked_by_hand():
    y = torch.tensor([0.0, 2.0, 4.0])  # predict the mean of the others: 3, 2, 1
    parts = [torch.tensor([i]) for i in range(3)]
    losses = cross_validate(parts, lambda train, held: (y[train].mean() - y[held]) ** 2)
    assert losses.tolist() == [9, 0, 9]


def test_cross_validation_never_trains_on_what_it_holds_out():
    seen = []

    def losses_of(training, held_out):
        assert not set(training.tolist()) & set(held_out.tolist())
        seen.append(len(training) + len(held_out))
        return held_out

    assert cross_validate(folds(17, 5, seed=1), losses_of).tolist() == list(range(17))
    assert seen == [17] * 5


@pytest.mark.parametrize(
    "parts",
    [
        [torch.tensor([0, 1])],
        [torch.tensor([0, 1]), torch.tensor([1, 2])],
        [torch.tensor([0]), torch.tensor([2])],
    ],
)
def test_parts_that_are_no_partition_are_refused(parts):
    with pytest.raises(ValueError, match="hold each of 0"):
        cross_validate(parts, lambda training, held: torch.zeros(len(held)))


def test_a_mean_in_place_of_losses_is_refused():
    with pytest.raises(ValueError, match=r"losses must be \(5,\), got \(\)"):
        cross_validate(folds(10, 2, 0), lambda training, held: torch.tensor(0.5))


def test_a_choice_made_inside_never_sees_what_is_held_out():
    y = torch.tensor([0.0, 1.0, 5.0, 2.0, 9.0, 4.0])
    outer = folds(6, 3, seed=0)
    hidden = []

    def losses_of(setting, training, held):
        hidden.append((set(training.tolist()), set(held.tolist())))
        return (setting * y[training].mean() - y[held]).square()

    chosen = choose_inside(
        [0.5, 1.0], losses_of, lambda rows: folds(len(rows), 2, seed=0)
    )
    found = cross_validate(outer, chosen)
    for number, held in enumerate(outer):  # by hand: choose on the others, then judge
        others = torch.cat([*outer[:number], *outer[number + 1 :]])
        inner = folds(4, 2, seed=0)
        means = []
        for setting in (0.5, 1.0):
            errors = [
                losses_of(setting, others[inner[1 - i]], others[inner[i]]) for i in (0, 1)
            ]
            means.append(torch.cat(errors).mean())
        best = (0.5, 1.0)[int(torch.stack(means).argmin())]
        torch.testing.assert_close(found[held].float(), losses_of(best, others, held))
    outside = [set(part.tolist()) for part in outer]
    assert all(not training & held for training, held in hidden)
    assert any(training | held == set(range(6)) - outside[0] for training, held in hidden)


def test_one_setting_leaves_no_choice():
    y = torch.arange(6.0)

    def losses_of(setting, training, held):
        return (y[training].mean() - y[held]).square()

    def in_two(rows):
        return folds(len(rows), 2, seed=0)

    parts = folds(6, 3, seed=0)
    plain = cross_validate(parts, lambda a, b: losses_of(0, a, b))
    nested = cross_validate(parts, choose_inside([0], losses_of, in_two))
    assert torch.equal(plain, nested)


def test_a_choice_made_inside_keeps_groups_together_too():
    groups = torch.arange(12) % 4

    def losses_of(setting, training, held):
        assert not set(groups[training].tolist()) & set(groups[held].tolist())
        return torch.zeros(len(held))

    def deal(rows):
        return grouped_folds(groups[rows], 3, seed=0)

    cross_validate(grouped_folds(groups, 4, 0), choose_inside([1, 2], losses_of, deal))


def test_the_simplest_within_one_error_matches_a_case_worked_by_hand():
    best = [
        0.0,
        2.0,
        0.0,
        2.0,
    ]  # mean 1, deviation 2 / sqrt(3), error 1 / sqrt(3) = 0.577
    losses = torch.tensor([[1.6] * 4, [1.5] * 4, best, [1.2] * 4])
    assert simplest_within_one_error(losses) == 1
    assert simplest_within_one_error(losses[2:]) == 0


def test_the_paired_test_matches_a_case_worked_by_hand():
    first = torch.tensor([True] * 3 + [False] + [True] * 5 + [False] * 9)
    second = torch.tensor([False] * 3 + [True] + [True] * 5 + [False] * 9)
    assert paired_test(first, second) == 2 * (1 + 4) / 16  # 3 against 1
    assert paired_test(second, first) == paired_test(first, second)
    assert paired_test(first, first) == 1


@settings(derandomize=True, max_examples=40, deadline=None)
@given(only_first=st.integers(0, 900), only_second=st.integers(0, 900))
def test_the_paired_test_agrees_with_the_binomial_test_of_the_library(
    only_first, only_second
):
    n = only_first + only_second
    if n == 0:
        return
    first = torch.arange(n) < only_first
    expected = binomtest(only_first, n).pvalue
    assert paired_test(first, ~first) == pytest.approx(expected)


def test_a_paired_test_of_many_samples_is_exact_and_quick():
    first = torch.arange(20_000) < 9_900
    assert paired_test(first, ~first) == pytest.approx(binomtest(9_900, 20_000).pvalue)


@pytest.mark.parametrize("degree", [0, 3, 8])
def test_leave_one_out_in_one_fit_agrees_with_refitting(degree):
    x, y = (part[0] for part in noisy_sine(1, 15, 0.3, seed=1))
    u = x / math.pi

    def residual(training, held_out):
        alpha = fit_polynomial(u[training], y[training], degree)
        return y[held_out] - evaluate(alpha, u[held_out])

    expected = cross_validate(folds(15, 15, seed=0), residual)
    torch.testing.assert_close(leave_one_out(powers(u, degree), y), expected)


def test_leave_one_out_agrees_with_scikit_learn():
    x, y = (part[0] for part in noisy_sine(1, 15, 0.3, seed=2))
    X = powers(x / math.pi, 4)
    answers = cross_val_predict(
        LinearRegression(fit_intercept=False), X.numpy(), y.numpy(), cv=LeaveOneOut()
    )
    torch.testing.assert_close(leave_one_out(X, y), y - torch.from_numpy(answers))


def test_a_sample_that_alone_fixes_a_weight_cannot_be_left_out():
    X = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 5.0]])
    with pytest.raises(ValueError, match=r"got 1\.0+ at sample 2"):
        leave_one_out(X, torch.arange(3.0))


def test_a_leverage_that_the_digits_cannot_tell_from_one_is_printed_as_it_is():
    X = powers(torch.linspace(-1, 1, 12), 9)
    with pytest.raises(ValueError, match=r"got 0\.999\d+ at sample"):
        leave_one_out(X, torch.arange(12.0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_targets_of_another_dtype_are_refused(dtype):
    with pytest.raises(TypeError, match="one dtype"):
        leave_one_out(torch.eye(4)[:, :2] + 1, torch.arange(4).to(dtype))


def test_one_score_teaches_nothing_and_is_refused():
    x, y = two_moons(60, 0.2, seed=0)
    with pytest.raises(ValueError, match="number of classes must be at least 2, got 1"):
        next(train_many(x, torch.zeros_like(y), (2, 4, 1), [0], epochs=1, batch=20))


def test_a_batch_without_its_network_is_refused():
    parameters = [torch.zeros(1, 5, 3), torch.zeros(1, 1, 3)]
    with pytest.raises(ValueError, match=r"x must be \(M, N, D\), got \(40, 5\)"):
        take_steps(parameters, torch.ones(40, 5), torch.zeros(40).long(), 0.1)


def test_a_training_that_overflows_is_refused():
    x, y = two_moons(60, 0.2, seed=0)
    with pytest.raises(ValueError, match="weights after an epoch must be finite"):
        list(train_many(x, y, (2, 8, 8, 2), [0], epochs=30, step=1e9, batch=20))


def test_five_networks_tie_for_the_best_and_the_first_is_luckiest():
    claims = claims_of("evaluation")
    seen, sealed = (
        torch.tensor(claims[f"convolutional_{half}_half_cuda"].value)
        for half in ("visible", "sealed")
    )
    best = sealed[seen == seen.min()]
    assert len(best) == 5
    assert (best[1:] > best[0]).all()


def test_columns_that_depend_on_each_other_are_refused():
    X = powers(torch.linspace(-1, 1, 8), 2)
    with pytest.raises(ValueError, match="must be 4 independent, got 3"):
        leave_one_out(torch.cat([X, X[:, 1:2]], dim=1), torch.arange(8.0))
    with pytest.raises(ValueError, match="must be 4 independent, got 3"):
        leave_one_out(torch.cat([X, 0 * X[:, :1]], dim=1), torch.arange(8.0))


def test_targets_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"y must be \(3,\), got \(2,\)"):
        leave_one_out(torch.ones(3, 1), torch.ones(2))


@pytest.mark.parametrize("labels", [0, 2])
def test_error_rates_of_nothing_or_of_unlike_tables_are_refused(labels):
    parameters = [torch.zeros(1, 4, 2), torch.zeros(1, 1, 2)]
    with pytest.raises(ValueError, match="x must not be empty"):
        error_rates(parameters, torch.zeros(0, 4), torch.zeros(labels, dtype=torch.int64))


def test_the_best_by_the_visible_errors_is_reported_with_its_sealed_error():
    visible = torch.tensor([[3.0, 1.0, 2.0], [5.0, 5.0, 6.0]])
    sealed = torch.tensor([[7.0, 8.0, 9.0], [4.0, 3.0, 2.0]])
    reported, true = pick_best(visible, sealed)
    assert (reported.tolist(), true.tolist()) == ([1, 5], [8, 4])  # the first of equals


def test_a_choice_among_one_deceives_nobody_on_average():
    generator = torch.Generator().manual_seed(0)
    visible, sealed = torch.rand(2, 20_000, 1, generator=generator)
    reported, true = pick_best(visible, sealed)
    assert (true - reported).mean().abs() < 0.01


@pytest.mark.parametrize("shapes", [((2, 3), (2, 4)), ((2, 0), (2, 0)), ((3,), (3,))])
def test_errors_of_the_wrong_shape_are_refused(shapes):
    with pytest.raises(ValueError, match=r"one shape|must be|must not be empty"):
        pick_best(*(torch.zeros(shape) for shape in shapes))


def test_errors_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="must be finite"):
        pick_best(torch.tensor([[math.nan]]), torch.zeros(1, 1))


def test_halves_of_a_test_set_hold_every_sample_once():
    mistakes = torch.eye(11) > 0  # candidate m errs on sample m alone
    visible, sealed = runs._seen_and_sealed(mistakes, splits=4)
    counts = visible * 5 / 100 + sealed * 6 / 100
    torch.testing.assert_close(counts, torch.ones(4, 11, dtype=torch.float64))


def test_a_subject_has_one_label_and_equal_seeds_give_equal_subjects():
    x, y, who = subjects.draw(5, 4, seed=1)
    assert x.shape == (20, 10)
    assert all(len(y[who == each].unique()) == 1 for each in range(5))
    assert torch.equal(x, subjects.draw(5, 4, seed=1)[0])


def test_training_on_digits_is_as_recorded():
    x, y, test_x, test_y = digits.load()
    x, test_x = x.flatten(1).double(), test_x.flatten(1).double()
    *_, last = train_many(x, y, (64, 20, 10), [0, 1], epochs=6, step=0.3, batch=20)
    errors = 100 * error_rates(last, test_x, test_y)
    recorded = claims_of("evaluation")["digits_errors"].value[:2]
    torch.testing.assert_close(errors, torch.tensor(recorded).double(), atol=2, rtol=0)


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_a_network_after_one_epoch_of_mnist_is_as_recorded():
    """The loop of another chapter, on another device: the recorded errors are no artifact."""
    images, labels, test_images, truth = mnist.load()
    generator = torch.Generator().manual_seed(0)
    model = convolutional_network(generator).to(memory_format=torch.channels_last)
    train_epoch(begin(model, generator, Recipe()), standardize(images, images), labels)
    error = 100 * error_rate(model, standardize(test_images, images), truth)
    recorded = claims_of("evaluation")["convolutional_after_one_epoch_cuda"].value[0]
    assert error == pytest.approx(recorded, abs=0.3)
