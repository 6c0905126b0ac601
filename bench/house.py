"""How the house is built: modules per folder, arrows and circles between them, lengths, type errors, repetitions.

`make bench ONLY=house` measures this checkout; with HOUSE_BEFORE=<commit> that commit beside it, for comparison.
"""

import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

APPS = ("coursehub", "oauthtokens", "invitations", "progress")
_REPEATED_LINES = 6  # so many lines, alike but for blanks and comments, in two places are a repetition
_GOALS = {  # figure -> what it must not exceed
    "function_lines_median": 5, "function_lines_p90": 14, "function_lines_max": 32, "circles": 0,
}  # fmt: skip
_UNITS = {"modules_at_an_apps_root_max": "modules", "folders": "folders", "modules": "modules", "arrows": "imports"}


def measure() -> list:
    """Measures named house.<figure>, each compared with the commit in HOUSE_BEFORE if there is one."""
    from bench.report import ROOT, Measure, at_most

    now, before = figures_of(ROOT), {}
    if commit := os.environ.get("HOUSE_BEFORE"):
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, "before")
            subprocess.run(["git", "worktree", "add", "--detach", tree, commit], cwd=ROOT, check=True)
            try:
                before = figures_of(tree)
            finally:
                subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
    measures = []
    for name, value in now.items():
        compared = f"{before[name]:g} at {commit}" if name in before else ""
        unit = _UNITS.get(name, "lines" if "lines" in name else "count")
        if name in _GOALS:
            measures.append(at_most(f"house.{name}", value, _GOALS[name], unit, compared))
        else:
            measures.append(Measure(f"house.{name}", value, unit, compared))
    return measures


def figures_of(tree: Path) -> dict[str, float]:
    """The figures of a checkout, by a process that runs in it."""
    command = [sys.executable, str(Path(__file__).resolve())]
    told = subprocess.run(command, cwd=tree, check=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."})
    return json.loads(told.stdout)


def _figures() -> dict[str, float]:
    paths = [path for app in APPS for path in sorted(Path(app).rglob("*.py")) if "migrations" not in path.parts]
    per_folder = Counter(str(path.parent) for path in paths if path.name != "__init__.py")
    lengths = sorted(length for path in paths for length in _function_lengths(path))
    return {
        "modules": len(paths),
        "folders": len(per_folder),
        "modules_at_an_apps_root_max": max(per_folder[app] for app in APPS),
        **_graph(),
        "function_lines_median": statistics.median(lengths),
        "function_lines_p90": lengths[len(lengths) * 9 // 10],
        "function_lines_max": lengths[-1],
        "modules_over_250_lines": sum(len(path.read_text().splitlines()) > 250 for path in paths),
        "module_lines_max": max(len(path.read_text().splitlines()) for path in paths),
        "strict_type_errors": _strict_type_errors(),
        "repetitions": _repetitions(paths),
    }


def _graph() -> dict[str, float]:
    """Imports between modules, and how many of them close a circle among the members of one folder."""
    import grimp

    graph = grimp.build_graph(*APPS, cache_dir=None, exclude_type_checking_imports=True)
    packages = [module for module in graph.modules if graph.find_children(module)]
    closing = sum(len(graph.nominate_cycle_breakers(package)) for package in packages)
    return {"arrows": graph.count_imports(), "circles": closing}


def _function_lengths(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            has_docstring = ast.get_docstring(node) is not None and len(node.body) > 1
            yield (node.end_lineno or 0) - node.body[1 if has_docstring else 0].lineno + 1


def _strict_type_errors() -> int:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", tempfile.gettempdir()]
    told = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "SECRET_KEY": "types"}
    )
    return sum(": error:" in line for line in told.stdout.splitlines())


def _repetitions(paths: list[Path]) -> int:
    """Runs of _REPEATED_LINES lines that stand in more than one place."""
    seen: dict[tuple[str, ...], tuple[Path, int]] = {}
    count = 0
    for path in paths:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if len(line) > 3 and not line.startswith(("#", "from ", "import "))]
        at = 0
        while at + _REPEATED_LINES <= len(lines):
            run = tuple(lines[at : at + _REPEATED_LINES])
            if seen.setdefault(run, (path, at)) != (path, at):
                count, at = count + 1, at + _REPEATED_LINES
            else:
                at += 1
    return count


if __name__ == "__main__":
    print(json.dumps(_figures()))
