"""Measured numbers in prose: `[3.09 %](claim:knn.mnist_error_k1)`.

The text of the link is the number itself, so that a page reads well anywhere. It must equal
the recorded value within the digits it shows.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable

from dlbook.runs.record import claims_of

# [3.09 %](claim:knn.mnist_error_k1)
CLAIM = re.compile(
    r"\[(?P<text>[^\]\n]+)\]\(claim:(?P<name>\w{1,80}(?:\.\w{1,80}){1,2})\)"
)
# 3.09 %, 60 000, -0.5 or 1.6e-11
NUMBER = re.compile(
    r"(?P<number>[-−]?\d[\d\u00a0\u202f ]*(?:\.(?P<decimals>\d+))?(?:e(?P<power>[-−]?\d+))?)"
    r"(?P<unit>.*)"
)
# <a class="claim" href="../reference/results.html#knn-mnist_error_k1">
LINK = re.compile(r'<a class="claim"(?=[^>]* href="[^"#]*#(?P<anchor>\w+-\w+)")')


def recorded(name: str) -> tuple[float, str]:
    """Look up one number.

    Args:
        name: such as `knn.mnist_error_k1`, or `knn.errors.3` for item 3 of a series.

    Returns:
        the value and its unit.

    Raises:
        LookupError: no run has recorded it.
    """
    word, _, rest = name.partition(".")
    wanted, _, index = rest.partition(".")
    claim = claims_of(word).get(wanted)
    if claim is None:
        raise LookupError(f"claim {name!r} is not recorded in docs/results/{word}.json")
    value = claim.value
    if isinstance(value, list) == (index == ""):
        raise LookupError(
            f"claim {name!r} must name an item of a series, and only of a series"
        )
    if index:
        if not index.isdigit() or int(index) >= len(value):
            raise LookupError(f"claim {name!r} must name an item below {len(value)}")
        value = value[int(index)]
    return value, claim.unit


def rewritten(text: str, value: float, unit: str) -> str:
    """Write a recorded value with as many digits as the text shows now.

    Args:
        text: a number, such as `3.09 %`, `60 000` or `1.6e-11`, and optionally its unit.
        value: the recorded value.
        unit: the recorded unit.

    Returns:
        the text if it agrees with the value, otherwise the corrected text.

    Raises:
        ValueError: the text is not a number with the recorded unit or none.
    """
    match = NUMBER.fullmatch(text)
    if not match or match["unit"].strip() not in ("", unit):
        raise ValueError(f"[{text}] must be a number, with the unit {unit!r} or none")
    number, decimals = (
        match["number"].rstrip("\u00a0\u202f "),
        len(match["decimals"] or ""),
    )
    shown = float(re.sub(r"[\u00a0\u202f ]", "", number).replace("−", "-"))
    power = int((match["power"] or "0").replace("−", "-"))
    if not math.isfinite(shown):
        raise ValueError(f"[{text}] must be a finite number")
    empty = match["power"] and shown == 0 and value != 0  # 0e9 would agree with anything
    if not empty and abs(shown - value) <= 0.5000001 * 10.0 ** (power - decimals):
        return text
    if match["power"]:
        new = re.sub(r"e([+-])0*(?=\d)", r"e\1", f"{value:.{decimals}e}").replace(
            "e+", "e"
        )
    else:
        spaced = re.search(r"\d[\u00a0\u202f ]\d", number)
        new = f"{value:{',' if spaced else ''}.{decimals}f}".replace(",", " ")
    new = new.replace("-", "−") if "−" in number else new
    return new + text[len(number) :]


def mistake(text: str, name: str) -> str:
    """Say what is wrong with a claim, or nothing.

    Args:
        text: the number as printed.
        name: the claim.

    Returns:
        a sentence, empty if the page agrees with the record.
    """
    try:
        value, unit = recorded(name)
        correct = rewritten(text, value, unit)
    except (LookupError, ValueError) as error:
        return str(error.args[0])
    if correct == text and math.isfinite(value):
        return ""
    return f"[{text}](claim:{name}) must read [{correct}], for {value} {unit} is recorded".rstrip()


def claim_anchor(name: str) -> str:
    """Give the anchor of a claim on the results page, such as `knn-mnist_error_k1`."""
    return "-".join(name.split(".")[:2])


def with_places(html: str) -> str:
    """Give each place that quotes a number an anchor, so that its record can lead back.

    Args:
        html: the content of a page, as Markdown made it.

    Returns:
        the same; the n-th quotation of a claim has the anchor that `places` names.
    """
    seen = Counter()

    def named(match: re.Match) -> str:
        seen[match["anchor"]] += 1
        return f'{match[0]} id="{_place(match["anchor"], seen[match["anchor"]])}"'

    return LINK.sub(named, html)


def places(names: Iterable[str]) -> dict[str, list[str]]:
    """Name the places of a page that quote numbers.

    Args:
        names: of the claims that the page quotes, in its order, such as `knn.errors.3`.

    Returns:
        anchors on that page, by the anchor of the claim on the results page.
    """
    counts = Counter(map(claim_anchor, names))
    return {
        anchor: [_place(anchor, number) for number in range(1, count + 1)]
        for anchor, count in counts.items()
    }


def _place(anchor: str, number: int) -> str:
    return f"quoted-{anchor}-{number}"
