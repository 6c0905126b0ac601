"""A pasted list becomes a table in which everybody stands; cells of a spreadsheet stay as they are."""

import csv
import io
import time

import pytest
from hypothesis import given, strategies

from invitations.parsing.pasted import as_table


def _rows(text: str) -> list[tuple[str, ...]]:
    table = list(csv.reader(io.StringIO(as_table(text), newline="")))
    assert table[0] == ["email", "name"]
    return [tuple(row) for row in table[1:]]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("ada@x.org", [("ada@x.org", "")]),
        ("ada@x.org\n\n grace@x.org \r\n", [("ada@x.org", ""), ("grace@x.org", "")]),
        ("ada@x.org, grace@x.org; alan@x.org;", [("ada@x.org", ""), ("grace@x.org", ""), ("alan@x.org", "")]),
        ("ada@x.org grace@x.org", [("ada@x.org", ""), ("grace@x.org", "")]),
        ("Ada Byron <ada@x.org>; Grace <grace@x.org>", [("ada@x.org", "Ada Byron"), ("grace@x.org", "Grace")]),
        ('"Byron, Ada" <ada@x.org>, grace@x.org', [("ada@x.org", "Byron, Ada"), ("grace@x.org", "")]),
        ("Byron, Ada <ada@x.org>; Hopper, G. <g@x.org>", [("ada@x.org", "Byron, Ada"), ("g@x.org", "Hopper, G.")]),
        ("Byron, Ada <ada@x.org>, Hopper, G. <g@x.org>", [("ada@x.org", "Byron, Ada"), ("g@x.org", "Hopper, G.")]),
        ("Ada <ada@x.org> Grace <grace@x.org>", [("ada@x.org", "Ada"), ("grace@x.org", "Grace")]),
        ("To: Ada <ada@x.org>; 'grace@x.org'", [("ada@x.org", "Ada"), ("grace@x.org", "")]),
        ("Ada (ada@x.org)\nGrace [mailto:grace@x.org]", [("ada@x.org", "Ada"), ("grace@x.org", "Grace")]),
        ("ada@x.org <ada@x.org>", [("ada@x.org", "")]),
        ("boss@x.org <ada@x.org>", [("ada@x.org", ""), ("boss@x.org", "")]),
        ("Ada Byron ada@x.org", [("ada@x.org", "Ada Byron")]),
        ("- ada@x.org\n• Grace H g@x.org\n* a@x.org", [("ada@x.org", ""), ("g@x.org", "Grace H"), ("a@x.org", "")]),
        ("1. ada@x.org\n2) Grace Hop <grace@x.org>", [("ada@x.org", ""), ("grace@x.org", "Grace Hop")]),
        ("ada@x.org - Cancelled", [("ada@x.org - Cancelled", "")]),
        ("2027 ada@x.org", [("2027 ada@x.org", "")]),
        ("Contact: boss@x.org", [("Contact: boss@x.org", "")]),
        ("ask the boss at boss@x.org", [("ask the boss at boss@x.org", "")]),
        ("ada@x.org, grace@x.org, nobody", [("ada@x.org", ""), ("grace@x.org", ""), ("nobody", "")]),
        ("Participants\nada@x.org", [("Participants", ""), ("ada@x.org", "")]),
        ("ada@x.org\x00\ngrace@x.org", [("ada@x.org", ""), ("grace@x.org", "")]),
    ],
)  # fmt: skip
def test_a_list_becomes_a_table_of_addresses_and_names(text, rows):
    assert _rows(text) == rows


@pytest.mark.parametrize(
    "text",
    [
        "ada@x.org\tAda\tByron",
        "email,first name\nada@x.org,Ada",
        "E-Mail;Name\nada@x.org;Ada",
        "e-mail addresses\nada@x.org\ngrace@x.org",
        "ada@x.org,Ada,Byron\ngrace@x.org,Grace,Hopper",
        "Ada;ada@x.org",
        "ada@x.org|Ada",
        "nobody",
        " \n ",
        "",
    ],
)
def test_cells_and_what_holds_no_address_stay_as_they_are(text):
    assert as_table(text) == text


_PEOPLE = strategies.lists(
    strategies.tuples(
        strategies.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?@[a-z]{1,8}\.(org|de)", fullmatch=True),
        strategies.sampled_from(["", "Ada Byron", "Byron, Ada", "Zoë", "李 小龙", "O'Neil", "Ada (external)"]),
    ),
    min_size=1,
    max_size=8,
)
_SHAPES = {
    "bare": lambda address, name: address,
    "brackets": lambda address, name: f"{name} <{address}>".strip(),
    "quoted": lambda address, name: f'"{name}" <{address}>' if name else address,
}


@given(
    _PEOPLE, strategies.sampled_from(sorted(_SHAPES)), strategies.sampled_from(["\n", "\r\n", "; ", ";", ", ", ",\n"])
)
def test_everybody_who_stands_in_a_list_has_a_row(people, shape, separator):
    text = separator.join(_SHAPES[shape](*person) for person in people)
    table = as_table(text)
    found = [address for row in csv.reader(io.StringIO(table, newline="")) for address in row if "@" in address]
    assert sorted(found) == sorted(address for address, _ in people)


@given(strategies.text(strategies.sampled_from("ab@x.org ,;<>\"'()[]\n\tÄ\u2028\x00\ud800"), max_size=60))
def test_no_text_is_lost_or_makes_trouble(text):
    kept = "".join(filter(str.isalnum, as_table(text)))
    for word in filter(str.isalnum, set("".join(filter(str.isalnum, text)))):
        assert kept.count(word) >= text.count(word) - 1, "less a label such as To:"
    as_table(text).encode()


@pytest.mark.parametrize(
    "text",
    ["a" * 2_000_000, '"' * 2_000_001, "<" * 2_000_000, "a@x.org," * 250_000, ",;" * 1_000_000 + "@", " <" * 999_999],
)
def test_a_single_long_line_takes_no_longer_than_reading_it(text):
    began = time.process_time()
    as_table(text)
    assert time.process_time() - began < 5
