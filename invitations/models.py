"""A batch is one uploaded file; an invitation is one learner in it."""

import uuid

from django.conf import settings
from django.db import models
from djongo.models import DjongoManager


class BatchQuerySet(models.QuerySet):
    """Named questions about batches."""

    def visible_to(self, user):
        """All batches for administrators, their own for trainers."""
        from coursehub import roles

        if roles.is_administrator(user):
            return self
        return self.filter(uploaded_by_id=user.pk)

    def unfinished(self):
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

    WORKING = (State.QUEUED, State.RUNNING, State.PAUSED)
    FINAL = (State.COMPLETED, State.COMPLETED_WITH_ERRORS, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    course_id = models.CharField(max_length=40, db_index=True)
    course_name = models.CharField(max_length=300)
    filename = models.CharField(max_length=255)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    created_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=24, choices=State.choices, default=State.PREVIEW, db_index=True)
    reason = models.CharField(max_length=300, blank=True, default="")
    # Set when the product paused the batch by itself; empty when a person did.
    resume_at = models.DateTimeField(null=True, blank=True)
    failures = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DjongoManager.from_queryset(BatchQuerySet)()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"{self.filename} → {self.course_name}"


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

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE)
    course_id = models.CharField(max_length=40)
    line = models.IntegerField()
    email = models.CharField(max_length=320)
    email_folded = models.CharField(max_length=320)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=20, choices=State.choices)
    reason = models.CharField(max_length=300, blank=True, default="")
    member_id = models.CharField(max_length=40, blank=True, default="")
    invited_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = DjongoManager()

    class Meta:
        ordering = ["batch", "line"]
        indexes = [
            models.Index(fields=["batch", "state", "line"], name="invitation_batch_state"),
            models.Index(fields=["course_id", "email_folded"], name="invitation_learner"),
            models.Index(fields=["state", "lease_until"], name="invitation_lease"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.email}"


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

    objects = DjongoManager()

    class Meta:
        indexes = [models.Index(fields=["course_id", "email_folded"], name="claim_learner")]

    def __str__(self) -> str:
        return f"{self.course_id} #{self.generation} by invitation {self.invitation_id}"

    @staticmethod
    def key_of(course_id: str, email_folded: str, generation: int = 1) -> str:
        return f"{course_id} {generation} {email_folded}"
