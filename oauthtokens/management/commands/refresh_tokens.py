"""Refresh a token set now."""

from typing import Any

from django.core.management import CommandError, CommandParser

from coursehub.management.base import BAD, GOOD, USAGE, WARNING, JsonCommand
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import services, words
from oauthtokens.management.base import name_of

_CODES = {"refreshed": GOOD, "busy": WARNING, "late": WARNING, "failed": BAD}


class Command(JsonCommand):
    help = "Refresh the active token set, or the one named, if it is due. Each refresh counts as a use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--set", type=int, metavar="N", dest="number", help="this set instead of the active one")
        parser.add_argument("--force", action="store_true", help="although it is not due")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            number, outcome = services.refresh_set(options["number"], force=options["force"])
        except ValueError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except TokenUnavailable as error:
            self.tell(options, {"set": None, "outcome": "unavailable", "reason": error.sentence}, error.sentence, BAD)
            return
        text = f"{name_of(number)} {words.REFRESHED[outcome]}"
        self.tell(options, {"set": number, "outcome": str(outcome)}, text, _CODES[outcome])
