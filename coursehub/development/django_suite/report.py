"""What to make of the results: tables, and the comparison with the failures that are expected."""

from __future__ import annotations

import json
import platform
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import django

from coursehub.development.django_suite.labels import CHECKOUT, ENGINE, LabelResult

EXPECTED = ENGINE / "expected_failures.toml"
# Where no failure at all is accepted: what the console and sign-in stand on.
SPOTLESS = (
    *("admin_views", "admin_filters", "admin_inlines", "admin_widgets", "admin_utils", "admin_docs", "auth_tests"),
    *("contenttypes_tests", "sessions_tests", "messages_tests", "pagination", "one_to_one", "ordering", "update"),
)
MOST_FAILURES = 70
_HEADINGS = ("label", "run", "passed", "failed", "errors", "skipped", "seconds")


def expected_failures(transactions: bool) -> dict[str, str]:
    """Reason by test id, for the mode. Raises ValueError when a test is listed twice."""
    reasons: dict[str, str] = {}
    mode = "on" if transactions else "off"
    for group in tomllib.loads(EXPECTED.read_text())["group"]:
        if group.get("transactions", mode) != mode:
            continue
        for test in group["tests"]:
            if test in reasons:
                raise ValueError(f"{test} is listed twice in {EXPECTED}")
            reasons[test] = group["reason"]
    return reasons


def table(results: Iterable[LabelResult]) -> str:
    """The results as a Markdown table, with a line of totals."""
    rows = [(r.label, r.run, r.passed, r.failed, r.errors, r.skipped, round(r.seconds)) for r in results]
    totals = ("total", *(sum(column) for column in list(zip(*rows, strict=True))[1:]))
    lines = [_HEADINGS, ("---", *["---:"] * 6), *rows, totals]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def verdict(results: list[LabelResult], transactions: bool) -> tuple[list[str], list[str]]:
    """(what is wrong, what to know) about the results, in sentences."""
    expected = expected_failures(transactions)
    wrong = [f"{result.label}: {result.broke}" for result in results if result.broke]
    failing = {test: result.label for result in results for test in result.failures}
    wrong += [f"{test} fails, and is not expected to" for test in sorted(failing) if test not in expected]
    labels = {result.label for result in results if not result.broke}
    passing = sorted(test for test in expected if test not in failing and _label(test) in labels)
    known = [f"{test} is expected to fail, and does not" for test in passing]
    if not transactions:
        wrong += [f"{test}: no failure is accepted in {label}" for test, label in failing.items() if label in SPOTLESS]
        if len(failing) > MOST_FAILURES:
            wrong.append(f"{len(failing)} tests fail; at most {MOST_FAILURES} may")
    return wrong, known


def _label(test: str) -> str:
    return test.removeprefix("setUpClass (").split(".")[0]


def engine_commit() -> str:
    """The last commit that changed the engine, with a "+" when it has been edited since."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments, "--", str(ENGINE.relative_to(CHECKOUT))]
        return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False).stdout.strip()

    return git("log", "-1", "--format=%h") + ("+" if git("status", "--porcelain") else "")


def write_measures(path: Path, results: list[LabelResult], transactions: bool) -> None:
    """The figures in the shape of all measurements (docs/architecture.md), and per label."""
    wrong, _ = verdict(results, transactions)
    columns = ("run", "passed", "failed", "errors", "skipped", "seconds")
    summary = {
        "name": "django-suite",
        "commit": engine_commit(),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "runs": len(results),
        "seed": None,
        "violations": wrong,
        "measures": _measures(results, transactions),
        "labels": {result.label: {name: getattr(result, name) for name in columns} for result in results},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=1) + "\n")


def _measures(results: list[LabelResult], transactions: bool) -> list[dict[str, Any]]:
    against = f"Django {django.get_version()}'s own tests, transactions {'on' if transactions else 'off'}"

    def measure(key: str, value: int, most: int | None = None) -> dict[str, Any]:
        holds = None if most is None or transactions else value <= most
        goal = "" if holds is None else f"<= {most}"
        key = f"django_suite.{key}"
        return {"key": key, "value": value, "unit": "tests", "compared_with": against, "goal": goal, "holds": holds}

    spotless = sum(len(result.failures) for result in results if result.label in SPOTLESS)
    return [
        *(measure(name, sum(getattr(result, name) for result in results)) for name in ("run", "passed", "skipped")),
        measure("failing", sum(len(result.failures) for result in results), MOST_FAILURES),
        measure("failing_in_spotless_labels", spotless, 0),
    ]
