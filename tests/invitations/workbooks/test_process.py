"""Workbooks are read by a process of their own, and whatever is in them ends in text or in one sentence."""

import io
import subprocess
import sys
import zipfile
from datetime import date

import pytest
from django.conf import settings

from invitations.parsing.errors import FileRefused
from invitations.workbooks import process
from invitations.workbooks import sheets as sheets_module
from invitations.workbooks.process import Limits
from tests.support import workbooks
from tests.support.workbooks import LEARNERS, xlsx

ROOT = settings.BASE_DIR


def _read(content: bytes, number: int = 0, most_rows: int = 1_000, limits: Limits | None = None):
    with process.read_sheet(io.BytesIO(content), most_rows=most_rows, number=number, limits=limits) as sheet:
        return sheet.number, sheet.names, sheet.content.read().decode()


def _refusal(content: bytes, **options) -> str:
    with pytest.raises(FileRefused) as refused:
        _read(content, **options)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_each_row_of_the_sheet_is_one_line_blank_ones_too():
    _, _, text = _read(
        xlsx([[], ["Class of 2027"], [], ["email", "", "note"], ["ada@example.org", "", "two\nlines"], []])
    )
    assert text == "\r\nClass of 2027\r\n\r\nemail,,note\r\nada@example.org,,two\u2028lines\r\n"


def test_columns_stay_where_they_are_when_the_first_ones_are_empty():
    assert _read(xlsx([["", "", "email"], ["", "", "ada@example.org"]]))[2] == ",,email\r\n,,ada@example.org\r\n"


def test_values_come_as_the_cells_hold_them():
    def more(book):
        sheet = book.worksheets()[0]
        sheet.write(0, 0, 3000094000002000004)
        sheet.write_datetime(0, 1, date(2027, 12, 31), book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_string(0, 2, "007")
        sheet.write_formula(0, 3, '=A1&"x"', None, "ada@example.org")
        sheet.write(0, 4, True)
        sheet.merge_range(0, 5, 0, 7, "Learner")

    text = _read(xlsx([], then=more))[2]
    assert text == "3000094000002000000,2027-12-31,007,ada@example.org,TRUE,Learner\r\n"


def test_the_first_visible_sheet_with_an_address_is_read_and_hidden_ones_come_last():
    content = xlsx(("Read me", [["hello"]]), ("hidden list", LEARNERS), ("Class", LEARNERS), ("Staff", LEARNERS))
    number, names, text = _read(content)
    assert (number, names) == (2, ["Read me", "Class", "Staff", "hidden list"])
    assert text.startswith("email,first name\r\n")
    assert _read(content, number=1)[2] == "hello\r\n"
    assert _read(content, number=4)[2] == text


def test_without_any_address_the_first_sheet_that_holds_something_is_read():
    assert _read(xlsx([], [["a"]], [["b"]]))[::2] == (2, "a\r\n")
    assert _refusal(xlsx([], [])) == "The workbook is empty."


def test_an_ods_of_libreoffice_is_read():
    text = _read(workbooks.ods([["email", "until", "id"], ["ada@example.org", "2031-12-31", 1.5]]))[2]
    assert text == "email,until,id\r\nada@example.org,2031-12-31,1.5\r\n"


def test_an_old_xls_is_read():
    text = _read(workbooks.xls())[2].splitlines()
    assert text[:3] == [
        "E-Mail,Vorname,Kurs,gültig bis",
        "ada@example.org,Zoë,3000094000002000,2031-12-31",
        "grace@example.org,Grace,1.5,TRUE",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (workbooks.zipped({"word/document.xml": "<w/>", "[Content_Types].xml": ""}), "text document"),
        (workbooks.zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "text document"),
        (workbooks.zipped({"ppt/presentation.xml": ""}), "presentation"),
        (workbooks.zipped({"Index/Document.iwa": b"\0", "Metadata/x.plist": ""}), "Export To > Excel"),
        (workbooks.zipped({"class.csv": "email\n"}), "zip archive: unpack it"),
        (workbooks.ods(LEARNERS, encrypted=True), "password"),
        (workbooks.compound("EncryptedPackage"), "password"),
        (workbooks.compound("WordDocument"), "text document"),
        (workbooks.compound("__substg1.0_1000001F"), "e-mail message"),
        (workbooks.compound(""), "damaged"),
        (b"PK\x03\x04rest", "damaged"),
        (xlsx(LEARNERS)[:3000], "damaged"),
        (workbooks.zipped({"xl/workbook.xml": "<workbook"}), "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_or_none_that_can_be_read_says_what_it_is(content, words):
    assert words in _refusal(content)


@pytest.mark.parametrize("column", [16_383, 300])
def test_a_cell_far_away_is_refused_within_the_memory_that_is_allowed(column):
    def far(book):
        book.worksheets()[0].write(1_048_575, column, "x")

    assert "cells far away" in _refusal(xlsx(LEARNERS, then=far))


def test_more_rows_or_columns_than_allowed_are_refused():
    assert _refusal(xlsx([["ada@example.org"]] * 1_300), most_rows=200).startswith("The file has more than 200 rows")
    assert "more than 1,000 columns" in _refusal(xlsx([["ada@example.org"] * 1_001]))


@pytest.mark.parametrize("honest", [True, False])
def test_a_bomb_of_four_gigabytes_is_refused_in_five_seconds_and_200_megabytes(honest):
    content = workbooks.bomb(honest=honest)
    assert len(content) < (60_000 if honest else 6_000_000)
    code = (
        "import io, resource, sys\n"
        "from invitations.workbooks import process\n"
        "try:\n"
        "    process.read_sheet(io.BytesIO(sys.stdin.buffer.read()), most_rows=1_000).__enter__()\n"
        "except process.FileRefused as refusal:\n"
        "    used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "    print(used.ru_maxrss * 1024, used.ru_utime + used.ru_stime, refusal)\n"
    )
    # In a process of its own, since the largest child of this one may have been another.
    said = subprocess.run([sys.executable, "-c", code], input=content, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    memory_bytes, processor_seconds, sentence = said.stdout.decode().split(" ", 2)
    assert float(processor_seconds) < 5
    assert "holds more than a list of learners does" in sentence
    assert int(memory_bytes) < 200_000_000


def test_time_and_output_are_limited_too():
    content = xlsx([["ada@example.org", "x" * 1_000]] * 1_000)
    assert "takes too long" in _refusal(
        xlsx([["ada@example.org"]] * 50_000), limits=Limits(cpu_seconds=0), most_rows=99_999
    )
    assert "more than a list" in _refusal(content, limits=Limits(output_bytes=100_000))


def test_nothing_of_our_surroundings_is_given_to_the_process(monkeypatch):
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("SECRET_KEY", "secret")
    assert _read(xlsx(LEARNERS))[0] == 1


def test_a_workbook_of_thousands_of_sheets_is_refused():
    sheets = [(f"s{number}", [["a"]]) for number in range(sheets_module.MOST_SHEETS + 1)]
    assert "more than 1,000 sheets" in _refusal(xlsx(*sheets))


def test_names_of_sheets_that_excel_would_not_allow_are_cut():
    whole = io.BytesIO(xlsx(("Class", LEARNERS)))
    made = io.BytesIO()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'name="Class"', b'name="%s"' % (b"n" * 10_000)))
    assert _read(made.getvalue())[1] == ["n" * sheets_module.LONGEST_NAME]
