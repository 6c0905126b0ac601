"""Writing what a poll read: only changes, each with the next revision of its course and one history entry.

Revision, rows and history of one chunk are one MongoDB transaction whose first step is the fence: a
poller that lost its lease writes nothing, and a crash leaves no revision without its row.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from pymongo import InsertOne, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.write_concern import WriteConcern

from coursehub import clock
from coursehub.emails import LONGEST, normalize
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from coursehub.trainercentral import lenient_values
from coursehub.trainercentral.member_pager import Place, Walk
from progress.models import Member, ProgressEntry, SweepPart
from progress.polling import unreadable_values
from progress.polling.poll_lease import LEASE, Lease, LeaseLost

if TYPE_CHECKING:
    from coursehub.trainercentral.records import Member as RemoteMember
    from coursehub.trainercentral.records import MemberPage

# Well below what one transaction carries at ease, and one hand-over to the live pages.
CHUNK_ROWS = 500
# A learner whom so many full sweeps in a row lacked has left the course.
SWEEPS_UNTIL_GONE = 2

# Chunks of old history that one task deletes; the next finds the rest.
_DELETED_AT_ONCE = 100

_COMPARED = ("email", "name", "percent", "status", "last_seen_at", "enrolled_at", "remote_time_ms", "gone_at")
# Fields of what is read, and the names under which they are stored.
_READ_AS = {"last_login_at": "last_seen_at", "enrolled_at": "enrolled_at", "time_ms": "remote_time_ms"}
Row = dict[str, Any]


def store_members(lease: Lease, members: Iterable["RemoteMember"]) -> list[Row]:
    """Write those rows that differ from what is stored, and return them.

    Raises LeaseLost, with the chunk at hand not written.
    """
    remote = {f"{lease.course_id}-{member.member_id}": member for member in members}
    stored = {row["_id"]: row for row in outside_transaction(Member).find({"_id": {"$in": list(remote)}})}
    read = {key: _row(lease.course_id, member, stored.get(key)) for key, member in remote.items()}
    differing = [row for key, row in read.items() if _differs(row, stored.get(key))]
    _forgive_absence(row["_id"] for row in stored.values() if row.get("absent_sweeps"))
    _note_unreadable(
        read[key] for key, row in stored.items() if (row.get("unreadable") or {}) != read[key]["unreadable"]
    )
    if not differing:
        return []
    now = clock.now()
    changed = [_dated(row, stored.get(row["_id"]), now) for row in differing]
    _store(lease, changed)
    return changed


def active_at(row: Row) -> datetime | None:
    """The latest moment at which the learner of a stored row did something."""
    return max(
        filter(None, (row["last_seen_at"], _in_milliseconds(lenient_values.moment(row["remote_time_ms"])))),
        default=None,
    )


def remember_part(lease: Lease, walk: Walk, seen: set[str]) -> None:
    """Keep how far this slice of a full read came and whom it saw, for whoever goes on."""
    key = f"{lease.course_id}-{lease.fence}"
    names = {"_id": key, "id": key, "course_id": lease.course_id, "began_at": lease.began_at}
    came_to = {"until_row": walk.place.start, "place": walk.place.document}
    outside_transaction(SweepPart).replace_one(
        {"_id": key}, {**names, **came_to, "member_ids": sorted(seen)}, upsert=True
    )


def walk_on(lease: Lease, read: Callable[[int], "MemberPage"], *, proven_rows: int = 0) -> Walk:
    """The walk through the whole list, from where the slices before came to; `proven_rows` as `Walk` takes them.

    A slice counts from which the read went on: one that was kept by a poller that died then does not.
    """
    of_this_read = {"course_id": lease.course_id, "began_at": lease.began_at, "until_row": {"$lte": lease.offset}}
    parts = list(outside_transaction(SweepPart).find(of_this_read).sort("until_row", 1)) if lease.offset else []
    if not parts or not parts[-1].get("place"):
        return Walk(read, proven_rows=proven_rows)
    known = {one for part in parts for one in part["member_ids"]}
    return Walk(read, Place.of(parts[-1]["place"]), known=known, proven_rows=proven_rows)


def forget_parts(lease: Lease) -> None:
    """The full read is done."""
    outside_transaction(SweepPart).delete_many({"course_id": lease.course_id, "began_at": {"$lte": lease.began_at}})


def lacks_somebody(course_id: str, present: set[str]) -> bool:
    """Whether a learner who is in the course, as far as is known, is in none of the pages of a read."""
    here = outside_transaction(Member).find({"course_id": course_id, "gone_at": None}, {"member_id": 1})
    return any(row["member_id"] not in present for row in here)


def store_absent(lease: Lease, present: set[str]) -> int:
    """Note who is in none of the pages of a full sweep; returns how many are gone for good now."""
    rows = outside_transaction(Member)
    here = rows.find({"course_id": lease.course_id, "gone_at": None}, {"member_id": 1})
    absent = [row["_id"] for row in here if row["member_id"] not in present]
    if not absent:
        return 0
    # The note is no change of the learner's state: no revision, and the live pages pay no heed to it.
    rows.update_many({"_id": {"$in": absent}}, {"$inc": {"absent_sweeps": 1}})
    gone = list(rows.find({"_id": {"$in": absent}, "absent_sweeps": {"$gte": SWEEPS_UNTIL_GONE}}))
    gone_at = clock.now()
    _store(lease, [row | {"gone_at": gone_at} for row in gone])
    return len(gone)


def forget_old_history() -> int:
    """Delete history that is older than HISTORY_KEEP_DAYS, a part at a time; returns how much."""
    entries, deleted = outside_transaction(ProgressEntry), 0
    old = {"at": {"$lt": clock.now() - timedelta(days=settings.HISTORY_KEEP_DAYS)}}
    for _ in range(_DELETED_AT_ONCE):
        keys = [row["_id"] for row in entries.find(old, {"_id": 1}).sort("at", 1).limit(CHUNK_ROWS)]
        deleted += entries.delete_many({"_id": {"$in": keys}}).deleted_count
        if len(keys) < CHUNK_ROWS:
            break
    return deleted


def _note_unreadable(rows: Iterable[Row]) -> None:
    """As a learner's absence, no change of their state."""
    notes = [UpdateOne({"_id": row["_id"]}, {"$set": {"unreadable": row["unreadable"]}}) for row in rows]
    if notes:
        outside_transaction(Member).bulk_write(notes, ordered=False)


def _forgive_absence(keys: Iterable[str]) -> None:
    back = list(keys)
    if back:
        outside_transaction(Member).update_many({"_id": {"$in": back}}, {"$set": {"absent_sweeps": 0}})


def _row(course_id: str, member: "RemoteMember", stored: Row | None) -> Row:
    """The row as it shall be stored; what the server did not give, or not readably, stays as it is stored."""
    key = f"{course_id}-{member.member_id}"
    row = {
        "_id": key,
        "id": key,
        "course_id": course_id,
        "member_id": member.member_id,
        "email": member.email[:320],
        "email_folded": normalize(member.email)[:LONGEST],
        "name": member.name[:300],
        "percent": member.percent,
        "status": member.status[:10],
        "last_seen_at": _in_milliseconds(member.last_login_at),
        "enrolled_at": _in_milliseconds(member.enrolled_at),
        "remote_time_ms": member.time_ms,
        "absent_sweeps": 0,
        "gone_at": None,
        "unreadable": unreadable_values.of(member),
    }
    if member.percent is None:
        row["percent"] = stored["percent"] if stored else 0.0
    kept = {name: stored.get(name) for field, name in _READ_AS.items() if stored and field in member.unreadable}
    return row | kept


def _dated(row: Row, stored: Row | None, now: datetime | None) -> Row:
    """The row with the moment since which its percentage is this one."""
    if stored and stored["percent"] == row["percent"]:
        since = stored.get("percent_since") or _latest_change(stored)
    else:
        since = now if stored else _latest_change(row)
    return row | {"percent_since": since}


def _latest_change(row: Row) -> datetime | None:
    """The latest moment at which this percentage can have been reached: nobody gets on without a visit."""
    remote = _in_milliseconds(lenient_values.moment(row["remote_time_ms"]))
    return max(filter(None, (remote, row["last_seen_at"], row["enrolled_at"])), default=None)


def _in_milliseconds(moment: datetime | None) -> datetime | None:
    """As MongoDB keeps it, so that what was stored is found unchanged."""
    return moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _differs(row: Row, stored: Row | None) -> bool:
    return stored is None or any(row[name] != stored.get(name) for name in _COMPARED)


def _store(lease: Lease, changed: Sequence[Row]) -> None:
    client = outside_transaction(Member).database.client
    for start in range(0, len(changed), CHUNK_ROWS):
        chunk = changed[start : start + CHUNK_ROWS]
        with client.start_session() as session:
            session.with_transaction(partial(_store_chunk, lease, chunk), write_concern=WriteConcern("majority"))


def _store_chunk(lease: Lease, chunk: Sequence[Row], session: ClientSession) -> None:
    course = outside_transaction(Course).find_one_and_update(
        lease.held,
        [
            {
                "$set": {
                    "revision": {"$add": ["$revision", len(chunk)]},
                    **LEASE.extended(),
                }
            },
        ],
        projection=["revision"],
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if course is None:
        raise LeaseLost(lease.course_id)
    first = course["revision"] - len(chunk) + 1
    at = clock.now()
    rows = [row | {"revision": first + place, "changed_at": at} for place, row in enumerate(chunk)]
    # In the order of the revisions, whole documents: an event of the change stream needs no look-up.
    replaced = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows]
    outside_transaction(Member).bulk_write(replaced, ordered=True, session=session)
    outside_transaction(ProgressEntry).bulk_write([InsertOne(_entry(row)) for row in rows], session=session)


def _entry(row: Row) -> Row:
    key = f"{row['course_id']}-{row['revision']}"
    kept = {name: row[name] for name in ("course_id", "member_id", "percent", "last_seen_at", "revision")}
    return {"_id": key, "id": key, "at": row["changed_at"], **kept}
