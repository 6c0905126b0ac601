"""What it costs to keep data fresh: an hour of 50 courses of 200 learners, 3 of them watched, at 25 calls a minute.

Real code, mongod and sandbox; only time is stepped. Both clocks stand still between steps of at most a second; whoever
would sleep (for a slot of the budget, or during a call, which is taken to last half a second) moves them on instead,
and at every second the ticker ticks and the ages of the watched courses are noted. One task process does all polls,
one after the other; a worker has two. The sandbox keeps its own limit of 30 calls a minute, with the lock.
"""

import statistics
from collections import deque
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.report import Measure, at_least, at_most
from coursehub.sandbox.process import SandboxProcess
from tests.support.stage.mongod import own_database

COURSES, LEARNERS, WATCHED, CALLS_PER_MINUTE = 50, 200, 3, 25
HOUR_SECONDS, CALL_SECONDS, VIEWERS_SECONDS = 3600, 0.5, 10
GOAL_SAVED, GOAL_AGE_SECONDS = 0.90, 75


def measure() -> list[Measure]:
    """Calls and ages of the second hour; of the first, in which everything is read for the first time, the calls."""
    with TemporaryDirectory(prefix="bench-poll-") as folder, own_database():
        from tests.support.environment import SANDBOX_PORT

        with SandboxProcess(Path(folder) / "sandbox.sqlite3", port=SANDBOX_PORT) as sandbox:
            return _measured(sandbox)


def _measured(sandbox: SandboxProcess) -> list[Measure]:
    academy = Academy(sandbox)
    first_calls, (first_watched, _) = academy.live_for(HOUR_SECONDS)
    calls, ages = academy.live_for(HOUR_SECONDS)
    watched, others = ages
    round_calls = academy.naive_round()
    naive = round_calls * 60
    refused = {status: count for status, count in sandbox.counters()["by_status"].items() if status != "200"}
    assert not refused, f"the academy refused calls: {refused}"
    how = (
        f"{COURSES} courses x {LEARNERS} learners, {WATCHED} watched, {CALLS_PER_MINUTE} calls/min: {calls} calls; "
        f"the naive poller (every course, every minute): {naive}, which the budget does not even allow"
    )
    p95, others_p95 = _p95(watched), _p95(others) / 60
    share = 1 - calls / (COURSES * 60)
    return [
        at_least("poll.calls_saved_ratio", round(1 - calls / naive, 4), GOAL_SAVED, "ratio", how),
        at_most("poll.watched_age_p95_seconds", round(p95, 1), GOAL_AGE_SECONDS, "s", "every second of that hour"),
        Measure("poll.watched_age_max_seconds", round(max(watched), 1), "s", "the same; the limit that is set is 60 s"),
        Measure("poll.unwatched_age_p95_minutes", round(others_p95, 1), "min", "the other courses"),
        Measure("poll.calls_per_hour", calls, "calls", f"{academy.changes} changes of learners were stored in it"),
        Measure("poll.first_hour_calls", first_calls, "calls", "the hour before, which began with nothing"),
        Measure("poll.first_hour_watched_age_p95_seconds", round(_p95(first_watched), 1), "s", "of the hour before"),
        Measure(
            "poll.calls_saved_ratio_of_one_call_each", round(share, 4), "ratio",
            "compared with one call per course and minute, as if a course were one page",
        ),
    ]  # fmt: skip


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[94]


class Academy:
    """The academy, its viewers and one worker process, on stepped clocks."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        from django.conf import settings

        from coursehub import clock, rate_limit
        from oauthtokens import services as token_services
        from progress.course_sync import sync_courses
        from progress.polling import poller

        self._sandbox = sandbox
        settings.TRAINERCENTRAL_CALLS_PER_MINUTE, settings.PROGRESS_WATCHED_SECONDS = CALLS_PER_MINUTE, 60
        sandbox.reset(courses=COURSES, learners_per_course=LEARNERS)
        sandbox.run_clock_at(0)
        clock.simulate(factor=0)
        self._clock, self.now_seconds, self._until_tick = clock, clock.now().timestamp(), 1.0
        self._set_to, self._next_due = self.now_seconds, 0.0
        self._polled_at: dict[str, float] = {}
        self._queue: deque[str] = deque()
        self._ages: tuple[list[float], list[float]] = ([], [])
        self.changes = 0
        code = sandbox.self_client_code(token_services.SCOPE)
        token_services.exchange_code(number=1, code=code, actor="bench")
        rate_limit.time = poller.time = Stepped(self)  # type: ignore[assignment]
        self._client = token_services.client(lane=rate_limit.PROGRESS)
        self._client.member_page = self._lasting(self._client.member_page)  # type: ignore[method-assign]
        sync_courses()
        self._watched = _course_ids()[:WATCHED]

    def live_for(self, seconds: float) -> tuple[int, tuple[list[float], list[float]]]:
        """Calls made in that time, and the ages of watched and of other courses at each of its seconds."""
        from progress.polling import poller

        ends_at, before = self.now_seconds + seconds, self._calls()
        self.changes = 0
        while self.now_seconds < ends_at:
            if self._queue:
                done = poller.poll(self._queue.popleft())
                assert done.outcome in ("read", "unfinished", "not_due"), done
                self.changes += done.changed
                self._look()
            else:
                self.step(self._until_tick)
        ages, self._ages = self._ages, ([], [])  # what comes after is not of this time
        return self._calls() - before, ages

    def naive_round(self) -> int:
        """Calls that it takes to read every course once, as a plain reader does."""
        before = self._calls()
        for course_id in _course_ids():
            assert len(list(self._client.iter_course_members(course_id))) == LEARNERS
        return self._calls() - before

    def step(self, seconds: float) -> None:
        """Let time pass, and each second what happens in a second."""
        while seconds > 1e-6:
            now = min(seconds, self._until_tick)
            self.now_seconds, seconds, self._until_tick = self.now_seconds + now, seconds - now, self._until_tick - now
            if self._until_tick <= 1e-6:
                self._until_tick = 1.0
                self._tick()
        self._set_clocks()

    def _tick(self) -> None:
        from coursehub.models import Course
        from coursehub.mongo import outside_transaction
        from progress.polling import schedule

        if round(self.now_seconds) % VIEWERS_SECONDS == 0:
            self._set_clocks()
            outside_transaction(Course).update_many(*schedule.watching(self._watched))
            self._look()
        if self.now_seconds >= self._next_due:
            self._set_clocks()
            self._queue += [course_id for course_id in schedule.ring_due() if course_id not in self._queue]
        for course_id, polled_at in self._polled_at.items():
            self._ages[course_id not in self._watched].append(self.now_seconds - polled_at)

    def _look(self) -> None:
        """What the courses say; nobody but polls and viewers changes it."""
        from coursehub.models import Course

        rows = Course.objects.values_list("course_id", "polled_at", "poll_due_at")
        self._polled_at = {course_id: polled_at.timestamp() for course_id, polled_at, _ in rows if polled_at}
        self._next_due = min((due_at.timestamp() for _, _, due_at in rows if due_at), default=float("inf"))

    def _set_clocks(self) -> None:
        """Put both clocks to where time has come to; nobody looks at them in between."""
        ahead_seconds, self._set_to = self.now_seconds - self._set_to, self.now_seconds
        if ahead_seconds > 0:
            self._clock.simulate(ahead_seconds=ahead_seconds, factor=0)
            self._sandbox.advance(ahead_seconds)

    def _lasting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def lasts(*arguments: Any, **options: Any) -> Any:
            answer = call(*arguments, **options)
            self.step(CALL_SECONDS)
            return answer

        return lasts

    def _calls(self) -> int:
        return sum(count for name, count in self._sandbox.counters()["by_endpoint"].items() if "oauth" not in name)


class Stepped:
    """What pacing and polling take for the module `time`."""

    def __init__(self, academy: Academy) -> None:
        self._academy = academy

    def sleep(self, seconds: float) -> None:
        self._academy.step(seconds)

    def monotonic(self) -> float:
        return self._academy.now_seconds


def _course_ids() -> list[str]:
    from coursehub.models import Course

    return list(Course.objects.order_by("course_id").values_list("course_id", flat=True))
