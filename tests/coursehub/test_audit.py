"""Audit events are numbered without gaps, chained, and a change to any of them shows."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User

from coursehub import audit
from coursehub.admin import AuditedAdmin, UserAdmin
from coursehub.models import AuditEvent, Course
from coursehub.mongo import outside_transaction
from progress.admin import CourseAdmin


def test_events_of_many_writers_form_one_chain(database):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: audit.record(action="test.done", target=f"thing {n}"), range(80)))
    assert sorted(numbers) == list(range(1, 81))
    assert audit.verify().first_broken is None


@pytest.mark.parametrize(
    "tampering",
    [{"$set": {"actor": "somebody else"}}, {"$set": {"detail": {"rows": 2}}}, {"$set": {"hash": "0" * 64}}],
)
def test_a_changed_event_breaks_the_chain_at_its_number(database, tampering):
    for _ in range(5):
        audit.record(action="test.done", actor="ada", detail={"rows": 1})
    outside_transaction(AuditEvent).update_one({"seq": 3}, tampering)
    assert audit.verify().first_broken in (3, 4)


def test_a_removed_event_breaks_the_chain(database):
    for _ in range(5):
        audit.record(action="test.done")
    outside_transaction(AuditEvent).delete_one({"seq": 3})
    assert audit.verify().first_broken == 3


def test_whatever_is_changed_in_the_admin_has_a_name_in_the_trail():
    assert {page.__name__ for page in AuditedAdmin.__subclasses__()} == {UserAdmin.__name__, CourseAdmin.__name__}
    for name in (User._meta.model_name, Course._meta.model_name):
        for verb in ("added", "changed", "deleted"):
            assert audit.Action(f"{name}.{verb}")
