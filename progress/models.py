"""The latest known state of every learner in every course, and what changed when.

Both are written by `progress.storing` only, through pymongo. Their keys are made of TrainerCentral's
ids, so that writing the same thing twice makes one document, and a change stream's event says by its
key alone what it is about.
"""

from django.db import models
from djongo.models import DjongoManager


class MemberQuerySet(models.QuerySet):
    """Named questions about course members."""

    def for_course(self, course_id: str):
        """The learners who are in the course now."""
        return self.filter(course_id=course_id, gone_at=None)


class Member(models.Model):
    """One learner in one course, as TrainerCentral last told us."""

    id = models.CharField(primary_key=True, max_length=81)  # "<course id>-<member id>", also the document's _id
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
    # The course's revision that brought this state; no two changes of a course share one.
    revision = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)
    # Rows move while pages are read, so a learner is gone only when several full sweeps lacked them.
    absent_sweeps = models.IntegerField(default=0, editable=False)
    gone_at = models.DateTimeField("gone since", null=True, blank=True)

    objects = DjongoManager.from_queryset(MemberQuerySet)()

    class Meta:
        ordering = ["course_id", "name"]
        indexes = [
            models.Index(fields=["course_id", "name"], name="member_by_name"),
            models.Index(fields=["course_id", "email_folded"], name="member_by_email"),
            models.Index(fields=["course_id", "revision"], name="member_by_revision"),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.email}: {self.percent:g} %"


class ProgressEntry(models.Model):
    """One change of one learner's state: the history that charts are drawn from."""

    id = models.CharField(primary_key=True, max_length=61)  # "<course id>-<revision>", also the document's _id
    course_id = models.CharField(max_length=40)
    member_id = models.CharField(max_length=40)
    percent = models.FloatField()
    revision = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    objects = DjongoManager()

    class Meta:
        verbose_name_plural = "progress entries"
        indexes = [models.Index(fields=["course_id", "member_id", "at"], name="history_of_member")]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.percent:g} %"
