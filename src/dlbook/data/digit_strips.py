"""Ten handwritten digits side by side, to look for one of them."""

import torch
from torch import Tensor


def draw(images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, list[int]]:
    """Put one digit of each kind side by side, in random order.

    Args:
        images: (n, h, w) floats, at least one of each kind.
        labels: (n,) int64 from 0 to 9.
        seed: equal seeds give equal strips.

    Returns:
        (h, 10 w) floats, and the ten digits from left to right.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(10, generator=generator).tolist()
    chosen = []
    for digit in order:
        candidates = images[labels == digit]
        chosen.append(candidates[torch.randint(len(candidates), (), generator=generator)])
    return torch.cat(chosen, dim=1), order
