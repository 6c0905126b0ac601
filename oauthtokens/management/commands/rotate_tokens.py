"""Move on to the next token set."""

from typing import Any

from coursehub.management.base import BAD, GOOD, JsonCommand
from coursehub.trainercentral.errors import TokenUnavailable
from oauthtokens import services


class Command(JsonCommand):
    help = "Make the next ready token set the active one."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            number = services.rotate(actor="command line")
        except TokenUnavailable as error:
            self.tell(options, {"active": None, "reason": error.sentence}, error.sentence, BAD)
            return
        self.tell(options, {"active": number, "reason": ""}, f"Token set {number} is active.", GOOD)
