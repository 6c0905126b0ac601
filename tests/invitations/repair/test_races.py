"""Whatever happens at the same moment, and wherever a process dies: nobody is invited twice, nobody vanishes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from invitations import services
from invitations.models import Batch, Invitation
from invitations.repair import revision
from invitations.selectors import batch_status
from invitations.sending import existing_learners, sender
from tests.invitations.repair.conftest import seen_of

State = Invitation.State
ADA, GRACE, ALAN = "ada@example.org", "grace@example.org", "alan@example.org"
FILE = f"email,first name,last name\n{ADA},Ada,L\ngrace.example.org,Grace,H\nalan.example.org,Alan,T\n"


def _at_once(*acts):
    """All of them in threads of their own that begin together; what they return."""
    start = Barrier(len(acts))

    def run(act):
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(run, act) for act in acts]]


def _repair(batch, line: int, email: str, seen: str = ""):
    found = Invitation.objects.get(batch=batch, line=line)
    return services.repair(batch, found, {"email": email}, seen=seen or seen_of(found), actor="trainer")


@pytest.mark.parametrize("time", range(3))
def test_of_two_repairs_of_one_row_one_counts(uploaded, row, time):
    batch = uploaded(FILE)
    seen = seen_of(row(batch, 3))
    done = _at_once(lambda: _repair(batch, 3, GRACE, seen), lambda: _repair(batch, 3, ALAN, seen))
    assert [one.is_done for one in done].count(True) == 1
    assert row(batch, 3).email == (GRACE if done[0].is_done else ALAN)
    assert row(batch, 3).correction["times"] == 1


@pytest.mark.parametrize("time", range(3))
def test_two_rows_that_get_one_address_at_once_are_one_learner_and_a_duplicate(uploaded, row, time):
    batch = uploaded(FILE)
    done = _at_once(lambda: _repair(batch, 3, GRACE), lambda: _repair(batch, 4, GRACE))
    assert all(one.is_done for one in done)
    assert sorted([row(batch, 3).state, row(batch, 4).state]) == [State.DUPLICATE, State.PENDING]


@pytest.mark.parametrize("time", range(4))
def test_a_confirmation_at_the_same_moment_sends_nobody_without_a_look(
    uploaded, row, look, academy, course, invited_counts, time
):
    batch = uploaded(FILE)
    academy.put_learner(course.course_id, GRACE, 0)
    repaired, confirmed = _at_once(
        lambda: _repair(batch, 3, GRACE).is_done, lambda: services.confirm(batch, actor="trainer")
    )
    assert confirmed
    state = sender.send_slice(batch.pk)
    if repaired:
        assert state == Batch.State.QUEUED
        look(batch)
        sender.send_slice(batch.pk)
        assert row(batch, 3).state == State.ALREADY_ENROLLED
    else:
        assert row(batch, 3).state == State.INVALID
    assert invited_counts() == {ADA: 1}


@pytest.mark.parametrize("time", range(4))
def test_a_look_at_the_same_moment_does_not_count_for_the_row(uploaded, row, read_members, academy, course, time):
    batch = uploaded(FILE)
    Batch.objects.filter(pk=batch.pk).update(members_checked_at=None)
    read_members()
    academy.put_learner(course.course_id, GRACE, 0)
    repaired, _ = _at_once(lambda: _repair(batch, 3, GRACE), lambda: existing_learners.refine(batch.pk))
    assert repaired.is_done
    batch.refresh_from_db()
    assert batch.members_checked_at is None
    assert row(batch, 3).called_at
    read_members()
    assert existing_learners.refine(batch.pk)
    assert row(batch, 3).state == State.ALREADY_ENROLLED


def test_a_row_of_a_reading_before_is_not_the_one_in_its_line_now(uploaded, row, person):
    """Whoever saw Grace in line 4 does not leave out, or overwrite, who stands there since."""
    text = f"email,first name,last name\n{ADA},Ada,L\none@example.org;two@example.org,A,B\n{GRACE},Grace,H\n"
    batch = uploaded(text)
    seen = seen_of(row(batch, 4))
    assert services.one_row_per_address(batch, user=person("trainer"))
    batch.refresh_from_db()
    there = row(batch, 4)
    assert (there.email, there.state) == ("two@example.org", State.PENDING)
    assert not services.leave_out(batch, there, seen=seen, actor="trainer").is_done
    assert not _repair(batch, 4, "hopper@example.org", seen).is_done
    assert (row(batch, 4).email, row(batch, 4).state) == ("two@example.org", State.PENDING)


class _Died(BaseException):
    pass


@pytest.mark.parametrize("after", ["write", "close"])
def test_a_kill_between_two_writes_leaves_the_row_as_it_was(uploaded, row, monkeypatch, after):
    batch = uploaded(FILE)
    kept = getattr(revision.Revision, after)

    def dying(self, *args):
        kept(self, *args)
        raise _Died

    with monkeypatch.context() as killed:
        killed.setattr(revision.Revision, after, dying)
        with pytest.raises(_Died):
            _repair(batch, 3, GRACE)
    assert row(batch, 3).state == State.INVALID
    assert Batch.objects.get(pk=batch.pk).members_checked_at
    assert _repair(batch, 3, GRACE).is_done


def test_rows_left_out_and_taken_back_while_others_repair_lose_nobody(uploaded, row):
    batch = uploaded(FILE + f"{ADA},Ada,Twice\n")

    def left_out():
        found = row(batch, 2)
        return services.leave_out(batch, found, seen=seen_of(found), actor="trainer")

    _at_once(left_out, lambda: _repair(batch, 3, ADA), lambda: _repair(batch, 4, ADA))
    holders = Invitation.objects.filter(batch=batch, email_folded=ADA, state=State.PENDING)
    assert holders.count() == 1
    assert batch_status.status(batch.pk)["counts"] == {State.PENDING: 1, State.INVALID: 1, State.DUPLICATE: 2}
