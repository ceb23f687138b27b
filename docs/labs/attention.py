# %% [markdown]
# # Attention and Transformers: find where to look
#
# Chapter: [Attention and Transformers](../chapters/attention.md).
# Change a number, run the cell again, and look at the map.

# %%
import math

import torch

from dlbook.attention import (
    attention,
    draw_sequences,
    draw_transformer,
    embed,
    head_shares,
    least_error_without_places,
    shares,
    sinusoids,
    train,
    transformer,
)
from dlbook.figures.attention import condensing
from dlbook.figures.style import show
from dlbook.regularization import layer_norm

# %% [markdown]
# ## One query
#
# Turn the query, and make it longer. When does the answer reach 20? And can it go beyond?

# %%
angle, length = 60, 3.0  # degrees, and how sure the query is
turn = math.radians(angle)
q = length * torch.tensor([[math.cos(turn), math.sin(turn)]])
k, v = torch.eye(2), torch.tensor([[10.0], [20.0]])
print("shares:", [f"{share:.3f}" for share in shares(q, k)[0].tolist()])
print(f"answer: {attention(q, k, v).item():.2f}")

# %% [markdown]
# ## Train it
#
# Other tasks: `symbols.roll(1, dims=1)`, `symbols.sort(dim=1).values`, the running maximum
# `symbols.cummax(dim=1).values`. Which of them needs places, and which has a map that you
# can foretell?

# %%


def answer(symbols):
    return symbols.flip(1)


kinds, places, heads, depth, steps = 10, 8, 1, 1, 80
generator = torch.Generator().manual_seed(0)
network = draw_transformer(kinds, places, (32, 64), depth, generator, torch.float32)
# network = network._replace(places=torch.zeros(places, 32))  # no places
# network = network._replace(places=sinusoids(torch.arange(float(places)), 32))
for step, loss in enumerate(train(network, heads, answer, steps, generator)):
    if step % 20 == 0:
        print(f"step {step:3}: loss {loss:.3f} nats")

symbols = draw_sequences(1000, network, torch.Generator().manual_seed(1))
written = transformer(symbols, network, heads).argmax(dim=2)
wrong = (written != answer(symbols)).double().mean().item()
print(symbols[0].tolist(), "->", written[0].tolist())
print(f"{100 * wrong:.2f} % of the symbols wrong")

# %% [markdown]
# ## Its map
#
# The mean over the test sequences, in percent, of the first head of the first block. With two
# heads, do they share the work?

# %%
with torch.no_grad():
    block = network.blocks[0]
    x = layer_norm(embed(symbols, network), *block.norm_1)
    maps = head_shares(x, x, block.attention, heads).mean(dim=0)
for row in (100 * maps[0]).round().int().tolist():
    print("".join(f"{share:4}" for share in row))

# %% [markdown]
# ## While it learns
#
# `step` is one of 0, 15, 25, 35, 50, 80 and 150.

# %%
show(condensing, step=25)

# %% [markdown]
# ## What it cannot do without places
#
# How does the least error change with the length, and with the number of symbols? Why is it
# small for two symbols?

# %%
for length in (2, 4, 8, 16):
    row = [least_error_without_places(length, symbols) for symbols in (2, 5, 10)]
    print(f"length {length:2}:", *(f"{100 * error:5.1f} %" for error in row))

# %% [markdown]
# ## How alike are two places?
#
# The score of the sinusoids of place 0 with the others. Is it always highest nearby?

# %%
table = sinusoids(torch.arange(40.0), 32)
print(*(f"{score:.1f}" for score in (table @ table[0]).tolist()))
