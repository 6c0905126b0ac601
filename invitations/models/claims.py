"""Who may be invited by which row, and the readings of members that find rows of unknown outcome."""

from django.db import models
from djongo.models import DjongoManager


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
