"""Bundles and unpublished courses: shown as such, and never offered for invitations without a word."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from coursehub.models import Course, CourseAccess
from coursehub.mongo import outside_transaction
from invitations.models import Batch
from progress.course_sync import sync_courses
from progress.polling import poller, schedule

UPLOAD = "/invitations/upload/"
BUNDLE = "Starter bundle 1"


@pytest.fixture
def kinds(academy, person):
    """The academy with a bundle and an unpublished course, all given to the trainer."""
    academy.switch(bundles=1, unpublished_courses=1)
    sync_courses()
    for course in Course.objects.all():
        CourseAccess.objects.get_or_create(user=person("trainer"), course=course)
    return academy


def shown(client, address: str) -> str:
    return html.unescape(client.get(address).content.decode())


def test_upload_offers_courses_only_and_says_which_are_bundles_and_which_are_not_published(kinds, client_for):
    page = shown(client_for("trainer"), UPLOAD)
    options = [part.split("</option>")[0] for part in page.split("<option")[1:]]
    assert not any(BUNDLE in option for option in options)
    assert sum("(not published)" in option for option in options) == 1
    assert f"Bundles are not in this list, since learners are invited to courses: {BUNDLE}." in page


def test_upload_to_a_bundle_and_a_row_that_names_one_get_a_sentence_each(kinds, client_for):
    client, bundle = client_for("trainer"), Course.objects.get(is_bundle=True)
    file = SimpleUploadedFile("class.csv", b"email\nada@example.org\n")
    answer = client.post(UPLOAD, {"course": bundle.course_id, "file": file})
    assert f"“{BUNDLE}” is a bundle of courses: choose one of its courses." in html.unescape(answer.content.decode())
    course = Course.objects.filter(is_bundle=False).first()
    for name in (BUNDLE, bundle.course_id):
        content = f"email,course\nada@example.org,{course.course_id}\nbob@example.org,{name}\n".encode()
        answer = client.post(UPLOAD, {"course": "", "file": SimpleUploadedFile(f"{name}.csv", content)}, follow=True)
        assert f"“{name}” is a bundle of courses: write one of its courses." in html.unescape(answer.content.decode())
    assert set(Batch.objects.values_list("course_id", flat=True)) <= {"", course.course_id}


def test_lists_and_admin_show_what_they_are(kinds, client_for):
    page = shown(client_for("trainer"), "/progress/")
    assert page.count(">bundle<") == page.count(">not published<") == 1
    page = shown(client_for("administrator"), "/admin/coursehub/course/")
    assert "course, not published" in page
    assert BUNDLE in page


def test_members_of_a_bundle_are_not_asked_for(kinds):
    bundle = Course.objects.get(is_bundle=True)
    assert bundle.poll_due_at is None
    outside_transaction(Course).update_one(*schedule.watching([bundle.course_id]))
    assert bundle.course_id not in schedule.ring_due()
    assert poller.poll(bundle.course_id, only_if_due=False).outcome == "not_due"
    assert not any("courseMembers" in endpoint for endpoint in kinds.counters()["by_endpoint"])
    with pytest.raises(CommandError, match="is a bundle"):
        call_command("poll_progress", "--course", bundle.course_id)


def test_bundle_that_becomes_a_course_is_read_and_a_published_course_says_so_no_more(kinds):
    bundle = Course.objects.get(is_bundle=True)
    course = Course.objects.filter(is_bundle=False).first()
    Course.objects.filter(pk=course.pk).update(is_bundle=True, poll_due_at=None)
    kinds.switch(unpublished_courses=0)
    sync_courses()
    course.refresh_from_db()
    assert (course.is_bundle, course.poll_due_at is not None) == (False, True)
    assert not Course.objects.filter(is_published=False).exists()
    assert Course.objects.get(pk=bundle.pk).is_bundle
