"""Complete sweeps of a course's members, which find learners whose invitation got no answer.

A sweep is a document: won under a fenced lease by one worker at a time, gone on with where a slice of
work or a dead worker left it, complete when the last page was read. When rows moved while they were read, all is read
again; what still moved then, and a list that cannot be read to its end, ends the sweep with a flaw: it finds learners,
and proves nobody absent.
"""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from coursehub import academy, clock, rate_limit
from coursehub.emails import normalize
from coursehub.leases import FencedLease
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from coursehub.trainercentral.member_pager import Place, Walk
from coursehub.trainercentral.records import ENROLLED, REVOKED, MemberPage
from invitations.models import Batch, Invitation, Sweep
from oauthtokens import services as token_services

if TYPE_CHECKING:
    from coursehub.trainercentral.records import Member

State = Invitation.State
# Longer than a page takes, with its waits for a slot and a token.
_LEASE = FencedLease(until="lease_until", fence="fence", seconds=120.0)
_DAY_SECONDS = 86_400
FOUND = "Found among the course's members."
# Rows that move while they are read may hide a learner: then all is read again, so many times in all.
_PASSES_MOST = 3
_JUST_INVITED_SECONDS = 60.0
_ALIKE_AT_LEAST = 3
MOVED = "The list of members changed while it was read."
Row = dict[str, Any]


def sweep(course_id: str, batch_id: UUID, *, due: datetime, ends_at: float) -> bool:
    """Go on with the course's sweep that began at `due` or later, or begin one; True when it is complete now.

    Stops at `ends_at` (monotonic seconds), and when the batch does not run any more. Raises TrainerCentralError.
    """
    held = _win(course_id, due)
    if held is None:
        return False
    client = token_services.client(lane=rate_limit.INVITATIONS)
    try:
        while _may_read(batch_id, ends_at):
            done = _read_page(held, lambda start: client.member_page(course_id, start=start))
            if done is not None:
                return done
    except BaseException:
        _keep(held, _LEASE.released())
        raise
    _keep(held, _LEASE.released())
    return False


def _read_page(held: Row, read: Callable[[int], MemberPage]) -> bool | None:
    """Read the next page and note what is on it: None while there may be more, False when another has the sweep now."""
    walk = Walk(read, Place.of(held["place"]))
    try:
        page = walk.next_page()
    except errors.NotPaged as error:
        return _end(held, flaw=error.sentence)
    if page is None:
        return _end(held) if walk.place.is_orderly else _pass_again(held)
    _note_found(held["course_id"], page)
    held["place"], place = walk.place.document, walk.place
    step = {"offset": place.start, "place": {"$literal": held["place"]}, "learners": place.learners}
    _learn_pending(held["course_id"], page)
    proof = {"is_proof": True} if _shows_pending(held["course_id"], page) else {}
    return None if _keep(held, {**step, **proof, **_LEASE.extended()}) else False


def _end(held: Row, *, flaw: str = "") -> bool:
    """The last page was read. What has a flaw proves nothing."""
    proof = {"$and": ["$is_proof", not flaw]}
    return _keep(held, {"ended_at": clock.server_now(), **_LEASE.released(), "flaw": flaw, "is_proof": proof})


def _pass_again(held: Row) -> bool | None:
    """Read all again, as a sweep that begins now, or end with a flaw."""
    if held["passes"] >= _PASSES_MOST:
        return _end(held, flaw=MOVED)
    held["passes"], held["place"] = held["passes"] + 1, {}
    return None if _keep(held, {**_AFRESH, "passes": held["passes"], "began_at": clock.server_now()}) else False


_AFRESH: Row = {"offset": 0, "place": {"$literal": {}}, "learners": 0, "is_proof": False, "flaw": ""}


def _may_read(batch_id: UUID, ends_at: float) -> bool:
    """Reserve a slot for one page, if there is time and the batch still runs."""
    left_seconds = ends_at - time.monotonic()
    running = Batch.objects.filter(pk=batch_id, state=Batch.State.RUNNING)
    return (
        left_seconds > 0
        and running.exists()
        and rate_limit.reserve_slot(rate_limit.INVITATIONS, within_seconds=left_seconds)
    )


def _win(course_id: str, due: datetime) -> Row | None:
    """The lease of the course's open sweep, begun anew if it began before `due`; None while another holds it."""
    sweeps = outside_transaction(Sweep)
    stale = {"$lt": ["$began_at", due]}
    taken = {
        "began_at": {"$cond": [stale, clock.server_now(), "$began_at"]},
        "passes": {"$cond": [stale, 1, {"$ifNull": ["$passes", 1]}]},
        **{name: {"$cond": [stale, value, {"$ifNull": [f"${name}", value]}]} for name, value in _AFRESH.items()},
    }
    is_open = {"course_id": course_id, "ended_at": None}
    held = _LEASE.win(sweeps, is_open, **taken)
    if held or sweeps.find_one(is_open, {"_id": 1}):
        return held
    return _begin(course_id)


def _begin(course_id: str) -> Row | None:
    """A new sweep, if nobody else began it at this moment."""
    sweeps = outside_transaction(Sweep)
    last = sweeps.find_one({"course_id": course_id}, ["number"], sort=[("number", DESCENDING)])
    number = last["number"] + 1 if last else 1
    new = {
        "id": {"$concat": [course_id, " ", str(number)]}, "ended_at": None, "passes": 1, **_AFRESH,
        "began_at": clock.server_now(), **_LEASE.taken(),
    }  # fmt: skip
    absent = {"course_id": course_id, "number": number, "fence": {"$exists": False}}
    try:
        return sweeps.find_one_and_update(absent, [{"$set": new}], upsert=True, return_document=ReturnDocument.AFTER)
    except DuplicateKeyError:
        return None


def _keep(held: Row, changes: dict[str, Any]) -> bool:
    """Write to the sweep if it is still ours."""
    own = {"_id": held["_id"], "fence": held["fence"], "ended_at": None}
    return _LEASE.write(outside_transaction(Sweep), own, changes)


def _note_found(course_id: str, page: list["Member"]) -> None:
    """Rows of unknown outcome, of any batch, whose learner is on this page were invited."""
    here = {normalize(member.email): member for member in page if not member.is_revoked}
    wanted = {"course_id": course_id, "email_folded": {"$in": list(here)}, "state": State.UNKNOWN}
    invitations = outside_transaction(Invitation)
    for row in invitations.find(wanted, ["email_folded"]):
        found = {"state": State.INVITED, "reason": FOUND, "member_id": here[row["email_folded"]].member_id}
        invitations.update_one({"_id": row["_id"], "state": State.UNKNOWN}, {"$set": found})


def _shows_pending(course_id: str, page: list["Member"]) -> bool:
    """Whether the page proves that learners are listed who were invited with an answer and have not accepted yet.

    Where these are listed with the status of the others, everybody who was invited with an answer is proof.
    """
    listed_alike = academy.profile().pending_status == ENROLLED
    able = [member for member in page if listed_alike or not _has_accepted(member)]
    return (
        bool(able) and outside_transaction(Invitation).find_one(_acknowledged(course_id, able), {"_id": 1}) is not None
    )


def _learn_pending(course_id: str, page: list["Member"]) -> None:
    """With which status learners are listed who cannot have accepted yet: invited with an answer moments ago."""
    still = [member for member in page if not (member.percent or member.last_login_at or member.is_revoked)]
    if not still:
        return
    just = {"$expr": {"$gte": ["$invited_at", clock.after(-_JUST_INVITED_SECONDS)]}}
    found = outside_transaction(Invitation).find(_acknowledged(course_id, still) | just, ["member_id"])
    ids = {row["member_id"] for row in found}
    statuses = {member.status for member in still if member.member_id in ids}
    # One or two of them may have accepted at once, three hardly.
    if len(statuses) == 1 and (len(ids) >= _ALIKE_AT_LEAST or statuses != {ENROLLED}):
        academy.note_fact("pending_listed", True)
        academy.note_fact("pending_status", statuses.pop())


def _acknowledged(course_id: str, members: list["Member"]) -> dict[str, Any]:
    """The filter for rows whose learner is one of `members`, and was invited with an answer."""
    return {
        "course_id": course_id,
        "email_folded": {"$in": [normalize(member.email) for member in members]},
        "state": State.INVITED,
        "member_id": {"$in": [member.member_id for member in members]},
        "invited_at": {"$ne": None},
    }


def _has_accepted(member: "Member") -> bool:
    """Any sign of it counts: who is taken for pending by mistake would prove what is not so."""
    return member.status in (ENROLLED, REVOKED) or (member.percent or 0) > 0 or member.last_login_at is not None
