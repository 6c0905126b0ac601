"""One act of a person on rows of a batch: one transaction, whose first write is the batch's.

So two of them, and a confirmation, take turns, and a crash leaves nothing half-done: a row that is to be invited is
stored together with the wish that its course's members are read first (`Batch.look_since`), never before it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from pymongo import ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.write_concern import WriteConcern

from coursehub import clock
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation
from invitations.parsing import validation
from invitations.parsing.courses import Courses
from invitations.parsing.file_format import Format
from invitations.parsing.validation import Judge
from invitations.repair.cells import COLUMNS, FIELDS, Cells, Row, stored
from invitations.sending import missing_names
from invitations.sending.existing_learners import Known

State = Invitation.State
Key = tuple[str, str]  # course, folded address
FINISHED = (Batch.State.COMPLETED, Batch.State.COMPLETED_WITH_ERRORS)
NOT_SENT = "Corrected, and not sent yet."
NAMES_NEEDED = "Give a first and a last name: TrainerCentral takes nobody without."
_NO_HOLDER = [State.INVALID, State.DUPLICATE]  # rows that keep nobody else with the same address from being invited
_AFRESH: Row = {
    "member_id": "", "name_made": False, "refusals": 0, "unknown_since": None, "finding": "", "answer_kind": "",
    "sent_again": 0, "called_at": None, "generation": 1,
}  # fmt: skip
Result = TypeVar("Result")


class MovedOn(Exception):
    """The batch is in another state than the person saw, or the row is; nothing was changed."""


def revise(
    batch_id: UUID, work: Callable[["Revision"], Result], *, courses: Courses, within: Iterable[str],
    only: Mapping[str, Any] | None = None,
) -> Result:  # fmt: skip
    """Do `work` on the rows of a batch that is in one of these states, and as `only` says.

    It may be called again, after a conflict. Raises MovedOn, and what `work` raises, with nothing written.
    """
    wanted = {"id": batch_id.hex, "state": {"$in": list(within)}, **(only or {})}
    counted = {"corrections": {"$add": [{"$ifNull": ["$corrections", 0]}, 1]}}

    def attempt(session: ClientSession) -> Result:
        batch = outside_transaction(Batch).find_one_and_update(
            wanted, [{"$set": counted}], return_document=ReturnDocument.AFTER, session=session
        )
        if batch is None:
            raise MovedOn
        revision = Revision(batch, courses, session)
        result = work(revision)
        revision.close()
        return result

    with outside_transaction(Batch).database.client.start_session() as session:
        return session.with_transaction(attempt, write_concern=WriteConcern("majority"))


class Revision:
    """What may be done within the transaction."""

    def __init__(self, batch: Row, courses: Courses, session: ClientSession) -> None:
        self.batch, self._courses, self._session = batch, courses, session
        self.is_finished = batch["state"] in FINISHED
        self._rows = outside_transaction(Invitation)
        self._of_batch = {"batch_id": batch["id"]}
        self._unseen: list[int] = []  # ids of rows whose learner no look was made for
        self._made_names = 0
        self.promoted: list[int] = []  # lines that take the place of one that was changed

    def rows(self, ids: Iterable[int]) -> list[Row]:
        """These rows of the batch as they are now, in the order of the file."""
        wanted = {**self._of_batch, "_id": {"$in": list(ids)}}
        return list(self._rows.find(wanted, session=self._session).sort("line", 1))

    def judge(self, edits: list[tuple[Row, Cells]], *, now: datetime) -> list[Row]:
        """What each of these rows becomes with these cells, in their order: its new values, not written yet."""
        judge = self._judge(now)
        read = [judge.judge(row["line"], _in_order(cells))._replace(duplicate_of=0) for row, cells in edits]
        taken = self._holders({_key(one) for one in read if one.good}, [row["_id"] for row, _ in edits])
        for at, one in enumerate(read):
            if one.good and (holder := taken.setdefault(_key(one), one.line)) != one.line:
                read[at] = one._replace(duplicate_of=holder)
        known = Known.of(read)
        return [self._values(row, one, known) for (row, _), one in zip(edits, read, strict=True)]

    def problem_of(self, cells: Cells, *, now: datetime) -> str:
        """What is wrong with these cells by themselves; "" when nothing is."""
        return self._judge(now).judge(1, _in_order(cells)).problem

    def write(self, changed: list[tuple[Row, Row]]) -> None:
        """Write new values beside the rows as they were; whoever was a duplicate of what they held takes its place."""
        updates = [
            UpdateOne(
                {"_id": row["_id"], "state": row["state"], "attempts": row["attempts"]},
                {"$set": values | {"state": str(values["state"])}},
            )
            for row, values in changed
        ]
        if not updates:
            return
        if self._rows.bulk_write(updates, ordered=False, session=self._session).matched_count != len(updates):
            raise MovedOn
        for row, values in changed:
            self._note(row, row | values)
        self._promote({_key_of(row) for row, values in changed if _gives_up(row, values)})

    def note_progress(self, rows: int) -> None:
        """So many more rows of a correction of many are done."""
        changes = {"correcting.rows": {"$add": ["$correcting.rows", rows]}, "correcting_at": clock.server_now()}
        outside_transaction(Batch).update_one({"id": self.batch["id"]}, [{"$set": changes}], session=self._session)

    def close(self) -> None:
        """Have the members read before anybody whom this act put there is called for."""
        if not self._unseen and not self._made_names:
            return
        batches, own = outside_transaction(Batch), {"id": self.batch["id"]}
        if self.is_finished:
            ended = {"state": str(Batch.State.COMPLETED_WITH_ERRORS)}
            batches.update_one(own, {"$set": ended}, session=self._session)
            return
        undecided = self._made_names if self.batch.get("names", "") == Batch.Names.UNDECIDED else 0
        changes: Row = {"made_names": {"$add": [{"$ifNull": ["$made_names", 0]}, undecided]}}
        if self._unseen:
            changes |= {"members_checked_at": None, "look_since": clock.server_now(), "look_at": None}
        batch = batches.find_one_and_update(
            own, [{"$set": changes}], return_document=ReturnDocument.AFTER, session=self._session
        )
        called = {"uncalled": True, "called_at": (batch or {}).get("look_since")}
        self._rows.update_many({"_id": {"$in": self._unseen}}, {"$set": called}, session=self._session)

    def _note(self, before: Row, after: Row) -> None:
        """What a row asks of its batch. Whoever waited already, and whose learner is the same, needs no other look."""
        if after["state"] not in (State.PENDING, State.FAILED):
            return
        is_known = before["state"] == State.PENDING and _key_of(before) == _key_of(after)
        self._made_names += bool(after["name_made"] and not (is_known and before.get("name_made")))
        if not is_known:
            self._unseen.append(after["_id"])

    def _judge(self, now: datetime) -> Judge:
        """By the rules of the batch's file, as far as they are about single cells."""
        day_first = (self.batch.get("format") or {}).get("day_first")
        form = Format("utf-8", 0, ",", 0, columns=COLUMNS, day_first=day_first)
        return Judge(COLUMNS, self._courses, now, settings.TIME_ZONE, form)

    def _values(self, row: Row, one: validation.Row, known: Known) -> Row:
        is_same, own = _key(one) == _key_of(row), False
        claim = known.claims.get(one.course_id, {}).get(one.email_folded)
        if claim and claim["invitation_id"] == row["_id"] and not claim.get("undone_at"):
            own = bool(known.claims[one.course_id].pop(one.email_folded))
        state, reason, more = known.verdict(one)
        named: Row = {"course_id": one.course_id, "email": one.email, "email_folded": one.email_folded}
        named |= {"first_name": one.first_name, "last_name": one.last_name, "access_expires_at": one.access_expires_at}
        values = {**_AFRESH, **named, "state": state, "reason": reason[:300], **more}
        if own:
            values["generation"] = row.get("generation") or 1
        values["uncalled"] = not is_same or row["state"] != State.FAILED or bool(row.get("uncalled"))
        if is_same and row["state"] == State.PENDING:  # it may wait for its look
            values |= {"uncalled": bool(row.get("uncalled")), "called_at": row.get("called_at")}
        return self._to_be_sent(values) if state == State.PENDING else values

    def _to_be_sent(self, values: Row) -> Row:
        """A finished batch sends when a person says so; what becomes of rows without a name is said for all of them."""
        values |= missing_names.complete(values)
        names = self.batch.get("names", "")
        if values["name_made"] and names == Batch.Names.LEFT_OUT:
            return values | {"state": State.INVALID, "reason": missing_names.LEFT_OUT}
        if self.is_finished and values["name_made"] and names != Batch.Names.FILLED:
            return values | {"state": State.INVALID, "reason": NAMES_NEEDED}
        return values | ({"state": State.FAILED, "reason": NOT_SENT} if self.is_finished else {})

    def _holders(self, keys: set[Key], except_ids: list[int]) -> dict[Key, int]:
        """Who of the batch has these learners already: the line of the first row each."""
        found: dict[Key, int] = {}
        for row in self._of_learners(keys, {"state": {"$nin": _NO_HOLDER}, "_id": {"$nin": except_ids}}):
            found.setdefault(_key_of(row), row["line"])
        return found

    def _of_learners(self, keys: set[Key], more: Row) -> Iterator[Row]:
        """The rows of the batch that name one of these learners, for each course in the order of the file."""
        for course_id in sorted({course_id for course_id, _ in keys}):
            named = {"course_id": course_id, "email_folded": {"$in": [each for one, each in keys if one == course_id]}}
            yield from self._rows.find({**self._of_batch, **named, **more}, session=self._session).sort("line", 1)

    def _promote(self, keys: set[Key]) -> None:
        """Of the duplicates of a row that is no longer theirs the first is judged anew, and the others name it."""
        firsts: dict[Key, Row] = {}
        others: list[UpdateOne] = []
        for row in self._of_learners(keys - set(self._holders(keys, [])), {"state": State.DUPLICATE}):
            if (first := firsts.setdefault(_key_of(row), row)) is not row:
                reason = f"The same address as in line {first['line']}."
                others.append(UpdateOne({"_id": row["_id"]}, {"$set": {"reason": reason}}))
        if not firsts:
            return
        if others:
            self._rows.bulk_write(others, ordered=False, session=self._session)
        rows = list(firsts.values())
        self.promoted += [row["line"] for row in rows]
        values = self.judge([(row, stored(row)) for row in rows], now=self.batch["created_at"])
        self.write(list(zip(rows, values, strict=True)))
        # Who cannot take the place either, for want of a name or so, leaves it to the next.
        self._promote({_key_of(row) for row, one in zip(rows, values, strict=True) if one["state"] == State.INVALID})


def _in_order(cells: Cells) -> list[str]:
    return [cells[name] for name in FIELDS]


def _key(row: validation.Row) -> Key:
    return row.course_id, row.email_folded


def _key_of(row: Row) -> Key:
    return row["course_id"], row["email_folded"]


def _gives_up(row: Row, values: Row) -> bool:
    """Whether a row held a learner, and does not any more."""
    holds = (row | values)["state"] not in _NO_HOLDER
    return row["state"] not in _NO_HOLDER and not (holds and _key_of(row | values) == _key_of(row))
