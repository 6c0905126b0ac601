"""An environment variable holds exactly what it says, or the start stops with one sentence."""

from datetime import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from coursehub import env


def test_an_empty_value_is_the_default(monkeypatch):
    monkeypatch.setenv("LIMIT", "")
    assert env.whole("LIMIT", 7) == 7


@pytest.mark.parametrize("value", ["yes", "1", "True", "on"])
def test_a_boolean_is_exactly_true_or_false(monkeypatch, value):
    monkeypatch.setenv("SWITCH", value)
    with pytest.raises(ImproperlyConfigured, match="SWITCH must be true or false"):
        env.boolean("SWITCH")


@pytest.mark.parametrize("value", ["-1", "1.5", "many"])
def test_a_whole_number_has_a_minimum(monkeypatch, value):
    monkeypatch.setenv("LIMIT", value)
    with pytest.raises(ImproperlyConfigured):
        env.whole("LIMIT", 7)


def test_not_a_number_is_refused(monkeypatch):
    monkeypatch.setenv("SHARE", "nan")
    with pytest.raises(ImproperlyConfigured):
        env.number("SHARE", 0.5)


def test_a_secret_file_is_read_and_an_unreadable_one_stops_the_start(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("a-secret\n")
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "key"))
    assert env.text("KEY") == "a-secret"
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="KEY_FILE"):
        env.text("KEY")


def test_the_refusal_does_not_repeat_the_value(monkeypatch):
    monkeypatch.setenv("LIMIT", "hunter2")
    with pytest.raises(ImproperlyConfigured) as refused:
        env.whole("LIMIT", 7)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["monday 09:00", "mon 9:00", "mon 25:00", "mon", "Mon 09:00", "mon  09:00"])
def test_a_moment_of_the_week_is_a_day_and_a_time(monkeypatch, value):
    monkeypatch.setenv("MOMENT", value)
    with pytest.raises(ImproperlyConfigured, match='MOMENT must be a day and a time such as "mon 09:00"'):
        env.weekly("MOMENT", "mon 09:00")


def test_a_moment_of_the_week_is_read(monkeypatch):
    monkeypatch.setenv("MOMENT", "sun 23:30")
    assert env.weekday_and_time(env.weekly("MOMENT", "mon 09:00")) == (6, time(23, 30))
