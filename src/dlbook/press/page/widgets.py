"""The live fences: a sentence for every reader, and a script that adds something to play with.

Without scripts, and on paper, the sentence is what remains. The script is loaded only by the
pages that ask for it, with a relative address, so that it runs from disk, too.
"""

from dlbook.checkout import DOCS, files
from dlbook.press.page.fences import Fence

SCRIPTS = DOCS / "assets" / "js" / "live"


def widget(fence: Fence, up: str) -> str:
    """Write the place that a script will fill.

    Args:
        fence: a fence whose info is `live`: a name, then what to do and what is seen.
        up: the way from the page to the top of the site, such as `..`.

    Returns:
        Markdown with the sentence and the script.

    Raises:
        LookupError: there is no such widget.
        ValueError: the sentence for readers without scripts is missing.
    """
    name, sentence = (fence.lines or ("",))[0].strip(), "\n".join(fence.lines[1:]).strip()
    known = [path.stem for path in files(SCRIPTS, "*.js")]
    if name not in known:
        raise LookupError(f"{name!r} is no widget; there are {', '.join(known)}")
    if not sentence:
        raise ValueError(f"{name!r} needs a sentence for readers without scripts")
    return (
        f'<div class="live" data-live="{name}" markdown="block">\n\n{sentence}\n\n</div>\n\n'
        f'<script src="{up}/assets/js/live/{name}.js" defer></script>\n'
    )
