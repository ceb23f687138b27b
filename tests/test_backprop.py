"""Back-propagation: by hand, against autograd and finite differences, cost, digits."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from dlbook import backprop, mlp
from dlbook.backprop import (
    backward,
    count_products,
    cross_entropy,
    cross_entropy_gradient,
    error_rate,
    finite_differences,
    step,
    trace,
    train_epoch,
    train_step,
)
from dlbook.data import digits, mnist
from dlbook.runs.record import claims_of

ACTIVATIONS = {
    "relu": (mlp.relu, mlp.relu_derivative),
    "tanh": (mlp.tanh, mlp.tanh_derivative),
}


def problem(widths: list[int], n: int, seed: int = 0) -> tuple:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, widths[0], generator=generator, dtype=torch.float64)
    labels = torch.randint(widths[-1], (n,), generator=generator)
    return mlp.draw_layers(widths, seed, torch.float64), x, labels


def gradients_by_hand(layers, x, labels, activation, derivative):
    entered, sums = trace(x, layers, activation)
    along_scores = cross_entropy_gradient(sums[-1], labels)
    return backward(layers, entered, sums, along_scores, derivative)


def gradients_by_autograd(layers, x, labels, activation):
    layers = [tuple(p.clone().requires_grad_() for p in pair) for pair in layers]
    scores = mlp.forward(x, layers, activation)
    functional.cross_entropy(scores, labels).backward()
    return [tuple(p.grad for p in pair) for pair in layers]


def test_one_unit_matches_a_case_worked_by_hand():
    # s1 = 2 * 3 - 1 = 5, the scores are 5 and -5; the gradient along them is given.
    layers = [
        (torch.tensor([[2.0]]), torch.tensor([-1.0])),
        (torch.tensor([[1.0], [-1.0]]), torch.zeros(2)),
    ]
    entered, sums = trace(torch.tensor([[3.0]]), layers, mlp.relu)
    assert sums[-1].tolist() == [[5, -5]]
    (w1, b1), (w2, b2) = backward(
        layers, entered, sums, torch.tensor([[0.5, 0.25]]), mlp.relu_derivative
    )
    assert (w2.tolist(), b2.tolist()) == ([[2.5], [1.25]], [0.5, 0.25])
    assert (w1.tolist(), b1.tolist()) == ([[0.75]], [0.25])  # 0.5 - 0.25, times 3


@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    n=st.integers(1, 7),
    name=st.sampled_from(sorted(ACTIVATIONS)),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_gradients_equal_those_of_autograd_for_any_shape(widths, n, name, seed):
    layers, x, labels = problem(widths, n, seed)
    activation, derivative = ACTIVATIONS[name]
    by_hand = gradients_by_hand(layers, x, labels, activation, derivative)
    automatic = gradients_by_autograd(layers, x, labels, activation)
    torch.testing.assert_close(by_hand, automatic, rtol=1e-9, atol=1e-12)


@given(
    widths=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    n=st.integers(1, 4),
    seed=st.integers(0, 99),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_gradients_equal_finite_differences(widths, n, seed):
    layers, x, labels = problem(widths, n, seed)
    by_hand = gradients_by_hand(layers, x, labels, *ACTIVATIONS["tanh"])

    def loss() -> torch.Tensor:
        return cross_entropy(mlp.forward(x, layers, mlp.tanh), labels)

    for parameters, slopes in zip(layers, by_hand, strict=True):
        for parameter, slope in zip(parameters, slopes, strict=True):
            measured = finite_differences(loss, parameter, 1e-5)
            torch.testing.assert_close(slope, measured, rtol=1e-6, atol=1e-8)


def test_a_batch_has_the_mean_of_the_gradients_of_its_samples():
    layers, x, labels = problem([3, 4, 2], n=5)
    whole = gradients_by_hand(layers, x, labels, *ACTIVATIONS["relu"])
    single = [
        gradients_by_hand(layers, x[i : i + 1], labels[i : i + 1], *ACTIVATIONS["relu"])
        for i in range(5)
    ]
    mean = torch.stack([gradients[0][0] for gradients in single]).mean(dim=0)
    torch.testing.assert_close(whole[0][0], mean)


def test_the_loss_and_its_gradient_equal_those_of_torch():
    _, x, labels = problem([4, 3], n=6)
    scores = x[:, :3].clone().requires_grad_()
    loss = functional.cross_entropy(scores, labels)
    torch.testing.assert_close(cross_entropy(scores, labels), loss)
    (automatic,) = torch.autograd.grad(loss, scores)
    torch.testing.assert_close(cross_entropy_gradient(scores.detach(), labels), automatic)


def test_huge_scores_give_a_finite_loss():
    scores = torch.tensor([[1e4, -1e4]])
    assert cross_entropy(scores, torch.tensor([1])) == 2e4
    assert cross_entropy_gradient(scores, torch.tensor([1])).tolist() == [[1, -1]]


@pytest.mark.parametrize("fused", [False, True])
def test_three_steps_equal_those_of_torch_optim(fused):
    layers, x, labels = problem([5, 4, 4, 3], n=8, seed=3)
    network = nn.Sequential(
        *(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3))
    ).double()
    with torch.no_grad():
        for module, (w, b) in zip(network[::2], layers, strict=True):
            module.weight.copy_(w)
            module.bias.copy_(b)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.3)
    for _ in range(3):
        if fused:
            train_step(layers, x, labels, 0.3)
        else:
            step(layers, gradients_by_hand(layers, x, labels, *ACTIVATIONS["relu"]), 0.3)
        optimizer.zero_grad()
        functional.cross_entropy(network(x), labels).backward()
        optimizer.step()
    for module, (w, b) in zip(network[::2], layers, strict=True):
        torch.testing.assert_close(module.weight.detach(), w)
        torch.testing.assert_close(module.bias.detach(), b)


def test_a_wrong_slope_is_caught_by_the_comparison():
    layers, x, labels = problem([4, 6, 3], n=8)
    wrong = gradients_by_hand(layers, x, labels, mlp.relu, torch.ones_like)
    right = gradients_by_autograd(layers, x, labels, mlp.relu)
    assert torch.allclose(wrong[1][0], right[1][0])
    assert (wrong[0][0] - right[0][0]).abs().max() > 1e-3


def test_training_uses_no_autograd():
    layers, x, labels = problem([4, 6, 3], n=8)
    train_epoch(layers, x, labels, 0.1, 4, torch.Generator().manual_seed(0))
    assert all(p.grad is None and not p.requires_grad for pair in layers for p in pair)


def test_equal_generators_give_equal_training():
    ends = []
    for _ in range(2):
        layers, x, labels = problem([4, 6, 3], n=9)
        train_epoch(layers, x, labels, 0.1, 4, torch.Generator().manual_seed(7))
        ends.append(layers)
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_a_network_learns_digits_that_were_set_aside():
    images, labels, test_images, test_labels = digits.load()
    layers = mlp.draw_layers([64, 32, 10], seed=0)
    generator = torch.Generator().manual_seed(0)
    before = error_rate(layers, test_images.flatten(1), test_labels)
    for _ in range(15):
        train_epoch(layers, images.flatten(1), labels, 0.5, 100, generator)
    after = error_rate(layers, test_images.flatten(1), test_labels)
    assert before > 0.8
    assert after < 0.12


@given(widths=st.lists(st.integers(1, 9), min_size=2, max_size=6), n=st.integers(1, 3))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_products_are_those_that_torch_counts(widths, n):
    layers, x, labels = problem(widths, n)
    with FlopCounterMode(display=False) as there:
        entered, sums = trace(x, layers, mlp.relu)
    along_scores = cross_entropy_gradient(sums[-1], labels)
    with FlopCounterMode(display=False) as back:
        backward(layers, entered, sums, along_scores, mlp.relu_derivative)
    counted = (there.get_total_flops(), back.get_total_flops())  # a sum for each product
    assert counted == tuple(2 * n * products for products in count_products(widths))


def test_the_rule_of_thumb_fails_where_the_first_layer_is_the_largest():
    assert count_products([784, 200, 10]) == (158_800, 160_800)
    there, back = count_products([512] * 101)
    assert back / there == pytest.approx(1.99)


def test_finite_differences_put_every_coefficient_back():
    parameter = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64)
    slopes = finite_differences(lambda: parameter.square().sum(), parameter, 1e-4)
    torch.testing.assert_close(slopes, 2 * parameter)
    assert parameter.tolist() == [[1, 2, 3]]


def test_finite_differences_put_the_coefficient_back_when_the_function_fails():
    parameter = torch.tensor([1.0, 2.0], dtype=torch.float64)

    def fails() -> torch.Tensor:
        raise RuntimeError("no loss today")

    with pytest.raises(RuntimeError, match="no loss today"):
        finite_differences(fails, parameter, 1e-4)
    assert parameter.tolist() == [1, 2]


def test_finite_differences_take_a_scalar_that_asks_for_gradients():
    parameter = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    slope = finite_differences(lambda: parameter**2, parameter, 1e-4)
    assert slope.item() == pytest.approx(6)


def test_a_distance_that_rounding_swallows_is_refused():
    parameter = torch.tensor([1000.0])
    with pytest.raises(ValueError, match=r"lost in 1000"):
        finite_differences(lambda: parameter.sum(), parameter, 1e-5)


@pytest.mark.parametrize("batch", [8, 4])
def test_a_refused_epoch_changes_nothing(batch):
    layers, x, labels = problem([4, 6, 3], n=8)
    before = [tuple(p.clone() for p in pair) for pair in layers]
    labels[-1] = -1
    with pytest.raises(ValueError, match="labels must be 0 or more, got -1"):
        train_epoch(layers, x, labels, 0.1, batch, torch.Generator())
    with pytest.raises(ValueError, match="labels must be 0 or more, got -1"):
        train_step(layers, x, labels, 0.1)
    torch.testing.assert_close(layers, before, rtol=0, atol=0)


def test_a_score_that_is_no_number_is_no_right_answer():
    layers, x, labels = problem([4, 3], n=5)
    layers[0][0][0, 0] = float("nan")
    with pytest.raises(ValueError, match="scores must be finite"):
        error_rate(layers, x, labels)


def test_bad_input_is_refused():
    layers, x, labels = problem([4, 3], n=5)
    with pytest.raises(ValueError, match=r"must not be empty, got shape \(0, 3\)"):
        cross_entropy(torch.zeros(0, 3), labels[:0])
    with pytest.raises(ValueError, match=r"labels must be \(5,\), got \(4,\)"):
        cross_entropy(x, labels[:4])
    with pytest.raises(ValueError, match="between 1 and 5, got 6"):
        train_epoch(layers, x, labels, 0.1, 6, torch.Generator())
    with pytest.raises(ValueError, match="h must be above 0, got 0"):
        finite_differences(lambda: x.sum(), x, 0)
    with pytest.raises(ValueError, match=r"two layers of 1 unit or more, got \[3\]"):
        count_products([3])


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_the_first_epoch_on_mnist_ends_where_the_record_says():
    images, labels, test_images, test_labels = mnist.load()
    layers = mlp.draw_layers([784, 200, 10], seed=0)
    generator = torch.Generator().manual_seed(0)
    backprop.train_epoch(layers, images.flatten(1) / 255, labels, 0.1, 100, generator)
    error = 100 * error_rate(layers, test_images.flatten(1) / 255, test_labels)
    recorded = claims_of("backprop")["mnist_error_first_seed"]
    assert error == pytest.approx(recorded.value, abs=recorded.tolerance)


def test_an_activation_in_place_does_not_touch_the_scores():
    layers, x, _ = problem([4, 8, 3], n=6)
    _, sums = trace(x, layers, nn.ReLU(inplace=True))
    torch.testing.assert_close(sums[-1], mlp.forward(x, layers, mlp.relu))
    assert (sums[-1] < 0).any()


def test_a_way_back_needs_the_way_forward_of_its_layers():
    layers, x, _ = problem([4, 8, 3], n=6)
    entered, sums = trace(x, layers, mlp.relu)
    along = torch.ones_like(sums[-1])
    with pytest.raises(ValueError, match="a layer needs x"):
        backward(layers, entered[::-1], sums, along, mlp.relu_derivative)
    with pytest.raises(ValueError, match=r"sums must be \(6, 8\), got \(6, 3\)"):
        backward(layers, entered, sums[::-1], along, mlp.relu_derivative)
    with pytest.raises(ValueError, match="as many, got 0, 0 and 0"):
        backward([], [], [], along, mlp.relu_derivative)


def test_steps_that_would_spoil_all_weights_are_refused():
    layers, x, labels = problem([4, 6, 3], n=8)
    before = [tuple(p.clone() for p in pair) for pair in layers]
    slopes = [tuple(torch.full_like(p, torch.nan) for p in pair) for pair in layers]
    with pytest.raises(ValueError, match="gradient must be finite"):
        step(layers, slopes, 0.1)
    x[0, 0] = torch.inf
    with pytest.raises(ValueError, match="x must be finite"):
        train_step(layers, x, labels, 0.1)
    torch.testing.assert_close(layers, before, rtol=0, atol=0)


def test_an_epoch_that_diverges_says_so():
    layers, x, labels = problem([4, 6, 3], n=8)
    with pytest.raises(ValueError, match="scores must be finite"):
        train_epoch(layers, x, labels, 1e200, 4, torch.Generator())


def test_finite_differences_refuse_what_cannot_be_moved_alone_or_measured():
    shared = torch.zeros(1, dtype=torch.float64).expand(3)
    with pytest.raises(ValueError, match="must not share memory"):
        finite_differences(lambda: shared.sum(), shared, 1e-4)
    parameter = torch.ones(2, dtype=torch.float64)
    with pytest.raises(ValueError, match="slopes of the function must be finite"):
        finite_differences(lambda: (-parameter).log().sum(), parameter, 1e-4)
