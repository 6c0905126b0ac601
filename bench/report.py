"""What a measurement says, and the file that keeps it: var/bench/<name>.json."""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measure:
    """One figure. `compared_with` says what it is a ratio to, or how it was taken; `goal` and `holds` may be open."""

    key: str
    value: float
    unit: str
    compared_with: str = ""
    goal: str = ""
    holds: bool | None = None


def at_least(key: str, value: float, goal: float, unit: str, compared_with: str) -> Measure:
    """A figure that must not be smaller than `goal`."""
    return Measure(key, value, unit, compared_with, f">= {goal:g}", value >= goal)


def at_most(key: str, value: float, goal: float, unit: str, compared_with: str) -> Measure:
    """A figure that must not be larger than `goal`."""
    return Measure(key, value, unit, compared_with, f"<= {goal:g}", value <= goal)


def write(name: str, measures: list[Measure], *, kind: str = "bench", **more: Any) -> Path:
    """Write var/<kind>/<name>.json, `more` (a soak's runs, seed, violations) beside the measures; returns its path."""
    path = Path(os.environ.get("COURSEHUB_VAR") or ROOT / "var") / kind / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(measure) for measure in measures]
    document = {"name": name, "commit": commit(), "machine": machine(), **more, "measures": rows}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def commit() -> str:
    """The commit measured, with a + when the tree has changes on top of it; '' outside a repository."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()


def machine() -> str:
    """Processor, cores, memory, Python and how busy the machine was."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
