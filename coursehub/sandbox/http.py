"""What goes in and out of an endpoint, and how TrainerCentral's errors look."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from coursehub.sandbox.switches import Switches

JSON = "application/json"
HTML = "text/html"
INVALID_TOKEN = "INVALID_OAUTHTOKEN"  # noqa: S105  (a code of errors)


class Refused(Exception):
    """An API error by its code, for some with a number beside it; `status` as Zoho's security filter gives it."""

    def __init__(self, status: int, code: str, message: str, retry_after: str = "", number: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.retry_after, self.number = retry_after, number


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
    fault: str = ""  # what becomes of it on its way, as `Fault.kind`


def json_answer(value: Any, status: int = 200) -> Answer:
    """`value` as JSON."""
    return Answer(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def error_answer(refused: Refused, switches: Switches) -> Answer:
    """The refusal in the envelope that the switch `error_envelope` names."""
    status, code, message, named = refused.status, refused.code, refused.message, {}
    if refused.number:
        code, named = refused.number, {"title": refused.code}
    told = f"{refused.code}: {message}" if refused.number else message
    envelopes: dict[str, Any] = {
        "default": {"errors": [{"errorCode": code, **named, "message": message}]},
        "mail": {"data": {"errorCode": code}, "status": {"code": status, "description": told}},
        "projects": _projects_envelope(refused),
        "crm": {"code": code, "details": {}, "message": told, "status": "error"},
        "array": [2, {"msg": told, "errorCode": code}],
        "ok200": _projects_envelope(refused),
    }
    style = switches.error_envelope
    answer = json_answer(envelopes[style], 200 if style == "ok200" else status)
    if refused.retry_after:
        answer.headers = {"Retry-After": refused.retry_after}
    return answer


def unauthorised_answer(switches: Switches) -> Answer:
    """The answer to a token that is not valid, in the style that the switch `unauthorised_style` names."""
    code = error_answer(Refused(401, INVALID_TOKEN, "The access token is not valid."), switches)
    return {
        "code": code,
        "bare": Answer(401),
        "html": Answer(401, b"<html><body>401</body></html>", HTML),
        "invalid_token": json_answer({"error": "invalid_token"}, 401),
        "authentication_failure": json_answer({"code": "AUTHENTICATION_FAILURE", "status": "error"}, 401),
        "400": json_answer({"code": "AUTHENTICATION_FAILURE", "status": "error"}, 400),
        "in200": Answer(200, code.body),
    }[switches.unauthorised_style]


def _projects_envelope(refused: Refused) -> dict[str, Any]:
    """That product's throttle has a number and an object where its other errors have text and a list."""
    message, throttled = {"message": refused.message}, "THROTTLES" in refused.code
    kind = "OPERATIONAL_VALIDATION_ERROR" if throttled else "FIELDS_VALIDATION_ERROR"
    status, details = (refused.status, message) if throttled else (str(refused.status), [message])
    return {"error": {"status_code": status, "title": refused.code, "error_type": kind, "details": details}}
