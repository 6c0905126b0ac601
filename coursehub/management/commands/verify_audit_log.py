"""Check the audit trail, event by event."""

from dataclasses import asdict
from typing import Any

from coursehub import audit
from coursehub.management.base import BAD, GOOD, JsonCommand


class Command(JsonCommand):
    help = (
        "Check every event of the audit trail against its hash and the one before. Exit 2: an event is missing, "
        "changed or out of order. Keep the number and hash that it prints elsewhere: they show later whether the "
        "newest events were cut off."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit.verify()
        code = GOOD if found.first_broken is None and not found.replaced_lost else BAD
        self.tell(options, asdict(found), _as_text(found), code)


def _as_text(found: audit.Verified) -> str:
    lines = [f"The audit trail holds: {found.events:,} events, the last with the hash {found.last_hash}."]
    if found.first_broken is not None:
        lines = [f"The audit trail is broken: event {found.first_broken} is missing, changed or out of order."]
    if found.replaced:
        lines.append(f"{found.replaced:,} events were replaced by restores; {found.replaced_lost:,} of them are lost.")
    return "\n".join(lines)
