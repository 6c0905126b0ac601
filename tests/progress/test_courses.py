"""Courses follow the academy: new, renamed, gone, back."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from coursehub import pacing
from coursehub.models import AuditEvent, Course
from coursehub.trainercentral import errors
from oauthtokens import services as token_services
from progress.courses import sync_courses


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
    assert (done.new, done.renamed, done.gone) == (0, 0, 0)
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
    sync_courses()
    assert Course.objects.get(pk=course.pk).gone_at is None


def test_an_academy_that_cannot_be_read_changes_nothing(academy, monkeypatch):
    monkeypatch.setattr(token_services.client(lane=pacing.PROGRESS)._caller, "_retry_deadline_seconds", 0.0)
    before = list(Course.objects.values())
    academy.stop()
    with pytest.raises(errors.TrainerCentralError):
        sync_courses()
    assert list(Course.objects.values()) == before
    error = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sync_courses", stderr=error)
    assert ended.value.code == 2
    assert error.getvalue().strip().endswith(".")


def test_the_command_says_what_it_found(academy):
    out = StringIO()
    call_command("sync_courses", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"courses": Course.objects.count(), "new": 0, "renamed": 0, "gone": 0}
