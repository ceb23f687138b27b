# %% [markdown]
# # Choosing a model, end to end: search, drop, and open once
#
# Chapter: [Choosing a model, end to end](../chapters/selection.md).
# Change a number, run the cell again, and see what a search is worth.

# %%
import torch

from dlbook.figures.selection import trials as picture
from dlbook.figures.style import show
from dlbook.runs.selection import mean_of_grids, optimism, table_of_mistakes
from dlbook.selection import draws_needed, expected_of_best, halving

# %% [markdown]
# ## How many draws?
#
# Predict first: do you need twice as many draws for half the share?

# %%
for share in (0.2, 0.1, 0.05, 0.025):
    print(f"best {100 * share:g} %: {draws_needed(share, 0.95)} draws")

# %% [markdown]
# ## Search in a table
#
# Where do grid and random search change places? Cut the table: `errors[5:15]` knows better
# where to look.

# %%
mistakes = table_of_mistakes(torch.device("cpu"))
errors = 100 * mistakes.double().mean(dim=2)
for side in (1, 2, 3, 4, 6):
    random = expected_of_best(errors.flatten(), errors.flatten(), side**2)
    print(
        f"{side**2:2} trials: grid {mean_of_grids(errors, side):.2f}, random {random:.2f}"
    )

# %% [markdown]
# ## The same as a picture

# %%
show(picture, side=4)

# %% [markdown]
# ## What is reported, what is true
#
# Each number belongs to 1, 3, 10, 30, 100 and 300 random trials, with 100 digits to validate
# on. After how many trials does the search improve nothing but the report?

# %%
for name, claim in optimism(mistakes.flatten(0, 1)).items():
    print(name, [round(value, 1) for value in claim.value])

# %% [markdown]
# ## Make halving fail
#
# Candidate 0 is the best in the end. From which `slow` on is it lost?

# %%
slow = 3.0
winner, spent = halving(
    9, 3, 1, 3, lambda number, epochs: number + (slow if number == 0 else 1) / epochs
)
print(f"candidate {winner} after {spent} epochs")
