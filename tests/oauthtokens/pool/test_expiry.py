"""The moment of expiry: 200 callers in 4 processes, one refresh."""

import collections
import hashlib
import json
import os
import subprocess
import sys

import pytest

from coursehub import clock
from oauthtokens import encryption, services
from oauthtokens.models import TokenSet
from oauthtokens.pool import refresh_lease
from tests.support import ROOT

PROCESSES, CALLERS_PER_PROCESS = 4, 50
LEASE_SECONDS = 5


@pytest.fixture
def callers():
    """`callers()`: all of them ask at once; what each got, as (digest of the token, the API's status)."""
    running: list[subprocess.Popen] = []

    def ask(*arguments: object) -> list[tuple[str, int]]:
        for _ in range(PROCESSES):
            command = [sys.executable, "-m", "tests.oauthtokens.pool.callers", str(CALLERS_PER_PROCESS)]
            environment = {
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "coursehub.settings",
                "TOKEN_LEASE_SECONDS": str(LEASE_SECONDS),
            }
            running.append(
                subprocess.Popen(
                    [*command, *map(str, arguments)], cwd=ROOT, env=environment, text=True,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            )  # fmt: skip
        for process in running:
            assert process.stdout.readline() == "ready\n"
        for process in running:
            process.stdin.write("\n")
            process.stdin.flush()
        got = [tuple(one) for process in running for one in json.loads(process.communicate(timeout=60)[0])]
        assert len(got) == PROCESSES * CALLERS_PER_PROCESS
        return got

    yield ask
    for process in running:
        process.kill()
        process.wait()


def expire_for_all(pool) -> str:
    """An hour goes by: the old token is of no use here or at the API. Returns the old token."""
    old = services.access_token().token
    pool.sandbox.advance(3600)
    pool.change(1, access_expires_at=clock.now())
    return old


def stored_digest(pool) -> str:
    row = pool.row(1)
    token = encryption.decrypt(row["access_token"], number=1, kind=encryption.ACCESS, generation=row["generation"])
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.mark.fault
def test_two_hundred_callers_in_four_processes_make_one_refresh(pool, callers):
    pool.obtain(1)
    old = expire_for_all(pool)
    got = callers()
    assert collections.Counter(got) == {(stored_digest(pool), 200): 200}
    assert got[0][0] != hashlib.sha256(old.encode()).hexdigest()
    assert pool.refreshes() == 1
    assert pool.row(1)["uses"] == 1


@pytest.mark.fault
def test_refresh_that_hangs_beyond_its_lease_is_done_once_more_and_its_late_answer_discarded(pool, callers):
    pool.obtain(1)
    expire_for_all(pool)
    first_fence = pool.row(1)["fence"] + 1
    late = {"path_contains": "/oauth/v2/token", "times": 1, "fault": "late"}
    pool.sandbox.switch(late_seconds=LEASE_SECONDS + 3, fail_next=[late])
    got = callers(30)
    # The caller whose answer was late took the successor's token too: it is the newest by its fence.
    assert collections.Counter(got) == {(stored_digest(pool), 200): 200}
    assert pool.refreshes() == 2
    row = pool.row(1)
    assert (row["uses"], row["fence"], row["access_fence"]) == (2, first_fence + 1, first_fence + 1)
    assert (row["state"], row["lease_holder"]) == (TokenSet.State.ACTIVE, "")
    assert refresh_lease.win(1) is None  # nothing is due any more
