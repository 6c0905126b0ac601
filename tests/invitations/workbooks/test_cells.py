"""What a cell says, as text: nothing of it is lost, and nothing is rounded further than Excel has done it."""

from datetime import date, datetime, time, timedelta

import pytest

from invitations.workbooks.cells import text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("00123", "00123"),
        ("two\r\nlines\n", "two\u2028lines"),
        ("a\x00b\tc", "a b\tc"),
        (7.0, "7"),
        (-7.0, "-7"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (3000094000002000004.0, "3000094000002000000"),
        (9007199254740991.0, "9007199254740991"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
        (12, "12"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2027, 12, 31), "2027-12-31"),
        (datetime(2027, 12, 31), "2027-12-31"),
        (datetime(2027, 12, 31, 9, 30), "2027-12-31 09:30:00"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        (timedelta(seconds=-90), "-0:01:30"),
    ],
)
def test_a_cell_says_what_excel_shows_in_one_that_is_wide_enough(value, text):
    assert text_of(value) == text
