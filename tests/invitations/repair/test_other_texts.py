"""What a row that could not be read keeps in the file is taken from the text that was read: a sheet, or rows made."""

import pytest

from invitations import services
from invitations.models import Batch, Invitation
from tests.support.workbooks import xlsx

State = Invitation.State
HEADINGS = ["email", "first name", "last name"]


@pytest.fixture
def workbook(course, person):
    """`workbook(rows)`: a batch in preview, of a workbook with these rows."""
    return lambda *rows: services.upload(
        user=person("trainer"), course=course, filename="class.xlsx", content=xlsx(list(rows))
    )


def test_a_course_that_a_workbook_names_in_vain_is_not_the_chosen_one(workbook, repair, row, course):
    batch = workbook(
        [*HEADINGS, "course"],
        ["ada@example.org", "Ada", "L", course.name], ["grace@example", "Grace", "H", "Nonsense"],
    )  # fmt: skip
    outcome = repair(batch, 3, email="grace@example.org")
    assert not outcome.is_done
    assert "There is no course “Nonsense”" in outcome.sentence
    assert services.correct_domain(batch, "example", "example.org", actor="trainer")
    assert row(batch, 3).state == State.INVALID


def test_a_day_that_cannot_be_read_in_a_workbook_is_not_no_day(workbook, repair):
    batch = workbook(
        [*HEADINGS, "access until"],
        ["ada@example.org", "Ada", "L", "2027-12-31"], ["grace@example", "Grace", "H", "soon"],
    )  # fmt: skip
    assert not repair(batch, 3, email="grace@example.org").is_done
    assert repair(batch, 3, email="grace@example.org", access_expires="2027-12-31").is_done


def test_each_keeps_the_end_of_its_own_row_where_rows_were_made_of_addresses(uploaded, repair, row, person):
    batch = uploaded(
        "email,first name,last name,access until\nada@example.org,A,L,2026-12-31\n"
        "one@example.org;two@example.org,A,B,2027-01-31\ngrace@example,Grace,H,2027-12-31\nalan@example,Alan,T,2028-06-30\n"
    )
    assert services.one_row_per_address(batch, user=person("trainer"))
    ends = {number: row(batch, number).access_expires_at for number in (5, 6)}
    assert repair(batch, 5, email="grace@example.org").is_done
    assert services.correct_domain(Batch.objects.get(pk=batch.pk), "example", "example.org", actor="trainer")
    assert {number: row(batch, number).access_expires_at for number in (5, 6)} == ends
    assert row(batch, 6).state == State.PENDING
