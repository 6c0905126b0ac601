"""The webhook: who may hint at what, once, and never a 500."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from coursehub import clock
from coursehub.models import Course
from progress import webhook
from progress.models import WebhookSeen
from progress.polling import poll_lease, schedule
from tests.support import ROOT
from tests.support.makers import make_course, store
from tests.support.stage.web import running_web

SECRET, PATH = "a secret of the academy", "/progress/webhook/"
HINT = b'{"course_id": "3000000001"}'


@pytest.fixture(autouse=True)
def course(database, settings) -> Course:
    settings.WEBHOOK_SECRET = SECRET
    course = make_course()
    store()
    Course.objects.update(polled_at=clock.now() - timedelta(hours=1), poll_due_at=clock.now() + timedelta(hours=1))
    return course


def _post(body: bytes = HINT, *, secret: str = SECRET, age_seconds: float = 0, content_type: str = "application/json"):
    sent_at = int(clock.now().timestamp() - age_seconds)
    signature = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return _send(body, f"t={sent_at},v1={signature}", content_type)


def _send(body: bytes, header: str, content_type: str = "application/json"):
    headers = {"X-CourseHub-Signature": header}
    return Client(enforce_csrf_checks=True).post(PATH, body, content_type=content_type, headers=headers)


def _is_due() -> bool:
    return Course.objects.get().poll_due_at <= clock.now()


@pytest.mark.parametrize(
    "body",
    [
        HINT,
        b'{"courseId": 3000000001}',
        b'{"data": {"course": "3000000001", "more": [1, null]}}',
        b'[{"event": "completed"}, {"course": {"course_id": "3000000001"}}]',
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_a_signed_hint_makes_the_course_due(body, content_type):
    answer = _post(body, content_type=content_type)
    assert (answer.status_code, answer.json()) == (202, {"accepted": True, "courses": ["3000000001"]})
    assert _is_due()


def test_the_same_request_again_changes_nothing():
    sent_at = int(clock.now().timestamp())
    signature = hmac.new(SECRET.encode(), f"{sent_at}.".encode() + HINT, hashlib.sha256).hexdigest()
    assert _send(HINT, f"t={sent_at},v1={signature}").status_code == 202
    Course.objects.update(poll_due_at=clock.now() + timedelta(hours=1))
    for header in (f"t={sent_at},v1={signature}", f"t={sent_at},v1={signature.upper()}"):
        answer = _send(HINT, header)
        assert (answer.status_code, answer.json()["accepted"]) == (200, False)
    assert not _is_due()


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (lambda: _post(secret="another"), 401),
        (lambda: _post(age_seconds=webhook.TOLERANCE_SECONDS + 5), 401),
        (lambda: _post(age_seconds=-webhook.TOLERANCE_SECONDS - 5), 401),
        (lambda: _send(HINT, ""), 401),
        (lambda: _send(HINT, "t=abc,v1=00"), 401),
        (lambda: _send(HINT, "t=" + "9" * 40 + ",v1=00"), 401),
        (lambda: _post(b"{"), 400),
        (lambda: _post(b"\xff\xfe"), 400),
        (lambda: _post(b"{}"), 400),
        (lambda: _post(b'{"course_id": true}'), 400),
        (lambda: _post(b"[" * 60_000), 400),
        (lambda: _post(b'{"course_id": ' + b"9" * 5_000 + b"}"), 400),
        (lambda: _post(b'"' + b"x" * webhook.MOST_BYTES + b'"'), 413),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_and_makes_nothing_due(send, status):
    answer = send()
    assert answer.status_code == status
    assert re.fullmatch(r"[^.]+\.", answer.json()["error"].replace("<unix>", "").replace("<hex>", ""))
    assert SECRET not in answer.content.decode()
    assert not _is_due()


def test_a_course_that_is_not_there_is_no_error():
    assert _post(b'{"course_id": "4711"}').json() == {"accepted": True, "courses": []}


def test_without_a_secret_there_is_no_webhook(settings, static_files):
    settings.WEBHOOK_SECRET = ""
    assert _post().status_code == 404


def test_only_post_is_taken():
    assert Client().get(PATH).status_code == 405


def test_hints_cannot_have_a_course_read_all_the_time():
    Course.objects.update(polled_at=clock.now())
    _post()
    wait = Course.objects.get().poll_due_at - clock.now()
    assert timedelta(seconds=schedule.HINT_SECONDS - 5) < wait <= timedelta(seconds=schedule.HINT_SECONDS)


def test_a_hint_does_not_shorten_the_pause_after_trouble():
    Course.objects.update(poll_not_before=clock.now() + timedelta(minutes=5))
    _post()
    assert not _is_due()


def test_a_hint_that_comes_while_the_course_is_read_has_it_read_again():
    lease = poll_lease.win("3000000001", only_if_due=False, afresh=False)
    _post()
    poll_lease.finish(lease)
    course = Course.objects.get()
    assert course.poll_due_at - course.polled_at == timedelta(seconds=schedule.HINT_SECONDS)


def test_a_hinted_course_is_told_before_the_others(settings):
    for number in range(5):
        make_course(f"4{number:09}", poll_due_at=clock.now() - timedelta(hours=1))
    _post()
    assert next(iter(schedule.ring_due())) == "3000000001"


def test_signatures_are_forgotten_when_they_are_too_old_to_be_accepted():
    _post()
    assert webhook.forget_old() == 0
    WebhookSeen.objects.update(at=clock.now() - timedelta(seconds=3 * webhook.TOLERANCE_SECONDS + 1))
    assert webhook.forget_old() == 1


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200), st.text(max_size=80).filter(lambda text: "\n" not in text and "\r" not in text))
def test_no_input_is_answered_500(body, header):
    assert _send(body, header.encode().decode("latin-1")).status_code in (400, 401)
    assert _post(body).status_code in (200, 202, 400)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["course_id", "x"]), inner),
        max_leaves=10,
    )
)
def test_no_json_is_answered_500(value):
    assert _post(json.dumps(value).encode()).status_code in (200, 202, 400)


def test_the_example_of_the_operators_page_works(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    page = (ROOT / "docs" / "operations.md").read_text()
    (example,) = (block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Signature" in block)
    with running_web() as web:
        environment = {**os.environ, "WEBHOOK_SECRET": SECRET, "PUBLIC_URL": f"http://127.0.0.1:{web.port}"}
        environment["COURSE_ID"] = "3000000001"
        ran = subprocess.run(
            [sys.executable, "-c", example], env=environment, capture_output=True, text=True, check=False
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert _is_due()
