"""Learners whom TrainerCentral lists without access: in no count, table, export or chart, and shown when asked for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from coursehub import clock, course_members
from coursehub.console import dashboard
from coursehub.models import Course
from coursehub.trainercentral.records import REVOKED
from invitations.models import Batch, Invitation
from invitations.selectors import funnel
from progress import charts, daily_figures, selectors
from progress.models import DailyFigures, Member
from progress.risk import queries
from tests.support.makers import make_course, remote_member, store

ID, PAGE = "3000000001", "/progress/3000000001/"


@pytest.fixture
def course(database, person) -> Course:
    """Four learners, of whom one was revoked at 100 % and was here a moment ago."""
    course = make_course(ID, seen_by=[person("trainer")])
    today = clock.now()
    store(*(remote_member(number, percent=10 * number, last_login_at=today) for number in (1, 2, 3)))
    store(remote_member(4, percent=100, status=REVOKED, last_login_at=today, name="Rita Revoked"))
    return course


def _export(client, query: str = "") -> str:
    answer = client.get(f"{PAGE}export.csv{query}")

    async def everything() -> bytes:
        return b"".join([piece async for piece in answer.streaming_content])

    return asyncio.run(everything()).decode()


def test_no_figure_counts_them(course, person):
    assert [member["id"] for member in selectors.status(ID)["members"]] == ["m1", "m2", "m3"]
    [summary] = selectors.summaries(person("trainer"))
    assert (summary["learners"], summary["average_percent"], summary["completed"]) == (3, 20, 0)
    daily_figures.record(ID)
    figures = DailyFigures.objects.get()
    assert (figures.learners, figures.completed, figures.active) == (3, 0, 3)
    assert dashboard.figures(frozenset({"administrator"}))["learners"]["count"] == 3
    assert Member.objects.for_course(ID).count() == 3


def test_no_learner_at_risk_and_no_cohort_has_them(course):
    at = clock.now() - timedelta(days=60)
    store(remote_member(4, percent=5, status=REVOKED, last_login_at=at))
    assert "m4" not in queries.flags(ID)


def test_page_and_export_leave_them_out_and_show_them_when_asked_for(course, client_for):
    client = client_for("trainer")
    assert "Rita Revoked" not in client.get(PAGE).content.decode()
    assert "Rita Revoked" not in _export(client)
    page = client.get(f"{PAGE}?show=revoked")
    assert [row["id"] for row in page.context["page"].rows] == ["m4"]
    assert [bar["count"] for bar in page.context["bars"]] == [
        bar["count"] for bar in charts.distribution(member["percent"] for member in selectors.status(ID)["members"])
    ]
    assert "Rita Revoked" in _export(client, "?show=revoked")
    assert "Learner 0001" not in _export(client, "?show=revoked")
    assert [member["id"] for member in client.get(f"{PAGE}revoked.json").json()["members"]] == ["m4"]
    assert "access revoked" in client.get(f"{PAGE}learners/m4/").content.decode()


def test_the_admin_finds_them(course, client_for):
    Member.objects.filter(member_id="m3").update(gone_at=clock.now())
    client = client_for("administrator")
    shown = {
        access: {
            member.member_id for member in client.get(f"/admin/progress/member/?access={access}").context["cl"].queryset
        }
        for access in ("here", "revoked", "gone")
    }
    assert shown == {"here": {"m1", "m2"}, "revoked": {"m4"}, "gone": {"m3"}}


def test_the_funnel_of_a_batch_leaves_them_out_and_asks_nobody_to_invite_them_again(course, person):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    batch = Batch.objects.create(
        course_id=ID, course_name="", filename="a.csv", uploaded_by=person("trainer"), created_at=long_ago
    )
    store(remote_member(5, status="0"), remote_member(6, status=REVOKED))
    for line, number in enumerate((1, 4, 5, 6), start=2):
        Invitation.objects.create(
            batch=batch, course_id=ID, line=line, email=f"learner{number}@example.org",
            email_folded=f"learner{number}@example.org", state=Invitation.State.INVITED, member_id=f"m{number}",
            invited_at=long_ago,
        )  # fmt: skip
    found = funnel.of(batch, days=3)
    assert (found.invited, found.accepted, found.completed) == (2, 1, 0)
    assert found.late_lines == [4]
    assert course_members.standings(ID, ["m4"])["m4"].revoked
