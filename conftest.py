"""Give every test and every block of a page a fresh state of torch."""

import torch

# To look for doctests in a lab is to import it, which runs it; `tests/test_labs.py` does that.
collect_ignore_glob = ["docs/labs/*.py"]


def pytest_runtest_setup(item):
    """Undo what an earlier block may have left behind in this process."""
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    if item.path.suffix == ".md":
        torch.seed()  # a block that draws without a seed is to be found out
    else:
        torch.manual_seed(0)
    torch.set_printoptions(profile="default")
