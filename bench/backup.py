"""How long a backup and a restore of a database with 100,000 invitations take, and what they need.

The batch is a real file of 20 MB that was uploaded, read and previewed; every row has a claim, every fifth learner a
course member. Backup and restore run as the commands that people run, each a process of its own.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.preview import ROWS, SIZE_BYTES, store_batch
from bench.report import ROOT, Measure, at_most
from tests.support.stage.mongod import own_database

GOAL_BACKUP_SECONDS, GOAL_RESTORE_SECONDS, GOAL_MB = 60, 120, 200
# VmHWM and not getrusage's figure, which begins with what the process that forked had.
_PEAK = """
import atexit, re, sys
from pathlib import Path
from django.core.management import execute_from_command_line
peak = lambda: re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: print(peak(), file=sys.stderr))
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def measure() -> list[Measure]:
    """One backup, and its restore over the same database."""
    with own_database(), TemporaryDirectory(prefix="bench-backup-") as folder:
        store_batch()
        _store_claims()
        path = Path(folder) / "backup.zip"
        backup_seconds, backup_mb, said = _command("backup", "--output", str(path))
        restore_seconds, restore_mb, done = _command("restore", "--input", str(path), "--yes")
        size_mb = path.stat().st_size / 1e6
    assert done["first_broken"] is None
    how = f"{ROWS:,} invitations and claims, {SIZE_BYTES / 1e6:.0f} MB uploaded: {said['documents']:,} documents"
    memory = "the whole process at its peak, Django with it"
    return [
        at_most("backup.seconds", round(backup_seconds, 1), GOAL_BACKUP_SECONDS, "s", f"{how}; start included"),
        Measure("backup.file_mb", round(size_mb, 1), "MB", how),
        at_most("backup.peak_mb", round(backup_mb), GOAL_MB, "MB", memory),
        at_most("restore.seconds", round(restore_seconds, 1), GOAL_RESTORE_SECONDS, "s", "verified, staged, switched"),
        at_most("restore.peak_mb", round(restore_mb), GOAL_MB, "MB", memory),
    ]


def _store_claims() -> None:
    """As if every row had been sent."""
    from coursehub.mongo import outside_transaction
    from invitations.claims import learner_claims
    from invitations.models import Invitation

    chunk = []
    for row in outside_transaction(Invitation).find():
        chunk.append(row)
        if len(chunk) == 5_000:
            learner_claims.win(chunk)
            chunk = []


def _command(*arguments: str) -> tuple[float, float, dict]:
    """Seconds, peak memory in MB, and what the command said."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", _PEAK, *arguments, "--json"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds = time.monotonic() - began
    return seconds, int(ended.stderr.split()[-1]) / 1024, json.loads(ended.stdout)
