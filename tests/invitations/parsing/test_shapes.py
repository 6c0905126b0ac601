"""More shapes of each kind of fault that real lists showed: what is asked, and who is invited."""

import pytest

from invitations.parsing.emails import SEVERAL
from tests.invitations.parsing.test_field import judged, recognised

A, G, B = "ada.b@example.org", "grace.h@example.org", "bo.s@example.org"
ADDRESSES = [
    (f"\u2018{A}\u2019", A), (f"“{A}”", A), (f"«{A}»", A), (f"[{A}]", A), (f"({A})", A), (f"{{{A}}}", A), (f"{A},", A),
    (f"{A} ;", A), (f"mailto:{A}?subject=Hi", A),
    (f"MAILTO:{A}?cc=boss@example.org", f"MAILTO:{A}?cc=boss@example.org"),
    (f"<mailto:{A}>", A), (f"[Ada](mailto:{A})", A), (f"{A} (work)", A), (f"Ada Byron [{A}]", A), (f"'{A}'", A),
    (f"Byron, Ada <{A}>", A), (f"{A}\u00a0", A), ("ada.b\u200d@example.org", A), (f"•{A}", A), (f"– {A}", A),
    (f"■{A}…", A),
]  # fmt: skip
# Content, words of what is asked ("": nothing), and who is invited with which name.
LISTS = {
    "buyers and attendees": (
        f"Buyer Email,Attendee Email,Attendee Name\nboss@example.org,{A},Ada Byron\nboss@example.org,{G},Grace Hop\n",
        "", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "parents above learners": (
        "Parent,,Student,\nName,E-mail,Name,E-mail\n"
        f"Papa B,papa@example.org,Ada Byron,{A}\nMama H,m@example.org,Grace Hop,{G}\n",
        "Several columns", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "a host's column repeats itself": (
        f"Host email,Email,Email 2\nh@example.org,h@example.org,{A}\nh@example.org,h@example.org,{G}\n",
        "again and again", [(A, "", ""), (G, "", "")],
    ),
    "an e-mail column that is empty": (
        f"Email,Login\n,{A}\n,{G}\n{B},{B}\n", "hardly any", [(A, "", ""), (G, "", ""), (B, "", "")],
    ),
    "titles with an address in the e-mail column": (
        f"Spring,\n,info@example.org\nName,Email\nAda Byron,{A}\n", "", [(A, "Ada", "Byron")],
    ),
    "a heading over two lines, the first of them merged": (
        f"Learner,,Course work\nFirst name,Last name,E-mail\nAda,Byron,{A}\n", "", [(A, "Ada", "Byron")],
    ),
    "headings in line 40": ("\n".join(f"Setting {n},x" for n in range(39)) + f"\nName,Email\nAda Byron,{A}\n",
        "", [(A, "Ada", "Byron")]),
    "headings with semicolons, rows with commas": (
        f"email;first name;last name\n{A},Ada,Byron\n{G},Grace,Hop\n", "", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "whole lines in quotation marks, with semicolons": (
        f'"email;name"\n"{A};Ada Byron"\n"{G};Grace Hop"\n', "", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "an example row": (f"email,name\nbeispiel@example.org,Beispiel: Max\n{A},Ada Byron\n", "", [(A, "Ada", "Byron")]),
    "totals at the end": (f"Name,Email\nAda Byron,{A}\nTotal,\nGrand total: 1,\n", "", [(A, "Ada", "Byron")]),
    "degrees behind names": (
        f'Name,Email\n"Ada Byron, Ph.D., RN",{A}\n"Hop, Grace",{G}\n"Smith, Bo, MBA",{B}\n',
        "", [(A, "Ada", "Byron"), (G, "Grace", "Hop"), (B, "Bo", "Smith")],
    ),
    "remarks in brackets": (
        f"First name,Last name,Email\nAda,Byron (External),{A}\nGrace [she/her],Hop,{G}\n",
        "", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "a note of several lines with an address": (
        f'email;name;note\n{A};Ada Byron;"one\ntwo; boss@example.org;\nthree"\n{G};Grace Hop;\n',
        "", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "a table of trainers below": (
        f"Learners\nName,Email\nAda Byron,{A}\nGrace Hop,{G}\nTrainers\nEmail,Room\nboss@example.org,1\n",
        "several tables", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "headings in two languages, one below the other": (
        f"E-Mail;Vorname;Nachname\nEmail;First name;Last name\n{A};Ada;Byron\n", "", [(A, "Ada", "Byron")],
    ),
    "names with commas beside tabs, without headings": (
        f"Byron, Ada\t{A}\nHop, Grace\t{G}\n", "no headings", [(A, "", ""), (G, "", "")],
    ),
    "an address that is asked for twice": (
        f"Time,What is your email address?,Please confirm your email address\n1,{A},{A}\n2,{G},{G.upper()}\n",
        "", [(A, "", ""), (G, "", "")],
    ),
    "an address beside itself with a name": (
        f'Name,Display,E-mail (new)\nAda Byron,"Ada Byron ({A})",{A}\nGrace Hop,Grace Hop <{G}>,{G}\n',
        "", [(A, "Ada", "Byron"), (G, "Grace", "Hop")],
    ),
    "two addresses that are not always the same": (
        f"Login email (new),Work email (new)\n{A},{A}\n{G},{B}\n", "Several columns", [],
    ),
    "a number beside the name's heading": (
        f"Attendee #,First Name,Last Name,Email\n5001,Ada,Byron,{A}\n", "", [(A, "Ada", "Byron")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "address"), ADDRESSES, ids=[cell for cell, _ in ADDRESSES])
def test_an_address_is_understood_in_what_people_put_around_it(cell: str, address: str):
    content = f"email\tname\n{cell}\tAda\n{G}\tGrace\n".encode()
    first, _ = judged(content, recognised(content))[0]
    assert (first.email == address) if first.good else first.problem == SEVERAL, first


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_or_asked_about(name: str):
    text, asked, invited = LISTS[name]
    form = recognised(text.encode())
    assert (asked in " ".join(form.asks)) if asked else form.asks == []
    rows = judged(text.encode(), form)[0] if "email" in form.columns else []
    assert [(row.email, row.first_name, row.last_name) for row in rows if row.good] == invited


@pytest.mark.parametrize(
    ("names", "codec"),
    [
        ("Søren;Ærø", "cp1252"), ("Jürgen;Groß", "mac_roman"), ("José;Muñoz", "cp850"), ("Łukasz;Żółć", "cp852"),
        ("Наталья;Толстая", "cp1251"), ("Наталья;Толстая", "koi8_r"), ("Наталья;Толстая", "cp866"),
        ("Παναγιώτης;Παπαδόπουλος", "cp1253"), ("Işıl;Çağla", "cp1254"), ("Jānis;Bērziņš", "cp1257"),
        ("İbrahim;Yıldız", "cp1254"), ("İbrahim;Öz", "cp1254"), ("Michał;Dąbrowski", "iso8859_2"),
        ("Ľuboš;Žižka", "iso8859_2"), ("محمد;علي", "cp1256"), ("Tomáš;Kučera", "cp1250"), ("Kovács;Szőke", "cp1250"),
    ],
)  # fmt: skip
def test_a_short_list_in_letters_of_another_alphabet_is_read_or_the_choice_is_offered(names: str, codec: str):
    content = f"email;first name;last name\n{A};{names}\n".encode(codec)
    form = recognised(content)
    [row] = judged(content, form)[0]
    assert f"{row.first_name};{row.last_name}" == names or codec in form.encodings


def test_a_letter_that_another_alphabet_has_as_a_quotation_mark_is_a_letter():
    content = "email;first name;last name\nory@posta.hu;Anna;Őry\n".encode("cp1250")
    [row] = judged(content, recognised(content))[0]
    assert row.last_name == "Őry"


def test_hebrew_of_one_learner_is_read_or_the_choice_is_offered():
    content = f"email;first name;last name\n{A};דוד;כהן\n".encode("cp1255")
    form = recognised(content)
    assert form.encoding == "cp1255" or "cp1255" in form.encodings


@pytest.mark.parametrize(
    ("days", "expected", "asked"),
    [
        (["04/05/2099", "31/12/2099"], ["2099-05-05", "2100-01-01"], ""),
        (["04/05/2099", "12/31/2099"], ["2099-04-06", "2100-01-01"], ""),
        (["04/05/2099", "05/04/2099"], [None, None], "day or the month first"),
        (["4-Jan-2099", "5 mars 2099"], ["2099-01-05", "2099-03-06"], ""),
    ],
)
def test_the_order_of_day_and_month_is_told_by_the_file_or_asked(days, expected, asked):
    content = "\n".join(["email,access until", f"{A},{days[0]}", f"{G},{days[1]}"]).encode()
    form = recognised(content)
    assert asked in " ".join(form.asks)
    assert bool(form.asks) == bool(asked)
    rows = judged(content, form)[0]
    assert [row.access_expires_at and row.access_expires_at.date().isoformat() for row in rows] == expected


def test_a_table_beyond_the_beginning_that_was_looked_at_is_refused_in_one_true_sentence():
    rows = "".join(f"learner{number}@example.org,Ada\n" for number in range(5000))
    content = f"email,name\n{rows}Guardian,Email\nMama,mama@example.org\n".encode()
    with pytest.raises(ValueError, match="In line 5002 another table with other headings begins"):
        judged(content, recognised(content))


@pytest.mark.parametrize(
    ("names", "codec", "domain"),
    [("İbrahim;Öz", "cp1254", "tr"), ("Žydrūnas;Šarūnas", "cp1257", "lt")],
)
def test_where_letters_do_not_tell_the_country_of_the_addresses_does(names: str, codec: str, domain: str):
    content = f"email;first name;last name\nada.b@example.{domain};{names}\n".encode(codec)
    form = recognised(content)
    [row] = judged(content, form)[0]
    assert f"{row.first_name};{row.last_name}" == names


@pytest.mark.parametrize(
    ("name", "codec", "domain"),
    [("王小明", "gb18030", "cn"), ("김철수", "cp949", "kr"), ("陳大文", "big5", "tw"), ("山田太郎", "cp932", "jp")],
)
def test_one_name_in_an_east_asian_encoding_is_read_or_the_choice_is_offered(name: str, codec: str, domain: str):
    for address in ("wang@example.org", f"wang@example.{domain}"):
        content = f"email,name\n{address},{name}\n".encode(codec)
        form = recognised(content)
        [row] = judged(content, form)[0]
        assert row.first_name == name or (address.endswith("org") and codec in form.encodings)
