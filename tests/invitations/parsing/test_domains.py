"""Only slips of the fingers are doubted: nothing that is real, and nothing that is frequent in the file."""

import pytest

from invitations.parsing import domains

FILE = {"gmail.com": 300, "uni-bonn.de": 200, "acme.com": 40}


def _meant(domain: str, rows: int = 2, **others: int) -> str | None:
    found = domains.suggested({**FILE, **others, domain: rows})
    return next((one["meant"] for one in found if one["domain"] == domain), None)


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        *[(one, "gmail.com") for one in ("gmial.com", "gmai.com", "gamil.com", "gnail.com", "gmaill.com", "gmali.com")],
        *[(one, "gmail.com") for one in ("gmail.con", "gmail.cm", "gmail.co", "gmail.comm", "gmial.con")],
        *[(one, "hotmail.com") for one in ("hotmial.com", "hotmal.com", "hotmai.com", "hotmail.con")],
        ("yahooo.com", "yahoo.com"), ("yaho.co.uk", "yahoo.co.uk"), ("outlok.com", "outlook.com"),
        ("iclould.com", "icloud.com"), ("t-onlin.de", "t-online.de"), ("uni-bon.de", "uni-bonn.de"),
    ],
)  # fmt: skip
def test_a_slip_is_told(domain, meant):
    assert _meant(domain) == meant


@pytest.mark.parametrize(
    "domain",
    [
        *("gmx.de", "gmx.net", "mail.com", "ymail.com", "email.com", "hotmail.fr", "hotmail.nl", "live.de", "web.de"),
        *("yahoo.se", "gmail.org", "acne.com", "example.com", "stud.uni-bonn.de", "proton.me", "me.com", "aol.com"),
        *("somewhere.example", "", "localhost"),
    ],
)
def test_a_real_domain_is_not_doubted(domain):
    assert _meant(domain) is None


def test_a_domain_that_is_frequent_in_the_file_is_not_doubted():
    assert _meant("gmall.com", rows=200) is None
    assert _meant("gmall.com", rows=37) == "gmail.com"


def test_numbers_are_no_slips():
    assert _meant("school2.org", school1=0, **{"school1.org": 90}) is None


def test_the_most_frequent_come_first_with_their_rows():
    found = domains.suggested({**FILE, "gmial.com": 12, "hotmial.com": 3})
    assert found == [
        {"domain": "gmial.com", "meant": "gmail.com", "rows": 12},
        {"domain": "hotmial.com", "meant": "hotmail.com", "rows": 3},
    ]


def test_a_small_file_is_told_too():
    assert domains.suggested({"gmial.com": 1, "gmail.com": 2}) != []


def test_as_many_domains_as_rows_take_no_time():
    many = {f"{number}.example{number}.org": 1 for number in range(50_000)}
    assert domains.suggested(many) == []
