"""The canary: a whole working week with all that can go wrong, and no secret anywhere it does not belong."""

import io
import json
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django_q.signing import SignedPackage

from coursehub import audit, clock
from coursehub.mongo import outside_transaction
from coursehub.trainercentral.errors import TrainerCentralError
from oauthtokens import services
from tests.journeys.conftest import Product
from tests.support.files import csv_of
from tests.support.secrecy import Recorder, leaks, recording

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

CLIENT_SECRET = "canary-client-secret-5f0c"
PEOPLE = ("administrator", "maintenance", "trainer", "trainer2", "stranger", "anonymous")
PAGES_OF_A_KIND, PAGES_MAX = 3, 250
WRONG_WITH_CLIENT = [{"another_data_centre": True}, {"client_secret": "another"}, {"client_id": "1000.ANOTHER"}]
FAULTS = ("500", "502", "503", "html", "empty", "truncated", "reset", "reset_after_acting")
ENVELOPES = ("default", "mail", "projects", "crm", "array", "ok200")


class Watch:
    """Every document as it was written, also those that are deleted again, such as tasks."""

    def __init__(self, store) -> None:
        self._stream = store.watch(full_document="updateLookup", max_await_time_ms=100)
        self._over = threading.Event()
        self.changes: list[dict] = []
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self) -> None:
        with self._stream as stream:
            while not self._over.is_set():
                if (change := stream.try_next()) is not None:
                    self.changes.append(change)

    def end(self) -> str:
        """All of it as text, with the arguments of tasks in the clear."""
        self._over.set()
        self._thread.join()
        payloads = {doc["payload"] for change in self.changes if "payload" in (doc := change.get("fullDocument") or {})}
        assert payloads, "no task was seen"
        return f"{self.changes} {[SignedPackage.loads(payload) for payload in payloads]}"


@pytest.fixture
def recorder(sandbox, settings, monkeypatch) -> Iterator[Recorder]:
    """The recorder, and everything in this process and in those to come pointed at it, logging at DEBUG."""
    sandbox.switch(client_secret=CLIENT_SECRET, hold_seconds=0.5)
    with recording(sandbox.port) as recorder:
        settings.ZOHO_ACCOUNTS_URL = settings.TRAINERCENTRAL_URL = recorder.url
        settings.ZOHO_CLIENT_SECRET = CLIENT_SECRET
        settings.TOKEN_LEASE_SECONDS, settings.MAINTENANCE_EMAILS = 5, ["maintenance@example.org"]
        values = {"ZOHO_ACCOUNTS_URL": recorder.url, "TRAINERCENTRAL_URL": recorder.url}
        values |= {"ZOHO_CLIENT_SECRET": CLIENT_SECRET, "TOKEN_LEASE_SECONDS": "5", "LOG_LEVEL": "DEBUG"}
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        recorder.learn("client secret", CLIENT_SECRET)
        for key in django_settings.TOKEN_ENCRYPTION_KEYS:
            recorder.learn("encryption key", key)
        recorder.learn("secret key", django_settings.SECRET_KEY)
        yield recorder


@pytest.fixture
def product(recorder, academy, static_files, tmp_path) -> Iterator[Product]:
    with (tmp_path / "product.log").open("w") as output:
        product = Product(output=output)
        product.start_web()
        product.start_worker()
        yield product
        product.stop()


@pytest.fixture
def browse(client_for, product):
    """`browse("trainer")`: an HTTP session, signed in, whose addresses are relative to the product's."""

    def make(role: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        username = {"administrator": "admin", "trainer2": "trainer2"}.get(role, role)
        signed_in = client_for("trainer" if role == "trainer2" else role, username)
        session.cookies.update({name: morsel.value for name, morsel in signed_in.cookies.items()})
        return session

    return make


def post(session: requests.Session, address: str, page: str, **content) -> requests.Response:
    session.get(page)
    return session.post(address, headers={"X-CSRFToken": session.cookies["csrftoken"]}, **content)


def invite_a_class(session: requests.Session, product: Product, *emails: str) -> str:
    """Upload and confirm; returns the batch's address."""
    page = f"{product.url}/invitations/upload/"
    course = re.search(r'<option value="(\d+)"', session.get(page).text)[1]
    files = {"file": ("class.csv", csv_of(*emails))}
    uploaded = post(session, page, page, data={"course": course}, files=files, allow_redirects=False)
    assert uploaded.status_code == 302, uploaded.text
    batch = urljoin(page, uploaded.headers["Location"])
    post(session, f"{batch}confirm/", batch)
    return batch


def wait_for_end(session: requests.Session, batch: str) -> dict:
    ends_at = time.monotonic() + 60
    while (status := session.get(f"{batch}status.json").json())["state"] in ("queued", "running", "paused"):
        assert time.monotonic() < ends_at, status
        time.sleep(0.3)
    return status


def run(*arguments: str) -> str:
    """What a command says, whether it succeeds or not."""
    said = io.StringIO()
    try:
        call_command(*arguments, stdout=said, stderr=said)
    except (SystemExit, Exception) as error:
        said.write(f"{error!r} {error}")
    return said.getvalue()


def obtain(sandbox, recorder: Recorder, number: int) -> str:
    code = sandbox.self_client_code(services.SCOPE)
    recorder.learn("consent code", code)
    return run("regenerate_tokens", "--set", str(number), "--code", code)


def attempt(what) -> None:
    try:
        what()
    except TrainerCentralError:
        logging.getLogger("tests").exception("as it had to come")


def trouble_with_tokens(sandbox, recorder: Recorder) -> Iterator[str]:
    """Every class of error that a refresh can meet, with an answer that repeats the request among them."""
    for switches in WRONG_WITH_CLIENT:
        usual = sandbox.switch()
        sandbox.switch(**switches)
        yield run("refresh_tokens", "--set", "1", "--force")
        sandbox.switch(**{name: usual[name] for name in switches})
    for fault in FAULTS:
        sandbox.switch(fail_next=[{"path_contains": "/oauth/v2/token", "times": 1, "fault": fault}])
        forget_backoff()
        yield run("refresh_tokens", "--set", "1", "--force", "--json")
    for _ in range(3):
        recorder.echoes = 1
        forget_backoff()
        yield run("refresh_tokens", "--set", "1", "--force")
    recorder.echoes = 1
    yield obtain(sandbox, recorder, 5)
    recorder.echoes = 0
    recorder.learn("consent code", wrong := "1000.0badc0de0badc0de0badc0de0badc0de.0badc0de0badc0de0badc0de0badc0de")
    yield run("regenerate_tokens", "--set", "6", "--code", wrong)
    forget_backoff()
    yield run("refresh_tokens", "--set", "1", "--force")


def a_monday(session: requests.Session, recorder: Recorder, product: Product) -> None:
    """What the maintenance team does on the console, with Zoho repeating what it was sent at every first try."""
    sets = f"{product.url}/admin/oauthtokens/tokenset/"
    for echoes in (1, 0):
        answered = consent(session, recorder, sets)
        recorder.echoes = echoes
        shown = [session.get(answered).text for _ in range(2)]  # once more, from the browser's history
        clock.simulate(ahead_seconds=20)  # until the next consent may begin
        time.sleep(1.2)  # every process looks at the clock once a second
    assert "Token set 5 has new tokens." in shown[0]
    recorder.learn("consent code", wrong := "1000.00c0ffee00c0ffee00c0ffee00c0ffee.00c0ffee00c0ffee00c0ffee00c0ffee")
    for echoes in (1, 0):
        recorder.echoes = echoes
        assert 'role="alert"' in post(session, f"{sets}6/paste/", f"{sets}6/paste/", data={"code": wrong}).text
    post(session, f"{sets}5/refresh/", sets)
    post(session, f"{sets}1/release/", f"{sets}1/release/", data={"reason": "canary"})
    post(session, f"{sets}rotate/", sets)
    post(session, f"{sets}4/revoke/", f"{sets}4/revoke/", data={"confirm": "4"})


def consent(session: requests.Session, recorder: Recorder, sets: str) -> str:
    """Consent for set 5 at Zoho; returns the address that the browser is sent back to."""
    asked = post(session, f"{sets}5/consent/", sets, allow_redirects=False).headers["Location"]
    assert asked.startswith(recorder.url), asked
    page = requests.get(asked, timeout=10)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    fields = {name: unescape(value) for name, value in fields.items()} | {"decision": "approve"}
    decided = requests.post(f"{recorder.url}/oauth/v2/auth", data=fields, allow_redirects=False, timeout=10)
    return decided.headers["Location"]


def forget_backoff() -> None:
    outside_transaction("oauthtokens_tokenset").update_many({}, {"$set": {"not_before": None}})


def trouble_with_calls(sandbox, recorder: Recorder) -> None:
    """Every envelope, fault and refusal that a call can meet."""
    client = services.client()
    for envelope in ENVELOPES:
        sandbox.switch(error_envelope=envelope)
        attempt(lambda: client.get_course("1"))
        attempt(lambda: client.invite(course_id="1", email="a@example.org", first_name="A", last_name="B"))
    for fault in FAULTS:
        sandbox.switch(fail_next=[{"path_contains": "/api/v4", "times": 1, "fault": fault}])
        attempt(lambda: client.invite(course_id="1", email="a@example.org", first_name="A", last_name="B"))
    recorder.echoes = 1
    attempt(lambda: client.invite(course_id="1", email="a@example.org", first_name="A", last_name="B"))
    for style in ("400", "429"):
        sandbox.switch(calls_per_minute=1, rate_limit_style=style, lockout_seconds=1)
        for _ in range(2):
            attempt(lambda: client.get_course("1"))
        sandbox.switch(calls_per_minute=0)
        outside_transaction("coursehub_pacing").delete_many({})  # nobody waits the minute that it asked for
    # A token that ended before its time: the client goes and gets another.
    from oauthtokens.pool import refresh

    refresh.accounts().revoke(services.access_token().token)
    attempt(client.list_courses)


def crawl(session: requests.Session, root: str) -> Iterator[tuple[str, str]]:
    """(address, answer with its headers) of every page that can be reached by links, a few of each kind."""
    starts = ("/", "/admin/", "/invitations/", "/progress/", "/oauth/forecast.json", "/metrics", "/readyz", "/healthz")
    todo, seen, kinds = list(starts), set(starts), {}
    while todo and len(seen) < PAGES_MAX:
        path = todo.pop(0)
        answer = session.get(root + path, timeout=30)
        assert answer.status_code < 500, path
        yield path, f"{answer.url} {answer.headers} {answer.text}"
        if "html" not in answer.headers.get("Content-Type", ""):
            continue
        for link in re.findall(r'(?:href|action|data-url)="([^"#]+)"', answer.text):
            target = urlsplit(urljoin(answer.url, link.replace("&amp;", "&")))
            address = target.path + (f"?{target.query}" if target.query else "")
            kind = (re.sub(r"[0-9a-f-]{36}|\d+", "#", target.path), *sorted(dict(parse_qsl(target.query))))
            is_ours = f"{target.scheme}://{target.netloc}" == root
            if not is_ours or address in seen or re.match("/static/|/source/|/accounts/logout|/admin/logout", address):
                continue
            if kinds.setdefault(kind, 0) < PAGES_OF_A_KIND:
                kinds[kind] += 1
                seen.add(address)
                todo.append(address)


def database_dump(store) -> str:
    documents = {name: list(store[name].find()) for name in store.list_collection_names()}
    assert len(documents["oauthtokens_tokenset"]) == django_settings.TOKEN_SET_COUNT
    sessions = [SessionStore().decode(row["session_data"]) for row in documents["django_session"]]
    return f"{documents} {sessions}"


@pytest.mark.fault
def test_no_secret_is_where_it_does_not_belong(
    recorder, product, browse, sandbox, settings, caplog, mailoutbox, tmp_path, database
):  # fmt: skip
    caplog.set_level(logging.DEBUG)
    watch = Watch(database)
    said = [obtain(sandbox, recorder, number) for number in (2, 3, 4)]
    trainer = browse("trainer")

    batch = invite_a_class(trainer, product, *(f"learner{n}@example.org" for n in range(20)))
    assert wait_for_end(trainer, batch)["counts"] == {"invited": 20}
    said.append(services.refresh_due())  # which tells by e-mail that four sets do not last
    said += trouble_with_tokens(sandbox, recorder)
    trouble_with_calls(sandbox, recorder)
    recorder.echoes = 3  # three rows fail, with an answer that repeats the token
    batch = invite_a_class(trainer, product, *(f"unlucky{n}@example.org" for n in range(6)))
    wait_for_end(trainer, batch)
    recorder.echoes = 0
    for command in ("sync_courses", "poll_progress --full", "token_status --json", "rotate_tokens --json"):
        said.append(run(*command.split()))
    said.append(obtain(sandbox, recorder, 2))
    said += [run("refresh_tokens", "--set", str(number), "--force") for number in (2, 2, 4, 4)]
    a_monday(browse("maintenance"), recorder, product)
    settings.TOKEN_GRANT = "client_credentials"
    services.client().list_courses()
    said += [
        run("reencrypt_tokens"),
        run("revoke_tokens", "--set", "3", "--yes"),
        run("revoke_tokens", "--all", "--yes"),
    ]
    clock.end_simulation()
    assert not any("Error" in text and "Command" in text for text in said), said
    said.append(services.refresh_due())

    changes = watch.end()

    # The addresses of the test's own requests: consent codes come back to a browser in an address, by the standard.
    browser = f'http://127.0.0.1:{product.port} "GET /oauth/callback/'

    def places(people: tuple[str, ...]) -> dict[str, str]:
        return {
            **{f"{role} {path}": text for role in people for path, text in crawl(browse(role), product.url)},
            "addresses": " ".join(recorder.addresses),
            "sandbox": json.dumps([sandbox.calls(), sandbox.state()]),
            "web and worker": (tmp_path / "product.log").read_text(),
            "this process": "\n".join(line for line in caplog.text.split("\n") if browser not in line),
            "commands": " ".join(said),
            "e-mails": " ".join(str(mail.message()) for mail in mailoutbox),
            "database": database_dump(database),
            "changes": changes,
        }

    searched = places(PEOPLE)
    kinds = Counter(recorder.secrets.values())
    assert kinds["access token"] >= 8, kinds
    assert kinds["refresh token"] >= 5, kinds
    assert kinds["consent code"] >= 8, kinds
    assert kinds["code verifier"] >= 2, kinds
    assert len(searched) > 150  # most of them pages
    assert " DEBUG " in searched["web and worker"]
    assert "CourseHub: " in searched["e-mails"]
    assert leaks(recorder.secrets, searched) == []

    plant(next(secret for secret, kind in recorder.secrets.items() if kind == "access token"), product)
    found = {place for place, _ in leaks(recorder.secrets, places(("administrator",)))}
    assert found >= {"database", "web and worker", "this process", "administrator /admin/coursehub/auditevent/"}


def plant(secret: str, product: Product) -> None:
    """Leak it where a careless line of code would."""
    audit.record(action="canary.sang", target=secret)
    logging.getLogger("tests").debug("about %s", secret)
    requests.get(f"{product.url}/nothing/{secret}/", timeout=10)


def test_search_finds_a_secret_and_a_part_of_it():
    secrets = {"1000.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb": "access token", "canary": "client secret"}
    texts = {
        "whole": "x1000.aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbx",
        "part": "bbbbbbbbbbbbbbbb",
        "clean": "1000. a",
        "c": "canary",
    }
    assert leaks(secrets, texts) == [("c", "client secret"), ("part", "access token"), ("whole", "access token")]
