"""The convolutional net: counted by hand, against torch, on digits and on MNIST."""

import math

import pytest
import torch
from torch import Generator, nn

from dlbook import cnn
from dlbook.cnn import Recipe, begin, costs, descend, error_rate, standardize
from dlbook.data import cifar10, digits, mnist
from dlbook.runs import cnn as runs
from dlbook.runs.record import claims_of


def digits_data(dtype=torch.float32):
    images, labels, test_images, test_labels = digits.load()
    parts = (part.to(dtype) for part in (images, test_images))
    training, test = (standardize(part, images.to(dtype)) for part in parts)
    return training[:300], labels[:300], test[:100], test_labels[:100]


def fresh(seed=0, dtype=torch.float32, **recipe):
    generator = Generator().manual_seed(seed)
    return begin(cnn.small_network(generator).to(dtype), generator, Recipe(**recipe))


def test_shapes_parameters_and_products_match_those_counted_by_hand():
    table = costs(cnn.convolutional_network(Generator()), torch.zeros(3, 1, 28, 28))
    by_hand = [
        ("Conv2d", (32, 24, 24), 32 * 25 + 32, 32 * 25 * 24 * 24),
        ("MaxPool2d", (32, 8, 8), 0, 0),
        ("ReLU", (32, 8, 8), 0, 0),
        ("Conv2d", (64, 4, 4), 64 * 32 * 25 + 64, 64 * 32 * 25 * 4 * 4),
        ("MaxPool2d", (64, 2, 2), 0, 0),
        ("ReLU", (64, 2, 2), 0, 0),
        ("Flatten", (256,), 0, 0),
        ("Linear", (200,), 256 * 200 + 200, 256 * 200),
        ("ReLU", (200,), 0, 0),
        ("Linear", (10,), 200 * 10 + 10, 200 * 10),
    ]
    assert [tuple(cost) for cost in table] == by_hand
    assert sum(cost.parameters for cost in table) == 105_506


def test_the_net_for_color_images_of_32_pixels_needs_only_more_channels():
    model = cnn.convolutional_network(Generator(), channels=3)
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_drawing_parameters_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    cnn.convolutional_network(Generator().manual_seed(1))
    assert torch.equal(before, torch.get_rng_state())


def test_parameters_spread_as_those_that_torch_draws_itself():
    drawn = cnn.convolutional_network(Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        oracles = nn.Conv2d(32, 64, 5), nn.Linear(256, 200)
    for own, oracle in zip((drawn[3], drawn[7]), oracles, strict=True):
        for a, b in zip(own.parameters(), oracle.parameters(), strict=True):
            assert a.abs().max().item() == pytest.approx(b.abs().max().item(), rel=0.1)
            assert a.std().item() == pytest.approx(b.std().item(), rel=0.2)


def test_standardized_training_images_have_mean_0_and_deviation_1():
    images = digits.load()[0].double()
    prepared = standardize(images, images)
    assert prepared.mean().abs() < 1e-12
    assert prepared.std() == pytest.approx(1)


def test_test_images_are_shifted_by_the_mean_of_the_training_images():
    training, test = torch.tensor([[[0, 2]]]), torch.tensor([[[1, 5]]])
    expected = [[[[0.0, 4 / math.sqrt(2)]]]]
    assert torch.allclose(standardize(test, training), torch.tensor(expected))


def test_color_images_keep_their_channels_and_share_one_scale():
    images = torch.randint(256, (4, 3, 5, 6), generator=Generator().manual_seed(0))
    prepared = standardize(images, images)
    assert prepared.shape == images.shape
    assert torch.equal(prepared[:, 1:2], standardize(images[:, 1], images))


def test_images_of_one_gray_cannot_be_standardized():
    for gray in (1.0, 0.1):  # of 0.1 the deviation is rounded to 7e-9, not to 0
        images = torch.full((1437, 8, 8), gray)
        with pytest.raises(ValueError, match=f"must vary, all are {gray:g}"):
            standardize(images, images)


def test_images_to_be_standardized_are_checked_as_those_they_are_measured_by():
    images = digits.load()[0]
    with pytest.raises(ValueError, match="images must be finite"):
        standardize(images * math.nan, images)
    with pytest.raises(TypeError, match=r"one unit, got torch\.uint8 and torch\.float32"):
        standardize((255 * images).byte(), images)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_equal_those_of_the_library(momentum):
    images, labels, _, _ = digits_data(torch.float64)
    own = fresh(dtype=torch.float64, momentum=momentum)
    twin = fresh(dtype=torch.float64).model
    oracle = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=momentum)
    for batch in torch.arange(90).split(30):
        loss = descend(own, images[batch], labels[batch])
        oracle.zero_grad()
        expected = nn.functional.cross_entropy(twin(images[batch]), labels[batch])
        expected.backward()
        oracle.step()
        assert torch.allclose(loss, expected)
    for a, b in zip(own.model.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-12)


def test_one_step_of_a_linear_net_matches_a_step_by_hand():
    # Equal scores give each class the share 1/2: the true score should rise by 1/2.
    layers = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    nn.init.zeros_(layers[1].weight)
    training = begin(layers, Generator(), Recipe(step=1.0))
    loss = descend(training, torch.full((1, 1, 1, 1), 2.0), torch.tensor([1]))
    assert loss.item() == pytest.approx(math.log(2))
    assert layers[1].weight.tolist() == [[-1.0], [1.0]]


def test_an_epoch_shows_every_image_once_in_a_fresh_order():
    class Counter(nn.Module):
        seen = ()

        def forward(self, images):
            self.seen += tuple(images.flatten().int().tolist())
            return self.weight * images.flatten(1) + torch.zeros(2)

    counter = Counter()
    counter.weight = nn.Parameter(torch.zeros(1))
    training = begin(counter, Generator().manual_seed(0), Recipe(batch_size=4))
    cnn.train_epoch(
        training, torch.arange(10.0).view(10, 1, 1, 1), torch.zeros(10).long()
    )
    assert sorted(counter.seen) == list(range(10)) != list(counter.seen)
    first, counter.seen = counter.seen, ()
    cnn.train_epoch(
        training, torch.arange(10.0).view(10, 1, 1, 1), torch.zeros(10).long()
    )
    assert counter.seen != first, "the second epoch must draw an order of its own"


def test_errors_are_counted_over_all_parts():
    model = nn.Flatten()  # the pixels are the scores
    images = torch.eye(10).repeat(70, 1).view(700, 1, 1, 10)
    labels = torch.arange(10).repeat(70)
    labels[[3, 651]] = 0
    assert error_rate(model, images, labels) == 2 / 700


def test_the_net_learns_the_digits():
    training = fresh(step=0.3, batch_size=20)
    images, labels, test_images, test_labels = digits_data()
    before = error_rate(training.model, test_images, test_labels)
    for _ in range(5):
        cnn.train_epoch(training, images, labels)
    assert error_rate(training.model, test_images, test_labels) < 0.25 < before


@pytest.mark.parametrize("count", [0, 3])
def test_labels_that_do_not_match_the_images_are_refused(count):
    images, labels = torch.zeros(count, 1, 8, 8), torch.zeros(0).long()
    for call in (cnn.train_epoch, lambda run, *rest: error_rate(run.model, *rest)):
        with pytest.raises(ValueError, match=r"must|one label per image"):
            call(fresh(), images, labels)


def test_images_that_are_not_numbers_are_no_reason_to_lower_the_step():
    images, labels, _, _ = digits_data()
    images[5] = math.nan
    with pytest.raises(ValueError, match="images must be finite"):
        cnn.train_epoch(fresh(), images, labels)


def test_scores_that_are_not_numbers_are_no_answers():
    images, labels, _, _ = digits_data()
    with pytest.raises(ValueError, match="scores must be numbers, got NaN"):
        error_rate(fresh().model, images * math.nan, labels)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"step": -1}, "step must be above 0, got -1"),
        ({"momentum": 1.0}, r"momentum must be from 0 to below 1, got 1\.0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"precision": torch.int8}, "float32 or bfloat16, got torch.int8"),
        ({"precision": torch.float16}, "float32 or bfloat16, got torch.float16"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Recipe(**wrong)


def test_a_look_inside_shows_dead_units_and_the_gradients_of_autograd():
    model = cnn.small_network(Generator().manual_seed(0))
    images, labels, _, _ = digits_data()
    sights = cnn.look_inside(model, images, labels)
    assert [sight.layer for sight in sights] == [type(part).__name__ for part in model]
    assert 0 < sights[2].zeros < 1
    assert sights[2].gradient is None
    nn.functional.cross_entropy(model(images), labels).backward()
    for sight, layer in ((sights[0], model[0]), (sights[4], model[4])):
        assert sight.gradient == pytest.approx(layer.weight.grad.norm().item())
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.fill_(-1)
    dead = cnn.look_inside(model, images, labels)
    assert dead[2].zeros == 1
    assert dead[0].gradient == dead[4].gradient == 0


def test_a_look_inside_sees_each_layer_before_the_next_one_writes_into_it():
    images, labels, _, _ = digits_data()
    model, twin = (cnn.small_network(Generator().manual_seed(0)) for _ in range(2))
    twin[2] = nn.ReLU(inplace=True)
    expected = cnn.look_inside(model, images, labels)
    assert cnn.look_inside(twin, images, labels) == expected


def test_to_look_and_to_count_leave_running_means_alone():
    images, labels, _, _ = digits_data()
    model = cnn.small_network(Generator().manual_seed(0))
    model.insert(1, nn.BatchNorm2d(16))
    before = [buffer.clone() for buffer in model.buffers()]
    cnn.look_inside(model, images, labels)
    costs(model, images)
    assert all(map(torch.equal, before, model.buffers()))
    assert all(part.training for part in model.modules())


def test_a_net_inside_a_net_is_not_counted_as_free():
    nested = nn.Sequential(cnn.small_network(Generator()))
    with pytest.raises(ValueError, match="must own its weights, got Sequential"):
        costs(nested, torch.zeros(1, 1, 8, 8))


def test_weights_without_inputs_are_not_drawn():
    with torch.device("meta"):
        layers = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3))
    with pytest.raises(ValueError, match="must have inputs to draw by, got LayerNorm"):
        cnn.draw_parameters(layers, Generator())


def test_fewer_bits_cannot_be_asked_for_where_they_would_not_be_used():
    with pytest.raises(TypeError, match="need float32, got a float64 model"):
        fresh(dtype=torch.float64, precision=torch.bfloat16)


def test_a_label_of_minus_100_is_refused_by_the_epoch():
    images, labels, _, _ = digits_data()
    labels = labels.clone()
    labels[7] = -100
    with pytest.raises(ValueError, match="labels must be 0 or more, got -100"):
        cnn.train_epoch(fresh(), images, labels)


def test_layers_that_keep_other_numbers_than_parameters_are_refused():
    with torch.device("meta"):
        layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    with pytest.raises(ValueError, match="BatchNorm2d"):
        cnn.draw_parameters(layers, Generator())


def test_errors_are_counted_without_dropout_and_the_net_is_left_as_it_was():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.999), nn.ReLU())
    model[2].eval()
    images = torch.eye(10).view(10, 1, 1, 10)
    assert error_rate(model, images, torch.arange(10)) == 0
    assert [part.training for part in model.modules()] == [True, True, True, False]


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not in DLBOOK_DATA")
def test_a_twentieth_of_an_epoch_on_mnist_already_beats_most_of_the_guessing():
    images, labels, test_images, test_labels = mnist.load()
    generator = Generator().manual_seed(0)
    training = begin(cnn.convolutional_network(generator), generator, Recipe())
    part = standardize(images[:3000], images)
    cnn.train_epoch(training, part, labels[:3000])
    held_back = standardize(test_images[:500], images)
    error = error_rate(training.model, held_back, test_labels[:500])
    assert claims_of("cnn")["mnist_error"].value / 100 < error < 0.4


def test_the_run_on_color_images_uses_the_same_loop(tmp_path, monkeypatch):
    generator = Generator().manual_seed(0)
    shapes = ((60, 3, 32, 32), (20, 3, 32, 32))
    training, test = (
        torch.randint(256, shape, generator=generator, dtype=torch.uint8)
        for shape in shapes
    )
    labels = torch.arange(60) % 10
    monkeypatch.setattr(cifar10, "load", lambda: (training, labels, test, labels[:20]))
    monkeypatch.setattr(runs, "CHECKPOINTS", tmp_path)
    monkeypatch.setattr(runs, "SEEDS", (0, 1))
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    found = runs.cifar10(torch.device("cpu"))
    assert len(found.claims["cifar10_median_by_epoch"].value) == 10
    assert found.data == {"CIFAR-10": cifar10.checksum()}
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif("mnist_error" not in claims_of("cnn"), reason="not recorded yet")
def test_the_recorded_errors_are_those_of_a_net_that_learned():
    record = claims_of("cnn")
    median = record["mnist_median_by_epoch"].value
    assert len(median) == 10
    assert median[-1] == pytest.approx(record["mnist_error"].value)
    assert 0.5 < median[-1] < 1.5
    assert median[0] > median[-1]
