"""What a person does with one row: put it right, leave it out, take it back. Judged at once, by the file's rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coursehub import clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from invitations import transitions
from invitations.erasure import ERASED
from invitations.models import Batch, Invitation
from invitations.repair import cells as row_cells
from invitations.repair.cells import FIELDS, Cells, Row
from invitations.repair.revision import FINISHED, MovedOn, Revision, revise
from invitations.uploads.import_rows import courses_of

State = Invitation.State
REPAIRABLE: dict[str, tuple[str, ...]] = {
    Batch.State.PREVIEW: (
        State.PENDING, State.INVALID, State.DUPLICATE, State.ALREADY_INVITED, State.ALREADY_ENROLLED
    ),
    **dict.fromkeys(FINISHED, (State.FAILED, State.INVALID)),
}  # fmt: skip
TOO_LATE = "Nothing was changed: the row or its batch has moved on. Look at it as it is now."
_LEFT_OUT = "Left out by {}."


@dataclass(frozen=True)
class Outcome:
    """`sentence` says what the row is now, or why nothing was changed; `promoted`: lines that took another's place."""

    is_done: bool
    sentence: str
    promoted: list[int] = field(default_factory=list)


class _NotTaken(Exception):
    """The new cells are as unusable as the old ones."""


def is_repairable(batch: Batch, row: Invitation) -> bool:
    """Whether the row may be put right now; of a finished batch, those that were refused or could not be read."""
    kept = not batch.forgotten_at and row.reason != ERASED
    return kept and row.state in REPAIRABLE.get(batch.state, ())


def token(row: Mapping[str, Any]) -> str:
    """Names the row as it is now: it changes with every act on it, and when the file is read anew."""
    times = (row.get("correction") or {}).get("times", 0)
    return f"{row['id']}-{row['state']}-{row['attempts']}-{times}"


def repair(batch: Batch, row: Invitation, given: Mapping[str, str], *, seen: str, actor: str) -> Outcome:
    """Put these cells into a row that is still as it was `seen`; nothing is changed when they cannot be used.

    A row that is to be invited then waits for a reading of its course's members that begins later; in a finished
    batch it waits, too, until a person sends it (`services.retry`).
    """
    now = clock.now()

    def change(revision: Revision, found: Row) -> Row:
        before = shown[found["line"]]
        cells = row_cells.posted(found, before, given)
        [values] = revision.judge([(found, cells)], now=now)
        if values["state"] == State.INVALID:
            raise _NotTaken(values["reason"])
        return values | corrected(found, before, cells, values)

    courses = courses_of(batch.uploaded_by, batch.course_id)
    found = outside_transaction(Invitation).find({"_id": row.pk})
    shown = row_cells.shown(batch, list(found), courses)
    allowed = REPAIRABLE.get(batch.state, ())
    return _act(batch, row, change, seen=seen, allowed=allowed, action=Action.BATCH_ROWS_CORRECTED, actor=actor)


def leave_out(batch: Batch, row: Invitation, *, seen: str, actor: str) -> Outcome:
    """Do not invite this row; the next row with its address, if there is one, is invited instead."""

    def change(revision: Revision, found: Row) -> Row:
        correction = _next(found) | {"left_out": True}
        reason = _LEFT_OUT.format(actor)[:300]
        return {"state": State.INVALID, "reason": reason, "correction": correction, "called_at": None}

    allowed = (State.PENDING,) if batch.state == Batch.State.PREVIEW else ()
    return _act(batch, row, change, seen=seen, allowed=allowed, action=Action.BATCH_ROWS_LEFT_OUT, actor=actor)


def take_back(batch: Batch, row: Invitation, *, seen: str, actor: str) -> Outcome:
    """Judge a row that a person left out as if nobody had."""

    def change(revision: Revision, found: Row) -> Row:
        if not (found.get("correction") or {}).get("left_out"):
            raise MovedOn
        [values] = revision.judge([(found, row_cells.stored(found))], now=batch.created_at)
        return values | {"correction": _next(found) | {"left_out": False}}

    allowed = (State.INVALID,) if batch.state == Batch.State.PREVIEW else ()
    return _act(batch, row, change, seen=seen, allowed=allowed, action=Action.BATCH_ROWS_TAKEN_BACK, actor=actor)


def corrected(row: Row, before: Cells, cells: Cells, values: Row) -> Row:
    """What is kept of a correction: each changed cell as the file has it, and as it is now."""
    kept = _next(row) | {"left_out": False}
    changed = dict(kept.get("cells") or {})
    now = cells | {"email": values["email"]}
    for name in FIELDS:
        first = changed[name]["before"] if name in changed else before[name]
        changed.pop(name, None)
        if now[name].strip() != first.strip():
            changed[name] = {"before": first[:300], "now": now[name].strip()[:300]}
    is_first = "email" in changed and not row.get("email_before")
    email_before = row["email_folded"] if is_first else row.get("email_before", "")
    return {"correction": kept | {"cells": changed}, "email_before": email_before if "email" in changed else ""}


def _act(
    batch: Batch, row: Invitation, change: Callable[[Revision, Row], Row], *,
    seen: str, allowed: tuple[str, ...], action: Action, actor: str,
) -> Outcome:  # fmt: skip
    """One row, if it is as it was seen; then the audit."""

    def work(revision: Revision) -> tuple[Row, list[int]]:
        found = next(iter(revision.rows([row.pk])), None)
        if found is None or found["state"] not in allowed or token(found) != seen or found["reason"] == ERASED:
            raise MovedOn
        values = change(revision, found)
        revision.write([(found, values)])
        return values, revision.promoted

    try:
        values, promoted = revise(
            batch.pk, work, courses=courses_of(batch.uploaded_by, batch.course_id), within=[batch.state]
        )
    except MovedOn:
        return Outcome(False, TOO_LATE)
    except _NotTaken as refusal:
        return Outcome(False, str(refusal))
    transitions.record(action, batch, actor, rows=1)
    if batch.state in FINISHED:
        transitions.close_without_errors(batch)
    return Outcome(True, _sentence(row.line, values, promoted), promoted)


def _sentence(line: int, values: Row, promoted: list[int]) -> str:
    state = "Will be invited" if values["state"] == State.PENDING else State(values["state"]).label
    said = f"Line {line}: {state}. {values['reason']}".strip()
    return said + "".join(f" Line {other} with its former address takes its place." for other in promoted)


def _next(row: Row) -> Row:
    kept = row.get("correction") or {}
    return {**kept, "times": kept.get("times", 0) + 1}
