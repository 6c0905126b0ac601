"""Detailed reports of one learner: fetched when somebody asks, once, and kept."""

import pytest

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from progress import reports
from progress.models import LearnerReport, Member
from progress.polling import poller


@pytest.fixture
def learner(academy):
    course_id = Course.objects.order_by("course_id").first().course_id
    poller.poll(course_id, only_if_due=False)
    learner = Member.objects.filter(course_id=course_id, percent__gt=50).first()
    return {"course_id": course_id, "member_id": learner.member_id}


def _shown(learner) -> dict:
    return {report["kind"]: report for report in reports.shown(**learner)}


def test_a_report_is_fetched_once_however_often_it_is_asked_for(learner, academy):
    asked = [reports.ask(**learner, kind="engagement") for _ in range(3)]
    assert asked == [True, False, False]
    assert _shown(learner)["engagement"]["pending"]
    assert [reports.fetch(**learner, kind="engagement") for _ in range(2)] == ["fetched", "not asked for"]
    assert not reports.ask(**learner, kind="engagement"), "fetched just now"
    calls = academy.counters()["by_endpoint"]
    assert sum(count for endpoint, count in calls.items() if "courseEngagement" in endpoint) == 1


def test_a_report_is_shown_as_a_table_with_its_age(learner):
    for kind in ("engagement", "tests"):
        reports.ask(**learner, kind=kind)
        reports.fetch(**learner, kind=kind)
    shown = _shown(learner)
    assert shown["engagement"]["table"]["headings"][:2] == ["Session name", "Completion percentage"]
    assert shown["tests"]["table"]["headings"][:3] == ["Test name", "Score", "Total score"]
    for report in shown.values():
        assert report["fetched_at"]
        assert not report["pending"]
        assert report["table"]["rows"]


def test_a_failure_is_one_sentence_and_can_be_tried_again(learner):
    unknown = {**learner, "member_id": "4711"}
    reports.ask(**unknown, kind="tests")
    assert reports.fetch(**unknown, kind="tests") == "failed"
    report = _shown(unknown)["tests"]
    assert report["error"].endswith(".")
    assert not report["pending"]
    assert reports.ask(**unknown, kind="tests")


def test_a_report_that_no_worker_fetched_says_so_and_can_be_asked_for_again(learner):
    reports.ask(**learner, kind="tests")
    rows = outside_transaction(LearnerReport)
    asked_at = rows.find_one()["asked_at"]
    rows.update_one({}, [{"$set": {"asked_at": {"$subtract": ["$asked_at", 1000 * (reports.PATIENCE_SECONDS + 1)]}}}])
    assert rows.find_one()["asked_at"] < asked_at
    assert "No worker has answered" in _shown(learner)["tests"]["error"]
    assert reports.ask(**learner, kind="tests")


def test_an_answer_of_another_shape_is_shown_as_nothing_to_report(learner):
    reports.ask(**learner, kind="tests")
    for body in ({}, {"testReport": "none"}, [], {"testReport": [1, None]}, {"testReport": [{"a": {"b": 1}}]}):
        outside_transaction(LearnerReport).update_one({}, {"$set": {"body": body}})
        assert _shown(learner)["tests"]["table"]["headings"] == []
