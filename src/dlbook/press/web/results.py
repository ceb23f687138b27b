"""The page of all recorded runs: every measured number with where, when and on what."""

import re
from collections.abc import Iterable
from html import escape

from dlbook.checkout import RESULTS, files
from dlbook.press.page.claims import CLAIM, places
from dlbook.press.page.formulas import without_code
from dlbook.press.page.page import Page
from dlbook.runs.record import sections_of

MOST = 12  # values of a series that are shown
MEASURES = (
    "least",
    "largest",
    "standard_deviation",
)  # what else a spread holds, it counts
# k51 of `test_error_k51`
SETTING = re.compile(r"(?P<name>[kn])(?P<value>\d+)")
SPELLED = {
    "bayes": "Bayes",
    "cuda": "on a GPU",
    "epub": "EPUB",
    "faiss": "Faiss",
    "gaussian": "Gaussian",
    "gflops": "GFLOPS",
    "googlenet": "GoogLeNet",
    "hog": "HOG",
    "html": "HTML",
    "knn": "nearest neighbors",
    "lda": "LDA",
    "legendre": "Legendre",
    "lenet": "LeNet",
    "liblinear": "LIBLINEAR",
    "mnist": "MNIST",
    "qr": "QR",
    "scikit": "scikit-learn",
    "seo": "SEO",
    "sgd": "SGD",
    "svm": "SVM",
    "tf32": "TF32",
}


def results_page(pages: Iterable[Page]) -> str:
    """Write the page of all recorded runs from `docs/results/*.json`, as Markdown.

    Args:
        pages: that may quote the numbers; each row leads back to those that do.

    Returns:
        the page: a table for each run, a row for each claim.
    """
    parts = [
        "# Results",
        "Every number that a chapter quotes as measured stands here, with where, when and on "
        "what it was measured. The files behind this page are published with the site.",
    ]
    quoting = quoting_places(pages)
    for path in files(RESULTS, "*.json"):
        word = path.stem
        parts.append(f"## {word}")
        parts.append(f"[{word}.json](../results/{word}.json)")
        for run, section in sorted(sections_of(word).items()):
            parts += [f"### {word}: {run} {{ #{word}-run-{run} }}", _origin(section)]
            parts.append(_claims(word, section["claims"], quoting))
    return "\n\n".join(parts) + "\n"


def quoting_places(pages: Iterable[Page]) -> dict[str, list[tuple[Page, list[str]]]]:
    """Find the sentences that quote each claim.

    Args:
        pages: of the book.

    Returns:
        the pages and their anchors, in order, by the anchor of the claim.
    """
    quoting: dict[str, list[tuple[Page, list[str]]]] = {}
    for page in pages:
        names = [match["name"] for match in CLAIM.finditer(without_code(page))]
        for anchor, found in places(names).items():
            quoting.setdefault(anchor, []).append((page, found))
    return quoting


def in_words(name: str) -> str:
    """Say what a claim is, as far as its name tells it.

    Args:
        name: such as `mnist_error_k1`.

    Returns:
        words such as `MNIST error, k = 1`.
    """
    words = ""
    for part in name.split("_"):
        setting = SETTING.fullmatch(part)
        word = f"{setting['name']} = {setting['value']}" if setting else part
        is_apart = words and not words.endswith(" at") and (setting or part == "cuda")
        comma = "," if is_apart else ""
        words += f"{comma} {SPELLED.get(part, word)}"
    words = words.strip()
    return words if words[:1].isupper() else words[:1].upper() + words[1:]


def shown(value: float | list[float], unit: str) -> str:
    """Write what was measured, with its unit."""
    values = value if isinstance(value, list) else [value]
    text = ", ".join(f"{number:.6g}" for number in values[:MOST])
    more = f", … ({len(values)} values)" if len(values) > MOST else ""
    return f"{text}{more} {unit}".strip()


def scatter(spread: dict[str, float]) -> str:
    """Write how far seeds or repetitions scatter.

    Args:
        spread: as in `Claim`, such as {"seeds": 5, "least": 0.8, "largest": 1.1}.

    Returns:
        words such as `5 seeds, 0.8 to 1.1`; empty if it was not measured.
    """
    parts = [f"{spread[name]:g} {name}" for name in spread if name not in MEASURES]
    if "least" in spread and "largest" in spread:
        parts.append(f"{spread['least']:.4g} to {spread['largest']:.4g}")
    if "standard_deviation" in spread:
        parts.append(f"standard deviation {spread['standard_deviation']:.4g}")
    return ", ".join(parts)


def _origin(section: dict) -> str:
    versions = ", ".join(
        f"{name} {number}" for name, number in section["versions"].items()
    )
    data = "; ".join(
        f"{name}, SHA-256 `{value[:12]}…`" for name, value in section["data"].items()
    )
    return (
        f"`{section['command']}` took {section['seconds']} s on {section['device']}, "
        f"{section['date']}, commit `{section['commit']}`; {versions}; "
        f"data: {data or 'drawn from formulas'}."
    )


def _claims(word: str, claims: dict, quoting: dict) -> str:
    rows = [
        "<table><thead><tr><th>claim</th><th>value</th><th>spread</th></tr></thead><tbody>"
    ]
    for name, claim in sorted(claims.items()):
        anchor = f"{word}-{name}"
        links = "; ".join(_links(page, found) for page, found in quoting.get(anchor, []))
        back = f'<br><span class="quoted">quoted in {links}</span>' if links else ""
        rows.append(
            f'<tr id="{anchor}"><td>{escape(in_words(name))} <code>{name}</code>{back}</td>'
            f"<td>{escape(shown(claim['value'], claim['unit']))}</td>"
            f"<td>{scatter(claim['spread'])}</td></tr>"
        )
    return "\n".join([*rows, "</tbody></table>"])


def _links(page: Page, anchors: list[str]) -> str:
    """Link the sentences of one page: its title leads to the first, numbers to the others."""
    address = f"../{page.address.removesuffix('.md')}.html"
    texts = [escape(page.title), *map(str, range(2, len(anchors) + 1))]
    return ", ".join(
        f'<a href="{address}#{anchor}">{text}</a>'
        for text, anchor in zip(texts, anchors, strict=True)
    )
