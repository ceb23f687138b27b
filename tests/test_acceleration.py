"""Training fast: counted, recorded, replayed, interrupted and resumed bit by bit."""

import gc

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Generator, nn

from dlbook import acceleration, cnn
from dlbook.acceleration import Operators, capture_step, load, save, tensors_of, train
from dlbook.cnn import Recipe, begin, descend, standardize, train_epoch
from dlbook.data import digits
from dlbook.runs import acceleration as runs

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def digits_data(dtype=torch.float32):
    images, labels, test_images, test_labels = digits.load()
    parts = (part.to(dtype) for part in (images, test_images))
    training, test = (standardize(part, images.to(dtype)) for part in parts)
    return training[:300], labels[:300], test[:100], test_labels[:100]


def fresh(seed=0, dtype=torch.float32, **recipe):
    generator = Generator().manual_seed(seed)
    return begin(cnn.small_network(generator).to(dtype), generator, Recipe(**recipe))


def same(first, second):
    pairs = zip(tensors_of(first).values(), tensors_of(second).values(), strict=True)
    states = first.generator.get_state(), second.generator.get_state()
    return all(torch.equal(a, b) for a, b in pairs) and torch.equal(*states)


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
        train_epoch(training, *data[:2])
    if forgotten == "velocity":
        resumed.velocities = [torch.zeros_like(v) for v in resumed.velocities]
    else:
        resumed.generator.manual_seed(0)
    for training in (whole, resumed):
        train_epoch(training, *data[:2])
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
    save(first, tmp_path / "checkpoint")
    load(second, tmp_path / "checkpoint")
    assert same(first, second)
    assert second.model[3].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_write_that_fails_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    first = fresh()
    save(first, path)

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(acceleration.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        save(fresh(seed=1), path)
    assert list(tmp_path.iterdir()) == [path], "half a file fills the disk further"
    resumed = fresh(seed=2)
    load(resumed, path)
    assert same(first, resumed)


def test_half_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    save(fresh(), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SafetensorError):
        load(fresh(), path)


def test_a_checkpoint_of_another_recipe_or_model_is_refused(tmp_path):
    save(fresh(), tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"step=0\.2.*got.*step=0\.1"):
        load(fresh(step=0.2), tmp_path / "checkpoint")
    other = begin(cnn.convolutional_network(Generator()), Generator(), Recipe())
    with pytest.raises(ValueError, match=r"must hold .*model\.0\.weight.*got"):
        load(other, tmp_path / "checkpoint")


def test_a_checkpoint_with_more_epochs_than_wanted_is_refused(tmp_path):
    train(fresh(), digits_data(), 2, tmp_path / "checkpoint")
    with pytest.raises(ValueError, match="has 2 epochs already, got 1"):
        train(fresh(), digits_data(), 1, tmp_path / "checkpoint")


def test_a_diverged_loss_stops_training_and_keeps_the_last_checkpoint(tmp_path):
    images, labels, *test = digits_data()
    train(fresh(), (images, labels, *test), 1, tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"loss is nan: lower the step 0\.1"):
        train(fresh(), (images * 1e30, labels, *test), 2, tmp_path / "checkpoint")
    resumed = fresh()
    load(resumed, tmp_path / "checkpoint")
    assert resumed.epoch == 1


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
        train_epoch(run, images, labels)
    assert {w.dtype for w in training.model.parameters()} == {torch.float32}
    ours, theirs = training.model[0].weight, exact.model[0].weight
    assert not torch.equal(ours, theirs)
    assert torch.allclose(ours, theirs, atol=0.05)


def test_keeping_freed_memory_says_whether_it_does(monkeypatch):
    monkeypatch.setattr(acceleration.platform, "libc_ver", lambda: ("musl", "1.2"))
    assert acceleration.keep_freed_memory() is False


def test_a_cuda_graph_needs_images_on_cuda():
    with pytest.raises(ValueError, match="needs images on cuda, got cpu"):
        capture_step(fresh(), torch.zeros(1, 1, 8, 8), torch.zeros(1).long())


def on_cuda(**recipe):
    generator = Generator().manual_seed(0)
    return begin(cnn.small_network(generator).cuda(), generator, Recipe(**recipe))


@CUDA
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_replayed_epoch_equals_a_launched_one(precision):
    acceleration.choose_float32_products("ieee")
    launched, replayed = (on_cuda(momentum=0.9, precision=precision) for _ in range(2))
    images, labels, _, _ = (part.cuda() for part in digits_data())
    step = capture_step(replayed, images[:100], labels[:100])
    assert same(launched, replayed), "to record a step must not take it"
    for _ in range(2):
        train_epoch(launched, images, labels)
        train_epoch(replayed, images, labels, step)
    assert launched.epoch == replayed.epoch == 2
    for a, b in zip(
        launched.model.parameters(), replayed.model.parameters(), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-4 if precision == torch.float32 else 1e-2)


@CUDA
def test_a_replayed_step_gives_a_loss_of_its_own():
    training = on_cuda()
    images, labels, _, _ = (part.cuda() for part in digits_data())
    step = capture_step(training, images[:50], labels[:50])
    first = step(images[:50], labels[:50])
    kept = first.item()
    step(images[50:100], labels[50:100])
    assert first.item() == kept, "the next replay must not change what was given"
    expected = nn.functional.cross_entropy(
        cnn.small_network(Generator().manual_seed(0)).cuda()(images[:50]), labels[:50]
    )
    assert kept == pytest.approx(expected.item(), rel=1e-3)


@CUDA
@pytest.mark.parametrize(("images", "labels"), [(1, 50), (50, 1), (49, 49)])
def test_a_replayed_step_refuses_what_would_broadcast(images, labels):
    x, y, _, _ = (part.cuda() for part in digits_data())
    step = capture_step(on_cuda(), x[:50], y[:50])
    with pytest.raises(ValueError, match=r"takes .*\(50, 1, 8, 8\), torch.float32"):
        step(x[:images], y[:labels])


@CUDA
def test_a_replayed_step_refuses_dtypes_that_would_be_cast():
    x, y, _, _ = (part.cuda() for part in digits_data())
    step = capture_step(on_cuda(), x[:50], y[:50])
    for images, labels in ((x[:50].byte(), y[:50]), (x[:50], y[:50] + 0.5)):
        with pytest.raises(ValueError, match="the graph takes"):
            step(images, labels)


@CUDA
def test_a_graph_keeps_the_network_that_it_trains():
    """Replayed into memory that was given back, it would write over somebody else's tensors."""
    x, y, _, _ = (part.cuda() for part in digits_data())
    step = capture_step(on_cuda(), x[:50], y[:50])
    gc.collect()
    sizes = [parameter.shape for parameter in on_cuda().model.parameters()]
    others = [torch.zeros(size, device="cuda") for size in sizes for _ in range(8)]
    for _ in range(3):
        step(x[:50], y[:50])
    torch.cuda.synchronize()
    assert not any(other.any() for other in others)


@CUDA
def test_a_run_on_cuda_goes_on_from_its_checkpoint(tmp_path):
    data = tuple(part.cuda() for part in digits_data())
    train(on_cuda(momentum=0.9), data, 2, tmp_path / "checkpoint")
    resumed = on_cuda(momentum=0.9)
    errors = train(resumed, data, 3, tmp_path / "checkpoint")
    assert len(errors) == resumed.epoch == 3
    assert resumed.model[0].weight.is_cuda


@CUDA
def test_tf32_rounds_the_factors_of_a_product_and_ieee_does_not():
    a = torch.randn(256, 256, generator=Generator().manual_seed(0)).cuda()
    exact = a.double() @ a.double()
    off = {}
    for kind in ("tf32", "ieee"):
        acceleration.choose_float32_products(kind)
        off[kind] = ((a @ a).double() - exact).norm() / exact.norm()
    assert off["ieee"] < 1e-6 < 1e-4 < off["tf32"] < 1e-2


@pytest.mark.parametrize("kind", ["tf32", "ieee"])
def test_the_kind_of_products_holds_for_convolutions_and_matrix_products(kind):
    acceleration.choose_float32_products(kind)
    assert torch.backends.cudnn.allow_tf32 == (kind == "tf32")
    assert torch.backends.cuda.matmul.allow_tf32 == (kind == "tf32")


def test_another_kind_of_products_is_refused():
    with pytest.raises(ValueError, match=r'"ieee" or "tf32", got \'bf16\''):
        acceleration.choose_float32_products("bf16")


def test_operators_are_counted_and_views_are_not():
    x = torch.ones(3, 4)
    with Operators() as operators:
        (x.t().contiguous().view(12) + 1).relu_()
    assert operators.counts == {"clone": 1, "add": 1, "relu_": 1}
    with Operators() as operators:
        x.permute(1, 0)[None, 1:].squeeze(0).unbind(0)[0].unfold(0, 2, 1).detach()
        x.split(2), x.expand(2, 3, 4), x.diagonal(), x.select(0, 1)
    assert not operators.counts


def test_a_newer_setting_that_overrules_the_kind_of_products_is_not_passed_over():
    before = torch.backends.fp32_precision
    torch.backends.fp32_precision = "tf32"
    try:
        with pytest.raises(RuntimeError, match="fp32_precision keeps them tf32"):
            acceleration.choose_float32_products("ieee")
    finally:
        torch.backends.fp32_precision = before


def test_a_recording_that_fails_leaves_the_net_as_it_was():
    images, labels, _, _ = digits_data()
    training, twin = fresh(momentum=0.9), fresh(momentum=0.9)

    def fail():
        with acceleration._unmoved(training):
            descend(training, images, labels)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert same(training, twin)


@pytest.mark.parametrize("damage", ["more layers", "no generator"])
def test_a_checkpoint_with_more_or_less_in_it_is_refused(tmp_path, damage):
    path, start = tmp_path / "checkpoint", fresh(seed=1)
    save(start, path)
    if damage == "more layers":
        short = begin(cnn.small_network(Generator())[:4], Generator(), Recipe())
    else:
        short = fresh()
        parts = {n: v.clone() for n, v in tensors_of(start).items()}
        counts = {"epoch": torch.tensor(1), "errors": torch.zeros(1)}
        save_file(parts | counts, path, {"recipe": repr(start.recipe)})
    before = [value.clone() for value in tensors_of(short).values()]
    with pytest.raises(ValueError, match="must hold"):
        load(short, path)
    assert all(map(torch.equal, before, tensors_of(short).values()))


def test_the_operators_of_a_step_are_those_counted_by_hand():
    """Of 8 parameters each needs `mul_` and `add_` for the velocity, `mul` and `sub_`."""
    training = begin(cnn.convolutional_network(Generator()), Generator(), Recipe())
    images, labels = torch.zeros(100, 1, 28, 28), torch.zeros(100).long()
    with Operators() as operators:
        descend(training, images, labels)
    assert all(operators.counts[name] == 8 for name in ("mul_", "add_", "mul", "sub_"))
    assert operators.counts["convolution"] == 2
    assert operators.counts["convolution_backward"] == 2


def test_an_interrupt_in_the_first_epoch_loses_nothing_either(tmp_path, monkeypatch):
    """In a notebook one calls `train` again with the same, half-trained object."""
    data = digits_data()
    train(fresh(), data, 2, tmp_path / "whole")
    training, steps = fresh(), 0

    def interrupted(*arguments):
        nonlocal steps
        steps += 1
        if steps == 2:
            raise KeyboardInterrupt
        return descend(*arguments)

    monkeypatch.setattr(cnn, "descend", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(training, data, 2, tmp_path / "parts")
    monkeypatch.undo()
    train(training, data, 2, tmp_path / "parts")
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "parts").read_bytes()


def test_a_checkpoint_of_another_dtype_is_refused(tmp_path):
    save(fresh(dtype=torch.float64), tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"float32.*got.*float64"):
        load(fresh(), tmp_path / "checkpoint")


def test_a_file_of_other_origin_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "other")
    with pytest.raises(ValueError, match=r"must hold Recipe.*got None"):
        load(fresh(), tmp_path / "other")


def test_the_run_for_a_gpu_computes_what_it_records(monkeypatch):
    """All of it but CUDA graphs and CUDA's own profile runs on a CPU, too."""
    monkeypatch.setattr(runs, "SECONDS", 0.0)
    monkeypatch.setattr(runs, "ROUNDS_ON_CUDA", 2)
    monkeypatch.setattr(runs, "BATCHES", (2, 4))
    monkeypatch.setattr(runs, "BATCH", 3)
    monkeypatch.setattr(runs, "SIDE", 16)
    kept = {"default", "tf32", "last_half", "fused"}
    monkeypatch.setattr(
        runs, "ON_CUDA", {k: v for k, v in runs.ON_CUDA.items() if k in kept}
    )
    monkeypatch.setattr(runs, "PROFILED", ("default", "fused"))
    claims = runs._on_cuda(torch.device("cpu"))
    assert {f"{name}_gain" for name in kept} <= claims.keys()
    assert len(claims["step_by_batch"].value) == 2
    assert claims["default_gain"].value == 1
    assert torch.backends.cudnn.allow_tf32 is False


def test_a_run_with_a_graph_is_refused_without_a_gpu():
    with pytest.raises(ValueError, match="needs a CUDA device, got cpu"):
        runs.mnist_graph(torch.device("cpu"))
