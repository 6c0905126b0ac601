"""The learners of courses who are at risk, as stored, and the thresholds that say so."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from coursehub import audit
from coursehub.audit import Action
from coursehub.models import AccessEnd, Course
from coursehub.mongo import outside_transaction
from progress.models import IN_COURSE, Member, RiskThresholds
from progress.risk import rules

LIMITS = ("unseen_days", "stalled_below_percent", "stalled_days", "behind_points", "expiry_days")
_LOOKED_AT = ["course_id", "member_id", "email_folded", "percent", "status", *rules.MOMENTS]


def thresholds(course_id: str) -> RiskThresholds:
    """What counts as at risk in this course: its own thresholds, else the defaults (not stored)."""
    return RiskThresholds.objects.filter(pk=course_id).first() or RiskThresholds(course_id=course_id)


def set_thresholds(*, course_id: str, limits: dict[str, int | None], actor: str) -> None:
    """Store and audit a course's thresholds; None switches a rule off. Raises ValidationError for nonsense."""
    row = RiskThresholds(course_id=course_id, **limits)
    row.clean_fields()
    row.save()
    audit.record(
        action=Action.RISK_THRESHOLDS_CHANGED,
        actor=actor,
        target=f"course {course_id}",
        detail={name: getattr(row, name) for name in LIMITS},
    )


def flags(course_id: str) -> dict[str, list[rules.Flag]]:
    """The flags of one course's learners, by member id; who has none is missing."""
    return flags_of([course_id])[course_id]


def flags_of(course_ids: Collection[str]) -> dict[str, dict[str, list[rules.Flag]]]:
    """As `flags`, for many courses at once, by course id; four queries however many there are."""
    chosen = {"course_id": {"$in": list(course_ids)}}
    read_at = {row["course_id"]: row["polled_at"] for row in outside_transaction(Course).find(chosen)}
    own = {row.course_id: row for row in RiskThresholds.objects.filter(pk__in=list(course_ids))}
    ends = {row["id"]: row["ends_at"] for row in outside_transaction(AccessEnd).find(chosen)}
    learners: dict[str, list[rules.Learner]] = {course_id: [] for course_id in course_ids}
    for row in outside_transaction(Member).find({**chosen, **IN_COURSE}, _LOOKED_AT):
        ends_at = ends.get(AccessEnd.key_of(row["course_id"], row["email_folded"]))
        learners[row["course_id"]].append(_learner(row, ends_at))
    return {
        course_id: rules.flags(found, own.get(course_id) or RiskThresholds(), at=read_at[course_id])
        if read_at.get(course_id)
        else {}
        for course_id, found in learners.items()
    }


def _learner(row: dict[str, Any], ends_at: datetime | None) -> rules.Learner:
    moments = {name: row.get(name) for name in rules.MOMENTS}
    return rules.Learner(row["member_id"], row["percent"], row["status"], **moments, access_ends_at=ends_at)
