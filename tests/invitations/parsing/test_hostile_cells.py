"""A cell of the greatest length costs no more than its length, whatever stands in it."""

import time

import pytest

from invitations.parsing import pasted
from invitations.parsing.reader import Examiner, FileRefused, Format
from tests.invitations.parsing.corpus import read_rows

LONG = 90_000
SECONDS = 2.0  # of processor time; each of these took from ten to hundreds
BLANKS = " " * LONG
MARKS = "e" + "\u0301\u0316" * (LONG // 2)


def format_of(content: bytes) -> Format:
    examiner = Examiner()
    examiner.feed(content)
    return examiner.format()


@pytest.mark.parametrize("heading", ["name", "first name", "access until", "course", "email address 2", "status"])
@pytest.mark.parametrize(
    "cell",
    [f"a{BLANKS}b(", "a" + "(b)" * (LONG // 3), f"1{BLANKS}:x", "T" * LONG + ":", MARKS, f"{MARKS}@example.org"],
    ids=["blanks", "remarks", "blanks before a time", "no time", "marks", "marks in an address"],
)
def test_a_row_with_such_a_cell_is_judged_at_once(heading, cell):
    begun = time.process_time()
    read_rows(f"email,{heading}\nada@example.org,\ngrace@example.org,{cell}\n".encode())
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("cell", [f"{MARKS}@example.org", f"ada@{MARKS}.org", f"ada@e{MARKS}", MARKS])
def test_such_an_address_is_named_at_once(cell):
    begun = time.process_time()
    _, row = read_rows(f"email\nada@example.org\n{cell}\n".encode())
    assert time.process_time() - begun < SECONDS
    assert row.problem


def test_such_a_heading_is_read_at_once():
    begun = time.process_time()
    [row] = read_rows(f"email,{MARKS[:30_000]}\nada@example.org,\n".encode())
    assert time.process_time() - begun < SECONDS
    assert row.good


def test_such_a_pasted_line_is_read_at_once():
    begun = time.process_time()
    pasted.as_table(f"{MARKS}\nada@example.org, {MARKS}\n")
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize("empty", [16_383, 60_000])
def test_empty_headings_behind_the_last_are_no_columns(empty):
    begun = time.process_time()
    form = format_of(f"email,name{',' * empty}\nada@example.org,Ada B{',' * empty}\n".encode())
    assert time.process_time() - begun < SECONDS
    assert form.headings == ["email", "name"]
    assert form.columns == {"email": 0, "name": 1}


def test_empty_headings_of_a_usual_file_can_be_chosen():
    assert len(format_of(b"email,,\nada@example.org,Ada,Byron\n").headings) == 3


def test_a_table_with_thousands_of_headings_is_refused_in_one_sentence():
    names = ",".join(f"h{number}" for number in range(1_000))
    with pytest.raises(FileRefused, match="more than 1,000 columns"):
        format_of(f"email,{names}\nada@example.org\n".encode())
