"""Addresses that other text sticks to: each is found, so that nobody is passed over."""

import pytest

from invitations.parsing.emails import SEVERAL, addresses_in
from tests.invitations.parsing.test_field import judged, recognised

A, G, B = "ada.b@example.org", "grace.h@example.org", "bo.s@example.org"


@pytest.mark.parametrize(
    "text",
    [
        f"write to {A}.", f"{A}!", f"*{A}*", f"e-mail:{A}", f"mail={A}.", f"“{A}”…", f"see {A}: thanks",
        f"{A}?", f"({A}.)", f"'{A}'.",
    ],
)  # fmt: skip
def test_an_address_is_found_in_a_sentence(text: str):
    assert addresses_in(text) == [A]


@pytest.mark.parametrize("between", ["&", "，", "、", "；", "–", "+", " and ", ". ", "=>", "…"])
def test_two_addresses_are_found_whatever_stands_between_them(between: str):
    assert addresses_in(f"{A}{between}{B}") == [A, B]


@pytest.mark.parametrize("text", ["@", "a@", "@example.org", "a@b", "see @ada.b", "a@b@c", "-@-.-"])
def test_what_is_no_address_is_not_made_one(text: str):
    assert addresses_in(text) == []


def test_an_address_behind_another_in_the_e_mail_column_leaves_the_row_out():
    content = f'Email,Name\n"Ada <{A}>, {B}.",Ada\n{G},Grace\n'.encode()
    rows = judged(content, recognised(content))[0]
    assert [(row.email if row.good else row.problem) for row in rows] == [SEVERAL, G]


def test_a_note_that_ends_with_a_full_stop_is_counted():
    content = f"Please write to {B}.\nEmail,Note\n{A},instead of {G}.\n".encode()
    left_out = judged(content, recognised(content))[1].as_document()
    assert left_out["outside"] == {"count": 1, "lines": [1]}
    assert left_out["unread"] == [{"heading": "Note", "count": 1, "lines": [3]}]
