"""The breaker of a batch: repeated failures pause it with its reason, then a reading call tries, then one row.

`failures` counts failures in a row. As long as it is not 0, one sender at a time holds the right to make a call; the
first row that TrainerCentral answers sets it back. Whatever is counted and whatever follows from it are one update,
so of many threads that fail at the same moment one counts.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from coursehub import clock, rate_limit
from coursehub.leases import FencedLease, backoff
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import errors
from invitations.claims.row_leases import LEASE_SECONDS
from invitations.models import Batch, Invitation

if TYPE_CHECKING:
    from coursehub.trainercentral.client import TrainerCentralClient

_PAUSE_SECONDS = (3, 5, 10, 20, 30, 60)  # after the first, second, ... failure in a row
_UNANSWERED_IN_A_ROW = 3
REFUSED_IN_A_ROW = 10  # learners, one after the other, of whom none was taken: then a person is wanted
UNCLEAR_AT_ONCE = 3  # answers that leave open whether they acted; after so many the batch looks before it goes on
_PROBE = FencedLease(until="probe_until", fence="probe_fence", seconds=LEASE_SECONDS)
_READ_WITHIN_SECONDS = 5.0  # how long a reading call may wait for its slot
_ALL_REFUSED = f"The last {REFUSED_IN_A_ROW} learners were refused, and none was taken: "
_UNTIL_RESUMED = "Nothing more is sent until somebody resumes."


class Way(Enum):
    """What a sender of the batch may do now."""

    CLOSED = "begin no call: the batch does not run, or looks first"
    BUSY = "wait: somebody tries"
    PROBE = "make one call"
    OPEN = "make calls"


@dataclass(frozen=True)
class Permit:
    """The answer to one `ask`; `fence` tells one probe from the next."""

    way: Way
    fence: int = 0


def ask(batch_id: UUID) -> Permit:
    """Ask before each call. PROBE is won by one sender at a time, until it reports or its lease ends."""
    running = {"id": batch_id.hex, "state": Batch.State.RUNNING}
    batch = outside_transaction(Batch).find_one(running, ["failures", "must_read", "unclear"])
    if batch is None or (batch.get("unclear") or 0) >= UNCLEAR_AT_ONCE:
        return Permit(Way.CLOSED)
    if not batch["failures"]:
        return Permit(Way.OPEN)
    fence = None if batch.get("must_read") else _win({**running, "failures": {"$gt": 0}, "must_read": {"$ne": True}})
    return Permit(Way.BUSY) if fence is None else Permit(Way.PROBE, fence)


def read_first(batch_id: UUID, client: "TrainerCentralClient") -> None:
    """After a pause: one reading call, by one sender; a learner is no probe, and a working token is no proof.

    Returns at once when nobody needs to read, or somebody does. If it fails, the batch pauses again.
    """
    fence = _win({"id": batch_id.hex, "state": Batch.State.RUNNING, "must_read": True})
    if fence is None:
        return
    own = {"id": batch_id.hex, "probe_fence": fence}
    if not rate_limit.reserve_slot(rate_limit.INVITATIONS, within_seconds=_READ_WITHIN_SECONDS):
        outside_transaction(Batch).update_one(own, {"$set": _PROBE.released()})
        return
    try:
        client.member_page(_some_course(batch_id), page_size=1)
    except (errors.NotFound, errors.Refused):
        pass  # the API answers; what it says of this course is for the rows to find out
    except errors.TrainerCentralError as error:
        trip(batch_id, error)
        return
    outside_transaction(Batch).update_one(own, {"$set": {"probe_until": None, "must_read": False}})


def report(batch_id: UUID, permit: Permit, trouble: errors.TrainerCentralError | None) -> None:
    """What came of the call that `permit` allowed: `trouble` when it did not settle its row."""
    if trouble is not None and errors.is_plain_answer(trouble):
        outside_transaction(Batch).update_one({"id": batch_id.hex}, {"$inc": {"unclear": 1}})
    elif isinstance(trouble, errors.OutcomeUnknown):
        _fail(batch_id, trouble, pause_from=_UNANSWERED_IN_A_ROW, fence=permit.fence)
        return
    elif isinstance(trouble, errors.NotAuthorised) and not isinstance(trouble, errors.TokenRejected):
        _fail(batch_id, trouble, refused=True)
        return
    elif trouble is not None:
        trip(batch_id, trouble)
        return
    if permit.way is Way.PROBE:
        closed = {"probe_until": None, "failures": 0, "refused_in_a_row": 0}
        outside_transaction(Batch).update_one({"id": batch_id.hex, "probe_fence": permit.fence}, {"$set": closed})


def give_back(batch_id: UUID, permit: Permit) -> None:
    """The call that `permit` allowed was not made, for want of time."""
    if permit.way is Way.PROBE:
        own = {"id": batch_id.hex, "probe_fence": permit.fence}
        outside_transaction(Batch).update_one(own, {"$set": _PROBE.released()})


def trip(batch_id: UUID, error: errors.TrainerCentralError) -> None:
    """A call did not act, or was not made: pause with the reason, and try again by itself. A throttle pauses all.

    An answer that says "stop" pauses until a person resumes.
    """
    _fail(batch_id, error)


def ask_a_person(batch_id: UUID, reason: str, *, answer_kind: str = "") -> bool:
    """Pause a running batch until a person resumes it, or says what answers of this kind mean."""
    paused = {"state": Batch.State.PAUSED, "reason": reason[:300], "resume_at": None, "answer_kind": answer_kind}
    running = {"id": batch_id.hex, "state": Batch.State.RUNNING}
    return outside_transaction(Batch).update_one(running, {"$set": paused}).modified_count == 1


def _fail(
    batch_id: UUID, error: errors.TrainerCentralError, *, pause_from: int = 1, refused: bool = False, fence: int = 0
) -> None:
    """Count one more failure of a running batch, and pause it if it is the `pause_from`th in a row."""
    told_seconds = 0.0
    if isinstance(error, errors.Throttled):
        told_seconds = rate_limit.throttled(error)
    elif isinstance(error, errors.TokenUnavailable):
        told_seconds = error.wait_seconds or 0.0
    failures = {"$add": [{"$ifNull": ["$failures", 0]}, 1]}
    in_a_row = {"$add": [{"$ifNull": ["$refused_in_a_row", 0]}, 1]} if refused else "$refused_in_a_row"
    counted = {"failures": failures, "refused_in_a_row": in_a_row}
    if fence:
        counted["probe_until"] = {"$cond": [{"$eq": ["$probe_fence", fence]}, None, "$probe_until"]}
    forever = isinstance(error, errors.Stopped)
    paused = {"$cond": [{"$gte": ["$failures", pause_from]}, _pause(error, told_seconds, forever, refused), {}]}
    outside_transaction(Batch).update_one(
        {"id": batch_id.hex, "state": Batch.State.RUNNING},
        [{"$set": counted}, {"$replaceWith": {"$mergeObjects": ["$$ROOT", paused]}}],
    )


def _pause(error: errors.TrainerCentralError, told_seconds: float, forever: bool, refused: bool) -> dict[str, Any]:
    resume_at = clock.after({"$max": [backoff("failures", _PAUSE_SECONDS, counted=True), told_seconds]})
    needs_person: Any = {"$gte": ["$refused_in_a_row", REFUSED_IN_A_ROW]} if refused else {"$literal": forever}
    words = f"{_ALL_REFUSED if refused else ''}{error.sentence} {_UNTIL_RESUMED}"
    return {
        "state": Batch.State.PAUSED,
        "reason": {"$cond": [needs_person, {"$literal": words[:300]}, {"$literal": error.sentence[:300]}]},
        "resume_at": {"$cond": [needs_person, None, resume_at]},
        "refused_in_a_row": {"$cond": [needs_person, 0, "$refused_in_a_row"]},
        "awaits_tokens_since": clock.server_now() if isinstance(error, errors.TokenUnavailable) else None,
        "must_read": True,
        "probe_until": None,
    }


def _win(wanted: dict[str, Any]) -> int | None:
    """The right to try with one call; its fence, or None while another holds it."""
    held = _PROBE.win(outside_transaction(Batch), wanted)
    return held["probe_fence"] if held else None


def _some_course(batch_id: UUID) -> str:
    """A course of the batch that still has rows to call for."""
    wanted = {"batch_id": batch_id.hex, "state": {"$in": [Invitation.State.PENDING, Invitation.State.INVITED]}}
    row = outside_transaction(Invitation).find_one(wanted, ["course_id"])
    return row["course_id"] if row else ""
