"""The accounts of a demo, whose password everybody knows."""

from django.conf import settings
from django.contrib.auth.models import User

from coursehub import audit, roles
from coursehub.audit import Action

PASSWORD = "coursehub-demo"  # noqa: S105  (published; the accounts are open in a demo only)
ROLES = {
    "admin": roles.ADMINISTRATOR,
    "maintenance": roles.MAINTENANCE,
    "trainer": roles.TRAINER,
    "trainer2": roles.TRAINER,
}


def ensure() -> None:
    """All four are there, and can sign in. A password that somebody has changed stays."""
    for username, role in ROLES.items():
        user, created = User.objects.get_or_create(username=username, defaults={"email": f"{username}@example.org"})
        if created or not user.has_usable_password():
            user.set_password(PASSWORD)
            user.save()
        roles.assign(user, role)


def close() -> None:
    """Outside a demo nobody signs in with a published password."""
    if settings.DEMO:
        return
    for user in User.objects.filter(username__in=ROLES):
        if user.has_usable_password() and user.check_password(PASSWORD):
            user.set_unusable_password()
            user.save()
            audit.record(action=Action.USER_DEMO_PASSWORD_REMOVED, target=f"user {user.pk}")
