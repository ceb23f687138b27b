"""Give every test and every block of a page a fresh state of torch."""

import torch

# To look for doctests in a lab is to import it, which runs it; `tests/press/test_labs.py` does
# that. The settings of the tests hold no doctests, and share one name.
collect_ignore_glob = ["docs/labs/*.py", "tests/conftest.py", "tests/*/conftest.py"]


def pytest_runtest_setup(item):
    """Undo what an earlier block may have left behind in this process."""
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    if item.path.suffix == ".md":
        torch.seed()  # a block that draws without a seed is to be found out
    else:
        torch.manual_seed(0)
    torch.set_printoptions(profile="default")
