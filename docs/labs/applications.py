# %% [markdown]
# # Applications: four small machines
#
# Chapter: [Applications](../chapters/applications.md).
# Find, imagine, continue, act: change a number, guess what happens, run the cell again.

# %%
import torch

from dlbook.applications import (
    MAZE,
    continue_text,
    count_followers,
    find,
    imagine,
    q_learning,
)
from dlbook.data import digit_strips, digits, growth
from dlbook.figures.applications import detection, maze, prices
from dlbook.figures.style import show
from dlbook.knn import k_nearest_neighbors

images, labels, test_images, test_labels = digits.load()

# %% [markdown]
# ## Find
#
# Which digit does its mean image find best? Guess before you run.

# %%
for digit in range(10):
    template = images[labels == digit].mean(dim=0)
    found = 0
    for seed in range(50):
        strip, order = digit_strips.draw(test_images, test_labels, seed)
        _, column = find(strip, template)
        found += abs(column - 8 * order.index(digit)) <= 2
    print(f"{digit}: found in {found} of 50 strips")

# %%
show(detection)

# %% [markdown]
# **Try:** one real 3 in place of the mean, `images[labels == 3][0]`. Better or worse?
#
# ## Imagine
#
# Mix only a few examples. The imagined 8s are read as 8s all the same; what is lost?

# %%
eights = images[labels == 8]
for count in (2, 5, 20, len(eights)):
    drawn = imagine(eights[:count], 100, torch.Generator().manual_seed(0))
    read = k_nearest_neighbors(drawn.flatten(1), images.flatten(1), labels, k=1)
    spread = drawn.flatten(1).std(dim=0).square().sum().sqrt()
    right = (read == 8).sum()
    print(
        f"{count:3} examples: {right:3} of 100 are read as 8, they differ by {spread:.2f}"
    )

# %% [markdown]
# **Try:** examples of two digits mixed, such as `images[labels >= 8]`. What is imagined?
#
# ## Continue

# %%
text = """the cat that chased the dog that chased the rat that ate the cheese sat on the mat
and the dog that saw the cat sat on the rat"""
followers = count_followers(text)
print("after 'the':", dict(followers["the"]))
for seed in range(4):
    print(continue_text(followers, "the", 12, torch.Generator().manual_seed(seed)))

# %% [markdown]
# **Try:** a text of your own. Which word decides where the sentence loses its way?
#
# ## Act
#
# How far does the reward reach? With a small `gamma` a late reward is worth next to
# nothing; why are the walks no longer for it?

# %%
for gamma in (0.5, 0.9, 1.0):
    q, walks = q_learning(MAZE, 100, seed=0, gamma=gamma)
    last = sum(walks[-20:]) / 20
    print(f"gamma {gamma}: value at the start {q[0, 0].max():.5f}, last walks {last:.1f}")

# %%
show(maze, episodes=10)

# %% [markdown]
# **Try:** a maze of your own; `.` is free, `#` a wall, `G` the goal. How many walks does
# the agent need until it goes straight?
#
# ## Why now
#
# Add a processor that you know to the comparison: cores, gigahertz, operations per cycle
# (a graphics core does 2), and its price in dollars.

# %%
mine = {"cores": 16384, "gigahertz": 2.52, "per cycle": 2, "dollars": 1599}
peak = mine["cores"] * mine["gigahertz"] * mine["per cycle"]
print(f"yours: {peak:.0f} GFLOPS at the peak, {peak / mine['dollars']:.1f} per dollar")
for row in growth.processors():
    print(f"{row['name']:14}{row['peak_gflops'] / row['dollars']:6.1f} per dollar")

# %%
show(prices)
