"""Give token sets new tokens, from codes of the API console's self client."""

import getpass
import sys
from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser

from coursehub.management.base import BAD, GOOD, USAGE, WARNING, JsonCommand
from coursehub.trainercentral.errors import TrainerCentralError
from oauthtokens import services


class Command(JsonCommand):
    help = (
        "Exchange a self-client code (made in Zoho's API console for the scopes shown) for the tokens of a set. "
        "Exit 1: some sets still need new tokens; 2: a code was not accepted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        numbers = range(1, settings.TOKEN_SET_COUNT + 1)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--set", type=int, choices=numbers, metavar="N", dest="number")
        which.add_argument("--due", action="store_true", help="all sets that need it, one code after the other")
        parser.add_argument(
            "--code", help="the code; asked for, unseen, when it is not given; with --due, for the first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        numbers = services.sets_in_need() if options["due"] else [options["number"]]
        if not numbers:
            self.tell(options, _document([], []), "No token set needs new tokens now.", GOOD)
            return
        stored: list[int] = []
        try:
            for position, number in enumerate(numbers):
                code = options["code"] if position == 0 and options["code"] else self._ask(number, options)
                if not code:
                    break
                services.exchange_code(number=number, code=code, actor="command line")
                stored.append(number)
                self.stderr.write(f"Token set {number} has new tokens.")
        except TrainerCentralError as error:
            document = _document(stored, numbers, reason=error.sentence)
            self.tell(options, document, f"Token set {number}: {error.sentence}", BAD)
            return
        code_of_exit = GOOD if stored == numbers else WARNING
        reason = "" if stored == numbers else "No code was given for the sets that are left."
        self.tell(options, _document(stored, numbers, reason), _summary(stored, numbers), code_of_exit)

    def _ask(self, number: int, options: dict[str, Any]) -> str:
        """Empty when nobody is there to answer, or answers with nothing."""
        if sys.stdin is None or not sys.stdin.isatty():
            if options["due"]:
                return ""
            raise CommandError("Give the code with --code, or run this at a terminal.", returncode=USAGE)
        return getpass.getpass(f"Code for token set {number} (scopes {services.SCOPE}; empty to stop): ").strip()


def _document(stored: list[int], numbers: list[int], reason: str = "") -> dict[str, Any]:
    """`set` and `stored` speak of the one set, or of the first; `sets` and `left` of all."""
    return {
        "set": numbers[0] if numbers else None,
        "stored": bool(numbers) and numbers[0] in stored,
        "reason": reason,
        "sets": stored,
        "left": [number for number in numbers if number not in stored],
    }


def _summary(stored: list[int], numbers: list[int]) -> str:
    left = [str(number) for number in numbers if number not in stored]
    done = f"{len(stored)} of {len(numbers)} token sets have new tokens."
    return f"{done} Left: {', '.join(left)}." if left else done
