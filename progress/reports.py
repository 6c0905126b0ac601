"""Detailed reports of one learner, fetched when a person asks: one paced call by a worker, kept until asked again."""

import logging
from datetime import UTC, datetime
from typing import Any

from coursehub import clock, rate_limit
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.errors import TrainerCentralError
from oauthtokens import services as token_services
from progress.models import LearnerReport

logger = logging.getLogger(__name__)

Kind = LearnerReport.Kind
# A report that was fetched just now is not fetched again, whoever clicks; nor is one that is on its way.
FRESH_SECONDS, PATIENCE_SECONDS = 60, 90
_SLOT_WITHIN_SECONDS = 20.0  # with the call itself less than a task's time-out
_NO_CALL = "The call budget had no room for this report within 20 s; ask again in a moment."
_UNEXPECTED = "Fetching the report failed; the details are in the worker's log."
_NO_ANSWER = "No worker has answered so far; ask again, and if that does not help, see whether a worker runs."


def ask(*, course_id: str, member_id: str, kind: str) -> bool:
    """Note that somebody wants this report now. True: enqueue `progress.tasks.fetch_report`."""
    key, rows = LearnerReport.key_of(course_id, member_id, kind), outside_transaction(LearnerReport)
    new = {"id": key, "course_id": course_id, "member_id": member_id, "kind": kind, "body": None, "error": ""}
    rows.update_one({"_id": key}, {"$setOnInsert": {**new, "asked_at": None, "fetched_at": None}}, upsert=True)
    fine = {"$eq": ["$error", ""]}
    waited_for = {"$gt": ["$asked_at", clock.after(-PATIENCE_SECONDS)]}
    on_its_way = {"$and": [fine, waited_for, {"$lt": ["$fetched_at", "$asked_at"]}]}
    fresh = {"$and": [fine, {"$gt": ["$fetched_at", clock.after(-FRESH_SECONDS)]}]}
    wished = rows.update_one(
        {"_id": key, "$expr": {"$not": [{"$or": [on_its_way, fresh]}]}},
        [{"$set": {"asked_at": clock.server_now(), "error": ""}}],
    )
    return bool(wished.modified_count)


def fetch(*, course_id: str, member_id: str, kind: str) -> str:
    """Fetch the report if it is (still) asked for; what goes wrong is kept as one sentence beside it."""
    key = LearnerReport.key_of(course_id, member_id, kind)
    row = outside_transaction(LearnerReport).find_one({"_id": key})
    if row is None or not _is_pending(row):
        return "not asked for"
    if not rate_limit.reserve_slot(rate_limit.PROGRESS, within_seconds=_SLOT_WITHIN_SECONDS):
        return _failed(row, _NO_CALL)
    try:
        client = token_services.client(lane=rate_limit.PROGRESS)
        read = client.course_engagement if kind == Kind.ENGAGEMENT else client.test_report
        body = read(course_id, member_id).raw
    except TrainerCentralError as error:
        logger.warning("Report %s of course %s: %s", kind, course_id, error.detail)
        return _failed(row, error.sentence)
    except Exception:
        _failed(row, _UNEXPECTED)
        raise
    _store(row, {"body": {"$literal": body}, "fetched_at": clock.server_now(), "error": ""})
    return "fetched"


def shown(course_id: str, member_id: str) -> list[dict[str, Any]]:
    """The reports of one learner as the page shows them, whether fetched, on their way or never asked for."""
    keys = [LearnerReport.key_of(course_id, member_id, kind) for kind in Kind.values]
    rows = {row["_id"]: row for row in outside_transaction(LearnerReport).find({"_id": {"$in": keys}})}
    return [_shown(kind, rows.get(key, {})) for kind, key in zip(Kind, keys, strict=True)]


def _shown(kind: LearnerReport.Kind, row: dict[str, Any]) -> dict[str, Any]:
    pending = _is_pending(row)
    overdue = pending and (clock.now() - row["asked_at"]).total_seconds() > PATIENCE_SECONDS
    return {
        "kind": kind.value,
        "label": str(kind.label),
        "pending": pending and not overdue,
        "error": _NO_ANSWER if overdue else row.get("error", ""),
        "fetched_at": row.get("fetched_at"),
        "table": _table(row.get("body")),
    }


def _is_pending(row: dict[str, Any]) -> bool:
    asked, fetched = row.get("asked_at"), row.get("fetched_at")
    return bool(asked and not row["error"] and (not fetched or fetched < asked))


def _failed(row: dict[str, Any], sentence: str) -> str:
    _store(row, {"error": {"$literal": sentence[:300]}})
    return "failed"


def _store(row: dict[str, Any], values: dict[str, Any]) -> None:
    """Only while it is the same wish: a later one gets an answer of its own."""
    outside_transaction(LearnerReport).update_one({"_id": row["_id"], "asked_at": row["asked_at"]}, [{"$set": values}])


def _table(body: Any) -> dict[str, Any] | None:
    """The answer's list of objects as headings and rows. Its fields are undocumented, so all plain ones are shown."""
    lists = [value for value in body.values() if isinstance(value, list)] if isinstance(body, dict) else []
    rows = [row for row in (lists[0] if lists else []) if isinstance(row, dict)]
    names = list(
        dict.fromkeys(name for row in rows for name, value in row.items() if not isinstance(value, dict | list))
    )
    if body is None:
        return None
    headings = [_heading(name) for name in names if not name.endswith("Id")]
    cells = [[_cell(name, row.get(name)) for name in names if not name.endswith("Id")] for row in rows]
    return {"headings": headings, "rows": cells}


def _heading(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.strip().capitalize()


def _cell(name: str, value: Any) -> Any:
    """A time in epoch milliseconds becomes one, a length in milliseconds minutes; the rest is shown as it came."""
    text = "" if value is None else str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 14:
        return text[:300]
    if name.endswith("Time") and len(text) >= 12:
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if name == "timeSpent":
        return f"{int(text) / 60_000:.0f} min"
    return text
