"""Whose addresses a column holds, as its heading says: nobody else than the learner is invited without a question."""

import pytest

from invitations.parsing.persons import is_of_somebody_else, is_of_the_learner
from tests.invitations.parsing.test_field import recognised

OTHERS = [
    "Managers email", "Line managers e-mail", "Employee's manager email", "Student's parent email", "Guardians Email",
    "Mum email", "Dad's email", "Carer email", "Husband's e-mail", "Next of kin email", "HR email", "Reply-To email",
    "Cc email", "Submitted by (email)", "Requester email", "Team lead email", "Reports to email", "Mentor email",
    "E-Mail Mutter", "E-Mail Führungskraft", "E-Mail Klassenlehrer", "E-Mail Ansprechpartner", "Courriel de la mère",
    "Courriel du tuteur", "E-mail RH", "Correo del jefe", "Correo del acudiente", "E-mail do responsável",
    "E-mail da mãe", "E-mail genitori", "E-mail contactpersoon", "E-mail przełożonego", "E-mail matki",
    "Yönetici e-posta", "Почта родителя", "Почта руководителя", "E-mail rodiče", "Vårdnadshavare e-post", "家长邮箱",
    "保護者メール",
]  # fmt: skip
LEARNERS = [
    "Email", "Work email", "Email (private)", "Student email", "Participants' email", "E-Mail Schüler",
    "Private E-Mail", "User principal name", "Correo institucional", "E-mail dienstlich",
    "E-mail professionnel", "Personal email", "Почта", "邮箱", "Login email", "E-post privat", "E-mail leerling",
]  # fmt: skip


@pytest.mark.parametrize("heading", OTHERS)
def test_an_e_mail_column_of_somebody_else_is_asked_about(heading: str):
    form = recognised(f"Name;{heading}\nAda Byron;p1@example.org\nGrace Hop;p2@example.org\n".encode())
    assert "somebody else" in " ".join(form.asks)
    assert "email" not in form.columns  # nothing is preselected
    assert not is_of_the_learner(heading)


@pytest.mark.parametrize("heading", LEARNERS)
def test_an_e_mail_column_of_learners_is_not(heading: str):
    assert not is_of_somebody_else(heading)
    assert recognised(f"Name;{heading}\nAda Byron;p1@example.org\n".encode()).asks == []


def test_a_table_of_participants_is_the_likely_one():
    content = (
        "Hosts\nName,Email\nTom,tom@example.org\nTim,tim@example.org\nParticipants\nEmail,Name\nada@example.org,A\n"
    )
    assert recognised(content.encode()).heading_line == 6
