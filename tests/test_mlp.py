"""Multi-layer perceptrons: by hand, against torch.nn, the collapse, pieces, bad input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlbook import mlp
from dlbook.mlp import (
    active_units,
    collapse,
    count_pieces,
    draw_layers,
    forward,
    layer,
    parameter_count,
    relu,
    relu_derivative,
    sawtooth,
    tanh,
    tanh_derivative,
    unit,
)
from dlbook.runs.mlp import path_pieces

WIDTHS = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def as_torch_nn(layers: list[mlp.Layer], activation: type[nn.Module]) -> nn.Sequential:
    """Copy a network into the library's modules, an activation between any two."""
    modules = []
    for weight, bias in layers:
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=weight.dtype)
        linear.load_state_dict({"weight": weight, "bias": bias})
        modules += [linear, activation()]
    return nn.Sequential(*modules[:-1])


def points(n: int, d: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64)


def test_a_unit_matches_a_case_worked_by_hand():
    x, w, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, -2.0]), torch.tensor(0.5)
    assert unit(x, w, b, relu) == 0
    assert unit(x, -w, -b, relu) == 0.5


def test_each_column_of_a_layer_is_one_unit():
    x, (weight, bias) = points(5, 3, 0), draw_layers([3, 4], 1, torch.float64)[0]
    rows = layer(x, weight, bias, tanh)
    for n in range(5):
        for k in range(4):
            torch.testing.assert_close(rows[n, k], unit(x[n], weight[k], bias[k], tanh))


def test_two_rectifiers_compute_xor():
    layers = [
        (torch.ones(2, 2), torch.tensor([0.0, -1.0])),
        (torch.tensor([[1.0, -2.0]]), torch.zeros(1)),
    ]
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert forward(corners, layers, relu).flatten().tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(("ours", "theirs"), [(tanh, nn.Tanh), (relu, nn.ReLU)])
@given(widths=WIDTHS, seed=st.integers(0, 1000))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_a_network_equals_torch_nn(ours, theirs, widths, seed):
    layers, x = draw_layers(widths, seed, torch.float64), points(7, widths[0], seed)
    expected = as_torch_nn(layers, theirs)(x)
    torch.testing.assert_close(forward(x, layers, ours), expected, rtol=1e-12, atol=1e-12)


def test_drawn_layers_are_those_of_torch_nn():
    with torch.random.fork_rng():
        torch.manual_seed(7)
        linear = [nn.Linear(3, 5), nn.Linear(5, 2)]
    for (weight, bias), module in zip(
        draw_layers([3, 5, 2], seed=7), linear, strict=True
    ):
        torch.testing.assert_close(weight, module.weight.data)
        torch.testing.assert_close(bias, module.bias.data)


@given(widths=WIDTHS, seed=st.integers(0, 1000))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_affine_layers_collapse_into_one(widths, seed):
    layers, x = draw_layers(widths, seed, torch.float64), points(7, widths[0], seed)
    weight, bias = collapse(layers)
    stacked = forward(x, layers, lambda s: s)
    torch.testing.assert_close(x @ weight.T + bias, stacked, rtol=1e-12, atol=1e-12)


def test_tanh_agrees_with_the_library_and_stays_finite_far_out():
    s = torch.tensor([-1000.0, -3.0, -0.5, 0.0, 0.5, 3.0, 1000.0], dtype=torch.float64)
    torch.testing.assert_close(tanh(s), torch.tanh(s), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("function", "derivative"), [(tanh, tanh_derivative), (relu, relu_derivative)]
)
def test_derivatives_agree_with_autograd(function, derivative):
    s = torch.linspace(-4, 4, 80, dtype=torch.float64).requires_grad_()
    (expected,) = torch.autograd.grad(function(s).sum(), s)
    torch.testing.assert_close(derivative(s.detach()), expected, rtol=1e-12, atol=1e-14)


def test_at_zero_the_rectifier_has_the_slope_on_the_left():
    assert relu_derivative(torch.zeros(1)).item() == 0


def test_parameters_are_counted_as_torch_nn_counts_them():
    layers = draw_layers([4, 5, 3], seed=0)
    module = as_torch_nn(layers, nn.ReLU)
    assert parameter_count(layers) == sum(p.numel() for p in module.parameters()) == 43


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
def test_the_sawtooth_has_two_to_the_depth_pieces_and_equals_repeated_folding(depth):
    x = (torch.arange(2**depth * 8, dtype=torch.float64) + 0.5)[:, None] / (2**depth * 8)
    folded = x
    for _ in range(depth):
        folded = 1 - (2 * folded - 1).abs()
    layers = sawtooth(depth)
    assert count_pieces(x, layers) == 2**depth
    torch.testing.assert_close(forward(x, layers, relu), folded)


@given(width=st.integers(1, 20), seed=st.integers(0, 1000))
@settings(derandomize=True, max_examples=25, deadline=None)
def test_one_hidden_layer_has_at_most_one_piece_more_than_units(width, seed):
    assert path_pieces([1, width, 1], seed) <= width + 1


def test_a_network_without_hidden_layers_has_one_piece():
    layers = draw_layers([2, 1], seed=0)
    assert active_units(torch.zeros(9, 2), layers).shape == (9, 0)
    along = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None]
    assert count_pieces(along * points(1, 2, 0), layers) == 1


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("n", [1000, 1001, 1024, 1025])
def test_pieces_are_counted_wherever_the_points_lie(depth, n):
    x = torch.linspace(0, 1, n)[:, None]
    assert count_pieces(x, sawtooth(depth)) == 2**depth


def test_a_unit_that_nobody_listens_to_adds_no_piece():
    hidden = torch.ones(2, 1), torch.tensor([0.0, -0.5])
    x = torch.linspace(-1, 1, 100)[:, None]
    assert count_pieces(x, [hidden, (torch.tensor([[1.0, 1.0]]), torch.zeros(1))]) == 3
    assert count_pieces(x, [hidden, (torch.tensor([[1.0, 0.0]]), torch.zeros(1))]) == 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_the_slope_of_tanh_under_autograd_is_a_number_however_far_out(dtype):
    s = torch.tensor([-1e4, -400, -50, -8, -1, 0, 1, 8, 50, 400, 1e4], dtype=dtype)
    s.requires_grad_()
    (slope,) = torch.autograd.grad(tanh(s).sum(), s)
    (expected,) = torch.autograd.grad(torch.tanh(s).sum(), s)
    tolerance = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(slope, expected, rtol=0, atol=tolerance)


def test_tanh_is_its_formula():
    s = torch.linspace(-5, 5, 101, dtype=torch.float64)
    formula = 2 / (1 + torch.exp(-2 * s)) - 1
    torch.testing.assert_close(tanh(s), formula, rtol=0, atol=1e-15)


def test_one_unit_of_gelu_has_two_borders_and_one_of_tanh_has_one():
    s = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    changes = {
        name: int(((f(s) + 0.1 > 0).diff()).sum())
        for name, f in (("gelu", nn.functional.gelu), ("tanh", tanh))
    }
    assert changes == {"gelu": 2, "tanh": 1}


def test_no_inputs_give_no_outputs():
    assert forward(torch.zeros(0, 2), draw_layers([2, 3, 4], 0), tanh).shape == (0, 4)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"got \(5, 3\), \(4, 2\) and \(4,\)"):
        layer(torch.zeros(5, 3), torch.zeros(4, 2), torch.zeros(4), relu)
    with pytest.raises(ValueError, match=r"got \(5, 2\), \(4, 2\) and \(1,\)"):
        layer(torch.zeros(5, 2), torch.zeros(4, 2), torch.zeros(1), relu)


@pytest.mark.parametrize("widths", [[], [3], [3, 0, 1]])
def test_impossible_widths_are_refused(widths):
    with pytest.raises(ValueError, match="at least 2 numbers from 1 up"):
        draw_layers(widths, seed=0)


def test_empty_networks_and_paths_are_refused():
    with pytest.raises(ValueError, match="at least 1 layer, got 0"):
        forward(torch.zeros(1, 1), [], relu)
    with pytest.raises(ValueError, match="at least 1 layer, got 0"):
        collapse([])
    with pytest.raises(ValueError, match="number of points must be at least 3, got 2"):
        count_pieces(torch.zeros(2, 1), draw_layers([1, 2, 1], 0))
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        sawtooth(0)


def circle() -> torch.Tensor:
    turn = torch.linspace(0, 2 * torch.pi, 2001, dtype=torch.float64)
    return torch.stack([turn.cos(), turn.sin()], dim=1)


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(9, 1),
        torch.linspace(0, 1, 101)[torch.arange(101) * 7 % 101, None],
        circle(),
        torch.linspace(-3, 3, 501)[:, None] * torch.tensor([1, 1 / 3]),
    ],
    ids=["one point", "out of order", "a circle", "a line that float32 cannot hold"],
)
def test_pieces_are_counted_along_a_line_only(x):
    with pytest.raises(ValueError, match="in order along a straight line"):
        count_pieces(x, draw_layers([x.shape[1], 8, 1], 0))


def test_pieces_along_a_slanted_line_do_not_depend_on_the_number_of_points():
    line = torch.tensor([[1, 1 / 3]], dtype=torch.float64)
    counts = {
        count_pieces(torch.linspace(-3, 3, n).double()[:, None] * line, layers)
        for layers in [draw_layers([2, 8, 1], 1)]
        for n in (4001, 8001)
    }
    assert len(counts) == 1


@pytest.mark.parametrize("depth", [10, 12])
def test_pieces_that_the_points_do_not_resolve_are_not_counted(depth):
    with pytest.raises(ValueError, match="each piece must hold 3 points"):
        count_pieces(torch.linspace(0, 1, 1001)[:, None], sawtooth(depth))


def test_the_layers_of_a_sawtooth_share_no_memory():
    places = [part.untyped_storage().data_ptr() for pair in sawtooth(4) for part in pair]
    assert len(set(places)) == len(places)


def test_the_slope_of_the_rectifier_is_a_number_where_the_sum_has_overflowed():
    s = torch.tensor([torch.inf, 1, -1, -torch.inf])
    assert relu_derivative(s).tolist() == [1, 1, 0, 0]
    assert relu_derivative(torch.tensor([torch.nan])).isnan().all()


def test_the_bias_of_a_unit_is_one_number():
    with pytest.raises(ValueError, match=r"got \(1, 2\), \(1, 2\) and \(1, 3\)"):
        unit(torch.ones(2), torch.ones(2), torch.arange(3.0), relu)


def test_a_typed_tanh_spoils_its_own_unit_first_and_then_the_network():
    """What exercise 4 says: NaN in the unit that overflows, and after it everywhere."""

    def typed(s):
        return 2 / (1 + torch.exp(-2 * s)) - 1

    (w1, b1), last = draw_layers([2, 3, 4, 1], 0)[1:]
    b1 = torch.tensor([-60.0, 0.0, 0.0, 0.0])
    layers = [draw_layers([2, 3], 0)[0], (w1, b1), last]
    for expected in ([6, 3, 3, 1, 0, 0], [6, 3, 12, 4, 4, 1]):
        parameters = [part.detach().requires_grad_() for pair in layers for part in pair]
        pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
        loss = forward(torch.ones(1, 2), pairs, typed).square().sum()
        slopes = torch.autograd.grad(loss, parameters)
        moved = [(p - 0.1 * s).detach() for p, s in zip(parameters, slopes, strict=True)]
        assert [int(part.isnan().sum()) for part in moved] == expected
        layers = list(zip(moved[::2], moved[1::2], strict=True))
