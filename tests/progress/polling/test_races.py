"""Pollers that race, are overtaken or die: one reads at a time, and no revision is lost or given twice."""

import os
import random
import signal
import subprocess
import sys
import time
from threading import Thread

import pytest
from django.db import connection

from coursehub import clock, rate_limit
from coursehub.development.mongod import die_with_parent
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from oauthtokens import services as token_services
from progress.models import Member, ProgressEntry, SweepPart
from progress.polling import poll_lease, poller
from tests.support import ROOT


@pytest.fixture
def course(academy) -> Course:
    """A course of several pages, whose learners stand still unless a test moves them."""
    academy.reset("academy", learners_per_course=60)
    academy.switch(progress_speed=0, limit_cap=20)
    return Course.objects.order_by("course_id").first()


def _assert_sound(course: Course) -> None:
    """Every revision has one history entry, every learner the revision of the last, and the table is the academy's."""
    course.refresh_from_db()
    entries = list(ProgressEntry.objects.order_by("revision").values_list("revision", "member_id", "percent"))
    assert [revision for revision, _, _ in entries] == list(range(1, course.revision + 1))
    latest = {member_id: (revision, percent) for revision, member_id, percent in entries}
    members = Member.objects.for_course(course.course_id).values_list("member_id", "revision", "percent")
    assert {member_id: (revision, percent) for member_id, revision, percent in members} == latest
    remote = token_services.client(lane=rate_limit.PROGRESS).iter_course_members(course.course_id)
    assert {member.member_id: member.percent for member in remote} == {
        key: percent for key, (_, percent) in latest.items()
    }


def _end_lease() -> None:
    """As if its time had passed."""
    outside_transaction(Course).update_many({}, {"$set": {"poll_lease_until": clock.now()}})


def _read_to_the_end(course: Course) -> None:
    deadline = time.monotonic() + 60
    while poller.poll(course.course_id, only_if_due=False).outcome != "read":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("at_call", [1, 2, 3, 5])
def test_a_poller_that_is_overtaken_in_the_middle_stops_and_the_other_ends_the_read(course, monkeypatch, at_call):
    extend, calls = poll_lease.extend, []

    def overtaken(lease):
        calls.append(lease)
        if len(calls) == at_call:
            _end_lease()
            other = poll_lease.win(course.course_id, only_if_due=False, afresh=False)
            poll_lease.interrupt(other, other.offset, go_on_after_seconds=0)
        extend(lease)

    monkeypatch.setattr(poll_lease, "extend", overtaken)
    assert poller.poll(course.course_id, only_if_due=False).outcome == "lease_lost"
    assert len(calls) == at_call, "it made no further call"
    monkeypatch.undo()
    _read_to_the_end(course)
    _assert_sound(course)


def test_pollers_that_all_want_the_same_course_read_it_one_after_the_other(course, academy):
    stop_at, outcomes = time.monotonic() + 6, []

    def poll():
        while time.monotonic() < stop_at:
            outcomes.append(poller.poll(course.course_id, only_if_due=False).outcome)
        connection.close()

    threads = [Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    dice = random.Random(7)
    _wait_for_members(course)
    emails = list(Member.objects.for_course(course.course_id).values_list("email", flat=True))
    while time.monotonic() < stop_at:
        academy.put_learner(course.course_id, dice.choice(emails), dice.randrange(101))
    for thread in threads:
        thread.join()
    assert set(outcomes) <= {"read", "not_due"}
    assert outcomes.count("read") > 1
    _read_to_the_end(course)
    _assert_sound(course)


def _wait_for_members(course: Course) -> None:
    deadline = time.monotonic() + 30
    while Member.objects.for_course(course.course_id).count() < 60:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.fault
@pytest.mark.parametrize("seed", range(5))
def test_a_poller_that_is_killed_leaves_nothing_that_the_next_cannot_end(course, academy, seed):
    dice = random.Random(seed)
    academy.switch(latency_ms=100)
    poller = subprocess.Popen(
        [sys.executable, "manage.py", "poll_progress", "--course", course.course_id, "--full"],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    _wait_for_calls(academy, 1 + dice.randrange(4))
    time.sleep(dice.uniform(0, 0.15))  # any moment of the reading, as the seed says
    poller.send_signal(signal.SIGKILL)
    poller.wait(10)
    academy.switch(latency_ms=0)
    _end_lease()
    _read_to_the_end(course)
    _assert_sound(course)
    assert not SweepPart.objects.exists()


def _wait_for_calls(academy, count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(n for name, n in academy.counters()["by_endpoint"].items() if "courseMembers" in name) < count:
        assert time.monotonic() < deadline, "the poller does not read"
        time.sleep(0.01)
