"""The ancestors: by hand, against autograd and torch's own counter, against the papers."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dlbook.data import horse, imagenet, timeline
from dlbook.history import (
    LENET_1,
    LENET_5,
    LENET_1989,
    C,
    SharedNetwork,
    T,
    alexnet_2012,
    backward,
    c_cells,
    count_plane,
    depth,
    forward,
    hebbian_weights,
    operator_graph,
    patches_of,
    perceptron_pass,
    s_cells,
    tc_images,
    threshold_unit,
    trace,
    train_tc,
)

BITS = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
VERTICAL = torch.tensor([[[0.0, 1, 0], [0, 1, 0], [0, 1, 0]]])
BIBLIOGRAPHY = Path(__file__).parents[1] / "docs" / "reference" / "bibliography.bib"


@pytest.fixture
def network():
    generator = torch.Generator().manual_seed(0)
    shapes = ((9, 3), (3,), (3,), (1,))
    draws = (
        torch.randn(s, generator=generator, dtype=torch.float64) / 10 for s in shapes
    )
    return SharedNetwork(*draws)


@pytest.mark.parametrize(
    ("weights", "bias", "truth"),
    [
        ([1, 1], -0.5, [0, 1, 1, 1]),
        ([1, 1], -1.5, [0, 0, 0, 1]),
        ([-1, 0], 0.5, [1, 1, 0, 0]),
    ],
    ids=["or", "and", "not"],
)
def test_one_unit_is_a_gate(weights, bias, truth):
    answers = threshold_unit(BITS, torch.tensor(weights).float(), bias)
    assert answers.tolist() == truth


def test_a_sum_on_the_threshold_fires():
    assert threshold_unit(torch.ones(1, 1), torch.ones(1), -1.0).tolist() == [1]


def test_a_hebbian_memory_recalls_orthogonal_pairs():
    inputs = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]])
    outputs = torch.tensor([[1.0, -1], [-1, 1], [1, 1]])
    weights = hebbian_weights(inputs, outputs)
    assert torch.equal(inputs @ weights.T, outputs)
    assert torch.equal(weights, outputs.T @ inputs / 4)


def test_hebbian_inputs_and_outputs_are_pairs():
    with pytest.raises(ValueError, match="got 2 and 3"):
        hebbian_weights(torch.ones(2, 4), torch.ones(3, 2))


def test_the_perceptron_learns_a_gate_and_then_rests():
    inputs = torch.cat([BITS, torch.ones(4, 1)], dim=1)
    labels = torch.tensor([-1.0, 1, 1, 1])
    weights, corrections = perceptron_pass(inputs, labels, torch.zeros(3))
    assert corrections > 0
    for _ in range(20):
        weights, corrections = perceptron_pass(inputs, labels, weights)
    assert corrections == 0
    assert torch.equal((inputs @ weights).sign(), labels)


def test_an_s_cell_answers_fully_to_its_template_at_any_contrast():
    image = torch.zeros(5, 5)
    image[1:4, 2] = 0.2
    answers = s_cells(image, VERTICAL, selectivity=0.8)
    assert answers.shape == (1, 5, 5)
    assert answers[0, 2, 2].item() == pytest.approx(1)
    assert answers[0, :, 4].max() == 0


def test_s_cells_move_with_the_image_and_nothing_answers_to_nothing():
    image = torch.rand(8, 8, generator=torch.Generator().manual_seed(0))
    image[:, -1] = 0
    shifted = image.roll(1, dims=1)
    here, there = (s_cells(each, VERTICAL, 0.5) for each in (image, shifted))
    torch.testing.assert_close(here[:, :, 1:6], there[:, :, 2:7])
    assert s_cells(torch.zeros(4, 4), VERTICAL, 0.0).max() == 0


def test_c_cells_notice_a_shift_across_the_border_of_two_neighborhoods():
    image = torch.zeros(8, 8)
    image[1:7, 3] = 1
    first, second = (
        c_cells(s_cells(each, VERTICAL, 0.8), reach=4)[0]
        for each in (image, image.roll(1, 1))
    )
    torch.testing.assert_close(first, torch.tensor([[1.0, 0], [1, 0]]))
    torch.testing.assert_close(second, torch.tensor([[0.0, 1], [0, 1]]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_s_cells_answer_nothing_to_nothing_in_half_precision(dtype):
    image, templates = torch.zeros(5, 5, dtype=dtype), VERTICAL.to(dtype)
    image[1:4, 2] = 0.2
    answers = s_cells(image, templates, selectivity=0.8)
    assert answers[0, 2, 2].item() == pytest.approx(1, abs=0.03)
    assert (answers[0, :, 4] == 0).all()


def test_c_cells_do_not_notice_a_shift_within_their_reach():
    image = torch.zeros(8, 8)
    image[1:7, 5] = 1
    first, second = (
        c_cells(s_cells(each, VERTICAL, 0.8), reach=4)
        for each in (image, image.roll(1, 1))
    )
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("contrast", [1e-38, 1e-25, 1.0, 1e20, 1e38])
def test_s_cells_answer_alike_at_any_contrast(contrast):
    image = torch.rand(6, 6, generator=torch.Generator().manual_seed(0))
    expected = s_cells(image, VERTICAL, 0.5)
    torch.testing.assert_close(s_cells(contrast * image, VERTICAL, 0.5), expected)
    torch.testing.assert_close(s_cells(image, contrast * VERTICAL, 0.5), expected)
    assert 0 <= expected.min() < expected.max() <= 1


@pytest.mark.parametrize("reach", [0, 3])
def test_the_reach_of_c_cells_divides_the_plane(reach):
    with pytest.raises(ValueError, match=f"got {reach}"):
        c_cells(torch.zeros(1, 8, 8), reach)


def test_every_letter_has_five_pixels_and_all_images_differ():
    images, labels = tc_images(6)
    assert (images.sum(dim=(1, 2)) == 5).all()
    assert len(images.flatten(1).unique(dim=0)) == len(images) == 144
    assert labels.sum() == 4 * 16  # T in 16 places; C, narrower by one, in 20


def test_t_and_c_have_the_same_distances_between_their_pixels():
    distances = [torch.pdist(shape.nonzero().double()).sort().values for shape in (T, C)]
    assert torch.equal(*distances)
    squares = distances[0].square().round().int().tolist()
    assert squares == [1, 1, 1, 1, 2, 2, 4, 4, 5, 5]


def test_no_pair_of_pixels_tells_t_from_c_away_from_the_border():
    def pairs_of_c_only(side, first, last):
        images, labels = tc_images(side)
        pixels = images[:, first : last + 1, first : last + 1].flatten(1)
        t, c = (pixels[labels == label] for label in (1, 0))
        alone = ((c.T @ c > 0) & (t.T @ t == 0)).triu().nonzero()
        assert not ((t.T @ t > 0) & (c.T @ c == 0)).any()
        return alone.tolist()

    assert pairs_of_c_only(9, 2, 6) == []
    # On the 6 x 6 retina: the second pixel of an edge with that of its neighbor.
    assert pairs_of_c_only(6, 0, 5) == [[1, 6], [4, 11], [24, 31], [29, 34]]


def test_a_retina_must_hold_the_letters():
    with pytest.raises(ValueError, match="3 or more, got 2"):
        tc_images(2)


def test_the_gradient_by_hand_agrees_with_autograd(network):
    images, labels = tc_images(4)
    patches = patches_of(images)
    weights = [each.clone().requires_grad_() for each in network]
    _, output = forward(SharedNetwork(*weights), patches)
    loss = nn.functional.binary_cross_entropy(output, labels)
    expected = torch.autograd.grad(loss, weights)
    for ours, theirs in zip(backward(network, patches, labels), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_shared_weights_answer_alike_at_every_place(network):
    images, _ = tc_images(6)
    _, output = forward(network, patches_of(images))
    for turns in range(4):
        same = output[16 * turns : 16 * (turns + 1)]
        torch.testing.assert_close(same, same[:1].expand(16))


def test_back_propagation_solves_the_t_c_problem_at_every_place():
    images, labels = tc_images(6)
    corner = images[:, 0].any(dim=1) & images[:, :, 0].any(dim=1)
    assert corner.sum() == 8
    trained = train_tc(images[corner], labels[corner], kinds=2, steps=4000, seed=0)
    _, output = forward(trained, patches_of(images))
    assert torch.equal((output > 0.5).double(), labels)


def test_a_network_needs_a_hidden_unit():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        train_tc(*tc_images(3), kinds=0, steps=1, seed=0)


def test_lenet_1_has_the_published_counts():
    parameters, connections = zip(*map(count_plane, LENET_1), strict=True)
    assert (sum(parameters), sum(connections)) == (2578, 98442)


def test_the_network_of_1989_has_the_published_counts():
    counts = [count_plane(plane) for plane in LENET_1989]
    assert [p for p, _ in counts] == [1068, 2592, 5790, 310]
    assert sum(p for p, _ in counts) == 9760
    assert sum(c for _, c in counts) == 64_660


def test_lenet_5_has_the_published_counts():
    counts = [count_plane(plane) for plane in LENET_5]
    assert [p for p, _ in counts] == [156, 12, 1516, 32, 48120, 10164]
    assert [c for _, c in counts] == [122304, 5880, 151600, 2000, 48120, 10164]
    assert sum(c for _, c in counts) + 84 * 10 == 340908  # with the fixed output units


def test_a_full_plane_counts_like_a_convolution():
    layer = nn.Conv2d(1, 6, 5)
    assert count_plane(LENET_5[0])[0] == sum(p.numel() for p in layer.parameters())


def test_alexnet_has_sixty_million_parameters_in_eight_layers():
    with torch.device("meta"):
        model = alexnet_2012()
    layers = trace(model, (3, 224, 224))
    assert sum(layer.parameters for layer in layers) == 60_965_224
    sizes = [torch.Size(layer.shape).numel() for layer in layers]
    assert sizes == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert depth(model) == 8


def test_multiply_adds_agree_with_the_counter_of_torch():
    with torch.device("meta"):
        model = alexnet_2012()
    with FlopCounterMode(display=False) as counter:
        model.eval()(torch.empty(1, 3, 224, 224, device="meta"))
    ours = sum(layer.multiply_adds for layer in trace(model, (3, 224, 224)))
    assert 2 * ours == counter.get_total_flops()


def test_tracing_leaves_the_model_as_it_was():
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(), nn.BatchNorm1d(2))
    trace(model, (3,))
    depth(model)
    assert model.training
    assert all(module.training for module in model)
    assert not model[0]._forward_hooks


def test_a_layer_that_runs_twice_has_its_parameters_once():
    layer = nn.Linear(3, 3)
    first, second = trace(nn.Sequential(layer, layer), (3,))
    assert (first.parameters, second.parameters) == (12, 0)
    assert first.multiply_adds == second.multiply_adds == 9


def test_layers_that_share_weights_have_them_once():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    counted = [layer.parameters for layer in trace(model, (4,))]
    assert counted == [20, 4]  # the second has a bias of its own
    assert sum(counted) == sum(p.numel() for p in model.parameters())


def test_tracing_follows_the_dtype_and_needs_no_parameters():
    assert len(trace(nn.Linear(3, 2).double(), (3,))) == 1
    assert trace(nn.Sequential(nn.ReLU()), (3,)) == []


@pytest.mark.parametrize(
    "layer", [nn.MultiheadAttention(4, 2), nn.ConvTranspose2d(1, 1, 3), nn.GRU(2, 2)]
)
def test_weights_that_would_go_uncounted_are_refused(layer):
    with pytest.raises(ValueError, match="only Conv2d and Linear are counted"):
        trace(nn.Sequential(layer), (4,))


def test_depth_follows_the_longest_branch():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = (nn.Linear(2, 2) for _ in range(3))

        def forward(self, x):
            return self.a(self.b(x)).relu() + self.c(x)

    assert depth(Fork()) == 2


def test_a_branch_that_is_thrown_away_has_no_depth():
    class Auxiliary(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(2, 2), nn.Sequential(*[nn.Linear(2, 2)] * 3)

        def forward(self, x):
            self.head(x)
            return self.body(x)

    assert depth(Auxiliary()) == 1


def test_torchvision_states_the_same_counts():
    models = pytest.importorskip("torchvision.models")
    for name in ("resnet18", "vgg19"):
        with torch.device("meta"):
            model = models.get_model(name, weights=None)
        stated = models.get_model_weights(name)["IMAGENET1K_V1"].meta
        operations = sum(layer.multiply_adds for layer in trace(model, (3, 224, 224)))
        assert sum(p.numel() for p in model.parameters()) == stated["num_params"]
        assert operations / 1e9 == pytest.approx(stated["_ops"], abs=0.001)


def test_the_graph_of_a_product_and_a_sum_worked_by_hand():
    w, b = torch.ones(2, 3, requires_grad=True), torch.ones(3, requires_grad=True)
    graph = operator_graph(torch.ones(5, 2) @ w + b)
    found = {each.name: each.level for each in graph}
    assert found == {"Add": 0, "Mm": 1, "3": 1, "2 × 3": 2}
    assert {graph[i].name for i in graph[0].inputs} == {"Mm", "3"}


def test_levels_are_longest_paths_and_shared_tensors_appear_once():
    x = torch.ones(2, requires_grad=True)
    graph = operator_graph((x.exp() + x.sin().cos().tanh()).sum())
    assert [each.level for each in graph if each.name == "2"] == [5]
    for each in graph:
        assert all(graph[source].level > each.level for source in each.inputs)


def test_operators_of_which_autograd_knows_several_keep_their_plain_names():
    x, factor = (
        torch.ones(2, 2, requires_grad=True),
        torch.tensor(2.0, requires_grad=True),
    )
    graph = operator_graph((x.mean(dim=0) * factor).sum(dim=0))
    assert {each.name for each in graph} == {"Sum", "Mul", "Mean", "2 × 2", "number"}


def test_a_long_chain_of_operators_is_read_without_recursion():
    x = torch.ones(2, requires_grad=True)
    result = x
    for _ in range(3000):
        result = result.sin()
    graph = operator_graph(result)
    assert [each.level for each in graph] == list(range(3001))


def test_a_square_reads_its_input_twice_and_the_graph_once():
    x = torch.ones(2, requires_grad=True)
    graph = operator_graph((x * x).sum())
    assert [each.name for each in graph] == ["Sum", "Mul", "2"]


def test_a_constant_has_no_graph():
    with pytest.raises(ValueError, match="requires a gradient"):
        operator_graph(torch.ones(2).sum())


def test_the_timeline_is_in_order_and_every_event_has_its_reference():
    events = timeline.load()
    keys = set(re.findall(r"@\w+\{(\w+),", BIBLIOGRAPHY.read_text(encoding="utf-8")))
    assert [e.year for e in events] == sorted(e.year for e in events)
    assert {event.key for event in events} <= keys
    assert (events[0].year, events[-1].year) == (1943, 2024)


def test_published_errors_are_percentages_and_top_5_is_the_smaller():
    rows = imagenet.load()
    assert len(rows) == 26
    assert all(0 < row.top5 < (row.top1 or 100) <= 100 for row in rows)
    best = min(rows, key=lambda row: row.top5)
    assert (best.model, best.top5) == ("ResNet", 3.57)


def test_the_corner_of_the_horse_is_three_by_four_by_eight_bytes():
    corner = horse.load()
    assert (corner.shape, corner.dtype) == ((3, 4, 8), torch.uint8)
    assert corner[:, 0, 0].tolist() == [99, 166, 198]
