"""Segmentation and detection: overlaps, transposes, frames, and the library as the judge."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import average_precision_score, jaccard_score
from torch import Generator, nn
from torch.nn import functional
from torchvision import ops

from dlbook.convolution import receptive_field
from dlbook.data import digits
from dlbook.segmentation import (
    WAYS,
    Detections,
    average_precision,
    best_of,
    box_ious,
    boxes_of,
    components,
    compose,
    confusion,
    contributions,
    cut_out,
    dice,
    doubled,
    draw_corners,
    draw_glyph,
    draw_scenes,
    frames_by_components,
    ious,
    masks_of,
    match,
    mean_iou,
    pixel_loss,
    proposals,
    rim,
    segmenter,
    side_distances,
    suppress,
    train,
    transposed_by_scatter,
    transposed_side,
)

DOUBLE = torch.float64
LAW = settings(derandomize=True, max_examples=40, deadline=None)
SEEDS = st.integers(0, 10_000)


def seeded(seed=0):
    return Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


def classes(*shape, of=3, seed=0):
    return torch.randint(of, shape, generator=seeded(seed))


def random_boxes(count, seed=0):
    corners = 10 * torch.rand(count, 2, generator=seeded(seed), dtype=DOUBLE)
    sizes = 1 + 9 * torch.rand(count, 2, generator=seeded(seed + 1), dtype=DOUBLE)
    return torch.cat([corners, corners + sizes], dim=1)


def scenes(count, objects=2, seed=0):
    images, labels, _, _ = digits.load()
    return draw_scenes(images, labels, count, objects, seeded(seed))


# Scenes


def test_the_mask_of_a_scene_shows_its_digits_and_nothing_else():
    drawn = scenes(20, objects=3)
    for mask, owners, shown in zip(drawn.masks, drawn.owners, drawn.digits, strict=True):
        assert set(mask.unique().tolist()) == {0, *(1 + shown).tolist()}
        assert owners.max() == 3
        for k in range(3):
            assert (mask[owners == k + 1] == 1 + shown[k]).all()


def test_digits_of_a_scene_do_not_touch():
    for owners in scenes(50, objects=2).owners:
        pieces = components(owners > 0)
        for k in range(1, int(pieces.max()) + 1):
            assert len(owners[pieces == k].unique()) == 1


def test_the_noise_has_the_deviation_that_is_stated_and_scenes_follow_the_seed():
    drawn = scenes(200)
    paper = drawn.images[:, 0][:, 0, 0]  # corners are nearly always paper
    assert paper.std().item() == pytest.approx(0.1, rel=0.3)
    assert drawn.images.equal(scenes(200).images)
    assert not drawn.images.equal(scenes(200, seed=1).images)


@LAW
@given(SEEDS, st.integers(0, 3))
def test_rectangles_keep_their_gap_and_stay_inside(seed, gap):
    shapes = [(5, 3), (4, 7), (2, 2)]
    corners = draw_corners(shapes, 20, gap, seeded(seed))
    taken = torch.zeros(20 + gap, 20 + gap)
    for (top, left), (height, width) in zip(corners, shapes, strict=True):
        assert 0 <= top <= 20 - height
        assert 0 <= left <= 20 - width
        taken[top : top + height + gap, left : left + width + gap] += 1
    marks = torch.zeros(20, 20, dtype=torch.int64)
    for k, ((top, left), (h, w)) in enumerate(zip(corners, shapes, strict=True)):
        around = marks[
            max(0, top - gap) : top + h + gap, max(0, left - gap) : left + w + gap
        ]
        assert not around.any()
        marks[top : top + h, left : left + w] = k + 1


def test_where_digits_overlap_the_darker_one_owns_the_pixel():
    glyphs = [torch.full((2, 2), 0.6), torch.full((2, 2), 0.9)]
    image, owners = compose(glyphs, [(0, 0), (1, 1)], 4)
    assert owners.tolist() == [[1, 1, 0, 0], [1, 2, 2, 0], [0, 2, 2, 0], [0, 0, 0, 0]]
    assert image[1, 1].item() == pytest.approx(0.9)


def test_a_digit_is_cut_at_its_ink_and_no_larger_than_eleven():
    image = torch.zeros(6, 7)
    image[2:4, 1:6] = 0.5
    image[0, 0] = 0.35  # not above the bound
    assert cut_out(image).equal(image[2:4, 1:6])
    images = digits.load()[0]
    glyphs = [draw_glyph(image, seeded(i)) for i, image in enumerate(images[:60])]
    assert max(max(glyph.shape) for glyph in glyphs) in range(9, 12)
    assert all(cut_out(glyph).equal(glyph) for glyph in glyphs)


# Overlaps


@LAW
@given(SEEDS, st.integers(2, 5))
def test_overlaps_of_pixels_are_those_of_scikit_learn(seed, kinds):
    truth = classes(2, 6, 6, of=kinds, seed=seed)
    predicted = classes(2, 6, 6, of=kinds, seed=seed + 1)
    table = confusion(predicted, truth, kinds)
    ours = ious(table)
    labels = list(range(kinds))
    theirs = jaccard_score(
        truth.flatten(), predicted.flatten(), labels=labels, average=None, zero_division=0
    )
    torch.testing.assert_close(ours.nan_to_num(), torch.from_numpy(theirs))
    assert table.sum() == truth.numel()
    torch.testing.assert_close(ious(table.T), ours, equal_nan=True)


@LAW
@given(SEEDS)
def test_dice_rises_with_the_overlap(seed):
    table = classes(4, 4, of=9, seed=seed) + 1
    overlap = ious(table)
    torch.testing.assert_close(dice(table), 2 * overlap / (1 + overlap))


def test_equal_masks_overlap_wholly_and_absent_classes_do_not_count():
    masks = torch.tensor([[0, 0, 2]])
    table = confusion(masks, masks, 4)
    assert ious(table)[[0, 2]].tolist() == [1, 1]
    assert ious(table)[[1, 3]].isnan().all()
    assert mean_iou(table) == 1
    with pytest.raises(ValueError, match="a class from 3 up must occur, got none"):
        mean_iou(table, first=3)
    lazy = confusion(torch.zeros_like(masks), masks, 4)
    assert mean_iou(lazy, first=1) == 0
    assert lazy.diagonal().sum() / lazy.sum() == pytest.approx(2 / 3)


def test_the_rim_is_where_a_neighborhood_holds_both():
    ink = torch.zeros(1, 7, 7, dtype=torch.bool)
    ink[0, 1:6, 1:6] = True
    edge = torch.ones(7, 7, dtype=torch.bool)
    edge[3, 3] = False
    edge[2:5, 2:5] = False
    assert rim(ink)[0].equal(edge)
    assert not rim(torch.ones(1, 3, 3) > 0).any()  # beyond the border there is no paper


@LAW
@given(SEEDS)
def test_overlaps_of_boxes_are_those_of_torchvision(seed):
    first, second = random_boxes(7, seed), random_boxes(5, seed + 9)
    ours = box_ious(first, second)
    torch.testing.assert_close(ours, ops.box_iou(first, second))
    torch.testing.assert_close(ours.T, box_ious(second, first))
    torch.testing.assert_close(box_ious(first, first).diagonal(), torch.ones(7).double())


def test_the_overlap_of_exercise_one_is_a_seventh():
    pair = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6]])
    assert box_ious(pair[:1], pair[1:]).item() == pytest.approx(1 / 7)


# The way up


@LAW
@given(
    SEEDS,
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(0, 1),
    st.integers(0, 2),
)
def test_copies_of_the_kernel_add_up_to_the_transposed_convolution(
    seed, side, kernel, stride, padding, extra
):
    extra = min(extra, stride - 1)
    if (side - 1) * stride - 2 * padding + kernel + extra < 1:
        with pytest.raises(ValueError, match="padding must leave a pixel"):
            transposed_side(side, kernel, stride, padding, extra)
        return
    x = normal(2, 3, side, side, seed=seed)
    w = normal(3, 2, kernel, kernel, seed=seed + 1)
    ours = transposed_by_scatter(x, w, stride, padding, extra)
    theirs = functional.conv_transpose2d(
        x, w, stride=stride, padding=padding, output_padding=extra
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert ours.shape[2] == transposed_side(side, kernel, stride, padding, extra)


@LAW
@given(SEEDS, st.integers(1, 4), st.integers(1, 3))
def test_it_is_the_transpose_of_the_convolution(seed, kernel, stride):
    """<w * x, y> = <x, w^T * y>, and autograd's way back is the same map."""
    side = 2 * stride + kernel
    x = normal(1, 2, side, side, seed=seed).requires_grad_()
    w = normal(3, 2, kernel, kernel, seed=seed + 1)
    forward = functional.conv2d(x, w, stride=stride)
    y = normal(*forward.shape, seed=seed + 2)
    back = transposed_by_scatter(y, w, stride)
    assert (forward * y).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-9)
    (slope,) = torch.autograd.grad((forward * y).sum(), x)
    torch.testing.assert_close(slope, back, rtol=1e-12, atol=1e-12)


@LAW
@given(st.integers(4, 7), st.integers(1, 6), st.integers(1, 3))
def test_contributions_are_even_only_if_the_stride_divides_the_kernel(side, k, stride):
    counted = contributions(side, k, stride)
    edge = k - 1
    inside = counted[edge : len(counted) - edge, edge : len(counted) - edge]
    few, many = k // stride, math.ceil(k / stride)
    allowed = {few * few, few * many, many * many}
    assert set(inside.unique().tolist()) <= allowed
    if k % stride == 0:
        assert set(inside.unique().tolist()) <= {few * few}
    assert counted.sum() == side**2 * k**2


def test_the_checkerboard_of_three_by_two_is_counted():
    assert set(contributions(5, 3, 2)[2:-2, 2:-2].unique().tolist()) == {1, 2, 4}
    assert set(contributions(5, 4, 2)[3:-3, 3:-3].unique().tolist()) == {4}


def test_bilinear_doubling_is_a_fixed_transposed_convolution_inside():
    line = torch.tensor([0.25, 0.75, 0.75, 0.25], dtype=DOUBLE)
    x = normal(1, 1, 6, 6)
    ours = transposed_by_scatter(x, torch.outer(line, line)[None, None], 2, 1)
    theirs = functional.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(ours[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1])
    assert not torch.allclose(ours[..., 0, :], theirs[..., 0, :])


@pytest.mark.parametrize("way", WAYS)
def test_each_way_doubles_the_sides(way):
    assert doubled(3, way)(torch.ones(2, 3, 4, 6)).shape == (2, 3, 8, 12)


# The network


def trained_a_little(skips=True):
    network, drawn = segmenter(4, 2, seeded(), skips), scenes(32)
    ink = (drawn.masks > 0).long()
    losses = train(
        network, drawn.images, lambda s, c: pixel_loss(s, ink[c]), 30, seeded()
    )
    return network, list(losses)


def test_the_loss_is_that_of_the_library():
    scores, masks = normal(2, 3, 4, 5), classes(2, 4, 5)
    torch.testing.assert_close(
        pixel_loss(scores, masks), functional.cross_entropy(scores, masks)
    )


def test_training_lowers_the_loss_and_follows_the_seed():
    network, losses = trained_a_little()
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    again, _ = trained_a_little()
    for ours, theirs in zip(network.parameters(), again.parameters(), strict=True):
        assert ours.equal(theirs)


def test_the_network_is_drawn_without_the_global_generator():
    before = torch.get_rng_state()
    network = segmenter(12, 15, seeded())
    assert torch.get_rng_state().equal(before)
    assert sum(p.numel() for p in network.parameters()) == 53_775
    plain = segmenter(12, 15, seeded(), skips=False)
    across = 9 * (24 * 24 + 12 * 12)
    assert sum(p.numel() for p in plain.parameters()) == 53_775 - across
    kernels = network.coarse[1][0].weight
    assert kernels.std().item() == pytest.approx((2 / (9 * 48)) ** 0.5, rel=0.05)


def test_a_net_without_dense_layers_answers_alike_on_a_crop():
    network = trained_a_little()[0].double().eval()
    image = normal(1, 1, 96, 96)
    with torch.no_grad():
        whole = network(image)[..., 16:80, 16:80]
        crop = network(image[..., 16:80, 16:80])
    torch.testing.assert_close(whole[..., 24:-24, 24:-24], crop[..., 24:-24, 24:-24])
    assert not torch.allclose(whole, crop)  # the border of the crop sees zeros


@pytest.mark.parametrize(
    ("pixels", "alike"), [(4, True), (8, True), (1, False), (2, False)]
)
def test_only_shifts_by_the_product_of_the_strides_shift_the_answer(pixels, alike):
    network = trained_a_little()[0].double().eval()
    image = torch.zeros(1, 1, 96, 96, dtype=DOUBLE)
    image[..., 40:60, 40:60] = normal(20, 20)
    with torch.no_grad():
        first = network(image)
        second = network(image.roll((pixels, pixels), (2, 3)))
    inside = first.roll((pixels, pixels), (2, 3))[..., 30:-30, 30:-30]
    difference = (second[..., 30:-30, 30:-30] - inside).abs().max().item()
    assert (difference < 1e-9) == alike


def test_other_sides_are_refused():
    with pytest.raises(ValueError, match="sides must be multiples of 4"):
        segmenter(2, 2, seeded())(torch.ones(1, 1, 10, 12))


def test_the_deepest_unit_sees_more_than_a_scene():
    steps = [(3, 1), (2, 2), (3, 1), (2, 2), (3, 1), (3, 1)]
    fields = [receptive_field(steps[: n + 1])[0] for n in range(len(steps))]
    assert fields == [3, 4, 8, 10, 18, 26]


# Frames


@LAW
@given(SEEDS, st.floats(0.1, 0.8))
def test_pieces_are_those_of_scipy(seed, share):
    ink = torch.rand(9, 11, generator=seeded(seed)) < share
    theirs, count = ndimage.label(ink.numpy(), structure=np.ones((3, 3)))
    ours = components(ink)
    assert ours.max().item() == count
    assert ours.equal(torch.from_numpy(theirs).long())


def test_a_sheet_of_nothing_but_ink_is_one_piece_and_paper_none():
    assert components(torch.ones(3, 4) > 0).equal(torch.ones(3, 4).long())
    assert not components(torch.zeros(3, 4) > 0).any()
    assert boxes_of(torch.zeros(3, 4).long()).shape == (0, 4)


@LAW
@given(SEEDS)
def test_frames_are_those_of_torchvision(seed):
    owners = components(torch.rand(8, 9, generator=seeded(seed)) < 0.2)
    count = int(owners.max())
    if count:
        masks = torch.stack([owners == k + 1 for k in range(count)])
        inclusive = ops.masks_to_boxes(masks)
        ends = torch.tensor(
            [0.0, 0, 1, 1]
        )  # theirs end on the last pixel, ours behind it
        torch.testing.assert_close(boxes_of(owners), inclusive + ends)


def test_a_missing_number_is_named():
    with pytest.raises(ValueError, match="owners must hold all numbers, got no 1"):
        boxes_of(torch.tensor([[0, 2]]))


@LAW
@given(SEEDS, st.floats(0.05, 0.95))
def test_suppression_is_that_of_torchvision(seed, tau):
    boxes, scores = (
        random_boxes(12, seed),
        torch.rand(12, generator=seeded(seed)).double(),
    )
    kept = suppress(boxes, scores, tau)
    assert kept.equal(ops.nms(boxes, scores, tau))
    assert kept[0] == scores.argmax()
    overlaps = box_ious(boxes[kept], boxes[kept])
    assert overlaps.fill_diagonal_(0).max() <= tau
    again = suppress(boxes[kept], scores[kept], tau)
    assert again.equal(torch.arange(len(kept)))


def test_nothing_proposed_is_nothing_kept():
    none = suppress(torch.empty(0, 4), torch.empty(0), 0.5)
    assert none.dtype == torch.int64
    assert len(none) == 0


def test_a_frame_is_recovered_from_each_of_its_pixels():
    owners = scenes(5).owners[3]
    distances = side_distances(owners)
    one = functional.one_hot((owners > 0).long(), 2).permute(2, 0, 1) * 9.0
    found = proposals(torch.cat([one, distances]), 2)
    truth = boxes_of(owners)[owners[owners > 0] - 1]
    torch.testing.assert_close(found.boxes, truth)
    assert found.kinds.unique().tolist() == [1]
    kept = best_of(found, 0.3)
    assert match(kept.boxes, kept.scores, boxes_of(owners)).all()
    assert len(kept.boxes) == 2


def test_pieces_below_the_least_size_are_dropped_and_classes_are_means():
    scores = torch.zeros(3, 6, 6)
    scores[0] = 5.0
    scores[1, 1:3, 1:3], scores[2, 1, 1] = 8.0, 8.5  # one pixel of four says otherwise
    scores[2, 5, 5] = 9.0
    both = frames_by_components(scores, 1)
    assert both.kinds.tolist() == [1, 2]
    assert both.boxes.tolist() == [[1, 1, 3, 3], [5, 5, 6, 6]]
    large = frames_by_components(scores, 2)
    assert large.kinds.tolist() == [1]
    assert len(frames_by_components(scores, 40).boxes) == 0


def test_a_second_box_on_one_object_is_a_mistake():
    truth = torch.tensor([[0.0, 0, 4, 4], [10, 10, 14, 14]])
    boxes = torch.tensor(
        [[0.0, 0, 4, 5], [0, 0, 4, 4], [10, 10, 14, 13], [20, 20, 21, 21]]
    )
    scores = torch.tensor([0.6, 0.9, 0.5, 0.8])
    assert match(boxes, scores, truth).tolist() == [False, True, True, False]
    assert match(boxes, scores, truth, tau=0.8).tolist() == [False, True, False, False]


@LAW
@given(SEEDS, st.integers(0, 4))
def test_average_precision_is_the_area_under_the_best_reachable_precision(seed, missed):
    scores = torch.rand(9, generator=seeded(seed), dtype=DOUBLE)
    hits = torch.rand(9, generator=seeded(seed + 1)) < 0.5
    hits[0] = True
    objects = int(hits.sum()) + missed
    ranked = hits[scores.argsort(descending=True)].tolist()
    points = [
        (sum(ranked[:n]) / objects, sum(ranked[:n]) / n)
        for n in range(1, len(ranked) + 1)
    ]
    area = sum(
        max(p for r, p in points if r >= (k + 1) / objects - 1e-9)
        for k in range(sum(ranked))
    )
    ours = average_precision(scores, hits, objects)
    assert ours == pytest.approx(area / objects)
    theirs = average_precision_score(hits, scores) * hits.sum().item() / objects
    assert ours >= theirs - 1e-12
    assert (
        average_precision(2 * scores + 1, hits, objects) == ours
    )  # only the order counts


def test_average_precision_of_ranked_hits_is_that_of_scikit_learn():
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6])
    hits = torch.tensor([True, True, False, True])
    expected = average_precision_score(hits, scores)
    assert average_precision(scores, hits, 3) == pytest.approx(expected)
    assert average_precision(scores, hits, 6) == pytest.approx(expected / 2)


def test_masks_name_the_digit_of_each_owner():
    owners = torch.tensor([[[0, 1], [2, 2]]])
    assert masks_of(owners, torch.tensor([[7, 0]])).tolist() == [[[0, 8], [1, 1]]]


def test_best_of_keeps_classes_with_their_boxes():
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4.5], [8, 8, 9, 9]])
    found = Detections(boxes, torch.tensor([0.5, 0.9, 0.7]), torch.tensor([3, 4, 5]))
    kept = best_of(found, 0.5)
    assert kept.kinds.tolist() == [4, 5]
    assert nn.functional.softmax(kept.scores, 0)[0] > 0.5
