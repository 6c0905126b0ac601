"""What a soak consists of, and what one step of it says."""

import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plan:
    """`runs` in all, `step` of them at a time; a step that takes longer than `step_seconds_max` is a violation."""

    runs: int
    step: int
    unit: str
    step_seconds_max: float


@dataclass
class Found:
    """What a step found: every violation in words, figures to add up, and figures of which the highest counts."""

    violations: list[str] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    highest: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Found") -> None:
        self.violations += other.violations
        for name, value in other.sums.items():
            self.sums[name] = self.sums.get(name, 0) + value
        for name, value in other.highest.items():
            self.highest[name] = max(self.highest.get(name, value), value)


def report(step: Callable[[random.Random, int], Found]) -> None:
    """The main function of a soak's module: run one step as the command line says and print what it found."""
    seed, runs = sys.argv[1], int(sys.argv[2])
    print(json.dumps(asdict(step(random.Random(seed), runs))))  # noqa: S311


def found_in(output: str) -> Found:
    """What a step printed last. Raises ValueError, KeyError or TypeError when that is not a finding."""
    said: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
    return Found(**said)
