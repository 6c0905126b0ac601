"""For coursehub.backup: batches of a restored backup send nothing before somebody, or the rule, has looked.

The backup does not know what was sent since. So a row that was on its way then, or that may have been sent since, is of
unknown outcome: `reconciliation.rule` looks its learner up, and a person decides what that does not settle. The claims
of the database that is replaced are kept: whoever was invited since is not invited by another upload.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from coursehub import clock
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Claim, Invitation

if TYPE_CHECKING:
    from coursehub.backup.staging import Staged

State = Invitation.State
MAYBE_SENT = "This row may have been sent after the backup that was restored."
PAUSED = "Paused by the restore of the backup of {}. What may have been sent since is looked up when you resume."
CHECK = "From the backup of {}: this file may have been sent since. Ask before you confirm."
# What no invitation's number is: a claim that is kept belongs to none of the restored rows.
_NO_INVITATION = 0


def settle(staged: "Staged") -> dict[str, int]:
    """Called before the restored documents are in use; may be called again for the same."""
    batches, rows = (staged.collection(model._meta.db_table) for model in (Batch, Invitation))
    taken_at = timezone.localtime(datetime.fromisoformat(staged.taken_at)).strftime("%d %b %Y, %H:%M")
    sending = {"state": {"$in": Batch.WORKING}, "undoing": {"$ne": True}, **_has_begun()}
    begun = [batch["id"] for batch in batches.find(sending, ["id"])]
    waiting = {"batch_id": {"$in": begun}, "state": State.PENDING}
    doubtful = rows.update_many({"$or": [waiting, {"state": State.SENDING}]}, [{"$set": _unknown()}]).modified_count
    # An undo may be made again; a second invitation is not sent by a restore.
    on_their_way = {"state": {"$in": [State.REVOKING, State.INVITING_AGAIN]}}
    rows.update_many(on_their_way, {"$set": {"state": State.INVITED, "lease_until": None}})
    rows.update_many({"again": True}, {"$set": {"again": False, "called_at": None}})
    paused = {"state": Batch.State.PAUSED, "reason": PAUSED.format(taken_at), "failures": 0, **_AFRESH}
    stopped = batches.update_many({"state": {"$in": Batch.WORKING}}, {"$set": paused}).modified_count
    unsent = {"$set": {"reason": CHECK.format(taken_at), **_AFRESH}}
    batches.update_many({"state": {"$in": [Batch.State.UPLOADED, Batch.State.PREVIEW]}}, unsent)
    return {"batches_paused": stopped, "rows_of_unknown_outcome": doubtful, "claims_kept": _keep_claims(staged)}


# The course's members are read again before anything is sent.
_AFRESH: dict[str, Any] = {
    "members_checked_at": None,
    "resume_at": None,
    "awaits_tokens_since": None,
    "probe_until": None,
    "look_at": None,
}


def _has_begun() -> dict[str, Any]:
    """The filter for batches whose time has come: those that are to begin later cannot have sent anything."""
    return {"$expr": clock.passed("start_at")}


def _unknown() -> dict[str, Any]:
    since = {"unknown_since": clock.server_now(), "lease_until": None, "sent_again": 0, "uncalled": False}
    return {"state": State.UNKNOWN, "reason": MAYBE_SENT, **since}


def _keep_claims(staged: "Staged") -> int:
    kept = staged.collection(Claim._meta.db_table)
    before = kept.count_documents({})
    new = {"into": kept.name, "on": "key", "whenMatched": "keepExisting"}
    # Without their own number, since a backup of an older version may hold the same claim under another key.
    without_id: list[dict[str, Any]] = [{"$unset": "_id"}, {"$set": {"invitation_id": _NO_INVITATION}}]
    outside_transaction(Claim).aggregate([*without_id, {"$merge": new}])
    return kept.count_documents({}) - before
