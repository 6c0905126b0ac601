"""One e-mail per alert, whoever of the processes raises it."""

from coursehub import academy
from coursehub.trainercentral.profile import AnswerKind, Meaning
from oauthtokens import alerts
from oauthtokens.models import TokenSet


def test_an_open_alert_is_mailed_once(pool, settings, mailoutbox):
    settings.MAINTENANCE_EMAILS = ["maintenance@example.org"]
    pool.obtain(1)
    pool.change(1, state=TokenSet.State.BROKEN, reason="Zoho does not accept it any more.")
    alerts.update()
    alerts.update()
    assert [mail.to for mail in mailoutbox] == [["maintenance@example.org"]]
    assert "Token set 1 is broken" in mailoutbox[0].body
    assert "/admin/oauthtokens/tokenset/" in mailoutbox[0].body


def test_an_answer_that_nobody_understands_is_mailed_once_with_the_page_of_the_question(pool, settings, mailoutbox):
    settings.MAINTENANCE_EMAILS = ["maintenance@example.org"]
    settings.TOKEN_MAX_USES = 0  # the forecast has nothing to say
    kind = AnswerKind("addCourseAttendee.json", 200, "ST_41", "{}")
    academy.note_answer(kind, {"message": "User ada@example.org exists"})
    alerts.update()
    alerts.update()
    (mail,) = mailoutbox
    assert mail.subject == (
        "CourseHub: TrainerCentral answers ST_41 to an invitation; an administrator has to say what that means."
    )
    assert "/admin/coursehub/academyanswer/" in mail.body
    assert "ada@example.org" not in mail.body
    assert "tokenset" not in mail.body
    academy.decide(kind.key, Meaning.REFUSED, actor="ada")
    alerts.update()
    assert alerts.open_alerts() == []
    assert len(mailoutbox) == 1


def test_the_banner_of_the_token_sets_shows_no_question(pool, client_for, settings):
    settings.TOKEN_MAX_USES = 0
    academy.note_answer(AnswerKind("addCourseAttendee.json", 200, "ST_41", "{}"), {})
    alerts.update()
    html = client_for("administrator").get("/admin/oauthtokens/tokenset/").content.decode()
    assert "ST_41" not in html
    assert client_for("administrator").get("/admin/").content.decode().count("answers ST_41") == 1
