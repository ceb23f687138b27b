# %% [markdown]
# # Gradient descent: feel the step size
#
# Chapter: [Gradient descent](../chapters/gradient_descent.md).
# Change one number, predict, run.

# %%
import torch

from dlbook.data.toy import slanted_gaussians
from dlbook.figures.gradient_descent import local_parabolas, wall
from dlbook.figures.style import show
from dlbook.gradient_descent import (
    Adam,
    Descent,
    Momentum,
    gradient_descent,
    largest_step,
    logistic_gradient,
    logistic_loss,
    mini_batches,
)
from dlbook.perceptron import with_constant

# %%
show(local_parabolas, step_size=0.3)

# %% [markdown]
# **Try:** the largest step size that still settles, to two digits. The chapter says that the
# wall at the bottom of this valley lies near 0.376. Can you get across to the shallow valley
# on the right?

# %%
show(wall)

# %% [markdown]
# ## Your own bowl
#
# **Try:** make the valley narrower (a larger last entry). How many steps do you need now,
# with the best step size?

# %%
curvatures = torch.tensor([1.0, 20.0], dtype=torch.float64)
hessian = curvatures.diag()
best = 2 / (curvatures.min() + curvatures.max()).item()
print(f"wall {largest_step(hessian):.4f}, best step {best:.4f}")
path = gradient_descent(lambda w: hessian @ w, torch.ones(2).double(), best, 300)
near = (path.norm(dim=1) < 1e-3).nonzero()
print("steps to a thousandth:", near[0].item() if len(near) else "more than 300")

# %% [markdown]
# ## A race
#
# All rules on the logistic regression of the chapter.
#
# **Try:** give each rule the step size that suits it. Does the order change? Then set the
# batch size to 1 and look at the last line: who comes to rest?

# %%
rules = {"descent": Descent(0.1), "momentum": Momentum(0.1), "adam": Adam(0.1)}
size = 10

points, signs = slanted_gaussians(n=100, seed=1)
inputs = with_constant(points)
weights = {name: torch.tensor([-0.5, -1.0, 0.5]).double() for name in rules}
generator = torch.Generator().manual_seed(0)
for epoch in range(1, 51):
    for batch in mini_batches(len(signs), size, generator):
        for name, rule in rules.items():
            w = weights[name]
            weights[name] = rule.step(
                w, logistic_gradient(inputs[batch], signs[batch], w)
            )
    if epoch in (1, 5, 10, 50):
        losses = [
            f"{n} {logistic_loss(inputs, signs, w):.4f}" for n, w in weights.items()
        ]
        print(f"pass {epoch:2}:", ", ".join(losses))
