"""Values of learners that came and could not be read: kept beside the learner, and told once by the course."""

from collections import Counter
from typing import TYPE_CHECKING

from coursehub.mongo import outside_transaction
from progress.models import IN_COURSE, Member

if TYPE_CHECKING:
    from coursehub.trainercentral.records import Member as RemoteMember

# Fields of which something is stored, as `records.Member` calls them, and their names for people.
_NAMES = {
    "percent": "progress",
    "last_login_at": "last visit",
    "enrolled_at": "enrolment",
    "time_ms": "time of last change",
}
_KEPT = "What was known before is shown."
_LENGTH_MAX = 300


def of(member: "RemoteMember") -> dict[str, str]:
    """Field -> what it held, for those that are stored and could not be read."""
    found = zip(member.unreadable, member.samples or [""] * len(member.unreadable), strict=True)
    return {name: sample for name, sample in found if name in _NAMES}


def sentence(course_id: str) -> str:
    """What could not be read of the course's learners, as stored; "" for nothing."""
    wanted = {"course_id": course_id, **IN_COURSE, "unreadable": {"$nin": [None, {}]}}
    counts: Counter[str] = Counter()
    samples: dict[str, str] = {}
    for row in outside_transaction(Member).find(wanted, ["unreadable"]).sort("_id", 1):
        counts.update(row["unreadable"].keys())
        samples = row["unreadable"] | samples
    parts = [_part(name, counts[name], samples[name]) for name in _NAMES if counts[name]]
    return f"{'; '.join(parts)}. {_KEPT}"[:_LENGTH_MAX] if parts else ""


def _part(name: str, learners: int, sample: str) -> str:
    whose = "1 learner" if learners == 1 else f"{learners} learners"
    held = f" ({name}: “{sample}”)" if sample else f" ({name})"
    return f"{_NAMES[name].capitalize()} of {whose} could not be read{held}"
