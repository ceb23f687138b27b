# %% [markdown]
# # Language models: let counting write
#
# Chapter: [Language models](../chapters/language.md).
# Change a number, run the cell again, and read what comes.

# %%
import torch

from dlbook.data import prose
from dlbook.figures.language import temperature as picture
from dlbook.figures.style import show
from dlbook.language import (
    bits_per_symbol,
    count,
    decode,
    encode,
    learn_merges,
    next_shares,
    number,
    sharpened,
    witten_bell,
)

training, held_out = prose.load()
alphabet = "".join(sorted(set(training + held_out)))
ids, test = number(training, alphabet), number(held_out, alphabet)
symbols = len(alphabet)

# %% [markdown]
# ## How surprised?
#
# Which order is best? And how much of the text does it need: read the first tenth only, and
# find the best order again.

# %%
order, share = 5, 1.0
tables = [count(ids[: int(share * len(ids))], n, symbols) for n in range(1, order + 1)]
bits = bits_per_symbol(witten_bell(tables, test, symbols))
print(f"order {order}: {bits:.3f} bits per character, perplexity {2**bits:.1f}")

# %% [markdown]
# ## Let it write
#
# From which order on are the words words? What does a temperature of 0.3 do, and one of 2?

# %%
prompt, length, temperature, top = "The network ", 120, 0.7, symbols
generator, text = torch.Generator().manual_seed(0), prompt
for _ in range(length):
    shares = next_shares(tables, number(text, alphabet), symbols)
    shares = sharpened(shares.log(), temperature, top)
    text += alphabet[torch.multinomial(shares, 1, generator=generator).item()]
print(text)

# %% [markdown]
# ## The temperature, as a picture
#
# `value` is any number above 0.

# %%
show(picture, value=0.5)

# %% [markdown]
# ## Byte pairs
#
# Learn more merges. When do whole words become one token? Then encode a sentence of your own,
# and one in another language.

# %%
merges = list(learn_merges(held_out, 60))
sentence = "A network with one hidden layer learns the digits."
tokens = encode(sentence, merges)
print([decode(tokens[i : i + 1], merges) for i in range(len(tokens))])
print(f"{len(sentence) / len(tokens):.2f} characters per token")

# %% [markdown]
# ## What surprises it?
#
# Write a sentence, and find the character that the counting model expected least.

# %%
sentence = "The gradient of a giraffe is steep."
p = witten_bell(tables, number(sentence, alphabet), symbols)
surprise = -p.log2()
for place in surprise.topk(3).indices.tolist():
    told = f"{sentence[:place]}[{sentence[place]}]"
    print(f"{surprise[place]:.1f} bits: {told}")
