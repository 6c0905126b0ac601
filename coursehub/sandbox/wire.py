"""What goes in and out of an endpoint, and how TrainerCentral's errors look."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from coursehub.sandbox.switches import Switches

JSON = "application/json"
HTML = "text/html"


class Refused(Exception):
    """An API error by its code; `status` as Zoho's security filter gives it."""

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class Call:
    """One request, read completely. `ids` are the ids in its path."""

    method: str
    path: str
    query_string: str
    body: bytes
    authorization: str
    content_type: str
    origin: str  # scheme and host that the caller used
    arrived_ms: int
    at_ms: int  # when it is carried out, which is what its effects and answers go by
    ids: list[str] = field(default_factory=list)
    detail: str = ""  # what the call log says about it; never a token

    def query(self) -> dict[str, str]:
        """The query parameters; of a repeated one, the last."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """Query and form parameters together."""
        parameters = self.query()
        if not self.content_type.startswith(JSON):
            parameters.update(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return parameters

    def json_object(self) -> dict[str, Any]:
        """The body's JSON object. Raises Refused."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Refused(400, "JSON_PARSE_ERROR", "The request body is not a JSON object.")
        return value


@dataclass(slots=True)
class Answer:
    """One response, complete."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] | None = None


def json_answer(value: Any, status: int = 200) -> Answer:
    """`value` as JSON."""
    return Answer(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def error_answer(refused: Refused, switches: Switches) -> Answer:
    """The refusal in the envelope that the switch `error_envelope` names."""
    status, code, message = refused.status, refused.code, refused.message
    envelopes: dict[str, Any] = {
        "default": {"errors": [{"errorCode": code, "message": message}]},
        "mail": {"data": {"errorCode": code}, "status": {"code": status, "description": message}},
        "projects": _projects_envelope(refused),
        "crm": {"code": code, "details": {}, "message": message, "status": "error"},
        "array": [2, {"msg": message, "errorCode": code}],
        "ok200": _projects_envelope(refused),
    }
    style = switches.error_envelope
    answer = json_answer(envelopes[style], 200 if style == "ok200" else status)
    if refused.retry_after_seconds is not None:
        answer.headers = {"Retry-After": str(refused.retry_after_seconds)}
    return answer


def _projects_envelope(refused: Refused) -> dict[str, Any]:
    """That product's throttle has a number and an object where its other errors have text and a list."""
    message, throttled = {"message": refused.message}, "THROTTLES" in refused.code
    kind = "OPERATIONAL_VALIDATION_ERROR" if throttled else "FIELDS_VALIDATION_ERROR"
    status, details = (refused.status, message) if throttled else (str(refused.status), [message])
    return {"error": {"status_code": status, "title": refused.code, "error_type": kind, "details": details}}
