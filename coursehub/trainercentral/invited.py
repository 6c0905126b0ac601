"""What the answer to an invitation shows, whatever its shape: object or list, wrapped or not (contract §0.1, K13)."""

import re
from collections.abc import Iterator
from typing import Any

from coursehub.emails import normalize
from coursehub.trainercentral import fields, lenient_values
from coursehub.trainercentral.records import Invited
from coursehub.trainercentral.responses import objects

# Around a learner of the academy, who need not be in the course.
_ACADEMY_KEYS = frozenset({"portalMember", "portalMembers"})
_COURSE_KEYS = frozenset({"courseMember", "courseMembers"})
_ADDRESS_KEYS = ("email", "emailId")
_MEMBER_IDS = ("courseMembersId", "courseMemberId")
# Lists of whom it did not work for are common among calls of this sort.
_OTHERS = re.compile(
    "fail|invalid|error|reject|skip|ignor|already|exist|duplicate|denied|unsent|message", re.IGNORECASE
)


def is_proven(body: Any, email: str) -> bool:
    """Whether the body of a 2xx shows that this learner is in the course.

    A course member's id does, and so do the learner's address and an academy member's id, unless all that is
    said of them is that they are in the academy: below `portalMember`, or beside an empty `courseMember`.
    What stands beside another learner's address is that learner's.
    """
    if any(_member_id(under, found) and not _is_of_another(found, email) for under, found in objects(body)):
        return True
    if any(key in found and not found[key] for _, found in objects(body) for key in _COURSE_KEYS):
        return False
    own = [(under, found) for under, found in objects(body) if not _is_of_another(found, email)]
    return any(_names_learner(under, found, email) for under, found in own if not under & _ACADEMY_KEYS)


def read(body: Any, email: str) -> Invited:
    """The learner's ids in the body, each '' where it is not given."""
    own = [(under, found) for under, found in objects(body) if not _is_of_another(found, email)]
    enrolments = [(_member_id(under, found), found) for under, found in own]
    member_id, enrolment = next(((held, found) for held, found in enrolments if held), ("", {}))
    org_member_id = lenient_values.first(enrolment, "orgMemberId") or next(_org_member_ids(own), "")
    return Invited(member_id, org_member_id, True if _has_progress(enrolment) else None)


def _member_id(under: frozenset[str], found: dict[str, Any]) -> str:
    """The course member's id that an object names or is of."""
    if under & _ACADEMY_KEYS or any(map(_OTHERS.search, under)):
        return ""
    return lenient_values.first(found, *_MEMBER_IDS) or (
        lenient_values.first(found, "id") if under & _COURSE_KEYS else ""
    )


def _is_of_another(found: dict[str, Any], email: str) -> bool:
    held = [lenient_values.text(found.get(key)) for key in _ADDRESS_KEYS]
    return any("@" in one for one in held) and normalize(email) not in map(normalize, held)


def _org_member_ids(own: list[tuple[frozenset[str], dict[str, Any]]]) -> Iterator[str]:
    for under, found in own:
        held = lenient_values.first(found, "orgMemberId") or (
            lenient_values.first(found, "id") if under & _ACADEMY_KEYS else ""
        )
        if held:
            yield held


def _names_learner(under: frozenset[str], found: dict[str, Any], email: str) -> bool:
    """Whether an object holds the learner's address or an academy member's id, and not as one who was left out."""
    if any(map(_OTHERS.search, under)):
        return False
    if lenient_values.text(found.get("orgMemberId")):
        return True
    wanted = normalize(email)
    for key, value in found.items():
        held = value if isinstance(value, list) else [value]
        if not _OTHERS.search(key) and any(normalize(lenient_values.text(one)) == wanted for one in held):
            return True
    return False


def _has_progress(enrolment: dict[str, Any]) -> bool:
    try:
        return (fields.percent(enrolment.get("completionPercentage")) or 0) > 0
    except fields.Unreadable:
        return False
