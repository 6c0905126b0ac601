"""Which call goes wrong, and how: scripted by `fail_next`, or by chance that repeats with the seed."""

from dataclasses import dataclass
from typing import Any

from coursehub.sandbox.http import HTML, JSON, Answer
from coursehub.sandbox.simulation import chance
from coursehub.sandbox.switches import Switches

GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
INSTEAD = {
    "500": Answer(500, b'{"errors":[{"errorCode":"INTERNAL_ERROR","message":"Internal error."}]}', JSON),
    "502": Answer(502, GATEWAY_PAGE, HTML),
    "503": Answer(503, b"", "text/plain"),
    "html": Answer(200, b"<html><body><h1>We will be back soon</h1></body></html>", HTML),
    "empty": Answer(200, b"", JSON),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call."""

    kind: str = ""

    @property
    def instead(self) -> Answer | None:
        """An answer given without acting."""
        return INSTEAD.get(self.kind)

    @property
    def acts(self) -> bool:
        """Whether the call does its work."""
        return self.instead is None and self.kind not in ("reset", "timeout")

    @property
    def loses_answer(self) -> bool:
        """Whether the connection ends without an answer."""
        return self.kind in ("reset", "reset_after_acting", "timeout", "timeout_after_acting")

    @property
    def holds(self) -> bool:
        """Whether the caller is left waiting before that."""
        return self.kind.startswith("timeout")


FINE = Fault()


def next_fault(switches: Switches, path: str, call_number: int, seed: int) -> tuple[Fault, list[dict[str, Any]] | None]:
    """The fault of this call, and the script that is left if it was used."""
    for index, entry in enumerate(switches.fail_next):
        times = entry.get("times", 1)
        if times and entry.get("path_contains", "") in path:
            rest = [dict(one) for one in switches.fail_next]
            rest[index]["times"] = times - 1
            return Fault(entry["fault"]), [one for one in rest if one.get("times", 1)]
    ratios = (
        ("500", switches.error_5xx_ratio),
        ("reset", switches.reset_ratio),
        ("reset_after_acting", switches.lost_answer_ratio),
    )
    if any(ratio for _, ratio in ratios):
        drawn = chance("fault", seed, call_number).random()
        for kind, ratio in ratios:
            if drawn < ratio:
                return Fault(kind), None
            drawn -= ratio
    return FINE, None
