"""What a benchmark states: a goal, what was measured, and peak memory in a fresh process."""

import os
import resource
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from dlbook.runs.race import over_rounds, quotients
from dlbook.runs.record import Claim


@dataclass(frozen=True)
class Line:
    """One goal, and what was measured.

    Attributes:
        name: of the claim, unique among all benchmarks.
        peer: whom or what ours is compared with.
        values: one for each round, at least one; quotients have no unit.
        goal: the number to reach, if there is one.
        sense: on which side of the goal the median should lie.
        unit: of the values.
        ours: seconds of our way, one for each round, if it was a race.
        theirs: seconds of the peer, alike.
    """

    name: str
    peer: str
    values: list[float]
    goal: float | None = None
    sense: Literal["at least", "at most"] = "at least"
    unit: str = ""
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def measured(self) -> float:
        """Give the median of the rounds."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool:
        """Tell whether the goal is reached; what has no goal is."""
        if self.goal is None:
            return True
        if self.sense == "at least":
            return self.measured >= self.goal
        return self.measured <= self.goal

    def claims(self) -> dict[str, Claim]:
        """Give what is recorded: the median, its spread, the goal and the seconds."""
        claims = {self.name: over_rounds(self.values, self.unit)}
        if self.goal is not None:
            claims[f"{self.name}_goal"] = Claim(self.goal, self.unit, tolerance=0)
        for name, seconds in (("ours", self.ours), ("peer", self.theirs)):
            if seconds:
                claims[f"{self.name}_{name}"] = over_rounds(
                    [1e3 * value for value in seconds], "ms"
                )
        return claims

    def __str__(self) -> str:
        """Write the line: name, ours, peer, ratio or quantity, goal, verdict."""
        verdict = ""
        if self.goal is not None:
            sign = "≥" if self.sense == "at least" else "≤"
            verdict = f"goal {sign} {self.goal:g} {'met' if self.met else 'MISSED'}"
        ours, theirs = (
            f"{1e3 * statistics.median(seconds):9.1f} ms" if seconds else " " * 12
            for seconds in (self.ours, self.theirs)
        )
        return (
            f"{self.name:24} ours {ours}  peer {theirs} {self.peer:34} "
            f"{self.measured:8.2f} {self.unit:2}  {verdict}"
        )


def times_as_fast(
    name: str,
    seconds: dict[str, list[float]],
    peer: str,
    goal: float | None = None,
    ours: str = "ours",
) -> Line:
    """State how many times faster our way is than a peer.

    Args:
        name: of the claim.
        seconds: from `race`.
        peer: its name there.
        goal: the least quotient, peer by ours, if there is a goal.
        ours: the name of our way there.

    Returns:
        a line with the quotient of each round.
    """
    fast, slow = seconds[ours], seconds[peer]
    values = quotients(slow, fast)
    return Line(name, peer, values, goal, ours=fast, theirs=slow)


def times_as_long(
    name: str, seconds: dict[str, list[float]], peer: str, goal: float
) -> Line:
    """State how many times longer our way takes than a peer.

    Args:
        name: of the claim.
        seconds: from `race`, with our way under the name `ours`.
        peer: its name there.
        goal: the largest quotient, ours by peer.

    Returns:
        a line with the quotient of each round.
    """
    fast, slow = seconds["ours"], seconds[peer]
    values = quotients(fast, slow)
    return Line(name, peer, values, goal, "at most", ours=fast, theirs=slow)


def fresh_process() -> ProcessPoolExecutor:
    """Start a process that inherits nothing; leave it as a context to end it."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def peak_growth(
    prepare: Callable[..., tuple], run: Callable[..., object], *settings: object
) -> float:
    """Measure in a fresh process how much memory a function takes beyond its arguments.

    Args:
        prepare: a function of a module; makes the arguments from the settings.
        run: a function of a module, called once with these arguments. What libraries set
            up at their first use counts, too.
        settings: of `prepare`; picklable.

    Returns:
        megabytes (1e6 bytes), 0 or more.
    """
    with fresh_process() as pool:
        return pool.submit(_growth, prepare, run, settings).result()


def _growth(prepare: Callable[..., tuple], run: Callable[..., object], settings) -> float:
    arguments = prepare(*settings)
    _forget_peak()
    before = _resident()
    kept = run(*arguments)
    grown = _peak() - before
    del kept
    return max(0.0, grown / 1e6)


def _forget_peak() -> None:
    """Let the peak begin anew; where the system refuses, it stays too high, never too low."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        try:
            path.write_text("5", encoding="utf-8")
        except OSError:
            return


def _resident() -> int:
    """Give the bytes of this process that are in memory now; elsewhere than Linux the peak."""
    path = Path("/proc/self/statm")
    if not path.exists():
        return _peak()
    return int(path.read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak() -> int:
    path = Path("/proc/self/status")
    if path.exists():  # what `getrusage` gives there begins with the peak of the parent
        (line,) = (
            p
            for p in path.read_text(encoding="utf-8").splitlines()
            if p.startswith("VmHWM:")
        )
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
