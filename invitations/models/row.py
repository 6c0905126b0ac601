"""One row of a file: a learner in a course."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from djongo.models import DjongoManager

from invitations.models.batch import Batch


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
                fields=["batch", "state", "name_made"], condition=models.Q(name_made=True), name="invitation_made_name"
            ),
            # The sentence is `invitations.erasure.ERASED`.
            models.Index(
                fields=["batch", "reason"],
                condition=models.Q(reason="The learner was erased."),
                name="invitation_erased",
            ),
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
