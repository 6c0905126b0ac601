"""Replace the database by a backup."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandParser

from coursehub.backup import restore
from coursehub.backup.archive import Manifest, Refused
from coursehub.management.base import BAD, GOOD, USAGE, WARNING, JsonCommand

_ACTOR = "command line"


class Command(JsonCommand):
    help = (
        "Replace the database by a backup; stop all workers and web processes before. Nothing is changed by a file "
        "that is damaged, and whoever was erased since the backup is erased again. A restore that died is run again. "
        "Exit 1: nothing was done; 2: refused, or the restored audit trail is broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--input", required=True, metavar="FILE", type=Path, help="what `backup` has written")
        parser.add_argument("--check", action="store_true", help="read all of the file, say what it holds, and end")
        parser.add_argument("--yes", action="store_true", help="do not ask; every web process is stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["check"]:
                self._checked(options, restore.check(options["input"]))
            elif self._may_replace(options):
                self._restore(options)
        except Refused as refusal:
            self.tell(options, {"error": str(refusal)}, str(refusal), BAD)

    def _checked(self, options: dict[str, Any], manifest: Manifest) -> None:
        document = {
            "taken_at": manifest.taken_at, "database": manifest.database, "collections": len(manifest.parts),
            "documents": manifest.documents, "left_out": manifest.left_out,
        }  # fmt: skip
        text = f"The backup of {manifest.taken_at} is whole: {manifest.documents:,} documents."
        self.tell(options, document, text, GOOD)

    def _may_replace(self, options: dict[str, Any]) -> bool:
        if options["yes"]:
            return True
        if options["json"] or not sys.stdin.isatty():
            sentence = "Stop every web process and every worker, then say so with --yes."
            self.tell(options, {"error": sentence}, sentence, USAGE)
        manifest = restore.check(options["input"])
        name = settings.MONGODB_NAME
        self.stdout.write(f"This replaces the database {name} by the backup of {manifest.taken_at}.")
        asked = "Is every web process and every worker stopped? Type the name of the database to go on: "
        if _answer(asked) != name:
            self.tell(options, {}, "Nothing was changed.", WARNING)
        return True

    def _restore(self, options: dict[str, Any]) -> None:
        done = restore.restore(options["input"], actor=_ACTOR, told=self.progress(options))
        code = GOOD if done.first_broken is None else BAD
        self.tell(options, asdict(done), _as_text(done), code)


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        return ""


def _as_text(done: restore.Restored) -> str:
    lines = [f"Restored {done.documents:,} documents as of {done.taken_at}."]
    lines += [f"{name.replace('_', ' ')}: {count}" for name, count in done.settled.items()]
    lines += [f"learners erased again: {done.erased_again}", f"newer audit events kept aside: {done.replaced_events}"]
    if done.first_broken is not None:
        lines.append(f"The restored audit trail is broken at event {done.first_broken}.")
    return "\n".join([*lines, "Start the workers and the web processes now."])
