"""What a run found, where and when: claims with their provenance, as JSON files.

A run is a function of a module in `dlbook.runs`. It takes a device and returns `Findings`.
The file `docs/results/<word>.json` holds one section for each recorded run of the chapter; it
is read and written here and nowhere else. Nothing here loads torch before it must: the press
reads records, and starts in a second, not in five.
"""

import json
import math
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from dlbook.checkout import RESULTS, commit, require, write_atomically

if TYPE_CHECKING:
    import torch


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
    word: str, run: Callable[["torch.device"], Findings], device: "torch.device"
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
    claims = {name + suffix: claim for name, claim in findings.claims.items()}
    section = provenance(word, run.__name__, device, seconds) | {"data": findings.data}
    return write(word, run.__name__ + suffix, section, claims)


def provenance(word: str, run: str, device: "torch.device", seconds: float) -> dict:
    """Say with which command, where, when and on what a run was made.

    Args:
        word: the chapter.
        run: the name of the run.
        device: where it was computed.
        seconds: how long it took.

    Returns:
        what can be written as JSON: command, device, versions, commit, date, seconds.
    """
    return {
        "command": f"python -m dlbook.runs {word} {run} --device {device.type}",
        "commit": commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "device": describe(device),
        "seconds": round(seconds, 1),
        "versions": versions(device),
    }


def versions(device: "torch.device") -> dict[str, str]:
    """Name the versions that decide what is computed, those of a GPU's libraries too."""
    found = {"python": platform.python_version(), "torch": version("torch")}
    if device.type == "cuda":
        import torch

        cudnn = str(torch.backends.cudnn.version())
        found |= {"cuda": torch.version.cuda, "cudnn": cudnn}
    return found


def describe(device: "torch.device") -> str:
    """Name the hardware, such as `4 cores of Intel(R) Xeon(R)` or `NVIDIA H200`."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    names = Path("/proc/cpuinfo")
    lines = names.read_text(encoding="utf-8").splitlines() if names.is_file() else []
    models = [
        line.split(":")[1].strip() for line in lines if line.startswith("model name")
    ]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {model}"


def require_folder() -> None:
    """Look whether records can be written, before anything is computed.

    Raises:
        OSError: there is no checkout, or its folder of records may not be written.
    """
    require()
    with TemporaryFile(dir=RESULTS):
        pass


def write(word: str, run: str, section: dict, claims: dict[str, Claim]) -> Path:
    """Put one run into the record of its chapter.

    Args:
        word: the chapter, or whatever else the record is named for.
        run: the name of the section.
        section: where, when and on what, from `provenance`, with the checksums of the data.
        claims: what was found, by name.

    Returns:
        the path of the JSON file; its other sections are left as they were.

    Raises:
        OSError: there is no checkout.
        ValueError: a claim is no finite number, or the file is no record.
    """
    require()
    path = RESULTS / f"{word}.json"
    for name, claim in claims.items():
        _require_finite(name, claim.value)
    entries = {name: asdict(claim) for name, claim in claims.items()}
    sections = sections_of(word) | {run: section | {"claims": entries}}
    write_atomically(path, json.dumps(sections, indent=1, sort_keys=True) + "\n")
    return path


def sections_of(word: str) -> dict[str, dict]:
    """Read the record of a chapter.

    Args:
        word: the chapter, or whatever else the record is named for.

    Returns:
        one section for each recorded run, by its name; empty if nothing was recorded yet.

    Raises:
        ValueError: the file is no record, or a value is no finite number; it is named.
    """
    path = RESULTS / f"{word}.json"
    return _sections(path) if path.is_file() else {}


def _sections(path: Path) -> dict[str, dict]:
    """Read a record, and look whether its values are numbers that a page can quote."""
    try:
        sections = json.loads(path.read_text(encoding="utf-8"))
        for section in sections.values():
            for name, entry in section["claims"].items():
                _require_finite(name, Claim(**entry).value)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not written in UTF-8") from error
    except json.JSONDecodeError as error:  # such as the marks of a merge
        raise ValueError(f"{path}:{error.lineno}: no JSON: {error.msg}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no record: {error}") from error
    return sections


def _require_finite(name: str, value: object) -> None:
    """Refuse what no page can quote: NaN, infinity, true, texts."""
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, list):
            _require_finite(name, number)
        elif type(number) not in (int, float) or not math.isfinite(number):
            raise ValueError(f"claim {name!r} must be finite numbers, got {number!r}")


def claims_of(word: str) -> dict[str, Claim]:
    """Read every recorded claim of a chapter.

    Args:
        word: the chapter.

    Returns:
        claims by name; empty if nothing was recorded yet.
    """
    path = RESULTS / f"{word}.json"
    return dict(_claims(path, path.stat().st_mtime_ns)) if path.is_file() else {}


@cache
def _claims(path: Path, _changed: int) -> dict[str, Claim]:
    """Read the claims of a record, again only after a change: a page asks for each alone."""
    return {
        name: Claim(**entry)
        for section in _sections(path).values()
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
        elif not _confirms(recorded[name].value, claim.value, claim.tolerance):
            problems.append(
                f"{name} is recorded as {recorded[name].value}, computed as {claim.value}"
            )
    return problems


def _confirms(
    old: float | list[float], new: float | list[float], tolerance: float
) -> bool:
    if isinstance(old, list) or isinstance(new, list):
        alike = isinstance(old, list) and isinstance(new, list) and len(old) == len(new)
        return alike and all(
            _confirms(*pair, tolerance) for pair in zip(old, new, strict=True)
        )
    return abs(old - new) <= tolerance
