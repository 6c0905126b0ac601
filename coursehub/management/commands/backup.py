"""Write all of the database, as of one moment, to one file."""

from pathlib import Path
from typing import Any

from django.core.management import CommandParser

from coursehub.backup import dump
from coursehub.backup.archive import Manifest, Refused
from coursehub.management.base import BAD, GOOD, WARNING, JsonCommand

_ACTOR = "command line"


class Command(JsonCommand):
    help = (
        "Write all of the database, as of one moment, to one new file, while everything runs. The file holds what "
        "learners and accounts are called, and tokens under TOKEN_ENCRYPTION_KEYS, which are not in it. "
        "Exit 1: something could not be read as of a moment and was left out; 2: there is no backup."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", required=True, metavar="FILE", type=Path, help="it must not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        try:
            manifest = dump.take(output, actor=_ACTOR, told=self.progress(options))
        except Refused as refusal:
            self.tell(options, {"error": str(refusal)}, str(refusal), BAD)
            return
        document = {
            "taken_at": manifest.taken_at,
            "file": str(output),
            "bytes": output.stat().st_size,
            "collections": len(manifest.parts),
            "documents": manifest.documents,
            "left_out": manifest.left_out,
        }
        self.tell(options, document, _as_text(document, manifest), WARNING if manifest.left_out else GOOD)


def _as_text(document: dict[str, Any], manifest: Manifest) -> str:
    text = (
        f"{document['file']}: {manifest.documents:,} documents of {len(manifest.parts)} collections as of "
        f"{manifest.taken_at}, {document['bytes'] / 1e6:,.1f} MB."
    )
    if manifest.left_out:
        text += f"\nNot in it, since they cannot be read as of a moment: {', '.join(manifest.left_out)}."
    return text
