import pytest

from coursehub.models import Course
from invitations import services


def csv_of(*emails: str) -> bytes:
    return ("email,first name,last name\n" + "".join(f"{email},A,B\n" for email in emails)).encode()


@pytest.fixture
def course(academy) -> Course:
    """A course of the sandbox that the trainer may upload to."""
    return Course.objects.order_by("course_id").first()


@pytest.fixture
def upload(course, person):
    """`upload("a@example.org", ...)`: a batch in preview, uploaded by the trainer."""

    def make(*emails: str, filename: str = "class.csv"):
        return services.upload(user=person("trainer"), course=course, filename=filename, content=csv_of(*emails))

    return make


@pytest.fixture
def confirmed(upload):
    """The same, confirmed."""

    def make(*emails: str):
        batch = upload(*emails)
        assert services.confirm(batch, actor="trainer")
        return batch

    return make


@pytest.fixture
def invited_counts(academy):
    """`invited_counts()`: learner -> how many invitations the sandbox counted."""
    return lambda: {entry["email"]: entry["count"] for entry in academy.counters()["invitations"]}
