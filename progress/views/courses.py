"""Pages of courses and their learners. Which roles may open them stands in `coursehub.roles`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from coursehub import downloads, roles
from coursehub.downloads import Separator, Spreadsheet
from coursehub.models import Course
from progress import charts, selectors
from progress.course_table import Choice, FlaggedMember, Show
from progress.forms import ThresholdsForm
from progress.polling import intervals
from progress.risk import queries
from progress.serializers import CourseStatus

EXPORT_COLUMNS = ("Name", "E-mail", "Progress %", "At risk", "Last seen", "As of")


@require_GET
def courses(request: HttpRequest) -> HttpResponse:
    """The courses this user may watch, with their figures and the age of these."""
    context = {"title": "Progress", "courses": selectors.summaries(request.user)}
    return render(request, "progress/list.html", context)


@require_GET
def course(request: HttpRequest, course_id: str) -> HttpResponse:
    """One course's learners, a page of them; the page goes on by itself through its socket."""
    course = course_for(request, course_id)
    status, choice = _status(course_id), Choice.of(request.GET)
    members = selectors.members_with_flags(status)
    shown = _chosen(course_id, choice, members)
    page = choice.page_of(shown)
    context = {
        "title": course.name,
        "course": course,
        "status": {name: value for name, value in status.items() if name != "members"},
        "slow_minutes": intervals.minutes_beyond_the_limit(course),
        "members": members,
        "at_risk_count": sum(bool(member["flags"]) for member in members),
        "choice": choice,
        "page": page,
        "previous_link": choice.query(page=page.number - 1),
        "next_link": choice.query(page=page.number + 1),
        "columns": [(key, label, _direction(choice, key), choice.order_link(key)) for key, label in _COLUMNS],
        "shows": list(Show),
        "is_empty": not members and choice.show != Show.REVOKED,
        "bars": charts.distribution(member["percent"] for member in members),
        "over_time": charts.over_time(course_id),
    }
    return render(request, "progress/course.html", context)


def _chosen(course_id: str, choice: Choice, members: list[FlaggedMember]) -> list[FlaggedMember]:
    """The learners that the page's address asks for, out of those of the course, or of those without access."""
    if choice.show == Show.REVOKED:
        return choice.rows([{**member, "flags": []} for member in selectors.revoked(course_id)])
    return choice.rows(members)


_COLUMNS = (
    ("name", "Learner"),
    ("percent", "Progress"),
    ("flags", "At risk"),
    ("last_seen", "Last seen"),
    ("at", "Last change"),
)


def _direction(choice: Choice, key: str) -> str:
    if key != choice.sort:
        return "none"
    return "descending" if choice.down else "ascending"


@require_GET
def status(request: HttpRequest, course_id: str) -> JsonResponse:
    course_for(request, course_id)
    return JsonResponse(_status(course_id))


@require_GET
def risks(request: HttpRequest, course_id: str) -> JsonResponse:
    """Who is at risk and why: {"flags": {member id: [{"rule", "because", "clears"}]}}."""
    course_for(request, course_id)
    flagged = queries.flags(course_id)
    return JsonResponse({"flags": {member: [flag.as_dict() for flag in flags] for member, flags in flagged.items()}})


@require_GET
def revoked(request: HttpRequest, course_id: str) -> JsonResponse:
    """Whose access was revoked: {"members": [as in status.json]}."""
    course_for(request, course_id)
    return JsonResponse({"members": selectors.revoked(course_id)})


@require_GET
def export(request: HttpRequest, course_id: str) -> HttpResponseBase:
    """The learners that the page shows, of all its pages and in its order, for people who open it in a spreadsheet.

    `separator` says what they need between the cells.
    """
    course = course_for(request, course_id)
    rows = _chosen(course_id, Choice.of(request.GET), selectors.members_with_flags(_status(course_id)))
    lines = Spreadsheet(Separator.of(request.GET.get("separator"))).lines(_cells(rows))
    name = downloads.file_name("progress", course.name)
    return downloads.download(downloads.in_chunks(lines), filename=name, content_type=Spreadsheet.CONTENT_TYPE)


def _cells(rows: list[FlaggedMember]) -> Iterator[Sequence[Any]]:
    *plain, seen, learnt = EXPORT_COLUMNS
    yield [*plain, downloads.zoned(seen), downloads.zoned(learnt)]
    for row in rows:
        reasons = " ".join(flag.because for flag in row["flags"])
        yield row["name"], row["email"], row["percent"], reasons, _moment(row["last_seen"]), _moment(row["at"])


def _moment(text: str | None) -> datetime | str:
    return datetime.fromisoformat(text) if text else ""


@require_http_methods(["GET", "POST"])
def thresholds(request: HttpRequest, course_id: str) -> HttpResponse | HttpResponseRedirect:
    """When a learner of this course counts as at risk."""
    course = course_for(request, course_id)
    said = request.POST if request.method == "POST" else None
    form = ThresholdsForm(said, instance=queries.thresholds(course_id))
    if said is not None and form.is_valid():
        limits = {name: form.cleaned_data[name] for name in queries.LIMITS}
        queries.set_thresholds(course_id=course_id, limits=limits, actor=request.user.get_username())
        messages.success(request, "Saved. The flags below follow the new limits.")
        return redirect("progress:course", course_id=course_id)
    return render(request, "progress/thresholds.html", {"title": "At risk", "course": course, "form": form})


def course_for(request: HttpRequest, course_id: str) -> Course:
    """The course, if this user may watch it. A trainer is not told whether another course exists."""
    course: Course | None = Course.objects.visible_to(request.user).filter(course_id=course_id).first()
    if course:
        return course
    if roles.is_administrator(request.user):
        raise Http404("There is no such course.")
    raise PermissionDenied


def _status(course_id: str) -> CourseStatus:
    status = selectors.status(course_id)
    if status is None:
        raise Http404("There is no such course.")
    return status
