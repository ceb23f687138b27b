"""The convolutional net: counted by hand, against torch, interrupted and resumed."""

import math

import pytest
import torch
from safetensors import SafetensorError
from torch import Generator, nn

from dlbook import cnn
from dlbook.cnn import Recipe, begin, costs, descend, error_rate, standardize, train
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


def same(first, second):
    pairs = zip(
        cnn.tensors_of(first).values(), cnn.tensors_of(second).values(), strict=True
    )
    states = first.generator.get_state(), second.generator.get_state()
    return all(torch.equal(a, b) for a, b in pairs) and torch.equal(*states)


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
    with pytest.raises(ValueError, match=r"must vary, their deviation is 0\.0"):
        standardize(torch.ones(2, 8, 8), torch.ones(2, 8, 8))


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


@pytest.mark.parametrize("recipe", [{}, {"momentum": 0.9}])
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, monkeypatch, recipe):
    data = digits_data()
    whole = fresh(**recipe)
    train(whole, data, 4, tmp_path / "whole")
    steps = 0

    def descend_until_interrupted(*arguments):
        nonlocal steps
        steps += 1
        if steps == 8:  # in the third epoch of three steps each
            raise KeyboardInterrupt
        return descend(*arguments)

    monkeypatch.setattr(cnn, "descend", descend_until_interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(fresh(**recipe), data, 4, tmp_path / "parts")
    monkeypatch.undo()
    resumed = fresh(seed=99, **recipe)  # the checkpoint overrules a fresh start
    errors = train(resumed, data, 4, tmp_path / "parts")
    assert same(whole, resumed)
    assert errors == whole.errors
    assert len(errors) == resumed.epoch == 4
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


@pytest.mark.parametrize("forgotten", ["velocity", "generator"])
def test_a_checkpoint_without_one_part_would_change_the_result(forgotten):
    data = digits_data()
    whole, resumed = fresh(momentum=0.9), fresh(momentum=0.9)
    for training in (whole, resumed):
        cnn.train_epoch(training, *data[:2])
    if forgotten == "velocity":
        resumed.velocities = [torch.zeros_like(v) for v in resumed.velocities]
    else:
        resumed.generator.manual_seed(0)
    for training in (whole, resumed):
        cnn.train_epoch(training, *data[:2])
    assert not same(whole, resumed)


def test_a_channels_last_net_comes_back_from_a_checkpoint_as_it_was(tmp_path):
    first, second = (
        begin(
            cnn.convolutional_network(Generator().manual_seed(seed)).to(
                memory_format=torch.channels_last
            ),
            Generator(),
            Recipe(),
        )
        for seed in (0, 1)
    )
    cnn.save(first, tmp_path / "checkpoint")
    cnn.load(second, tmp_path / "checkpoint")
    assert same(first, second)
    assert second.model[3].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    first = fresh()
    cnn.save(first, path)

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(cnn.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        cnn.save(fresh(seed=1), path)
    resumed = fresh(seed=2)
    cnn.load(resumed, path)
    assert same(first, resumed)


def test_half_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    cnn.save(fresh(), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SafetensorError):
        cnn.load(fresh(), path)


def test_a_checkpoint_of_another_recipe_or_model_is_refused(tmp_path):
    cnn.save(fresh(), tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"step=0\.2.*got.*step=0\.1"):
        cnn.load(fresh(step=0.2), tmp_path / "checkpoint")
    other = begin(cnn.convolutional_network(Generator()), Generator(), Recipe())
    with pytest.raises(ValueError, match="other names or shapes"):
        cnn.load(other, tmp_path / "checkpoint")


def test_a_checkpoint_with_more_epochs_than_wanted_is_refused(tmp_path):
    train(fresh(), digits_data(), 2, tmp_path / "checkpoint")
    with pytest.raises(ValueError, match="has 2 epochs already, got 1"):
        train(fresh(), digits_data(), 1, tmp_path / "checkpoint")


def test_a_diverged_loss_stops_training_and_keeps_the_last_checkpoint(tmp_path):
    images, labels, *test = digits_data()
    train(fresh(), (images, labels, *test), 1, tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"loss is nan: lower the step 0\.1"):
        train(fresh(), (images * math.nan, labels, *test), 2, tmp_path / "checkpoint")
    resumed = fresh()
    cnn.load(resumed, tmp_path / "checkpoint")
    assert resumed.epoch == 1


@pytest.mark.parametrize("count", [0, 3])
def test_labels_that_do_not_match_the_images_are_refused(count):
    images, labels = torch.zeros(count, 1, 8, 8), torch.zeros(0).long()
    for call in (cnn.train_epoch, lambda run, *rest: error_rate(run.model, *rest)):
        with pytest.raises(ValueError, match=f"got 0 for {count}"):
            call(fresh(), images, labels)


def test_the_layout_changes_the_strides_and_not_the_scores():
    images = torch.randn(4, 1, 28, 28, generator=Generator().manual_seed(0))
    model = cnn.convolutional_network(Generator().manual_seed(0))
    expected = model(images)
    model = model.to(memory_format=torch.channels_last)
    assert torch.allclose(model(images), expected, atol=1e-5)
    assert model[0](images).is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_products_leave_the_parameters_in_single_precision():
    training = fresh(precision=torch.bfloat16)
    exact = fresh()
    images, labels, _, _ = digits_data()
    for run in (training, exact):
        cnn.train_epoch(run, images, labels)
    assert {w.dtype for w in training.model.parameters()} == {torch.float32}
    ours, theirs = training.model[0].weight, exact.model[0].weight
    assert not torch.equal(ours, theirs)
    assert torch.allclose(ours, theirs, atol=0.05)


def test_keeping_freed_memory_says_whether_it_does(monkeypatch):
    monkeypatch.setattr(cnn.platform, "libc_ver", lambda: ("musl", "1.2"))
    assert cnn.keep_freed_memory() is False


def test_a_cuda_graph_needs_images_on_cuda():
    with pytest.raises(ValueError, match="needs images on cuda, got cpu"):
        cnn.capture_step(fresh(), torch.zeros(1, 1, 8, 8), torch.zeros(1).long())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_replayed_step_equals_a_launched_one(precision):
    launched, replayed = (fresh(momentum=0.9, precision=precision) for _ in range(2))
    for run in (launched, replayed):
        run.model.cuda()
        run.velocities = [v.cuda() for v in run.velocities]
    images, labels, _, _ = (part.cuda() for part in digits_data())
    step = cnn.capture_step(replayed, images[:50], labels[:50])
    for batch in torch.arange(150, device="cuda").split(50):
        descend(launched, images[batch], labels[batch])
        step(images[batch], labels[batch])
    for a, b in zip(
        launched.model.parameters(), replayed.model.parameters(), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-4)


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
