"""A lane of the soak `token-kills`: one run after the other on a database and a sandbox of its own.

In a run, three processes of callers share a pool of three sets, one of which has few uses left, while the tokens
expire all the time; some of the processes are killed, and others start in their place. What must hold is checked
against the sandbox's own log of calls.
"""

import json
import os
import random
import select
import signal
import time
from hashlib import sha256
from typing import Any

import django

from coursehub.sandbox.process import SandboxProcess
from tests.support.findings import Found, report
from tests.support.oauthtokens.verdict import ANY_MOMENT, LEASE_SECONDS, MAX_USES, Run, judge

PROCESSES, SETS = 3, 3
_BACKOFF_SECONDS = 0.2, 1.0  # the first and the longest; the product's 2 s and 15 min would only make the runs long
_RUN_SECONDS_MAX = 15.0
_LOOP_SECONDS_MAX = 0.1
_USES_KEPT = 4  # for the deaths and failures that are still to come
_KILLED = -signal.SIGKILL


def lane(chance: random.Random, runs: int) -> Found:
    """`runs` runs on the database and the sandbox that the environment names."""
    django.setup()
    from django.conf import settings

    from coursehub import audit
    from oauthtokens.pool import refresh
    from tests.support.oauthtokens.callers import POINTS

    settings.TOKEN_LEASE_SECONDS, settings.TOKEN_SET_COUNT, settings.TOKEN_MAX_USES = LEASE_SECONDS, SETS, MAX_USES
    refresh.FIRST_BACKOFF_SECONDS, refresh.LONGEST_BACKOFF_SECONDS = _BACKOFF_SECONDS
    sandbox, found = SandboxProcess("", port=settings.SANDBOX_PORT), Found()
    points, first = (*POINTS, ANY_MOMENT), chance.randrange(len(POINTS))
    for number in range(runs):
        # Every point in turn, and then what comes.
        deaths = [points[(first + number) % len(points)], *chance.choices(points, k=chance.choice((0, 0, 1, 2)))]
        settings.TOKEN_RETIRE_AT_USES = chance.choice((18, MAX_USES))
        run = Run(deaths, _weather(chance))
        ids = _fill_pool(sandbox, chance)
        sandbox.switch(**run.weather)
        _happen(run, chance)
        judge(run, sandbox, ids, found)
    if (broken := audit.verify().first_broken) is not None:
        found.violations.append(f"the audit trail's chain is broken at {broken}")
    return found


def _weather(chance: random.Random) -> dict[str, Any]:
    """Faults for half of the runs, and an answer that takes its time in all."""
    latency = {"latency_ms": [0, 30]}
    if chance.random() < 0.5:
        return latency
    ratios = {name: chance.choice((0.0, 0.1, 0.2)) for name in ("error_5xx_ratio", "reset_ratio", "lost_answer_ratio")}
    kind = chance.choice(("timeout", "timeout_after_acting", "late", "truncated"))
    once = {"path_contains": "/oauth/v2/token", "times": 1, "fault": kind}
    return {**latency, **ratios, "fail_next": [once], "hold_seconds": 2.0, "late_seconds": LEASE_SECONDS * 1.2}


def _fill_pool(sandbox: SandboxProcess, chance: random.Random) -> dict[str, int]:
    """Fresh sets, the first of which is used until little is left; token id at the sandbox -> set."""
    from django.conf import settings

    from coursehub.mongo import outside_transaction
    from oauthtokens import encryption, services
    from oauthtokens.models import TokenSet

    sandbox.reset("tokens", "calls", "switches")
    sandbox.switch(max_uses_per_refresh_token=MAX_USES, mints_per_10_minutes=0, calls_per_minute=0)
    for name in (TokenSet, "oauthtokens_pool"):
        outside_transaction(name).delete_many({})
    for number in range(1, SETS + 1):
        code = sandbox.self_client_code(services.SCOPE)
        services.exchange_code(number=number, code=code, actor="soak")
    for _ in range(chance.randint(settings.TOKEN_RETIRE_AT_USES - 6, settings.TOKEN_RETIRE_AT_USES - 1)):
        services.refresh_set(1, force=True)
    ids = {}
    for row in outside_transaction(TokenSet).find():
        number, text = row["number"], row["refresh_token"]
        token = encryption.decrypt(text, number=number, kind=encryption.REFRESH, generation=row["generation"])
        ids[sha256(token.encode()).hexdigest()[:12]] = number
    return ids


def _happen(run: Run, chance: random.Random) -> None:
    """Callers at work until all planned deaths were died and a token was handed out after the last."""
    callers = _Callers(run, chance)
    ends_at, looked_at = time.monotonic() + _RUN_SECONDS_MAX, time.monotonic()
    while not callers.are_done():
        looked_at = _note_stall(run, looked_at)
        if looked_at > ends_at:  # a death that was planned did not come about
            run.happened.append({"at": looked_at, "what": "unfinished"})
            break
        callers.listen()
        callers.kill_and_replace()
        _expire(run)
    run.happened.append({"at": time.monotonic(), "what": "end"})
    callers.end()


class _Callers:
    """The processes of a run, and the pipe through which they tell what happens."""

    def __init__(self, run: Run, chance: random.Random) -> None:
        self._run, self._chance, self._pending = run, chance, list(run.deaths)
        self._reader, self._writer = os.pipe()
        self._rest = b""  # a line that is not whole yet
        self._dies_at: dict[int, str] = {}
        self._kill_at: dict[int, float] = {}
        for _ in range(PROCESSES):
            self._start()

    def are_done(self) -> bool:
        if self._pending or any(self._dies_at.values()):
            return False
        last_death = max(self._run.times("death"), default=0.0)
        return any(at > last_death + LEASE_SECONDS / 10 for at in self._run.times("token")[-1:])

    def listen(self) -> None:
        """Take in what the callers have told."""
        if select.select([self._reader], [], [], 0.005)[0]:
            *lines, self._rest = (self._rest + os.read(self._reader, 1 << 20)).split(b"\n")
            self._run.happened += map(json.loads, lines)

    def kill_and_replace(self) -> None:
        """Kill those whose moment has come, and start others in the place of all that are dead."""
        for pid in [pid for pid, at in self._kill_at.items() if at <= time.monotonic()]:
            del self._kill_at[pid]
            os.kill(pid, signal.SIGKILL)
            self._run.happened.append({"at": time.monotonic(), "what": "death", "point": ANY_MOMENT})
        for pid in [pid for pid in self._dies_at if self._has_ended(pid)]:
            del self._dies_at[pid]
            self._start()

    def end(self) -> None:
        for pid in self._dies_at:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.listen()
        os.close(self._reader)
        os.close(self._writer)

    def _start(self) -> None:
        from tests.support.oauthtokens.callers import fork

        dies_at = self._pending.pop(0) if self._pending else ""
        pid = fork(self._writer, self._chance.random(), "" if dies_at == ANY_MOMENT else dies_at)
        self._dies_at[pid] = dies_at
        if dies_at == ANY_MOMENT:
            self._kill_at[pid] = time.monotonic() + self._chance.uniform(0.02, 0.4)

    def _has_ended(self, pid: int) -> bool:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended and os.waitstatus_to_exitcode(status) != _KILLED:
            self._run.violations.append("a process of callers broke down")
        return bool(ended)


def _note_stall(run: Run, looked_at: float) -> float:
    """This loop is as quick as the machine lets it: what it lost is what callers lost that were not let run."""
    now = time.monotonic()
    if now - looked_at > _LOOP_SECONDS_MAX:
        run.happened.append({"at": now, "what": "stall", "seconds": now - looked_at})
    return now


def _expire(run: Run) -> None:
    """An hour goes by for the token in use, if somebody had it since the last time; not for the very last ones."""
    from django.conf import settings

    from coursehub.mongo import outside_transaction
    from oauthtokens.models import TokenSet

    had = run.times("token")[-1:]
    if not had or had <= run.times("expired")[-1:] or time.monotonic() - had[-1] > LEASE_SECONDS / 10:
        return
    sets = outside_transaction(TokenSet)
    if sum(settings.TOKEN_RETIRE_AT_USES - row["uses"] for row in sets.find()) < _USES_KEPT:
        return
    in_use = {"state": {"$in": ["active", "retiring"]}, "access_expires_at": {"$ne": None}}
    sets.update_many(in_use, {"$set": {"access_expires_at": None}})
    run.happened.append({"at": time.monotonic(), "what": "expired"})


if __name__ == "__main__":
    report(lane)
