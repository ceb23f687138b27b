"""Autograd: a tape against torch, modes against each other, the loop against the hand."""

import io
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional
from torch.utils.data import DataLoader

from dlbook import autograd
from dlbook.autograd import (
    Images,
    Network,
    Node,
    SavedMemory,
    Softplus,
    add,
    backward,
    error_rate,
    jacobian_by_columns,
    jacobian_by_rows,
    matrix_product,
    mean,
    multiply,
    nodes_of,
    saved_at,
    state_of,
    sum_to,
    train_epoch,
    train_epoch_by_hand,
)
from dlbook.data import digits
from dlbook.gradient_descent import Adam, Descent, Momentum
from dlbook.mlp import draw_layers


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def small_digits(n=200):
    images, labels, _, _ = digits.load()
    return Images(images[:n].flatten(1).double(), labels[:n])


def test_a_number_used_twice_collects_both_slopes():
    a, b = Node(torch.tensor(2.0)), Node(torch.tensor(3.0))
    s = add(multiply(a, b), a)
    backward(multiply(s, s))
    assert (a.gradient.item(), b.gradient.item()) == (64, 32)


def test_gradients_of_leaves_add_up_over_calls_and_others_keep_none():
    x = Node(torch.tensor(3.0))
    square = multiply(x, x)
    backward(square)
    backward(square)
    assert x.gradient.item() == 12
    assert square.gradient.item() == 0


def test_each_node_hands_its_slopes_on_once():
    passed = []
    x = Node(torch.tensor(2.0))
    m = Node(x.value * 3, ((x, lambda slopes: passed.append(1) or 3 * slopes),))
    backward(add(multiply(m, Node(torch.tensor(5.0))), m))
    assert (len(passed), x.gradient.item()) == (1, 18)


SHAPES = st.sampled_from([(3, 4), (1, 4), (3, 1), (4,), (1,), ()])


@given(
    shapes=st.lists(SHAPES, min_size=2, max_size=4),
    choices=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 20)),
        min_size=1,
        max_size=12,
    ),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_expressions_have_the_gradients_of_torch(shapes, choices):
    leaves = [Node(drawn(*shape, seed=k)) for k, shape in enumerate(shapes)]
    theirs = [leaf.value.clone().requires_grad_() for leaf in leaves]
    ours, known = list(leaves), list(theirs)
    for kind, i, j in choices:
        i, j = i % len(ours), j % len(ours)
        if kind == 0:
            ours.append(add(ours[i], ours[j]))
            known.append(known[i] + known[j])
        elif kind == 1:
            ours.append(multiply(autograd.tanh(ours[i]), ours[j]))
            known.append(known[i].tanh() * known[j])
        else:
            ours.append(autograd.tanh(ours[i]))
            known.append(known[i].tanh())
    backward(mean(ours[-1]))
    known[-1].mean().backward()
    for leaf, other in zip(leaves, theirs, strict=True):
        expected = torch.zeros_like(other) if other.grad is None else other.grad
        torch.testing.assert_close(leaf.gradient, expected, rtol=1e-12, atol=1e-12)


def test_a_network_on_the_tape_has_the_gradients_of_torch():
    x, w1, b1, w2 = (
        drawn(5, 3),
        drawn(3, 4, seed=1),
        drawn(4, seed=2),
        drawn(4, 2, seed=3),
    )
    leaves = [Node(value) for value in (w1, b1, w2)]
    hidden = autograd.tanh(add(matrix_product(Node(x), leaves[0]), leaves[1]))
    y = matrix_product(hidden, leaves[2])
    backward(mean(multiply(y, y)))
    theirs = [value.clone().requires_grad_() for value in (w1, b1, w2)]
    ((x @ theirs[0] + theirs[1]).tanh() @ theirs[2]).square().mean().backward()
    for leaf, other in zip(leaves, theirs, strict=True):
        torch.testing.assert_close(leaf.gradient, other.grad, rtol=1e-12, atol=1e-14)


def test_a_long_chain_needs_no_deep_stack():
    x = Node(torch.tensor(1.0))
    y = x
    for _ in range(3000):
        y = add(y, Node(torch.tensor(1.0)))
    backward(y)
    assert x.gradient.item() == 1


@given(
    shape=st.lists(st.integers(1, 4), max_size=3),
    ahead=st.lists(st.integers(1, 3), max_size=2),
    expanded=st.lists(st.booleans(), min_size=3, max_size=3),
)
@settings(max_examples=50, deadline=None, derandomize=True)
def test_slopes_are_summed_as_torch_sums_them(shape, ahead, expanded):
    old = [1 if e else n for n, e in zip(shape, expanded, strict=False)]
    slopes = drawn(*ahead, *shape)
    torch.testing.assert_close(sum_to(slopes, tuple(old)), slopes.sum_to_size(old))


def test_a_sum_to_a_shape_that_does_not_expand_is_refused():
    for shape in ((3,), (2, 2, 4), (4, 2)):
        with pytest.raises(ValueError, match="must expand to the shape of slopes"):
            sum_to(drawn(2, 4), shape)


def test_only_a_single_number_goes_back():
    with pytest.raises(ValueError, match=r"one number, got \(3,\)"):
        backward(Node(torch.ones(3)))


def test_matrices_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(2, 3\)"):
        matrix_product(Node(drawn(2, 3)), Node(drawn(2, 3)))
    with pytest.raises(TypeError, match="a and b"):
        add(Node(torch.ones(2)), Node(drawn(2)))


def test_the_graph_of_torch_is_listed_once_from_the_result():
    a = torch.tensor(2.0, requires_grad=True)
    s = a * 3 + a
    names = [node.name() for node in nodes_of(s)]
    assert names[0] == "AddBackward0"
    assert sorted(names[1:]) == ["MulBackward0", "torch::autograd::AccumulateGrad"]
    with pytest.raises(ValueError, match="must have a graph"):
        nodes_of(s.detach())


def test_a_product_saves_its_factors_and_frees_them_on_the_way_back():
    a, b = drawn(3).requires_grad_(), drawn(3, seed=1).requires_grad_()
    y = (a * b).sum()
    (product,) = [node for node in nodes_of(y) if node.name() == "MulBackward0"]
    assert set(saved_at(product)) == {"self", "other"}
    torch.testing.assert_close(saved_at(product)["other"], b)
    y.backward()
    with pytest.raises(RuntimeError, match="freed"):
        saved_at(product)


@pytest.mark.parametrize("jacobian", [jacobian_by_rows, jacobian_by_columns])
def test_both_modes_give_the_jacobian_of_torch(jacobian):
    w = drawn(4, 3)

    def function(x):
        return torch.tanh(w @ x) * x.sum()

    x = drawn(3, seed=1)
    expected = torch.autograd.functional.jacobian(function, x)
    torch.testing.assert_close(jacobian(function, x), expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(torch.func.jacrev(function)(x), expected)


def test_a_mode_takes_as_many_passes_as_it_says():
    calls = []

    def function(x):
        calls.append(1)
        return torch.stack([x.sum(), x.prod()])

    jacobian_by_rows(function, drawn(5))
    assert len(calls) == 1  # forward once, then two ways back
    calls.clear()
    jacobian_by_columns(function, drawn(5))
    assert len(calls) == 5


def test_softplus_passes_the_check_of_torch_once_and_twice():
    x = drawn(4, 3).requires_grad_()
    assert gradcheck(Softplus.apply, (x,))
    assert gradgradcheck(Softplus.apply, (x,))
    torch.testing.assert_close(Softplus.apply(x), functional.softplus(x))


def test_softplus_neither_overflows_nor_loses_its_slope():
    x = torch.tensor([-1000.0, 0, 1000], dtype=torch.float64, requires_grad=True)
    y = Softplus.apply(x)
    y.sum().backward()
    assert y.tolist() == [0, pytest.approx(math.log(2)), 1000]
    assert x.grad.tolist() == [0, 0.5, 1]


def test_saved_memory_counts_each_storage_once_and_forgets_with_the_graph():
    x = drawn(100).requires_grad_()
    with SavedMemory() as memory:
        y = x.exp()  # keeps its result
        z = (y * y).sum()  # keeps y twice more
    assert memory.bytes() == 800
    del y
    assert memory.bytes() == 800
    z.backward()
    assert memory.bytes() == 0


def test_saved_memory_grows_with_losses_that_are_kept_and_not_with_their_numbers():
    w = drawn(10).requires_grad_()
    with SavedMemory() as memory:
        numbers = [(w * drawn(10, seed=k)).sum().item() for k in range(5)]
        assert memory.bytes() == 0
        losses = [(w * drawn(10, seed=k)).sum() for k in range(5)]
        assert memory.bytes() == 5 * 80  # w itself is not needed for its own slope
    assert len(numbers) == len(losses)


def test_a_graph_that_keeps_its_own_result_goes_without_a_way_back():
    x = drawn(10).requires_grad_()
    with SavedMemory() as memory:
        y = x.exp().log_softmax(dim=0)
        assert memory.bytes() == 160
        del y
        assert memory.bytes() == 0


def test_saved_memory_changes_no_second_slope():
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    with SavedMemory():
        (first,) = torch.autograd.grad(x**3 * x.exp(), x, create_graph=True)
        (second,) = torch.autograd.grad(first, x)
    assert second.item() == pytest.approx((12 + 6 * 4 + 8) * math.exp(2))


def test_saved_memory_changes_no_gradient():
    x = drawn(5).requires_grad_()
    with SavedMemory():
        (watched,) = torch.autograd.grad((x.exp() * x.tanh()).sum(), x)
    (plain,) = torch.autograd.grad((x.exp() * x.tanh()).sum(), x)
    torch.testing.assert_close(watched, plain, rtol=0, atol=0)


def shuffled(data, seed):
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(data, batch_size=32, shuffle=True, generator=generator)


RULES = {
    "plain": (Descent, lambda p: torch.optim.SGD(p, lr=0.1), 0.1),
    "momentum": (Momentum, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 0.1),
    "Adam": (Adam, lambda p: torch.optim.Adam(p, lr=0.01), 0.01),
}


@pytest.mark.parametrize("name", RULES)
def test_the_usual_loop_gives_what_the_hand_gives(name):
    rule, optimizer_of, eta = RULES[name]
    data, layers = small_digits(), draw_layers([64, 16, 10], 0, torch.float64)
    network = Network((64, 16, 10)).double()
    network.load_state_dict(state_of(layers))
    optimizer = optimizer_of(network.parameters())
    rules = [(rule(eta), rule(eta)) for _ in layers]
    one, other = (shuffled(data, seed=1) for _ in range(2))
    for _ in range(3):
        train_epoch(network, one, optimizer)
        layers = train_epoch_by_hand(layers, other, rules)
    for mine, theirs in zip(
        state_of(layers).values(), network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


def test_a_long_gradient_is_shortened_to_its_limit():
    data = small_digits(50)
    network = Network((64, 8, 10)).double()
    before = nn.utils.parameters_to_vector(network.parameters()).detach().clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    train_epoch(network, DataLoader(data, batch_size=50), optimizer, longest=0.01)
    after = nn.utils.parameters_to_vector(network.parameters()).detach()
    assert (after - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_training_and_measuring_set_their_modes():
    loader = DataLoader(small_digits(40), batch_size=20)
    network = Network((64, 8, 10), dropout=0.5).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    first = error_rate(network, loader)
    assert not network.training
    assert error_rate(network, loader) == first
    train_epoch(network, loader, optimizer)
    assert network.training


def test_the_loss_of_an_epoch_is_a_mean_over_samples():
    data = small_digits(50)  # 32 and 18
    network = Network((64, 8, 10)).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    found = train_epoch(network, DataLoader(data, batch_size=32), optimizer)
    loss = functional.cross_entropy(network(data.images), data.labels)
    assert found == pytest.approx(loss.item())


def test_a_state_survives_the_way_to_disk_and_back():
    network, other = Network((4, 3, 2)), Network((4, 3, 2))
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    x = torch.ones(2, 4)
    torch.testing.assert_close(network(x), other(x), rtol=0, atol=0)


def test_a_network_learns_digits():
    images, labels, test_images, test_labels = digits.load()
    torch.manual_seed(0)
    network = Network((64, 32, 10))
    loader = DataLoader(Images(images.flatten(1), labels), batch_size=64)
    test = DataLoader(Images(test_images.flatten(1), test_labels), batch_size=100)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(5):
        train_epoch(network, loader, optimizer)
    assert error_rate(network, test) < 0.15


def test_a_training_that_diverges_says_so():
    loader = DataLoader(small_digits(40), batch_size=20)
    network = Network((64, 8, 10)).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e300)
    with pytest.raises(ValueError, match="loss must be finite"):
        train_epoch(network, loader, optimizer)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"labels must be \(3,\), got \(2,\)"):
        Images(torch.ones(3, 4), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="each width must be at least 1, got 0"):
        Network((4, 0, 2))
    with pytest.raises(ValueError, match="2 layers, got 1"):
        state_of(draw_layers([4, 2], 0))
    network, data = Network((4, 3, 2)), Images(torch.ones(3, 4), torch.tensor([0, 1, 0]))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="longest must be above 0, got 0"):
        train_epoch(network, DataLoader(data), optimizer, longest=0)
    empty = DataLoader(data, batch_size=5, drop_last=True)
    with pytest.raises(ValueError, match="number of batches must be at least 1, got 0"):
        error_rate(network, empty)


@pytest.mark.parametrize(
    "labels",
    [torch.zeros(4, 1, dtype=torch.int64), torch.full((4,), 3)],
    ids=["shape", "class"],
)
def test_the_error_rate_refuses_labels_that_would_mislead(labels):
    with pytest.raises(ValueError, match="labels must"):
        error_rate(nn.Linear(2, 3), [(torch.ones(4, 2), labels)])
