"""What somebody must hear about the token sets, and of an answer nobody understands: open alerts, an e-mail for each.

An alert is a document per key. One conditional update opens it, whoever of all processes is first; it is
closed when it no longer holds and may be opened again later. Its e-mail is due until it was handed over.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import get_connection, send_mail
from django.urls import reverse
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from coursehub import academy, clock
from coursehub.academy.words import alert as sentence_of
from coursehub.leases import backoff
from coursehub.mongo import outside_transaction, refuse_inside_atomic
from coursehub.mongo.types import Document
from oauthtokens.forecast import model, usage
from oauthtokens.models import TokenSet
from oauthtokens.pool import client_credentials, pool_state, refresh_lease
from oauthtokens.pool.refresh_lease import State

logger = logging.getLogger(__name__)

TABLE = "oauthtokens_alerts"
FORECAST_HOURS = (6, 24, 72)
_STEADY_HOURS = 1.0  # an open alert of the forecast closes only this much above its limit
_MAIL_TIMEOUT_SECONDS = 10
_MAIL_BACKOFF_SECONDS = (60, 120, 240, 480, 960, 1920, 3600)  # after the first, second, ... failure in a row
# Maintenance has missed its hour when it is this much over, and nothing was regenerated shortly before it either.
_QUESTIONS_MOST, _QUESTION = 3, "question_"  # more open questions than this are alerted one after the other
_MISSED_AFTER, _EARLY = timedelta(hours=1), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that somebody should see to. `tone` is "warning" or "danger", `sentence` one plain sentence."""

    key: str
    tone: str
    sentence: str
    since: datetime | None = None  # aware; None while it has not been opened

    @property
    def is_question(self) -> bool:
        """Whether it asks what an answer of the academy means, and does not speak of token sets."""
        return self.key.startswith(_QUESTION)


def open_alerts() -> list[Alert]:
    """The alerts that are open, the gravest first; of the forecast's only the gravest. One query."""
    rows = list(_collection().find({"is_open": True}))
    levels = [key for key in map(_forecast_key, FORECAST_HOURS) if any(row["_id"] == key for row in rows)]
    shown = [row for row in rows if row["_id"] not in levels[1:]]
    found = [Alert(row["_id"], row["tone"], row["sentence"], row["since"]) for row in shown]
    return sorted(found, key=lambda alert: (alert.tone != "danger", alert.since))


def update() -> None:
    """Open what holds, close what does not, send the e-mails that are due. Raises RuntimeError inside `atomic()`."""
    refuse_inside_atomic("An e-mail")
    holding = {alert.key: alert for alert in _holding()}
    for alert in holding.values():
        _open(alert)
    _collection().update_many({"is_open": True, "_id": {"$nin": list(holding)}}, {"$set": {"is_open": False}})
    _send_due()


def is_due() -> bool:
    """Whether `update` would change anything."""
    known = {row["_id"] for row in _collection().find({"is_open": True}, {"_id": 1})}
    return known != {alert.key for alert in _holding()} or _collection().count_documents(_mail_due(), limit=1) > 0


def _holding() -> Iterator[Alert]:
    """What holds now."""
    for answer in academy.open_questions()[:_QUESTIONS_MOST]:
        yield Alert(f"{_QUESTION}{answer.pk}", "warning", sentence_of(answer))
    stopped = pool_state.read()["stopped"]
    if stopped:
        yield Alert("stopped", "danger", f"The token pool has stopped: {stopped}")
    if client_credentials.is_chosen():
        return
    sets = list(TokenSet.objects.filter(number__lte=settings.TOKEN_SET_COUNT))
    for one in sets:
        if one.state == State.BROKEN:
            yield Alert(f"broken_{one.number}", "danger", f"Token set {one.number} is broken: {one.reason}")
        if one.state == State.UNDECRYPTABLE:
            sentence = f"Token set {one.number} cannot be decrypted: a key is missing from TOKEN_ENCRYPTION_KEYS."
            yield Alert(f"undecryptable_{one.number}", "danger", sentence)
    if refresh_lease.use_limit() is not None:
        now = clock.now()
        yield from _of_forecast(sets, now)
        yield from _of_maintenance(sets, now)


def _of_forecast(sets: list[TokenSet], now: datetime) -> Iterator[Alert]:
    hours = _hours_left(model.make(sets, now, usage.read(now)))
    known = {row["_id"] for row in _collection().find({"is_open": True}, {"_id": 1})}
    for level in FORECAST_HOURS:
        key = _forecast_key(level)
        if hours < level + (_STEADY_HOURS if key in known else 0):
            tone = "warning" if level == max(FORECAST_HOURS) else "danger"
            yield Alert(key, tone, f"The token sets last fewer than {level} hours.")


def _hours_left(made: model.Forecast) -> float:
    """By the measured use where it is known, like `Forecast.reaches`."""
    if made.measured_reaches is None or not made.uses_left:
        return made.continuous_hours or 0.0
    return float("inf") if made.measured_hours is None else made.measured_hours


def _of_maintenance(sets: list[TokenSet], now: datetime) -> Iterator[Alert]:
    last = model.next_maintenance(now) - timedelta(days=7)
    regenerated = [one.regenerated_at for one in sets if one.regenerated_at]
    if regenerated and now >= last + _MISSED_AFTER and max(regenerated) < last - _EARLY:
        sentence = f"No token set was regenerated at the maintenance of {last:%A, %d %B, %H:%M}."
        yield Alert("maintenance_missed", "warning", sentence)


def _forecast_key(level: int) -> str:
    return f"forecast_{level}"


def _open(alert: Alert) -> None:
    """Open it if it is not open; the words of an open one follow."""
    words = {"tone": alert.tone, "sentence": {"$literal": alert.sentence}}
    anew = {"is_open": True, "since": clock.server_now(), "mailed": False, "mail_failures": 0, "mail_after": None}
    if _collection().update_one({"_id": alert.key, "is_open": True}, [{"$set": words}]).matched_count:
        return
    try:
        _collection().update_one({"_id": alert.key, "is_open": False}, [{"$set": {**words, **anew}}], upsert=True)
    except DuplicateKeyError:
        return  # somebody else was first


def _mail_due() -> dict[str, Any]:
    """The filter for alerts whose e-mail has not been handed over and may be tried."""
    if not settings.MAINTENANCE_EMAILS:
        return {"_id": None}
    return {"is_open": True, "mailed": False, "$expr": clock.passed("mail_after")}


def _send_due() -> None:
    """One e-mail for all that is due. Whoever claims an alert puts its next attempt off first."""
    due = [row["_id"] for row in _collection().find(_mail_due(), {"_id": 1})]
    claimed = [row for key in due if (row := _claim(key))]
    if not claimed:
        return
    keys = {row["_id"] for row in claimed}
    told = [alert for alert in open_alerts() if alert.key in keys]
    try:
        if told:
            _send(told)
    except Exception as error:  # whatever a mail backend raises: the job goes on, and tries again
        logger.warning("The e-mail about the token sets was not sent: %s", type(error).__name__)
        return
    for row in claimed:
        _collection().update_one({"_id": row["_id"], "since": row["since"]}, {"$set": {"mailed": True}})


def _claim(key: str) -> dict[str, Any] | None:
    later = clock.after(backoff("mail_failures", _MAIL_BACKOFF_SECONDS))
    put_off = {"mail_after": later, "mail_failures": {"$add": ["$mail_failures", 1]}}
    return _collection().find_one_and_update({**_mail_due(), "_id": key}, [{"$set": put_off}])


def _send(told: list[Alert]) -> None:
    pages = {
        "The questions": ("admin:coursehub_academyanswer_changelist", any(alert.is_question for alert in told)),
        "The token sets": ("admin:oauthtokens_tokenset_changelist", any(not alert.is_question for alert in told)),
    }
    links = [f"{title}: {settings.PUBLIC_URL}{reverse(name)}" for title, (name, named) in pages.items() if named]
    send_mail(
        f"CourseHub: {told[0].sentence}",
        "\n".join([*(alert.sentence for alert in told), "", *links]),
        settings.DEFAULT_FROM_EMAIL,
        settings.MAINTENANCE_EMAILS,
        connection=get_connection(timeout=_MAIL_TIMEOUT_SECONDS),
    )


def _collection() -> Collection[Document]:
    return outside_transaction(TABLE)
