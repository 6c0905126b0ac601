"""What Excel makes of our CSV after a double click: each rule is about a cell or a name that was lost before."""

import csv
import io
from datetime import UTC, datetime

import pytest

from coursehub import downloads
from coursehub.downloads import Separator, Spreadsheet

AT = datetime(2026, 7, 3, 22, 30, tzinfo=UTC)


def _table(separator: Separator, *rows) -> list[list[str]]:
    written = b"".join(Spreadsheet(separator).lines(rows))
    assert written.startswith(b"\xef\xbb\xbf")
    text = written.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator.character))


@pytest.mark.parametrize("separator", Separator)
def test_every_text_comes_back_whole_whatever_is_in_it(separator):
    cells = ["Zoë, Ада; 王\tx", 'a "b"', "two\nlines", "two\r\nlines", "", "x"]
    assert _table(separator, cells, cells) == [cells, cells]


@pytest.mark.parametrize("id_", ["3000094000003000447", "007", "123456789012", "12E5", "1.5e+07"])
def test_text_of_which_a_spreadsheet_makes_another_number_is_marked_as_text(id_):
    assert _table(Separator.COMMA, [id_]) == [[f"'{id_}"]]


@pytest.mark.parametrize("kept", ["0", "12345678901", "12.5", "E5", "Anna", "2027-12-31", "3000094000003000447a"])
def test_other_text_stays_as_it_is(kept):
    assert _table(Separator.COMMA, [kept]) == [[kept]]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " ="])
def test_no_cell_begins_with_what_may_be_run(begin):
    assert _table(Separator.TAB, [f"{begin}1+1"]) == [[f"'{begin}1+1"]]


def test_times_are_those_of_the_zone_that_the_heading_names(settings):
    settings.TIME_ZONE = "Europe/Vienna"
    assert _table(Separator.COMMA, [downloads.zoned("Seen")], [AT]) == [
        ["Seen (Europe/Vienna)"],
        ["2026-07-04 00:30:00"],
    ]


def test_where_semicolons_part_cells_a_comma_parts_decimals():
    assert _table(Separator.SEMICOLON, [12.5, 50.0, 3]) == [["12,5", "50", "3"]]
    assert _table(Separator.COMMA, [12.5, 50.0, 3]) == [["12.5", "50", "3"]]


@pytest.mark.parametrize("said", [None, "", "bar", ";", "COMMA"])
def test_a_separator_that_does_not_exist_counts_as_not_said(said):
    assert Separator.of(said) is Separator.COMMA
    assert Separator.of(said, ";") is Separator.SEMICOLON
    assert Separator.of(said, "|") is Separator.COMMA


def test_a_file_s_name_holds_the_course_in_any_alphabet_and_nothing_that_a_system_refuses():
    assert downloads.file_name("progress", "Алгебра: Teil 1/2?") == "progress-Алгебра Teil 1 2.csv"
    assert downloads.file_name("", "..", "x") == "x.csv"
    assert len(downloads.file_name("名" * 300, "课" * 300).encode()) <= 255
    answer = downloads.download(iter([b""]), filename=downloads.file_name("Zoë"), content_type="text/csv")
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Zo%C3%AB.csv"
