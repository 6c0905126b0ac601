"""A batch is one uploaded file; an invitation is one learner in it.

One module, though it is long: these are the app's documents, and each field says beside it what it is for.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from djongo.models import DjongoManager

if TYPE_CHECKING:
    from coursehub.roles import AnyUser


class BatchQuerySet(models.QuerySet["Batch"]):
    """Named questions about batches."""

    def visible_to(self, user: "AnyUser") -> Self:
        """All batches for administrators, their own for trainers."""
        from coursehub import roles

        if roles.is_administrator(user):
            return self
        return self.filter(uploaded_by_id=user.pk)

    def unfinished(self) -> Self:
        """Batches in which the worker may have something to do."""
        return self.filter(state__in=Batch.WORKING)


class Batch(models.Model):
    """One uploaded file for one course; the counts per state are derived from its rows."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        PREVIEW = "preview", "Preview"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        COMPLETED_WITH_ERRORS = "completed_with_errors", "Completed with errors"
        CANCELLED = "cancelled", "Cancelled"

    class Names(models.TextChoices):
        """What becomes of rows without a full name."""

        UNDECIDED = "", "Not said"
        FILLED = "filled", "Names made from the addresses"
        LEFT_OUT = "left_out", "Left out"

    WORKING = (State.QUEUED, State.RUNNING, State.PAUSED)
    OPEN = (State.UPLOADED, State.PREVIEW, *WORKING)
    FINAL = (State.COMPLETED, State.COMPLETED_WITH_ERRORS, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The course chosen for the whole file, "" when each row names its own.
    course_id = models.CharField(max_length=40, db_index=True, blank=True)
    course_name = models.CharField(max_length=300)
    filename = models.CharField(max_length=255)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    created_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=24, choices=State.choices, default=State.PREVIEW, db_index=True)
    reason = models.CharField(max_length=300, blank=True, default="")
    # Set when the product paused the batch by itself; empty when a person did.
    resume_at = models.DateTimeField(null=True, blank=True)
    # Since when the batch is paused for want of tokens: it goes on as soon as there are some.
    awaits_tokens_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Of the circuit breaker: failures in a row; who tries with one call, and until when; a reading call comes first.
    failures = models.IntegerField(default=0)
    probe_until = models.DateTimeField(null=True, blank=True, editable=False)
    probe_fence = models.IntegerField(default=0, editable=False)
    must_read = models.BooleanField(default=False, editable=False)
    refused_in_a_row = models.IntegerField(default=0, editable=False)
    # Answers since the last look-up that left open whether they acted; so many stop the batch until it has looked.
    unclear = models.IntegerField(default=0, editable=False)
    # The kind of answer (`AnswerKind.key`) that an administrator is asked about while the batch is paused.
    answer_kind = models.CharField(max_length=64, blank=True, default="", editable=False)
    # Only rows of unknown outcome are left, and there is nothing to do for them before this.
    look_at = models.DateTimeField(null=True, blank=True, editable=False)
    undoing = models.BooleanField(default=False, editable=False)
    inviting_again = models.BooleanField(default=False, editable=False)  # those of its learners with `again`
    total = models.IntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # A confirmed batch begins no sooner than this; empty: at once.
    start_at = models.DateTimeField(null=True, blank=True)

    # Of uploader, bytes and options: of one key there is one batch that is not final.
    content_key = models.CharField(max_length=64, blank=True, default="", editable=False)
    size_bytes = models.BigIntegerField(default=0, editable=False)  # of what is read: the bytes, or a text made of them
    # `reader.Format` as a document: encoding, delimiter, headings, which column is where. Empty: not settled yet.
    format = models.JSONField(default=dict, editable=False)
    stored_at = models.DateTimeField("bytes stored", null=True, blank=True, editable=False)
    # A person chose, from the preview, how the file is read: a reading without a good row is shown, not refused.
    was_read_anew = models.BooleanField(default=False, editable=False)
    # One reader at a time; it may die and begin again, since (batch, line) is unique.
    read_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    read_fence = models.IntegerField(default=0, editable=False)
    read_bytes = models.BigIntegerField(default=0, editable=False)
    # When the course's members, read since `look_since` (None: since the upload), were taken out of the rows that wait.
    # Sending waits for it.
    members_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    look_since = models.DateTimeField(null=True, blank=True, editable=False)

    # Rows whose names were made, as long as it matters for the confirmation; and what a person said of them, once.
    made_names = models.IntegerField(default=0, editable=False)
    names = models.CharField(max_length=10, choices=Names.choices, blank=True, default="", editable=False)

    # What of the file became no row, as `parsing.leftovers.Leftovers` counts it: lines and headings, no cells.
    leftovers = models.JSONField(default=dict, editable=False)

    # Raised by each act that corrects rows, in its transaction: such acts and a confirmation take turns.
    corrections = models.IntegerField(default=0, editable=False)
    # "found": domains that look mistyped, as `parsing.domains` tells, with what a person said of each.
    suggestions = models.JSONField(default=dict, editable=False)
    # One domain is being replaced by another in all rows, for whom, how many are done, and when one was done last; no
    # confirmation meanwhile.
    correcting = models.JSONField(default=dict, editable=False)
    correcting_at = models.DateTimeField(null=True, blank=True, editable=False)

    # When the file's bytes and the learners' cells were deleted (UPLOAD_KEEP_DAYS).
    forgotten_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DjongoManager.from_queryset(BatchQuerySet)()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(
                fields=["content_key"],
                # In words that a partial index knows; the states are those of OPEN.
                condition=models.Q(
                    content_key__gt="", state__in=("uploaded", "preview", "queued", "running", "paused")
                ),
                name="one_open_batch_per_content",
            )
        ]

    def __str__(self) -> str:
        return f"{self.filename} → {self.course_name}"


class Piece(models.Model):
    """A part of an uploaded file's bytes, at most `SIZE_BYTES` long; in order of `number` they are the file.

    Or a part of a text that was made from these bytes, such as one sheet of a workbook: `text` names it.
    In MongoDB and not in the file system, since web and worker may run on different hosts.
    """

    SIZE_BYTES = 1_000_000

    # "<batch id in hex>-<number>" of the uploaded bytes, "<batch id in hex>-<text>-<number>"; also the document's _id
    id = models.CharField(primary_key=True, max_length=80)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE)
    text = models.CharField(max_length=30, blank=True, default="")  # "": the bytes as they were uploaded
    number = models.IntegerField()
    data = models.BinaryField()

    objects = DjongoManager()

    class Meta:
        ordering = ["batch", "number"]

    def __str__(self) -> str:
        return f"{self.id}: {len(self.data)} bytes"


# The filter for pieces of the uploaded bytes; those of a backup from before there were texts have no such field.
UPLOADED_BYTES = {"text": {"$in": ["", None]}}


class HeadingChoice(models.Model):
    """Which column holds what in files with these headings, as one person chose it."""

    id = models.CharField(primary_key=True, max_length=80)  # "<user id>-<digest of the headings>"
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    columns = models.JSONField()
    chosen_at = models.DateTimeField(null=True)  # null: by a version that did not note it

    objects = DjongoManager()

    def __str__(self) -> str:
        return f"choice of {self.user_id}"


class Invitation(models.Model):
    """One row of the file: one learner, one course, at most one call that invites."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        SENDING = "sending", "Sending"
        INVITED = "invited", "Invited"
        ALREADY_ENROLLED = "already_enrolled", "Already enrolled"
        UNKNOWN = "unknown", "Outcome unknown"
        FAILED = "failed", "Failed"
        INVALID = "invalid", "Invalid"
        DUPLICATE = "duplicate", "Duplicate in the file"
        ALREADY_INVITED = "already_invited", "Already invited"
        NOT_ATTEMPTED = "not_attempted", "Not attempted"
        REVOKING = "revoking", "Revoking"
        REVOKED = "revoked", "Access revoked"
        INVITING_AGAIN = "inviting_again", "Inviting once more"

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, db_index=False)  # the constraint begins with it
    course_id = models.CharField(max_length=40, blank=True)
    # Where the row begins in the file, 1-based; `reader.records` tells the same for the kept bytes.
    line = models.IntegerField()
    email = models.CharField(max_length=320)
    email_folded = models.CharField(max_length=320)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    name_made = models.BooleanField(default=False, editable=False)  # from the address, or one word completed
    access_expires_at = models.DateTimeField("access until", null=True, blank=True)
    state = models.CharField(max_length=20, choices=State.choices)
    reason = models.CharField(max_length=300, blank=True, default="")
    member_id = models.CharField(max_length=40, blank=True, default="")
    invited_at = models.DateTimeField(null=True, blank=True)
    # Whoever sends the row holds it until the lease ends; `attempts` counts the holders, and fences late ones off.
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    holder = models.CharField(max_length=32, blank=True, default="", editable=False)
    attempts = models.IntegerField(default=0, editable=False)
    # A call was made for the waiting row and did not settle it: none is made again before a look at the members that
    # began later. Of these calls, `refusals` were refused in a way that may pass.
    called_at = models.DateTimeField(null=True, blank=True, editable=False)
    refusals = models.IntegerField(default=0, editable=False)
    # A repair put this learner into the row, and no call was made for them: `called_at` only says what look must come.
    uncalled = models.BooleanField(default=False, editable=False)
    # What people corrected: "cells" holds the cell before and now, by column; "left_out" that a person left it out.
    correction = models.JSONField(default=dict, editable=False)
    email_before = models.CharField(max_length=320, blank=True, default="", editable=False)  # folded, of the file
    unknown_since = models.DateTimeField(null=True, blank=True, editable=False)
    # Of a row of unknown outcome: what the look-ups found, and the kind of answer (`AnswerKind.key`) that left it so.
    finding = models.CharField(max_length=300, blank=True, default="")
    answer_kind = models.CharField(max_length=64, blank=True, default="", editable=False)
    sent_again = models.IntegerField(default=0, editable=False)  # by the rule of invitations.reconciliation.rule
    generation = models.IntegerField(default=1, editable=False)  # of the claim under which it is sent
    undo_skipped = models.BooleanField(default=False, editable=False)
    # An invited learner is to be invited once more; and how often that was done, and when last.
    again = models.BooleanField(default=False, editable=False)
    times_again = models.IntegerField(default=0, editable=False)
    invited_again_at = models.DateTimeField(null=True, blank=True)

    objects = DjongoManager()

    class Meta:
        ordering = ["batch", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="one_invitation_per_line")]
        indexes = [
            models.Index(fields=["batch", "state", "line"], name="invitation_batch_state"),
            models.Index(fields=["course_id", "email_folded"], name="invitation_learner"),
            models.Index(
                fields=["state", "lease_until"], condition=models.Q(state="sending"), name="invitation_in_flight"
            ),
            models.Index(
                fields=["state", "lease_until"], condition=models.Q(state="revoking"), name="invitation_revoking"
            ),
            models.Index(
                fields=["state", "lease_until"], condition=models.Q(state="inviting_again"), name="invitation_again"
            ),
            models.Index(
                fields=["answer_kind", "state"], condition=models.Q(answer_kind__gt=""), name="invitation_answer_kind"
            ),
            models.Index(fields=["email_before"], condition=models.Q(email_before__gt=""), name="invitation_before"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.email}"

    @property
    def explanation(self) -> str:
        """Why the row is in its state, what the look-ups found while its outcome is unknown, and what was corrected."""
        return explained(self.state, self.reason, self.finding, self.correction)


NOT_LOOKED_UP = "Not looked up yet."
# What is left of a learner in a row whose cells were deleted.
NO_CELLS: dict[str, Any] = {
    "email": "", "email_folded": "", "first_name": "", "last_name": "", "correction": {}, "email_before": "",
}  # fmt: skip


def explained(state: str, reason: str, finding: str, correction: Mapping[str, Any] | None = None) -> str:
    """The sentences beside a row's state."""
    looked_up = (finding or NOT_LOOKED_UP) if state == Invitation.State.UNKNOWN else ""
    return " ".join(part for part in (reason, looked_up, corrected(correction or {})) if part)


def corrected(correction: Mapping[str, Any]) -> str:
    """What people corrected in a row, in one sentence; "" when nothing."""
    changes = [
        f"{_WORDS[column]} from “{cell['before'] or 'nothing'}” to “{cell['now'] or 'nothing'}”"
        for column, cell in (correction.get("cells") or {}).items()
    ]
    return f"Corrected: {', '.join(changes)}." if changes else ""


_WORDS = {
    "email": "the address", "first_name": "the first name", "last_name": "the last name", "course": "the course",
    "access_expires": "the end of access",
}  # fmt: skip


class Claim(models.Model):
    """The right to invite one learner to one course, won before the call is made.

    Its key names learner, course and generation, so a second claim cannot be stored. Only a person's
    decision ("send again", re-invite, undo) starts a new generation.
    """

    key = models.CharField(max_length=400, primary_key=True)
    course_id = models.CharField(max_length=40)
    email_folded = models.CharField(max_length=320)
    generation = models.IntegerField(default=1)
    invitation_id = models.BigIntegerField()
    attempt = models.IntegerField(default=0)  # the last of the invitation's attempts that was made under it
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = DjongoManager()

    class Meta:
        indexes = [models.Index(fields=["course_id", "email_folded"], name="claim_learner")]

    def __str__(self) -> str:
        return f"{self.course_id} #{self.generation} by invitation {self.invitation_id}"

    @staticmethod
    def key_of(course_id: str, email_folded: str, generation: int = 1) -> str:
        return f"{course_id} {generation} {email_folded}"


class Sweep(models.Model):
    """One reading of all members of a course, to find rows of unknown outcome (reconciliation.member_scan)."""

    id = models.CharField(primary_key=True, max_length=60)  # "<course id> <number>"
    course_id = models.CharField(max_length=40)
    number = models.IntegerField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    offset = models.IntegerField(default=0)
    place = models.JSONField(default=dict, editable=False)  # `member_pager.Place`, where whoever goes on begins
    learners = models.IntegerField(default=0)
    passes = models.IntegerField(default=1)  # how often it began anew, since rows moved while they were read
    # Why it has not seen every learner, in one sentence; who is not in it is then not proven absent.
    flaw = models.CharField(max_length=200, blank=True, default="")
    # It saw every learner, and one whom we invited with an answer and who has not accepted yet.
    is_proof = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(default=0)

    objects = DjongoManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course_id", "number"], name="sweep_of_course")]

    def __str__(self) -> str:
        return f"{self.course_id} #{self.number}"
