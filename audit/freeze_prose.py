"""Freeze the prose of twenty chapters as the text that the chapter on language trains on.

`python -m audit.freeze_prose` prints it. It was run once: every number of that chapter hangs
on the text, so the file in `src/dlbook/data` does not follow the pages.
"""

import re
from pathlib import Path

CHAPTERS = (
    *("history", "applications", "neuron", "tensors", "linear_regression", "views"),
    *("broadcasting", "risk", "knn", "polynomial", "evaluation", "perceptron", "svm"),
    *("features", "mlp", "approximation", "gradient_descent", "backprop"),
    *("convolution", "cnn"),
)
DOCS = Path(__file__).parent.parent / "docs" / "chapters"


def prose_of(page: str) -> list[str]:
    """Give the paragraphs of a page, a line each: no code, tables, comments or targets."""
    page = re.sub(r"^( *)(`{3,}).*?^\1\2 *$", "", page, flags=re.DOTALL | re.MULTILINE)
    page = re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)
    page = re.sub(r" ?\[@[^\]]*\]", "", page)
    page = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", page)
    paragraphs = []
    for block in re.split(r"\n\s*\n", page):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if lines and not lines[0].startswith(("|", "<", "#")):
            text = re.sub(r"^(!!!|\?\?\?) \w+ ", "", " ".join(lines)).strip('"')
            paragraphs.append(text)
    return [text for text in paragraphs if len(text) > 1]


def frozen() -> str:
    """Give the text of all twenty chapters, a paragraph to the line."""
    pages = [(DOCS / f"{word}.md").read_text(encoding="utf-8") for word in CHAPTERS]
    return "".join(f"{line}\n" for page in pages for line in prose_of(page))


if __name__ == "__main__":
    print(frozen(), end="")
