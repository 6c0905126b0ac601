"""Any CSV that a spreadsheet exports is read; what cannot be used is refused in one sentence."""

import pytest

from invitations.parsing.courses import Courses
from invitations.parsing.reader import FileRefused
from tests.invitations.parsing.corpus import read_rows

HEADINGS = "email,first name,last name"


def read(content: bytes | str):
    return read_rows(content.encode() if isinstance(content, str) else content)


def test_good_rows_keep_their_line_and_names():
    rows = read(f"{HEADINGS}\r\nada@example.org,Ada,Lovelace\r\n\r\ngrace@example.org,Grace,Hopper\r\n")
    assert [(row.line, row.email, row.first_name, row.last_name, row.good) for row in rows] == [
        (2, "ada@example.org", "Ada", "Lovelace", True),
        (4, "grace@example.org", "Grace", "Hopper", True),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_delimiters_and_encodings_of_spreadsheets(delimiter, encoding):
    text = f"E-Mail{delimiter}Vorname{delimiter}Nachname\njose@example.org{delimiter}José{delimiter}Müller\n"
    [row] = read(text.encode(encoding))
    assert (row.email, row.first_name, row.last_name, row.good) == ("jose@example.org", "José", "Müller", True)


def test_invisible_characters_around_an_address_are_trimmed():
    [row] = read("email\n\u200b\u00a0Ada@Example.org\u00a0\ufeff\n")
    assert (row.email, row.email_folded, row.good) == ("Ada@Example.org", "ada@example.org", True)


def test_the_second_of_two_equal_addresses_is_a_duplicate_of_the_first():
    first, second = read("email\nada@example.org\nADA@example.org\n")
    assert first.good
    assert (second.good, second.duplicate_of) == (False, 2)


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@example.org", "ada example.org", "a@b@c.org", "ada@exa mple.org"]
)
def test_a_bad_address_says_what_is_wrong(address):
    [row] = read(f"email,first name\n{address},Ada\n")
    assert not row.good
    assert row.problem.endswith(".")


def test_a_quoted_newline_does_not_shift_line_numbers():
    rows = read(f'{HEADINGS}\nada@example.org,"Ada\nAugusta",L\ngrace@example.org,Grace,H\n')
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize("cell", ["Cafe\u0301 du monde", "CAFÉ\u00a0du  Monde", "café du monde"])
def test_a_course_is_found_by_its_name_however_its_accents_and_blanks_are_written(cell):
    assert Courses(names={"7": "Café du Monde", "8": "Cafe du Monde"}).find(cell) == ("7", "")


def test_short_and_long_rows_are_read():
    rows = read(f"{HEADINGS}\nada@example.org\ngrace@example.org,Grace,Hopper,extra\n")
    assert [row.good for row in rows] == [True, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\xd0\xcf\x11\xe0rest", "Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x01\x02\x03" * 50, "not text"),
        (bytes(range(256)) * 4, "not text"),
        (b"name,phone\nAda,1\n", "e-mail column"),
        (b'email\n"' + b"x" * 200_000, "quotation mark"),
    ],
)
def test_an_unusable_file_is_refused_in_one_sentence(content, words):
    with pytest.raises(FileRefused, match=words) as refused:
        read(content)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("day", ["9999-12-31", "31.12.9999", "31 December 9999", "9999-12-30"])
def test_the_last_day_of_all_which_programs_write_for_never_is_a_day(day):
    [row] = read(f"email,access until\nada@example.org,{day}\n")
    assert row.good
    assert row.access_expires_at.year == 9999
