"""Tokens are back: a real worker goes on with what waited for them, long before its pauses end."""

import time
from collections.abc import Iterator

import pytest

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from invitations.models import Batch, Invitation
from oauthtokens import services
from oauthtokens.models import TokenSet
from oauthtokens.pool import pool_state as token_pool
from tests.journeys.conftest import Product
from tests.support.patience import promised, wait_for

WITHIN_SECONDS = 5.0


@pytest.fixture
def worker(academy) -> Iterator[None]:
    product = Product()
    product.start_worker()
    yield
    product.stop()


def change_set(number: int, **values) -> None:
    outside_transaction(TokenSet).update_one({"number": number}, {"$set": values})


def batch_and_courses_wait(batch) -> None:
    """Until both are put off for want of tokens; then for a long time, as after many failures."""
    batches, courses = outside_transaction(Batch), outside_transaction(Course)
    waits = {"awaits_tokens_since": {"$ne": None}}
    courses.update_many({}, [{"$set": {"poll_due_at": clock.server_now()}}])
    wait_for(
        lambda: batches.count_documents({"id": batch.pk.hex, "state": "paused", **waits}), 90, "the batch is paused"
    )
    wait_for(lambda: courses.count_documents(waits) == courses.count_documents({}), 90, "the courses rest")
    batches.update_one({"id": batch.pk.hex, **waits}, [{"$set": {"resume_at": clock.after(600)}}])
    courses.update_many(waits, [{"$set": {"poll_not_before": clock.after(600), "poll_due_at": clock.after(600)}}])


def goes_on_within(batch, since: float) -> float:
    read = {"awaits_tokens_since": None, "poll_failures": 0}
    every = outside_transaction(Course).count_documents({})
    wait_for(lambda: Invitation.objects.filter(batch=batch, state="invited").exists(), 90, "the batch goes on")
    seconds = time.monotonic() - since
    wait_for(lambda: outside_transaction(Course).count_documents(read) == every, 90, "the courses are due again")
    return max(seconds, time.monotonic() - since)


def regenerated(academy) -> None:
    services.exchange_code(number=2, code=academy.self_client_code(services.SCOPE), actor="maintenance")


def reserve_released(academy) -> None:
    services.release_reserve(number=2, actor="maintenance", reason="until Monday")


def rested(academy) -> None:
    rest(seconds=0)


def resumed(academy) -> None:
    token_pool.resume()


def stop_pool() -> None:
    token_pool.stop("Zoho does not accept the client.")  # first, or the worker fetches a new token in between
    change_set(2, access_token="", access_expires_at=None)


def rest(seconds: float = 600) -> None:
    resting = {"state": "cooling", "not_before": clock.after(seconds)}
    outside_transaction(TokenSet).update_one({"number": 2}, [{"$set": resting}])


CAUSES = {
    "a set is regenerated": (lambda: services.revoke(number=1, actor="maintenance"), regenerated),
    "a reserve is released": (
        lambda: change_set(2, state="exhausted", uses=18, access_expires_at=None),
        reserve_released,
    ),
    "the pool is resumed": (stop_pool, resumed),
    "a set has rested": (rest, rested),
}


@pytest.mark.fault
def test_batch_and_courses_go_on_within_5_seconds_of_new_tokens(worker, confirmed, academy):
    seconds = {}
    for number, (cause, (take_away, give)) in enumerate(CAUSES.items()):
        take_away()
        batch = confirmed(*(f"learner{number}-{row}@example.org" for row in range(3)))
        batch_and_courses_wait(batch)
        give(academy)
        seconds[cause] = goes_on_within(batch, time.monotonic())
    print({cause: round(value, 1) for cause, value in seconds.items()})
    assert max(seconds.values()) < promised(WITHIN_SECONDS), seconds
