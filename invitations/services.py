"""What people do with batches and their rows; the one door through which they are changed.

Every move is one conditional update that names the states it may leave. Of a decision about rows the rows come
first, then their batch: a batch that runs without a waiting row closes itself, and what a crash leaves half-done is
done by deciding again. A row that is to be sent again waits, as any row that was called for, for a look at the
course's members that begins after the decision (`Invitation.called_at`): whoever is there is settled, not posted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from coursehub import clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from coursehub.privacy import pseudonyms
from invitations import transitions
from invitations.claims import learner_claims
from invitations.erasure import end_unread
from invitations.models import Batch, Invitation
from invitations.repair import domains
from invitations.repair.acts import leave_out, repair, take_back
from invitations.repair.domains import correct as correct_domain
from invitations.repair.domains import keep as keep_domain
from invitations.sending import missing_names, second_invitation
from invitations.sending.second_invitation import want as invite_again
from invitations.uploads import overtaken_rows
from invitations.uploads.anew import choose_sheet, read_anew
from invitations.uploads.choices import choose_columns, forget_columns, leave_out_by_status, one_row_per_address
from invitations.uploads.upload import upload

__all__ = [
    "ACTIONS",
    "DECIDABLE",
    "already_there",
    "cancel",
    "choose_columns",
    "choose_sheet",
    "confirm",
    "correct_domain",
    "discard",
    "forget_columns",
    "invite_again",
    "keep_domain",
    "leave_out",
    "leave_out_by_status",
    "one_row_per_address",
    "pause",
    "read_anew",
    "repair",
    "resume",
    "retry",
    "send_again",
    "take_back",
    "undo",
    "upload",
]

State = Invitation.State
DECIDABLE = [Batch.State.COMPLETED_WITH_ERRORS, Batch.State.COMPLETED]


def confirm(batch: Batch, *, actor: str, start_at: datetime | None = None, reading: int | None = None) -> bool:
    """Send what the preview showed, now or from `start_at` on. False when the batch was no longer in preview.

    `reading`: the `read_fence` of the preview that the person saw; False when the file was read anew since.
    False, too, while nobody has said what becomes of the rows without a full name (`missing_names.obstacle`), and
    while a correction of many rows is under way (`domains.obstacle`).
    """
    if missing_names.obstacle(batch):
        return False
    return transitions.act(
        Action.BATCH_CONFIRMED, batch, actor,
        leaving=[Batch.State.PREVIEW], unless=missing_names.BLOCKS,
        only=domains.SETTLED | ({} if reading is None else {"read_fence": reading}),
        detail={"start_at": start_at.isoformat()} if start_at else None,
        state=Batch.State.QUEUED, start_at=start_at, reason="",
    )  # fmt: skip


def pause(batch: Batch, *, actor: str) -> bool:
    """Start no further call until a person resumes."""
    return transitions.act(
        Action.BATCH_PAUSED, batch, actor,
        leaving=[Batch.State.QUEUED, Batch.State.RUNNING, Batch.State.PAUSED],
        state=Batch.State.PAUSED, reason=f"Paused by {actor}.", resume_at=None,
    )  # fmt: skip


def resume(batch: Batch, *, actor: str) -> bool:
    """Go on after a pause, whoever paused."""
    return transitions.act(
        Action.BATCH_RESUMED, batch, actor,
        leaving=[Batch.State.PAUSED],
        state=Batch.State.QUEUED, reason="", resume_at=None, **transitions.CALM,
    )  # fmt: skip


def cancel(batch: Batch, *, actor: str) -> bool:
    """Start no further call, ever; rows that were not attempted say so.

    Cancelling a second invitation leaves everybody as invited as they were, and the batch as it ended before.
    """
    if Batch.objects.filter(pk=batch.pk, inviting_again=True).exists():
        return second_invitation.cancel(batch, actor=actor)
    overtaken_rows.delete_before_reading(batch.pk)
    unread = _cancel(batch, [Batch.State.UPLOADED], actor=actor)
    if not unread and not _cancel(batch, [Batch.State.PREVIEW, *Batch.WORKING], actor=actor):
        return False
    Invitation.objects.filter(batch=batch, state=State.PENDING).update(state=State.NOT_ATTEMPTED)
    if unread:
        end_unread(batch)
    return True


def _cancel(batch: Batch, leaving: Sequence[str], *, actor: str) -> bool:
    return transitions.act(
        Action.BATCH_CANCELLED, batch, actor, leaving=leaving, unless={"inviting_again": True},
        state=Batch.State.CANCELLED, reason=f"Cancelled by {actor}.", finished_at=clock.now(), resume_at=None,
        undoing=False,
    )  # fmt: skip


def discard(batch: Batch, *, actor: str) -> bool:
    """Put a preview away that nobody wants to confirm; the same file can be uploaded again. False as in `cancel`.

    Nothing was sent and nothing is deleted by it, so the audit trail, which has the upload, gets no entry.
    """
    reason, now = f"Discarded by {actor}.", clock.now()
    discarded = transitions.move(
        batch.pk, leaving=[Batch.State.PREVIEW], state=Batch.State.CANCELLED, reason=reason, finished_at=now
    )
    if discarded:
        Invitation.objects.filter(batch=batch, state=State.PENDING).update(state=State.NOT_ATTEMPTED)
    return discarded


def retry(batch: Batch, *, actor: str) -> bool:
    """Try the rows that TrainerCentral refused once more, and look up those of unknown outcome from scratch."""
    if Batch.objects.filter(pk=batch.pk, state=Batch.State.COMPLETED_WITH_ERRORS).exists():
        rows = outside_transaction(Invitation)
        of_batch = {"batch_id": batch.pk.hex}
        rows.update_many({**of_batch, "state": State.FAILED}, [{"$set": _waiting()}])
        afresh = {"unknown_since": clock.server_now(), "sent_again": 0, "finding": ""}
        rows.update_many({**of_batch, "state": State.UNKNOWN}, [{"$set": afresh}])
    if not Invitation.objects.filter(batch=batch, state__in=[State.PENDING, State.UNKNOWN]).exists():
        return False
    return transitions.go_on(Action.BATCH_RETRIED, batch, actor, leaving=DECIDABLE)


def undo(batch: Batch, *, actor: str) -> bool:
    """Revoke the access of exactly those whom this batch invited. False when it still runs, or invited nobody."""
    undoable = Invitation.objects.filter(batch=batch, state__in=[State.INVITED, State.REVOKING])
    if not undoable.exists():
        return False
    undoable.update(undo_skipped=False, refusals=0, called_at=None)
    return transitions.act(
        Action.BATCH_UNDO_BEGUN, batch, actor, leaving=Batch.FINAL,
        state=Batch.State.QUEUED, undoing=True, reason="The invitations of this batch are being undone.",
        finished_at=None, look_at=None, **transitions.CALM,
    )  # fmt: skip


def already_there(batch: Batch, *rows: Invitation, actor: str) -> int:
    """A person looked: the learners of these rows of unknown outcome are in the course. Returns how many it settled."""
    settled = [row for row in rows if _decide(row, {"state": State.ALREADY_ENROLLED, "reason": _there(actor)})]
    for row in settled:
        transitions.record(Action.INVITATION_ALREADY_THERE, batch, actor, **_named(row))
    if settled:
        transitions.close_without_errors(batch)
    return len(settled)


def send_again(batch: Batch, *rows: Invitation, actor: str) -> int:
    """A person decided that these rows of unknown outcome invite once more, under a claim of the next generation.

    Unless the look at the members that comes first finds the learner. Returns how many wait for it.
    """
    count = 0
    for row in rows:
        generation = learner_claims.next_generation(_as_row(row))
        if _decide(row, _waiting() | {"generation": generation, "sent_again": 0}):
            transitions.record(Action.INVITATION_SENT_AGAIN, batch, actor, generation=generation, **_named(row))
            count += 1
    if count:
        transitions.go_on(Action.BATCH_RESUMED_FOR_ROWS, batch, actor, leaving=DECIDABLE, detail={"rows": count})
    return count


ACTIONS = {"pause": pause, "resume": resume, "cancel": cancel, "retry": retry, "undo": undo}


def _there(actor: str) -> str:
    return f"{actor} says that the learner is there."


def _waiting() -> dict[str, Any]:
    """What a row holds that is to be sent again, after a look that begins later than now; in an update pipeline."""
    return {"state": State.PENDING, "reason": "", "finding": "", "refusals": 0, "called_at": clock.server_now()}


def _decide(row: Invitation, changes: dict[str, Any]) -> bool:
    """One row of unknown outcome, if it is still as the person saw it."""
    seen = {"id": row.pk, "state": State.UNKNOWN, "attempts": row.attempts, "generation": row.generation}
    literals = {name: value if name == "called_at" else {"$literal": value} for name, value in changes.items()}
    return outside_transaction(Invitation).update_one(seen, [{"$set": literals}]).modified_count == 1


def _as_row(row: Invitation) -> dict[str, Any]:
    return {"course_id": row.course_id, "email_folded": row.email_folded, "generation": row.generation}


def _named(row: Invitation) -> dict[str, Any]:
    """For the audit trail, which never holds an address."""
    return {"line": row.line, "learner": pseudonyms.of(row.email)}
