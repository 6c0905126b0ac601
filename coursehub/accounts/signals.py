"""Signing in and out leaves audit events; what was typed into a failed sign-in does not."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from coursehub import audit
from coursehub.audit import Action


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    audit.record(action=Action.USER_SIGNED_IN, actor=user.get_username(), target=f"user {user.pk}")


@receiver(user_logged_out)
def _signed_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        audit.record(action=Action.USER_SIGNED_OUT, actor=user.get_username(), target=f"user {user.pk}")


@receiver(user_login_failed)
def _failed_to_sign_in(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Without the name: people type their password into that field."""
    audit.record(action=Action.USER_SIGN_IN_FAILED, actor="somebody")
