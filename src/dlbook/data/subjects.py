"""Measurements of people that know nothing about the label but give away who it is."""

import torch
from torch import Tensor


def draw(subjects: int, measurements: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Measure each subject several times; toss a coin for the subject's label.

    A measurement is the subject's own place in a space of 10 features, which is normal
    with deviation 1, plus noise of deviation 0.5. No feature depends on the label.

    Args:
        subjects: how many people.
        measurements: how many of each.
        seed: equal seeds give equal people.

    Returns:
        features, (n, 10) float64; labels, (n,) int64, 0 or 1, equal for all measurements
        of a subject; and who was measured, (n,) int64, with n = subjects x measurements.
    """
    generator = torch.Generator().manual_seed(seed)
    who = torch.arange(subjects).repeat_interleave(measurements)
    places = torch.randn(subjects, 10, generator=generator, dtype=torch.float64)
    labels = torch.randint(2, (subjects,), generator=generator)
    noise = torch.randn(len(who), 10, generator=generator, dtype=torch.float64)
    return places[who] + 0.5 * noise, labels[who], who
