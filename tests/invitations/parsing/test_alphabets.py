"""Where the letters alone do not tell the alphabet, the addresses' country does."""

import pytest

from invitations.parsing import alphabets


@pytest.mark.parametrize(
    ("name", "domain", "codec"),
    [
        ("Kovač", "example.hr", "cp1250"),
        ("Yıldız", "example.com.tr", "cp1254"),
        ("Rūta", "example.LT", "cp1257"),
        ("François", "example.fr", "cp1252"),
    ],
)
def test_a_short_list_is_read_in_the_alphabet_of_its_country(name, domain, codec):
    sample = f"email;name\nada@{domain};{name}\n".encode(codec)
    assert name in alphabets.readings(sample, ())[0].text


def test_an_ending_that_only_begins_like_a_country_tells_nothing():
    sample = "email;name\nada@example.trade;François\n".encode("cp1252")
    assert alphabets.readings(sample, ())[0].codec == "cp1252"
