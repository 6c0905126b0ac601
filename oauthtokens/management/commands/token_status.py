"""How the token sets stand."""

from typing import Any

from oauthtokens import services
from oauthtokens.management.base import BAD, GOOD, WARNING, TokenCommand

_USABLE = ("ready", "active", "retiring")
_IN_NEED = ("broken", "undecryptable", "exhausted", "revocation_pending", "revoked")


class Command(TokenCommand):
    help = "Show the token sets and how long they last. Exit 1: somebody should look; 2: no calls can be made."

    def handle(self, *args: Any, **options: Any) -> None:
        status = services.status()
        self.tell(options, status, _as_text(status), _exit_code(status))


def _exit_code(status: dict[str, Any]) -> int:
    states = [one["state"] for one in status["sets"]]
    if status["stopped"] or not any(state in _USABLE for state in states):
        return BAD
    if any(state in _IN_NEED for state in states) or not status["reaches_next_maintenance"]:
        return WARNING
    return GOOD


def _as_text(status: dict[str, Any]) -> str:
    lines = [f"{'set':>4}  {'state':<20} {'uses':>8}  access token until"]
    for one in status["sets"]:
        uses = f"{one['uses']} of {one['max_uses']}" if one["max_uses"] else str(one["uses"])
        until = one["access_expires_at"] or "-"
        lines.append(f"{one['number']:>4}  {one['state']:<20} {uses:>8}  {until}  {one['reason']}".rstrip())
    hours = status["hours_left"]["continuous"]
    lines.append("Uses are not limited." if hours is None else f"Continuous use lasts {hours} h more.")
    reaches = "reaches" if status["reaches_next_maintenance"] else "does not reach"
    lines.append(f"That {reaches} the next maintenance.")
    if status["stopped"]:
        lines.append(f"The pool has stopped: {status['stopped']}")
    return "\n".join(lines)
