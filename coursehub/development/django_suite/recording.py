"""The test runner inside a label's process: Django's, and a file that says what became of each test."""

from __future__ import annotations

import json
import os
import time
import traceback
import unittest
from pathlib import Path
from typing import Any

from django.test.runner import DiscoverRunner

RESULT_FILE = "DJANGO_SUITE_RESULT"


class RecordingResult(unittest.TextTestResult):
    """Outcome by test id; the worst outcome of its sub-tests is the test's. A class that fails in its
    set-up has an id of its own ("setUpClass (...)") and is not counted as a run test."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outcomes: dict[str, str] = {}
        self.details: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._started = time.monotonic()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started = time.monotonic()
        self.outcomes[test.id()] = "passed"

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.seconds[test.id()] = time.monotonic() - self._started

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._failed(test, "error", err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._failed(test, "failed", err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(test, "failed" if issubclass(err[0], test.failureException) else "error", err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        if self.outcomes.get(test.id()) == "passed":
            self.outcomes[test.id()] = "skipped"

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "failed"
        self.details[test.id()] = "marked as an expected failure by Django, and passes"

    def _failed(self, test: unittest.TestCase, outcome: str, err: Any) -> None:
        if self.outcomes.get(test.id()) != "error":
            self.outcomes[test.id()] = outcome
        text = "".join(traceback.format_exception(*err))
        self.details[test.id()] = self.details.get(test.id(), "") + text


class RecordingRunner(DiscoverRunner):
    """Named by the generated settings; writes its result to the file named in the environment."""

    def get_resultclass(self) -> type[unittest.TextTestResult]:
        return RecordingResult

    def suite_result(self, suite: unittest.TestSuite, result: Any, **kwargs: Any) -> int:
        slowest = sorted(result.seconds.items(), key=lambda item: -item[1])[:10]
        recorded = {
            "run": result.testsRun,
            "failures": {test: outcome for test, outcome in result.outcomes.items() if outcome in ("failed", "error")},
            "skipped": sum(outcome == "skipped" for outcome in result.outcomes.values()),
            "slowest": {test: round(seconds, 1) for test, seconds in slowest},
            "details": result.details,
        }
        Path(os.environ[RESULT_FILE]).write_text(json.dumps(recorded, indent=1))
        return super().suite_result(suite, result, **kwargs)
