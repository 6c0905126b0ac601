"""What a soak consists of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """`runs` in all, `step` of them at a time; a step that takes longer than `step_seconds_max` is a violation."""

    runs: int
    step: int
    unit: str
    step_seconds_max: float
