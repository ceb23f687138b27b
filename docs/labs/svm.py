# %% [markdown]
# # Support vector machines: margins and multipliers
#
# Chapter: [Support vector machines](../chapters/svm.md).
# Change a number, run the cell again, and see which points hold the border.

# %%
from dlbook.data.toy import two_moons
from dlbook.figures.style import show
from dlbook.figures.svm import kernel_border, margin
from dlbook.perceptron import with_constant
from dlbook.svm import dual_objective, primal_objective, train

# %% [markdown]
# ## The exchange rate
#
# Make `penalty` ten times larger, then ten times smaller. Predict the number of rings first.

# %%
show(margin, penalty=0.01)

# %% [markdown]
# ## The certificate
#
# Loosen `tolerance` to 0.3, then tighten it to 1e-6. The optimum lies between the two
# numbers, always. How much is the last digit worth to the training error?

# %%
points, labels = two_moons(n=400, noise=0.25, seed=0)
points, signs = with_constant(points.double()), labels * 2.0 - 1
penalty, tolerance = 0.003, 0.01
w, alpha = train(points, signs, penalty, tolerance)
print(f"floor   {dual_objective(alpha, points, signs, penalty):.6f}")
print(f"reached {primal_objective(w, points, signs, penalty):.6f}")
print(f"errors  {int((signs * (points @ w) <= 0).sum())} of {len(signs)}")

# %% [markdown]
# ## An outlier
#
# Move one point of the upper moon far to the wrong side by `distance`. The hinge charges by
# the distance, not by its square. How far does the border move? Compare 3 with 30.

# %%
distance = 3.0
moved = points.clone()
moved[0, 1] -= distance
shifted, alpha = train(moved, signs, penalty, 1e-6)
print(f"multiplier of the outlier {alpha[0]:.2f}")
print(f"weights before {[round(value, 2) for value in w.tolist()]}")
print(f"weights after  {[round(value, 2) for value in shifted.tolist()]}")

# %% [markdown]
# ## A border that bends
#
# Change `width` from 0.05 to 5. When are all points support vectors, and when few?

# %%
show(kernel_border, width=0.5)
