"""No name is ever sent empty: what is made of an address, and what a person says of it."""

import pytest
from django.urls import reverse
from hypothesis import given, strategies

from coursehub import clock
from coursehub.emails import normalize
from invitations import results_csv, services, tasks
from invitations.models import Batch, Invitation
from invitations.parsing import names
from invitations.repair import without_names
from invitations.selectors import batch_status
from invitations.sending import missing_names, sender
from oauthtokens import services as token_services

State = Invitation.State


@pytest.mark.parametrize(
    ("local", "first", "last"),
    [
        ("ada.lovelace", "Ada", "Lovelace"),
        ("ada.lovelace42", "Ada", "Lovelace"),
        ("ada.2.lovelace", "Ada", "Lovelace"),
        ("ADA_LOVELACE", "Ada", "Lovelace"),
        ("ada.king.lovelace+course", "Ada King", "Lovelace"),
        ("jean-pierre.dupont", "Jean-Pierre", "Dupont"),
        ("jean-pierre", "Jean-Pierre", ""),
        ("mary.o'brien", "Mary", "O'Brien"),
        ("a.lovelace", "A", "Lovelace"),
        ("j.r.r.tolkien", "J R R", "Tolkien"),
        ("info", "Info", ""),
        ("office", "Office", ""),
        ("noreply", "Noreply", ""),
        ("s1234567", "S1234567", ""),
        ("12345", "12345", ""),
        ("nn1", "Nn", ""),
        ("\u043b\u0435\u0432.\u0446\u043e\u0439", "\u041b\u0435\u0432", "\u0426\u043e\u0439"),
        ("\u674e\u96f7", "\u674e\u96f7", ""),
        ("...", "Learner", ""),
        ("", "Learner", ""),
    ],
)  # fmt: skip
def test_a_name_is_made_of_an_address(local, first, last):
    assert names.from_address(normalize(f"{local}@example.org")) == (first, last)


@given(first=strategies.text(max_size=3), last=strategies.text(max_size=3), address=strategies.text())
def test_a_completed_name_is_never_empty(first, last, address):
    whole = names.completed(first, last, normalize(address), stand_in=".")
    assert all(whole[:2])
    assert whole[2] == (not (first and last))
    assert max(map(len, whole[:2])) <= names.LONGEST


@pytest.fixture
def uploaded(academy, course, person):
    """`uploaded(text)`: a batch in preview, from a file of this text, at an academy that requires last names."""
    academy.switch(last_name_required=True)

    def make(text: str) -> Batch:
        content = text.encode()
        batch = services.upload(user=person("trainer"), course=course, filename="class.csv", content=content)
        Batch.objects.filter(pk=batch.pk).update(members_checked_at=clock.now())
        return Batch.objects.get(pk=batch.pk)

    return make


ADDRESSES = "email\nada.lovelace@example.org\ninfo@example.org\ngrace.hopper7@example.org\n"
MADE = [("Ada", "Lovelace"), ("Info", "."), ("Grace", "Hopper")]


def _names(batch) -> list[tuple[str, str]]:
    return list(Invitation.objects.filter(batch=batch).order_by("line").values_list("first_name", "last_name"))


def _say(client, batch, choice: str):
    return client.post(reverse("invitations:names", kwargs={"batch_id": batch.pk}), {"names": choice}, follow=True)


def _confirm(client, batch):
    return client.post(reverse("invitations:confirm", kwargs={"batch_id": batch.pk}), follow=True)


def test_a_file_of_addresses_alone_is_invited_completely_with_the_names_that_the_preview_showed(
    uploaded, client_for, invited_counts
):
    batch, client = uploaded(ADDRESSES), client_for("trainer")
    page = client.get(reverse("invitations:batch", kwargs={"batch_id": batch.pk})).content.decode()
    assert "3 rows without a full name" in page
    assert 'id="confirm-button"' not in page
    assert missing_names.UNDECIDED in _confirm(client, batch).content.decode()
    assert not services.confirm(batch, actor="trainer"), "nor by any other way"
    assert _names(batch) == MADE
    page = _say(client, batch, "fill").content.decode()
    assert 'id="confirm-button"' in page
    assert "Ada Lovelace" in page
    _confirm(client, batch)
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert batch_status.status(batch.pk)["counts"] == {State.INVITED: 3}
    assert set(invited_counts().values()) == {1}
    portal = token_services.client(lane="progress").list_portal_members()
    assert {learner.name for learner in portal} >= {" ".join(both) for both in MADE}


def test_rows_are_left_out_and_say_so(uploaded, client_for, invited_counts):
    batch = uploaded(
        "email,first name,last name\nada@example.org,Ada,Lovelace\ninfo@example.org,,\nm@example.org,Madonna,\n"
    )
    client = client_for("trainer")
    _say(client, batch, "leave_out")
    rows = Invitation.objects.filter(batch=batch).order_by("line")
    assert list(rows.values_list("state", "reason")) == [
        (State.PENDING, ""), (State.INVALID, missing_names.LEFT_OUT), (State.INVALID, missing_names.LEFT_OUT)
    ]  # fmt: skip
    _confirm(client, batch)
    sender.send_slice(batch.pk)
    assert invited_counts() == {"ada@example.org": 1}
    text = b"".join(results_csv.of(Batch.objects.get(pk=batch.pk)).chunks).decode()
    assert text.count(missing_names.LEFT_OUT) == 2
    assert "info@example.org,,,invalid" in text, "the file's own cells"


def test_who_stands_in_a_later_row_with_a_name_is_invited_by_that(uploaded, client_for, look, invited_counts):
    batch = uploaded(
        "email,first name,last name\nada@example.org,,\nada@example.org,Ada,\nada@example.org,Ada,Lovelace\n"
        "ada@example.org,Augusta,King\ngrace@example.org,Grace,Hopper\n"
    )
    client = client_for("trainer")
    _say(client, batch, "leave_out")
    rows = Invitation.objects.filter(batch=batch).order_by("line")
    assert list(rows.values_list("state", "reason")) == [
        (State.INVALID, missing_names.LEFT_OUT), (State.INVALID, missing_names.LEFT_OUT), (State.PENDING, ""),
        (State.DUPLICATE, "The same address as in line 4."), (State.PENDING, ""),
    ]  # fmt: skip
    _confirm(client, batch)
    look(batch)
    sender.send_slice(batch.pk)
    assert invited_counts() == {"ada@example.org": 1, "grace@example.org": 1}


def test_the_choice_is_made_once(uploaded, client_for):
    batch, client = uploaded(ADDRESSES), client_for("trainer")
    _say(client, batch, "nonsense")
    assert Batch.objects.get(pk=batch.pk).names == Batch.Names.UNDECIDED
    _say(client, batch, "fill")
    _say(client, batch, "leave_out")
    assert Batch.objects.get(pk=batch.pk).names == Batch.Names.FILLED
    assert batch_status.status(batch.pk)["counts"] == {State.PENDING: 3}


def test_only_who_may_see_the_batch_says_what_becomes_of_it(uploaded, client_for):
    batch = uploaded(ADDRESSES)
    assert _say(client_for("trainer", "another"), batch, "fill").status_code == 404
    assert client_for("trainer").get(reverse("invitations:names", kwargs={"batch_id": batch.pk})).status_code == 405


def test_one_word_is_completed_and_a_full_name_left_alone(uploaded, settings):
    settings.LAST_NAME_STAND_IN = "-"
    batch = uploaded("email,name\nada@example.org,Ada Lovelace\nm@example.org,Madonna\nx@example.org,\n")
    assert _names(batch) == [("Ada", "Lovelace"), ("Madonna", "-"), ("X", "-")]
    made = Invitation.objects.filter(batch=batch, name_made=True).order_by("line")
    assert list(made.values_list("email", flat=True)) == ["m@example.org", "x@example.org"]
    assert batch.made_names == 2


def test_a_name_beside_a_last_name_is_the_first_name(uploaded):
    rows = "Ada,Lovelace,ada@example.org\nGrace Hopper,Hopper,grace@example.org\n"
    batch = uploaded(f"name,last name,email\n{rows}")
    assert _names(batch) == [("Ada", "Lovelace"), ("Grace", "Hopper")]
    assert batch.made_names == 0


def test_a_file_with_full_names_asks_nothing(uploaded, client_for):
    batch = uploaded("email,first name,last name\nada@example.org,Ada,Lovelace\n")
    assert services.confirm(batch, actor="trainer")


def test_who_is_in_the_course_already_needs_no_name(uploaded):
    batch = uploaded(ADDRESSES)
    Invitation.objects.filter(batch=batch).update(state=State.ALREADY_ENROLLED)
    assert missing_names.obstacle(batch) == ""
    assert services.confirm(batch, actor="trainer")


def test_many_rows_are_left_out_by_a_worker_which_may_die_half_way(uploaded, client_for, monkeypatch):
    monkeypatch.setattr(without_names, "AT_ONCE_ROWS", 1)
    batch, client = uploaded(ADDRESSES + "x@example.org\n"), client_for("trainer")
    _say(client, batch, "leave_out")
    assert missing_names.BEING_LEFT_OUT in _confirm(client, batch).content.decode()
    assert missing_names.unfinished() == [batch.pk]
    Invitation.objects.filter(batch=batch, line=2).update(state=State.INVALID, reason=missing_names.LEFT_OUT)
    assert tasks.leave_out(str(batch.pk)) == "left out"
    assert tasks.leave_out(str(batch.pk)) == "not chosen"
    assert missing_names.unfinished() == []
    assert batch_status.status(batch.pk)["counts"] == {State.INVALID: 4}


def test_a_row_of_an_earlier_version_is_not_sent_without_a_name(confirmed, academy, invited_counts):
    academy.switch(last_name_required=True)
    batch = confirmed("ada.lovelace@example.org")
    Invitation.objects.filter(batch=batch).update(first_name="", last_name="")
    assert sender.send_slice(batch.pk) == Batch.State.COMPLETED
    assert invited_counts() == {"ada.lovelace@example.org": 1}
