"""Every number that the chapter on tensors quotes."""

import torch

from dlbook.runs.record import Claim, Findings
from dlbook.tensors import IDIOMS, power_iteration


def quick(device: torch.device) -> Findings:
    """Count the old idioms that fail, and follow the turn of a power iteration."""
    broken = sum(idiom.ends != "runs" for idiom in IDIOMS)
    m = torch.tensor([[2.0, 1.0], [1.0, 1.5]], dtype=torch.float64, device=device)
    values, vectors = torch.linalg.eigh(m)
    path = power_iteration(m, torch.tensor([0.4, -1.0]).to(m), steps=8)
    angles = (path @ vectors[:, -1]).abs().clamp(max=1).arccos().rad2deg()
    claims = {
        "idioms": Claim(len(IDIOMS), tolerance=0),
        "idioms_broken": Claim(broken, tolerance=0),
        "eigenvalue_large": Claim(values[1].item()),
        "eigenvalue_small": Claim(values[0].item()),
        "ratio": Claim((values[1] / values[0]).item()),
        "angles": Claim(angles.tolist(), "degrees", tolerance=1e-4),
        "angle_ratio": Claim((angles[7] / angles[8]).item(), tolerance=1e-3),
    }
    return Findings(claims)
