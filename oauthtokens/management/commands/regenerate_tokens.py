"""Give a token set new tokens, from a code of the API console's self client."""

import getpass
from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from coursehub.trainercentral.errors import TrainerCentralError
from oauthtokens import services
from oauthtokens.management.base import BAD, GOOD, TokenCommand


class Command(TokenCommand):
    help = "Exchange a self-client code (made in Zoho's API console for the scopes shown) for the tokens of a set."

    def add_arguments(self, parser: CommandParser) -> None:
        numbers = range(1, settings.TOKEN_SET_COUNT + 1)
        parser.add_argument("--set", type=int, required=True, choices=numbers, metavar="N", dest="number")
        parser.add_argument("--code", help="the code; asked for, unseen, when it is not given")

    def handle(self, *args: Any, **options: Any) -> None:
        number = options["number"]
        code = options["code"] or getpass.getpass(f"Code for the scopes {services.SCOPE}: ")
        try:
            services.exchange_code(number=number, code=code, actor="command line")
        except TrainerCentralError as error:
            self.tell(options, {"set": number, "stored": False, "reason": error.sentence}, error.sentence, BAD)
            return
        self.tell(options, {"set": number, "stored": True, "reason": ""}, f"Token set {number} has new tokens.", GOOD)
