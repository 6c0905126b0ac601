"""One label of Django's tests: run in a process of its own, its result kept until the engine changes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from coursehub.development.django_suite.recording import RESULT_FILE
from coursehub.development.mongod import die_with_parent

LABELS = (
    *("basic", "lookup", "ordering", "pagination", "get_or_create", "many_to_many", "many_to_one", "one_to_one"),
    *("delete", "update", "sessions_tests", "contenttypes_tests", "messages_tests", "aggregation", "expressions"),
    *("dates", "datetimes", "timezones", "bulk_create", "queries", "admin_utils", "admin_inlines", "admin_widgets"),
    *("admin_docs", "admin_filters", "admin_changelist", "auth_tests", "admin_views"),
)
LABEL_TIMEOUT_SECONDS = 900
CHECKOUT = Path(__file__).resolve().parents[3]
ENGINE = CHECKOUT / "coursehub" / "mongo"
_SETTINGS = """\
SECRET_KEY = "only for Django's own tests"
DATABASES = {{
    alias: {{
        "ENGINE": "coursehub.mongo",
        "NAME": f"django_{{alias}}",
        "ENFORCE_SCHEMA": False,
        "CLIENT": {{"host": {uri!r}, "w": "majority"}},
        "OPTIONS": {{"transactions": {transactions!r}}},
    }}
    for alias in ("default", "other")
}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
TEST_RUNNER = "coursehub.development.django_suite.recording.RecordingRunner"
"""


@dataclass
class LabelResult:
    """What became of a label's tests. `failures`: test id -> "failed" or "error", sub-tests counted once."""

    label: str
    engine: str
    seconds: float
    run: int = 0
    skipped: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    broke: str = ""  # why there is no result, if there is none

    @property
    def errors(self) -> int:
        return sum(outcome == "error" for outcome in self.failures.values())

    @property
    def failed(self) -> int:
        return len(self.failures) - self.errors

    @property
    def passed(self) -> int:
        in_a_test = sum(not test.startswith("setUpClass") for test in self.failures)
        return self.run - in_a_test - self.skipped


def engine_digest() -> str:
    """Changes with any module of the engine, committed or not."""
    digest = hashlib.sha256()
    for path in sorted(ENGINE.rglob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Suite:
    """Where Django's tests are, and the server and mode to run them on; `scratch` is this run's own folder.

    `helpers`: where the packages are that some labels use, or None for labels that use none.
    """

    tests: Path
    helpers: Path | None
    folder: Path
    scratch: Path
    uri: str
    transactions: bool

    @property
    def results(self) -> Path:
        return self.folder / "results" / ("on" if self.transactions else "off")

    def kept(self, label: str, digest: str | None) -> LabelResult | None:
        """The result of an earlier run on the engine as it is; `digest` None: on any engine."""
        try:
            result = LabelResult(**json.loads((self.results / f"{label}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return result if digest in (None, result.engine) else None

    def run(self, label: str, timeout_seconds: float) -> LabelResult | None:
        """Run a label and keep its result. None if the time ran out before the label's own limit did."""
        self.results.mkdir(parents=True, exist_ok=True)
        digest, started = engine_digest(), time.monotonic()
        recorded = self.results / f"{label}.recorded"
        recorded.unlink(missing_ok=True)
        limit = min(timeout_seconds, LABEL_TIMEOUT_SECONDS)
        broke = self._run_tests(label, recorded, limit)
        if broke is None and limit < LABEL_TIMEOUT_SECONDS:
            return None
        result = LabelResult(label, digest, round(time.monotonic() - started, 1))
        if recorded.exists():
            result = LabelResult(**{**asdict(result), **json.loads(recorded.read_text())})
            recorded.unlink()
        else:
            result.broke = broke or f"not finished within {limit:.0f} s"
        (self.results / f"{label}.json").write_text(json.dumps(asdict(result), indent=1))
        return result

    def _run_tests(self, label: str, recorded: Path, timeout_seconds: float) -> str | None:
        """What there is to say if no result was recorded; None if the time ran out."""
        settings = self.scratch / "django_suite_settings.py"
        settings.write_text(_SETTINGS.format(uri=self.uri, transactions=self.transactions))
        paths = [CHECKOUT, self.scratch, *([self.helpers] if self.helpers else [])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONWARNINGS": "ignore",
            RESULT_FILE: str(recorded),
        }
        command = [sys.executable, "runtests.py", f"--settings={settings.stem}", "--noinput", "--parallel=1", label]
        log = self.results / f"{label}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                command, cwd=self.tests, env=environment, stdout=output, stderr=output, preexec_fn=die_with_parent
            )
            try:
                process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return None
        return f"the runner ended with {process.returncode}, see {log}"
