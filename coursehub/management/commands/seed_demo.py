"""Demo accounts, courses and one token set from the sandbox. Refused unless DEMO=true."""

import json
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser

from coursehub import roles
from coursehub.models import Course, CourseAccess
from oauthtokens import services as token_services
from oauthtokens.models import TokenSet
from progress.courses import sync_courses

PASSWORD = "coursehub-demo"  # noqa: S105  (published; the command runs in a demo only)
ACCOUNTS = {
    "admin": roles.ADMINISTRATOR,
    "maintenance": roles.MAINTENANCE,
    "trainer": roles.TRAINER,
    "trainer2": roles.TRAINER,
}


class Command(BaseCommand):
    help = "Seed the demo: accounts, courses and one token set obtained from the sandbox. Idempotent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("seed_demo runs only with DEMO=true.")
        for username, role in ACCOUNTS.items():
            self._ensure_account(username, role)
        if not TokenSet.objects.exclude(state=TokenSet.State.EMPTY).exists():
            token_services.exchange_code(number=1, code=self._self_client_code(), actor="demo")
        sync_courses()
        courses = list(Course.objects.open().order_by("course_id"))
        for username, visible in (("trainer", courses), ("trainer2", courses[-1:])):
            self._grant(username, visible)
        seeded = {"accounts": len(ACCOUNTS), "courses": len(courses)}
        sentence = f"Seeded {len(ACCOUNTS)} accounts and {len(courses)} courses."
        self.stdout.write(json.dumps(seeded) if options["json"] else sentence)

    def _ensure_account(self, username: str, role: str) -> None:
        user, created = get_user_model().objects.get_or_create(
            username=username, defaults={"email": f"{username}@example.org"}
        )
        if created:
            user.set_password(PASSWORD)
            user.save()
        roles.assign(user, role)

    def _grant(self, username: str, courses: list[Course]) -> None:
        user = get_user_model().objects.get(username=username)
        for course in courses:
            CourseAccess.objects.get_or_create(user=user, course=course)

    def _self_client_code(self) -> str:
        """What a person copies from Zoho's API console; the sandbox hands it out by its control surface."""
        answer = requests.post(
            f"{settings.ZOHO_ACCOUNTS_URL}/_sandbox/code.json", json={"scope": token_services.SCOPE}, timeout=10
        )
        answer.raise_for_status()
        return answer.json()["code"]
