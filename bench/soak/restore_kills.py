"""kill -9 of a restore at random writes, once to three times, and the restore run again to its end.

Promised: until it switches over, nothing has changed; afterwards everything is the backup's, what the present database
alone knew is carried over (erasures, claims, newer audit events, token sets), and no batch sends by itself.
"""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.soak.plan import Plan
from tests.support.backup.kills import kill_run, prepared_backup
from tests.support.findings import Found, report
from tests.support.stage.mongod import own_database

PLAN = Plan(runs=200, step=20, unit="runs", step_seconds_max=540)


def step(chance: random.Random, runs: int) -> Found:
    """`runs` backups and their restores, one after the other, on one mongod."""
    found = Found()
    with own_database(), TemporaryDirectory(prefix="soak-restore-") as folder:
        from coursehub.mongo import outside_transaction

        database, path = outside_transaction("coursehub").database, Path(folder) / "backup.zip"
        writes = prepared_backup(database, path)
        for number in range(runs):
            found.add(kill_run(database, path, chance, writes, f"run {number} of this step"))
    return found


if __name__ == "__main__":
    report(step)
