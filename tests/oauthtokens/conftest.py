"""A pool whose sets come from the sandbox, and looks into what is stored."""

from typing import Any

import pytest

from coursehub.mongo import outside_transaction
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import provider


class Pool:
    """Sets 1 to n, exchanged at the sandbox; `row(n)` is the stored document, `change(n, ...)` edits it."""

    def __init__(self, sandbox) -> None:
        self.sandbox = sandbox

    def obtain(self, *numbers: int) -> None:
        for number in numbers:
            code = self.sandbox.self_client_code(services.SCOPE)
            services.exchange_code(number=number, code=code, actor="maintenance")

    def row(self, number: int) -> dict[str, Any]:
        return outside_transaction(TokenSet).find_one({"number": number})

    def change(self, number: int, **values: Any) -> None:
        outside_transaction(TokenSet).update_one({"number": number}, {"$set": values})

    def expire(self, number: int) -> None:
        self.change(number, access_expires_at=None)

    def states(self) -> list[str]:
        return [one.state for one in TokenSet.objects.order_by("number")]

    def refreshes(self) -> int:
        return sum(self.sandbox.counters()["refreshes"].values())

    def actions(self) -> list[str]:
        from coursehub.models import AuditEvent

        return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


@pytest.fixture
def pool(database, sandbox, settings):
    settings.TOKEN_LEASE_SECONDS = 6
    provider.memory.clear()
    return Pool(sandbox)
