"""Reading courses from the sandbox: when, by whom, and what is written."""

import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from coursehub import clock, rate_limit
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from oauthtokens import services as token_services
from progress import tasks
from progress.models import Member, ProgressEntry, SweepPart
from progress.polling import member_store, poll_lease, poller, schedule
from progress.polling.poll_lease import LeaseLost
from tests.support.makers import make_course, remote_member, store


@pytest.fixture
def course(academy) -> Course:
    """The first course of the sandbox, not read yet."""
    return Course.objects.order_by("course_id").first()


def _due(course: Course) -> None:
    Course.objects.filter(pk=course.pk).update(poll_due_at=clock.now() - timedelta(seconds=1), poll_rung_at=None)


def _writes(database) -> dict[str, int]:
    """Documents written so far, as the server counts them."""
    return database.client.admin.command("serverStatus")["metrics"]["document"]


def test_a_poll_stores_what_the_academy_lists(course):
    result = poller.poll(course.course_id, only_if_due=False)
    remote = list(token_services.client(lane=rate_limit.PROGRESS).iter_course_members(course.course_id))
    assert (result.outcome, result.learners, result.changed) == ("read", len(remote), len(remote))
    stored = {member.member_id: member for member in Member.objects.for_course(course.course_id)}
    assert stored.keys() == {member.member_id for member in remote}
    assert {member.email for member in stored.values()} == {member.email for member in remote}


def test_each_change_has_a_revision_of_its_own_and_one_history_entry(database):
    make_course()
    store(*(remote_member(number) for number in range(1100)))
    store(remote_member(3, percent=20), remote_member(4))
    revisions = sorted(ProgressEntry.objects.values_list("revision", flat=True))
    assert revisions == list(range(1, 1102))
    assert Course.objects.get().revision == 1101
    assert Member.objects.get(member_id="m3").revision == 1101
    assert ProgressEntry.objects.filter(member_id="m4").count() == 1


def test_an_unchanged_poll_writes_no_row(own_mongod, database):
    make_course()
    members = [remote_member(number) for number in range(200)]
    store(*members)
    rows, before = list(outside_transaction(Member).find()), _writes(database)
    assert store(*members) == 0
    after = _writes(database)
    assert (after["inserted"] - before["inserted"], after["deleted"] - before["deleted"]) == (0, 0)
    assert after["updated"] - before["updated"] <= 3, "only the course's own document: the lease and the result"
    assert list(outside_transaction(Member).find()) == rows
    assert Course.objects.get().revision == 200


def test_a_poll_that_finds_nothing_new_commands_no_write_but_of_its_course(course, database):
    for _ in range(2):
        poller.poll(course.course_id, only_if_due=False)
    database.command("profile", 2)
    done = poller.poll(course.course_id, only_if_due=False)
    database.command("profile", 0)
    writes = {"op": {"$in": ["insert", "update", "remove"]}, "ns": {"$not": {"$regex": "system|oauthtokens"}}}
    found_and_modified = {"command.findAndModify": {"$exists": True}, "ns": {"$not": {"$regex": "oauthtokens"}}}
    written = list(database["system.profile"].find({"$or": [writes, found_and_modified]}))
    database["system.profile"].drop()
    assert {entry["ns"].partition(".")[2] for entry in written} == {"coursehub_course"}
    assert len(written) <= done.calls + 3, "winning, beginning the full read, one renewal per call, the end"


def test_of_many_pollers_at_once_one_works(course):
    _due(course)
    outcomes = []

    def poll():
        outcomes.append(poller.poll(course.course_id).outcome)
        connection.close()

    threads = [Thread(target=poll) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["not_due"] * 7 + ["read"]
    assert Course.objects.get(pk=course.pk).revision == Member.objects.for_course(course.course_id).count()


def test_a_poller_that_was_overtaken_writes_nothing(database):
    make_course()
    late = poll_lease.win("3000000001", only_if_due=False, afresh=True)
    Course.objects.update(poll_lease_until=clock.now() - timedelta(seconds=1))
    poll_lease.win("3000000001", only_if_due=False, afresh=True)
    for step in (
        poll_lease.extend,
        poll_lease.finish,
        lambda lease: member_store.store_members(lease, [remote_member(1)]),
    ):
        with pytest.raises(LeaseLost):
            step(late)
    assert not Member.objects.exists()
    assert Course.objects.get().revision == 0


def test_a_course_is_taken_over_when_its_poller_died(database):
    make_course()
    assert poll_lease.win("3000000001", only_if_due=False, afresh=True)
    assert poll_lease.win("3000000001", only_if_due=False, afresh=True) is None
    Course.objects.update(poll_lease_until=clock.now() - timedelta(seconds=1))
    assert poll_lease.win("3000000001", only_if_due=False, afresh=True)


def test_a_due_course_is_told_once_and_again_when_nobody_came(database):
    course = make_course(watched_until=clock.now() + timedelta(minutes=5))
    assert list(schedule.ring_due()) == []
    _due(course)
    assert list(schedule.ring_due()) == ["3000000001"]
    assert list(schedule.ring_due()) == []
    earlier = clock.now() - timedelta(seconds=schedule.RING_AGAIN_SECONDS + 1)
    Course.objects.update(poll_rung_at=earlier)
    assert list(schedule.ring_due()) == ["3000000001"]


def test_courses_that_nobody_watches_leave_a_process_free(database, settings):
    settings.WORKER_PROCESSES = 2
    for number in range(5):
        make_course(f"4{number:09}", poll_due_at=clock.now() - timedelta(hours=1))
    assert len(schedule.ring_due()) == 1
    Course.objects.update(poll_rung_at=clock.now() - timedelta(seconds=schedule.RING_AGAIN_SECONDS + 1))
    Course.objects.exclude(course_id="4000000000").update(poll_rung_at=None)
    assert list(schedule.ring_due()) == [], "it waits in the queue"
    make_course(poll_due_at=clock.now(), watched_until=clock.now() + timedelta(seconds=30))
    assert list(schedule.ring_due()) == ["3000000001"]


def test_a_read_that_is_under_way_is_told_before_another_begins(database, settings):
    settings.WORKER_PROCESSES = 2
    make_course("4000000001", poll_due_at=clock.now() - timedelta(hours=1))
    make_course("4000000002", poll_due_at=clock.now(), poll_top_ms=1)
    assert list(schedule.ring_due()) == ["4000000002"]


def test_a_course_that_is_read_or_gone_is_not_told(database):
    course = make_course()
    _due(course)
    poll_lease.win("3000000001", only_if_due=True, afresh=False)
    assert list(schedule.ring_due()) == []
    Course.objects.update(poll_lease_until=None, gone_at=clock.now())
    assert list(schedule.ring_due()) == []


def test_looking_for_due_courses_reads_an_index(database):
    make_course(poll_due_at=clock.now() - timedelta(seconds=1))
    for number in range(50):
        make_course(f"4{number:09}", poll_due_at=clock.now() + timedelta(hours=1))
    explained = outside_transaction(Course).find(schedule.due()).sort("poll_due_at", 1).explain()
    assert explained["executionStats"]["totalDocsExamined"] <= 1


def test_the_next_poll_follows_the_viewers(course, settings):
    settings.PROGRESS_WATCHED_SECONDS, settings.PROGRESS_IDLE_SECONDS = 60, 3600
    poller.poll(course.course_id, only_if_due=False)
    course.refresh_from_db()
    assert timedelta(seconds=300) <= course.poll_due_at - course.polled_at <= timedelta(seconds=3600)
    outside_transaction(Course).update_many(*schedule.watching([course.course_id]))
    course.refresh_from_db()
    assert course.poll_due_at - course.polled_at == timedelta(seconds=45)
    poller.poll(course.course_id, only_if_due=False)
    course.refresh_from_db()
    assert course.poll_due_at - course.polled_at == timedelta(seconds=45)


def test_trouble_is_noted_in_one_sentence_and_waits_longer_each_time(course, sandbox, monkeypatch):
    monkeypatch.setitem(token_services.RETRY_DEADLINE_SECONDS, rate_limit.PROGRESS, 0.0)
    sandbox.stop()
    waits = []
    for _ in range(2):
        result = poller.poll(course.course_id, only_if_due=False)
        course.refresh_from_db()
        waits.append((course.poll_due_at - clock.now()).total_seconds())
    assert (result.outcome, result.reason) == ("failed", course.poll_error)
    assert course.poll_error.endswith(".")
    assert waits[0] < 6 < waits[1] < 16
    outside_transaction(Course).update_many(*schedule.watching([course.course_id]))
    course.refresh_from_db()
    assert course.poll_due_at == course.poll_not_before, "a viewer does not shorten the pause"
    sandbox.start()
    assert poller.poll(course.course_id, only_if_due=False).outcome == "read"
    course.refresh_from_db()
    assert (course.poll_error, course.poll_failures) == ("", 0)


def test_a_sweep_that_runs_out_of_time_goes_on_where_it_was(course, sandbox, monkeypatch):
    everybody = poller.poll(course.course_id, only_if_due=False).learners
    outside_transaction(Member).delete_many({})
    sandbox.switch(limit_cap=10)
    monkeypatch.setattr(poller, "SLICE_SECONDS", 0.0)
    outcomes = []
    while "read" not in outcomes and len(outcomes) < everybody:
        monkeypatch.setattr(rate_limit, "reserve_slot", _slots(1))
        outcomes.append(poller.poll(course.course_id, only_if_due=False).outcome)
    assert outcomes[0] == "unfinished"
    assert outcomes[-1] == "read"
    assert Member.objects.for_course(course.course_id).count() == everybody
    assert not SweepPart.objects.exists()
    course.refresh_from_db()
    assert course.polled_at == course.poll_began_at
    assert course.sweep_rows == everybody


@pytest.mark.parametrize("calls_per_task", [1, 100])
def test_a_list_that_repeats_itself_is_noticed_and_nobody_is_gone(course, sandbox, monkeypatch, calls_per_task):
    everybody = poller.poll(course.course_id, only_if_due=False).learners
    monkeypatch.setattr(poller, "SLICE_SECONDS", 0.0)
    sandbox.switch(si_ignored=True, limit_cap=10)
    outcomes = []
    while outcomes.count("failed") < 3 and len(outcomes) < 20:
        monkeypatch.setattr(rate_limit, "reserve_slot", _slots(calls_per_task))
        outcomes.append(poller.poll(course.course_id, only_if_due=False, afresh=outcomes[-1:] == ["failed"]).outcome)
    assert outcomes.count("failed") == 3
    course.refresh_from_db()
    assert course.poll_error == errors.NotPaged.default_sentence
    assert Member.objects.for_course(course.course_id).count() == everybody
    assert not Member.objects.exclude(absent_sweeps=0).exists()


def test_who_left_is_noticed_by_a_sweep_of_many_tasks(course, sandbox, monkeypatch):
    poller.poll(course.course_id, only_if_due=False)
    store(remote_member(1, course_id=course.course_id), course_id=course.course_id)
    sandbox.switch(limit_cap=10)
    monkeypatch.setattr(poller, "SLICE_SECONDS", 0.0)
    reads = 0
    while reads < 2:
        monkeypatch.setattr(rate_limit, "reserve_slot", _slots(2))
        reads += poller.poll(course.course_id, only_if_due=False).outcome == "read"
    assert [member.member_id for member in Member.objects.exclude(gone_at=None)] == ["m1"]


def _slots(count: int):
    """A budget that has `count` calls left."""
    slots = iter([True] * count)
    return lambda lane, within_seconds: next(slots, False)


def test_a_learner_is_gone_after_two_full_sweeps_without_them_and_can_come_back(database):
    make_course()
    store(*(remote_member(number) for number in range(3)))
    for expected in (0, 1):
        lease = poll_lease.win("3000000001", only_if_due=False, afresh=True)
        assert member_store.store_absent(lease, {"m0", "m1"}) == expected
        poll_lease.finish(lease)
    assert Member.objects.for_course("3000000001").count() == 2
    store(remote_member(2))
    assert Member.objects.for_course("3000000001").count() == 3
    assert Member.objects.get(member_id="m2").revision == 5


def test_one_sweep_without_a_learner_is_forgiven_by_the_next_with_them(database):
    make_course()
    store(remote_member(0), remote_member(1))
    for _ in range(3):
        lease = poll_lease.win("3000000001", only_if_due=False, afresh=True)
        member_store.store_absent(lease, {"m0"})
        poll_lease.finish(lease)
        store(remote_member(0), remote_member(1))
    assert Member.objects.for_course("3000000001").count() == 2
    assert Course.objects.get().revision == 2


def test_the_task_polls_only_what_is_due(course):
    Course.objects.filter(pk=course.pk).update(poll_due_at=None)
    assert tasks.poll(course.course_id) == "not_due"
    _due(course)
    assert tasks.poll(course.course_id) == "read"


def test_saving_a_course_takes_no_poll_result_back(database):
    stale = make_course()
    store(remote_member(1))
    stale.name = "Renamed"
    stale.save()
    fresh = Course.objects.get()
    assert (fresh.name, fresh.revision, fresh.poll_fence) == ("Renamed", 1, 1)


def test_the_command_polls_and_says_so(course):
    out = StringIO()
    call_command("poll_progress", course=course.course_id, json=True, stdout=out)
    (poll,) = json.loads(out.getvalue())["polls"]
    assert (poll["outcome"], poll["course_id"]) == ("read", course.course_id)
    with pytest.raises(CommandError, match="no course none") as ended:
        call_command("poll_progress", course="none", stderr=StringIO())
    assert ended.value.returncode == 3


def test_what_could_not_be_read_stays_as_it_is_stored(database):
    make_course()
    seen = remote_member(1, percent=66.0, last_login_at=clock.now())
    store(seen)
    stored = Member.objects.get()
    unread = replace(
        seen, percent=None, last_login_at=None, time_ms=0, unreadable=("percent", "last_login_at", "time_ms")
    )
    assert store(unread) == 0
    kept = Member.objects.get()
    assert (kept.percent, kept.last_seen_at, kept.remote_time_ms) == (66, stored.last_seen_at, stored.remote_time_ms)
    store(remote_member(2, percent=None, unreadable=("percent",)))
    assert Member.objects.get(member_id="m2").percent == 0
