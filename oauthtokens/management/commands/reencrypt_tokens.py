"""Move all stored tokens to the newest encryption key."""

from dataclasses import asdict
from typing import Any

from coursehub.management.base import BAD, GOOD, WARNING, JsonCommand
from oauthtokens import services


class Command(JsonCommand):
    help = (
        "Encrypt every stored token with the first of TOKEN_ENCRYPTION_KEYS, while everything runs, and say how many "
        "values each key still holds. Exit 1: an older key still holds some; 2: some cannot be decrypted."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = services.reencrypt(actor="command line", told=self.progress(options))
        code = BAD if found.undecryptable else WARNING if any(found.by_key[1:]) else GOOD
        self.tell(options, asdict(found), _as_text(found), code)


def _as_text(found: services.Reencrypted) -> str:
    lines = [f"{found.moved} values moved to the newest key."]
    lines += [f"key {position}: {count} values" for position, count in enumerate(found.by_key, start=1)]
    if found.undecryptable:
        lines.append(f"{found.undecryptable} values cannot be decrypted with any of these keys; they stay as they are.")
    return "\n".join(lines)
