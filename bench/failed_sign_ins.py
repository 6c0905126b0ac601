"""The table that django-axes 8 keeps, with the statements that it sends, measured with transactions on and off.

The library itself, as shipped, is raced in tests/coursehub/mongo/sign_in_races.py.
"""

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


MODELS = (AccessAttempt,)


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
