"""What remote calls return: frozen records. Ids are strings, times are aware datetimes in UTC."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coursehub.trainercentral import fields, lenient_values

LEARNER_ROLE = "3"
ENROLLED, REVOKED = "50", "51"  # codes of `Member.status` that are documented or seen (contract §2.5)


@dataclass(frozen=True, slots=True)
class Course:
    """One course of the academy, or a bundle of courses, which the same list holds and which has no members."""

    course_id: str
    name: str
    is_published: bool
    enrolled_count: int | None
    is_bundle: bool = False

    @classmethod
    def read(cls, row: dict[str, Any]) -> "Course":
        return cls(
            course_id=lenient_values.first(row, "courseId", "id"),
            name=lenient_values.text(row.get("courseName")),
            is_published=lenient_values.text(row.get("publishStatus")) in ("1", ""),
            enrolled_count=lenient_values.whole(row.get("enrolledCount")),
            is_bundle=lenient_values.text(row.get("type")) == "1",
        )


@dataclass(frozen=True, slots=True)
class Member:
    """One learner in one course. `time_ms` is the server's own `time`, the watermark of incremental reads.

    None (of `time_ms`: 0) is what was not given, and what could not be read; `unreadable` names the fields
    that were given and could not be read, so that nobody takes them for zero.
    """

    member_id: str
    course_id: str
    org_member_id: str
    email: str
    name: str
    role: str
    status: str
    percent: float | None
    completed_lessons: int | None
    total_lessons: int | None
    time_ms: int
    enrolled_at: datetime | None
    last_login_at: datetime | None
    completed_at: datetime | None
    unreadable: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()  # of the unreadable, in the same order; '' where nothing may be shown

    @property
    def is_revoked(self) -> bool:
        return self.status == REVOKED

    @classmethod
    def read(cls, row: dict[str, Any], *, percent: Callable[[Any], float | None] = fields.percent) -> "Member":
        """`percent` reads the percentages of the page that the row is of."""
        given = fields.FieldReader(row)
        return cls(
            member_id=lenient_values.first(row, "courseMembersId", "id"),
            course_id=lenient_values.first(row, "courseId", "course"),
            org_member_id=lenient_values.first(row, "orgMemberId", "userId"),
            email=lenient_values.first(row, "email", "emailId"),
            name=lenient_values.text(row.get("name")),
            role=lenient_values.text(row.get("role")),
            status=lenient_values.text(row.get("status")),
            percent=given.read("percent", "completionPercentage", percent),
            completed_lessons=given.read("completed_lessons", "completedLesson", fields.whole),
            total_lessons=given.read("total_lessons", "totalLesson", fields.whole),
            time_ms=given.read("time_ms", "time", fields.moment_ms) or 0,
            enrolled_at=given.read("enrolled_at", "enrolledTime", fields.moment),
            last_login_at=given.read("last_login_at", "lastLogin", fields.moment),
            completed_at=given.read("completed_at", "completedTime", fields.moment),
            unreadable=given.unreadable,
            samples=given.samples,
        )


@dataclass(frozen=True, slots=True)
class MemberPage:
    """A page of a course's list: how many rows the server gave, the learners among them, and the ids of all rows."""

    row_count: int
    members: list[Member]
    row_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Learner:
    """One learner of the academy, in no course in particular."""

    org_member_id: str
    email: str
    name: str
    status: str

    @classmethod
    def read(cls, row: dict[str, Any]) -> "Learner":
        parts = (
            lenient_values.first(row, "firstName", "userFirstName"),
            lenient_values.first(row, "lastName", "userLastName"),
        )
        return cls(
            org_member_id=lenient_values.first(row, "orgMemberId", "id"),
            email=lenient_values.first(row, "email", "emailId"),
            name=lenient_values.text(row.get("name")) or " ".join(part for part in parts if part),
            status=lenient_values.text(row.get("status")),
        )


@dataclass(frozen=True, slots=True)
class Invited:
    """The answer to an invitation that was taken.

    `member_id` is the course member id ('' when the learner was invited to the academy only, or was
    enrolled already and the answer did not say as whom). `already_enrolled` is True when the answer
    proves it and None when the answer cannot tell: only a read-back of the course's members can.
    """

    member_id: str
    org_member_id: str
    already_enrolled: bool | None


@dataclass(frozen=True, slots=True)
class Portal:
    """One academy that the account behind the token may use."""

    org_id: str
    name: str
    url: str
    is_default: bool

    @classmethod
    def read(cls, row: dict[str, Any]) -> "Portal":
        return cls(
            org_id=lenient_values.first(row, "id", "zsoid"),
            name=lenient_values.text(row.get("portalName")),
            url=lenient_values.text(row.get("url")),
            is_default=row.get("isDefault") in (True, "true"),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A detailed report of one learner. Its shape is undocumented: `raw` is for showing, not for reckoning."""

    member_id: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """Tokens handed out by the accounts server; `refresh_token` is '' after a refresh. The repr shows none."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_seconds: int
    scope: str = ""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token to use now. `key` tells its provider which one it was, when it is rejected."""

    token: str = field(repr=False)
    key: object = field(default=None, repr=False)
