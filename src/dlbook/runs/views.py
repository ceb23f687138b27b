"""Every number that the chapter on views quotes."""

import torch

from dlbook.data import horse, photographs
from dlbook.data.cifar10 import HORSE
from dlbook.data.cifar10 import checksum as cifar10_checksum
from dlbook.data.cifar10 import load as load_cifar10
from dlbook.runs.record import Claim, Findings
from dlbook.views import reads_in_order, shares_storage

WORKED = (
    "x.t()",
    "x.view(-1)",
    "x.view(3, -1)",
    "x.narrow(1, 1, 2)",
    "x.view(1, 2, 3).expand(3, 2, 3)",
    "z.narrow(0, 0, 1)",
    "z.narrow(2, 0, 2)",
    "z.transpose(0, 1)",
    "z.transpose(0, 2)",
    "z.transpose(1, 2)",
)


def quick(device: torch.device) -> Findings:
    """Count which worked views share memory and read in order; average the photographs."""
    x = torch.tensor([[1, 3, 0], [2, 4, 6]], device=device)
    z = torch.tensor([[[1, 2, 1], [2, 1, 2]], [[3, 0, 3], [0, 3, 0]]], device=device)
    views = [eval(call, {"x": x, "z": z}) for call in WORKED]
    sharing = [any(shares_storage(view, source) for source in (x, z)) for view in views]
    means = photographs.load().double().mean(dim=(2, 3))
    claims = {
        "views": Claim(len(views), tolerance=0),
        "views_sharing": Claim(sum(sharing), tolerance=0),
        "views_in_order": Claim(sum(map(reads_in_order, views)), tolerance=0),
        # Decoders of JPEG may round a pixel up or down.
        "means_temple": Claim(means[0].tolist(), tolerance=0.5),
        "means_flower": Claim(means[1].tolist(), tolerance=0.5),
    }
    return Findings(claims, {"photographs": photographs.checksum()})


def cifar10(device: torch.device) -> Findings:
    """Check the corner of the horse, and average the channels of the training images."""
    images, labels, _, _ = load_cifar10()
    corner = horse.load()
    found = images[HORSE, :, :4, :8]
    means = images.to(device).double().mean(dim=(0, 2, 3)) / 255
    claims = {
        "horse_corner_equal": Claim(int((found == corner).sum()), tolerance=0),
        "horse_label": Claim(labels[HORSE].item(), tolerance=0),
        "cifar10_means": Claim(means.tolist()),
    }
    return Findings(claims, {"CIFAR-10": cifar10_checksum()})
