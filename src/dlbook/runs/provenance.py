"""Where, when and on what a run was made; and how its record is written.

Nothing here loads torch before it must: the press starts in a second, not in five.
"""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).parents[3]


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

        found |= {
            "cuda": torch.version.cuda,
            "cudnn": str(torch.backends.cudnn.version()),
        }
    return found


def describe(device: "torch.device") -> str:
    """Name the hardware, such as `4 cores of Intel(R) Xeon(R)` or `NVIDIA H200`."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.is_file() else []
    models = [
        line.split(":")[1].strip() for line in lines if line.startswith("model name")
    ]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {model}"


def commit() -> str:
    """Name the commit of the code that runs, with `+` if it was changed since.

    A copy of the tree without its history is told the commit by `DLBOOK_COMMIT`.
    """
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("DLBOOK_COMMIT", "unknown")
    return done.stdout.strip()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(partial, path)
