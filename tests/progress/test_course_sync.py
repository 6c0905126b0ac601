"""Courses follow the academy: new, renamed, gone, back."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from coursehub import clock, rate_limit
from coursehub.models import AccessEnd, AuditEvent, Course
from coursehub.trainercentral import errors
from invitations.models import Batch
from oauthtokens import services as token_services
from progress import course_sync, tasks
from progress.course_sync import sync_courses
from tests.support.files import csv_of
from tests.support.makers import make_course


def test_new_courses_are_due_to_be_read(academy):
    Course.objects.all().delete()
    done = sync_courses(actor="admin")
    assert done.new == done.courses == Course.objects.filter(poll_due_at__isnull=False).count() > 0
    event = AuditEvent.objects.get(action="courses.synced", actor="admin")
    assert event.detail == done.as_dict()


def test_a_second_sync_changes_nothing_and_leaves_no_trace(academy):
    sync_courses()
    before, events = list(Course.objects.values("course_id", "name", "gone_at")), AuditEvent.objects.count()
    done = sync_courses()
    assert (done.new, done.renamed, done.gone, done.back) == (0, 0, 0, 0)
    assert list(Course.objects.values("course_id", "name", "gone_at")) == before
    assert AuditEvent.objects.count() == events


def test_a_renamed_course_is_renamed_and_a_vanished_one_kept_and_marked(academy):
    course = Course.objects.first()
    Course.objects.filter(pk=course.pk).update(name="Before")
    Course.objects.create(course_id="4711", name="Vanished")
    done = sync_courses()
    assert (done.renamed, done.gone) == (1, 1)
    assert Course.objects.get(pk=course.pk).name == course.name
    assert Course.objects.get(course_id="4711").gone_at is not None
    assert "4711" not in Course.objects.open().values_list("course_id", flat=True)


def test_a_course_that_comes_back_is_open_again(academy):
    course = Course.objects.first()
    Course.objects.filter(pk=course.pk).update(gone_at=course.synced_at)
    assert sync_courses().back == 1
    assert Course.objects.get(pk=course.pk).gone_at is None


def test_an_academy_that_cannot_be_read_changes_nothing(academy, monkeypatch):
    monkeypatch.setitem(token_services.RETRY_DEADLINE_SECONDS, rate_limit.PROGRESS, 0.0)
    before = list(Course.objects.values())
    academy.stop()
    with pytest.raises(errors.TrainerCentralError):
        sync_courses()
    assert list(Course.objects.values()) == before
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sync_courses", stdout=said)
    assert ended.value.code == 2
    assert said.getvalue().strip().endswith(".")


def test_the_command_says_what_it_found(academy):
    out = StringIO()
    call_command("sync_courses", json=True, stdout=out)
    found = {"courses": Course.objects.count(), "new": 0, "renamed": 0, "gone": 0, "back": 0}
    assert json.loads(out.getvalue()) == found


def test_an_academy_that_lists_nothing_at_all_is_not_believed(academy, monkeypatch):
    client = token_services.client(lane=rate_limit.PROGRESS)
    monkeypatch.setattr(client, "list_courses", list)
    with pytest.raises(errors.Unexpected):
        sync_courses()
    assert Course.objects.open().count() == 5


def test_a_course_that_another_sync_has_just_found_is_not_gone(academy, monkeypatch):
    client = token_services.client(lane=rate_limit.PROGRESS)
    listed = client.list_courses()

    def list_courses():
        Course.objects.create(course_id="4711", name="Newer", synced_at=clock.now())
        return listed

    monkeypatch.setattr(client, "list_courses", list_courses)
    assert sync_courses().gone == 0


def test_the_worker_reads_the_list_when_it_is_old(academy, monkeypatch):
    monkeypatch.setitem(token_services.RETRY_DEADLINE_SECONDS, rate_limit.PROGRESS, 0.0)
    assert course_sync.sync_if_due() == "not due"
    Course.objects.update(synced_at=clock.now() - timedelta(seconds=course_sync.SYNC_SECONDS + 1))
    Course.objects.filter(course_id=Course.objects.first().course_id).delete()
    assert tasks.sync_courses() == "5 courses at the academy: 1 new, 0 renamed, 0 gone, 0 back."
    academy.stop()
    Course.objects.update(synced_at=None)
    assert course_sync.sync_if_due().endswith(".")


def test_a_course_that_is_gone_takes_no_upload(client_for, person, database):
    course = make_course(seen_by=[person("trainer")], gone_at=clock.now())
    upload = SimpleUploadedFile("class.csv", csv_of("ada@example.org"))
    answer = client_for("trainer").post("/invitations/upload/", {"course": course.course_id, "file": upload})
    assert (answer.status_code, Batch.objects.count()) == (200, 0)


def test_an_invitation_with_an_end_of_access_says_when_it_ends(confirmed):
    from invitations.models import Invitation
    from invitations.sending import sender

    ends_at = datetime(2027, 1, 31, tzinfo=UTC)
    batch = confirmed("ada@example.org", "grace@example.org")
    Invitation.objects.filter(batch=batch, email_folded="ada@example.org").update(access_expires_at=ends_at)
    sender.send_slice(batch.pk)
    assert list(AccessEnd.objects.values_list("course_id", "email_folded", "ends_at")) == [
        (batch.course_id, "ada@example.org", ends_at)
    ]
