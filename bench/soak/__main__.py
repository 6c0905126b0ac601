"""`python -m bench.soak`: run the soaks a step at a time, keep what each found, go on where the last call stopped.

Reads ONLY, RUNS, SEED and MINUTES from the environment. Exit codes: 0 no violation so far, 1 there were some,
3 there is no soak of that name. A soak that MINUTES did not suffice for goes on with the next call, as long as the
seed and the committed code are the same; RUNS beyond what was done adds to it.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench import report
from bench.soak.plan import Plan
from tests.support.findings import Found, found_in

FOLDER = Path(__file__).parent
TEXTS_KEPT = 20


def names() -> list[str]:
    """The soaks there are: the modules of this folder with a PLAN."""
    paths = (path for path in FOLDER.glob("*.py") if "\nPLAN = " in path.read_text(encoding="utf-8"))
    return sorted(path.stem.replace("_", "-") for path in paths)


def main() -> int:
    chosen = os.environ.get("ONLY")
    if chosen and chosen not in names():
        print(f"There is {', '.join(names())}.", file=sys.stderr)
        return 3
    ends_at = time.monotonic() + 60 * float(os.environ.get("MINUTES") or 9)
    return max((soak(name, ends_at) for name in ([chosen] if chosen else names())), default=0)


def soak(name: str, ends_at: float) -> int:
    """Run one soak until it is done or it is `ends_at` on the monotonic clock; returns its exit code."""
    plan: Plan = importlib.import_module(f"bench.soak.{name.replace('-', '_')}").PLAN
    seed, wanted = os.environ.get("SEED") or "1", int(os.environ.get("RUNS") or plan.runs)
    done, found = earlier(name, seed)
    while done < wanted and time.monotonic() < ends_at:
        runs = min(plan.step, wanted - done)
        found.add(run_step(name, plan, f"{seed}.{done}", runs))
        done += runs
        keep(name, plan, seed, done, found)
        print(f"{name}: {done} of {wanted} {plan.unit}, {len(found.violations)} violations", flush=True)
    for text in found.violations[-TEXTS_KEPT:]:
        print(f"  {text}")
    if done < wanted:
        print(f"{name}: the time is over; call again to go on.")
    return 1 if found.violations else 0


def run_step(name: str, plan: Plan, seed: str, runs: int) -> Found:
    """One step in a process of its own; if that fails or does not end, this is what was found."""
    module = f"bench.soak.{name.replace('-', '_')}"
    began = time.monotonic()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", module, seed, str(runs)],
            cwd=report.ROOT, stdout=subprocess.PIPE, text=True, timeout=plan.step_seconds_max, check=False,
        )  # fmt: skip
        found = found_in(ended.stdout)
    except subprocess.TimeoutExpired:
        found = Found([f"step {seed} did not end within {plan.step_seconds_max:.0f} s"])
    except (ValueError, KeyError, TypeError):
        found = Found([f"step {seed} ended with exit code {ended.returncode} and without a result"])
    found.sums["seconds"] = time.monotonic() - began
    return found


def _path(name: str) -> Path:
    return Path(os.environ.get("COURSEHUB_VAR") or report.ROOT / "var") / "soak" / f"{name}.json"


def earlier(name: str, seed: str) -> tuple[int, Found]:
    """What earlier calls did on this commit with this seed."""
    try:
        kept = json.loads(_path(name).read_text(encoding="utf-8"))
        if (kept["seed"], kept["commit"]) == (seed, report.commit()):
            return kept["runs"], Found(**kept["found"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, Found()


def keep(name: str, plan: Plan, seed: str, done: int, found: Found) -> None:
    figures = {**found.sums, **found.highest}
    measures = [report.at_most(f"{name}.violations", len(found.violations), 0, "violations", f"{done} {plan.unit}")]
    measures += [
        report.Measure(f"{name}.{key.replace(' ', '_')}", round(value, 1), _unit(key)) for key, value in figures.items()
    ]
    more = {"runs": done, "seed": seed, "violations": len(found.violations), "found": asdict(found)}
    report.write(name, measures, kind="soak", **more)


def _unit(key: str) -> str:
    return "s" if key == "seconds" else "ms" if key.endswith("_ms") else "count"


if __name__ == "__main__":
    sys.exit(main())
