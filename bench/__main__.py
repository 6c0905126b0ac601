"""`python -m bench [NAME]`: run the measurements (bench/<name>.py with `measure()`), print and keep them.

Exit codes: 0 every goal holds, 1 one does not, 2 a measurement failed, 3 there is none of that name.
"""

import importlib
import os
import sys
import traceback
from pathlib import Path

from bench.report import Measure, write

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The measurements there are: the modules of this folder with a `measure()`."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8"))


def main(chosen: list[str]) -> int:
    """Run those chosen, or all."""
    known = names()
    if not set(chosen) <= set(known):
        print(f"There is {', '.join(known)}.", file=sys.stderr)
        return 3
    return max((run(name) for name in chosen or known), default=0)


def run(name: str) -> int:
    """Run one measurement; returns its exit code."""
    print(f"{name}:", flush=True)
    inherited = dict(os.environ)
    try:
        measures: list[Measure] = importlib.import_module(f"bench.{name}").measure()
    except Exception:
        traceback.print_exc()
        return 2
    finally:  # a measurement on a database of its own sets what Django reads
        os.environ.clear()
        os.environ.update(inherited)
    for one in measures:
        verdict = {True: "holds", False: "DOES NOT HOLD", None: ""}[one.holds]
        print(f"  {one.key:<40} {one.value:>12,.2f} {one.unit:<12} {one.goal:<10} {verdict}")
        print(f"  {'':<40} {one.compared_with}")
    print(f"  -> {write(name, measures)}", flush=True)
    return 1 if any(one.holds is False for one in measures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
