"""Valid inputs of every public function of a concept: one file a chapter, `CONTRACTS`.

`tests/test_contracts.py` damages them in each way that was once accepted in silence.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contract:
    """Valid arguments of a function, and what may be done to them.

    Attributes:
        make: gives the arguments anew, by name. Tensors of floats are known by their dtype;
            `labels` says which of the others are labels, and of which convention.
        labels: by argument, "classes" (0..C-1), "signs" (-1, +1) or "bits" (0, 1).
        refused: by argument, values that must be refused: a k of 0, a step of -1.
        excused: by damage, such as "nan x", the reason why that one is no mistake here.
            An excuse that is not needed fails the test.
        device: where the function works; where there is none, its inputs are not tried.
        shifted: the arguments that may all be moved far from the origin together, with the
            answer the same: what measures distances only.
    """

    make: Callable[[], dict]
    labels: dict[str, str] = field(default_factory=dict)
    refused: dict[str, list] = field(default_factory=dict)
    excused: dict[str, str] = field(default_factory=dict)
    shifted: tuple[str, ...] = ()
    device: str = "cpu"
