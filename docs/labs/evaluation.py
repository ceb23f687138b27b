# %% [markdown]
# # Proper evaluation: break the seal
#
# Chapter: [Proper evaluation](../chapters/evaluation.md).
# Write down your guess before you run a cell; afterwards it is no longer a guess.

# %%
import torch

from dlbook.data import digits, subjects
from dlbook.data.toy import two_moons
from dlbook.evaluation import (
    cross_validate,
    folds,
    grouped_folds,
    pick_best,
)
from dlbook.figures.evaluation import sealed_test
from dlbook.figures.style import show
from dlbook.knn import errors_of_every_k, k_nearest_neighbors
from dlbook.risk import expected_best

show(sealed_test, candidates=20)

# %% [markdown]
# **Try:** 1 to 100 candidates. After how many does the reported error stop getting better?
#
# ## How lucky are you?
#
# All candidates below have the same true error. The table shows the best one.

# %%
true_error, test_samples = 0.1, 1000

for candidates in (1, 3, 10, 30, 100, 1000):
    best = expected_best(test_samples, candidates, true_error)
    print(
        f"best of {candidates:4}: {100 * best:.2f} % instead of {100 * true_error:.2f} %"
    )

# %% [markdown]
# **Try:** 100, 10 000, 1 000 000 test samples. By which factor do you need more samples to
# halve the self-deception?
#
# ## The game, with your own candidates
#
# The candidates are numbers of neighbors on the small digits. Half of the test images are
# visible; the seal of the other half is broken in the last line.

# %%
x, y, test_x, test_y = digits.load()
training, seed = 200, 0

queries, points = test_x.flatten(1), x.flatten(1)[:training]
order = torch.randperm(500, generator=torch.Generator().manual_seed(seed))
visible, sealed = (
    errors_of_every_k(queries[half], test_y[half], points, y[:training])[None, :30]
    for half in order.split(250)
)
reported, true = pick_best(visible, sealed)
print(
    f"you choose k = {int(visible.argmin()) + 1} and report {100 * reported.item():.1f} %"
)

# %%
print(f"on the sealed half: {100 * true.item():.1f} %")

# %% [markdown]
# **Try:** ten seeds. How often is the sealed error smaller than the reported one?
#
# ## A curve whose minimum lies

# %%
noise, n = 0.3, 40

x, y = two_moons(n, noise, seed=0)
held_out = two_moons(1000, noise, seed=1)
fitted = errors_of_every_k(x, y, x, y)
fresh = errors_of_every_k(*held_out, x, y)
for k in range(1, n, 4):
    print(f"k = {k:2}: training {fitted[k - 1]:.3f}, fresh {fresh[k - 1]:.3f}")

# %% [markdown]
# **Try:** noise 0 and noise 0.6. Does the training set ever pick anything but one neighbor?
#
# ## Few people

# %%
people, measurements = 20, 10

x, y, who = subjects.draw(people, measurements, seed=0)


def mistakes(training, held_out):
    return k_nearest_neighbors(x[held_out], x[training], y[training], 5) != y[held_out]


for name, parts in {
    "measurement by measurement": folds(len(x), 10, seed=0),
    "person by person": grouped_folds(who, 10, seed=0),
}.items():
    print(f"{name:27} {100 * cross_validate(parts, mistakes).mean():.1f} %")

# %% [markdown]
# **Try:** more measurements of the same people, then more people with one measurement each.
# Which of the two brings the numbers together, and why?
