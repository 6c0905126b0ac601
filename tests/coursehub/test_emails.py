"""One form of an address, whatever it was written as."""

import sys
import unicodedata

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, strategies

from coursehub import emails

_JOSE = "jos\u00e9@example.org"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  ADA@Example.ORG\t\r\n", "ada@example.org"),
        ("\u200bada\u200d@example.org\ufeff\u00a0", "ada@example.org"),
        ("jose\u0301@example.org", _JOSE),
        ("JOSE\u0301@EXAMPLE.org", _JOSE),
        ("ada@xn--mnchen-3ya.de", "ada@m\u00fcnchen.de"),
        ("ADA@XN--MNCHEN-3YA.DE", "ada@m\u00fcnchen.de"),
        ("ada@mu\u0308nchen.de", "ada@m\u00fcnchen.de"),
        ("ada@M\u00dcNCHEN\u3002de", "ada@m\u00fcnchen.de"),
        ("jose\u0301@mail.xn--mnchen-3ya.de", "jos\u00e9@mail.m\u00fcnchen.de"),
        ("ada@xn--strae-oqa.de", "ada@strasse.de"),
        ("ada@stra\u00dfe.de", "ada@strasse.de"),
        ("ada@xn--99999999999", "ada@xn--99999999999"),
        ("ada@xn--", "ada@xn--"),
        ("@", "@"),
        ("", ""),
        ("  No Address ", "no address"),
        ("ada\ud800@example.org", "ada@example.org"),
    ],
)
def test_what_people_take_for_one_address_is_one(written, normal):
    assert emails.normalize(written) == normal


_TEXT = strategies.text(strategies.characters(max_codepoint=sys.maxunicode), max_size=30)
_ADDRESS = strategies.builds(
    "{}@{}.{}".format,
    _TEXT,
    strategies.one_of(_TEXT, strategies.text("abc-0123456789", max_size=20).map("xn--{}".format)),
    _TEXT,
)


@given(strategies.one_of(_TEXT, _ADDRESS))
@example("\u0345\u0301@\ufe12")
@example("a@\uff58n--mnchen-3ya.de")
def test_the_normal_form_is_its_own(text: str):
    normal = emails.normalize(text)
    assert emails.normalize(normal) == normal
    normal.encode()
    assert normal in emails.spellings(text)


@given(local=strategies.text("abcJOS0.+-\u00e9\u0301\u00df", min_size=1, max_size=12), domain=_TEXT)
@example("ada", "xn--mnchen-3ya")
@example("ada", "\u65e5\u672c\u8a9e")
def test_what_the_library_takes_for_one_address_is_one(local: str, domain: str):
    address = f"{local}@{domain}.de"
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return
    assert emails.normalize(checked.normalized) == emails.normalize(address)
    if checked.ascii_domain:
        assert emails.normalize(f"{local}@{checked.ascii_domain}") == emails.normalize(address)


@pytest.mark.parametrize("written", ["Ada@xn--mnchen-3ya.de", "ada@M\u00fcnchen.de", "ada@mu\u0308nchen.de"])
def test_all_forms_in_which_earlier_versions_kept_an_address_are_known(written):
    kept = {written.strip().casefold(), unicodedata.normalize("NFC", written.strip()).casefold()}
    assert kept | {"ada@m\u00fcnchen.de", "ada@xn--mnchen-3ya.de"} <= emails.spellings(written)
