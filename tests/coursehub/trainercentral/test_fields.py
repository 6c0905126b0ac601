"""Values of a record: read rightly, or named as unreadable, but never zero for want of understanding."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursehub.trainercentral import Member, fields, lenient_values
from coursehub.trainercentral.fields import PercentColumn, Unreadable
from tests.coursehub.trainercentral.scripted import Play, client_of

FIRST_LOGIN = datetime(2024, 10, 11, 6, 28, 51, tzinfo=UTC)
ODD = [True, [], {}, ["42"], {"value": 42}, "many", "NaN", "inf", "1e999", "4,2,0"]


def rows_of(*percents, **more) -> list[dict]:
    return [{"id": str(place), "completionPercentage": value, **more} for place, value in enumerate(percents)]


def read(rows: list[dict], column: PercentColumn | None = None) -> list[float | None]:
    column = column or PercentColumn()
    reader = column.reader(rows)
    return [Member.read(row, percent=reader).percent for row in rows]


@pytest.mark.parametrize(
    ("value", "percent"),
    [
        *((42, 42.0), ("42", 42.0), ("42%", 42.0), (" 42 % ", 42.0), ("42,00", 42.0), ("42,5", 42.5), ("42.5", 42.5)),
        *(("0", 0.0), (0, 0.0), ("100.4", 100.0), ("100", 100.0), (None, None), ("", None), ("-1", None)),
    ],
)
def test_percent_is_read_in_all_spellings(value, percent):
    assert fields.percent(value) == percent


@pytest.mark.parametrize("value", [*ODD, "-5", "142", "1e5", "42 of 100"])
def test_percent_that_makes_no_sense_is_unreadable_and_not_zero(value):
    with pytest.raises(Unreadable):
        fields.percent(value)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        *((1728628131000, FIRST_LOGIN), ("1728628131000", FIRST_LOGIN), (1728628131, FIRST_LOGIN)),
        *(("1728628131", FIRST_LOGIN), ("1728628131.000", FIRST_LOGIN), ("2024-10-11T06:28:51Z", FIRST_LOGIN)),
        *(("2024-10-11T06:28:51+00:00", FIRST_LOGIN), ("2024-10-11 08:28:51.000+0200", FIRST_LOGIN)),
        *(("2024-10-11T06:28:51", FIRST_LOGIN), ("-1", None), ("0", None), ("", None), (None, None), (-1, None)),
    ],
)
def test_time_is_read_from_milliseconds_seconds_and_iso_texts(value, moment):
    assert fields.moment(value) == moment


@pytest.mark.parametrize("value", [*ODD, "5", "9" * 20, "yesterday", "11/10/2024", "0001-01-01T00:00:00Z", "-2"])
def test_time_that_makes_no_sense_is_unreadable(value):
    with pytest.raises(Unreadable):
        fields.moment(value)


@pytest.mark.parametrize("value", [*ODD, "3.5", "-4", "1e12"])
def test_count_that_makes_no_sense_is_unreadable(value):
    with pytest.raises(Unreadable):
        fields.whole(value)


def test_member_names_what_could_not_be_read_and_nothing_else():
    member = Member.read(
        {"id": "1", "completionPercentage": "n/a", "lastLogin": "soon", "totalLesson": "3", "time": ""}
    )
    assert member.unreadable == ("percent", "last_login_at")
    assert (member.percent, member.last_login_at, member.total_lessons, member.time_ms) == (None, None, 3, 0)
    assert Member.read({"id": "1", "completionPercentage": None, "lastLogin": "-1"}).unreadable == ()


def test_fractions_are_told_by_the_page_and_not_by_one_value():
    assert read(rows_of("0", "0.42", "1", "0.5")) == [0, 42, 100, 50]
    assert read(rows_of("0", "0.42", "1", "50")) == [0, 0.42, 1, 50]
    assert read(rows_of("0", "1", "1")) == [0, 1, 1]
    assert read(rows_of("0.5%", "1", "0.25")) == [0.5, 100, 25]


def test_lessons_done_decide_where_a_value_could_be_either():
    assert read(rows_of("1", completedLesson="8", totalLesson="8")) == [100]
    assert read(rows_of("1", completedLesson="0", totalLesson="90")) == [1]
    assert read(rows_of("0.5", completedLesson="0", totalLesson="90")) == [0.5]


def test_what_one_page_showed_holds_for_the_next():
    fractions, percentages = PercentColumn(), PercentColumn()
    read(rows_of("0.42", "0"), fractions)
    assert read(rows_of("1", "0"), fractions) == [100, 0]
    read(rows_of("42", "0"), percentages)
    assert read(rows_of("0.5", "0"), percentages) == [0.5, 0]


def test_client_reads_fractions_of_a_list(script):
    script.play(Play(body={"courseMembers": rows_of("0.42", "1", role="3")}), Play(body={"courseMembers": []}))
    assert [one.percent for one in client_of(script).iter_course_members("1")] == [42, 100]


@pytest.mark.parametrize("written", ["3000094000002000004", "3.000094000002000004e18", "3000094000002000004.0"])
def test_id_given_as_a_number_keeps_all_its_digits(written):
    row = lenient_values.document(f'{{"courseMembersId": {written}, "orgMemberId": 9007199254740993}}'.encode())
    member = Member.read(row)
    assert (member.member_id, member.org_member_id) == ("3000094000002000004", "9007199254740993")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.decimals(), st.lists, max_leaves=3))
def test_no_value_raises_anything_but_unreadable(value):
    for function in (fields.number, fields.percent, fields.whole, fields.moment):
        with contextlib.suppress(Unreadable):
            function(value)
