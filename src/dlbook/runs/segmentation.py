"""Numbers of the chapter on segmentation and detection."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from tqdm import tqdm

from dlbook.data import digits
from dlbook.runs.record import Claim, Findings
from dlbook.runs.regularization import spread_of
from dlbook.segmentation import (
    Detections,
    Scenes,
    Segmenter,
    average_precision,
    best_of,
    boxes_of,
    compose,
    confusion,
    draw_glyph,
    draw_scenes,
    frames_by_components,
    ious,
    match,
    mean_iou,
    pixel_loss,
    proposals,
    rim,
    segmenter,
    side_distances,
    suppress,
    train,
)

SEEDS = range(5)
CLASSES = 11  # paper and ten digits
STEPS = 500
WIDTH, INK_WIDTH = 12, 8  # maps of the finest level, for digits and for ink alone
WEIGHT = 0.1  # of the distances beside the classes in the loss
LEAST = 8  # pixels of a piece of ink that is taken for a digit
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
GAPS = (-3, -2, -1, 0, 1, 2, 3)  # pixels between the frames of two digits
WAYS = ("nearest", "transposed_2", "transposed_3", "transposed_4")

Finder = Callable[[Tensor], Detections]


def quick(device: torch.device) -> Findings:
    """Count the test scenes: paper, rim, and what the laziest answer gets."""
    scenes = on(held_out(), device)
    ink = scenes.masks > 0
    lazy = confusion(torch.zeros_like(scenes.masks), scenes.masks, CLASSES)
    on_rim = rim(ink)
    alone = ink_network(0, True, 40, device)[0]
    claims = {
        "paper": percent((~ink).double().mean()),
        "rim": percent(on_rim.double().mean()),
        "lazy_accuracy": percent(lazy.diagonal().sum() / lazy.sum()),
        "lazy_iou": Claim(mean_iou(lazy, first=1)),
        "short_ink_iou": Claim(ink_found(alone, scenes)["ink_iou"], "%", tolerance=8.0),
    }
    return Findings(claims, {"digits": digits.checksum()})


def skips(device: torch.device) -> Findings:
    """Tell ink from paper, with and without skips: where are the mistakes?"""
    scenes, found = on(held_out(), device), {}
    for seed in tqdm(SEEDS, desc="seeds"):
        for name, across in (("skips", True), ("plain", False)):
            network, _ = ink_network(seed, across, 100, device)
            for key, value in ink_found(network, scenes).items():
                found.setdefault(f"{key}_{name}", []).append(value)
    return Findings(spreads(found, 6.0), {"digits": digits.checksum()})


def networks(device: torch.device) -> Findings:
    """Ten digits with a frame from every pixel, with and without skips."""
    found = {}
    scenes, near = on(held_out(), device), {gap: neighbors(gap, device) for gap in GAPS}
    for seed in tqdm(SEEDS, desc="seeds"):
        for name, across in (("skips", True), ("plain", False)):
            network = digit_network(seed, across, "bilinear", STEPS, device)
            maps = answers(network, scenes.images)
            measured = pixel_found(maps, scenes)
            for how, finder in finders().items():
                measured |= {
                    f"{key}_{how}": value
                    for key, value in frames_found(maps, scenes.owners, finder).items()
                }
            measured |= by_threshold(maps, scenes.owners)
            if across:
                for gap, (images, owners) in near.items():
                    maps = answers(network, images)
                    for how, finder in finders().items():
                        two = frames_found(maps, owners, finder)["count"]
                        measured[f"count_{how}_gap_{gap - GAPS[0]}"] = two
            for key, value in measured.items():
                found.setdefault(f"{key}_{name}", []).append(value)
    return Findings(spreads(found, 10.0), {"digits": digits.checksum()})


def enlargements(device: torch.device) -> Findings:
    """Ten digits with skips: four more ways to double the sides."""
    found, scenes = {}, on(held_out(), device)
    for seed in tqdm(SEEDS, desc="seeds"):
        for way in WAYS:
            network = digit_network(seed, True, way, STEPS, device)
            for key, value in pixel_found(
                answers(network, scenes.images), scenes
            ).items():
                found.setdefault(f"{key}_{way}", []).append(value)
    return Findings(spreads(found, 10.0), {"digits": digits.checksum()})


def longer(device: torch.device) -> Findings:
    """Ten digits, 2000 steps instead of 500, with skips."""
    found, scenes = {}, on(held_out(), device)
    for seed in tqdm(SEEDS, desc="seeds"):
        network = digit_network(seed, True, "bilinear", 2000, device)
        maps = answers(network, scenes.images)
        measured = pixel_found(maps, scenes)
        measured |= frames_found(maps, scenes.owners, finders()["proposals"])
        for key, value in measured.items():
            found.setdefault(f"{key}_longer", []).append(value)
    return Findings(spreads(found, 10.0), {"digits": digits.checksum()})


def spreads(found: dict[str, list[float]], tolerance: float) -> dict[str, Claim]:
    """Claim median, least and largest of each number, in percent."""
    claims = {}
    for name, values in found.items():
        claims |= spread_of(name, values, tolerance)
    return claims


def percent(share: Tensor) -> Claim:
    """Claim a share that was counted, in percent."""
    return Claim(100 * share.item(), "%", tolerance=0.05)


def lessons(count: int, seed: int) -> Scenes:
    """Draw scenes of two digits, from the training digits."""
    images, labels, _, _ = digits.load()
    return draw_scenes(images, labels, count, 2, Generator().manual_seed(seed))


def held_out() -> Scenes:
    """Draw 200 scenes of two digits, from the test digits."""
    _, _, images, labels = digits.load()
    return draw_scenes(images, labels, 200, 2, Generator().manual_seed(1000))


def on(scenes: Scenes, device: torch.device) -> Scenes:
    """Move scenes to a device."""
    return Scenes(*(part.to(device) for part in scenes))


def neighbors(gap: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Draw 200 pairs of test digits, side by side, with `gap` pixels between the frames.

    Returns:
        (200, 1, 24, 24) images with noise, and (200, 24, 24) owners.
    """
    _, _, images, _ = digits.load()
    generator, sheets, owners = Generator().manual_seed(2000), [], []
    while len(sheets) < 200:
        chosen = torch.randint(len(images), (2,), generator=generator)
        left, right = (draw_glyph(images[i], generator) for i in chosen.tolist())
        start = (24 - left.shape[1] - right.shape[1] - gap) // 2
        tops = [(24 - len(glyph)) // 2 for glyph in (left, right)]
        corners = [(tops[0], start), (tops[1], start + left.shape[1] + gap)]
        sheet, owner = compose([left, right], corners, 24)
        noise = 0.1 * torch.randn(24, 24, generator=generator)
        if len(boxes_of(owner)) == 2:
            sheets.append(sheet + noise)
            owners.append(owner)
    return torch.stack(sheets)[:, None].to(device), torch.stack(owners).to(device)


def ink_network(
    seed: int, across: bool, steps: int, device: torch.device
) -> tuple[Segmenter, list[float]]:
    """Train a network to tell ink from paper on 400 scenes; and its losses."""
    scenes = on(lessons(400, seed), device)
    generator, ink = Generator().manual_seed(seed), (scenes.masks > 0).long()
    network = segmenter(INK_WIDTH, 2, generator, across).to(device)
    losses = train(
        network,
        scenes.images,
        lambda maps, chosen: pixel_loss(maps, ink[chosen]),
        steps,
        generator,
    )
    return network, list(losses)


def digit_network(
    seed: int, across: bool, way: str, steps: int, device: torch.device
) -> Segmenter:
    """Train a network on 1500 scenes: eleven classes and four distances for each pixel."""
    scenes = on(lessons(1500, seed), device)
    distances = torch.stack([side_distances(owners) for owners in scenes.owners])
    generator = Generator().manual_seed(seed)
    network = segmenter(WIDTH, CLASSES + 4, generator, across, way).to(device)

    def loss_of(maps: Tensor, chosen: Tensor) -> Tensor:
        masks = scenes.masks[chosen]
        misses = (maps[:, CLASSES:] - distances[chosen]).abs().movedim(1, 3)[masks > 0]
        return pixel_loss(maps[:, :CLASSES], masks) + WEIGHT * misses.mean()

    for _ in train(network, scenes.images, loss_of, steps, generator):
        pass
    return network


@torch.no_grad()
def answers(network: Segmenter, images: Tensor) -> Tensor:
    """Give the maps of a trained network, with the running statistics."""
    return network.eval()(images)


def ink_found(network: Segmenter, scenes: Scenes) -> dict[str, float]:
    """Measure, in percent: overlap of the ink, and mistakes on its rim and off it."""
    predicted, ink = answers(network, scenes.images).argmax(dim=1), scenes.masks > 0
    wrong, border = (predicted > 0) != ink, rim(ink)
    table = confusion(predicted, ink.long(), 2)
    return {
        "ink_iou": 100 * ious(table)[1].item(),
        "on_rim": 100 * wrong[border].double().mean().item(),
        "off_rim": 100 * wrong[~border].double().mean().item(),
    }


def pixel_found(maps: Tensor, scenes: Scenes) -> dict[str, float]:
    """Measure, in percent: right pixels, mean overlap of digits, overlap of ink."""
    predicted = maps[:, :CLASSES].argmax(dim=1)
    table = confusion(predicted, scenes.masks, CLASSES)
    ink = confusion((predicted > 0).long(), (scenes.masks > 0).long(), 2)
    return {
        "accuracy": 100 * (table.diagonal().sum() / table.sum()).item(),
        "digits_iou": 100 * mean_iou(table, first=1),
        "inks_iou": 100 * ious(ink)[1].item(),
    }


def finders() -> dict[str, Finder]:
    """Name the two ways from maps to frames."""
    return {
        "pieces": lambda maps: frames_by_components(maps[:CLASSES], LEAST),
        "proposals": lambda maps: best_of(proposals(maps, CLASSES), 0.3),
    }


def frames_found(maps: Tensor, owners: Tensor, finder: Finder) -> dict[str, float]:
    """Measure, in percent: average precision at 0.5, precision, recall, right counts."""
    scores, hits, right, objects = [], [], [], 0
    for each, owner in zip(maps, owners, strict=True):
        found, truth = finder(each), boxes_of(owner).to(each)
        scores.append(found.scores)
        hits.append(match(found.boxes, found.scores, truth))
        right.append(len(found.boxes) == len(truth))
        objects += len(truth)
    good = torch.cat(hits)
    return {
        "precision": 100 * good.double().mean().item(),
        "recall": 100 * good.sum().item() / objects,
        "ap": 100 * average_precision(torch.cat(scores), good, objects),
        "count": 100 * sum(right) / len(right),
    }


def by_threshold(maps: Tensor, owners: Tensor) -> dict[str, float]:
    """Measure precision and recall of proposals for each threshold of suppression."""
    measured, every = {}, [proposals(each, CLASSES) for each in maps]
    for number, tau in enumerate(THRESHOLDS):
        hits, objects = [], 0
        for found, owner in zip(every, owners, strict=True):
            kept, truth = suppress(found.boxes, found.scores, tau), boxes_of(owner)
            boxes, scores = found.boxes[kept], found.scores[kept]
            hits.append(match(boxes, scores, truth.to(boxes)))
            objects += len(truth)
        good = torch.cat(hits)
        measured[f"precision_tau_{number}"] = 100 * good.double().mean().item()
        measured[f"recall_tau_{number}"] = 100 * good.sum().item() / objects
    return measured
