"""The inlet for academies that can push (Zapier and the like): a signed hint that a course has news, nothing more.

How to sign is told in docs/operations.md.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pymongo.errors import PyMongoError

from coursehub import clock
from coursehub.mongo import outside_transaction
from progress.models import WebhookSeen
from progress.polling import schedule

MOST_BYTES = 64 * 1024
# How far the sender's clock may be off, and so how long a signature must be remembered.
TOLERANCE_SECONDS = 300
_COURSE_KEYS = ("course_id", "courseId", "course")
_COURSES_MAX, _DEPTH_MAX = 20, 5


class Refused(Exception):
    """What is wrong with the request, for whoever sends it; the status to answer with."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@csrf_exempt
@require_POST
def webhook(request: HttpRequest) -> JsonResponse:
    """Have the courses that the body names read soon. The same request again changes nothing."""
    if not settings.WEBHOOK_SECRET:
        raise Http404
    try:
        body = _body(request)
        signature = _checked_signature(request.headers.get("X-CourseHub-Signature", ""), body)
        course_ids = _course_ids(body)
        if _is_known(signature):
            return JsonResponse({"accepted": False, "detail": "This was received before."})
        known = [course_id for course_id in course_ids if schedule.hint(course_id)]
        _remember(signature)  # last: what breaks off before may be sent again
    except Refused as refusal:
        return JsonResponse({"error": refusal.sentence}, status=refusal.status)
    except PyMongoError:
        return JsonResponse({"error": "Not now; please send it again."}, status=503)
    return JsonResponse({"accepted": True, "courses": known}, status=202)


def forget_old() -> int:
    """Forget signatures that would not be accepted any more; returns how many."""
    since = clock.now() - timedelta(seconds=3 * TOLERANCE_SECONDS)
    return outside_transaction(WebhookSeen).delete_many({"at": {"$lt": since}}).deleted_count


def _body(request: HttpRequest) -> bytes:
    try:
        body = request.read(MOST_BYTES + 1)
    except (UnreadablePostError, OSError) as error:
        raise Refused(400, "The body did not arrive.") from error
    if len(body) > MOST_BYTES:
        raise Refused(413, f"The body is larger than {MOST_BYTES // 1024} KB.")
    return body


def _checked_signature(header: str, body: bytes) -> str:
    """The signature, if it is ours and fresh. Raises Refused."""
    parts = dict(part.strip().split("=", 1) for part in header.split(",") if "=" in part)
    sent_at, signature = parts.get("t", ""), parts.get("v1", "")
    if not (sent_at.isascii() and sent_at.isdecimal() and len(sent_at) < 16):
        raise Refused(401, "The header X-CourseHub-Signature is not of the form t=<unix>,v1=<hex>.")
    signed = sent_at.encode() + b"." + body
    expected = hmac.new(settings.WEBHOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
        raise Refused(401, "The signature is not that of this body.")
    if abs(clock.now().timestamp() - int(sent_at)) > TOLERANCE_SECONDS:
        raise Refused(401, f"The signature is older than {TOLERANCE_SECONDS} s, or from the future.")
    return expected


def _course_ids(body: bytes) -> list[str]:
    """The ids that the JSON names anywhere as a course. Raises Refused."""
    try:
        found = list(dict.fromkeys(_named(json.loads(body), _DEPTH_MAX)))
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON.") from error
    if not found:
        raise Refused(400, "The body names no course: give its id as course_id.")
    return found[:_COURSES_MAX]


def _named(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, dict):
        for key in _COURSE_KEYS:
            named = value.get(key)
            if isinstance(named, str | int) and not isinstance(named, bool) and 0 < len(text := str(named)) <= 40:
                yield text
    if depth and isinstance(value, dict | list):
        for held in value.values() if isinstance(value, dict) else value:
            yield from _named(held, depth - 1)


def _is_known(signature: str) -> bool:
    return outside_transaction(WebhookSeen).find_one({"_id": signature}) is not None


def _remember(signature: str) -> None:
    row = {"id": signature, "at": clock.now()}
    outside_transaction(WebhookSeen).update_one({"_id": signature}, {"$setOnInsert": row}, upsert=True)
