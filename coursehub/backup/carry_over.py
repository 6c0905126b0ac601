"""What the present database knows and a backup cannot: it is carried over into the restored collections.

All of it only grows, so a restore that died and runs again carries over the same once more.
"""

from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection

from coursehub import audit
from coursehub.backup.staging import Staged
from coursehub.models import AuditEvent
from coursehub.mongo import outside_transaction
from coursehub.mongo.ddl.sequences import SCHEMA
from coursehub.mongo.types import Document
from coursehub.privacy import erasure


@dataclass(frozen=True)
class Replaced:
    """The present audit events that the restored trail lacks: how many, and the hash of the last."""

    events: int = 0
    last_hash: str = ""


def carry_over(staged: Staged) -> Replaced:
    """Erasures, counters, and the audit events that are newer than the backup."""
    erasure.keep_log(staged.collection(erasure.TABLE))
    _keep_counters(staged)
    return _keep_replaced_events(staged)


def is_same_installation(staged: Staged) -> bool:
    """Whether the present database is the one that the backup was taken from, as the first audit event shows."""
    first = {"seq": 1}
    there = staged.collection(AuditEvent._meta.db_table).find_one(first, ["hash"])
    here = outside_transaction(AuditEvent).find_one(first, ["hash"])
    return bool(there and here and there["hash"] == here["hash"])


def _keep_counters(staged: Staged) -> None:
    """A number that was given out since the backup is not given to another row."""
    for table in outside_transaction(SCHEMA).find({"auto.seq": {"$exists": True}}, ["name", "auto.seq"]):
        counter = {"name": table["name"], "auto.seq": {"$exists": True}}
        staged.collection(SCHEMA).update_one(counter, {"$max": {"auto.seq": table["auto"]["seq"]}})


def _keep_replaced_events(staged: Staged) -> Replaced:
    """Events leave the trail, but are not lost: they are kept aside, each named by its hash."""
    present, restored = outside_transaction(AuditEvent), staged.collection(AuditEvent._meta.db_table)
    aside = staged.collection(audit.REPLACED)
    outside_transaction(audit.REPLACED).aggregate(_merged_into(aside))
    newer = {"seq": {"$gt": _last_common(present, restored)}}
    present.aggregate([{"$match": newer}, {"$set": {"_id": "$hash"}}, *_merged_into(aside)])
    last = present.find_one(newer, ["hash"], sort=[("seq", -1)])
    return Replaced(present.count_documents(newer), last["hash"]) if last else Replaced()


def _last_common(present: Collection[Document], restored: Collection[Document]) -> int:
    """The number of the last event that both trails hold; since each names the one before, all before are the same."""
    newest = restored.find_one({}, ["seq"], sort=[("seq", -1)])
    same, different = 0, (newest["seq"] if newest else 0) + 1
    while different - same > 1:
        middle = (same + different) // 2
        here, there = (one.find_one({"seq": middle}, ["hash"]) for one in (present, restored))
        if here and there and here["hash"] == there["hash"]:
            same = middle
        else:
            different = middle
    return same


def _merged_into(collection: Collection[Document]) -> list[dict[str, Any]]:
    return [{"$merge": {"into": collection.name, "whenMatched": "keepExisting"}}]
