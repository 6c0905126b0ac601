"""The short way of plain addresses says what the library says, of anything."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, strategies

from coursehub.emails import normalize
from invitations.parsing import emails

_LOCAL = strategies.text("abcXYZ0189.!#$%&'*+-/=?^_`{|}~\"() ,:;<>@[\\]é\u00a0", max_size=70)
_DOMAIN = strategies.one_of(
    strategies.sampled_from(
        ["example.org", "EXAMPLE.org", "test", "localhost", "a.test", "x.local", "xn--bcher-kva.example", "1.2.3.4"]
    ),
    strategies.text("abcXYZ019.-é_", max_size=70),
)


@given(local=_LOCAL, domain=_DOMAIN)
@example(local="a" * 64, domain="example.org")
@example(local="a" * 65, domain="example.org")
@example(local="a", domain="-example.org")
@example(local="a", domain="example.org.")
@example(local="a.b", domain="b" * 63 + ".org")
@example(local="a", domain="b" * 64 + ".org")
@example(local="a" * 64, domain=".".join(["b" * 60] * 3) + ".org")
def test_an_address_is_judged_as_the_library_judges_it(local: str, domain: str):
    address = f"{local}@{domain}"
    folded, problem = emails.check(address)
    try:
        expected = normalize(validate_email(address, check_deliverability=False).normalized)
    except EmailNotValidError:
        assert problem
    else:
        assert (folded, problem) == (expected, "")


@given(strategies.text())
def test_any_cell_gets_an_address_or_one_sentence(cell: str):
    _, problem = emails.check(emails.address_in(cell))
    assert problem == "" or problem.endswith(".")


@pytest.mark.parametrize(
    "cell",
    ["ada@example.org", " mailto:ada@example.org ", "Ada <ada@example.org>", "\u200bada\u200b@example.org\ufeff"],
)
def test_the_address_in_a_cell_is_found(cell):
    assert emails.address_in(cell) == "ada@example.org"
