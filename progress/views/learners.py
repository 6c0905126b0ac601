"""The page of one learner: history, what puts them at risk, and reports that are fetched on demand."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from coursehub import queue
from progress import charts, reports, tasks
from progress.models import Member
from progress.risk import queries
from progress.views.courses import course_for


@require_GET
def learner(request: HttpRequest, course_id: str, member_id: str) -> HttpResponse:
    """One learner in one course."""
    course, member = course_for(request, course_id), _member(course_id, member_id)
    context = {
        "title": member.name or member.email,
        "course": course,
        "member": member,
        "flags": queries.flags(course_id).get(member_id, []),
        "history": charts.history(course_id, member_id),
        **_reports(course_id, member_id),
    }
    return render(request, "progress/learner.html", context)


@require_GET
def learner_reports(request: HttpRequest, course_id: str, member_id: str) -> HttpResponse:
    """The part of that page which follows a report under way."""
    course, member = course_for(request, course_id), _member(course_id, member_id)
    context = {"course": course, "member": member, **_reports(course_id, member_id)}
    return render(request, "progress/learner_reports.html", context)


@require_POST
def fetch_report(request: HttpRequest, course_id: str, member_id: str, kind: str) -> HttpResponse:
    """Have a worker fetch this report, unless that was done just now."""
    course_for(request, course_id)
    _member(course_id, member_id)
    if kind not in reports.Kind.values:
        raise Http404("There is no such report.")
    if reports.ask(course_id=course_id, member_id=member_id, kind=kind):
        queue.enqueue(tasks.fetch_report, course_id, member_id, kind)
    return redirect("progress:learner", course_id=course_id, member_id=member_id)


def _reports(course_id: str, member_id: str) -> dict[str, Any]:
    shown = reports.shown(course_id, member_id)
    return {"reports": shown, "pending": any(report["pending"] for report in shown)}


def _member(course_id: str, member_id: str) -> Member:
    """Raises Http404; a learner who has left the course still has a history."""
    member = Member.objects.filter(course_id=course_id, member_id=member_id).first()
    if member is None:
        raise Http404("There is no such learner in this course.")
    return member
