"""Revoke the tokens of a set, or of all."""

from typing import Any

from django.core.management import CommandError, CommandParser

from coursehub.management.base import GOOD, USAGE, WARNING, JsonCommand
from oauthtokens import sentences, services
from oauthtokens.management.base import name_of


class Command(JsonCommand):
    help = "Revoke tokens at Zoho and destroy them here. Exit 1: Zoho has not confirmed all of it yet."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--set", type=int, metavar="N", dest="number", help="this set")
        which.add_argument("--all", action="store_true", help="every set, and the client's own access token")
        parser.add_argument("--yes", action="store_true", help="yes, they shall be revoked; nothing happens without it")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            raise CommandError(
                "Revoked tokens cannot be brought back. Repeat the command with --yes.", returncode=USAGE
            )
        try:
            outcomes = self._revoke(options)
        except ValueError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        reasons = {one["number"]: one["reason"] for one in services.status()["sets"]}
        document = {
            "sets": [
                {"number": number, "outcome": str(outcome), "reason": reasons.get(number, "")}
                for number, outcome in outcomes.items()
            ]
        }
        text = "\n".join(f"{name_of(number)} {sentences.REVOKED[outcome]}" for number, outcome in outcomes.items())
        is_pending = services.Revocation.PENDING in outcomes.values()
        self.tell(options, document, text, WARNING if is_pending else GOOD)

    def _revoke(self, options: dict[str, Any]) -> dict[int, services.Revocation]:
        if options["all"]:
            return services.revoke_all(actor="command line", told=self.progress(options))
        return {options["number"]: services.revoke(number=options["number"], actor="command line")}
