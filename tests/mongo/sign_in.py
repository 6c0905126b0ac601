"""The tables that sign-in libraries keep, with the statements that they send (django-axes 8, django-otp 1.6)."""

from django.db import models
from django.db.models import F
from django.utils import timezone


class AccessAttempt(models.Model):
    """django-axes: failed sign-ins, a row per account, address and browser."""

    username = models.CharField(max_length=255)
    ip_address = models.GenericIPAddressField()
    user_agent = models.CharField(max_length=255)
    attempt_time = models.DateTimeField(default=timezone.now)
    failures_since_start = models.PositiveIntegerField()

    class Meta:
        app_label = "shop"
        unique_together = [("username", "ip_address", "user_agent")]


class StaticToken(models.Model):
    """django-otp: recovery codes, each good for once."""

    user_id = models.IntegerField(db_index=True)
    token = models.CharField(max_length=16, db_index=True)

    class Meta:
        app_label = "shop"


MODELS = (AccessAttempt, StaticToken)


def count_failure(username: str, using: str = "default") -> None:
    """A failed sign-in, as `AxesDatabaseHandler.user_login_failed` counts it."""
    attempt, created = (
        AccessAttempt.objects.using(using)
        .select_for_update()
        .get_or_create(
            username=username,
            ip_address="192.0.2.1",
            user_agent="browser",
            defaults={"failures_since_start": 1},
        )
    )
    if not created:
        attempt.failures_since_start = F("failures_since_start") + 1
        attempt.attempt_time = timezone.now()
        attempt.save()


def spend(user_id: int, token: str, using: str = "default") -> bool:
    """Spend a recovery code, as `StaticDevice.verify_token` does, but for asking whether the row was still there.

    Without row locks two callers can both have read the row; the server deletes it once, and says to whom.
    """
    match = StaticToken.objects.using(using).select_for_update().filter(user_id=user_id, token=token).first()
    return match is not None and match.delete()[0] == 1
