"""Answers to an invitation in every shape that somebody has seen or may meet."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from coursehub.sandbox.http import HTML, Answer, json_answer

_PAGE = b"<html><body><h1>We will be back soon</h1></body></html>"
_CODE = {"errors": [{"errorCode": "ST_41", "message": "Something is the matter."}]}
# Of the whole answer (courseMember, portalMember), what each shape makes; None: the whole answer.
_BODIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "standard": lambda whole: whole,
    "list": lambda whole: whole.get("courseMember", []),
    "object": lambda whole: next(iter(whole.get("courseMember", [])), {}),
    "data": lambda whole: {"data": whole},
    "courseMembers": lambda whole: {"courseMembers": whole.get("courseMember", [])},
    "address": lambda whole: {"status": "success", "learner": {"email": whole["portalMember"]["email"]}},
    "status_only": lambda whole: {"status": "success"},
    "portal_only": lambda whole: {"portalMember": whole["portalMember"]},
    "empty_list": lambda whole: {"courseMember": [], "portalMember": whole["portalMember"]},
    "unknown_code": lambda whole: {**whole, "code": "ST_41"},
    "error_code_2xx": lambda whole: {"code": "INVITATION_ERROR", "message": "Something is the matter."},
    "failed": lambda whole: {"status": "failure", "message": "Something is the matter."},
}
_ANSWERS = {
    "no_content": Answer(204),
    "empty": Answer(200),
    "redirect": Answer(302, headers={"Location": "/somewhere"}),
    "html200": Answer(200, _PAGE, HTML),
    "cut_off": Answer(200, b'{"courseMember":[{"id":"30000940000'),
    "known_code_500": json_answer({"errors": [{"errorCode": "INVALID_EMAIL", "message": "No such address."}]}, 500),
    "st_01_500": json_answer({"errors": [{"errorCode": "ST_01", "title": "GENERAL_FAILURE"}]}, 500),
    "unknown_code_500": json_answer(_CODE, 500),
    "html502": Answer(502, _PAGE, HTML),
    "empty503": Answer(503),
    "conflict": Answer(409),
    "timeout408": Answer(408),
}


def shaped(shape: str, whole: dict[str, Any], status: int) -> Answer:
    """The answer of that shape; `status` is that of a success, where the shape does not name another."""
    if shape in _ANSWERS:
        return _ANSWERS[shape]
    return json_answer(_BODIES[shape](whole), status)


def scripted(entry: Mapping[str, Any], values: Mapping[str, str]) -> Answer:
    """The answer that an entry of `invitation_answers` describes, `values` filled in."""
    body = _filled(entry.get("body", ""), values)
    fault, headers, status = entry.get("fault", ""), dict(entry.get("headers", {})), entry.get("status", 200)
    if isinstance(body, str):
        kind = HTML if "<" in body else "text/plain"
        return Answer(status, body.encode(), kind, headers, fault)
    return Answer(status, json.dumps(body, ensure_ascii=False).encode(), headers=headers, fault=fault)


def _filled(body: Any, values: Mapping[str, str]) -> Any:
    if isinstance(body, dict):
        return {key: _filled(value, values) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, values) for value in body]
    if not isinstance(body, str):
        return body
    for name, value in values.items():
        body = body.replace(f"{{{name}}}", value)
    return body
