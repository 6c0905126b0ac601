"""The background job's doorbell: it may run twice and takes nothing."""

from coursehub import queue
from oauthtokens import services


def tick() -> None:
    """Ring if an access token may have to be made ahead of need, or a set may be usable again."""
    if services.is_upkeep_due():
        queue.enqueue(refresh_due)


def refresh_due() -> str:
    """Refresh what is about to expire, while anybody needs it."""
    return services.refresh_due()
