"""The latest known state of every learner in every course, and what changed when."""

from django.db import models
from djongo.models import DjongoManager


class MemberQuerySet(models.QuerySet):
    """Named questions about course members."""

    def for_course(self, course_id: str):
        return self.filter(course_id=course_id)


class Member(models.Model):
    """One learner in one course, as TrainerCentral last told us."""

    course_id = models.CharField(max_length=40)
    member_id = models.CharField("course member id", max_length=40)
    email = models.CharField(max_length=320, blank=True)
    email_folded = models.CharField(max_length=320, blank=True)
    name = models.CharField(max_length=300, blank=True)
    percent = models.FloatField(default=0)
    status = models.CharField(max_length=10, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    # Epoch milliseconds of TrainerCentral's own `time`, the watermark of incremental reads.
    remote_time_ms = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = DjongoManager.from_queryset(MemberQuerySet)()

    class Meta:
        ordering = ["course_id", "name"]
        constraints = [models.UniqueConstraint(fields=["course_id", "member_id"], name="one_member_per_course")]
        indexes = [
            models.Index(fields=["course_id", "email_folded"], name="member_by_email"),
            models.Index(fields=["course_id", "revision"], name="member_by_revision"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.email}: {self.percent:g} %"


class ProgressEntry(models.Model):
    """One change of one learner's state: the history that charts are drawn from."""

    course_id = models.CharField(max_length=40)
    member_id = models.CharField(max_length=40)
    percent = models.FloatField()
    revision = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    objects = DjongoManager()

    class Meta:
        verbose_name_plural = "progress entries"
        constraints = [
            models.UniqueConstraint(fields=["course_id", "member_id", "revision"], name="one_entry_per_change")
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.percent:g} %"
