"""One uploaded file, and all that became of it; each field says beside it what it is for."""

import uuid
from typing import TYPE_CHECKING, Self

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
