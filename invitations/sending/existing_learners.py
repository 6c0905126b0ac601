"""What the database knows of a file's learners: earlier invitations, and who is in the course already."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.utils import timezone
from pymongo import UpdateOne

from coursehub import clock, course_members
from coursehub.mongo import outside_transaction
from coursehub.mongo.types import Document
from invitations.claims import learner_claims
from invitations.models import Batch, Invitation
from invitations.parsing.validation import Row
from invitations.reconciliation.member_scan import FOUND, MOVED
from invitations.sending import second_invitation

State = Invitation.State
COURSE_GONE = "The course is gone from the academy, so nothing is sent a second time."
_CHUNK_ROWS = 2_000
_WAITING = {"state": {"$in": [Batch.State.PREVIEW, Batch.State.QUEUED]}, "members_checked_at": None}
_WAITS_SINCE = ["id", "course_id", "created_at", "look_since"]
# What a row holds that is stored past the ORM and that nobody has worked on yet.
BLANK: dict[str, Any] = {
    str(one.column): one.get_default() for one in Invitation._meta.concrete_fields if one.has_default() or one.null
}


@dataclass
class Known:
    """The claims and members that some rows meet."""

    claims: dict[str, dict[str, Document]] = field(default_factory=dict)  # course -> folded address -> claim
    members: dict[str, dict[str, str]] = field(default_factory=dict)  # course -> folded address -> member id
    as_of: dict[str, datetime | None] = field(default_factory=dict)
    batches: dict[int, str] = field(default_factory=dict)  # invitation -> its batch in words

    @classmethod
    def of(cls, rows: list[Row]) -> "Known":
        """Looks up the good ones of `rows`: two or three queries per course."""
        wanted: defaultdict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row.good:
                wanted[row.course_id].append(row.email_folded)
        found = cls(as_of=course_members.known_as_of(wanted))
        for course_id, folded in wanted.items():
            found.claims[course_id] = learner_claims.latest(course_id, folded)
            found.members[course_id] = course_members.in_course(course_id, folded)
        standing = [one["invitation_id"] for each in found.claims.values() for one in each.values()]
        found.batches = _batches_of(standing)
        return found

    def verdict(self, row: Row) -> tuple[str, str, dict[str, Any]]:
        """State, reason, and what else the row holds. Whoever was invited and undone may be invited anew."""
        if row.problem:
            return State.INVALID, row.problem, {}
        if row.duplicate_of:
            return State.DUPLICATE, f"The same address as in line {row.duplicate_of}.", {}
        claim = self.claims[row.course_id].get(row.email_folded)
        if claim and not claim.get("undone_at"):
            return State.ALREADY_INVITED, f"Already invited in {self.batches[claim['invitation_id']]}.", {}
        more = {"generation": claim["generation"] + 1} if claim else {}
        member_id, as_of = self.members[row.course_id].get(row.email_folded), self.as_of.get(row.course_id)
        if member_id is not None and not _undone_since(claim, as_of):
            reason = enrolled_as_of(as_of)
            return State.ALREADY_ENROLLED, reason, more | {"member_id": member_id}
        return State.PENDING, row.note, more


def _undone_since(claim: Document | None, as_of: datetime | None) -> bool:
    """Whether the stored members are older than the undo that revoked the learner's access."""
    undone_at = claim and claim.get("undone_at")
    return bool(undone_at and as_of and undone_at >= as_of)


def enrolled_as_of(moment: datetime | None) -> str:
    """Why a member is not invited, with the age of what we know."""
    return f"Already in the course{_when(moment)}, so not invited again."


def refine(batch_id: UUID) -> bool:
    """Once the members were read that the batch waits for, settle whom they show; True when that is done.

    Runs before the first call of the batch (`transitions.start` waits for it), before every second call for a row, and
    may run twice. Rows that waited for this look may be called for afterwards.
    """
    batch = outside_transaction(Batch).find_one(
        {"id": batch_id.hex, **_WAITING}, ["created_at", "look_since", "inviting_again", "read_fence"]
    )
    if batch is None:
        return False
    waiting = _waiting_rows(inviting_again=bool(batch.get("inviting_again")))
    course_ids = outside_transaction(Invitation).distinct("course_id", {"batch_id": batch_id.hex, **waiting})
    since = _since(batch)
    if course_members.ask_for_sweep(course_ids, since=since):
        return False
    _hold_against_members(batch_id, course_ids, since, inviting_again=bool(batch.get("inviting_again")))
    # Of these rows only: a file that was read anew meanwhile has others.
    looked_at = {"look_since": batch.get("look_since"), "read_fence": batch.get("read_fence")}
    checked = {"id": batch_id.hex, "members_checked_at": None, **looked_at}
    outside_transaction(Batch).update_one(checked, [{"$set": {"members_checked_at": clock.server_now()}}])
    return True


def _hold_against_members(batch_id: UUID, course_ids: list[str], since: datetime, *, inviting_again: bool) -> None:
    """Take out who is in the course; of the rows that wait for this look the others may be called for."""
    # Before anybody is taken out: of a newer reading these would prove what the older one does not.
    read_at, amiss = course_members.read_in_full_at(course_ids), course_members.read_amiss(course_ids)
    if inviting_again:
        second_invitation.take_out_accepted(batch_id)
    else:
        _take_out_members(batch_id, course_ids)
    for course_id in course_ids:
        waiting = {"batch_id": batch_id.hex, "course_id": course_id, **_waiting_rows(inviting_again=inviting_again)}
        _free_uncalled(waiting, since)
        called = waiting | {"called_at": {"$lt": since}}
        _looked(called, _left_open(read_at.get(course_id), since, is_amiss=course_id in amiss))


def _waiting_rows(*, inviting_again: bool) -> dict[str, Any]:
    return second_invitation.WANTED if inviting_again else {"state": State.PENDING}


def _since(batch: dict[str, Any]) -> datetime:
    """The moment that the reading of the members must not be older than."""
    since: datetime = batch.get("look_since") or batch["created_at"]
    return since


def _left_open(read_at: datetime | None, since: datetime, *, is_amiss: bool) -> str:
    """Why a reading of the members does not prove who is absent; "" when it does."""
    if not (read_at and read_at >= since):
        return COURSE_GONE  # which is not read any more
    return MOVED if is_amiss else ""


def _looked(called: dict[str, Any], left_open: str) -> None:
    """The rows for which a call was made before the members were read, and who are not among them, may be called for.

    What a reading leaves open about them is looked up by the rule for rows of unknown outcome; a second invitation
    is not sent then.
    """
    rows = outside_transaction(Invitation)
    if not left_open:
        rows.update_many(called, {"$set": {"called_at": None}})
    elif called["state"] == State.INVITED:
        rows.update_many(called, {"$set": second_invitation.NOT_WANTED | {"reason": left_open}})
    elif left_open == COURSE_GONE:
        rows.update_many(called, {"$set": {"state": State.FAILED, "reason": left_open, "called_at": None}})
    else:
        unknown = {"state": State.UNKNOWN, "unknown_since": "$called_at", "called_at": None, "finding": ""}
        rows.update_many(called, [{"$set": unknown}])


def _free_uncalled(of_course: dict[str, Any], since: datetime) -> None:
    """Rows whose learner a repair put there had no call that this look could show: they may be called for."""
    wanted = {**of_course, "uncalled": True, "called_at": {"$lte": since}}
    outside_transaction(Invitation).update_many(wanted, {"$set": {"called_at": None}})


def waiting(course_id: str) -> list[UUID]:
    """Batches that may wait for the members of this course: its own, and those that name several courses."""
    wanted = {**_WAITING, "course_id": {"$in": [course_id, ""]}}
    return [UUID(batch["id"]) for batch in outside_transaction(Batch).find(wanted, ["id"]).limit(500)]


def unrefined() -> list[UUID]:
    """Batches whose course was read since the upload, or which name several courses; asks for the others again."""
    batches = list(outside_transaction(Batch).find(_WAITING, _WAITS_SINCE).limit(500))
    newest: dict[str, datetime] = {}
    for batch in batches:
        newest[batch["course_id"]] = max(_since(batch), newest.get(batch["course_id"], _since(batch)))
    late = {one for one, since in newest.items() if one and course_members.ask_for_sweep([one], since=since)}
    as_of = course_members.read_in_full_at(late)

    def is_ready(batch: dict[str, Any]) -> bool:
        moment = as_of.get(batch["course_id"])
        return batch["course_id"] not in late or bool(moment and moment >= _since(batch))

    return [UUID(batch["id"]) for batch in batches if is_ready(batch)]


def _take_out_members(batch_id: UUID, course_ids: list[str]) -> None:
    rows, as_of = outside_transaction(Invitation), course_members.known_as_of(course_ids)
    for course_id in course_ids:
        pending = {"batch_id": batch_id.hex, "state": State.PENDING, "course_id": course_id}
        found = iter(rows.find(pending).sort("line", 1))
        while chunk := list(islice(found, _CHUNK_ROWS)):
            _mark_members(course_id, chunk, enrolled_as_of(as_of.get(course_id)))


def _mark_members(course_id: str, chunk: list[dict[str, Any]], reason: str) -> None:
    """Who was never called for was enrolled by somebody else; who was called for is there through us, after all."""
    there = course_members.in_course(course_id, [row["email_folded"] for row in chunk])
    found = [row for row in chunk if row["email_folded"] in there]
    called = [row for row in found if row.get("called_at") and not row.get("uncalled")]
    through_us = {row["_id"] for row in learner_claims.win(called)}
    settled = [
        UpdateOne(
            {"_id": row["_id"], "state": State.PENDING},
            {"$set": {
                "member_id": there[row["email_folded"]], "called_at": None,
                **({"state": State.INVITED, "reason": FOUND, "unknown_since": row["called_at"]}
                   if row["_id"] in through_us
                   else {"state": State.ALREADY_ENROLLED, "reason": reason}),
            }},
        )
        for row in found
    ]  # fmt: skip
    if settled:
        outside_transaction(Invitation).bulk_write(settled, ordered=False)


def _batches_of(invitation_ids: list[int]) -> dict[int, str]:
    """Invitation -> its batch in words, also when the batch is gone."""
    found = outside_transaction(Invitation).find({"id": {"$in": invitation_ids}}, ["id", "batch_id"])
    batch_of = {row["id"]: row["batch_id"] for row in found}
    batches = outside_transaction(Batch).find({"id": {"$in": list(set(batch_of.values()))}})
    words = {
        one["id"]: f"batch “{one['filename'][:120]}” of {timezone.localtime(one['created_at']):%d %b %Y}"
        for one in batches
    }
    return {each: words.get(batch_of.get(each, ""), "an earlier batch") for each in invitation_ids}


def _when(moment: datetime | None) -> str:
    return f" on {timezone.localtime(moment):%d %b %Y at %H:%M}" if moment else ""
