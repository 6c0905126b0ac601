"""One correction for all addresses of a domain, and what a person says of domains that look mistyped.

A correction is noted in the batch, done a chunk at a time, and gone on with by a worker after a crash; the batch cannot
be confirmed meanwhile.
"""

import re
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from coursehub import audit, clock
from coursehub.audit import Action
from coursehub.mongo import outside_transaction
from invitations.erasure import ERASED
from invitations.models import Batch, Invitation
from invitations.parsing import emails
from invitations.parsing.courses import Courses
from invitations.repair import cells as row_cells
from invitations.repair.acts import REPAIRABLE, corrected
from invitations.repair.cells import Cells, Row
from invitations.repair.revision import MovedOn, Revision, revise
from invitations.uploads.import_rows import courses_of

BEING_CORRECTED = "The addresses are still being corrected: confirm in a moment."
BAD_DOMAIN = "“{}” is no domain that an address could have."
# More rows than this are corrected by a worker, since a request would wait for it.
AT_ONCE_ROWS = 2_000
_CHUNK_ROWS = 500  # of one transaction
SLICE_SECONDS = 30.0  # well below the queue's time-out for a task
_DIED_SECONDS = 15  # without a chunk done nobody is at it
NOTHING, UNFINISHED, CORRECTED = "nothing to correct", "unfinished", "corrected"
_CORRECT, _RIGHT = "corrected", "right"
# By a person, for a status in the file, for want of a name; or erased.
_LEFT_OUT = re.compile(f"^(Left out|{re.escape(ERASED)})")
Offer = dict[str, Any]  # "domain", "meant", "rows"


def obstacle(batch: Batch) -> str:
    """Why the batch cannot be confirmed yet, in one sentence; "" when no correction is under way."""
    return BEING_CORRECTED if batch.correcting_at else ""


# What a confirmation must find; see `transitions.act`.
SETTLED: dict[str, Any] = {"correcting_at": None}


def open_suggestions(batch: Batch) -> list[Offer]:
    """Domains that look mistyped, and of which nobody has said anything."""
    return [one for one in batch.suggestions.get("found", []) if not one.get("answer")]


def like(batch: Batch, domain: str, meant: str) -> Offer | None:
    """What one may do for all addresses of `domain` once one was corrected to `meant`; None when there are none."""
    if not domain or domain == meant or problem_of(meant) or batch.state != Batch.State.PREVIEW:
        return None
    rows = outside_transaction(Invitation).count_documents(_of_domain(batch.pk, domain))
    return {"domain": domain, "meant": meant, "rows": rows} if rows else None


def problem_of(domain: str) -> str:
    """Why this is no domain, in one sentence; "" when it is one."""
    return BAD_DOMAIN.format(domain[:80]) if emails.check(f"a@{domain}")[1] else ""


def keep(batch: Batch, domain: str) -> bool:
    """A person says that the addresses of this domain are right. False when that was said, or nobody asked."""
    return _answer(batch.pk, domain, _RIGHT)


def correct(batch: Batch, domain: str, meant: str, *, actor: str) -> bool:
    """Begin to give all addresses of `domain` the domain `meant`; done when this returns, if they are few.

    False when the batch is no longer in preview, or another correction is under way.
    """
    if not domain or problem_of(meant):
        return False
    wanted = {"id": batch.pk.hex, "state": Batch.State.PREVIEW, "correcting_at": None}
    noted = {"from": domain, "to": meant, "actor": actor, "rows": 0}
    begun = {"correcting_at": clock.server_now(), "correcting": {"$literal": noted}}
    if not outside_transaction(Batch).update_one(wanted, [{"$set": begun}]).modified_count:
        return False
    _answer(batch.pk, domain, _CORRECT)
    rows = outside_transaction(Invitation).count_documents(_of_domain(batch.pk, domain))
    if rows <= AT_ONCE_ROWS:
        go_on(batch.pk)
    return True


def go_on(batch_id: UUID) -> str:
    """Do what is left of a correction, for about SLICE_SECONDS; returns NOTHING, UNFINISHED or CORRECTED.

    May run twice, and die anywhere.
    """
    batch = Batch.objects.select_related("uploaded_by").filter(pk=batch_id, correcting_at__isnull=False).first()
    if batch is None:
        return NOTHING
    domain, meant = batch.correcting["from"], batch.correcting["to"]
    rows = outside_transaction(Invitation).find(_of_domain(batch_id, domain)).sort("line", 1)
    courses = courses_of(batch.uploaded_by, batch.course_id)
    ends_at = time.monotonic() + SLICE_SECONDS
    preview: Row = {"courses": courses, "within": [Batch.State.PREVIEW], "only": _still(batch)}
    try:
        for chunk in _chunks(rows):
            if time.monotonic() > ends_at:
                return UNFINISHED
            revise(batch_id, _Chunk(batch, chunk, meant, courses), **preview)
    except MovedOn:  # by somebody who repairs a row, reads the file anew, or cancels: whoever comes next goes on
        if Batch.objects.filter(pk=batch_id, state=Batch.State.PREVIEW).exists():
            return UNFINISHED
    _finish(batch)
    return CORRECTED


def _still(batch: Batch) -> Row:
    """The filter for this correction, of this reading of the file: another one may have begun meanwhile."""
    noted = {f"correcting.{name}": batch.correcting[name] for name in ("from", "to")}
    return {**noted, "correcting_at": {"$ne": None}, "read_fence": batch.read_fence}


def unfinished() -> list[UUID]:
    """Batches whose addresses are being corrected, and nobody is at it: whoever began has died, or gave way."""
    still = {"$lte": ["$correcting_at", clock.after(-_DIED_SECONDS)]}
    begun = {"correcting_at": {"$ne": None}, "$expr": still}
    return [UUID(batch["id"]) for batch in outside_transaction(Batch).find(begun, ["id"]).limit(20)]


class _Chunk:
    """Some rows, each with its address corrected and judged; one that cannot be used stays out, with its reason."""

    def __init__(self, batch: Batch, rows: list[Row], meant: str, courses: Courses) -> None:
        self._batch, self._meant = batch, meant
        self._ids = [row["_id"] for row in rows]
        self._domain = batch.correcting["from"]
        self._shown = row_cells.shown(batch, rows, courses)

    def __call__(self, revision: Revision) -> None:
        found = [row for row in revision.rows(self._ids) if self._is_wanted(row, revision)]
        edits = [(row, self._cells(row)) for row in found]
        values = revision.judge(edits, now=self._batch.created_at)
        changed = [
            (row, one | corrected(row, self._shown[row["line"]], cells, one))
            for (row, cells), one in zip(edits, values, strict=True)
        ]
        revision.write(changed)
        revision.note_progress(len(changed))

    def _is_wanted(self, row: Row, revision: Revision) -> bool:
        """As it was found, and for no reason left out that its cells do not show: a status, a template's example."""
        if row["state"] not in REPAIRABLE[Batch.State.PREVIEW] or _LEFT_OUT.match(row["reason"]):
            return False
        if row_cells.domain_of(row["email_folded"]) != self._domain:
            return False
        cells, now = self._shown[row["line"]], self._batch.created_at
        return row["state"] != Invitation.State.INVALID or bool(revision.problem_of(cells, now=now))

    def _cells(self, row: Row) -> Cells:
        before = self._shown[row["line"]]
        return before | {"email": row_cells.with_domain(row["email"], self._meant)}


def _of_domain(batch_id: UUID, domain: str) -> Row:
    """The filter for rows whose address is of this domain, and that nobody left out."""
    return {
        "batch_id": batch_id.hex,
        "state": {"$in": list(REPAIRABLE[Batch.State.PREVIEW])},
        "email_folded": {"$regex": f"@{_literal(domain)}$"},
        "reason": {"$not": _LEFT_OUT},
    }


def _literal(text: str) -> str:
    """A pattern for `text` alone; MongoDB refuses one with NUL in it, which cells of damaged files hold."""
    return re.escape(text).replace("\0", r"\x00")


def _answer(batch_id: UUID, domain: str, answer: str) -> bool:
    asked = {"suggestions.found": {"$elemMatch": {"domain": domain, "answer": {"$in": [None, ""]}}}}
    wanted = {"id": batch_id.hex, "state": Batch.State.PREVIEW, **asked}
    answered = {"$set": {"suggestions.found.$.answer": answer}}
    return outside_transaction(Batch).update_one(wanted, answered).modified_count == 1


def _finish(batch: Batch) -> None:
    """The audit counts the rows, once: for whoever ends it."""
    ended: Row = {"$set": {"correcting_at": None, "correcting": {}}}
    found = outside_transaction(Batch).find_one_and_update({"id": batch.pk.hex, **_still(batch)}, ended)
    if found:
        detail = {"course": batch.course_id, "rows": found["correcting"]["rows"]}
        actor = found["correcting"]["actor"]
        audit.record(action=Action.BATCH_ROWS_CORRECTED, actor=actor, target=f"batch {batch.pk}", detail=detail)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    found = iter(rows)
    while chunk := list(islice(found, _CHUNK_ROWS)):
        yield chunk
