"""A batch's course is read before forty that are overdue, by a real worker under a budget; then it is sent.

`make bench ONLY=first_call` measures how long it takes; the bound here is three times the goal there.
"""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from coursehub import course_members
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations import services
from invitations.selectors import batch_status
from oauthtokens import services as token_services
from progress.course_sync import sync_courses
from tests.journeys.conftest import Product
from tests.support.files import csv_of
from tests.support.patience import wait_for

OVERDUE, LEARNERS = 40, 100
WITHIN_SECONDS = 3 * 10


@pytest.fixture
def overdue(database, sandbox) -> None:
    """A course and forty more, none of them read yet."""
    sandbox.reset(courses=OVERDUE + 1, learners_per_course=LEARNERS)
    sandbox.switch(calls_per_minute=0, mints_per_10_minutes=0)
    code = sandbox.self_client_code(token_services.SCOPE)
    token_services.exchange_code(number=1, code=code, actor="test")
    sync_courses()
    outside_transaction(Course).update_many({}, [{"$set": {"poll_due_at": {"$subtract": ["$$NOW", 3_600_000]}}}])


@pytest.fixture
def worker(overdue) -> Iterator[None]:
    product = Product()
    product.start_worker(TRAINERCENTRAL_CALLS_PER_MINUTE="60", WORKER_PROCESSES="2")
    yield
    product.stop()


def test_the_first_invitation_leaves_soon_after_its_courses_own_read(worker, sandbox):
    read = outside_transaction(Course)
    wait_for(lambda: read.count_documents({"polled_at": {"$ne": None}}), 60, "the worker reads the others")
    own = read.find_one({"swept_at": None})["course_id"]  # whichever has not had its turn
    user = User.objects.create(username="trainer")
    batch = services.upload(
        user=user, course=Course.objects.get(course_id=own), filename="a.csv", content=csv_of("first@example.org")
    )
    assert batch_status.status(batch.pk)["reason"].startswith("The list of the course's learners is being read anew")
    wait_for(lambda: services.confirm(batch, actor="trainer"), 20, "the file is read")
    assert course_members.waiting_for([own]).courses in (0, 1)
    wait_for(lambda: read.find_one({"course_id": own, "swept_at": {"$ne": None}}), WITHIN_SECONDS, "its own read")
    unread = read.count_documents({"swept_at": None})
    wait_for(sandbox.invitations, WITHIN_SECONDS, "the first invitation")
    assert unread > OVERDUE / 2, "most of the others still wait"
