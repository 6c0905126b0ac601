"""Erase one learner everywhere, or those again whom a restored backup brought back."""

import json
from typing import Any

from django.core.management import BaseCommand, CommandParser

from coursehub import erasing
from coursehub.privacy import in_words

_ACTOR = "command line"


class Command(BaseCommand):
    help = "Erase everything that CourseHub holds under an e-mail address (not what TrainerCentral holds)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", default="", help="the learner's e-mail address")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--again", action="store_true", help="after a restore: erase whoever was erased before")
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["again"]:
            count = erasing.erase_again(actor=_ACTOR)
            self._tell(options, {"erased_again": count}, f"{count} learners erased again.")
            return
        email = options["email"]
        if not email:
            self.stderr.write("Name the learner's e-mail address, or give --again.")
            raise SystemExit(3)
        if not options["yes"] and input(f"Erase {email} for good? Type the address again: ").strip() != email:
            self.stderr.write("Nothing was erased.")
            raise SystemExit(1)
        counts = erasing.erase(email, actor=_ACTOR)
        self._tell(options, counts, f"Erased: {in_words(counts)}.")

    def _tell(self, options: dict[str, Any], document: dict[str, int], text: str) -> None:
        self.stdout.write(json.dumps(document) if options["json"] else text)
