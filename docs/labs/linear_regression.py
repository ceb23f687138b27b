# %% [markdown]
# # Linear regression: a line and its landscape
#
# Chapter: [Linear regression](../chapters/linear_regression.md).
# Every value below is yours to change.

# %%
import torch

from dlbook.data import blood_pressure
from dlbook.figures import linear_regression as figures
from dlbook.figures.style import show
from dlbook.linear_regression import (
    descend,
    design_matrix,
    explained_share,
    fastest_step_size,
    leverages,
    mean_squared_error,
    solve_by_qr,
    solve_normal_equations,
)

ages, pressures = blood_pressure.load()

# %% [markdown]
# ## Drag one point
#
# Change the pressure of the person of 47 years. Watch the line on the left and the
# lowest point on the right.

# %%
show(figures.line_and_loss, pressure=180)

# %% [markdown]
# The same for any person. Which of the thirty tilts the line most for 10 mmHg more?
# Guess from the ages first.

# %%
X = design_matrix(ages)
before = solve_by_qr(X, pressures)
for person in range(0, 30, 5):
    moved = pressures.clone()
    moved[person] += 10
    change = solve_by_qr(X, moved) - before
    print(
        f"age {ages[person]:.0f}, leverage {leverages(X)[person]:.3f}: "
        f"slope {change[0]:+.4f}, height at the mean age {change @ X.mean(0):+.4f}"
    )

# %% [markdown]
# ## Choose a step size
#
# `share` is measured in fastest steps. Which share still converges, and which one
# explodes? Try 1.9 and 2.1. Then put `ages` where the standardized ages stand: how much
# room is left above 1?

# %%
share = 0.5
scaled = design_matrix((ages - ages.mean()) / ages.std())
path = descend(scaled, pressures, share * fastest_step_size(scaled), steps=12)
for step, loss in enumerate(mean_squared_error(scaled, pressures, path)):
    print(f"step {step:2}: loss {loss:12.4f} mmHg²")

# %%
show(figures.descent, steps=4)

# %% [markdown]
# ## Lose digits
#
# Move the origin of the time axis, and change the dtype. When does each solver leave
# the true slope, and from which shift on do the normal equations refuse, with an error?
# The first condition number is that of the columns as they are, the second that of the
# columns scaled to length one. Which of the two foretells the digits that QR keeps?

# %%
shift, dtype = 2000.0, torch.float32
X = design_matrix((ages + shift).to(dtype))
wide = X.double()
print(f"condition number {torch.linalg.cond(wide):.3g}", end=", ")
print(f"of columns of length one {torch.linalg.cond(wide / wide.norm(dim=0)):.3g}")
for solve in (solve_normal_equations, solve_by_qr):
    w = solve(X, pressures.to(dtype))
    share_explained = explained_share(pressures, (X @ w).double())
    print(f"{solve.__name__:24} slope {w[0]:.6f}, R² {share_explained:.4f}")
