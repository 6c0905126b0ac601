"""What all apps share: courses, who may see them, what the academy is like, and the audit trail.

One module, though it is long: these are the documents, and each field says beside it what it is for.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from djongo.models import DjongoManager

from coursehub.mongo import outside_transaction

if TYPE_CHECKING:
    from coursehub.roles import AnyUser


class CourseQuerySet(models.QuerySet["Course"]):
    """Named questions about courses."""

    def open(self) -> Self:
        """Courses that still exist at the academy."""
        return self.filter(gone_at=None)

    def with_members(self) -> Self:
        """Courses that learners can be invited to: no bundles."""
        return self.filter(is_bundle=False)

    def visible_to(self, user: "AnyUser") -> Self:
        """Courses that `user` may see: all for administrators, the granted ones for trainers."""
        from coursehub import roles

        if roles.is_administrator(user):
            return self
        if roles.is_trainer(user):
            return self.filter(courseaccess__user_id=user.pk)
        return self.none()


class Course(models.Model):
    """A course of the academy, as last synced, and when its members are read next."""

    class Order(models.TextChoices):
        """Which end TrainerCentral's order by time begins with; found out, since it is not documented."""

        UNKNOWN = "", "Not known"
        NEWEST_FIRST = "newest", "Newest first"
        OLDEST_FIRST = "oldest", "Oldest first"

    course_id = models.CharField("TrainerCentral id", max_length=40, unique=True)
    name = models.CharField(max_length=300)
    synced_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField("gone since", null=True, blank=True)
    # TrainerCentral lists bundles of courses among the courses; they have no members of their own.
    is_bundle = models.BooleanField("bundle", default=False)
    is_published = models.BooleanField("published", default=True)

    # All below is owned by `progress.polling.poller`: one poll per course at a time, whoever wins the lease.
    revision = models.BigIntegerField(default=0, editable=False)
    # The stored rows are at least as new as this: the moment before the first page was asked for.
    polled_at = models.DateTimeField("data as of", null=True, blank=True, editable=False)
    poll_due_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)
    # When a worker was last told that the course is due, so that it is told once, not every second.
    poll_rung_at = models.DateTimeField(null=True, blank=True, editable=False)
    poll_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    poll_fence = models.BigIntegerField(default=0, editable=False)
    # A sweep that one task could not finish goes on at this row; it counts from when it began.
    poll_began_at = models.DateTimeField(null=True, blank=True, editable=False)
    poll_offset = models.IntegerField(default=0, editable=False)
    poll_error = models.CharField("trouble", max_length=300, blank=True, default="", editable=False)
    # Values of its learners that could not be read; what was known before is kept. One sentence, "" for none.
    unreadable = models.CharField("could not be read", max_length=300, blank=True, default="", editable=False)
    poll_failures = models.IntegerField(default=0, editable=False)
    poll_not_before = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when the course is not read for want of tokens: it is due as soon as there are some.
    awaits_tokens_since = models.DateTimeField(null=True, blank=True, editable=False)
    watched_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Batches wait for a full read that begins at or after the one; since the other, which tells their order.
    wanted_since = models.DateTimeField(null=True, blank=True, editable=False)
    wanted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Somebody outside said that there is news.
    hinted_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Reading only what is new: by TrainerCentral's order by time, down to the watermark (its own milliseconds).
    poll_order = models.CharField(
        max_length=10, choices=Order.choices, blank=True, default=Order.UNKNOWN, editable=False
    )
    poll_watermark_ms = models.BigIntegerField(null=True, blank=True, editable=False)
    # The next watermark while a sweep is under way; empty when none is.
    poll_top_ms = models.BigIntegerField(null=True, blank=True, editable=False)
    # So many sweeps must find nothing that the order by time did not show, before it is relied upon (again).
    poll_unproven = models.IntegerField(default=1, editable=False)
    swept_at = models.DateTimeField("read in full at", null=True, blank=True, editable=False)
    # Rows moved while that was read: somebody may have been passed over.
    swept_amiss = models.BooleanField(default=False, editable=False)
    sweep_calls = models.IntegerField("calls of a full read", default=0, editable=False)
    sweep_rows = models.IntegerField(default=0, editable=False)
    # How long the last read took, from its begin to its last row.
    poll_seconds = models.FloatField(default=0, editable=False)
    # The latest moment at which a learner did something, as far as we know.
    active_at = models.DateTimeField("learners last active", null=True, blank=True, editable=False)

    SYNCED_FIELDS = ("course_id", "name", "synced_at", "gone_at", "is_bundle", "is_published")

    objects = DjongoManager.from_queryset(CourseQuerySet)()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only what this object is the source of: a stale copy must not take a poll's result back."""
        if not self._state.adding:
            kwargs.setdefault("update_fields", self.SYNCED_FIELDS)
        super().save(*args, **kwargs)

    @property
    def reads_in_full(self) -> bool:
        """Whether TrainerCentral's order by time is not (or no longer) relied upon: then every read is a full one."""
        return self.poll_unproven > 0 or self.poll_order == self.Order.UNKNOWN


class CourseAccess(models.Model):
    """A trainer may upload to this course and watch its learners."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    course = models.ForeignKey(Course, on_delete=models.CASCADE)

    objects = DjongoManager()

    class Meta:
        verbose_name_plural = "course access"
        constraints = [models.UniqueConstraint(fields=["user", "course"], name="one_access_per_user_and_course")]

    def __str__(self) -> str:
        return f"{self.user} → {self.course}"


class AccessEnd(models.Model):
    """When a learner's access to a course ends: TrainerCentral is told with the invitation, and never tells it back."""

    id = models.CharField(primary_key=True, max_length=400)
    course_id = models.CharField(max_length=40)
    email_folded = models.CharField(max_length=320)
    ends_at = models.DateTimeField()

    objects = DjongoManager()

    class Meta:
        indexes = [models.Index(fields=["course_id", "ends_at"], name="access_end_of_course")]

    def __str__(self) -> str:
        return f"{self.course_id}: {self.ends_at:%Y-%m-%d}"

    @staticmethod
    def key_of(course_id: str, email_folded: str) -> str:
        """The document's key: one end per learner and course."""
        return f"{course_id} {email_folded}"

    @classmethod
    def note(cls, *, course_id: str, email_folded: str, ends_at: datetime) -> None:
        """TrainerCentral was asked to end this learner's access then; what was noted before is replaced."""
        key = cls.key_of(course_id, email_folded)
        row = {"id": key, "course_id": course_id, "email_folded": email_folded, "ends_at": ends_at}
        outside_transaction(cls).update_one({"_id": key}, {"$set": row}, upsert=True)


class AcademyProfile(models.Model):
    """What was found out about one academy. Written only by `coursehub.academy`."""

    id = models.CharField(primary_key=True, max_length=32)  # a digest of the two below
    org_id = models.CharField("organisation", max_length=40)
    address = models.CharField(max_length=300)
    # Name -> {"value", "since", "source"}; the names stand in `coursehub.academy.facts`.
    facts = models.JSONField(default=dict)

    objects = DjongoManager()

    class Meta:
        verbose_name = "academy"

    def __str__(self) -> str:
        return f"{self.org_id} at {self.address}"


class AcademyAnswer(models.Model):
    """A kind of answer to an invitation that nobody had seen before, and what it means.

    No address, name, id or token is in it. Written only by `coursehub.academy`.
    """

    class Meaning(models.TextChoices):
        """As `trainercentral.profile.Meaning`, and open."""

        OPEN = "", "Not decided"
        INVITED = "invited", "Invited"
        ALREADY_ENROLLED = "already_enrolled", "Already in the course"
        REFUSED = "refused", "Refused"
        WAIT = "wait", "Wait and try again"
        STOP = "stop", "Stop the batch"

    id = models.CharField(primary_key=True, max_length=100)
    academy_id = models.CharField(max_length=32, db_index=True)
    key = models.CharField(max_length=64)
    endpoint = models.CharField("call", max_length=100)
    status = models.IntegerField("HTTP status")
    code = models.CharField(max_length=100, blank=True)
    shape = models.TextField(blank=True)
    sample = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField("first seen")
    last_seen_at = models.DateTimeField("last seen")
    times = models.IntegerField("seen", default=0)
    # Of the learners so answered: how many a look-up found among the course's members, and how many it did not.
    there = models.IntegerField(default=0)
    absent = models.IntegerField(default=0)
    meaning = models.CharField(max_length=20, choices=Meaning.choices, blank=True, default=Meaning.OPEN)
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    # A look-up learnt the meaning, no person said it.
    by_itself = models.BooleanField(default=False)
    # When what a look-up had learnt was taken back, because learners of that kind were not there.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # Whoever waits for the meaning is told (again) then.
    tell_at = models.DateTimeField(null=True, blank=True)

    objects = DjongoManager()

    class Meta:
        verbose_name = "answer of the academy"
        verbose_name_plural = "answers of the academy"
        ordering = ["meaning", "-last_seen_at"]  # what is not decided comes first

    def __str__(self) -> str:
        return f"{self.status} {self.code or 'without a code'}"

    @property
    def is_open(self) -> bool:
        return self.meaning == self.Meaning.OPEN


class AuditEvent(models.Model):
    """One thing somebody did. Written only by `coursehub.audit.record`, never changed."""

    seq = models.BigIntegerField(unique=True)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=80, db_index=True)
    target = models.CharField(max_length=200, blank=True, db_index=True)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = DjongoManager()

    class Meta:
        ordering = ["-seq"]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.target}"
