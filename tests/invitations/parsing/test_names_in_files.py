"""First and last names, as the columns of real lists hold them."""

import pytest

from invitations.parsing.headings import column_of
from tests.invitations.parsing.test_field import judged, recognised

# Headings and cells of a list -> first and last name.
NAMES = [
    ("Name;Vorname", "Byron;Ada", ("Ada", "Byron")), ("Name;Vorname", "von der Heide;Ada", ("Ada", "von der Heide")),
    ("Name;Vorname", "Ada Byron;Ada", ("Ada", "Byron")), ("Name;Vorname", "Byron, Ada;Ada", ("Ada", "Byron")),
    ("Naam;Voornaam", "Byron;Ada", ("Ada", "Byron")), ("Display name;First name", "Adi;Ada", ("Ada", "")),
    ("Nombre", "Ada Byron", ("Ada", "Byron")), ("Nom", "Ada Byron", ("Ada", "Byron")),
    ("Nom;Cognoms", "Ada;Byron Lin", ("Ada", "Byron Lin")), ("Nume;Prenume", "Byron;Ada", ("Ada", "Byron")),
    ("Meno;Priezvisko", "Ada;Byron", ("Ada", "Byron")), ("Név", "Kovács Anna", ("Anna", "Kovács")),
    ("ФИО", "Иванов Иван Иванович", ("Иван Иванович", "Иванов")), ("氏名", "山田\u3000太郎", ("太郎", "山田")),
    ("氏名", "John Smith", ("John", "Smith")), ("Nom et prénom", "Byron Ada", ("Ada", "Byron")),
    ("Last Name, First Name", "Hop Grace", ("Grace", "Hop")), ("Cognome e nome", "Byron, Ada", ("Ada", "Byron")),
    ("Apellidos y nombre", "García López Ana", ("Ana", "García López")), ("Jméno a příjmení", "Ada B", ("Ada", "B")),
    ("Vor- und Nachname", "Ada Byron", ("Ada", "Byron")), ("Nachname, Vorname", "Byron Ada", ("Ada", "Byron")),
    ("First Name / Prénom;Surname / Nom", "Ada;Byron", ("Ada", "Byron")),
    ("participant_first_name;participant_last_name", "Ada;Byron", ("Ada", "Byron")),
    ("What is your first name?;What is your last name?", "Ada;Byron", ("Ada", "Byron")),
    ("Name - First;Name - Last", "Ada;Byron", ("Ada", "Byron")), ("1. First name;2. Surname", "A;B", ("A", "B")),
    ("Name", "BYRON Ada", ("Ada", "BYRON")), ("Name", "LE GOFF Yann", ("Yann", "LE GOFF")),
    ("Name", "Ada BYRON", ("Ada", "BYRON")), ("Name", "AJ Smith", ("AJ", "Smith")), ("Name", "ADA B", ("ADA", "B")),
    ("Name", "Ada\u00a0Byron", ("Ada", "Byron")), ("Name", "Ada\tByron", ("Ada", "Byron")),
    ("Name", "Ada\u2028Byron", ("Ada", "Byron")), ("Name", "a.b@example.org", ("", "")),
    ("Name", "Ada Byron <a.b@example.org>", ("Ada", "Byron")), ("First name", "a.b@example.org", ("", "")),
    ("Vorname;Nachname", '="Ada";="Byron"', ("Ada", "Byron")), ("Name", '="Ada Byron"', ("Ada", "Byron")),
    ("Username", "ab1234", ("", "")), ("First name;Username", "Ada;ab1234", ("Ada", "")),
]  # fmt: skip


@pytest.mark.parametrize(("headings", "cells", "expected"), NAMES, ids=[f"{one[0]}: {one[1]}" for one in NAMES])
def test_names_are_read_as_they_are_meant(headings: str, cells: str, expected: tuple[str, str]):
    content = f"{headings};E-Mail\n{cells};learner@example.org\n".encode()
    form = recognised(content)
    [row] = judged(content, form)[0]
    assert form.asks == []
    assert (row.first_name, row.last_name) == expected


@pytest.mark.parametrize(
    "heading", ["Company / Name", "Name of company", "First day", "Date and name", "Student ID", "Parent first name"]
)
def test_a_heading_that_only_sounds_like_a_name_is_none(heading: str):
    assert column_of(heading) == ""


@pytest.mark.parametrize(
    "label", ["Exported by:", "Erstellt von:", "Contact:", "担当者：", "Exported by: boss@example.org"]
)
def test_a_label_in_the_place_of_a_name_is_no_learner(label: str):
    content = f"Name;E-Mail\nAda Byron;ada@example.org\n{label};boss@example.org\n".encode()
    ada, boss = judged(content, recognised(content))[0]
    assert ada.good
    assert "is no name: if this is a learner, write the name in its place." in boss.problem


def test_cells_that_are_formulas_of_their_text_are_taken_for_it():
    content = b'="E-Mail";="Kurs"\n="ada@example.org";="3000094000002000004"\n'
    [row] = judged(content, recognised(content))[0]
    assert (row.email, row.course_id, row.problem) == ("ada@example.org", "3000094000002000004", "")
