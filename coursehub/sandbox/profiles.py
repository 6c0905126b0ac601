"""From what was learnt about an academy to the switches that make the sandbox behave like it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coursehub.sandbox.switches import BadSwitch, Switches

_SAME_NAMES = (
    *("pending_listed", "pending_status", "invited_status", "already_enrolled", "unknown_course", "unknown_learner"),
    *("error_envelope", "time_moves_with_progress", "mints_per_10_minutes"),
)
_OTHER_NAMES = {
    "page_cap": "limit_cap",
    "throttled_at_per_minute": "calls_per_minute",
    "refresh_uses": "max_uses_per_refresh_token",
}
_MESSAGE_KEYS = ("message", "msg", "errorMessage", "error_message", "error_description", "description", "details")
_CODE_KEYS = ("errorCode", "error_code", "code", "status_code", "errorcode")
_VALUES: dict[str, Any] = {"string": "text", "number": 1, "boolean": True, "null": None}
_LARGEST_FILE_BYTES = 4 * 1024 * 1024


def switches_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Switches for the facts of a profile, by their names there; a fact that is not known (None) sets none.

    What answers mean is not among them: a meaning does not tell the answer.
    """
    given = {name: value for name, value in facts.items() if value not in (None, "")}
    switches = {name: given[name] for name in _SAME_NAMES if name in given}
    switches |= {switch: given[name] for name, switch in _OTHER_NAMES.items() if name in given}
    if "newest_first" in given:
        switches["sort_1_order"] = "newest" if given["newest_first"] else "oldest"
    return switches


def switches_in(path: Path | str) -> dict[str, Any]:
    """Switches for the profile in a file: what `probe_academy --json` printed, or its `profile` alone.

    The n-th kind of answer that is kept in it is given to learners whose address begins with "answer<n>.", and
    invites them where it is known to mean that. Raises BadSwitch with a sentence that names no value.
    """
    try:
        with Path(path).open("rb") as file:
            document = json.loads(file.read(_LARGEST_FILE_BYTES))
        profile = document.get("profile", document)
        facts = {name: fact["value"] for name, fact in profile["facts"].items()}
        answers = [_answer(number, kind) for number, kind in enumerate(profile["answers"], start=1)]
        switches = switches_of(facts) | ({"invitation_answers": answers} if answers else {})
    except (OSError, ValueError, RecursionError) as error:
        raise BadSwitch(f"The profile cannot be read: {path} is no JSON file.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadSwitch(f"{path} holds no profile: give what `probe_academy --json` printed.") from error
    Switches().changed(switches)
    return switches


def _answer(number: int, kind: Mapping[str, Any]) -> dict[str, Any]:
    sample = kind["sample"] if isinstance(kind["sample"], dict) else {}
    structure, message = sample.get("body", ""), str(sample.get("message", ""))
    if isinstance(structure, str):
        body: Any = {"text": message, "empty": ""}.get(structure, structure)
    else:
        body = _body(structure, message, str(kind["code"]))
    acts = kind["meaning"] == "invited"
    return {"status": kind["status"], "body": body, "acts": acts, "for": f"answer{number}.*"}


def _body(structure: Any, message: str, code: str, key: str = "") -> Any:
    """A body of that structure, with the message and a code that is a number where they may have stood."""
    if isinstance(structure, dict):
        return {name: _body(held, message, code, name) for name, held in structure.items()}
    if isinstance(structure, list):
        return [_body(held, message, code, key) for held in structure]
    if not isinstance(structure, str):
        return structure
    if structure.startswith("="):
        return structure.removeprefix("=")
    if key in _MESSAGE_KEYS and structure == "string" and message:
        return message
    if key in _CODE_KEYS and code.isdecimal() and structure in ("string", "number"):
        return int(code) if structure == "number" else code
    return _VALUES.get(structure, structure)
