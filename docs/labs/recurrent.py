# %% [markdown]
# # Recurrent networks: who remembers?
#
# Chapter: [Recurrent networks](../chapters/recurrent.md).
# Change a number, run the cell again, and see what arrives.

# %%
import contextlib
import io

import torch

from dlbook.figures.recurrent import forgetting
from dlbook.figures.style import show
from dlbook.recurrent import draw_weights, kept_by_gate, state_jacobian, unroll
from dlbook.runs.recurrent import gradient_through_time, train

device = torch.device("cpu")

# %% [markdown]
# ## The gradient through time
#
# The starts are `plain`, `orthogonal`, `gru`, and `lstm_-1` to `lstm_5`. Which of them could
# learn something that lies twenty steps back?

# %%
start = "lstm_2"
for seed in range(3):
    sizes = gradient_through_time(start, seed, device)
    decades = (sizes / sizes[-1]).log10()
    print(f"seed {seed}:", *(f"{decades[step]:6.2f}" for step in (0, 9, 19, 29, 39)))

# %% [markdown]
# ## The slider, as a picture
#
# `bias` is one of -1, 0, 1, 2, 3, 4 and 5.

# %%
show(forgetting, bias=2)

# %% [markdown]
# ## Train it
#
# Find the longest `length` that each start learns. Guessing errs in 75 %.

# %%
start, length = "orthogonal", 10
with contextlib.redirect_stderr(io.StringIO()):  # without the bar of progress
    losses, error = train(start, length, 0, device)
print(f"loss {losses[0]:.2f} to {losses[-1]:.2f} nats, error {error:.1f} %")

# %% [markdown]
# ## How long does a gate remember?
#
# Which bias keeps a tenth of the cell for a hundred steps?

# %%
bias = 3.0
kept = kept_by_gate(bias, 500)
print(f"a tenth is left after {(kept > 0.1).sum().item()} steps")

# %% [markdown]
# ## Vanish or explode
#
# Multiply the state's weights by `factor`. When does the slope of the last state along the
# first become large? Why does it not explode for ever as `factor` grows?

# %%
factor, steps = 1.5, 30
weights = draw_weights(4, 16, 1, torch.Generator().manual_seed(0), torch.float64)
weights = weights._replace(along_h=factor * weights.along_h)
x = torch.zeros(1, steps, 4, dtype=torch.float64)


def step(symbol, h):
    """Change the state by one symbol; written out, so that you can change it."""
    s = symbol @ weights.along_x.T + h @ weights.along_h.T
    return torch.tanh(s + weights.bias_x + weights.bias_h)


h = torch.cat([torch.zeros(1, 16, dtype=x.dtype), *unroll(x, x.new_zeros(1, 16), step)])
largest = torch.linalg.matrix_norm(state_jacobian(h, weights), 2)
print(f"largest slope after {steps} steps: {largest:.2e}")
