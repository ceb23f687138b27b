"""Gradient descent: walk downhill, in whole steps, in noisy ones, and with a memory.

Sources: A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations
simultanées", Comptes rendus 25, 1847; momentum: B. Polyak, 1964,
doi:10.1016/0041-5553(64)90137-5; Adam: D. Kingma and J. Ba, 2015, arXiv:1412.6980.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from dlbook.contract import (
    require_above_zero,
    require_at_least,
    require_between,
    require_finite,
    require_same_shape,
    require_signs,
    require_table,
    require_vector,
    require_wide,
)

Gradient = Callable[[Tensor], Tensor]


def gradient_descent(
    gradient: Gradient, start: Tensor, step_size: float, steps: int
) -> Tensor:
    """Take steps against the gradient and keep every point of the way.

    Args:
        gradient: gives the (d,) slopes of the loss at a (d,) point.
        start: (d,) float32 or float64, the first point; in 16 bits small steps are lost.
        step_size: the factor in front of the gradient, above 0.
        steps: how many steps, at least 0.

    Returns:
        (steps + 1, d) floats: the points visited, the start first.

    Raises:
        TypeError: the start is not float32 or float64.
        ValueError: the step size is not above 0, steps are below 0, the start is no
            finite vector, a gradient has another shape, or the path has left the numbers
            that the dtype can hold.
    """
    require_vector(start, "start")
    require_wide(start, "start")
    require_above_zero(step_size, "step_size")
    require_at_least(steps, 0, "steps")
    path = [start]
    for _ in range(steps):
        slopes = gradient(path[-1])
        require_same_shape(start, slopes, "start and gradient")
        path.append(path[-1] - step_size * slopes)
    require_finite(path[-1], f"the end of the path with step_size {step_size}")
    return torch.stack(path)


def local_parabola(
    w: Tensor, w0: Tensor, loss: Tensor, slope: Tensor, step_size: float
) -> Tensor:
    """Model a loss of one weight around w0: value, slope, and a price for going far.

    Args:
        w: floats of any shape, where to evaluate the model.
        w0: () float, where the loss was measured.
        loss: () float, the loss at w0.
        slope: () float, the derivative of the loss at w0.
        step_size: the larger, the cheaper the distance.

    Returns:
        floats of the shape of w; least at w0 - step_size * slope.

    Raises:
        ValueError: the step size is not above 0.
    """
    require_above_zero(step_size, "step_size")
    return loss + slope * (w - w0) + (w - w0) ** 2 / (2 * step_size)


def largest_step(hessian: Tensor) -> float:
    """Give the step size from which gradient descent no longer converges: 2 / L.

    Args:
        hessian: (d, d) float32 or float64, symmetric, the second derivatives of a bowl: of
            a quadratic loss that falls in no direction without end.

    Returns:
        2 over the largest eigenvalue L; steps below it converge, steps above it diverge.

    Raises:
        TypeError: the matrix is not float32 or float64.
        ValueError: it is not square and symmetric, its largest eigenvalue is not above 0,
            or its least one is below 0 by more than rounding: a saddle, where no step
            size converges.
    """
    require_table(hessian, "hessian", len(hessian))
    require_wide(hessian, "hessian")
    rounding = 10 * torch.finfo(hessian.dtype).eps * len(hessian) * hessian.abs().max()
    if ((hessian - hessian.T).abs() > rounding).any():
        raise ValueError(f"a matrix of second derivatives is symmetric, got {hessian}")
    curvatures = torch.linalg.eigvalsh(hessian.double())
    if curvatures[-1] <= 0 or curvatures[0] < -rounding:
        raise ValueError(f"the curvatures must be above 0, got {curvatures.tolist()}")
    return 2 / curvatures[-1].item()


def logistic_loss(inputs: Tensor, signs: Tensor, w: Tensor) -> Tensor:
    """Measure how badly a linear score explains the classes: the mean log-loss.

    Args:
        inputs: (n, d) float32 or float64, with a column of ones if there shall be a bias;
            n is not 0.
        signs: (n,) floats, the classes: -1 or 1.
        w: (d,) floats like the inputs.

    Returns:
        () float in nats, never negative; log 2 at w = 0.

    Raises:
        TypeError: inputs or w are not float32 or float64.
        ValueError: two shapes do not fit, there are no inputs, a class is neither -1 nor
            1, or a number or a score is not finite.
    """
    _require_problem(inputs, signs, w)
    scores = inputs @ w
    require_finite(scores, "scores")
    return -logsigmoid(signs * scores).mean()


def logistic_gradient(inputs: Tensor, signs: Tensor, w: Tensor) -> Tensor:
    """Give the slopes of the logistic loss.

    Args:
        inputs: (n, d) floats, as in `logistic_loss`.
        signs: (n,) floats, -1 or 1.
        w: (d,) floats.

    Returns:
        (d,) floats.

    Raises:
        TypeError, ValueError: as in `logistic_loss`.
    """
    _require_problem(inputs, signs, w)
    surprise = torch.sigmoid(-signs * (inputs @ w))  # the probability of the other class
    return -(signs * surprise) @ inputs / len(inputs)


def mini_batches(n: int, size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Cut one shuffled pass over n samples into batches.

    Args:
        n: how many samples there are.
        size: how many make a batch, from 1 to n; the last batch may be smaller.
        generator: shuffles; each pass draws anew. On the CPU.

    Returns:
        (size,) int64 indices, batch after batch, each sample once.

    Raises:
        ValueError: size is outside 1..n.
    """
    require_between(size, 1, n, "size")
    return torch.randperm(n, generator=generator).split(size)


class Descent:
    """Plain steps: the change of the weights is the gradient times the step size."""

    def __init__(self, step_size: float) -> None:
        require_above_zero(step_size, "step_size")
        self.step_size = step_size

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights.

        Args:
            w: floats of any shape, the weights now.
            gradient: floats of the same shape, the slopes there.

        Returns:
            floats of the same shape.

        Raises:
            TypeError: w or the gradient holds no floats.
            ValueError: the shapes differ, or a slope is not finite.
        """
        _require_partners(w, gradient)
        return w - self.step_size * gradient


class Momentum:
    """Steps with inertia: a velocity remembers the gradients of the past."""

    def __init__(self, step_size: float, memory: float = 0.9) -> None:
        require_above_zero(step_size, "step_size")
        _require_share(memory, "memory")
        self.step_size, self.memory = step_size, memory
        self.velocity: Tensor | float = 0.0

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights, and remember the velocity.

        Args:
            w: floats of any shape, the weights now; the same shape in every call.
            gradient: floats of the same shape, the slopes there.

        Returns:
            floats of the same shape.

        Raises:
            TypeError: w or the gradient holds no floats.
            ValueError: the shapes differ, also from those of the step before, or a slope
                is not finite.
        """
        _require_partners(w, gradient, self.velocity)
        self.velocity = self.memory * self.velocity + gradient
        return w - self.step_size * self.velocity


class Adam:
    """Steps of the same length for steep and flat weights: mean over root mean square."""

    def __init__(
        self, step_size: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        require_above_zero(step_size, "step_size")
        for beta in betas:
            _require_share(beta, "a beta")
        self.step_size, self.betas, self.steps = step_size, betas, 0
        self.mean: Tensor | float = 0.0
        self.square: Tensor | float = 0.0

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights, and remember both averages.

        Args:
            w: float32 or float64 of any shape, the weights now; the same in every call.
            gradient: the same shape and dtype, the slopes there.

        Returns:
            floats of the same shape.

        Raises:
            TypeError: w or the gradient holds no floats, or such of 16 bits, where squares
                of gradients and the 1e-8 vanish.
            ValueError: the shapes differ, also from those of the step before, or a slope
                or its square is not finite: in float32, a slope above 1.8e19.
        """
        _require_partners(w, gradient, self.mean)
        if torch.finfo(gradient.dtype).bits < 32:
            raise TypeError(f"Adam needs float32 or float64, got {gradient.dtype}")
        require_finite(gradient**2, "squares of the gradient")
        slow, slower = self.betas
        self.steps += 1
        self.mean = slow * self.mean + (1 - slow) * gradient
        self.square = slower * self.square + (1 - slower) * gradient**2
        # The divisors undo the pull of the zeros at the start.
        mean = self.mean / (1 - slow**self.steps)
        square = self.square / (1 - slower**self.steps)
        return w - self.step_size * mean / (square.sqrt() + 1e-8)


def minimize(
    loss: Callable[[list[Tensor]], Tensor],
    parameters: list[Tensor],
    step_size: float,
    steps: int,
) -> list[Tensor]:
    """Lower any loss with Adam; the gradients come from autograd.

    Args:
        loss: gives a () float for a list of tensors like the parameters.
        parameters: floats of any shapes, the start; they are not changed.
        step_size: the step size of Adam, above 0.
        steps: how many steps, at least 0.

    Returns:
        the parameters after the last step, in the same order.

    Raises:
        TypeError: a parameter holds no floats of 32 or 64 bits.
        ValueError: there are no parameters, the step size is not above 0, steps are below
            0, or the loss or a slope is not one finite number.
        RuntimeError: the loss does not depend on a parameter, or autograd cannot tell.
    """
    require_at_least(len(parameters), 1, "number of parameters")
    require_above_zero(step_size, "step_size")
    require_at_least(steps, 0, "steps")
    rules = [Adam(step_size) for _ in parameters]
    parameters = [values.detach().clone() for values in parameters]
    for t in range(steps):
        watched = [values.requires_grad_() for values in parameters]
        value = loss(watched)
        if value.shape or not value.isfinite():
            raise ValueError(
                f"the loss must be one finite number, got {value} at step {t}"
            )
        gradients = torch.autograd.grad(value, watched)
        parameters = [
            rule.step(values.detach(), gradient)
            for rule, values, gradient in zip(rules, watched, gradients, strict=True)
        ]
    return parameters


def _require_problem(inputs: Tensor, signs: Tensor, w: Tensor) -> None:
    require_table(inputs, "inputs")
    require_signs(signs, len(inputs), "signs")
    require_vector(w, "w", inputs.shape[1])
    require_wide(inputs, "inputs")
    require_wide(w, "w")


def _require_partners(w: Tensor, gradient: Tensor, memory: Tensor | float = 0.0) -> None:
    if not (w.is_floating_point() and gradient.is_floating_point()):
        raise TypeError(f"w and gradient must be floats, got {w.dtype}, {gradient.dtype}")
    require_same_shape(w, gradient, "w and gradient")
    require_finite(gradient, "gradient")
    if isinstance(memory, Tensor):
        require_same_shape(memory, gradient, "the memory of this rule and gradient")


def _require_share(value: float, name: str) -> None:
    if not 0 <= value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, below 1, got {value}")
