"""The background job rings only when there is something to do."""

from coursehub import queue
from oauthtokens import services, tasks
from oauthtokens.models import TokenSet


def test_ticker_knows_the_tick():
    assert "oauthtokens.tasks.tick" in queue.TICKS


def test_idle_pool_rings_for_nothing(pool, monkeypatch):
    rung = []
    monkeypatch.setattr(queue, "enqueue", lambda task, *ids: rung.append(task))
    pool.obtain(1)
    services.refresh_due()  # one set of seven lasts less than a day, which is an alert
    tasks.tick()
    assert rung == []
    services.access_token()
    tasks.tick()
    pool.change(2, state=TokenSet.State.UNDECRYPTABLE)
    tasks.tick()
    assert rung == [tasks.refresh_due] * 2


def test_task_refreshes_what_is_due(pool):
    pool.obtain(1)
    services.access_token()
    pool.expire(1)
    assert tasks.refresh_due() == "token set 1: refreshed"
