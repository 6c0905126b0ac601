"""For coursehub.backup: what a restore does to the token sets.

They say how things stand at Zoho, which no restore rolls back. So the present sets stay where the backup is restored
over the database it was taken from. Anywhere else the backup's are all there is, and nobody knows how often their
refresh tokens were used since: their uses count as spent, and they wait for their regeneration.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings

from coursehub.mongo import outside_transaction
from oauthtokens import revocation
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state, refresh_lease
from oauthtokens.pool.refresh_lease import CLIENT_TABLE, LIVE, State
from oauthtokens.regeneration import provider_limit

if TYPE_CHECKING:
    from coursehub.backup.staging import Staged

REASON = "Restored from a backup: how often it was used since is not known."
_SETS = TokenSet._meta.db_table
_TABLES = (_SETS, CLIENT_TABLE, pool_state.TABLE, revocation.TABLE, provider_limit.TABLE)


def settle(staged: "Staged") -> dict[str, int]:
    """Called before the restored documents are in use; may be called again for the same."""
    if staged.is_same_installation and outside_transaction(TokenSet).count_documents({"refresh_token": {"$ne": ""}}):
        for table in _TABLES:
            staged.collection(table).delete_many({})
            outside_transaction(table).aggregate([{"$merge": {"into": staged.collection(table).name}}])
        return {"token_sets_kept": outside_transaction(TokenSet).count_documents({"refresh_token": {"$ne": ""}})}
    return {"token_sets_distrusted": _distrust(staged)}


def _distrust(staged: "Staged") -> int:
    """Access tokens are dropped, the pool's pointer is set back, and the uses of a limited refresh token are spent."""
    staged.collection(CLIENT_TABLE).delete_many({})
    staged.collection(pool_state.TABLE).delete_many({})
    sets = staged.collection(_SETS)
    idle = {"access_token": "", "access_expires_at": None, "lease_holder": "", "lease_until": None}
    sets.update_many({}, {"$set": idle})
    if refresh_lease.use_limit() is None:
        return 0
    spent: dict[str, Any] = {"state": State.EXHAUSTED, "reason": REASON, "uses": settings.TOKEN_MAX_USES}
    usable = {"state": {"$in": [*LIVE, State.COOLING, State.EXHAUSTED]}}
    return sets.update_many(usable, {"$set": spent}).modified_count
