"""Refresh a token set now."""

from typing import Any

from django.core.management import CommandError, CommandParser

from coursehub.management.base import BAD, GOOD, USAGE, WARNING, JsonCommand
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import sentences, services
from oauthtokens.management.base import name_of

_CODES = {"refreshed": GOOD, "not_due": GOOD, "busy": WARNING, "late": WARNING, "failed": BAD, "unusable": BAD}


class Command(JsonCommand):
    help = (
        "Refresh the active token set, or the one named, if it is due. Each refresh counts as a use. "
        "Exit 0: refreshed, or not due; 1: it rests, or somebody else is at it; 2: it cannot be refreshed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--set", type=int, metavar="N", dest="number", help="this set instead of the active one")
        parser.add_argument("--force", action="store_true", help="although it is not due, or rests; costs a use")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = services.refresh_set(options["number"], force=options["force"], actor="command line")
        except ValueError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except TokenUnavailable as error:
            self.tell(options, {"set": None, "outcome": "unavailable", "reason": error.sentence}, error.sentence, BAD)
            return
        document = {
            "set": done.number,
            "outcome": str(done.outcome),
            "reason": done.reason,
            "uses": done.uses,
            "uses_left": done.uses_left,
        }
        text = sentences.refreshed(name_of(done.number), *done[1:])
        self.tell(options, document, text, _CODES[done.outcome])
