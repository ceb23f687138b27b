"""The fence of a live widget, and the net that one of them runs."""

import pytest
import torch

from dlbook.cnn import convolutional_network
from dlbook.press.downloads.notebooks import notebook
from dlbook.press.page.fences import PageError
from dlbook.press.page.translate import translated
from dlbook.press.page.widgets import SCRIPTS
from dlbook.runs.live import centered, decoded, encoded

FENCE = "```live\nbroadcasting\nType *two* shapes.\n```\n"


def test_a_live_fence_becomes_its_sentence_and_a_deferred_relative_script():
    page = translated(f"# Title\n\n{FENCE}", "chapters/x.md")
    assert '<div class="live" data-live="broadcasting" markdown="block">' in page
    assert "\nType *two* shapes.\n" in page
    assert '<script src="../assets/js/live/broadcasting.js" defer></script>' in page
    assert "type=" not in page, "a module does not run from disk"
    assert 'src="./assets/js/live/broadcasting.js"' in translated(FENCE, "index.md")


@pytest.mark.parametrize(
    ("fence", "reason"),
    [
        ("```live\nfluctuating\nWords.\n```", "line 3: live 'fluctuating' is no widget"),
        ("```live\nbroadcasting\n```", "line 3: live 'broadcasting' needs a sentence"),
        ("```live\n```", "line 3: live '' is no widget"),
    ],
)
def test_an_unknown_or_silent_widget_is_refused_with_its_line(fence, reason):
    with pytest.raises(PageError) as caught:
        translated(f"# Title\n\n{fence}", "chapters/x.md")
    assert f"line {caught.value.line}: {caught.value.reason}".startswith(reason)


def test_a_notebook_keeps_the_sentence_and_no_script():
    book = notebook(f"# Title\n\n{FENCE}", "chapters/x.md")
    assert "Type *two* shapes." in book
    assert "```live" not in book


@pytest.mark.parametrize(
    "script", sorted(SCRIPTS.glob("*.js")), ids=lambda path: path.stem
)
def test_a_widget_is_small_and_asks_no_other_host(script):
    text = script.read_text()
    assert len(text) < 13_000
    text = text.replace("http://www.w3.org/2000/svg", "")  # a name, never an address
    assert "//" not in text.replace("// ", ""), "an address"
    assert "fetch(" not in text
    assert "import(" not in text


def test_stored_weights_come_back_within_half_a_step_of_their_scale():
    model = convolutional_network(torch.Generator().manual_seed(0))
    back, mean, deviation = decoded(
        encoded(model, torch.tensor(33.5), torch.tensor(78.0))
    )
    assert (mean, deviation) == (33.5, 78.0)
    for layer, stored in zip(model, back, strict=True):
        if hasattr(layer, "weight"):
            weights = layer.weight.detach().flatten(1)
            half_steps = weights.abs().amax(dim=1, keepdim=True) / 254
            distance = (stored.weight.detach().flatten(1) - weights).abs()
            assert (distance <= half_steps * 1.001).all()
            assert torch.equal(stored.bias, layer.bias)


def test_a_digit_is_20_pixels_long_and_its_center_of_mass_in_the_middle():
    image = torch.zeros(40, 40)
    image[3:13, 30:34] = 1.0  # 10 x 4 in a corner becomes 20 x 8 in the middle
    expected = torch.zeros(28, 28, dtype=torch.float64)
    expected[4:24, 10:18] = 255.0
    assert torch.allclose(centered(image), expected)


def test_a_heavy_foot_moves_a_digit_up():
    image = torch.ones(20, 20)
    image[:10] = 0.1
    rows = centered(image).sum(1).nonzero()[:, 0]
    assert (rows[0].item(), rows[-1].item()) == (0, 19), "row 14 is its center of mass"
