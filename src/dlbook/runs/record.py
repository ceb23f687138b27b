"""What a run found, where and when: claims with their provenance, as JSON files.

A run is a function of a module in `dlbook.runs`. It takes a device and returns `Findings`.
The file `docs/results/<word>.json` holds one section for each recorded run of the chapter.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from dlbook.runs.provenance import ROOT, provenance, write_atomically

RESULTS = ROOT / "docs" / "results"


@dataclass(frozen=True)
class Claim:
    """One number, or one series of numbers, that a page may quote.

    Attributes:
        value: the number, or the series, in `unit`.
        unit: such as "%", "s", "MB"; empty for a pure number.
        spread: how far seeds scatter, such as {"seeds": 5, "least": 0.8, "largest": 1.1}.
        tolerance: by how much a recomputation may differ, in `unit`; machines round.
    """

    value: float | list[float]
    unit: str = ""
    spread: dict[str, float] = field(default_factory=dict)
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Findings:
    """What one run returns.

    Attributes:
        claims: by name; a name is unique within its chapter.
        data: the checksum of every data set that was used, by its name.
    """

    claims: dict[str, Claim]
    data: dict[str, str] = field(default_factory=dict)


def over_seeds(values: list[float], unit: str = "", tolerance: float = 1e-6) -> Claim:
    """Summarize one number measured with several seeds: the median, and the spread.

    Args:
        values: one value per seed, at least two, in `unit`.
        unit: as in `Claim`.
        tolerance: as in `Claim`.

    Returns:
        a claim whose value is the median.

    Raises:
        ValueError: fewer than two values, which have no spread.
    """
    if len(values) < 2:
        raise ValueError(f"a spread needs at least 2 values, got {len(values)}")
    spread = {
        "seeds": len(values),
        "least": min(values),
        "largest": max(values),
        "standard_deviation": statistics.stdev(values),
    }
    return Claim(statistics.median(values), unit, spread, tolerance)


def record(
    word: str, run: Callable[[torch.device], Findings], device: torch.device
) -> Path:
    """Compute one run and write what it found, with where, when and on what.

    Args:
        word: the chapter.
        run: a function of the module `dlbook.runs.<word>`.
        device: where to compute; a CUDA run is recorded beside the CPU run, not over it.

    Returns:
        the path of the JSON file; its other sections are left as they were.
    """
    started = time.perf_counter()
    findings = run(device)
    seconds = time.perf_counter() - started
    suffix = "" if device.type == "cpu" else f"_{device.type}"
    claims = {name + suffix: asdict(claim) for name, claim in findings.claims.items()}
    section = provenance(word, run.__name__, device, seconds)
    section |= {"data": findings.data, "claims": claims}
    path = RESULTS / f"{word}.json"
    sections = json.loads(path.read_text()) if path.is_file() else {}
    sections[run.__name__ + suffix] = section
    write_atomically(path, json.dumps(sections, indent=1, sort_keys=True) + "\n")
    return path


def claims_of(word: str) -> dict[str, Claim]:
    """Read every recorded claim of a chapter.

    Args:
        word: the chapter.

    Returns:
        claims by name; empty if nothing was recorded yet.
    """
    path = RESULTS / f"{word}.json"
    sections = json.loads(path.read_text()) if path.is_file() else {}
    return {
        name: Claim(**entry)
        for section in sections.values()
        for name, entry in section["claims"].items()
    }


def differences(recorded: dict[str, Claim], computed: dict[str, Claim]) -> list[str]:
    """List the claims that a recomputation does not confirm.

    Args:
        recorded: claims by name, as `claims_of` reads them.
        computed: claims by name, as a run returned them now.

    Returns:
        one sentence for each claim that is missing or lies outside its tolerance.
    """
    problems = []
    for name, claim in computed.items():
        if name not in recorded:
            problems.append(f"{name} is not recorded")
            continue
        old, new = (torch.tensor(c.value).double() for c in (recorded[name], claim))
        if old.shape != new.shape or not ((old - new).abs() <= claim.tolerance).all():
            problems.append(
                f"{name} is recorded as {recorded[name].value}, computed as {claim.value}"
            )
    return problems
