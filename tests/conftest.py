"""Another machine than the one at hand, as far as one machine can play another."""

import pytest

from dlbook.press.source.fresh import Interpreter

# `make test` runs everything else with one thread and all instructions of the processor.
OTHER_MACHINE = {
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "passive",
    "ATEN_CPU_CAPABILITY": "default",
}


@pytest.fixture(scope="session")
def interpreter():
    started = Interpreter(OTHER_MACHINE)
    yield started
    started.close()


@pytest.fixture(scope="session")
def bare_interpreter():
    started = Interpreter(OTHER_MACHINE, imported="")
    yield started
    started.close()
