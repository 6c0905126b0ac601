"""`make check`: every check of the source, two at a time, and how long each took. Exits 1 if one finds a fault."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

AT_ONCE = 2


@dataclass(frozen=True)
class Check:
    """A command that exits 0 when there is nothing to find."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a check said, and whether it found nothing."""

    name: str
    passed: bool
    seconds: float
    said: str


# The longest begin first.
CHECKS = (
    Check("django's own tests", (sys.executable, "-m", "coursehub.development.django_suite", "--quick")),
    Check("types", ("mypy",), {"SECRET_KEY": "types"}),
    Check("settings and migrations", (sys.executable, "-m", "coursehub.development.check")),
    Check("imports", ("lint-imports", "--no-cache")),
    Check("lint", ("ruff", "check", ".")),
    Check("format", ("ruff", "format", "--check", ".")),
)


def run(check: Check) -> Result:
    began = time.monotonic()
    ended = subprocess.run(
        check.command,
        env={**os.environ, **check.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(check.name, ended.returncode == 0, time.monotonic() - began, ended.stdout.strip())


def main() -> int:
    began, results = time.monotonic(), []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for result in pool.map(run, CHECKS):
            print(f"--- {result.name}\n{result.said}\n", flush=True)
            results.append(result)
    for result in results:
        print(f"{result.seconds:6.1f} s  {result.name}{'' if result.passed else ': FAULTS FOUND, see above'}")
    print(f"{time.monotonic() - began:6.1f} s  in all, {AT_ONCE} at once")
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
