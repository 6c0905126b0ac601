"""Demo accounts, and the sandbox's courses and one token set. Refused unless DEMO=true."""

from typing import Any

import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser

from coursehub.accounts import demo
from coursehub.management.base import BAD, GOOD, USAGE, JsonCommand
from coursehub.models import Course, CourseAccess
from oauthtokens import services as token_services
from oauthtokens.models import TokenSet
from progress.course_sync import sync_courses


class Command(JsonCommand):
    help = "Seed the demo: accounts, courses and one token set obtained from the sandbox. Idempotent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accounts-only",
            action="store_true",
            help="for an academy of one's own: its courses and tokens are not ours",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("seed_demo runs only with DEMO=true.", returncode=USAGE)
        demo.ensure()
        courses = [] if options["accounts_only"] else self._courses()
        for username, visible in (("trainer", courses), ("trainer2", courses[-1:])):
            self._grant(username, visible)
        seeded = {"accounts": len(demo.ROLES), "courses": len(courses)}
        sentence = f"Seeded {seeded['accounts']} accounts and {seeded['courses']} courses."
        self.tell(options, seeded, sentence, GOOD)

    def _courses(self) -> list[Course]:
        if not TokenSet.objects.exclude(state=TokenSet.State.EMPTY).exists():
            token_services.exchange_code(number=1, code=self._self_client_code(), actor="demo")
        sync_courses()
        return list(Course.objects.open().order_by("course_id"))

    def _grant(self, username: str, courses: list[Course]) -> None:
        user = User.objects.get(username=username)
        for course in courses:
            CourseAccess.objects.get_or_create(user=user, course=course)

    def _self_client_code(self) -> str:
        """What a person copies from Zoho's API console; the sandbox hands it out by its control surface."""
        try:
            answer = requests.post(
                f"{settings.ZOHO_ACCOUNTS_URL}/_sandbox/code.json", json={"scope": token_services.SCOPE}, timeout=10
            )
            answer.raise_for_status()
            return str(answer.json()["code"])
        except (requests.RequestException, KeyError, TypeError) as error:
            raise CommandError(
                "No sandbox answers at ZOHO_ACCOUNTS_URL; for an academy of your own give --accounts-only.",
                returncode=BAD,
            ) from error
