"""The fence of a live widget."""

import pytest

from dlbook.checkout import files
from dlbook.press.downloads.notebooks import notebook
from dlbook.press.page.fences import PageError
from dlbook.press.page.page import Page
from dlbook.press.page.translate import translated
from dlbook.press.page.widgets import SCRIPTS

FENCE = "```live\nbroadcasting\nType *two* shapes.\n```\n"


def test_a_live_fence_becomes_its_sentence_and_a_deferred_relative_script():
    page = translated(Page("chapters/x.md", f"# Title\n\n{FENCE}"))
    assert '<div class="live" data-live="broadcasting" markdown="block">' in page
    assert "\nType *two* shapes.\n" in page
    assert '<script src="../assets/js/live/broadcasting.js" defer></script>' in page
    assert "type=" not in page, "a module does not run from disk"
    assert 'src="./assets/js/live/broadcasting.js"' in translated(Page("index.md", FENCE))


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
        translated(Page("chapters/x.md", f"# Title\n\n{fence}"))
    assert f"line {caught.value.line}: {caught.value.reason}".startswith(reason)


def test_a_notebook_keeps_the_sentence_and_no_script():
    book = notebook(Page("chapters/x.md", f"# Title\n\n{FENCE}"))
    assert "Type *two* shapes." in book
    assert "```live" not in book


@pytest.mark.parametrize("script", files(SCRIPTS, "*.js"), ids=lambda path: path.stem)
def test_a_widget_is_small_and_asks_no_other_host(script):
    text = script.read_text(encoding="utf-8")
    assert len(text) < 13_000
    text = text.replace("http://www.w3.org/2000/svg", "")  # a name, never an address
    assert "//" not in text.replace("// ", ""), "an address"
    assert "fetch(" not in text
    assert "import(" not in text
