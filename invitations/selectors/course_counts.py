"""Who a preview would invite to which course, and until when."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from coursehub.models import Course
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from invitations.models import Batch, Invitation

_MOST_NAMED = 100


@dataclass
class Ends:
    """How many learners have access until the same moment; None: without an end."""

    ends_at: datetime | None
    rows: int


@dataclass
class CourseCount:
    """The learners who would be invited to one course; `ends`: when their access ends, the most frequent first."""

    name: str
    rows: int = 0
    ends: list[Ends] = field(default_factory=list)


def of(batch: Batch) -> list[CourseCount]:
    """The courses of the rows that wait, the most frequent first."""
    stages: list[Document] = [
        {"$match": {"batch_id": batch.pk.hex, "state": Invitation.State.PENDING}},
        {"$group": {"_id": {"course": "$course_id", "ends": "$access_expires_at"}, "rows": {"$sum": 1}}},
        {"$sort": {"rows": -1}},
    ]
    by_course: defaultdict[str, list[Ends]] = defaultdict(list)
    for group in outside_transaction(Invitation).aggregate(stages):
        by_course[group["_id"]["course"]].append(Ends(group["_id"].get("ends"), group["rows"]))
    names = {batch.course_id: batch.course_name}
    if not batch.course_id:
        names = dict(Course.objects.filter(course_id__in=list(by_course)).values_list("course_id", "name"))
    counts = [
        CourseCount(names.get(course_id) or course_id, sum(one.rows for one in ends), ends)
        for course_id, ends in by_course.items()
    ]
    return sorted(counts, key=lambda count: -count.rows)


def in_words(names: Iterable[str], *, longest: int = 300) -> str:
    """The courses that a file names, and how many more where `longest` characters do not hold them all."""
    ordered = sorted(set(names))
    for count in range(min(len(ordered), _MOST_NAMED), 0, -1):
        more = len(ordered) - count
        text = ", ".join(ordered[:count]) + (f" and {more:,} more" if more else "")
        if len(text) <= longest:
            return text
    return ordered[0][:longest] if ordered else ""


def may_differ(batch: Batch) -> bool:
    """Whether the file says anything about courses or ends of access; else there is nothing to count."""
    return not batch.course_id or "access_expires" in batch.format.get("columns", {})


def is_worth_telling(counts: list[CourseCount]) -> bool:
    """Whether the figures above do not say it all: several courses, or access that ends."""
    return len(counts) > 1 or any(one.ends_at for count in counts for one in count.ends)
