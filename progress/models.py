"""The latest known state of every learner in every course, what changed when, and what is derived from it.

Learners and history are written by `progress.polling.member_store` only, through pymongo. All keys are made of
TrainerCentral's ids, so that writing the same thing twice makes one document, and a change stream's
event says by its key alone what it is about.
"""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from djongo.models import DjongoManager

from coursehub.trainercentral.records import REVOKED

# Filters, for MongoDB, of stored learners: who is in a course now, which is who is counted and shown; and who is
# listed still, but without access.
IN_COURSE: dict[str, Any] = {"gone_at": None, "status": {"$ne": REVOKED}}
ACCESS_REVOKED: dict[str, Any] = {"gone_at": None, "status": REVOKED}
_MOST_DAYS = 3650


class MemberQuerySet(models.QuerySet["Member"]):
    """Named questions about course members."""

    def for_course(self, course_id: str) -> Self:
        """The learners who are in the course now."""
        return self.filter(course_id=course_id).here()

    def here(self) -> Self:
        """The learners who are in any course now; who is listed as revoked is not."""
        return self.filter(gone_at=None).exclude(status=REVOKED)

    def revoked(self) -> Self:
        """Those who are listed still, but without access."""
        return self.filter(gone_at=None, status=REVOKED)


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
    # Which fields came and could not be read, with what they held: {"percent": "n/a"}. Their old values are kept.
    unreadable = models.JSONField(default=dict, blank=True, editable=False)
    # Epoch milliseconds of TrainerCentral's own `time`, the watermark of incremental reads.
    remote_time_ms = models.BigIntegerField(default=0)
    # Since when the percentage is this one: when it was seen to change, at first the latest moment that it can have.
    percent_since = models.DateTimeField(null=True, blank=True)
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

    @property
    def is_revoked(self) -> bool:
        return self.status == REVOKED and self.gone_at is None


class ProgressEntry(models.Model):
    """One change of one learner's state: the history that charts are drawn from."""

    id = models.CharField(primary_key=True, max_length=61)  # "<course id>-<revision>", also the document's _id
    course_id = models.CharField(max_length=40)
    member_id = models.CharField(max_length=40)
    percent = models.FloatField()
    last_seen_at = models.DateTimeField(null=True, blank=True)
    revision = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    objects = DjongoManager()

    class Meta:
        verbose_name_plural = "progress entries"
        indexes = [
            models.Index(fields=["course_id", "member_id", "at"], name="history_of_member"),
            models.Index(fields=["course_id", "last_seen_at"], name="history_of_visits"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id}: {self.percent:g} %"


class DailyFigures(models.Model):
    """A course at the end of a day in TIME_ZONE; of today, as last read. Days without a read have none."""

    id = models.CharField(primary_key=True, max_length=51)  # "<course id>-<day>", also the document's _id
    course_id = models.CharField(max_length=40)
    day = models.CharField(max_length=10)  # 2026-11-25; text, so that it sorts and no time zone moves it
    learners = models.IntegerField(default=0)
    average_percent = models.FloatField(null=True, blank=True)
    started = models.IntegerField(default=0)  # above 0 %
    completed = models.IntegerField(default=0)
    active = models.IntegerField("seen that day", default=0)  # learners with a visit that a read has shown
    revision = models.BigIntegerField(default=0)

    objects = DjongoManager()

    class Meta:
        ordering = ["course_id", "day"]
        verbose_name_plural = "daily figures"
        indexes = [models.Index(fields=["course_id", "day"], name="figures_of_course")]

    def __str__(self) -> str:
        return f"{self.course_id} on {self.day}"


class SweepPart(models.Model):
    """Who was seen in one slice of a full read that takes more than one task. Gone when the read ends."""

    id = models.CharField(primary_key=True, max_length=61)  # "<course id>-<fence>", also the document's _id
    course_id = models.CharField(max_length=40, db_index=True)
    began_at = models.DateTimeField()  # the read's begin, which tells its parts from those of another
    until_row = models.IntegerField(default=0)  # counts only when the read has gone on from here
    place = models.JSONField(default=dict)  # `member_pager.Place`
    member_ids = models.JSONField(default=list)

    objects = DjongoManager()

    def __str__(self) -> str:
        return self.id


def _threshold(name: str, default: int, *, most: int) -> "models.PositiveIntegerField[int | None, int | None]":
    limits = [MinValueValidator(1), MaxValueValidator(most)]
    return models.PositiveIntegerField(name, null=True, blank=True, default=default, validators=limits)


class RiskThresholds(models.Model):
    """When a learner of a course counts as at risk. An empty number switches its rule off.

    A course without a row of its own has the defaults. The rules themselves stand in `progress.risk.rules`.
    """

    course_id = models.CharField(primary_key=True, max_length=40)
    unseen_days = _threshold("no visit for (days)", 14, most=_MOST_DAYS)
    stalled_below_percent = _threshold("stalled below (%)", 80, most=100)
    stalled_days = _threshold("stalled for (days)", 14, most=_MOST_DAYS)
    behind_points = _threshold("behind the cohort by (points)", 30, most=100)
    expiry_days = _threshold("access ends within (days)", 7, most=_MOST_DAYS)

    objects = DjongoManager()

    class Meta:
        verbose_name_plural = "risk thresholds"

    def __str__(self) -> str:
        return f"At risk in {self.course_id}"


class LearnerReport(models.Model):
    """What TrainerCentral last said in detail about one learner: shown as it is, never reckoned with."""

    class Kind(models.TextChoices):
        ENGAGEMENT = "engagement", "Engagement"
        TESTS = "tests", "Tests"

    id = models.CharField(primary_key=True, max_length=100)  # "<course id>-<member id>-<kind>"
    course_id = models.CharField(max_length=40)
    member_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    body = models.JSONField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, default="")

    objects = DjongoManager()

    def __str__(self) -> str:
        return f"{self.kind} of {self.member_id}"

    @staticmethod
    def key_of(course_id: str, member_id: str, kind: str) -> str:
        """The document's key: one report per learner and kind."""
        return f"{course_id}-{member_id}-{kind}"


class WebhookSeen(models.Model):
    """A request that the webhook has taken, so that the same one again changes nothing."""

    id = models.CharField(primary_key=True, max_length=64)  # its signature
    at = models.DateTimeField(db_index=True)

    objects = DjongoManager()

    def __str__(self) -> str:
        return self.id
