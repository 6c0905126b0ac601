"""One correction for all rows like it: what was asked for, once, and gone on with after a crash."""

import pytest

from coursehub.models import AuditEvent
from invitations import services, tasks
from invitations.models import Batch, Invitation
from invitations.parsing.file_format import Format
from invitations.repair import cells, domains
from invitations.selectors import batch_status
from invitations.sending import sender
from tests.invitations.repair.conftest import seen_of

State = Invitation.State
HEAD = "email,first name,last name\n"
GOOD = "".join(f"learner{number}@gmail.com,A,B\n" for number in range(6))
SLIPS = "".join(f"slip{number}@gmial.com,A,B\n" for number in range(3))


def _emails(batch, state=State.PENDING) -> list[str]:
    return list(Invitation.objects.filter(batch=batch, state=state).order_by("line").values_list("email", flat=True))


def test_a_preview_asks_and_changes_nothing_by_itself(uploaded, client_for, academy):
    batch = uploaded(HEAD + GOOD * 1 + SLIPS.splitlines(True)[0])
    assert domains.open_suggestions(batch) == [{"domain": "gmial.com", "meant": "gmail.com", "rows": 1}]
    page = client_for("trainer").get(f"/invitations/{batch.pk}/").content.decode()
    assert "did you mean <b>gmail.com</b>?" in page
    assert "slip0@gmial.com" in _emails(batch)
    assert services.confirm(batch, actor="trainer"), "who says nothing is not held up"


def test_all_addresses_of_a_domain_are_corrected_and_invited_once(uploaded, client_for, look, invited_counts):
    batch = uploaded(HEAD + GOOD + SLIPS + "learner1@gmial.com,A,B\n\u00e9@gmial.com,A,B\n")
    path = f"/invitations/{batch.pk}/domains/"
    said = {"domain": "gmial.com", "meant": "gmail.com", "decision": "correct"}
    page = client_for("trainer").post(path, said, follow=True).content.decode()
    assert "The addresses at gmial.com are now at gmail.com." in page
    assert not [one for one in _emails(batch) if "gmial" in one]
    again = Invitation.objects.get(batch=batch, email="learner1@gmail.com", state=State.DUPLICATE)
    assert again.reason == "The same address as in line 3."
    assert "did you mean" not in page
    [event] = AuditEvent.objects.filter(action="batch.rows_corrected")
    assert event.detail["rows"] == 5
    batch.refresh_from_db()
    assert services.confirm(batch, actor="trainer")
    look(batch)
    sender.send_slice(batch.pk)
    assert set(invited_counts().values()) == {1}
    assert len(invited_counts()) == 10


def test_they_are_right_is_said_once(uploaded, client_for):
    batch = uploaded(HEAD + GOOD + SLIPS.splitlines(True)[0])
    path = f"/invitations/{batch.pk}/domains/"
    said = {"domain": "gmial.com", "meant": "gmail.com", "decision": "right"}
    assert "did you mean" not in client_for("trainer").post(path, said, follow=True).content.decode()
    assert "slip0@gmial.com" in _emails(batch)


def test_unusable_rows_are_corrected_too_and_keep_what_else_is_wrong_with_them(uploaded, repair, row):
    rows = "a@gmail,com;;\nb@gmail,com;;31.31.2027\nc@gmail,com;;2019-01-01\nd@example.org;;\n"
    batch = uploaded(f"email;first name;access until\n{rows}")
    assert repair(batch, 2, email="a@gmail.com").is_done
    offer = domains.like(batch, "gmail,com", "gmail.com")
    assert offer == {"domain": "gmail,com", "meant": "gmail.com", "rows": 2}
    assert services.correct_domain(batch, "gmail,com", "gmail.com", actor="trainer")
    assert row(batch, 3).email == "b@gmail.com"
    assert "There is no day" in row(batch, 3).reason
    assert "is past" in row(batch, 4).reason
    assert row(batch, 3).state == row(batch, 4).state == State.INVALID


def test_a_row_put_right_offers_the_same_for_all_like_it(uploaded, client_for, row):
    batch = uploaded(HEAD + GOOD + SLIPS)
    told = client_for("trainer").post(
        f"/invitations/{batch.pk}/rows/8/repair/",
        {"email": "slip0@gmail.com", "seen": seen_of(row(batch, 8))},
        headers={"Accept": "application/json"},
    )
    assert told.json()["saved"]
    assert "2 more addresses are" in told.json()["offer"]


def test_who_was_left_out_is_not_corrected(uploaded, leave_out, row):
    batch = uploaded(HEAD + GOOD + SLIPS)
    leave_out(batch, 8)
    assert services.correct_domain(batch, "gmial.com", "gmail.com", actor="trainer")
    assert row(batch, 8).email == "slip0@gmial.com"
    assert row(batch, 9).email == "slip1@gmail.com"


def test_many_are_corrected_by_a_worker_which_may_die_half_way_and_nothing_is_confirmed_meanwhile(
    uploaded, client_for, monkeypatch, later
):
    monkeypatch.setattr(domains, "AT_ONCE_ROWS", 1)
    batch, client = uploaded(HEAD + GOOD + SLIPS), client_for("trainer")
    said = {"domain": "gmial.com", "meant": "gmail.com", "decision": "correct"}
    page = client.post(f"/invitations/{batch.pk}/domains/", said, follow=True).content.decode()
    assert "It takes some seconds." in page
    assert 'id="confirm-button"' not in page
    assert domains.unfinished() == [], "somebody has just begun"
    later(16)
    assert domains.unfinished() == [batch.pk]
    assert not services.confirm(Batch.objects.get(pk=batch.pk), actor="trainer")
    page = client.post(f"/invitations/{batch.pk}/confirm/", follow=True).content.decode()
    assert domains.BEING_CORRECTED in page
    assert not services.correct_domain(batch, "gmial.com", "gmx.de", actor="trainer"), "one at a time"
    # As if somebody had died after the first row.
    Invitation.objects.filter(batch=batch, line=8).update(email="slip0@gmail.com", email_folded="slip0@gmail.com")
    assert tasks.correct(str(batch.pk)) == "corrected"
    assert tasks.correct(str(batch.pk)) == "nothing to correct"
    assert batch_status.status(batch.pk)["counts"] == {State.PENDING: 9}
    assert not [one for one in _emails(batch) if "gmial" in one]


def test_rows_that_their_status_left_out_are_not_brought_back_by_a_correction(uploaded, row):
    batch = uploaded(HEAD + GOOD + SLIPS)
    left_out = {"state": State.INVALID, "reason": "Left out: “Status” is “Refunded”."}
    Invitation.objects.filter(batch=batch, line=8).update(**left_out)
    example = {"state": State.INVALID, "reason": "This is the example row of a template: take it out."}
    Invitation.objects.filter(batch=batch, line=9).update(**example)
    assert services.correct_domain(batch, "gmial.com", "gmail.com", actor="trainer")
    assert [row(batch, line).state for line in (8, 9, 10)] == [State.INVALID, State.INVALID, State.PENDING]


def test_a_cancelled_batch_is_not_corrected_any_further(uploaded, monkeypatch):
    monkeypatch.setattr(domains, "AT_ONCE_ROWS", 1)
    batch = uploaded(HEAD + GOOD + SLIPS)
    services.correct_domain(batch, "gmial.com", "gmail.com", actor="trainer")
    services.cancel(batch, actor="trainer")
    tasks.correct(str(batch.pk))
    assert domains.unfinished() == []
    assert "slip0@gmial.com" in _emails(batch, State.NOT_ATTEMPTED)


@pytest.mark.parametrize("meant", ["", "nonsense", "a b.com", "@", "x" * 400, "gmail.com\n"])
def test_what_is_no_domain_gets_one_sentence(uploaded, client_for, meant):
    batch = uploaded(HEAD + GOOD + SLIPS)
    said = {"domain": "gmial.com", "meant": meant, "decision": "correct"}
    answer = client_for("trainer").post(f"/invitations/{batch.pk}/domains/", said, follow=True)
    assert answer.status_code == 200
    if meant.strip() != "gmail.com":
        assert "is no domain" in answer.content.decode()
        assert "slip0@gmial.com" in _emails(batch)


def test_only_who_may_see_the_batch_puts_it_right(uploaded, client_for):
    batch = uploaded(HEAD + GOOD + SLIPS)
    stranger = client_for("trainer", "another")
    assert stranger.get(f"/invitations/{batch.pk}/rows/2/repair/").status_code == 404
    assert stranger.post(f"/invitations/{batch.pk}/rows/2/repair/").status_code == 404
    assert stranger.post(f"/invitations/{batch.pk}/domains/").status_code == 404
    assert client_for("trainer").get(f"/invitations/{batch.pk}/domains/").status_code == 405
    assert client_for("trainer").get(f"/invitations/{batch.pk}/rows/99/repair/").status_code == 404


def test_a_domain_that_no_address_could_have_is_nobodys(uploaded, client_for):
    batch, client = uploaded(HEAD + GOOD), client_for("trainer")
    assert client.get(f"/invitations/{batch.pk}/?domain=g%00mail.com&meant=gmail.com").status_code == 200
    said = {"domain": "g\0mail.com", "meant": "gmail.org", "decision": "correct"}
    assert client.post(f"/invitations/{batch.pk}/domains/", said).status_code == 302
    batch.refresh_from_db()
    assert batch.correcting_at is None
    assert services.confirm(batch, actor="trainer")


def test_a_correction_whose_file_is_read_anew_meanwhile_is_over(uploaded, monkeypatch):
    batch, shown = uploaded(HEAD + GOOD + SLIPS), cells.shown

    def anew(*arguments):
        patch.undo()
        assert services.read_anew(batch, Format(**batch.format), actor="trainer")
        return shown(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(cells, "shown", anew)
        services.correct_domain(batch, "gmial.com", "gmail.com", actor="trainer")
    batch.refresh_from_db()
    assert (batch.correcting_at, batch.correcting) == (None, {})
    assert len([one for one in _emails(batch) if "gmial" in one]) == 3
    assert services.correct_domain(batch, "gmial.com", "gmail.com", actor="trainer")
    assert not [one for one in _emails(batch) if "gmial" in one]


def test_a_domain_with_a_damaged_character_is_corrected_like_any_other(uploaded, client_for, row):
    batch = uploaded("email,name\nada@exa\0mple.org,Ada B\nbob@exa\0mple.org,Bob C\ncy@example.org,Cy D\n")
    told = client_for("trainer").post(
        f"/invitations/{batch.pk}/rows/2/repair/",
        {"email": "ada@example.org", "seen": seen_of(row(batch, 2))},
        headers={"Accept": "application/json"},
    )
    assert told.json()["saved"]
    said = {"domain": "exa\0mple.org", "meant": "example.org", "decision": "correct"}
    assert client_for("trainer").post(f"/invitations/{batch.pk}/domains/", said).status_code == 302
    batch.refresh_from_db()
    assert batch.correcting_at is None
    assert _emails(batch) == ["ada@example.org", "bob@example.org", "cy@example.org"]
