"""A row is put right where it is seen: judged by the file's rules, looked at anew, and nobody in the list vanishes."""

import pytest

from coursehub import clock
from coursehub.models import AuditEvent, Course
from invitations import results_csv, services
from invitations.models import Batch, Invitation
from invitations.repair import acts, revision, without_names
from invitations.selectors import batch_status
from invitations.sending import existing_learners, missing_names, sender
from tests.invitations.repair.conftest import seen_of

State = Invitation.State
ADA, GRACE, ALAN = "ada@example.org", "grace@example.org", "alan@example.org"
HEAD = "email,first name,last name\n"
FILE = f"{HEAD}{ADA},Ada,L\ngrace.example.org,Grace,H\n{ADA},Ada,Twice\n"


def _counts(batch) -> dict[str, int]:
    return batch_status.status(batch.pk)["counts"]


def test_a_row_that_was_put_right_is_invited_once_after_a_look(uploaded, repair, row, look, invited_counts):
    batch = uploaded(FILE)
    outcome = repair(batch, 3, email=GRACE)
    assert outcome.is_done
    assert outcome.sentence == "Line 3: Will be invited."
    found = row(batch, 3)
    assert (found.state, found.email, found.first_name) == (State.PENDING, GRACE, "Grace")
    batch.refresh_from_db()
    assert batch.members_checked_at is None
    assert found.called_at == batch.look_since
    assert services.confirm(batch, actor="trainer")
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED, "not before its look"
    look(batch)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {ADA: 1, GRACE: 1}


def test_whoever_is_in_the_course_by_then_is_enrolled_and_not_ours(uploaded, repair, row, academy, course, look):
    batch = uploaded(FILE)
    academy.put_learner(course.course_id, GRACE, 0)
    assert repair(batch, 3, email=GRACE).is_done
    look(batch)
    assert row(batch, 3).state == State.ALREADY_ENROLLED, "an undo of this batch must not take their access"


def test_a_row_is_not_taken_before_its_look_whatever_lets_the_batch_run(uploaded, repair, invited_counts):
    batch = uploaded(FILE)
    repair(batch, 3, email=GRACE)
    Batch.objects.filter(pk=batch.pk).update(state=Batch.State.RUNNING, members_checked_at=clock.now())
    assert sender.send_slice(batch.pk) == Batch.State.QUEUED, "the others were sent, this one waits for a look"
    assert invited_counts() == {ADA: 1}


def test_a_look_that_began_before_the_repair_does_not_count(uploaded, repair, row, read_members):
    batch = uploaded(FILE)
    Batch.objects.filter(pk=batch.pk).update(members_checked_at=None)
    read_members()
    repair(batch, 3, email=GRACE)
    assert not existing_learners.refine(batch.pk)
    assert row(batch, 3).called_at
    read_members()
    assert existing_learners.refine(batch.pk)
    assert row(batch, 3).called_at is None


def test_what_is_as_unusable_as_before_changes_nothing_and_says_why(uploaded, repair, row):
    batch = uploaded(FILE)
    outcome = repair(batch, 3, email="grace@", first_name="G")
    assert not outcome.is_done
    assert outcome.sentence.startswith("Not an e-mail address")
    assert (row(batch, 3).first_name, row(batch, 3).correction) == ("Grace", {})
    assert Batch.objects.get(pk=batch.pk).members_checked_at, "and costs no look"


def test_a_repair_that_makes_a_duplicate_names_the_line(uploaded, repair, row):
    batch = uploaded(FILE)
    assert repair(batch, 3, email="ADA@example.org").is_done
    assert (row(batch, 3).state, row(batch, 3).reason) == (State.DUPLICATE, "The same address as in line 2.")


def test_a_duplicate_takes_the_place_of_the_row_that_was_put_right(uploaded, repair, row):
    batch = uploaded(f"{FILE}{ADA},Ada,Thrice\n")
    outcome = repair(batch, 2, email=ALAN)
    assert outcome.promoted == [4]
    assert "Line 4 with its former address takes its place." in outcome.sentence
    assert [row(batch, line).state for line in (2, 4, 5)] == [State.PENDING, State.PENDING, State.DUPLICATE]
    assert row(batch, 5).reason == "The same address as in line 4."
    assert row(batch, 4).called_at, "who was never looked for waits for a look"


def test_a_row_that_is_left_out_hands_its_place_to_its_duplicate_and_is_taken_back_as_one(
    uploaded, leave_out, take_back, row
):
    batch = uploaded(FILE)
    assert leave_out(batch, 2).promoted == [4]
    assert (row(batch, 2).state, row(batch, 2).reason) == (State.INVALID, "Left out by trainer.")
    assert row(batch, 4).state == State.PENDING
    assert take_back(batch, 2).is_done
    assert (row(batch, 2).state, row(batch, 2).reason) == (State.DUPLICATE, "The same address as in line 4.")
    assert _counts(batch) == {State.PENDING: 1, State.INVALID: 1, State.DUPLICATE: 1}


def test_what_is_taken_back_gets_the_verdict_that_it_had(uploaded, leave_out, take_back, row, course):
    course.name = "Safety at work"
    course.save()
    until = clock.now().year + 1
    batch = uploaded(f"email,access until\n{ADA},{until}-05-04\nada.lovelace@example.org,\n")
    kept = ("state", "reason", "email", "first_name", "last_name", "name_made", "access_expires_at", "course_id")
    before = [[getattr(row(batch, line), name) for name in kept] for line in (2, 3)]
    for line in (2, 3):
        assert leave_out(batch, line).is_done
        assert take_back(batch, line).is_done
    assert [[getattr(row(batch, line), name) for name in kept] for line in (2, 3)] == before


def test_only_what_a_person_left_out_is_taken_back(uploaded, take_back, row):
    batch = uploaded(FILE)
    assert not take_back(batch, 3).is_done
    assert row(batch, 3).state == State.INVALID


def test_cells_that_could_not_be_read_are_shown_as_they_stand_in_the_file(uploaded, repair, row, client_for, course):
    batch = uploaded(
        f"email,course,access until\ngrace.example.org,Nonsense,31.31.2027\n{ADA},{course.course_id},2099-01-01\n"
    )
    page = client_for("trainer").get(f"/invitations/{batch.pk}/rows/2/repair/").content.decode()
    assert 'value="Nonsense"' in page
    assert 'value="31.31.2027"' in page
    cells = {"course": "Nonsense", "access_expires": "31.31.2027"}
    assert "no course" in repair(batch, 2, email=GRACE, **cells).sentence
    assert "There is no day" in repair(batch, 2, email=GRACE, course="", access_expires="31.31.2027").sentence
    outcome = repair(batch, 2, email=GRACE)
    assert not outcome.is_done, "what nobody corrected counts as it stands in the file"
    until = f"{clock.now().year + 1}-05-04"
    assert repair(batch, 2, email=GRACE, course=course.course_id, access_expires=until).is_done
    assert row(batch, 2).access_expires_at


def test_a_course_is_written_by_its_name(uploaded, repair, row, person, course):
    other = Course.objects.with_members().visible_to(person("trainer")).exclude(pk=course.pk).first()
    batch = uploaded(f"email,course\n{ADA},{course.course_id}\n", chosen=False)
    assert repair(batch, 2, course=other.name).is_done
    assert row(batch, 2).course_id == other.course_id
    assert row(batch, 2).correction["cells"]["course"] == {"before": course.name, "now": other.name}


def test_the_correction_is_kept_shown_and_in_the_results_while_the_bytes_stay(uploaded, repair, row, client_for):
    batch = uploaded(FILE)
    repair(batch, 3, email=GRACE)
    words = f"Corrected: the address from “grace.example.org” to “{GRACE}”."
    assert row(batch, 3).explanation == words
    assert words in client_for("trainer").get(f"/invitations/{batch.pk}/").content.decode()
    results = b"".join(results_csv.of(Batch.objects.get(pk=batch.pk)).chunks).decode()
    assert f"grace.example.org,Grace,H,pending,{words}" in results
    repair(batch, 3, first_name="Amazing Grace")
    assert row(batch, 3).correction["cells"]["email"]["before"] == "grace.example.org"
    assert row(batch, 3).email_before == "grace.example.org"


def test_the_audit_counts_rows_and_names_nobody(uploaded, repair, leave_out, take_back):
    batch = uploaded(FILE)
    repair(batch, 3, email=GRACE)
    leave_out(batch, 3)
    take_back(batch, 3)
    events = list(AuditEvent.objects.filter(action__contains="batch.rows").order_by("pk"))
    assert [event.action for event in events] == [
        "batch.rows_corrected",
        "batch.rows_left_out",
        "batch.rows_taken_back",
    ]
    assert all(event.detail["rows"] == 1 for event in events)
    assert GRACE not in str([event.detail for event in events])


def test_a_made_name_is_made_of_the_new_address_and_asked_about(uploaded, repair, row):
    batch = uploaded("email,first name,last name\nada.lovelace@example.org,Ada,L\ngracehopper,,\n")
    assert batch.made_names == 0
    assert repair(batch, 3, email="grace.hopper@example.org").is_done
    assert (row(batch, 3).first_name, row(batch, 3).last_name, row(batch, 3).name_made) == ("Grace", "Hopper", True)
    batch.refresh_from_db()
    assert missing_names.obstacle(batch) == missing_names.UNDECIDED
    assert not services.confirm(batch, actor="trainer")
    assert repair(batch, 3, first_name="Grace", last_name="H").is_done
    assert not row(batch, 3).name_made
    batch.refresh_from_db()
    assert missing_names.obstacle(batch) == ""


def test_who_has_a_made_name_gets_another_one_with_another_address(uploaded, repair, row):
    batch = uploaded("email\nada.lovelace@example.org\n")
    shown = {"first_name": "Ada", "last_name": "Lovelace"}
    assert repair(batch, 2, email="grace.hopper@example.org", **shown).is_done
    assert (row(batch, 2).first_name, row(batch, 2).last_name, row(batch, 2).name_made) == ("Grace", "Hopper", True)
    assert "first_name" not in row(batch, 2).correction["cells"]


def test_after_rows_without_names_were_left_out_a_repaired_one_needs_a_name(uploaded, repair, row):
    batch = uploaded("email,first name,last name\nada@example.org,Ada,L\ninfo@example.org,,\n")
    assert without_names.choose(batch, Batch.Names.LEFT_OUT, actor="trainer")
    assert repair(batch, 3, email="office@example.org").sentence == missing_names.LEFT_OUT
    assert repair(batch, 3, first_name="Grace", last_name="Hopper").is_done
    assert row(batch, 3).state == State.PENDING


def test_who_stays_the_same_learner_needs_no_other_look(uploaded, repair, row):
    batch = uploaded(FILE)
    assert repair(batch, 2, last_name="Lovelace").is_done
    batch.refresh_from_db()
    assert batch.members_checked_at
    assert row(batch, 2).called_at is None


@pytest.mark.parametrize("state", [Batch.State.QUEUED, Batch.State.RUNNING, Batch.State.CANCELLED])
def test_a_batch_that_has_moved_on_is_left_alone(uploaded, repair, row, state):
    batch = uploaded(FILE)
    Batch.objects.filter(pk=batch.pk).update(state=state)
    assert repair(batch, 3, email=GRACE).sentence == acts.TOO_LATE
    assert row(batch, 3).state == State.INVALID


def test_a_row_that_another_has_changed_is_left_alone(uploaded, repair, row):
    batch = uploaded(FILE)
    seen = seen_of(row(batch, 3))
    assert repair(batch, 3, email=GRACE, seen=seen).is_done
    assert repair(batch, 3, email=ALAN, seen=seen).sentence == acts.TOO_LATE
    assert row(batch, 3).email == GRACE


@pytest.fixture
def refused(uploaded, academy):
    """A finished batch: two learners were refused, one row was unusable."""
    batch = uploaded(f"{HEAD}{ADA},Ada,L\n{GRACE},Grace,H\nalan.example.org,Alan,T\n")
    academy.switch(learner_limit=1)
    services.confirm(batch, actor="trainer")
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED_WITH_ERRORS
    academy.switch(learner_limit=0)
    batch.refresh_from_db()
    return batch


def test_refused_and_unusable_rows_of_a_finished_batch_are_put_right_and_sent_after_a_look(
    refused, repair, row, academy, course, look, invited_counts
):
    assert repair(refused, 2, email="ada.l@example.org").is_done
    assert repair(refused, 4, email=ALAN).is_done
    assert {row(refused, line).reason for line in (2, 4)} == {revision.NOT_SENT}
    assert _counts(refused) == {State.FAILED: 3}, "nothing is sent before a person says so"
    academy.put_learner(course.course_id, ALAN, 0)
    assert services.retry(refused, actor="trainer")
    assert sender.send_slice(refused.pk) == Batch.State.QUEUED
    look(refused)
    assert row(refused, 4).state == State.ALREADY_ENROLLED, "we never called for them"
    assert sender.send_slice(refused.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"ada.l@example.org": 1, GRACE: 1}


def test_an_unusable_row_of_a_batch_that_ended_well_can_be_sent(uploaded, repair, look, invited_counts):
    batch = uploaded(FILE)
    services.confirm(batch, actor="trainer")
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert repair(batch, 3, email=GRACE).is_done
    batch.refresh_from_db()
    assert batch.state == Batch.State.COMPLETED_WITH_ERRORS, "so that its page offers to send"
    assert services.retry(batch, actor="trainer")
    look(batch)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {ADA: 1, GRACE: 1}


def test_a_refused_row_that_becomes_a_duplicate_closes_its_batch(refused, repair, row):
    Invitation.objects.filter(batch=refused, line=3).update(state=State.INVITED)
    assert repair(refused, 2, email=GRACE).is_done
    assert row(refused, 2).state == State.DUPLICATE
    refused.refresh_from_db()
    assert refused.state == Batch.State.COMPLETED


def test_invited_rows_of_a_finished_batch_cannot_be_changed(refused, repair, row):
    Invitation.objects.filter(batch=refused, line=3).update(state=State.INVITED)
    assert repair(refused, 3, email="x@example.org").sentence == acts.TOO_LATE
    assert row(refused, 3).email == GRACE


def test_a_late_answer_for_the_learner_before_does_not_count_for_the_one_who_is_there_now(refused, repair, row):
    from invitations.claims import row_leases

    late = {"_id": row(refused, 2).pk, "id": row(refused, 2).pk, "batch_id": refused.pk.hex, "attempts": 1}
    late |= {"course_id": refused.course_id, "email_folded": ADA, "state": State.SENDING}
    repair(refused, 2, email="ada.l@example.org")
    services.retry(refused, actor="trainer")
    row_leases.settle([row_leases.Outcome(late, State.INVITED)])
    assert row(refused, 2).state == State.PENDING
