"""The measured and counted numbers of the chapter on history."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torchvision import models
from torchvision.models.googlenet import Inception
from torchvision.models.resnet import BasicBlock, Bottleneck
from tqdm import tqdm

from dlbook.data import imagenet
from dlbook.history import (
    LENET_1,
    LENET_5,
    LENET_1989,
    SharedNetwork,
    alexnet_2012,
    count_plane,
    depth,
    forward,
    patches_of,
    tc_images,
    trace,
    train_tc,
)
from dlbook.runs.record import Claim, Findings

IMAGE = (3, 224, 224)
SIDE = 6  # of the retina of the T-C problem
STEPS = 4000


def quick(device: torch.device) -> Findings:
    """Count parameters and operations of famous networks; solve the T-C problem once.

    Args:
        device: where to train; counting needs none.

    Returns:
        counts by network, and what the hidden units of the T-C network learned.
    """
    claims = counts() | solution(device)
    for name, planes in (
        ("lenet_1989", LENET_1989),
        ("lenet_1", LENET_1),
        ("lenet_5", LENET_5),
    ):
        parameters, connections = zip(*map(count_plane, planes), strict=True)
        claims[f"{name}_parameters"] = Claim(sum(parameters))
        claims[f"{name}_connections"] = Claim(sum(connections))
    return Findings(claims, {"imagenet.toml": imagenet.checksum()})


def tc(device: torch.device) -> Findings:
    """Train T-C networks from ten seeds, with 1, 2 and 4 kinds of hidden units.

    Args:
        device: where to train.

    Returns:
        how many of the ten name every letter at every place.
    """
    claims = {}
    for kinds in (1, 2, 4):
        solved = 0
        for seed in tqdm(range(10), desc=f"{kinds} kinds"):
            network = train_tc(
                *(part.to(device) for part in lessons()), kinds, STEPS, seed
            )
            solved += accuracy(network) == 1
        claims[f"tc_solved_{kinds}"] = Claim(solved, tolerance=1)
    return Findings(claims)


def lessons() -> tuple[Tensor, Tensor]:
    """Give each of the eight turned letters once, in the top left corner.

    Returns:
        images, (8, 6, 6) float64, and labels, (8,) float64: 1 for T, 0 for C.
    """
    images, labels = tc_images(SIDE)
    corner = images[:, 0].any(dim=1) & images[:, :, 0].any(dim=1)
    return images[corner], labels[corner]


def accuracy(network: SharedNetwork) -> float:
    """Ask a network about both letters in every rotation at every position.

    Args:
        network: the weights.

    Returns:
        the share of right answers, from 0 to 1.
    """
    images, labels = (part.to(network.w.device) for part in tc_images(SIDE))
    _, output = forward(network, patches_of(images))
    return ((output > 0.5) == (labels == 1)).double().mean().item()


def solution(device: torch.device) -> dict[str, Claim]:
    """Train one network with two kinds of hidden units, and keep its weights.

    Args:
        device: where to train.

    Returns:
        its accuracy at every position, and the weights of its hidden units.
    """
    images, labels = (part.to(device) for part in lessons())
    network = train_tc(images, labels, 2, STEPS, seed=0)
    return {
        "tc_accuracy": Claim(100 * accuracy(network), "%"),
        "tc_images": Claim(len(tc_images(SIDE)[0])),
        "tc_w": Claim(network.w.T.flatten().tolist(), tolerance=0.05),
        "tc_b": Claim(network.b.tolist(), tolerance=0.05),
        "tc_v": Claim(network.v.tolist(), tolerance=0.05),
        "tc_c": Claim(network.c.item(), tolerance=0.05),
    }


def counts() -> dict[str, Claim]:
    """Trace networks without weights, on a device that computes nothing.

    Returns:
        series in the order of `imagenet.NETWORKS`: depths, millions of parameters, and
        billions of multiply-adds; and from the second network on, the share of mistakes
        that torchvision states for its own weights.
    """
    with torch.device("meta"):
        built = {name: build(name) for name in imagenet.NETWORKS}
    sizes = [sum(p.numel() for p in model.parameters()) / 1e6 for model in built.values()]
    costs = [operations(model) for model in built.values()]
    stated = [stated_error(name) for name in imagenet.NETWORKS if name != "alexnet_2012"]
    claims = {
        "depths": Claim([depth(model) for model in built.values()]),
        "sizes": Claim(sizes, "million"),
        "costs": Claim(costs, "billion"),
        "stated_errors": Claim(stated, "%"),
    }
    smaller = sizes[0] / sizes[imagenet.NETWORKS.index("googlenet")]
    claims["googlenet_times_smaller"] = Claim(smaller)
    original = with_wide_filters(built["googlenet"])
    size = sum(p.numel() for p in original.parameters()) / 1e6
    claims |= {
        "googlenet_size_2015": Claim(size, "million"),
        "googlenet_cost_2015": Claim(operations(original), "billion"),
        "googlenet_times_smaller_2015": Claim(sizes[0] / size),
    }
    for name in ("resnet50", "resnet101", "resnet152"):
        early = operations(strided_early(built[name]))
        claims[f"{name}_operations_2016"] = Claim(early, "billion")
    padded = operations(zero_padded(built["resnet34"]))
    claims["resnet34_operations_2016"] = Claim(padded, "billion")
    return claims


def build(name: str) -> nn.Module:
    """Build a network of torchvision without weights.

    Args:
        name: as torchvision spells it, or "alexnet_2012" for the network as printed.

    Returns:
        the model, without the auxiliary outputs that serve training only.
    """
    if name == "alexnet_2012":
        return alexnet_2012()
    only = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return models.get_model(name, weights=None, **only)


def stated_error(name: str) -> float:
    """Look up the top-1 error that torchvision states for its first weights.

    Args:
        name: as torchvision spells it.

    Returns:
        the error on the validation set of ImageNet, one crop per image, in per cent.
    """
    weights = models.get_model_weights(name)["IMAGENET1K_V1"]
    return 100 - weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]


def operations(model: nn.Module) -> float:
    """Sum the multiply-adds of all layers for one image.

    Args:
        model: for images of 3 x 224 x 224.

    Returns:
        billions of multiply-adds.
    """
    return sum(layer.multiply_adds for layer in trace(model, IMAGE)) / 1e9


def with_wide_filters(model: nn.Module) -> nn.Module:
    """Give the third branch of each inception module its filters of 5 x 5, as in the paper.

    Args:
        model: torchvision's GoogLeNet, which has 3 x 3 there; changed.

    Returns:
        the same model.
    """
    for module in model.modules():
        if isinstance(module, Inception):
            old = module.branch3[1].conv
            channels = (old.in_channels, old.out_channels)
            module.branch3[1].conv = nn.Conv2d(
                *channels, 5, padding=2, bias=False, device=old.weight.device
            )
    return model


def strided_early(model: nn.Module) -> nn.Module:
    """Move the stride of each bottleneck to its first convolution, as in the paper.

    Args:
        model: a residual network of torchvision, which strides in the second; changed.

    Returns:
        the same model.
    """
    for block in model.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    return model


class ZeroPadding(nn.Module):
    """A shortcut without weights: every second pixel, and zeros for the new channels."""

    def forward(self, x: Tensor) -> Tensor:
        """Halve the sides and double the channels.

        Args:
            x: (N, C, H, W) floats.

        Returns:
            (N, 2C, H / 2, W / 2) floats.
        """
        return pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, x.shape[1]))


def zero_padded(model: nn.Module) -> nn.Module:
    """Replace the projections of a residual network, as in variant A of the paper.

    Args:
        model: a residual network of torchvision without bottlenecks; changed.

    Returns:
        the same model.
    """
    for block in model.modules():
        if isinstance(block, BasicBlock) and block.downsample is not None:
            block.downsample = ZeroPadding()
    return model
