"""Gradient descent: walk downhill, in whole steps, in noisy ones, and with a memory.

Sources: A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations
simultanées", Comptes rendus 25, 1847; momentum: B. Polyak, 1964,
doi:10.1016/0041-5553(64)90137-5; Adam: D. Kingma and J. Ba, 2015, arXiv:1412.6980.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

Gradient = Callable[[Tensor], Tensor]


def gradient_descent(
    gradient: Gradient, start: Tensor, step_size: float, steps: int
) -> Tensor:
    """Take steps against the gradient and keep every point of the way.

    Args:
        gradient: gives the (d,) slopes of the loss at a (d,) point.
        start: (d,) floats, the first point.
        step_size: the factor in front of the gradient, above 0.
        steps: how many steps, at least 0.

    Returns:
        (steps + 1, d) floats: the points visited, the start first.

    Raises:
        ValueError: the step size is not above 0.
    """
    if not step_size > 0:
        raise ValueError(f"step_size must be above 0, got {step_size}")
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - step_size * gradient(path[-1]))
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
    """
    return loss + slope * (w - w0) + (w - w0) ** 2 / (2 * step_size)


def largest_step(hessian: Tensor) -> float:
    """Give the step size from which gradient descent no longer converges: 2 / L.

    Args:
        hessian: (d, d) floats, symmetric, the second derivatives of a quadratic loss.

    Returns:
        2 over the largest eigenvalue L; steps below it converge, steps above it diverge.

    Raises:
        ValueError: the matrix is not symmetric, or its largest eigenvalue is not above 0.
    """
    if not torch.allclose(hessian, hessian.T):
        raise ValueError(f"a matrix of second derivatives is symmetric, got {hessian}")
    curvature = torch.linalg.eigvalsh(hessian)[-1].item()
    if not curvature > 0:
        raise ValueError(f"the largest curvature must be above 0, got {curvature}")
    return 2 / curvature


def with_constant(points: Tensor) -> Tensor:
    """Append a column of ones, so that the bias becomes the last weight.

    Args:
        points: (n, d) floats.

    Returns:
        (n, d + 1) floats.
    """
    return torch.cat([points, points.new_ones(len(points), 1)], dim=1)


def logistic_loss(inputs: Tensor, signs: Tensor, w: Tensor) -> Tensor:
    """Measure how badly a linear score explains the classes: the mean log-loss.

    Args:
        inputs: (n, d) floats, with a column of ones if there shall be a bias; n is not 0.
        signs: (n,) floats, the classes: -1 or 1.
        w: (d,) floats.

    Returns:
        () float in nats, never negative; log 2 at w = 0.

    Raises:
        ValueError: there are no inputs, or a class is neither -1 nor 1.
    """
    if len(inputs) == 0 or not (signs.abs() == 1).all():
        raise ValueError(f"classes must be -1 or 1, at least one, got {signs.tolist()}")
    return -logsigmoid(signs * (inputs @ w)).mean()


def logistic_gradient(inputs: Tensor, signs: Tensor, w: Tensor) -> Tensor:
    """Give the slopes of the logistic loss.

    Args:
        inputs: (n, d) floats, as in `logistic_loss`.
        signs: (n,) floats, -1 or 1.
        w: (d,) floats.

    Returns:
        (d,) floats.
    """
    surprise = torch.sigmoid(-signs * (inputs @ w))  # the probability of the other class
    return -(signs * surprise) @ inputs / len(inputs)


def linear_discriminant(points: Tensor, signs: Tensor) -> Tensor:
    """Fit one Gaussian per class with a common covariance, and score by Bayes' rule.

    Means and covariance are those of maximum likelihood.

    Args:
        points: (n, d) floats, without a column of ones.
        signs: (n,) floats, -1 or 1, each at least once.

    Returns:
        (d + 1,) floats, the weights and the bias of the log-odds of class 1.

    Raises:
        ValueError: a class is missing.
    """
    ours, others = points[signs == 1], points[signs == -1]
    if len(ours) == 0 or len(others) == 0:
        raise ValueError(
            f"both classes are needed, got {len(ours)} and {len(others)} points"
        )
    center, other = ours.mean(dim=0), others.mean(dim=0)
    residuals = torch.cat([ours - center, others - other])
    covariance = residuals.T @ residuals / len(points)
    w = torch.linalg.solve(covariance, center - other)
    prior = torch.tensor(len(ours) / len(others), dtype=w.dtype, device=w.device).log()
    return torch.cat([w, (prior - w @ (center + other) / 2)[None]])


def mini_batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Cut one shuffled pass over n samples into batches.

    Args:
        n: how many samples there are.
        size: how many make a batch, from 1 to n; the last batch may be smaller.
        generator: shuffles; each pass draws anew.

    Returns:
        (size,) int64 indices, batch after batch, each sample once.

    Raises:
        ValueError: size is outside 1..n.
    """
    if not 1 <= size <= n:
        raise ValueError(f"size must lie between 1 and {n}, got {size}")
    return iter(torch.randperm(n, generator=generator).split(size))


class Descent:
    """Plain steps: the change of the weights is the gradient times the step size."""

    def __init__(self, step_size: float) -> None:
        self.step_size = step_size

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights.

        Args:
            w: floats of any shape, the weights now.
            gradient: floats of the same shape, the slopes there.

        Returns:
            floats of the same shape.
        """
        return w - self.step_size * gradient


class Momentum:
    """Steps with inertia: a velocity remembers the gradients of the past."""

    def __init__(self, step_size: float, memory: float = 0.9) -> None:
        self.step_size, self.memory = step_size, memory
        self.velocity = torch.zeros(())

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights, and remember the velocity.

        Args:
            w: floats of any shape, the weights now.
            gradient: floats of the same shape, the slopes there.

        Returns:
            floats of the same shape.
        """
        self.velocity = self.memory * self.velocity + gradient
        return w - self.step_size * self.velocity


class Adam:
    """Steps of the same length for steep and flat weights: mean over root mean square."""

    def __init__(
        self, step_size: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.step_size, self.betas = step_size, betas
        self.mean, self.square, self.steps = torch.zeros(()), torch.zeros(()), 0

    def step(self, w: Tensor, gradient: Tensor) -> Tensor:
        """Give the next weights, and remember both averages.

        Args:
            w: floats of any shape, the weights now.
            gradient: floats of the same shape, the slopes there.

        Returns:
            floats of the same shape.
        """
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
    """
    rules = [Adam(step_size) for _ in parameters]
    for _ in range(steps):
        watched = [values.detach().requires_grad_() for values in parameters]
        gradients = torch.autograd.grad(loss(watched), watched)
        parameters = [
            rule.step(values.detach(), gradient)
            for rule, values, gradient in zip(rules, watched, gradients, strict=True)
        ]
    return parameters
