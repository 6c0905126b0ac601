"""Erase one learner everywhere, or those again whom a restored backup brought back."""

import sys
from typing import Any

from django.core.management import CommandError, CommandParser

from coursehub.management.base import GOOD, USAGE, WARNING, JsonCommand
from coursehub.privacy import erasure
from coursehub.privacy.views import in_words

_ACTOR = "command line"


class Command(JsonCommand):
    help = "Erase everything that CourseHub holds under an e-mail address (not what TrainerCentral holds)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", default="", help="the learner's e-mail address")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--again", action="store_true", help="after a restore: erase whoever was erased before")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["again"]:
            count = erasure.erase_again(actor=_ACTOR)
            self.tell(options, {"erased_again": count}, f"{count} learners erased again.", GOOD)
            return
        email = options["email"]
        if not email:
            raise CommandError("Name the learner's e-mail address, or give --again.", returncode=USAGE)
        if not options["yes"] and not self._is_meant(email, options):
            raise CommandError("Nothing was erased.", returncode=WARNING)
        counts = erasure.erase(email, actor=_ACTOR)
        self.tell(options, counts, f"Erased: {in_words(counts)}.", GOOD)

    def _is_meant(self, email: str, options: dict[str, Any]) -> bool:
        if options["json"] or sys.stdin is None or not sys.stdin.isatty():
            raise CommandError("Say with --yes that the learner shall be erased for good.", returncode=USAGE)
        try:
            return input(f"Erase {email} for good? Type the address again: ").strip() == email
        except EOFError:
            return False
