"""How the token sets stand."""

from typing import Any

from coursehub.management.base import BAD, GOOD, WARNING, JsonCommand
from oauthtokens import services
from oauthtokens.forecast.usage import ACCESS_LIFE_SECONDS

_USABLE = ("ready", "active", "retiring")
_IN_NEED = ("broken", "undecryptable", "exhausted", "revocation_pending", "revoked")


class Command(JsonCommand):
    help = "Show the token sets and how long they last. Exit 1: somebody should look; 2: no calls can be made."

    def handle(self, *args: Any, **options: Any) -> None:
        status = services.status()
        self.tell(options, status, _as_text(status), _exit_code(status))


def _exit_code(status: services.PoolStatus) -> int:
    if status["client"]:
        return BAD if status["stopped"] else GOOD if status["client"]["state"] in _USABLE else WARNING
    states = [one["state"] for one in status["sets"]]
    if status["stopped"] or not any(state in _USABLE for state in states):
        return BAD
    if any(state in _IN_NEED for state in states) or not status["reaches_next_maintenance"]:
        return WARNING
    return GOOD


def _as_text(status: services.PoolStatus) -> str:
    lines = []
    if own := status["client"]:
        until = own["access_expires_at"] or "-"
        lines.append(f"The client's own access token is {own['state']}, until {until}. {own['reason']}".rstrip())
    lines.append(f"{'set':>4}  {'state':<20} {'uses':>8}  access token until")
    for one in status["sets"]:
        uses = f"{one['uses']} of {one['max_uses']}" if one["max_uses"] else str(one["uses"])
        until = one["access_expires_at"] or "-"
        lines.append(f"{one['number']:>4}  {one['state']:<20} {uses:>8}  {until}  {one['reason']}".rstrip())
    lines += _forecast_lines(status)
    if status["stopped"]:
        lines.append(f"The pool has stopped: {status['stopped']}")
    return "\n".join(lines)


def _forecast_lines(status: services.PoolStatus) -> list[str]:
    maintenance = f"the next maintenance ({status['next_maintenance_at']})"
    hours, reaches = status["hours_left"], status["reaches"]
    if hours["continuous"] is None:
        return ["Uses are not limited."]
    lines = [
        f"Continuous use lasts {hours['continuous']} h more ({status['hours_left_with_reserve']} h with the reserve), "
        f"and {_reaches(reaches['continuous'])} {maintenance}.",
        f"The refresh margin takes {status['hours_the_margin_costs']} h of that.",
    ]
    if status["access_life_seconds"] < ACCESS_LIFE_SECONDS * 0.95:
        lines.append(f"Access tokens lived {status['access_life_seconds'] / 60:.0f} min on the mean, not an hour.")
    if reaches["measured"] is None:
        return [*lines, "The use of a week is not known yet: less than a day of it was seen."]
    lasting = "four weeks or more" if hours["measured"] is None else f"{hours['measured']} h more"
    days = f"{status['measured_days']:g} days"
    return [*lines, f"At the use of the last {days} it lasts {lasting}, and {_reaches(reaches['measured'])} it."]


def _reaches(it_does: bool) -> str:
    return "reaches" if it_does else "does not reach"
