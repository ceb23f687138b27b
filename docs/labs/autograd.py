# %% [markdown]
# # Autograd and the usual loop: read the graph, break the loop
#
# Chapter: [Autograd and the usual loop](../chapters/autograd.md).
# Change a number, predict what comes out, run the cell again.

# %%
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from dlbook.autograd import (
    Images,
    Network,
    Node,
    SavedMemory,
    add,
    backward,
    error_rate,
    jacobian_by_columns,
    jacobian_by_rows,
    multiply,
    nodes_of,
    saved_at,
    train_epoch,
)
from dlbook.data import digits
from dlbook.figures.autograd import small_graph
from dlbook.figures.style import show

# %% [markdown]
# ## Slopes that add up
#
# **Try:** use `a` a third time, such as `multiply(s, multiply(s, a))`. Work out the slope
# with a pencil first. Then call `backward` twice.

# %%
a, b = Node(torch.tensor(2.0)), Node(torch.tensor(3.0))
s = add(multiply(a, b), a)
backward(multiply(s, s))
print(f"a: {a.gradient.item():g}, b: {b.gradient.item():g}")

# %%
show(small_graph, step=5)

# %% [markdown]
# ## Who keeps what?
#
# **Try:** `x.square()`, `x.relu()`, `x.sigmoid()`, `x + 1`, `3 * x`, `x @ x`. Which of them
# keep their input, which their result, and which nothing? Change in place what is not kept.

# %%
x = torch.linspace(-1, 1, 5, requires_grad=True)
result = (x.exp() * x).sum()
for node in nodes_of(result):
    kept = {name: tuple(value.shape) for name, value in saved_at(node).items()}
    print(f"{node.name():38}{kept}")

# %% [markdown]
# ## Memory
#
# **Try:** ten times as many images, ten times as many hidden units, no dropout. Which part
# grows with which number? Then put the two lines within `with torch.no_grad():`.

# %%
images, hidden = 100, 32
network = Network((64, hidden, 10), dropout=0.5)
with SavedMemory() as memory:
    loss = cross_entropy(network(torch.rand(images, 64)), torch.arange(images) % 10)
print(f"{memory.bytes() / 1000:.1f} kB")

# %% [markdown]
# ## Rows or columns
#
# **Try:** a function with three inputs and a hundred outputs. How many times does each mode
# call it?

# %%
calls = []


def function(x: torch.Tensor) -> torch.Tensor:
    calls.append(1)
    return torch.stack([x.sum(), x.square().sum()])


x = torch.arange(1.0, 7.0)
for mode in (jacobian_by_rows, jacobian_by_columns):
    calls.clear()
    slopes = mode(function, x)[1].tolist()
    print(f"{mode.__name__}: {len(calls)} calls, second row {slopes}")

# %% [markdown]
# ## The loop
#
# **Try:** a step size of 5, and with it `longest=1.0` as the last argument of `train_epoch`.
# Then `dropout=0.5`. Then make one of the five mistakes, in `train_epoch` or here, and find
# it with the test that the chapter names.

# %%
eta, dropout, epochs = 0.5, 0.0, 8
images, labels, test_images, test_labels = digits.load()
data, test = (
    Images(images.flatten(1), labels),
    Images(test_images.flatten(1), test_labels),
)
generator = torch.Generator().manual_seed(0)
loader = DataLoader(data, batch_size=100, shuffle=True, generator=generator)
torch.manual_seed(0)
network = Network((64, 32, 10), dropout)
optimizer = torch.optim.SGD(network.parameters(), lr=eta)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
for epoch in range(1, epochs + 1):
    loss = train_epoch(network, loader, optimizer)
    scheduler.step()
    error = error_rate(network, DataLoader(test, batch_size=500))
    print(
        f"epoch {epoch}: loss {loss:.3f}, {100 * error:4.1f} % of the test digits wrong"
    )
