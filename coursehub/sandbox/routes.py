"""Which path of the API is which operation, and the scope it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursehub.sandbox import api, invitations
from coursehub.sandbox.http import Answer, Call

if TYPE_CHECKING:
    from coursehub.sandbox.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation: its name in counters and limits, the scope it needs, what answers it."""

    name: str
    scope: str
    act: "Callable[[Sandbox, Call], Answer]"


def find_endpoint(method: str, path: str) -> tuple[Endpoint | None, list[str]]:
    """The endpoint of a path below /api/v4/, and the ids in it (the first is the org's)."""
    ids, shape = [], []
    for part in path.split("/"):
        stem, dot, suffix = part.partition(".")
        if stem.isdecimal():
            ids.append(stem)
            shape.append("*" + dot + suffix)
        else:
            shape.append(part)
    return ENDPOINTS.get((method, "/".join(shape))), ids


def _endpoint(method: str, shape: str, scope: str, act: "Callable[[Sandbox, Call], Answer]") -> tuple[Any, Endpoint]:
    return (method, shape), Endpoint(f"{method} {shape.removeprefix('*/')}", f"TrainerCentral.{scope}", act)


_MEMBER = "*/course/*/courseMember/*"
ENDPOINTS: dict[tuple[str, str], Endpoint] = dict(
    (
        _endpoint("GET", "org/portals.json", "portalapi.READ", api.list_portals),
        _endpoint("GET", "*/courses.json", "courseapi.READ", api.list_courses),
        _endpoint("GET", "*/courses/*.json", "courseapi.READ", api.one_course),
        _endpoint("POST", "*/addCourseAttendee.json", "userapi.CREATE", invitations.invite),
        _endpoint("GET", "*/course/*/courseMembers.json", "courseapi.READ", api.list_course_members),
        _endpoint("GET", f"{_MEMBER}/courseEngagement.json", "courseapi.READ", api.course_engagement),
        _endpoint("GET", f"{_MEMBER}/testReport.json", "courseapi.READ", api.report_of_tests),
        _endpoint("GET", "*/portalMembers.json", "presenterapi.READ", api.list_portal_members),
        _endpoint("DELETE", "*/portalMembers/*.json", "presenterapi.DELETE", api.delete_portal_member),
        _endpoint("GET", "*/fetchuserdetails.json", "userapi.READ", api.fetch_user_details),
        _endpoint("PUT", "*/updateCourseAttendee/*.json", "courseapi.UPDATE", api.update_course_attendee),
    )
)
