"""Courses that a batch waits for: read in front of all others, in full, and no more often than needed."""

from datetime import timedelta

import pytest

from coursehub import clock, course_members
from coursehub.models import Course
from oauthtokens import services as token_services
from progress import course_sync, tasks
from progress.models import Member
from progress.polling import incremental, poll_lease, poller, schedule
from tests.support.makers import make_course, remote_member, store


@pytest.fixture
def small(database, sandbox) -> Course:
    """The one course of an academy, with 12 learners, not read yet."""
    sandbox.reset(courses=1, learners_per_course=12)
    sandbox.switch(calls_per_minute=0, mints_per_10_minutes=0)
    code = sandbox.self_client_code(token_services.SCOPE)
    token_services.exchange_code(number=1, code=code, actor="test")
    course_sync.sync_courses()
    return Course.objects.get()


def _overdue(number: int, **fields) -> Course:
    return make_course(f"4{number:09}", poll_due_at=clock.now() - timedelta(hours=1), **fields)


def _calls(sandbox) -> int:
    return sum(count for name, count in sandbox.counters()["by_endpoint"].items() if "courseMembers" in name)


def test_a_course_that_a_batch_waits_for_is_told_before_forty_that_are_overdue(database, settings):
    settings.WORKER_PROCESSES = 2
    for number in range(40):
        _overdue(number)
    _overdue(50, watched_until=clock.now() + timedelta(seconds=30))
    make_course("3000000001", poll_due_at=clock.now() + timedelta(hours=1))
    assert course_members.ask_for_sweep(["3000000001"], since=clock.now()) == ["3000000001"]
    rung = schedule.ring_due()
    assert list(rung)[:2] == ["3000000001", "4000000050"]
    assert len(rung) == 3, "of the others one"
    starts = list(rung.values())
    assert starts == sorted(starts, reverse=True)
    assert len(set(starts)) == 3


def test_the_wishes_come_in_the_order_in_which_they_were_made(database):
    for number in range(3):
        _overdue(number)
    for number in (2, 0, 1, 2, 0):
        course_members.ask_for_sweep([f"4{number:09}"], since=clock.now())
    assert list(schedule.ring_due()) == ["4000000002", "4000000000", "4000000001"]


def test_a_course_that_was_told_by_the_clock_is_told_again_for_a_batch(database):
    _overdue(0)
    assert list(schedule.ring_due()) == ["4000000000"]
    since = clock.now()
    course_members.ask_for_sweep(["4000000000"], since=since)
    assert list(schedule.ring_due()) == ["4000000000"]
    course_members.ask_for_sweep(["4000000000"], since=since)
    assert list(schedule.ring_due()) == [], "once"


def test_the_wait_after_trouble_is_kept(database):
    not_before = clock.now() + timedelta(minutes=5)
    make_course("3000000001", poll_due_at=clock.now() + timedelta(hours=1), poll_not_before=not_before)
    for _ in range(2):
        course_members.ask_for_sweep(["3000000001"], since=clock.now())
        assert Course.objects.get().poll_due_at == not_before
    assert list(schedule.ring_due()) == []


def test_a_small_course_costs_two_calls_and_the_wish_is_met(small, sandbox):
    before = _calls(sandbox)
    assert course_members.ask_for_sweep([small.course_id], since=clock.now()) == [small.course_id]
    done = poller.poll(small.course_id)
    assert (done.outcome, done.mode, done.calls, done.is_answer) == ("read", "full", 2, True)
    assert _calls(sandbox) - before == 2
    assert Member.objects.for_course(small.course_id).count() == 12
    small.refresh_from_db()
    assert (small.wanted_at, small.wanted_since) == (None, None)
    assert small.poll_due_at > clock.now()
    assert not poller.poll(small.course_id, only_if_due=False).is_answer


def test_a_read_of_the_newest_does_not_meet_a_wish(small):
    for _ in range(3):
        poller.poll(small.course_id, only_if_due=False, afresh=True)
    Course.objects.update(poll_order="newest", poll_unproven=0)
    since = clock.now()
    reader = poll_lease.win(small.course_id, only_if_due=False, afresh=False)
    assert course_members.ask_for_sweep([small.course_id], since=since) == [small.course_id]
    poll_lease.finish(reader)
    assert course_members.ask_for_sweep([small.course_id], since=since) == [small.course_id]
    small.refresh_from_db()
    assert small.polled_at >= since
    assert small.poll_due_at <= clock.now()
    assert poller.poll(small.course_id).mode == "full"
    assert course_members.ask_for_sweep([small.course_id], since=since) == []


def test_who_asks_while_a_read_is_under_way_gets_the_next_one_at_once(small):
    first = clock.now()
    course_members.ask_for_sweep([small.course_id], since=first)
    lease = poll_lease.win(small.course_id, only_if_due=True, afresh=False)
    second = clock.now() + timedelta(milliseconds=5)
    course_members.ask_for_sweep([small.course_id], since=second)
    poll_lease.finish(lease, poll_lease.Done(sweep=poll_lease.Sweep(calls=2, rows=12, unproven=0)))
    assert course_members.ask_for_sweep([small.course_id], since=first) == []
    assert course_members.ask_for_sweep([small.course_id], since=second) == [small.course_id]
    assert list(schedule.ring_due()) == [small.course_id]
    assert poller.poll(small.course_id).outcome == "read"
    assert course_members.ask_for_sweep([small.course_id], since=second) == []


def test_an_unfinished_read_from_before_the_wish_begins_anew_and_one_from_after_goes_on(database):
    make_course()
    old = poll_lease.win("3000000001", only_if_due=False, afresh=True)
    poll_lease.begin_sweep(old, 1)
    poll_lease.interrupt(old, 95, go_on_after_seconds=0)
    course_members.ask_for_sweep(["3000000001"], since=clock.now())
    wanted = poll_lease.win("3000000001", only_if_due=True, afresh=False)
    assert (wanted.offset, wanted.top_ms, wanted.is_wanted) == (0, None, True)
    poll_lease.begin_sweep(wanted, 1)
    poll_lease.interrupt(wanted, 95, go_on_after_seconds=0)
    course_members.ask_for_sweep(["3000000001"], since=clock.now())
    assert poll_lease.win("3000000001", only_if_due=True, afresh=False).offset == 95


def test_a_read_for_a_batch_leaves_a_watermark_from_which_the_newest_are_read(small):
    course_members.ask_for_sweep([small.course_id], since=clock.now())
    poller.poll(small.course_id)
    newest_ms = max(Member.objects.values_list("remote_time_ms", flat=True))
    small.refresh_from_db()
    assert small.poll_watermark_ms == newest_ms


def test_a_read_for_a_batch_finds_out_that_the_order_by_time_cannot_be_trusted(small):
    for _ in range(2):
        poller.poll(small.course_id, only_if_due=False, afresh=True)
    Course.objects.update(poll_order="newest", poll_unproven=0)
    member = Member.objects.order_by("remote_time_ms").first()
    small.refresh_from_db()
    assert member.remote_time_ms < small.poll_watermark_ms - incremental.OVERLAP_MS
    Member.objects.filter(pk=member.pk).update(percent=(member.percent + 1) % 100)
    course_members.ask_for_sweep([small.course_id], since=clock.now())
    assert poller.poll(small.course_id).missed == 1
    small.refresh_from_db()
    assert small.poll_unproven == poller.PROOFS_AFTER_A_MISS


def test_a_worker_tells_who_waited(small, database):
    bells = database["coursehub_queue"]
    bells.delete_many({})
    tasks.poll(small.course_id)
    assert bells.count_documents({}) == 0
    course_members.ask_for_sweep([small.course_id], since=clock.now())
    tasks.poll(small.course_id)
    assert [bell["bell"] for bell in bells.find()] == [f'["invitations.tasks.course_was_read", "{small.course_id}"]']


def test_members_who_were_read_before_still_count_while_a_course_is_read_anew(database):
    make_course()
    store(remote_member(1))
    course_members.ask_for_sweep(["3000000001"], since=clock.now())
    assert course_members.in_course("3000000001", ["learner1@example.org"]) == {"learner1@example.org": "m1"}
