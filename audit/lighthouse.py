"""Lighthouse, with its preset for phones: what it measures of a page, as claims."""

import json
import os
import statistics
import subprocess
from pathlib import Path

from dlbook.runs.record import Claim

TOOLS = Path(__file__).parent / "node_modules" / ".bin"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
ANY = 1e9  # a measurement of speed is not computed again
RUNS = 5


def report(address: str, chromium: str) -> dict:
    """Let Lighthouse judge one page once.

    Args:
        address: of the page.
        chromium: the path of the browser.

    Returns:
        its report.

    Raises:
        RuntimeError: Lighthouse could not judge the page.
    """
    command = [str(TOOLS / "lighthouse"), address, "--quiet", "--output=json"]
    done = subprocess.run(
        [*command, f"--chrome-flags={FLAGS}"],
        env=os.environ | {"CHROME_PATH": chromium},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    if not found or "runtimeError" in found:
        raise RuntimeError(found.get("runtimeError") or done.stderr[-2000:])
    return found


def scores(reports: list[dict]) -> dict[str, list[float]]:
    """Collect the scores of several reports on one page.

    Args:
        reports: of Lighthouse.

    Returns:
        for each category its scores, from 0 to 100.
    """
    return {
        name: [round(100 * one["categories"][name]["score"]) for one in reports]
        for name in GOALS
    }


def claims(word: str, found: dict[str, list[float]]) -> dict[str, Claim]:
    """Write the scores of a page down: the median, with the spread.

    Args:
        word: names the page.
        found: from `scores`.

    Returns:
        a claim for each category, such as `knn_performance`.
    """
    made = {}
    for name, values in found.items():
        spread = {"runs": len(values), "least": min(values), "largest": max(values)}
        value = statistics.median(values)
        made[f"{word}_{name.replace('-', '_')}"] = Claim(value, "", spread, ANY)
    return made


def missed(found: dict[str, list[float]]) -> list[str]:
    """Name the categories whose median lies below the goal, such as `seo 92`."""
    medians = {name: statistics.median(values) for name, values in found.items()}
    return [f"{name} {medians[name]:g}" for name in GOALS if medians[name] < GOALS[name]]


def reasons(reports: list[dict]) -> list[str]:
    """Name what Lighthouse finds wrong with a page, other than its speed."""
    found = {
        f"{audit['id']}: {audit['title']}"
        for one in reports
        for name in GOALS
        if name != "performance"
        for entry in one["categories"][name]["auditRefs"]
        if entry["weight"] and (audit := one["audits"][entry["id"]])["score"] == 0
    }
    return sorted(found)
