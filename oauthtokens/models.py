"""A token set: one refresh token, the access token made from it, and how often it was used."""

from django.db import models
from djongo.models import DjongoManager


class TokenSet(models.Model):
    """One of the numbered sets of the pool. Token fields hold ciphertext, never a token."""

    class State(models.TextChoices):
        EMPTY = "empty", "Empty"
        READY = "ready", "Ready"
        ACTIVE = "active", "Active"
        RETIRING = "retiring", "Retiring"
        EXHAUSTED = "exhausted", "Exhausted"
        COOLING = "cooling", "Cooling down"
        BROKEN = "broken", "Broken"
        REVOKED = "revoked", "Revoked"
        UNDECRYPTABLE = "undecryptable", "Cannot be decrypted"
        REVOCATION_PENDING = "revocation_pending", "Revocation pending"

    number = models.IntegerField(unique=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.EMPTY)
    reason = models.CharField(max_length=300, blank=True, default="")
    generation = models.IntegerField(default=0)
    uses = models.IntegerField(default=0)
    # The generation whose reserve was released; a new generation has its own reserve again.
    reserve_generation = models.IntegerField(null=True, blank=True, editable=False)
    refresh_token = models.TextField(blank=True, default="", editable=False)
    access_token = models.TextField(blank=True, default="", editable=False)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    regenerated_at = models.DateTimeField(null=True, blank=True)
    last_refreshed_at = models.DateTimeField(null=True, blank=True)
    # Not before this moment: the provider's throttle, or backoff after a transient failure.
    not_before = models.DateTimeField(null=True, blank=True)
    # Whether the access token takes (or the next one will take) the place of one that was rejected when it was
    # fresh, and has not been accepted yet; and when one was replaced last.
    is_replacement = models.BooleanField(default=False, editable=False)
    replaced_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Refreshes in a row that failed for a passing reason; sets the length of the next backoff.
    failures = models.IntegerField(default=0, editable=False)
    # The fenced lease of a refresh: a late writer's fence is no longer the stored one. `access_fence` is
    # the fence under which the stored access token came: together with number and generation, its name.
    fence = models.BigIntegerField(default=0, editable=False)
    access_fence = models.BigIntegerField(default=0, editable=False)
    # Whether TrainerCentral has rejected the token, or others like it, when they were fresh, and not taken it since.
    access_unproven = models.BooleanField(default=False, editable=False)
    lease_holder = models.CharField(max_length=100, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DjongoManager()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"Token set {self.number}"

    @property
    def reserve_released(self) -> bool:
        """Whether this generation may be used up to TOKEN_MAX_USES."""
        return self.reserve_generation is not None and self.reserve_generation == self.generation


class Sitting(models.Model):
    """The maintenance team at work on the sets that need regeneration; in the end, the signed-off record of it.

    `plan` holds the sets as they were at the start, [{"number", "generation", "state"}]: a set is done when it
    has a newer generation. Written only by `oauthtokens.regeneration.sessions`.
    """

    started_by = models.CharField(max_length=150)
    started_at = models.DateTimeField()
    is_open = models.BooleanField(default=True)
    plan = models.JSONField(default=list)
    skipped = models.JSONField(default=list)  # set numbers
    signed_off_by = models.CharField(max_length=150, blank=True, default="")
    signed_off_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=list, blank=True)  # [{"number", "outcome"}], written when it is signed off
    remarks = models.TextField(max_length=2000, blank=True, default="")

    objects = DjongoManager()

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "regeneration"
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=models.Q(is_open=True), name="one_open_sitting")
        ]

    def __str__(self) -> str:
        return f"Regeneration of {self.started_at:%d %b %Y} by {self.started_by}"
