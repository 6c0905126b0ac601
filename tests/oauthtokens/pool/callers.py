"""A process of many callers: `python -m tests.oauthtokens.pool.callers COUNT [READ_TIMEOUT_SECONDS]`.

Says "ready", waits for a line, then lets all callers ask for a token at once and try it out on the API. Prints, per
caller, a digest of the token and the status that the API answered.
"""

import hashlib
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import django


def main(count: int, read_timeout_seconds: float | None) -> None:
    django.setup()
    from oauthtokens import services

    if read_timeout_seconds is not None:
        _wait_beyond_the_lease(read_timeout_seconds)
    together = threading.Barrier(count)

    def call(_: int) -> tuple[str, int]:
        together.wait()
        token = services.access_token().token
        return hashlib.sha256(token.encode()).hexdigest(), _status(token)

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(count) as threads:
        print(json.dumps(list(threads.map(call, range(count)))))


def _status(token: str) -> int:
    """What the API says to this very token; the product's client would go and get another one."""
    import requests
    from django.conf import settings

    answer = requests.get(
        f"{settings.TRAINERCENTRAL_URL}/api/v4/org/portals.json",
        headers={"Authorization": f"Zoho-oauthtoken {token}"},
        timeout=30,
    )
    return answer.status_code


def _wait_beyond_the_lease(read_timeout_seconds: float) -> None:
    """The product's time-outs end within the lease; only without them does an answer come late."""
    from django.conf import settings

    from coursehub.trainercentral import ZohoAccounts
    from oauthtokens.pool import refresh

    accounts = ZohoAccounts(
        settings.ZOHO_ACCOUNTS_URL,
        settings.ZOHO_CLIENT_ID,
        settings.ZOHO_CLIENT_SECRET,
        read_timeout_seconds=read_timeout_seconds,
    )
    refresh.accounts = lambda: accounts


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None)
