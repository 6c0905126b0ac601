"""The engine against pymongo by hand, the official backend and Djongo as shipped, side by side in one run.

Each contestant is a process in an environment of its own; all work on one mongod, and take turns of a few calls, so
that all see the same machine. A ratio is the median over the runs of the ratio of a run's medians.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import ROOT, Measure, at_most
from coursehub.development.mongod import running_mongod

RUNS = 6
TAKES_PART_EVERY = 3  # in each third run only, of an operation of which a call takes it SLOW_MS
SLOW_MS = 2_000
CONTESTANTS = ("raw", "ours", "official", "djongo")
OWN_ENVIRONMENT = ("official", "djongo")  # the others work with what CourseHub itself has installed
REQUIREMENTS, ENVIRONMENTS = ROOT / "bench" / "environments", ROOT / "var" / "bench" / "envs"
RAW_GOAL, OFFICIAL_GOAL, JOINED_GOAL = 2.2, 1.1, 0.25


@dataclass(frozen=True)
class Shape:
    """How often an operation is called: `turns` times in each run, `calls` at a time; and what it is, in words."""

    turns: int
    calls: int
    text: str
    reads: bool = True


OPERATIONS = {
    "bulk_create": Shape(1, 1, "bulk_create() of 10,000 rows", reads=False),
    "get": Shape(8, 25, "get(pk=...)"),
    "page": Shape(8, 15, "50 rows of 16 columns, filtered and ordered by an index"),
    "count": Shape(8, 20, "filter(kind=...).count(), 500 rows"),
    "joined_list": Shape(3, 4, "select_related() of 50 out of 5,000 rows"),
    "search": Shape(4, 5, "icontains over 10,000 rows, 100 found"),
    "save_update": Shape(8, 20, "save() of a row that is there", reads=False),
    "save_insert": Shape(8, 20, "save() of a new row", reads=False),
    "update": Shape(4, 4, "filter(...).update() of 1,000 rows", reads=False),
    "group": Shape(4, 5, "values(kind).annotate(Count)"),
}


def measure() -> list[Measure]:
    """Milliseconds of the engine, and its time over each other contestant's. Raises if their answers differ."""
    with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder, ExitStack() as stack:
        mongod = stack.enter_context(running_mongod(Path(folder)))
        field = {name: stack.enter_context(contestant(name, mongod.uri)) for name in CONTESTANTS}
        warm_up(field)
        runs = [run(field, number) for number in range(RUNS)]
        versions = {name: one.versions for name, one in field.items()}
    return [measured for name in OPERATIONS for measured in measures(name, [run[name] for run in runs], versions)]


# --- The contestants --------------------------------------------------------------------------------


class Contestant:
    """The other end of a contestant's stdin and stdout."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.versions: dict[str, str] = self._read()["versions"]
        self.unable: dict[str, str] = {}  # operation -> what went wrong
        self.slow: set[str] = set()

    def turn(self, operation: str, first: int, calls: int) -> tuple[list[float], Any]:
        """Milliseconds of each call, and the last one's answer; no figures where it fails."""
        if operation in self.unable:
            return [], None
        self.process.stdin.write(json.dumps({"operation": operation, "first": first, "calls": calls}) + "\n")
        self.process.stdin.flush()
        answered = self._read()
        if "error" in answered:
            self.unable[operation] = answered["error"]
            return [], None
        if min(answered["milliseconds"]) > SLOW_MS:
            self.slow.add(operation)
        return answered["milliseconds"], answered["answer"]

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}")
        return json.loads(line)


@contextmanager
def contestant(name: str, uri: str) -> Iterator[Contestant]:
    """A running contestant with its tables filled; stopped at the end."""
    python = environment(name) if name in OWN_ENVIRONMENT else Path(sys.executable)
    command = [python, "-m", "bench.contestants", name, uri]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield Contestant(process)
    finally:
        process.stdin.close()
        process.wait(30)


def environment(name: str) -> Path:
    """The Python of the environment that bench/environments/<name>.txt describes; made when it changed."""
    requirements, folder = REQUIREMENTS / f"{name}.txt", ENVIRONMENTS / name
    python, installed = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if not installed.exists() or installed.read_text(encoding="utf-8") != wanted:
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", requirements]
        subprocess.run(install, check=True)
        installed.write_text(wanted, encoding="utf-8")
    return python


# --- The contest ------------------------------------------------------------------------------------


def warm_up(field: dict[str, Contestant]) -> None:
    """Each operation once by each contestant; notes who cannot, and raises if the answers are not the same."""
    for operation in OPERATIONS:
        answers = {name: one.turn(operation, 0, 1)[1] for name, one in field.items()}
        told = {name: answer for name, answer in answers.items() if operation not in field[name].unable}
        if "ours" not in told or any(answer != told["raw"] for answer in told.values()):
            raise RuntimeError(f"{operation}: the answers differ: {told}, {[one.unable for one in field.values()]}")


def run(field: dict[str, Contestant], number: int) -> dict[str, dict[str, float]]:
    """One run: operation -> contestant -> median milliseconds. Who begins changes from turn to turn."""
    medians = {}
    for operation, shape in OPERATIONS.items():
        times: dict[str, list[float]] = {name: [] for name in field}
        for turn in range(shape.turns):
            first = (number * shape.turns + turn) * shape.calls
            start = (number + turn) % len(field)
            for name in [*CONTESTANTS[start:], *CONTESTANTS[:start]]:
                if operation in field[name].slow and number % TAKES_PART_EVERY:
                    continue
                times[name] += field[name].turn(operation, first, shape.calls)[0]
        medians[operation] = {name: median(found) for name, found in times.items() if found}
    return medians


def measures(operation: str, runs: list[dict[str, float]], versions: dict[str, dict[str, str]]) -> list[Measure]:
    """The engine's milliseconds, and the ratios; a contestant that could not do it has none."""
    shape, key = OPERATIONS[operation], f"engine.{operation}"
    found = [Measure(f"{key}.milliseconds", _rounded([run["ours"] for run in runs]), "ms", shape.text)]
    goals = {
        "raw": RAW_GOAL if shape.reads else None,
        "official": JOINED_GOAL if operation == "joined_list" else OFFICIAL_GOAL,
    }
    for name in ("raw", "official", "djongo"):
        compared = [run for run in runs if name in run]
        if not compared:
            continue
        ratio = _rounded([run["ours"] / run[name] for run in compared])
        theirs = _rounded([run[name] for run in compared])
        packages = ", ".join(f"{package} {version}" for package, version in versions[name].items())
        compared_with = f"{theirs:g} ms with {'pymongo by hand' if name == 'raw' else packages}: {shape.text}"
        goal = goals.get(name)
        if goal is None:
            found.append(Measure(f"{key}.vs_{name}", ratio, "x", compared_with))
        else:
            found.append(at_most(f"{key}.vs_{name}", ratio, goal, "x", compared_with))
    return found


def _rounded(figures: list[float]) -> float:
    return round(median(figures), 3)
