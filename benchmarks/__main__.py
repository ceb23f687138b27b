"""Measure the fast paths against their peers: `python -m benchmarks [WORD ...]`."""

import argparse
import time

from benchmarks.harness import fresh_process
from benchmarks.record import WORDS, measured, write_down
from dlbook.runs.record import require_folder


def main() -> None:
    """Read the command line, measure, print a line for each goal, and record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("words", nargs="*", help=f"default: {' '.join(WORDS)}")
    choice = parser.parse_args()
    unknown = sorted(set(choice.words) - set(WORDS))
    if unknown:
        parser.error(f"the benchmarks are {', '.join(WORDS)}, got {', '.join(unknown)}")
    try:
        require_folder()
    except OSError as error:
        parser.error(str(error))
    for word in choice.words or WORDS:
        started = time.perf_counter()
        with fresh_process() as pool:  # nothing that one loads or sets reaches the next
            lines, threads = pool.submit(measured, word).result()
        for line in lines:
            print(line, flush=True)
        write_down(word, lines, time.perf_counter() - started, threads)


if __name__ == "__main__":
    main()
