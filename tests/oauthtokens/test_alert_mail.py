"""One e-mail per alert, whoever of the processes raises it."""

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
