"""Ancestors that run: from the threshold unit of 1943 to the counts of residual networks.

Sources, in order: W. McCulloch and W. Pitts, 1943, doi:10.1007/BF02478259; D. Hebb, "The
Organization of Behavior", 1949, and T. Kohonen, "Correlation matrix memories", 1972,
doi:10.1109/TC.1972.5008975; F. Rosenblatt, 1958, doi:10.1037/h0042519; K. Fukushima,
1980, doi:10.1007/BF00344251; D. Rumelhart, G. Hinton and R. Williams, "Learning internal
representations by error propagation", 1986; Y. LeCun et al., 1998, doi:10.1109/5.726791;
A. Krizhevsky et al., 2012; K. He et al., 2016, doi:10.1109/CVPR.2016.90.
"""

import copy
import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.autograd.graph import Node
from torch.nn.functional import max_pool2d, pad, unfold

from dlbook.contract import (
    require_at_least,
    require_bits,
    require_finite,
    require_number,
    require_signs,
    require_table,
    require_vector,
    require_wide,
)

T = torch.tensor([[1.0, 1, 1], [0, 1, 0], [0, 1, 0]])
C = torch.tensor([[1.0, 1], [1, 0], [1, 1]])


def threshold_unit(inputs: Tensor, weights: Tensor, bias: float) -> Tensor:
    """Fire where the weighted sum of the inputs plus the bias is not negative.

    Args:
        inputs: (N, D) floats, each 0 or 1 in a logic circuit.
        weights: (D,) floats.
        bias: one number for all samples, minus the threshold that the sum must reach.

    Returns:
        (N,) floats, each 0 or 1.

    Raises:
        TypeError: inputs or weights are no floats.
        ValueError: there is not one weight for each input, more than one bias, or a
            number is not finite.
    """
    require_table(inputs, "inputs")
    require_vector(weights, "weights", inputs.shape[1])
    require_number(bias, "bias")
    return (inputs @ weights + bias >= 0).to(inputs.dtype)


def hebbian_weights(inputs: Tensor, outputs: Tensor) -> Tensor:
    """Strengthen each connection by the activity at its two ends.

    Args:
        inputs: (N, D) float32 or float64, +1 where a unit is active, -1 where it is not.
        outputs: (N, E) floats, alike: what is active at the same time.

    Returns:
        (E, D) floats, the connections after all N pairs were seen once, starting from 0.

    Raises:
        TypeError: they are no float32 or float64; in 16 bits a long sum stands still.
        ValueError: a shape does not fit, the numbers of inputs and outputs differ, or an
            activity is neither.
    """
    for activities, name in ((inputs, "inputs"), (outputs, "outputs")):
        require_table(activities, name)
        require_wide(activities, name)
        require_signs(activities.flatten(), activities.numel(), name)
    if len(inputs) != len(outputs):
        raise ValueError(
            f"inputs and outputs must be pairs, got {len(inputs)} and {len(outputs)}"
        )
    weights = inputs.new_zeros(outputs.shape[1], inputs.shape[1])
    for x, y in zip(inputs, outputs, strict=True):
        weights = weights + torch.outer(y, x) / inputs.shape[1]
    return weights


def perceptron_pass(
    inputs: Tensor, labels: Tensor, weights: Tensor
) -> tuple[Tensor, int]:
    """Show every example once to a threshold unit, and correct it where it errs.

    Args:
        inputs: (N, D) floats; a column of ones serves as the bias.
        labels: (N,) floats, each -1 or +1.
        weights: (D,) floats, before the pass.

    Returns:
        (D,) floats, the weights after the pass, and the number of corrections.

    Raises:
        TypeError: inputs or weights are no floats.
        ValueError: the shapes do not fit, a label is not -1 or +1, or an input not finite.
    """
    require_table(inputs, "inputs")
    require_signs(labels, len(inputs))
    require_vector(weights, "weights", inputs.shape[1])
    corrections = 0
    for x, y in zip(inputs, labels, strict=True):
        if y * (weights @ x) <= 0:
            weights = weights + y * x
            corrections += 1
    return weights, corrections


def s_cells(image: Tensor, templates: Tensor, selectivity: float) -> Tensor:
    """Detect features: each S-cell answers where its patch resembles its template.

    A cell compares directions only (the cosine), as inhibition by the energy of the
    patch does in the neocognitron; the exact formula of 1980 has more constants.

    Args:
        image: (H, W) floats, of any contrast.
        templates: (K, 3, 3) floats, not all zero, one per plane of cells.
        selectivity: the cosine above which a cell answers, from 0 to below 1.

    Returns:
        (K, H, W) floats from 0 to 1; beyond the border the image is 0.

    Raises:
        TypeError: image or templates are no floats.
        ValueError: a shape does not fit, a template is empty, or the selectivity is 1.
    """
    _require_templates(image, templates, selectivity)
    patches = unfold(pad(image, (1, 1, 1, 1))[None, None], 3)[0].T  # (H * W, 9)
    cosine = _directions(patches) @ _directions(templates.flatten(1)).T
    answers = ((cosine - selectivity) / (1 - selectivity)).clamp(0, 1)
    return answers.T.reshape(len(templates), *image.shape)


def _directions(rows: Tensor) -> Tensor:
    """Bring each row to length 1; a row of zeros stays as it is."""
    largest = rows.abs().amax(dim=1, keepdim=True)
    rows = rows / largest.where(largest > 0, 1)  # no square can overflow, or vanish
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1)


def _require_templates(image: Tensor, templates: Tensor, selectivity: float) -> None:
    require_table(image, "image")
    require_finite(templates, "templates")
    if templates.shape[1:] != (3, 3):
        raise ValueError(f"templates must be (K, 3, 3), got {tuple(templates.shape)}")
    if not templates.is_meta and (templates == 0).flatten(1).all(dim=1).any():
        raise ValueError("a template must hold a pattern, got zeros only")
    if not 0 <= selectivity < 1:
        raise ValueError(f"selectivity must be from 0 to below 1, got {selectivity}")


def c_cells(features: Tensor, reach: int) -> Tensor:
    """Tolerate shifts: each C-cell answers if any S-cell of its neighborhood does.

    Args:
        features: (K, H, W) floats, planes of S-cells.
        reach: side of the neighborhoods, which do not overlap; divides H and W.

    Returns:
        (K, H / reach, W / reach) floats, the largest answer of each neighborhood.

    Raises:
        TypeError: the features are no floats.
        ValueError: the reach does not divide the sides, or a feature is not finite.
    """
    require_finite(features, "features")
    if features.ndim != 3:
        raise ValueError(f"features must be (K, H, W), got {tuple(features.shape)}")
    if reach < 1 or features.shape[1] % reach or features.shape[2] % reach:
        raise ValueError(
            f"the reach must divide both sides, got {reach} for {features.shape[1:]}"
        )
    return max_pool2d(features, reach)


def tc_images(side: int) -> tuple[Tensor, Tensor]:
    """Draw T and C in all four rotations at every position of a square retina.

    Args:
        side: height and width of the retina in pixels, at least 3.

    Returns:
        images, (N, side, side) float64, five pixels of each are 1;
        labels, (N,) float64, 1 for T and 0 for C.

    Raises:
        ValueError: the letters do not fit.
    """
    if side < 3:
        raise ValueError(f"the side must be 3 or more, got {side}")
    images, labels = [], []
    for letter, label in ((T, 1), (C, 0)):
        for turns in range(4):
            shape = letter.rot90(turns)
            for top in range(side - shape.shape[0] + 1):
                for left in range(side - shape.shape[1] + 1):
                    bottom, right = (
                        side - shape.shape[0] - top,
                        side - shape.shape[1] - left,
                    )
                    images.append(pad(shape, (left, right, top, bottom)))
                    labels.append(label)
    return torch.stack(images).double(), torch.tensor(labels).double()


class SharedNetwork(NamedTuple):
    """Hidden units that look at 3 x 3 patches with shared weights, and one output.

    Attributes:
        w: (9, K) floats, one column per kind of hidden unit, the same at every place.
        b: (K,) floats, their biases.
        v: (K,) floats, the weight of all units of a kind at the output.
        c: (1,) floats, the bias of the output.
    """

    w: Tensor
    b: Tensor
    v: Tensor
    c: Tensor


def patches_of(images: Tensor) -> Tensor:
    """Cut out all 3 x 3 patches that touch an image.

    Args:
        images: (N, H, W) floats, surrounded by zeros.

    Returns:
        (N, (H + 2) * (W + 2), 9) floats.

    Raises:
        TypeError: the images are no floats.
        ValueError: they have another shape, or a pixel is not finite.
    """
    require_finite(images, "images")
    if images.ndim != 3:
        raise ValueError(f"images must be (N, H, W), got {tuple(images.shape)}")
    return unfold(images[:, None], 3, padding=2).transpose(1, 2)


def forward(network: SharedNetwork, patches: Tensor) -> tuple[Tensor, Tensor]:
    """Compute what the network says.

    Args:
        network: the weights.
        patches: (N, P, 9) floats.

    Returns:
        hidden answers, (N, P, K) from 0 to 1, and the probability of a T, (N,).

    Raises:
        TypeError: patches or weights are no floats.
        ValueError: a shape does not fit, or a number is not finite.
    """
    require_finite(patches, "patches")
    if patches.ndim != 3 or patches.shape[2] != 9:
        raise ValueError(f"patches must be (N, P, 9), got {tuple(patches.shape)}")
    require_table(network.w.T, "w, turned,", 9)
    for weights, name in ((network.b, "b"), (network.v, "v")):
        require_vector(weights, name, network.w.shape[1])
    require_vector(network.c, "c", 1)
    hidden = (patches @ network.w + network.b).sigmoid()
    return hidden, (hidden.sum(dim=1) @ network.v + network.c).sigmoid()


def backward(network: SharedNetwork, patches: Tensor, labels: Tensor) -> SharedNetwork:
    """Compute the gradient of the mean cross-entropy by the chain rule, by hand.

    Args:
        network: the weights.
        patches: (N, P, 9) floats.
        labels: (N,) floats, 1 for T and 0 for C.

    Returns:
        the derivative for each of the weights; shared ones collect from all places.

    Raises:
        TypeError: patches or weights are no floats.
        ValueError: a shape does not fit, a number is not finite, or a label not 0 or 1.
    """
    require_bits(labels, len(patches), "labels")
    hidden, p = forward(network, patches)
    d_output = (p - labels.to(p)) / len(p)  # (N,), before the output's sigmoid
    d_hidden = d_output[:, None, None] * network.v  # (N, 1, K), the same at every place
    d_sum = d_hidden * hidden * (1 - hidden)  # (N, P, K), before the hidden sigmoids
    return SharedNetwork(
        w=torch.einsum("npi,npk->ik", patches, d_sum),
        b=d_sum.sum(dim=(0, 1)),
        v=d_output @ hidden.sum(dim=1),
        c=d_output.sum().reshape(1),
    )


def train_tc(
    images: Tensor, labels: Tensor, kinds: int, steps: int, seed: int
) -> SharedNetwork:
    """Train a shared network by gradient descent with momentum.

    Args:
        images: (N, H, W) floats.
        labels: (N,) numbers, 1 for T and 0 for C.
        kinds: K, how many kinds of hidden units, at least 1.
        steps: how many steps, each over all images, at least 0.
        seed: of the initial weights.

    Returns:
        the trained weights, of the dtype and on the device of the images.

    Raises:
        TypeError: the images are no floats.
        ValueError: a shape does not fit, a label is not 0 or 1, or a count is too small.
    """
    require_at_least(steps, 0, "steps")
    network, patches = draw_network(kinds, images, seed), patches_of(images)
    velocity = [torch.zeros_like(weights) for weights in network]
    for _ in range(steps):
        gradient = backward(network, patches, labels)
        velocity = [0.9 * v - 0.05 * g for v, g in zip(velocity, gradient, strict=True)]
        moved = (w + v for w, v in zip(network, velocity, strict=True))
        network = SharedNetwork(*moved)
    return network


def draw_network(kinds: int, images: Tensor, seed: int) -> SharedNetwork:
    """Draw the weights that training starts from.

    Args:
        kinds: K, how many kinds of hidden units, at least 1.
        images: floats of any shape; the network gets their dtype and device.
        seed: equal seeds give equal networks.

    Returns:
        normal weights; hidden biases of -3, an output bias of 0.

    Raises:
        TypeError: the images are no floats.
        ValueError: there is no hidden unit or no image.
    """
    require_at_least(kinds, 1, "kinds")
    require_finite(images, "images")
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(9, kinds, generator=generator, dtype=torch.float64).to(images)
    v = torch.randn(kinds, generator=generator, dtype=torch.float64).to(images)
    quiet = torch.full_like(v, -3)  # an empty patch must not outshout the letter
    return SharedNetwork(w, quiet, v, v.new_zeros(1))


class Plane(NamedTuple):
    """One layer of a LeNet: planes of units that share weights within each plane.

    Attributes:
        name: as in the paper.
        planes: how many planes, or units in a layer of single units.
        side: height and width of each plane.
        links: how many pairs (input plane, plane) are connected; 0 for averaging.
        field: side of the receptive fields.
        own_biases: whether each unit has a bias of its own, not each plane.
    """

    name: str
    planes: int
    side: int
    links: int
    field: int
    own_biases: bool = False


LENET_1989 = (  # images of 16 x 16, fields two pixels apart
    Plane("H1", 12, 8, 12, 5, own_biases=True),
    Plane("H2", 12, 4, 12 * 8, 5, own_biases=True),
    Plane("H3", 30, 1, 30 * 12, 4),
    Plane("output", 10, 1, 10 * 30, 1),
)
# Each averaging unit sums 2 x 2 inputs, then has one coefficient and one bias.
LENET_1 = (
    Plane("H1", 4, 24, 4, 5),
    Plane("H2", 4, 12, 0, 2),
    Plane("H3", 12, 8, 20, 5),
    Plane("H4", 12, 4, 0, 2),
    Plane("output", 10, 1, 120, 4),
)
LENET_5 = (
    Plane("C1", 6, 28, 6, 5),
    Plane("S2", 6, 14, 0, 2),
    Plane("C3", 16, 10, 60, 5),
    Plane("S4", 16, 5, 0, 2),
    Plane("C5", 120, 1, 1920, 5),
    Plane("F6", 84, 1, 10_080, 1),
)


def count_plane(plane: Plane) -> tuple[int, int]:
    """Count what a layer learns and what it computes.

    Args:
        plane: the layer.

    Returns:
        the number of free parameters, and of connections, biases included.
    """
    units = plane.side**2
    if plane.links == 0:
        return 2 * plane.planes, units * plane.planes * (plane.field**2 + 1)
    weights = plane.links * plane.field**2
    biases = plane.planes * (units if plane.own_biases else 1)
    return weights + biases, units * (weights + plane.planes)


def alexnet_2012() -> nn.Sequential:
    """Build the network of Krizhevsky et al. as printed, halves on two GPUs as groups.

    Returns:
        a network for images (N, 3, 224, 224); normalization, without weights, is left out.
    """
    return nn.Sequential(
        *(nn.Conv2d(3, 96, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU()),
        *(nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)),
    )


@dataclass(frozen=True)
class Layer:
    """What a hook saw when one layer ran.

    Attributes:
        kind: the name of its class, such as "Conv2d".
        shape: of its output, without the batch.
        parameters: how many it has.
        multiply_adds: how many a single input costs.
    """

    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def trace(model: nn.Module, shape: tuple[int, ...]) -> list[Layer]:
    """Run one input through a copy of a model and note each convolution and linear layer.

    Products of activations with each other, as in attention, have no layer of their own
    and are not counted.

    Args:
        model: on the device "meta" nothing is computed and no memory is used.
        shape: of one input, without the batch.

    Returns:
        the layers in the order in which they ran; one that runs again, or shares weights
        with an earlier one, adds operations, but not those parameters.

    Raises:
        ValueError: weights outside of `Conv2d` and `Linear` would go uncounted.
    """
    model = copy.deepcopy(model).eval()  # the hooks and the mode stay with the copy
    layers, seen = [], set()

    def note(module: nn.Module, _: tuple, output: Tensor) -> None:
        # For each output: one product for each weight of its own row or filter.
        cost = output[0].numel() * module.weight[0].numel()
        new = {id(p): p.numel() for p in module.parameters() if id(p) not in seen}
        seen.update(new)  # a layer may run twice, or share its weights with another
        layers.append(
            Layer(type(module).__name__, tuple(output.shape[1:]), sum(new.values()), cost)
        )

    for module in counted_layers(model):
        module.register_forward_hook(note)
    like = next(model.parameters(), torch.empty(0))
    with torch.no_grad():
        model(like.new_zeros(1, *shape))
    return layers


def counted_layers(model: nn.Module) -> list[nn.Module]:
    """Find the layers that papers count, and refuse models with weights elsewhere.

    Args:
        model: any; normalization, whose parameters are vectors, may be part of it.

    Returns:
        its two-dimensional convolutions and linear layers, each once.

    Raises:
        ValueError: another part, such as attention, holds a matrix of weights.
    """
    counted = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    known = {id(p) for module in counted for p in module.parameters()}
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and id(parameter) not in known:
            raise ValueError(
                f"only Conv2d and Linear are counted, got {name} {tuple(parameter.shape)}"
            )
    return counted


def depth(model: nn.Module) -> int:
    """Count the convolutions and linear layers on the longest path through a model.

    Args:
        model: whose program does not depend on the values of its input.

    Returns:
        the depth as papers count it; what is computed and thrown away does not count.

    Raises:
        ValueError: weights outside of `Conv2d` and `Linear` would go uncounted.
    """
    traced = fx.symbolic_trace(copy.deepcopy(model).eval())
    counted = set(counted_layers(traced))
    modules = dict(traced.named_modules())
    longest: dict[fx.Node, int] = {}
    for node in traced.graph.nodes:
        before = max((longest[parent] for parent in node.all_input_nodes), default=0)
        module = modules.get(node.target) if node.op == "call_module" else None
        longest[node] = before + (module in counted)
    return longest[node]  # the last node is the output


@dataclass(frozen=True)
class Operator:
    """One node of the graph that autograd keeps.

    Attributes:
        name: of the operator, or the shape of a parameter, "number" where it has no axes.
        level: its distance from the result, counted in operators, along the longest path.
        inputs: indices of the nodes that it reads.
    """

    name: str
    level: int
    inputs: tuple[int, ...]


def operator_graph(result: Tensor) -> list[Operator]:
    """Read the graph of operators that computed a tensor.

    Args:
        result: a tensor that depends on tensors which require a gradient.

    Returns:
        its operators; the first is the one that gave the result.

    Raises:
        ValueError: autograd keeps no graph for this tensor.
    """
    if result.grad_fn is None:
        raise ValueError("the result must depend on a tensor that requires a gradient")
    order = _topological(result.grad_fn)
    levels = dict.fromkeys(order, 0)
    for node in order:
        for parent in _parents(node):
            levels[parent] = max(levels[parent], levels[node] + 1)
    place = {node: index for index, node in enumerate(order)}
    return [
        Operator(_name(n), levels[n], tuple(place[p] for p in _parents(n))) for n in order
    ]


def _topological(last: Node) -> list[Node]:
    """Order the operators so that each stands before everything that it reads."""
    readers, found, unread = Counter(), {last}, [last]
    while unread:
        for parent in _parents(unread.pop()):
            readers[parent] += 1
            if parent not in found:
                found.add(parent)
                unread.append(parent)
    order, ready = [], [last]
    while ready:  # an operator is ready once all that read it have their place
        order.append(ready.pop())
        for parent in reversed(_parents(order[-1])):
            readers[parent] -= 1
            if readers[parent] == 0:
                ready.append(parent)
    return order


def _parents(node: Node) -> list[Node]:
    # None stands for an input that needs no gradient, such as the data.
    return [parent for parent, _ in node.next_functions if parent is not None]


def _name(node: Node) -> str:
    if hasattr(node, "variable"):
        return " × ".join(str(size) for size in node.variable.shape) or "number"
    return re.sub(r"Backward\d*$", "", node.name())
