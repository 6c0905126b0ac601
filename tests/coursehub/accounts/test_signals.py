"""Signing in and out is audited; a failed attempt is too, without what was typed."""

import pytest
from django.test import Client, RequestFactory

from coursehub.middleware import TrustedProxyMiddleware
from coursehub.models import AuditEvent

SECRET = "typed-into-the-wrong-field"


def test_signing_in_and_out_is_audited(academy, static_files):
    client = Client()
    assert client.post("/accounts/login/", {"username": "trainer", "password": "coursehub-demo"}).status_code == 302
    client.post("/accounts/logout/")
    actions = AuditEvent.objects.filter(actor="trainer").order_by("seq").values_list("action", flat=True)
    assert list(actions) == ["user.signed_in", "user.signed_out"]


def test_a_failed_sign_in_is_audited_without_what_was_typed(database, static_files):
    Client().post("/accounts/login/", {"username": SECRET, "password": SECRET})
    [event] = AuditEvent.objects.all()
    assert event.action == "user.sign_in_failed"
    assert SECRET not in str(vars(event))


@pytest.mark.parametrize(
    ("peer", "scheme"), [("10.0.0.7", "https"), ("10.0.1.7", "http"), ("::1", "https"), ("", "http"), ("spoof", "http")]
)
def test_only_a_trusted_proxy_s_forwarding_headers_count(settings, peer, scheme):
    settings.TRUSTED_PROXIES = ["10.0.0.0/24", "::1"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
    assert TrustedProxyMiddleware(lambda passed: passed.scheme)(request) == scheme
