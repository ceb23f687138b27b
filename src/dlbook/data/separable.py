"""Points that a hyperplane through the origin tells apart, with a gap of known width."""

import torch
from torch import Tensor


def draw(n: int, dimension: int, gap: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw points of the unit ball on both sides of a gap around a random hyperplane.

    Args:
        n: how many points, at least 1; sides are tossed.
        dimension: how many coordinates, at least 2.
        gap: width of the empty slab, between 0 and 2, both excluded.
        seed: equal seeds give equal points.

    Returns:
        points, (n, dimension) float64, none longer than 1; labels, (n,) float64, -1 or +1;
        the normal of the hyperplane, (dimension,) float64 of length 1, on the side of +1.

    Raises:
        ValueError: a count, the dimension or the gap is out of its range.
    """
    if n < 1 or dimension < 2:
        raise ValueError(
            f"n must be at least 1 and dimension at least 2, got {n}, {dimension}"
        )
    if not 0 < gap < 2:
        raise ValueError(f"gap must lie between 0 and 2, got {gap}")
    generator = torch.Generator().manual_seed(seed)
    exact = {"generator": generator, "dtype": torch.float64}
    normal = torch.randn(dimension, **exact)
    normal /= normal.norm()
    labels = torch.randint(2, (n,), generator=generator).double() * 2 - 1
    height = gap / 2 + (1 - gap / 2) * torch.rand(n, **exact)  # above the hyperplane
    sideways = torch.randn(n, dimension, **exact)
    sideways -= (sideways @ normal)[:, None] * normal
    sideways /= sideways.norm(dim=1, keepdim=True)
    reach = (1 - height.square()).sqrt() * torch.rand(n, **exact) ** (1 / (dimension - 1))
    points = (labels * height)[:, None] * normal + reach[:, None] * sideways
    return points, labels, normal
