"""What a series of runs found, and how a process of its own says so."""

import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


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
    """A module's main function: run `step` with the seed and the count of the command line, print what it found."""
    seed, runs = sys.argv[1], int(sys.argv[2])
    print(json.dumps(asdict(step(random.Random(seed), runs))))


def found_in(output: str) -> Found:
    """What a step printed last. Raises ValueError, KeyError or TypeError when that is not a finding."""
    said: dict[str, Any] = json.loads(output.strip().rpartition("\n")[2])
    return Found(**said)
