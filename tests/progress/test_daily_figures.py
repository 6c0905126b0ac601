"""Figures of each day, and how long single changes are kept."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from coursehub import clock
from coursehub.models import Course
from coursehub.mongo import outside_transaction
from progress import daily_figures, tasks
from progress.models import DailyFigures, Member, ProgressEntry
from progress.polling import member_store
from tests.support.makers import make_course, remote_member, store


@pytest.fixture
def course(database):
    yield make_course()
    clock.end_simulation()


def _figures() -> dict:
    return DailyFigures.objects.values("day", "learners", "average_percent", "started", "completed", "active").last()


def test_todays_figures_are_those_of_the_last_read(course):
    seen = clock.now()
    store(remote_member(1, percent=100, last_login_at=seen), remote_member(2, percent=50), remote_member(3))
    assert daily_figures.record("3000000001")
    assert _figures() == {
        **{"day": timezone.localdate(clock.now()).isoformat(), "learners": 3, "average_percent": 50.0},
        **{"started": 2, "completed": 1, "active": 1},
    }
    store(remote_member(2, percent=80, last_login_at=seen))
    daily_figures.record("3000000001")
    assert (_figures()["average_percent"], _figures()["active"], DailyFigures.objects.count()) == (60.0, 2, 1)


def test_figures_that_are_up_to_date_are_not_written_again(course):
    store(remote_member(1))
    assert [daily_figures.record("3000000001") for _ in range(3)] == [True, False, False]


def test_figures_of_an_older_revision_do_not_replace_newer_ones(course, monkeypatch):
    store(remote_member(1), remote_member(2))
    daily_figures.record("3000000001")
    Course.objects.update(revision=3)

    def overtaken(model):  # another process stores newer figures while this one counts learners
        if model is Member:
            outside_transaction(DailyFigures).update_many({}, {"$set": {"revision": 5}})
        return outside_transaction(model)

    monkeypatch.setattr(daily_figures, "outside_transaction", overtaken)
    daily_figures.record("3000000001")
    assert DailyFigures.objects.get().revision == 5


def test_a_new_day_begins_new_figures_and_completes_the_visits_of_the_last(course):
    store(remote_member(1))
    daily_figures.record("3000000001")
    day = clock.now()
    late = day.replace(hour=23, minute=59, second=59, microsecond=0)
    clock.simulate(ahead_seconds=86_400)
    store(remote_member(1, percent=10, last_login_at=late))
    daily_figures.record("3000000001")
    assert list(DailyFigures.objects.order_by("day").values_list("active", "average_percent")) == [(1, 0.0), (0, 10.0)]


@pytest.mark.parametrize(("zone", "day"), [("UTC", "2026-03-29"), ("Pacific/Auckland", "2026-03-30")])
def test_a_day_is_one_of_the_time_zone(course, settings, monkeypatch, zone, day):
    settings.TIME_ZONE = zone
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 29, 20, tzinfo=UTC))
    daily_figures.record("3000000001")
    assert DailyFigures.objects.get().day == day


def test_a_day_of_23_hours_has_23(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    day = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")).date()
    assert daily_figures.midnight(day + timedelta(days=1)) - daily_figures.midnight(day) == timedelta(hours=23)


def test_history_is_kept_as_long_as_it_should_be(course, settings):
    settings.HISTORY_KEEP_DAYS = 30
    store(*(remote_member(number) for number in range(1200)))
    old = clock.now() - timedelta(days=30, seconds=1)
    ProgressEntry.objects.filter(revision__lte=1100).update(at=old)
    assert member_store.forget_old_history() == 1100
    assert ProgressEntry.objects.count() == 100
    assert tasks.forget_old() == "0 history entries, 0 signatures"
