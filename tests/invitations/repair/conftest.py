"""Files with something to put right, and what a person does to their rows."""

import pytest

from coursehub import clock
from invitations import services
from invitations.models import Batch, Invitation
from invitations.repair import acts
from progress.polling import poller


@pytest.fixture
def uploaded(academy, course, person):
    """`uploaded(text)`: a batch in preview, from a file of this text, whose members were looked at."""

    def make(text: str, *, chosen=True, of=course) -> Batch:
        batch = services.upload(
            user=person("trainer"), course=of if chosen else None, filename="class.csv", content=text.encode()
        )
        Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
        return Batch.objects.get(pk=batch.pk)

    return make


@pytest.fixture
def row():
    """`row(batch, 3)`: the row of that line, as it is now."""
    return lambda batch, line: Invitation.objects.get(batch=batch, line=line)


@pytest.fixture
def repair(row):
    """`repair(batch, 3, email="ada@example.org")`: what a person does who has just looked at the row."""

    def do(batch, line: int, *, seen: str = "", **cells: str) -> acts.Outcome:
        found = row(batch, line)
        batch = Batch.objects.get(pk=batch.pk)
        return services.repair(batch, found, cells, seen=seen or seen_of(found), actor="trainer")

    return do


@pytest.fixture
def leave_out(row):
    return lambda batch, line: services.leave_out(
        Batch.objects.get(pk=batch.pk), row(batch, line), seen=seen_of(row(batch, line)), actor="trainer"
    )


@pytest.fixture
def take_back(row):
    return lambda batch, line: services.take_back(
        Batch.objects.get(pk=batch.pk), row(batch, line), seen=seen_of(row(batch, line)), actor="trainer"
    )


@pytest.fixture
def read_members(course):
    """`read_members()`: the course's members are read in full, as the worker does."""
    return lambda: poller.poll(course.course_id, only_if_due=False, afresh=True)


def seen_of(found: Invitation) -> str:
    """The token of the row as it is."""
    return acts.token({name: getattr(found, name) for name in ("id", "state", "attempts", "correction")})
