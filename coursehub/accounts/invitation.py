"""A one-time link on which somebody who was given an account chooses a password.

The link is shown once, to whoever runs the command that makes it, and stored nowhere: it is a signature over the
account as it is, so it ends when the password changes, and after PASSWORD_RESET_TIMEOUT (3 days).
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from coursehub import audit, clock, roles
from coursehub.audit import Action

FIRST_ADMINISTRATOR = "administrator"


class _Tokens(PasswordResetTokenGenerator):
    key_salt = "coursehub.accounts.invitation"

    def _now(self) -> datetime:
        """Django's generator counts from a naive moment in TIME_ZONE."""
        return timezone.make_naive(clock.now(), timezone.get_default_timezone())


def link_for(user: User, *, actor: str) -> str:
    """The address for this person; audited, without the address."""
    key = f"{urlsafe_base64_encode(force_bytes(user.pk))}.{_Tokens().make_token(user)}"
    audit.record(action=Action.USER_INVITED, actor=actor, target=f"user {user.pk}")
    return f"{settings.PUBLIC_URL}{reverse('account_invitation', args=[key])}"


def administrator(username: str, *, actor: str, email: str = "") -> tuple[User, bool]:
    """The administrator of that name, and whether it was created, without a password."""
    user, created = User.objects.get_or_create(username=username, defaults={"email": email})
    if created:
        user.set_unusable_password()
        user.save()
        roles.assign(user, roles.ADMINISTRATOR)
        detail = {"role": roles.ADMINISTRATOR}
        audit.record(action=Action.USER_CREATED, actor=actor, target=f"user {user.pk}", detail=detail)
    return user, created


def is_any_administrator_there() -> bool:
    """Whether somebody can sign in as an administrator."""
    administrators = User.objects.filter(is_active=True, groups__name=roles.ADMINISTRATOR)
    return any(user.has_usable_password() for user in administrators)


class InvitationView(PasswordResetConfirmView):
    """Takes the key out of the address at once, then asks for a password. A key that is no good gets a sentence."""

    template_name = "registration/invitation.html"
    token_generator = _Tokens()
    success_url = reverse_lazy("login")
    extra_context = {"title": "Choose a password"}

    def dispatch(self, request: HttpRequest, *args: Any, key: str = "", **kwargs: Any) -> HttpResponseBase:
        uidb64, _, token = key.partition(".")
        return super().dispatch(request, uidb64=uidb64, token=token)

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        answer = super().form_valid(form)
        user = form.user
        audit.record(action=Action.USER_PASSWORD_CHOSEN, actor=user.get_username(), target=f"user {user.pk}")
        return answer
