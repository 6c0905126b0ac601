"""Signing in and out leaves audit events; what was typed into a failed sign-in does not."""

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from coursehub import audit
from coursehub.audit import Action


@receiver(user_logged_in)
def _signed_in(sender, request, user, **kwargs) -> None:
    audit.record(action=Action.USER_SIGNED_IN, actor=user.get_username(), target=f"user {user.pk}")


@receiver(user_logged_out)
def _signed_out(sender, request, user, **kwargs) -> None:
    if user is not None:
        audit.record(action=Action.USER_SIGNED_OUT, actor=user.get_username(), target=f"user {user.pk}")


@receiver(user_login_failed)
def _failed_to_sign_in(sender, credentials, request=None, **kwargs) -> None:
    """Without the name: people type their password into that field."""
    audit.record(action=Action.USER_SIGN_IN_FAILED, actor="somebody")
