"""The command: run what has no result yet, print all results, exit 1 on a failure that is not expected."""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from coursehub.development.django_suite.labels import CHECKOUT, LABELS, LabelResult, Suite, engine_digest
from coursehub.development.django_suite.report import table, verdict, write_measures
from coursehub.development.django_suite.source import ensure_helpers, ensure_source
from coursehub.development.mongod import running_mongod
from coursehub.development.scratch import scratch_parent

# Together under a minute; part of `make check`. None of them uses the helpers.
QUICK = ("basic", "ordering", "pagination", "update", "one_to_one", "admin_utils", "messages_tests")


def main() -> int:
    options = _options()
    var = Path(os.environ.get("COURSEHUB_VAR", CHECKOUT / "var")).resolve()
    folder = var / "django-suite"
    tests = ensure_source(folder)
    helpers = None if set(options.labels) <= set(QUICK) else ensure_helpers(folder)
    with (
        tempfile.TemporaryDirectory(prefix="django-suite-", dir=scratch_parent()) as scratch,
        running_mongod(Path(scratch)) as mongod,
    ):
        suite = Suite(tests, helpers, folder, Path(scratch), mongod.uri, transactions=options.transactions == "on")
        results, missing = _run(suite, options)
    if not results:
        print("No label was finished; run it again to go on.")
        return 1
    print(table(results))
    wrong, known = verdict(results, suite.transactions)
    print(f"{sum(len(result.failures) for result in results)} distinct failing tests.")
    print(*known, *wrong, sep="\n")
    if missing:
        print(f"Not run yet: {' '.join(missing)}. The same command goes on with them.")
    elif set(options.labels) == set(LABELS):
        name = "django-suite-transactions.json" if suite.transactions else "django-suite.json"
        write_measures(var / "soak" / name, results, suite.transactions)
    return 1 if wrong or missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make django-suite", description=__doc__)
    parser.add_argument("labels", nargs="*", metavar="label", help="all 28 by default")
    parser.add_argument("--transactions", choices=("on", "off"), default="off")
    parser.add_argument("--minutes", type=float, default=60, help="stop after; the next run goes on")
    parser.add_argument("--quick", action="store_true", help="the subset of `make check`")
    parser.add_argument("--again", action="store_true", help="run labels that have a result, too")
    options = parser.parse_args()
    options.labels = options.labels or list(QUICK if options.quick else LABELS)
    unknown = set(options.labels) - set(LABELS)
    if unknown:
        parser.error(f"not among the labels: {' '.join(sorted(unknown))}; known: {' '.join(LABELS)}")
    return options


def _run(suite: Suite, options: argparse.Namespace) -> tuple[list[LabelResult], list[str]]:
    """The results of the labels that have one now, and the labels for which the time did not suffice."""
    deadline = time.monotonic() + options.minutes * 60
    results, missing = [], []
    for label in options.labels:
        result = None if options.again else suite.kept(label, engine_digest())
        if result is None:
            last_time = suite.kept(label, None)
            remaining = deadline - time.monotonic()
            if remaining > (last_time.seconds if last_time else 0):
                result = suite.run(label, remaining)
        if result is None:
            missing.append(label)
            continue
        results.append(result)
        count = f"{result.run} run, {result.passed} passed, {len(result.failures)} failing, {result.skipped} skipped"
        print(f"{label}: {result.broke or count} ({result.seconds:.0f} s)", flush=True)
    return results, missing


if __name__ == "__main__":
    sys.exit(main())
