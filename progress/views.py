"""Pages of courses and their learners. Which roles may open them stands in `coursehub.roles`."""

import csv
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from coursehub import roles
from coursehub.models import Course
from coursehub.spreadsheet import safe_cell
from progress import services

EXPORT_COLUMNS = {"Name": "name", "E-mail": "email", "Progress %": "percent", "Last seen": "last_seen", "As of": "at"}


@require_GET
def courses(request: HttpRequest) -> HttpResponse:
    """The courses this user may watch, with their figures and the age of these."""
    context = {"title": "Progress", "courses": services.summaries(request.user)}
    return render(request, "progress/list.html", context)


@require_GET
def course(request: HttpRequest, course_id: str) -> HttpResponse:
    """One course's learners; the page goes on by itself through its socket."""
    course = _course(request, course_id)
    context = {"title": course.name, "course": course, "status": _status(course_id)}
    return render(request, "progress/course.html", context)


@require_GET
def status(request: HttpRequest, course_id: str) -> JsonResponse:
    _course(request, course_id)
    return JsonResponse(_status(course_id))


@require_GET
def export(request: HttpRequest, course_id: str) -> HttpResponse:
    """The table as CSV that is safe to open in a spreadsheet."""
    _course(request, course_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="progress-{course_id}.csv"'
    writer = csv.writer(response)
    writer.writerow(EXPORT_COLUMNS)
    for member in _status(course_id)["members"]:
        writer.writerow([safe_cell(member[name]) for name in EXPORT_COLUMNS.values()])
    return response


def _course(request: HttpRequest, course_id: str) -> Course:
    """The course, if this user may watch it. A trainer is not told whether another course exists."""
    course = Course.objects.visible_to(request.user).filter(course_id=course_id).first()
    if course:
        return course
    if roles.is_administrator(request.user):
        raise Http404("There is no such course.")
    raise PermissionDenied


def _status(course_id: str) -> dict[str, Any]:
    status = services.status(course_id)
    if status is None:
        raise Http404("There is no such course.")
    return status
