"""Time several ways to the same answer, in turns.

A busy minute of the machine hits all ways of a round alike, so the quotient of two times
measured in one round says more than either time. Every quotient is taken round by round.
"""

import statistics
import time
from collections.abc import Callable, Mapping

import torch

from dlbook.runs.record import Claim

ANY = 1e9  # times are never compared between machines


def race(
    ways: Mapping[str, Callable[[], object]],
    rounds: int,
    check: Callable[[dict[str, object]], None],
    clock: Callable[[], float] | None = None,
) -> dict[str, list[float]]:
    """Time several ways to the same answer, in turns.

    Args:
        ways: functions by name. Each is called once before the clock runs: code is loaded,
            caches are filled, and the answers are compared.
        rounds: how often to call each of them under the clock, at least 1.
        check: raises an error if the answers, by name, are not the same.
        clock: gives the time in seconds; by default the wall's, and on one thread that of
            the processor, in which other programs have no part.

    Returns:
        seconds by name, round by round.

    Raises:
        ValueError: there is no round.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be 1 or more, got {rounds}")
    if clock is None:
        alone = torch.get_num_threads() == 1
        clock = time.process_time if alone else time.perf_counter
    check({name: way() for name, way in ways.items()})
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        names = list(ways) if turn % 2 == 0 else list(ways)[::-1]  # nobody is always last
        for name in names:
            started = clock()
            ways[name]()
            seconds[name].append(clock() - started)
    return seconds


def quotients(numerators: list[float], denominators: list[float]) -> list[float]:
    """Divide round by round.

    Args:
        numerators: one for each round.
        denominators: one for each round, positive.

    Returns:
        one quotient for each round.
    """
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def over_rounds(values: list[float], unit: str = "") -> Claim:
    """Summarize rounds: the median, the least and the largest.

    Args:
        values: one for each round, at least one.
        unit: of the values.

    Returns:
        a claim that no other machine needs to confirm.
    """
    spread = {"rounds": len(values), "least": min(values), "largest": max(values)}
    return Claim(statistics.median(values), unit, spread, tolerance=ANY)
