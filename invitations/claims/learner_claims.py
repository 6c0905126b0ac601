"""Claims: the right to invite one learner to one course, stored before the call is made.

A claim's key names course, learner and generation and is unique, so whatever crashes or runs twice, a
generation makes one call, or a second one by the rule of `invitations.reconciliation.rule` only.
"""

from collections.abc import Iterable
from typing import Any

from pymongo import DESCENDING
from pymongo.errors import BulkWriteError

from coursehub import clock
from coursehub.mongo import outside_transaction
from invitations.models import Claim

Row = dict[str, Any]
_DUPLICATE_KEY = 11000
_CHUNK = 5_000


def win(rows: list[Row]) -> list[Row]:
    """The rows of `rows` whose learner is theirs to invite; all claims are stored when this returns.

    Raises pymongo's error when that is not sure: then no call may be made for any of them.
    """
    if not rows:
        return []
    try:
        outside_transaction(Claim).insert_many([_claim(row) for row in rows], ordered=False)
        return rows
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if any(one["code"] != _DUPLICATE_KEY for one in failed):
            raise
        taken = {one["index"] for one in failed}
    return [row for index, row in enumerate(rows) if index not in taken or _is_own(row)]


def release(rows: Iterable[Row]) -> None:
    """The calls of these rows provably invited nobody. Before the rows wait again: they need a free claim."""
    for row in rows:
        outside_transaction(Claim).delete_one({"key": _key(row), "invitation_id": row["id"]})


def undo(row: Row) -> None:
    """The learner's access was revoked: the next upload may invite again, as the next generation."""
    mine = {"key": _key(row), "invitation_id": row["id"]}
    outside_transaction(Claim).update_one(mine, [{"$set": {"undone_at": clock.server_now()}}])


def latest(course_id: str, folded: list[str]) -> dict[str, Row]:
    """Folded address -> the claim of its latest generation, for those of `folded` that have one."""
    claims, found = outside_transaction(Claim), {}
    for start in range(0, len(folded), _CHUNK):
        wanted = {"course_id": course_id, "email_folded": {"$in": folded[start : start + _CHUNK]}}
        for claim in claims.find(wanted).sort("generation", 1):
            found[claim["email_folded"]] = claim
    return found


def is_latest(row: Row) -> bool:
    """Whether no later generation than the row's was ever claimed for its learner."""
    learner = {"course_id": row["course_id"], "email_folded": row["email_folded"]}
    newest = outside_transaction(Claim).find_one(learner, sort=[("generation", DESCENDING)])
    return newest is None or newest["generation"] <= generation(row)


def next_generation(row: Row) -> int:
    """The first generation after all that were claimed for the row's learner."""
    return generation_after(row, latest(row["course_id"], [row["email_folded"]]).get(row["email_folded"]))


def generation_after(row: Row, claim: Row | None) -> int:
    """The first generation after the row's own and that of the latest `claim`."""
    return max(claim["generation"] if claim else 0, generation(row)) + 1


def generation(row: Row) -> int:
    return row.get("generation") or 1


def _is_own(row: Row) -> bool:
    """The claim is this row's from an earlier call, and the rule has decided that it may call once more."""
    own = {"key": _key(row), "invitation_id": row["id"], "attempt": {"$lte": row["attempts"]}}
    return bool(outside_transaction(Claim).update_one(own, {"$set": {"attempt": row["attempts"]}}).matched_count)


def _claim(row: Row) -> Row:
    return {
        "key": _key(row),
        "course_id": row["course_id"],
        "email_folded": row["email_folded"],
        "generation": generation(row),
        "invitation_id": row["id"],
        "attempt": row["attempts"],
        "undone_at": None,
    }


def _key(row: Row) -> str:
    return Claim.key_of(row["course_id"], row["email_folded"], generation(row))
